/* SPDX-License-Identifier: Apache-2.0 */
/* Small languages: rules that exclude files, times, numbers, digests and base64 as
 * text, and bytes of strangers on their way to a screen. The first byte says which. */
#include <stdio.h>
#include <stdlib.h>

#include "noded/files/glob.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"gcache/\n!*.log\n/a/**/b\n[!a-z\\]]?\na/x/b/debug.log", "g**/\n*a*a*a*a*b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	"t2026-11-23T03:10:00.123+05:30", "t2024-02-29t23:59:60Z", "t1969-12-31T23:59:59.9999999Z", "n18446744073709551615", "n-9223372036854775808",
	"b3q2+7w==", "b-_8", "b0123456789abcdef0123456789abcdef", "s\xC3\xA9\xE2\x80\xAE\x1b[31m\xF0\x9F\x98\x80\xED\xA0\x80\xC0\xAF",
};

void fuzz_begin(void)
{
}

/* Rules, one a line; the last line is a name. A rule and the name that it is made of agree. */
static void globs(char *text)
{
	struct globs *g = globs_new();
	char *at = text, *nl;
	struct err e;

	globs_add_wordpress(g);
	for (; (nl = strchr(at, '\n')); at = nl + 1) {
		*nl = '\0';
		(void)!globs_add(g, at, &e);
	}
	(void)globs_match(g, at, false);
	(void)globs_match(g, at, true);
	globs_free(g);
	g = globs_new();
	if (*at && at[strcspn(at, "*?[\\!# /\n")] == '\0' && (globs_add(g, at, &e) || !globs_match(g, at, false)) && strlen(at) <= 1000)
		abort();
	globs_free(g);
}

static void times(const char *text)
{
	char again[CLOCK_TEXT], span[UNITS_TEXT];
	int64_t ms, same;

	if (clock_parse(&ms, text))
		return;
	clock_rfc3339(again, ms);
	if (ms && (clock_parse(&same, again) || same != ms)) {
		fprintf(stderr, "%s is %lld, written as %s\n", text, (long long)ms, again);
		abort();
	}
	units_span(span, ms);
	units_about(span, ms);
}

static void numbers(const char *text)
{
	char made[32];
	uint64_t u;
	int64_t i;

	if (!str_to_i64(&i, text, INT64_MIN, INT64_MAX)) {
		snprintf(made, sizeof(made), "%lld", (long long)i);
		if (strtoll(text, NULL, 10) != i)
			abort();
		units_span(made, i);
	}
	if (!str_to_u64(&u, text, 0, UINT64_MAX)) {
		if (strtoull(text, NULL, 10) != u || *text == '-')
			abort();
		units_bytes(made, u);
		units_bytes_short(made, u);
		units_thousands(made, u);
	}
}

static void digests(const char *text)
{
	uint8_t *p = NULL, hex[16];
	CLEANUP(freep) char *again = NULL, *url = NULL;
	char hex_again[33];
	size_t n;

	if (!base64_decode(&p, &n, text)) {
		again = base64_encode(p, n);
		if (!str_eq(again, text))
			abort();
		free(p);
	}
	if (!base64url_decode(&p, &n, text, strlen(text))) {
		url = base64url_encode(p, n);
		if (!str_eq(url, text))
			abort();
		free(p);
	}
	if (!hex_decode(hex, sizeof(hex), text) && !str_ieq(hex_encode(hex_again, hex, sizeof(hex)), text))
		abort();
}

static void strangers(char *text)
{
	CLEANUP(freep) char *before = xstrdup(text);
	bool clean = str_is_clean(text);
	char cut[8];

	str_clean(text);
	if (clean != str_eq(before, text) || !str_is_clean(text) || !str_utf8_valid(text, strlen(text)))
		abort();
	str_cut(cut, sizeof(cut), text);
	if (!str_utf8_valid(cut, strlen(cut)) || strncmp(cut, text, strlen(cut)) != 0)
		abort();
	(void)str_is_name(before);
	(void)str_nearest(before, seeds, ARRAY_LEN(seeds));
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(freep) char *text = n ? xstrndup((const char *)p + 1, n - 1) : NULL;

	switch (n ? *p : 0) {
	case 'g': globs(text); break;
	case 't': times(text); break;
	case 'n': numbers(text); break;
	case 'b': digests(text); break;
	case 's': strangers(text); break;
	}
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
