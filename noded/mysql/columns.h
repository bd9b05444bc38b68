/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_COLUMNS_H
#define FELLOE_MYSQL_COLUMNS_H

#include <stdbool.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/sqltext.h"
#include "shared/err.h"
#include "shared/list.h"

/* The columns of a table: how they are selected and written, and its primary key. */

/* How a column's value is written. */
enum column_form { FORM_TEXT, FORM_PLAIN /* quoted, nothing to escape */, FORM_NUMBER, FORM_REAL, FORM_HEX };

struct column {
	char *name;        /* `a` */
	char *expr;        /* as it stands in the select list */
	bool key;          /* belongs to the primary key, or to a unique one without NULLs that stands in for it */
	bool integer, is_unsigned;
	bool inexact;      /* FLOAT, DOUBLE: its text finds no row */
	bool large;        /* MEDIUM and LONG types: may hold more than should be in memory at once */
};

/* The columns that an INSERT may name: all but generated ones and those of ROW
 * START and END; invisible ones too, being named. */
struct columns {
	char *names;       /* `a`,`b`; "" when the table has none that can be given */
	char *select_list; /* `a`,`f`+0e0: a FLOAT is selected as DOUBLE, for its own text has six digits only;
	                    * text that utf8mb4 cannot hold exactly as CAST(`t` AS BINARY); an ENUM
	                    * with the name '' as its number */
	unsigned n;
	struct { LIST_OF(unsigned char); } form; /* enum column_form; one a selected column */
	struct { LIST_OF(struct column); } all;  /* likewise */
	bool history;      /* columns_add_history */

	/* Known after columns_key. */
	unsigned keys;     /* columns of the key, selected or not */
	bool primary;      /* it is called PRIMARY */
	char *order;       /* `a`,`b` DESC: the order of its index; "" when no order comes for nothing */
	struct { LIST_OF(int); } key; /* its columns among those selected, in its order; -1: not selected */
};
/* ERR_CONFLICT when the table is not there. */
int columns_read(struct columns *ret, struct conn *c, const char *table, struct err *e) MUSTCHECK;
/* Of a system-versioned table: its past rows too, with the columns of ROW START
 * and END, and SQL_HISTORY at the end of the select list. Where those hold numbers of
 * transactions nothing can bring them back: ret stays as it is. */
int columns_add_history(struct columns *ret, struct conn *c, const char *table, struct err *e) MUSTCHECK;
/* Look at the primary key. A key of one integer needs no question, unless primary has to be known. */
int columns_key(struct columns *k, struct conn *c, const char *table, bool primary, struct err *e) MUSTCHECK;
void columns_done(struct columns *k);
/* The first column of the key, when that is an integer which is selected; else NULL. *at is its place. */
const struct column *columns_grid(const struct columns *k, unsigned *at);

/* ---- values too large to be read whole (noded/mysql/large.h) */

enum { VALUE_MAX = 4 << 20 }; /* bytes; doubled, as SQL, it fits the smallest usual max_allowed_packet, 16 MiB */

/* Can a row's large values be left out and read in slices afterwards? It takes a
 * column that may hold some, and a key that finds the row again. After columns_key. */
bool columns_sliced(const struct columns *k);
/* The select list for that: large columns are NULL where longer than VALUE_MAX. One
 * column more than k->n follows: "1" for a row to which that happened. */
void columns_bounded_list(const struct columns *k, struct buf *b);
/* "`a`=1 AND `b`='x'" for such a row. */
void columns_where(const struct columns *k, MYSQL_ROW row, const unsigned long *len, struct buf *b);

/* ---- as SQL */

enum {
	DECIMAL_DIGITS = 60,       /* fewer than the 65 that a decimal literal may have */
};
/* Write a value; at has room for 2n + 5. Returns the end. */
static inline char *column_value(char *at, enum column_form form, const char *v, size_t n)
{
	switch (form) {
	case FORM_NUMBER:
		return sql_copy(at, v, n);
	case FORM_REAL:
		at = sql_copy(at, v, n);
		/* As an integer literal -0 would lose its sign, as a decimal one DOUBLE(200,9) its first digits. */
		if ((n == 2 && v[0] == '-' && v[1] == '0') || (n > DECIMAL_DIGITS && !memchr(v, 'e', n))) {
			memcpy(at, "e0", 2);
			at += 2;
		}
		return at;
	case FORM_HEX:
		if (!n)
			break;
		memcpy(at, "0x", 2);
		return sql_hex(at + 2, v, n);
	case FORM_PLAIN:
		*at++ = '\'';
		at = sql_copy(at, v, n);
		*at = '\'';
		return at + 1;
	case FORM_TEXT:
	default:
		break;
	}
	*at++ = '\'';
	at = sql_escape(at, v, n);
	*at++ = '\'';
	return at;
}

#endif
