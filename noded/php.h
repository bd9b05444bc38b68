/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_PHP_H
#define FELLOE_NODED_PHP_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/err.h"

/* A tokenizer for PHP source, as far as a file of settings needs it
 * (php.net/manual/en/langref: strings, comments, tags). */

enum php_token {
	PHP_END,
	PHP_TEXT,     /* a string literal: value in text, unless it has variables in it (known false) */
	PHP_NAME,     /* identifier or keyword, with namespace separators */
	PHP_VARIABLE, /* text without the "$" */
	PHP_NUMBER,   /* as written */
	PHP_MARK,     /* operator or punctuation: mark, the character, or a code below */
};

enum { PHP_ELVIS = 256, PHP_COALESCE, PHP_ARROW };

struct php {
	const char *p, *end;
	unsigned line;
	bool code;            /* inside <?php */
	bool any;             /* there was some code */
	/* the token at hand */
	enum php_token type;
	int mark;             /* of PHP_MARK */
	bool known;           /* of PHP_TEXT */
	unsigned token_line;
	struct buf text;
};

/* source is lent. */
void php_init(struct php *t, const char *source, size_t len);
void php_done(struct php *t); /* wipes the last text */
/* Go to the next token. ERR_INVALID ("line 12: ...") when a comment or a text
 * does not end, or a literal is longer than 64 KiB. */
int php_next(struct php *t, struct err *e) MUSTCHECK;

#endif
