/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_READER_H
#define FELLOE_MYSQL_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"
#include "shared/err.h"

/* Splits SQL that comes in pieces into statements, as the mariadb client does:
 * 'strings', "strings", `names`, -- and # and block comments, versioned
 * comments and DELIMITER lines are respected. A statement of nothing but comments
 * is passed over. */

struct reader {
	struct buf b;
	size_t start;          /* the open statement begins here in b */
	size_t at;             /* looked at up to here */
	char state;            /* 0 plain; ' " ` inside quotes; - line comment; * block comment */
	bool versioned;        /* inside a comment that some servers run */
	bool substance;        /* the open statement is more than blanks and comments */
	bool line_start;       /* nothing but blanks since the last newline */
	bool no_backslash;     /* sql_mode has NO_BACKSLASH_ESCAPES: the caller keeps it true to the session */
	char delimiter[32];
	size_t delimiter_len;
};

/* max: the longest statement, in bytes. */
void reader_init(struct reader *r, size_t max);
void reader_done(struct reader *r);
/* More bytes. ERR_LIMIT past max. */
int reader_feed(struct reader *r, const void *p, size_t n, struct err *e) MUSTCHECK;
/* The next whole statement, without its delimiter, or false: feed more, or end.
 * It lies in the reader until reader_next or reader_feed is called again. end
 * says that no more bytes come: a last line without newline is then whole. */
bool reader_next(struct reader *r, bool end, const char **sql, size_t *n);
/* The start of a statement that is still open after the end, else NULL; *n is its length. */
const char *reader_rest(const struct reader *r, size_t *n);

#endif
