/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_TABLE_H
#define FELLOE_TUI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A virtual table: which rows are shown in which order, where the cursor is and
 * what is marked. It holds indexes and ids, never rows or text, so that 10,000
 * rows cost little. Cursor and marks are ids: they survive sort, filter and new
 * data, and the cursor keeps its line of the screen. */

struct table_ops {
	/* Same thing, same id, as long as it lives. Not 0. */
	uint64_t (*id)(const void *rows, size_t i);
	/* Order by a sort key; ties are broken by name there, so that it is total. */
	int (*compare)(const void *rows, size_t a, size_t b, int sort);
	/* One word of the filter, in lower case. */
	bool (*match)(const void *rows, size_t i, const char *word);
	/* Needs somebody's eye ("]" and "["); may be NULL. */
	bool (*problem)(const void *rows, size_t i);
};

enum { TABLE_FILTER = 128 };
struct table {
	const struct table_ops *ops;
	const void *rows;  /* lent by the last table_update */
	size_t total;      /* rows there are */
	size_t *order;     /* index of the row at each place; n of them pass the filter */
	size_t n, cap;
	size_t at;         /* place of the cursor, < n (0 when empty) */
	size_t top;        /* place in the first line */
	uint64_t cursor;   /* id under the cursor, 0 none */
	uint64_t *marks;   /* sorted ids */
	size_t n_marks, cap_marks;
	int sort;
	bool reverse;
	char filter[TABLE_FILTER]; /* words: all must match; "!word" must not */
	int height;        /* lines, set by table_fit */
};

void table_init(struct table *t, const struct table_ops *ops);
void table_done(struct table *t);
/* New data (rows stay lent until the next call). Returns true when the row
 * under the cursor is gone: the cursor is then on its neighbour. */
bool table_update(struct table *t, const void *rows, size_t n);
/* Lines there are for rows; keeps the cursor in view. */
void table_fit(struct table *t, int height);
void table_filter(struct table *t, const char *words);
/* Sort by this key; the same again reverses. */
void table_sort(struct table *t, int sort);
/* Arrows, j k, PgUp, PgDn, Home, End, g, G, [ ], Space, + - *. True when used. */
bool table_key(struct table *t, int key);
bool table_marked(const struct table *t, uint64_t id);
/* The row under the cursor in *i; false when the table is empty. */
bool table_current(const struct table *t, size_t *i);

#endif
