/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what is read can be written, and what was written reads as the same. */
#include "shared/json.c"

#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"{\"a\":[1,2.5,-3e-2,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00\"],\"b\":{\"c\":{}}}", "[[[[[[]]]]]]", "\"text\"", "-0.0", "1e308",
	"{\"ts\":\"2026-11-23T03:10:00.123Z\",\"n\":9007199254740993}", "[]", " { } ", "123456789012345678901234567890",
};

void fuzz_begin(void)
{
}

static char *write_it(const struct json *j, size_t *n)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 64 << 20);
	json_out_init(&o, &b);
	json_put(&o, NULL, j);
	*n = b.len;
	return buf_take(&b);
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(json_freep) struct json *j = NULL, *again = NULL;
	CLEANUP(freep) char *text = NULL, *second = NULL;
	struct err e;
	size_t len, len2;

	if (json_parse(&j, (const char *)p, n, &e))
		return;
	text = write_it(j, &len);
	if (json_parse(&again, text, len, &e)) {
		fprintf(stderr, "written, but not read: %s\n%s\n", e.msg, text);
		abort();
	}
	second = write_it(again, &len2);
	if (len != len2 || memcmp(text, second, len) != 0) {
		fprintf(stderr, "not the same:\n%s\n%s\n", text, second);
		abort();
	}
	(void)json_get_time(j, "ts");
	(void)json_get_int(j, "n", 0);
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
