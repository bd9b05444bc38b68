/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: what is cut out of one by hand is what a parser of the whole finds in it. */
#include "noded/run/facts.h"

#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"{\"format\":\"felloe-archive 1\",\"run\":\"r\",\"database\":{\"name\":\"shop\",\"server\":{\"version\":\"10.11\"},\"tables\":["
	"{\"name\":\"a\",\"data\":true,\"view\":\"snapshot\",\"rows\":5,\"bytes\":9,\"longest\":4,\"digest\":"
	"\"00112233445566778899aabbccddeeff\",\"select\":\"`a`,`b`\"},{\"name\":\"\\u00e9\\\\\\\"\",\"data\":false}],\"triggers_of\":["
	"{\"table\":\"a\",\"name\":\"t\",\"member\":\"db/30-post/4-triggers/1.t.sql\"}],\"rows\":5},\"files\":null,"
	"\"compression\":{\"level\":3}}",
	"{ \"database\" : { \"tables\" : [ ] , \"triggers_of\" : [ {} , {\"x\":[{\"y\":\"]}\"}]} ] } , \"tables\":[{\"name\":1}] }",
	"{\"database\":null,\"files\":{\"roots\":[\"/srv/www\"],\"files\":3},\"volumes\":1}",
	"{\"database\":{\"database\":{\"tables\":[{}]},\"x\":{\"tables\":[1]},\"tables\":{\"tables\":[{}]}}}",
};

void fuzz_begin(void)
{
}

static void fail(const char *what, const char *p, size_t n)
{
	fprintf(stderr, "%s: %.*s\n", what, (int)n, p);
	abort();
}

/* Objects in a list of the document, and those that were left there. */
static bool as_many(size_t found, const struct json *whole, const struct json *rest, const char *list)
{
	const struct json *all = json_get(json_get(whole, "database"), list), *left = json_get(json_get(rest, "database"), list);

	return json_type(all) != JSON_ARRAY || found + json_count(left) == json_count(all);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(json_freep) struct json *whole = NULL, *rest = NULL;
	struct facts f = {0};
	const char *text = (const char *)p;
	struct err e, why;
	struct buf b;
	int parsed;

	buf_init(&b, 1 << 20);
	buf_add(&b, text, n);
	parsed = json_parse(&whole, text, n, &why);
	if (facts_parse(&f, &rest, &b, &e) == 0) {
		/* an element of a list is parsed alone: it may nest as deeply as a document */
		if (parsed && !strstr(why.msg, "nest"))
			fail(why.msg, text, n);
		if (!parsed && (!as_many(f.tables.n, whole, rest, "tables") || !as_many(f.triggers.n, whole, rest, "triggers_of")))
			fail("not all was found", text, n);
		if (!parsed && !str_eq(json_get_str(whole, "format", ""), json_get_str(rest, "format", "")))
			fail("the rest is another", text, n);
		facts_done(&f);
	}
	buf_done(&b);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
