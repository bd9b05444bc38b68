/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_DRIVER_H
#define FELLOE_DB_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"

enum { DB_ABOUT = 64 };

/* For a copy of everything: statements. */
struct db_catalogue {
	/* Rows: table, column, its kind (int num blob text), its place in the primary key
	 * from 1 or 0, 1 when the database gives its numbers; tables in the order in which
	 * they were made. */
	const char *columns;
	/* The last number that was given for ?1 table, ?2 column. */
	const char *last_number;
	/* ?3 is the last one from now on. */
	const char *set_number;
};

/* What a driver of masterd/db.h has to do; conn and h are its own. */
struct db_driver {
	/* Other masters may work on the same database. */
	bool shared;
	/* A failed statement takes its transaction with it, up to the last savepoint. */
	bool fragile;
	int (*open)(void **ret, const char *url, bool readonly, struct err *e);
	void (*close)(void *conn);
	/* Is the connection good for another statement? Quick: asks nobody. */
	bool (*alive)(void *conn);
	/* Did its server not answer in time? Then the kind and text. NULL: it always does. */
	bool (*silent)(void *conn, struct err *e);
	/* From now on wait for answers no longer than who asked us will. May be NULL. */
	void (*hurry)(void *conn);
	/* The address without its password. The caller's. */
	char *(*shown)(const char *url);
	int (*exec)(void *conn, const char *text, struct err *e);
	int (*migrate)(void *conn, const char *const *texts, int n, struct err *e);
	/* What it is ("SQLite", "PostgreSQL 15.20"), and that we may do there what a master does. */
	int (*judge)(void *conn, char about[static DB_ABOUT], struct err *e);
	/* How many migrations it has had. */
	int (*version)(void *conn, int *ret, struct err *e);
	/* Days of a table (masterd/db.h); NULL when the database has none. */
	int (*day_add)(void *conn, const char *table, const char *column, int64_t at, struct err *e);
	int (*days_drop)(void *conn, const char *table, const char *column, int64_t before, struct err *e);
	const struct db_catalogue *(*catalogue)(void);
	/* After very many rows were added; NULL: nothing to do. */
	int (*settle)(void *conn, struct err *e);
	int (*prepare)(void *conn, void **ret, const char *text, struct err *e);
	void (*done)(void *h);
	void (*set_int)(void *h, int at, int64_t v);
	void (*set_num)(void *h, int at, double v);
	void (*set_str)(void *h, int at, const char *v);
	void (*set_blob)(void *h, int at, const void *p, size_t n);
	int (*step)(void *h, struct err *e);
	int64_t (*get_int)(void *h, int col);
	double (*get_num)(void *h, int col);
	const char *(*get_str)(void *h, int col);
	bool (*is_null)(void *h, int col);
	const void *(*get_blob)(void *h, int col, size_t *n);
	int (*begin)(void *conn, struct err *e);
	int (*rules)(void *conn, struct err *e);
	int (*commit)(void *conn, struct err *e);
	void (*rollback)(void *conn);
	/* db_tell and db_hear of masterd/db.h; NULL when nobody else works on the database. */
	void (*tell)(void *conn);
	int (*hear)(void *conn, int ms, struct err *e);
	bool (*in_transaction)(void *conn);
	/* A query for the time of the server in ms; NULL: there is none but ours. */
	const char *now;
	/* NULL: the database has means of its own. */
	int (*backup)(void *conn, const char *path, struct err *e);
};

#endif
