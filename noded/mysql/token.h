/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_TOKEN_H
#define FELLOE_MYSQL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/list.h"

/* One statement of SQL as words. Each byte belongs to one token, so that their
 * texts in a row are the statement; what cannot be (a quote without its end)
 * goes on to the end of the text. */

enum token_kind {
	TOKEN_BLANK,    /* space, a comment, the marks round a comment that some servers run */
	TOKEN_WORD,     /* a plain name, a key word or a number */
	TOKEN_NAME,     /* `name`; with ansi_quotes "name" too */
	TOKEN_STRING,   /* 'text'; without ansi_quotes "text" too */
	TOKEN_VARIABLE, /* @a.b, @@session.x, @`a`, also the host of user@host */
	TOKEN_MARK,     /* one other byte */
};
struct token {
	enum token_kind kind;
	const char *p;
	size_t n;
};
struct sql_text {
	const char *p;
	size_t n;
	bool no_backslash, ansi_quotes; /* of the sql_mode in which it is read */
};
struct tokens {
	LIST_OF(struct token);
};
/* The tokens but the blank ones; with blanks all. They point into the text. list_done it. */
void tokens_read(struct tokens *ret, const struct sql_text *text, bool blanks);
void tokens_done(struct tokens *t);
/* Is it this key word, in any case? Never a quoted name. */
bool token_is(const struct token *t, const char *word);
bool token_is_mark(const struct token *t, char mark);
/* A plain word that is not a number, or a quoted name. */
bool token_is_name(const struct token *t);
/* Is it an identifier that spells name? */
bool token_names(const struct token *t, const char *name, bool ignore_case);
/* What a name, a string or a word means: without its quotes. xmalloc'd. Escapes of a string stay as they are. */
char *token_text(const struct token *t);

#endif
