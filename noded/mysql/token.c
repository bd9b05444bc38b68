/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/token.h"

#include <string.h>
#include <strings.h>

#include "shared/mem.h"

struct cursor {
	const char *at, *end;
	bool no_backslash, ansi_quotes;
	bool versioned;     /* inside of a comment that is run */
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes of identifiers without quotes: letters, digits, _ $ and all above 127. */
static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
	       (unsigned char)c >= 128;
}

static char ahead(const struct cursor *c, size_t i)
{
	return (size_t)(c->end - c->at) > i ? c->at[i] : '\0';
}

static const char *quoted_end(const struct cursor *c, const char *p)
{
	char quote = *p++;
	bool backslash = quote != '`' && !c->no_backslash && !(quote == '"' && c->ansi_quotes);

	for (; p < c->end; p++) {
		if (*p == '\\' && backslash)
			p++;
		else if (*p == quote && p + 1 < c->end && p[1] == quote)
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return c->end;
}

static const char *to_newline(const struct cursor *c)
{
	const char *nl = memchr(c->at, '\n', (size_t)(c->end - c->at));

	return nl ? nl : c->end;
}

/* End of the blank that begins here, or NULL. */
static const char *blank_end(struct cursor *c)
{
	const char *p = c->at;

	if (is_space(*p)) {
		while (p < c->end && is_space(*p))
			p++;
		return p;
	}
	if (*p == '#' || (*p == '-' && ahead(c, 1) == '-' && (unsigned char)ahead(c, 2) <= ' '))
		return to_newline(c);
	if (c->versioned && *p == '*' && ahead(c, 1) == '/') {
		c->versioned = false;
		return p + 2;
	}
	if (*p != '/' || ahead(c, 1) != '*')
		return NULL;
	if (ahead(c, 2) == '!' || (ahead(c, 2) == 'M' && ahead(c, 3) == '!')) {
		c->versioned = true;
		for (p += ahead(c, 2) == '!' ? 3 : 4; p < c->end && *p >= '0' && *p <= '9'; p++)
			;
		return p;
	}
	p = c->end - p > 2 ? memmem(p + 2, (size_t)(c->end - p - 2), "*/", 2) : NULL;
	return p ? p + 2 : c->end;
}

static const char *variable_end(const struct cursor *c)
{
	const char *p = c->at + 1;

	if (p < c->end && *p == '@')
		p++;
	if (p < c->end && (*p == '`' || *p == '\'' || *p == '"'))
		return quoted_end(c, p);
	while (p < c->end && (is_word(*p) || *p == '.'))
		p++;
	return p;
}

static struct token next(struct cursor *c)
{
	const char *from = c->at, *end = blank_end(c);
	struct token t = {TOKEN_BLANK, from, 0};

	if (end) {
		;
	} else if (*from == '`' || (*from == '"' && c->ansi_quotes)) {
		t.kind = TOKEN_NAME;
		end = quoted_end(c, from);
	} else if (*from == '\'' || *from == '"') {
		t.kind = TOKEN_STRING;
		end = quoted_end(c, from);
	} else if (is_word(*from)) {
		t.kind = TOKEN_WORD;
		for (end = from; end < c->end && is_word(*end); end++)
			;
	} else if (*from == '@') {
		t.kind = TOKEN_VARIABLE;
		end = variable_end(c);
	} else {
		t.kind = TOKEN_MARK;
		end = from + 1;
	}
	c->at = end > c->end ? c->end : end;
	t.n = (size_t)(c->at - from);
	return t;
}

void tokens_read(struct tokens *ret, const struct sql_text *text, bool blanks)
{
	struct cursor c = {text->p, text->p + text->n, text->no_backslash, text->ansi_quotes, false};

	*ret = (struct tokens){0};
	while (c.at < c.end) {
		struct token t = next(&c);

		if (blanks || t.kind != TOKEN_BLANK)
			*list_push(ret) = t;
	}
}

void tokens_done(struct tokens *t)
{
	list_done(t);
}

bool token_is(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strlen(word) == t->n && !strncasecmp(t->p, word, t->n);
}

bool token_is_mark(const struct token *t, char mark)
{
	return t->kind == TOKEN_MARK && *t->p == mark;
}

bool token_is_name(const struct token *t)
{
	bool digits = true;

	for (size_t i = 0; i < t->n && digits; i++)
		digits = t->p[i] >= '0' && t->p[i] <= '9';
	return t->kind == TOKEN_NAME || (t->kind == TOKEN_WORD && !digits);
}

char *token_text(const struct token *t)
{
	bool quoted = t->kind == TOKEN_NAME || t->kind == TOKEN_STRING;
	char *text = xmalloc(t->n + 1);
	size_t n = 0, stop = t->n;

	if (quoted && t->n > 1 && t->p[t->n - 1] == *t->p)
		stop--;
	for (size_t i = quoted; i < stop; i++) {
		text[n++] = t->p[i];
		if (quoted && t->p[i] == *t->p && i + 1 < stop && t->p[i + 1] == *t->p)
			i++;
	}
	text[n] = '\0';
	return text;
}

bool token_names(const struct token *t, const char *name, bool ignore_case)
{
	CLEANUP(freep) char *text = NULL;

	if (!token_is_name(t) || t->n < strlen(name))
		return false;
	text = token_text(t);
	return ignore_case ? !strcasecmp(text, name) : !strcmp(text, name);
}
