/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/php.h"

#include <ctype.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { TEXT_MAX = 64 << 10 };

void php_init(struct php *t, const char *source, size_t len)
{
	*t = (struct php){.p = source, .end = source + len, .line = 1};
	buf_init(&t->text, TEXT_MAX);
}

void php_done(struct php *t)
{
	if (t->text.len)
		mem_wipe(t->text.p, t->text.len);
	buf_done(&t->text);
}

static bool at(const struct php *t, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(t->end - t->p) >= n && strncasecmp(t->p, word, n) == 0;
}

static void step(struct php *t, size_t n)
{
	for (; n && t->p < t->end; n--, t->p++)
		if (*t->p == '\n')
			t->line++;
}

static int peek(const struct php *t, size_t ahead)
{
	return ahead < (size_t)(t->end - t->p) ? (unsigned char)t->p[ahead] : -1;
}

static bool name_start(int c)
{
	return c == '_' || c == '\\' || c >= 0x80 || (c > 0 && isalpha(c));
}

static bool name_char(int c)
{
	return name_start(c) || (c > 0 && isdigit(c));
}

/* Text outside of <?php ... ?> is copied to the page and of no interest. */
static void skip_page(struct php *t)
{
	while (t->p < t->end) {
		if (at(t, "<?php") && (peek(t, 5) < 0 || isspace(peek(t, 5)))) {
			step(t, 5);
			t->code = t->any = true;
			return;
		}
		if (at(t, "<?=")) {
			step(t, 3);
			t->code = t->any = true;
			return;
		}
		step(t, 1);
	}
}

/* A comment of one line ends before "?>" too. */
static void skip_line(struct php *t)
{
	while (t->p < t->end && *t->p != '\n' && !at(t, "?>"))
		step(t, 1);
}

static int skip_block(struct php *t, struct err *e)
{
	unsigned from = t->line;

	for (step(t, 2); t->p < t->end; step(t, 1))
		if (at(t, "*/")) {
			step(t, 2);
			return 0;
		}
	return err_set(e, ERR_INVALID, "line %u: the comment that begins here has no end", from);
}

/* Up to the next token: page text, blanks, comments. */
static int skip_blank(struct php *t, struct err *e)
{
	while (t->p < t->end) {
		if (!t->code) {
			skip_page(t);
		} else if (at(t, "?>")) {
			step(t, 2);
			t->code = false;
		} else if (isspace((unsigned char)*t->p)) {
			step(t, 1);
		} else if (at(t, "//") || (*t->p == '#' && peek(t, 1) != '[')) {
			skip_line(t);
		} else if (at(t, "/*")) {
			if (skip_block(t, e))
				return -1;
		} else {
			return 0;
		}
	}
	return 0;
}

static int single_quoted(struct php *t, struct err *e)
{
	for (step(t, 1); t->p < t->end; step(t, 1)) {
		if (*t->p == '\'') {
			step(t, 1);
			return 0;
		}
		if (*t->p == '\\' && (peek(t, 1) == '\'' || peek(t, 1) == '\\'))
			step(t, 1);
		buf_addc(&t->text, *t->p);
	}
	return err_set(e, ERR_INVALID, "line %u: the text that begins here with ' has no end", t->token_line);
}

static void add_utf8(struct buf *b, unsigned long c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(b, (char)(0xf0 | (c >> 18 & 7)));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	}
}

static int digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* Up to max digits of a base after `skip` characters. How many there were. */
static int escape_digits(const struct php *t, size_t skip, int base, int max, unsigned long *ret)
{
	int n = 0;

	*ret = 0;
	for (; n < max && peek(t, skip + (size_t)n) >= 0 && digit(peek(t, skip + (size_t)n)) < base; n++)
		*ret = *ret * (unsigned)base + (unsigned)digit(peek(t, skip + (size_t)n));
	return n;
}

/* At a backslash of a double-quoted text: adds what it stands for. */
static void escape(struct php *t)
{
	static const char from[] = "nrtvef\\$\"", to[] = "\n\r\t\v\033\f\\$\"";
	int c = peek(t, 1);
	const char *simple = c > 0 ? strchr(from, c) : NULL;
	unsigned long code;
	int n;

	if (simple) {
		buf_addc(&t->text, to[simple - from]);
		step(t, 2);
	} else if (c == 'x' && (n = escape_digits(t, 2, 16, 2, &code)) > 0) {
		buf_addc(&t->text, (char)code);
		step(t, 2 + (size_t)n);
	} else if (c == 'u' && peek(t, 2) == '{' && (n = escape_digits(t, 3, 16, 6, &code)) > 0 &&
		   peek(t, 3 + (size_t)n) == '}') {
		add_utf8(&t->text, code);
		step(t, 4 + (size_t)n);
	} else if ((n = escape_digits(t, 1, 8, 3, &code)) > 0) {
		buf_addc(&t->text, (char)(code & 0xff));
		step(t, 1 + (size_t)n);
	} else {
		buf_addc(&t->text, '\\');
		step(t, 1);
	}
}

/* "$name", "{$" and "${" put a value in at run time. */
static bool variable_here(const struct php *t)
{
	int c = peek(t, 1);

	if (*t->p == '{')
		return c == '$';
	return *t->p == '$' && (c == '{' || (c != '\\' && name_start(c)));
}

static int double_quoted(struct php *t, char quote, struct err *e)
{
	step(t, 1);
	while (t->p < t->end) {
		if (*t->p == quote) {
			step(t, 1);
			return 0;
		}
		if (*t->p == '\\') {
			escape(t);
			continue;
		}
		if (variable_here(t))
			t->known = false;
		buf_addc(&t->text, *t->p);
		step(t, 1);
	}
	return err_set(e, ERR_INVALID, "line %u: the text that begins here with %c has no end", t->token_line, quote);
}

/* Is the closing label of a heredoc here (start of a line)? Its length with the
 * blanks in front of it, else 0. */
static size_t heredoc_end(const struct php *t, const char *label, size_t len)
{
	size_t indent = 0;

	while (peek(t, indent) == ' ' || peek(t, indent) == '\t')
		indent++;
	if ((size_t)(t->end - t->p) < indent + len || memcmp(t->p + indent, label, len) != 0)
		return 0;
	return name_char(peek(t, indent + len)) ? 0 : indent + len;
}

/* <<<LABEL, <<<"LABEL" and <<<'LABEL' (nothing is replaced in the last). The
 * indentation of the closing label stays: nobody keeps a password that way. */
static int heredoc(struct php *t, struct err *e)
{
	const char *label;
	char quote = 0;
	size_t len = 0;

	step(t, 3);
	while (peek(t, 0) == ' ' || peek(t, 0) == '\t')
		step(t, 1);
	if (peek(t, 0) == '\'' || peek(t, 0) == '"') {
		quote = *t->p;
		step(t, 1);
	}
	label = t->p;
	while (name_char(peek(t, len)))
		len++;
	step(t, len + (quote ? 1 : 0));
	while (t->p < t->end && *t->p != '\n')
		step(t, 1);
	step(t, 1);
	for (bool line_start = true; len && t->p < t->end;) {
		size_t n = line_start ? heredoc_end(t, label, len) : 0;

		if (n) {
			step(t, n);
			if (t->text.len && t->text.p[t->text.len - 1] == '\n')
				t->text.p[--t->text.len] = '\0';
			return 0;
		}
		line_start = *t->p == '\n';
		if (quote != '\'' && *t->p == '\\') {
			escape(t);
			continue;
		}
		if (quote != '\'' && variable_here(t))
			t->known = false;
		buf_addc(&t->text, *t->p);
		step(t, 1);
	}
	return err_set(e, ERR_INVALID, "line %u: the heredoc that begins here has no end", t->token_line);
}

static bool heredoc_here(const struct php *t)
{
	size_t i = 3;

	if (!at(t, "<<<"))
		return false;
	while (peek(t, i) == ' ' || peek(t, i) == '\t')
		i++;
	return peek(t, i) == '\'' || peek(t, i) == '"' || (peek(t, i) != '\\' && name_start(peek(t, i)));
}

static void mark(struct php *t)
{
	static const struct { const char *text; int code; } two[] = {
		{"?:", PHP_ELVIS}, {"??", PHP_COALESCE}, {"=>", PHP_ARROW},
	};

	t->type = PHP_MARK;
	for (size_t i = 0; i < ARRAY_LEN(two); i++)
		if (at(t, two[i].text)) {
			t->mark = two[i].code;
			step(t, 2);
			return;
		}
	t->mark = (unsigned char)*t->p;
	step(t, 1);
}

static int literal(struct php *t, struct err *e)
{
	int rc;

	t->type = PHP_TEXT;
	t->known = true;
	if (*t->p == '\'')
		rc = single_quoted(t, e);
	else if (*t->p == '<')
		rc = heredoc(t, e);
	else
		rc = double_quoted(t, *t->p, e);
	if (rc == 0 && t->text.over)
		return err_set(e, ERR_INVALID, "line %u: a text of more than 64 KiB", t->token_line);
	return rc;
}

static void word(struct php *t)
{
	while (t->p < t->end && (name_char(peek(t, 0)) || (t->type == PHP_NUMBER && *t->p == '.'))) {
		buf_addc(&t->text, *t->p);
		step(t, 1);
	}
}

int php_next(struct php *t, struct err *e)
{
	int c;

	if (skip_blank(t, e))
		return -1;
	if (t->text.len)
		mem_wipe(t->text.p, t->text.len);
	buf_reset(&t->text);
	t->mark = 0;
	t->known = false;
	t->token_line = t->line;
	t->type = PHP_END;
	c = peek(t, 0);
	if (c < 0)
		return 0;
	if (c == '\'' || c == '"' || heredoc_here(t))
		return literal(t, e);
	if (c == '`') {
		if (double_quoted(t, '`', e))
			return -1;
		t->type = PHP_TEXT; /* the output of a command: never known */
		t->known = false;
		return 0;
	}
	if (c == '$' && peek(t, 1) != '\\' && name_start(peek(t, 1))) {
		t->type = PHP_VARIABLE;
		step(t, 1);
		word(t);
	} else if (name_start(c)) {
		t->type = PHP_NAME;
		word(t);
	} else if (isdigit(c)) {
		t->type = PHP_NUMBER;
		word(t);
	} else {
		mark(t);
	}
	return 0;
}
