/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SQLTEXT_H
#define FELLOE_MYSQL_SQLTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/buf.h"

/* Text of SQL and of member names, built without asking a server. */

/* A select list that ends in this one reads all versions of the rows: FROM the table FOR SYSTEM_TIME ALL. */
#define SQL_HISTORY " /* FOR SYSTEM_TIME ALL */"
/* " FOR SYSTEM_TIME ALL" for such a list, else "". */
const char *sql_history_of(const char *select_list);
/* The two columns of PERIOD FOR SYSTEM_TIME (`a`, `b`) in the text of SHOW CREATE
 * TABLE, quoted as they are there; false when it names none. */
bool sql_period_columns(const char *text, size_t n, struct buf *from, struct buf *to);

/* `name`, inner backticks doubled. */
void sql_ident(struct buf *b, const char *name);
/* Append "COLLATE name": `binary` in backticks, for it is a word of the language to MySQL. */
void sql_collate(struct buf *b, const char *name);
/* 'text', escaped for sql_mode without NO_BACKSLASH_ESCAPES; utf8mb4. */
void sql_string(struct buf *b, const char *p, size_t n);
/* Escape p[0..n) to dst, which has room for 2n; returns the end. Escaped are
 * NUL, newline, carriage return, backslash, single quote and Ctrl-Z. */
char *sql_escape(char *dst, const char *p, size_t n);
/* memcpy for values that are mostly short, where a call costs more than the copy. Returns the end. */
static inline char *sql_copy(char *dst, const void *p, size_t n)
{
	const char *s = p;
	uint64_t a, b;
	uint32_t c, d;

	if (n > 16) {
		memcpy(dst, s, n);
	} else if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + n - 8, 8);
		memcpy(dst, &a, 8);
		memcpy(dst + n - 8, &b, 8);
	} else if (n >= 4) {
		memcpy(&c, s, 4);
		memcpy(&d, s + n - 4, 4);
		memcpy(dst, &c, 4);
		memcpy(dst + n - 4, &d, 4);
	} else {
		for (size_t i = 0; i < n; i++)
			dst[i] = s[i];
	}
	return dst + n;
}

/* 2n upper-case digits; returns the end. */
char *sql_hex(char *dst, const void *p, size_t n);

/* name as a part of a member's name: bytes outside A-Z a-z 0-9 _ - become %XX. */
void member_name(struct buf *b, const char *name);

/* A DELIMITER that does not occur in body: ";;" when that will do. It has to stand
 * on a line of its own: the body may end in a comment, or in half a delimiter. */
void sql_delimiter(char out[static 24], const char *body, size_t n);

/* End of the quoted token that starts at p: behind the closing quote, doubled
 * quotes and (in strings) backslashes respected. */
const char *sql_token_end(const char *p, const char *end);
/* Where word stands in text as a word of its own, not inside 'strings', "names" or `names`; or NULL. */
const char *sql_find_word(const char *text, size_t n, const char *word);
/* Behind the name of one part or several, quoted or not, that starts at p: the next blank outside of quotes, or end. */
const char *sql_name_end(const char *p, const char *end);

/* Append text, which is canonical (SHOW CREATE TABLE or VIEW: identifiers in
 * backticks), without the qualifier `db`. before sequences, functions and
 * three-part columns: the server writes it there even when db is the default,
 * and a copy restored elsewhere would still use the original. A two-part
 * `db`.`x` elsewhere stays: there the first part is a table or an alias. */
void sql_unqualify(struct buf *b, const char *text, size_t n, const char *db);
/* Append "1 AS `a`,\n 1 AS `b`" for the columns of the view that text (of SHOW
 * CREATE VIEW) makes; nothing when it cannot be told. */
void sql_view_columns(struct buf *b, const char *text, size_t n);
/* Append a trigger's statement as its author wrote it, without the qualifier db
 * before the trigger's and the table's name. The body is left alone. */
void sql_unqualify_trigger(struct buf *b, const char *text, size_t n, const char *db);

#endif
