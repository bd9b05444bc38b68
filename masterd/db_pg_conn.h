/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_PG_CONN_H
#define FELLOE_DB_PG_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"
#include "shared/list.h"

/* A connection to PostgreSQL; for the files of masterd/db_pg alone. */

/* A statement that the server has prepared for this connection. */
struct pg_plan {
	char *text;               /* as the caller wrote it */
	char name[16];
	struct { LIST_OF(Oid); } types; /* one a parameter; 0: the server found it out */
};

struct pg {
	PGconn *h;
	char *url;                /* may hold a password */
	char *shown;
	bool readonly;
	bool ruling;              /* this transaction holds the lock of db_rules */
	bool telling;             /* others are to be woken by its commit */
	bool hearing;             /* LISTEN was said */
	bool stale;               /* silent, prepared for another schema, or no primary: connect anew */
	bool silent;              /* an answer did not come in time */
	bool hurried;             /* wait less for answers */
	bool patient;             /* wait for answers without end: migrations */
	int64_t retry_at;         /* monotonic ms: no try to connect before */
	int64_t retry_ms;
	unsigned names;
	struct { LIST_OF(struct pg_plan *); } plans;
};

/* open, close, alive, shown, silent and hurry of struct db_driver. */
int pg_open(void **ret, const char *url, bool readonly, struct err *e) MUSTCHECK;
void pg_close(void *conn);
bool pg_alive(void *conn);
char *pg_shown(const char *url);
bool pg_silent(void *conn, struct err *e);
void pg_hurry(void *conn);
/* At the begin of a transaction, when the connection is gone: ERR_BUSY. Each failed
 * try makes the time to the next one longer, up to 5 s; in between nobody waits. */
int pg_connect_again(struct pg *pg, struct err *e) MUSTCHECK;
/* The answer to what was sent just now, the first that is an error or else the last;
 * NULL when the connection is lost, or silent for too long (then it is stale). Yours. */
PGresult *pg_answer(struct pg *pg);
/* One text without values, its rows. Yours, NULL as pg_answer. */
PGresult *pg_ask(struct pg *pg, const char *text);
/* Statements without values; more than one in a text is fine. */
int pg_run(struct pg *pg, const char *text, struct err *e) MUSTCHECK;
/* What r or the connection says as an error, -1; what: the statement. Values are
 * left out, in case there are secrets among them. */
int pg_fail(struct pg *pg, const PGresult *r, const char *what, struct err *e);
void pg_resultp(PGresult **r);
/* Wait for a NOTIFY by pg_tell_now of another connection: hear of struct db_driver. */
int pg_hear(void *conn, int ms, struct err *e) MUSTCHECK;
int pg_tell_now(struct pg *pg, struct err *e) MUSTCHECK;
/* Forget plan i and give its memory back. */
void pg_plan_forget(struct pg *pg, size_t i);

#endif
