/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_COLUMNS_H
#define FELLOE_MYSQL_COLUMNS_H

#include <stdbool.h>

#include "noded/mysql/conn.h"
#include "shared/err.h"
#include "shared/list.h"

/* The columns of a table: how they are selected and written, and its primary key. */

/* How a column's value is written. */
enum column_form { FORM_TEXT, FORM_PLAIN /* quoted, nothing to escape */, FORM_NUMBER, FORM_REAL, FORM_HEX };

struct column {
	char *name;        /* `a` */
	bool key;          /* belongs to the primary key, or to a unique one without NULLs that stands in for it */
	bool integer, is_unsigned;
	bool inexact;      /* FLOAT, DOUBLE: its text finds no row */
	bool large;        /* MEDIUM and LONG types: may hold more than fits into memory */
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

#endif
