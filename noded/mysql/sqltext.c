/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/sqltext.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

char *sql_escape(char *dst, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *run = p;

		while (p < end && !escapes[(unsigned char)*p])
			p++;
		memcpy(dst, run, (size_t)(p - run));
		dst += p - run;
		if (p == end)
			break;
		*dst++ = '\\';
		*dst++ = escapes[(unsigned char)*p++];
	}
	return dst;
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

char *sql_hex(char *dst, const void *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *s = p;

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[s[i] >> 4];
		dst[2 * i + 1] = digits[s[i] & 15];
	}
	return dst + 2 * n;
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
		/* A body that ends with half a delimiter would make a whole one too early. */
		if (!memmem(body, n, out, strlen(out)) && (!n || body[n - 1] != out[0]))
			return;
	}
}

/* End of the quoted token that starts at p: behind the closing quote, doubled
 * quotes and (in strings) backslashes respected. */
static const char *token_end(const char *p, const char *end)
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

static bool ends_with_word(const char *from, const char *p, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(p - from) >= n && !strncasecmp(p - n, word, n) &&
	       ((size_t)(p - from) == n || !(isalnum((unsigned char)p[-(ptrdiff_t)n - 1]) || p[-(ptrdiff_t)n - 1] == '_'));
}

/* Is the `db`. that ends before name, and started at `at` in text, a schema's? */
static bool is_schema(const char *text, const char *at, const char *name, const char *end)
{
	const char *after = token_end(name, end);

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
			next = token_end(p, end);
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
			next = token_end(p, end);
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
	static const char *const ends[] = {"FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "GROUP", "HAVING", "ORDER", "LIMIT"};

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
			next = token_end(p, end);
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
