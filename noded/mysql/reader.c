/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/reader.h"

#include <string.h>
#include <strings.h>

#include "shared/mem.h"

enum step { GO_ON, WANT_MORE, STATEMENT };

void reader_init(struct reader *r, size_t max)
{
	*r = (struct reader){.line_start = true, .delimiter = ";", .delimiter_len = 1};
	buf_init(&r->b, max);
}

void reader_done(struct reader *r)
{
	buf_done(&r->b);
}

int reader_feed(struct reader *r, const void *p, size_t n, struct err *e)
{
	if (r->start) {
		buf_drop(&r->b, r->start);
		r->at -= r->start;
		r->start = 0;
	}
	buf_add(&r->b, p, n);
	return buf_check(&r->b, "a statement of SQL", e);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* The byte i places ahead, or NUL behind the last. */
static char ahead(const struct reader *r, size_t i)
{
	return r->at + i < r->b.len ? r->b.p[r->at + i] : '\0';
}

/* Are n bytes here to be looked at? After the end what is missing reads as NUL. */
static bool have(const struct reader *r, size_t n, bool end)
{
	return end || r->b.len - r->at >= n;
}

static enum step in_quotes(struct reader *r, bool end)
{
	const char *p = r->b.p + r->at, *stop = r->b.p + r->b.len;
	char quote = r->state;
	bool backslash = quote != '`' && !r->no_backslash;

	while (p < stop && *p != quote && !(backslash && *p == '\\'))
		p++;
	r->at = (size_t)(p - r->b.p);
	if (p == stop)
		return WANT_MORE;
	if (*p == '\\') {
		if (!have(r, 2, end))
			return WANT_MORE;
		r->at += r->at + 1 < r->b.len ? 2 : 1;
		return GO_ON;
	}
	/* A doubled quote closes and opens again, which comes to the same. */
	r->state = 0;
	r->at++;
	return GO_ON;
}

static enum step in_line_comment(struct reader *r)
{
	const char *nl = memchr(r->b.p + r->at, '\n', r->b.len - r->at);

	if (!nl) {
		r->at = r->b.len;
		return WANT_MORE;
	}
	r->at = (size_t)(nl - r->b.p); /* the newline itself is plain text */
	r->state = 0;
	return GO_ON;
}

static enum step in_block_comment(struct reader *r)
{
	const char *star = memmem(r->b.p + r->at, r->b.len - r->at, "*/", 2);

	if (!star) {
		if (r->at + 1 < r->b.len)
			r->at = r->b.len - 1; /* the last byte may be the star */
		return WANT_MORE;
	}
	r->at = (size_t)(star - r->b.p) + 2;
	r->state = 0;
	return GO_ON;
}

static bool starts_comment(struct reader *r)
{
	if (ahead(r, 0) == '#' || (ahead(r, 0) == '-' && ahead(r, 1) == '-' && (unsigned char)ahead(r, 2) <= ' ')) {
		r->state = '-';
		return true;
	}
	if (ahead(r, 0) != '/' || ahead(r, 1) != '*')
		return false;
	if (ahead(r, 2) == '!' || (ahead(r, 2) == 'M' && ahead(r, 3) == '!')) {
		r->versioned = r->substance = true;
	} else {
		r->state = '*';
	}
	r->at += 2;
	return true;
}

/* "DELIMITER x" alone on its line, outside of a statement. */
static enum step delimiter_line(struct reader *r, bool end)
{
	const char *line = r->b.p + r->at + 10, *nl = memchr(r->b.p + r->at, '\n', r->b.len - r->at);
	const char *stop = nl ? nl : r->b.p + r->b.len;
	size_t n = 0;

	if (!nl && !end)
		return WANT_MORE;
	while (line < stop && is_blank(*line))
		line++;
	while (line + n < stop && !is_blank(line[n]))
		n++;
	if (n && n < sizeof(r->delimiter)) {
		memcpy(r->delimiter, line, n);
		r->delimiter[n] = '\0';
		r->delimiter_len = n;
	}
	r->at = r->start = (size_t)(stop - r->b.p);
	return GO_ON;
}

static enum step at_delimiter(struct reader *r)
{
	r->at += r->delimiter_len;
	if (r->substance)
		return STATEMENT;
	r->start = r->at;
	return GO_ON;
}

/* Bytes at which something may begin or end. */
static bool is_mark(const struct reader *r, char c)
{
	return c == '\'' || c == '"' || c == '`' || c == '-' || c == '#' || c == '/' || c == '*' || c == '\n' ||
	       c == r->delimiter[0];
}

static enum step plain(struct reader *r, bool end)
{
	char c = ahead(r, 0);

	if (is_blank(c)) {
		r->line_start = r->line_start || c == '\n';
		r->at++;
		return GO_ON;
	}
	if (!have(r, sizeof(r->delimiter), end) && (c == r->delimiter[0] || !(c == '\'' || c == '"' || c == '`')))
		return WANT_MORE; /* enough to see any mark, or the word DELIMITER, whole */
	if (r->line_start && !r->substance && r->b.len - r->at > 10 && !strncasecmp(r->b.p + r->at, "delimiter", 9) &&
	    (ahead(r, 9) == ' ' || ahead(r, 9) == '\t'))
		return delimiter_line(r, end);
	r->line_start = false;
	if (!r->versioned && r->b.len - r->at >= r->delimiter_len &&
	    !memcmp(r->b.p + r->at, r->delimiter, r->delimiter_len))
		return at_delimiter(r);
	if (starts_comment(r))
		return GO_ON;
	if (r->versioned && c == '*' && ahead(r, 1) == '/') {
		r->versioned = false;
		r->at += 2;
		return GO_ON;
	}
	r->substance = true;
	r->at++;
	if (c == '\'' || c == '"' || c == '`')
		r->state = c;
	else
		while (r->at < r->b.len && !is_mark(r, r->b.p[r->at]))
			r->at++;
	return GO_ON;
}

static enum step look(struct reader *r, bool end)
{
	switch (r->state) {
	case 0:
		return plain(r, end);
	case '-':
		return in_line_comment(r);
	case '*':
		return in_block_comment(r);
	default:
		return in_quotes(r, end);
	}
}

bool reader_next(struct reader *r, bool end, const char **sql, size_t *n)
{
	while (r->at < r->b.len) {
		enum step step = look(r, end);
		size_t from = r->start, to = r->at - r->delimiter_len;

		if (step == WANT_MORE)
			return false;
		if (step != STATEMENT)
			continue;
		r->start = r->at;
		r->substance = false;
		while (from < to && is_blank(r->b.p[from]))
			from++;
		while (to > from && is_blank(r->b.p[to - 1]))
			to--;
		*sql = r->b.p + from;
		*n = to - from;
		return true;
	}
	return false;
}

const char *reader_rest(const struct reader *r, size_t *n)
{
	size_t from = r->start;

	if (!r->substance && r->state != '*')
		return NULL;
	while (from < r->b.len && is_blank(r->b.p[from]))
		from++;
	*n = r->b.len - from;
	return r->b.p + from;
}
