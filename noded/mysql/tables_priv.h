/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_TABLES_PRIV_H
#define FELLOE_MYSQL_TABLES_PRIV_H

#include <pthread.h>

#include "noded/mysql/gate.h"
#include "noded/mysql/rows.h"
#include "noded/mysql/tables.h"

/* Shared by the files of the data phase only: tables.c hands out the work,
 * table.c reads one table. */

/* A table, read whole by one reader or cell by cell by all who are free. */
struct work {
	const struct object *object;
	struct dump_table *table;
	struct columns columns;     /* once it is begun */
	int known;                  /* shift of its grid in an earlier run; -1 none */
	unsigned shift;
	uint64_t ends[2];           /* places of the least and the greatest key; only when sized */
	bool sized;
	pthread_mutex_t asking;     /* for the next cell; the lock may be taken under it, never the other way round */
	uint64_t next;              /* under asking: no key before this place is left */
	/* under the lock */
	unsigned holders;           /* readers who may still look at this */
	bool undecided;             /* begun; whether there will be cells is not known yet */
	bool open;                  /* cells are given out */
	uint64_t chunk;             /* the last cell given out */
	unsigned readers;           /* at it */
	struct rows_sum sum;
};
/* A table whose rows are wanted. */
struct item {
	const struct object *object;
	struct dump_table *table;
};
struct plan {
	const struct tables_job *job;
	struct gate gate;
	struct dump_sink sink;      /* guarded */
	struct rows_total total;
	struct { LIST_OF(struct item); } items;
	pthread_mutex_t lock;
	pthread_cond_t decided;     /* who has nothing to do waits for work that may open */
	/* under the lock */
	size_t next;                /* the first item that is not begun */
	struct { LIST_OF(struct work *); } work; /* begun and not done: a few */
	int64_t told;               /* clock of the last progress between two tables */
};
/* One connection and its thread. */
struct reader {
	struct plan *plan;
	struct conn *c;             /* in the snapshot */
	struct conn *at;            /* that is read over now: c, or one that holds a lock */
	struct buf member;
	pthread_t thread;
	bool started;
	bool holds;                 /* hot tables, all of them */
};

/* Read the table, or a part of it together with others: first says that nobody
 * has begun it. */
int table_read(struct reader *r, struct work *w, bool first, struct err *e) MUSTCHECK;
/* It is known now whether others can help. */
void table_decide(struct plan *p, struct work *w, bool open);

#endif
