/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/sqltext.h"

#include <ctype.h>
#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shared/str.h"

static const char escapes[256] = {
	[0] = '0', ['\n'] = 'n', ['\r'] = 'r', ['\\'] = '\\', ['\''] = '\'', [26] = 'Z',
};

void sql_ident(struct buf *b, const char *name)
{
	buf_addc(b, '`');
	for (const char *p = name; *p; p++) {
		if (*p == '`')
			buf_addc(b, '`');
		buf_addc(b, *p);
	}
	buf_addc(b, '`');
}

void sql_collate(struct buf *b, const char *name)
{
	buf_addf(b, str_eq(name, "binary") ? "COLLATE `%s`" : "COLLATE %s", name);
}

enum { CLOSE = 4 }; /* bytes to the next escape */

/* Sixteen bytes at a time, in whatever vector registers the machine has. */
typedef unsigned char sixteen __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));

/* All ones in each byte that may have to be escaped: these two, and control characters, of which not all have to. */
static two_words suspects(sixteen v)
{
	return (two_words)((v < ' ') | (v == '\'') | (v == '\\'));
}

static bool has_suspect(sixteen v)
{
	two_words any = suspects(v);

	return any[0] | any[1];
}

/* Fewer than 16 bytes, most of the values of a table: two loads that overlap see them all. */
static bool copy_short(char *dst, const char *p, size_t n)
{
	uint64_t a, b;
	uint32_t c, d;

	if (n >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
		memcpy(dst, &a, 8);
		memcpy(dst + n - 8, &b, 8);
		return !has_suspect((sixteen)(two_words){a, b});
	}
	if (n < 4)
		return false;
	memcpy(&c, p, 4);
	memcpy(&d, p + n - 4, 4);
	memcpy(dst, &c, 4);
	memcpy(dst + n - 4, &d, 4);
	a = c | (uint64_t)d << 32;
	return !has_suspect((sixteen)(two_words){a, a});
}

static char *escape_one(char *dst, char c)
{
	char letter = escapes[(unsigned char)c];

	if (letter)
		*dst++ = '\\';
	*dst++ = letter ? letter : c;
	return dst;
}

static char *escape_each(char *dst, const char *p, size_t n)
{
	for (const char *end = p + n; p < end; p++)
		dst = escape_one(dst, *p);
	return dst;
}

/* Behind a suspect the next sixteen bytes begin: text has one in every line or so.
 * Where they stand close, byte by byte is faster. */
char *sql_escape(char *dst, const char *p, size_t n)
{
	while (n >= 16) {
		sixteen v;
		two_words any;
		unsigned at, done;

		memcpy(&v, p, 16);
		memcpy(dst, &v, 16);
		any = suspects(v);
		if (!(any[0] | any[1])) {
			p += 16;
			dst += 16;
			n -= 16;
			continue;
		}
		at = (unsigned)(any[0] ? __builtin_ctzll(le64toh(any[0])) : 64 + __builtin_ctzll(le64toh(any[1]))) / 8;
		done = at < CLOSE ? 16 : at + 1;
		dst = at < CLOSE ? escape_each(dst, p, 16) : escape_one(dst + at, p[at]);
		p += done;
		n -= done;
	}
	return copy_short(dst, p, n) ? dst + n : escape_each(dst, p, n);
}

void sql_string(struct buf *b, const char *p, size_t n)
{
	char *at = buf_room(b, 2 * n + 2), *end;

	if (!at)
		return;
	at[0] = '\'';
	end = sql_escape(at + 1, p, n);
	*end++ = '\'';
	buf_grew(b, (size_t)(end - at));
}

/* Eight digits of four bytes at once: each nibble into a byte of its own, then
 * '0' added, and 7 more for those above 9. */
static uint64_t hex_four(uint32_t four)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t x = four;

	x = (x | x << 16) & 0x0000ffff0000ffff;
	x = (x | x << 8) & 0x00ff00ff00ff00ff;
	x = ((x >> 4) & 0x000f000f000f000f) | (x & 0x000f000f000f000f) << 8;
	return x + '0' * each + (((x + 6 * each) >> 4) & each) * 7;
}

/* 0..15 in each byte become its digit. */
static sixteen hex_digits(sixteen nibbles)
{
	return nibbles + '0' + ((sixteen)(nibbles > 9) & ('A' - '9' - 1));
}

char *sql_hex(char *dst, const void *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *s = p;

	for (; n >= 16; n -= 16, s += 16, dst += 32) {
		sixteen v, high, low, out;

		memcpy(&v, s, 16);
		high = hex_digits(v >> 4);
		low = hex_digits(v & 15);
		out = __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
		memcpy(dst, &out, 16);
		out = __builtin_shufflevector(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
		memcpy(dst + 16, &out, 16);
	}

	for (; n >= 4; n -= 4, s += 4, dst += 8) {
		uint32_t four;
		uint64_t eight;

		memcpy(&four, s, 4);
		eight = htole64(hex_four(le32toh(four)));
		memcpy(dst, &eight, 8);
	}
	for (; n; n--, s++) {
		*dst++ = digits[*s >> 4];
		*dst++ = digits[*s & 15];
	}
	return dst;
}

void member_name(struct buf *b, const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p < 128 && (isalnum(*p) || *p == '_' || *p == '-'))
			buf_addc(b, (char)*p);
		else
			buf_addf(b, "%%%02X", *p);
	}
}

void sql_delimiter(char out[static 24], const char *body, size_t n)
{
	static const char *const usual[] = {";;", "$$", "//"};

	for (unsigned i = 0;; i++) {
		if (i < 3)
			snprintf(out, 24, "%s", usual[i]);
		else
			snprintf(out, 24, "$$%u$$", i);
		if (!memmem(body, n, out, strlen(out)))
			return;
	}
}

const char *sql_token_end(const char *p, const char *end)
{
	char quote = *p++;

	for (; p < end; p++) {
		if (*p == '\\' && quote != '`' && p + 1 < end)
			p++;
		else if (*p == quote && p + 1 < end && p[1] == quote)
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return end;
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 128;
}

const char *sql_find_word(const char *text, size_t n, const char *word)
{
	const char *end = text + n, *p = text;
	size_t len = strlen(word);

	while (p < end) {
		const char *from = p;

		if (*p == '`' || *p == '\'' || *p == '"') {
			p = sql_token_end(p, end);
		} else if (is_word_byte(*p)) {
			while (p < end && is_word_byte(*p))
				p++;
			if ((size_t)(p - from) == len && !strncasecmp(from, word, len))
				return from;
		} else {
			p++;
		}
	}
	return NULL;
}

const char *sql_history_of(const char *select_list)
{
	size_t n = strlen(select_list), mark = sizeof(SQL_HISTORY) - 1;

	return n >= mark && !strcmp(select_list + n - mark, SQL_HISTORY) ? " FOR SYSTEM_TIME ALL" : "";
}

bool sql_period_columns(const char *text, size_t n, struct buf *from, struct buf *to)
{
	static const char head[] = "PERIOD FOR SYSTEM_TIME (";
	const char *end = text + n, *p = text, *middle, *last;

	while ((p = sql_find_word(p, (size_t)(end - p), "PERIOD"))) {
		if ((size_t)(end - p) > sizeof(head) && !memcmp(p, head, sizeof(head) - 1))
			break;
		p++;
	}
	if (!p || p[sizeof(head) - 1] != '`')
		return false;
	p += sizeof(head) - 1;
	middle = sql_token_end(p, end);
	if (end - middle < 4 || memcmp(middle, ", `", 3) != 0)
		return false;
	last = sql_token_end(middle + 2, end);
	buf_add(from, p, (size_t)(middle - p));
	buf_add(to, middle + 2, (size_t)(last - middle - 2));
	return true;
}

const char *sql_name_end(const char *p, const char *end)
{
	while (p < end && !isspace((unsigned char)*p))
		p = *p == '`' || *p == '\'' || *p == '"' ? sql_token_end(p, end) : p + 1;
	return p;
}

static bool ends_with_word(const char *from, const char *p, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(p - from) >= n && !strncasecmp(p - n, word, n) &&
	       ((size_t)(p - from) == n || !(isalnum((unsigned char)p[-(ptrdiff_t)n - 1]) || p[-(ptrdiff_t)n - 1] == '_'));
}

/* Is the `db`. that ends before name, and started at `at` in text, a schema's? */
static bool is_schema(const char *text, const char *at, const char *name, const char *end)
{
	const char *after = sql_token_end(name, end);

	if (after < end && (*after == '.' || *after == '('))
		return true;
	return ends_with_word(text, at, "nextval(") || ends_with_word(text, at, "lastval(") ||
	       ends_with_word(text, at, "setval(");
}

void sql_unqualify(struct buf *b, const char *text, size_t n, const char *db)
{
	struct buf own;
	const char *end = text + n, *p = text;

	buf_init(&own, 1024);
	sql_ident(&own, db);
	buf_addc(&own, '.');
	while (p < end) {
		const char *next = p + 1;

		if (*p == '`' && (size_t)(end - p) > own.len && !memcmp(p, own.p, own.len) && p[own.len] == '`' &&
		    (p == text || p[-1] != '.') && is_schema(text, p, p + own.len, end)) {
			p += own.len;
			continue;
		}
		if (*p == '`' || *p == '\'' || *p == '"')
			next = sql_token_end(p, end);
		buf_add(b, p, (size_t)(next - p));
		p = next;
	}
	buf_done(&own);
}

/* Does an identifier, plain or quoted, at p spell db and have a dot behind it?
 * Then the place behind the dot, else NULL. */
static const char *past_qualifier(const char *p, const char *end, const char *db)
{
	struct buf quoted;
	const char *ret = NULL;
	size_t n = strlen(db);

	buf_init(&quoted, 1024);
	sql_ident(&quoted, db);
	if (*p == '"') /* ANSI_QUOTES; the same doubling */
		quoted.p[0] = quoted.p[quoted.len - 1] = '"';
	if ((*p == '`' || *p == '"') && (size_t)(end - p) >= quoted.len && !memcmp(p, quoted.p, quoted.len))
		ret = p + quoted.len;
	else if ((size_t)(end - p) > n && !memcmp(p, db, n))
		ret = p + n;
	while (ret && ret < end && isspace((unsigned char)*ret))
		ret++;
	if (ret && (ret == end || *ret != '.'))
		ret = NULL;
	buf_done(&quoted);
	return ret ? ret + 1 : NULL;
}

void sql_unqualify_trigger(struct buf *b, const char *text, size_t n, const char *db)
{
	const char *end = text + n, *p = text;
	bool word_before = false; /* inside a plain identifier */

	while (p < end) {
		const char *next = p + 1, *bare = NULL;
		bool word = isalnum((unsigned char)*p) || *p == '_' || *p == '$' || (unsigned char)*p >= 128;

		if (!word_before && (size_t)(end - p) > 4 && !strncasecmp(p, "FOR", 3) && isspace((unsigned char)p[3]))
			break; /* FOR EACH ROW: the head ends */
		if (!word_before && (word || *p == '`' || *p == '"'))
			bare = past_qualifier(p, end, db);
		if (bare) {
			p = bare;
			word_before = false;
			continue;
		}
		if (*p == '`' || *p == '\'' || *p == '"')
			next = sql_token_end(p, end);
		buf_add(b, p, (size_t)(next - p));
		word_before = word;
		p = next;
	}
	buf_add(b, p, (size_t)(end - p));
}

/* Where a reading of CREATE VIEW stands. */
struct view_scan {
	enum { VIEW_HEAD, VIEW_NAME, VIEW_BODY, VIEW_ITEMS, VIEW_END } at;
	unsigned depth;       /* of parentheses */
	bool after_as;
	const char *alias;    /* of the item so far */
	size_t alias_len;
	bool any;
};

static void view_column(struct view_scan *v, struct buf *b, const char *quoted, size_t n)
{
	buf_adds(b, v->any ? ",\n 1 AS " : " 1 AS ");
	buf_add(b, quoted, n);
	v->any = true;
}

static void view_item_ends(struct view_scan *v, struct buf *b)
{
	if (v->alias)
		view_column(v, b, v->alias, v->alias_len);
	v->alias = NULL;
}

static bool is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && !strncasecmp(p, word, n);
}

static void view_word(struct view_scan *v, struct buf *b, const char *p, size_t n)
{
	static const char *const ends[] = {"FROM",  "WHERE",  "UNION", "EXCEPT", "INTERSECT",
					   "GROUP", "HAVING", "ORDER", "LIMIT"};

	v->after_as = false;
	if (v->at == VIEW_HEAD && is_word(p, n, "VIEW"))
		v->at = VIEW_NAME;
	else if (v->at == VIEW_NAME && is_word(p, n, "AS"))
		v->at = v->any ? VIEW_END : VIEW_BODY;
	else if (v->at == VIEW_BODY && !v->depth && is_word(p, n, "SELECT"))
		v->at = VIEW_ITEMS;
	else if (v->at == VIEW_ITEMS && !v->depth)
		v->after_as = is_word(p, n, "AS");
	for (size_t i = 0; v->at == VIEW_ITEMS && !v->depth && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (is_word(p, n, ends[i])) {
			view_item_ends(v, b);
			v->at = VIEW_END;
		}
}

static void view_quoted(struct view_scan *v, struct buf *b, const char *p, size_t n)
{
	if (*p == '`' && v->at == VIEW_NAME && v->depth == 1) /* VIEW `v` (`a`,`b`) AS ... */
		view_column(v, b, p, n);
	if (*p == '`' && v->at == VIEW_ITEMS && v->after_as) {
		v->alias = p;
		v->alias_len = n;
	}
	v->after_as = false;
}

void sql_view_columns(struct buf *b, const char *text, size_t n)
{
	struct view_scan v = {0};
	const char *end = text + n, *p = text;

	while (p < end && v.at != VIEW_END) {
		const char *next = p + 1;

		if (*p == '`' || *p == '\'' || *p == '"') {
			next = sql_token_end(p, end);
			view_quoted(&v, b, p, (size_t)(next - p));
		} else if (isalnum((unsigned char)*p) || *p == '_') {
			while (next < end && (isalnum((unsigned char)*next) || *next == '_'))
				next++;
			view_word(&v, b, p, (size_t)(next - p));
		} else if (*p == '(') {
			v.depth++;
		} else if (*p == ')') {
			v.depth -= v.depth > 0;
		} else if (*p == ',' && !v.depth && v.at == VIEW_ITEMS) {
			view_item_ends(&v, b);
		}
		p = next;
	}
	if (v.at == VIEW_ITEMS)
		view_item_ends(&v, b);
}
