/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		if (size)
			dst[0] = '\0';
		return -1;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

void str_shorten(char *dst, size_t size, const char *src)
{
	static const char more[] = "…";

	if (strnlen(src, size) < size) {
		str_cut(dst, size, src);
		return;
	}
	str_cut(dst, size - (sizeof(more) - 1), src);
	memcpy(dst + strlen(dst), more, sizeof(more));
}

void str_cut(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size - 1);

	/* do not leave half a UTF-8 sequence behind */
	if (src[len] != '\0')
		while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
			len--;
	memmove(dst, src, len);
	dst[len] = '\0';
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_ieq(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_empty(const char *s)
{
	return !s || !*s;
}

const char *str_or(const char *s, const char *otherwise)
{
	return str_empty(s) ? otherwise : s;
}

int str_to_u64(uint64_t *ret, const char *s, uint64_t min, uint64_t max)
{
	unsigned long long v;
	char *end;

	if (!s || !isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return -1;
	*ret = v;
	return 0;
}

int str_to_i64(int64_t *ret, const char *s, int64_t min, int64_t max)
{
	long long v;
	char *end;

	if (!s || !(isdigit((unsigned char)*s) || (*s == '-' && isdigit((unsigned char)s[1]))))
		return -1;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return -1;
	*ret = v;
	return 0;
}

bool str_is_name(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0 || n > 64 || !isalnum((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("._-", s[i]))
			return false;
	return true;
}

enum { DISTANCE_MAX = 8, DISTANCE_LEN = 63 };

/* Edit distance of two short strings, capped at 8 (Levenshtein 1966). */
static unsigned distance_of(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned row[DISTANCE_LEN + 1];

	if (n > DISTANCE_LEN || m > DISTANCE_LEN)
		return DISTANCE_MAX;
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			unsigned change = diagonal + (a[i - 1] != b[j - 1]);
			unsigned best = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;

			diagonal = row[j];
			row[j] = change < best ? change : best;
		}
	}
	return row[m] < DISTANCE_MAX ? row[m] : DISTANCE_MAX;
}

const char *str_nearest(const char *s, const char *const *words, size_t n)
{
	const char *best = NULL;
	unsigned distance = 4;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance_of(s, words[i]);

		if (d < distance) {
			distance = d;
			best = words[i];
		}
	}
	return best;
}

struct str_hint str_hint(const char *s, const char *const *words, size_t n)
{
	const char *nearest = str_nearest(s, words, n);
	struct str_hint hint = {""};

	if (nearest)
		snprintf(hint.text, sizeof(hint.text), "; did you mean \"%.280s\"?", nearest);
	return hint;
}

size_t str_utf8_decode(const char *text, size_t len, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)text;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	*cp = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3fU);
	}
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return n;
}

bool str_utf8_valid(const char *s, size_t len)
{
	uint32_t cp;

	for (size_t i = 0; i < len;) {
		size_t n = str_utf8_decode(s + i, len - i, &cp);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

bool str_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
	       (cp >= 0xe0000 && cp <= 0xe007f);
}

void str_clean(char *s)
{
	char *in = s, *out = s;
	size_t left = strlen(s);

	while (left > 0) {
		uint32_t cp = 0;
		size_t n = str_utf8_decode(in, left, &cp);

		if (n == 0 || str_is_control(cp)) {
			*out++ = '?';
			n = n ? n : 1;
		} else {
			memmove(out, in, n);
			out += n;
		}
		in += n;
		left -= n;
	}
	*out = '\0';
}

bool str_is_clean(const char *s)
{
	uint32_t cp;

	for (size_t left = strlen(s), n; left > 0; s += n, left -= n) {
		n = str_utf8_decode(s, left, &cp);
		if (n == 0 || str_is_control(cp))
			return false;
	}
	return true;
}
