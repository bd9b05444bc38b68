/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db_pg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/db_pg_conn.h"
#include "masterd/db_pg_schema.h"
#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PLANS_MAX = 256,          /* statements that the server keeps prepared for a connection */
	VALUES_MAX = 32767,       /* parameters of a statement */
	TEXT_MAX = 1 << 20,
	/* types of parameters, from pg_type.dat: they never change */
	PG_BYTEA = 17, PG_INT8 = 20, PG_TEXT = 25, PG_FLOAT8 = 701,
};

/* An advisory lock: any number that nobody else uses in this database. */
#define LOCK_RULES "SELECT pg_advisory_xact_lock(7369746553465231)"

struct value {
	Oid type;                 /* 0: never set, NULL */
	char *p;                  /* NULL: NULL; text, or bytes of a PG_BYTEA */
	size_t n;
};

struct stmt {
	struct pg *pg;
	char *text;
	struct { LIST_OF(struct value); } values;
	PGresult *res;
	int row;
	struct { LIST_OF(void *); } bytes; /* lent until the next step */
};

static int pg_exec(void *conn, const char *text, struct err *e)
{
	return pg_run(conn, text, e);
}

/* ?N becomes $N, outside of quotes; *n: the highest of them. Yours. */
static char *dollars(const char *text, size_t *n)
{
	struct buf b;
	char quote = '\0';

	*n = 0;
	buf_init(&b, TEXT_MAX);
	for (; *text; text++) {
		bool parameter = !quote && *text == '?';

		if (quote && *text == quote)
			quote = '\0';
		else if (!quote && (*text == '\'' || *text == '"'))
			quote = *text;
		if (parameter && strtoul(text + 1, NULL, 10) > *n)
			*n = strtoul(text + 1, NULL, 10);
		buf_addc(&b, parameter ? '$' : *text);
	}
	return buf_take(&b);
}

/* A value that was never set fits any type, a type that the server found any value. */
static bool plan_fits(const struct pg_plan *p, const struct stmt *s)
{
	if (!str_eq(p->text, s->text))
		return false;
	for (size_t i = 0; i < s->values.n && i < p->types.n; i++)
		if (s->values.v[i].type && p->types.v[i] && p->types.v[i] != s->values.v[i].type)
			return false;
	return true;
}

static int plan_new(struct pg *pg, const struct stmt *s, struct pg_plan **ret, struct err *e)
{
	size_t n;
	CLEANUP(freep) char *text = dollars(s->text, &n);
	CLEANUP(pg_resultp) PGresult *r = NULL;
	struct pg_plan *p = xcalloc(1, sizeof(*p));

	for (size_t i = 0; i < n; i++)
		*list_push(&p->types) = i < s->values.n ? s->values.v[i].type : 0;
	snprintf(p->name, sizeof(p->name), "f%u", pg->names++);
	p->text = xstrdup(s->text);
	if (PQsendPrepare(pg->h, p->name, text, (int)p->types.n, p->types.v))
		r = pg_answer(pg);
	if (PQresultStatus(r) == PGRES_COMMAND_OK) {
		*list_push(&pg->plans) = p;
		*ret = p;
		return 0;
	}
	free(p->text);
	list_done(&p->types);
	free(p);
	return pg_fail(pg, r, s->text, e);
}

/* Forget the oldest, on the server too. */
static int plan_drop(struct pg *pg, struct err *e)
{
	char text[40];

	snprintf(text, sizeof(text), "DEALLOCATE %s", pg->plans.v[0]->name);
	pg_plan_forget(pg, 0);
	return pg_run(pg, text, e);
}

static int plan_for(struct pg *pg, const struct stmt *s, struct pg_plan **ret, struct err *e)
{
	for (size_t i = 0; i < pg->plans.n; i++)
		if (plan_fits(pg->plans.v[i], s)) {
			*ret = pg->plans.v[i];
			return 0;
		}
	if (pg->plans.n >= PLANS_MAX && plan_drop(pg, e))
		return -1;
	return plan_new(pg, s, ret, e);
}

static int pg_prepare(void *conn, void **ret, const char *text, struct err *e)
{
	struct stmt *s = xcalloc(1, sizeof(*s));

	/* the server reads it with the first values: only they tell the types */
	(void)e;
	s->pg = conn;
	s->text = xstrdup(text);
	*ret = s;
	return 0;
}

static void forget_bytes(struct stmt *s)
{
	for (size_t i = 0; i < s->bytes.n; i++)
		free(s->bytes.v[i]);
	s->bytes.n = 0;
}

static void pg_done(void *h)
{
	struct stmt *s = h;

	for (size_t i = 0; i < s->values.n; i++)
		free(s->values.v[i].p);
	list_done(&s->values);
	forget_bytes(s);
	list_done(&s->bytes);
	PQclear(s->res);
	free(s->text);
	free(s);
}

/* The bytes p become the value's own. */
static void set(struct stmt *s, int at, Oid type, char *p, size_t n)
{
	struct value *v;

	if (at < 1 || at > VALUES_MAX) {
		free(p);
		return;
	}
	while (s->values.n < (size_t)at)
		(void)list_push(&s->values);
	v = &s->values.v[at - 1];
	free(v->p);
	*v = (struct value){.type = type, .p = p, .n = n};
}

static void pg_set_int(void *h, int at, int64_t v)
{
	set(h, at, PG_INT8, xasprintf("%lld", (long long)v), 0);
}

static void pg_set_num(void *h, int at, double v)
{
	set(h, at, PG_FLOAT8, isnan(v) ? NULL : xasprintf("%.17g", v), 0);
}

static void pg_set_str(void *h, int at, const char *v)
{
	set(h, at, PG_TEXT, xstrdup(v), 0);
}

static void pg_set_blob(void *h, int at, const void *p, size_t n)
{
	/* xmemdup of nothing may be NULL, and that is another value */
	char *copy = p ? xcalloc(1, n + 1) : NULL;

	if (p && n)
		memcpy(copy, p, n);
	set(h, at, PG_BYTEA, copy, n);
}

/* What the text has a parameter for and nobody set is NULL. */
static PGresult *send(const struct stmt *s, const struct pg_plan *plan)
{
	size_t n = plan->types.n;
	CLEANUP(freep) const char **values = xcalloc(n + 1, sizeof(*values));
	CLEANUP(freep) int *lengths = xcalloc(n + 1, sizeof(*lengths));
	CLEANUP(freep) int *formats = xcalloc(n + 1, sizeof(*formats));

	for (size_t i = 0; i < n && i < s->values.n; i++) {
		values[i] = s->values.v[i].p;
		lengths[i] = (int)s->values.v[i].n;
		formats[i] = s->values.v[i].type == PG_BYTEA;
	}
	return PQsendQueryPrepared(s->pg->h, plan->name, (int)n, values, lengths, formats, 0) ? pg_answer(s->pg) : NULL;
}

static int execute(struct stmt *s, struct err *e)
{
	struct pg_plan *plan = NULL;
	CLEANUP(pg_resultp) PGresult *r = NULL;
	ExecStatusType status;

	if (plan_for(s->pg, s, &plan, e))
		return -1;
	r = send(s, plan);
	status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return pg_fail(s->pg, r, s->text, e);
	s->res = TAKE(r);
	s->row = -1;
	return 0;
}

static int pg_step(void *h, struct err *e)
{
	struct stmt *s = h;

	forget_bytes(s);
	if (!s->res && execute(s, e))
		return -1;
	if (++s->row < PQntuples(s->res))
		return 1;
	/* the next step would begin anew, as SQLite's does */
	PQclear(s->res);
	s->res = NULL;
	return 0;
}

/* NULL for NULL. */
static const char *cell(const struct stmt *s, int col)
{
	if (!s->res || s->row < 0 || col < 0 || col >= PQnfields(s->res) || PQgetisnull(s->res, s->row, col))
		return NULL;
	return PQgetvalue(s->res, s->row, col);
}

static double pg_get_num(void *h, int col)
{
	const char *v = cell(h, col);

	return v ? strtod(v, NULL) : (double)NAN;
}

static int64_t pg_get_int(void *h, int col)
{
	const char *v = cell(h, col);

	if (!v)
		return 0;
	if (*v == 't')
		return 1;
	return v[strcspn(v, ".eE")] ? (int64_t)strtod(v, NULL) : strtoll(v, NULL, 10);
}

static const char *pg_get_str(void *h, int col)
{
	return cell(h, col);
}

static bool pg_is_null(void *h, int col)
{
	return !cell(h, col);
}

/* bytea comes as \x and hex digits ("Binary Data Types", bytea hex format). */
static const void *pg_get_blob(void *h, int col, size_t *n)
{
	struct stmt *s = h;
	const char *v = cell(s, col);
	char *bytes;

	*n = 0;
	if (!v)
		return NULL;
	if (!str_starts(v, "\\x")) {
		*n = strlen(v);
		return v;
	}
	*n = strlen(v + 2) / 2;
	bytes = xcalloc(1, *n + 1);
	*list_push(&s->bytes) = bytes;
	if (hex_decode(bytes, *n, v + 2)) {
		*n = 0;
		return NULL;
	}
	/* as SQLite: no bytes are no address */
	return *n ? bytes : NULL;
}

static int pg_begin(void *conn, struct err *e)
{
	struct pg *pg = conn;

	pg->ruling = pg->telling = false;
	if (!pg_alive(pg) && pg_connect_again(pg, e))
		return -1;
	if (!pg_run(pg, "BEGIN", e))
		return 0;
	/* it died just now, and nothing has been done yet */
	return PQstatus(pg->h) != CONNECTION_OK && !pg_connect_again(pg, e) ? pg_run(pg, "BEGIN", e) : -1;
}

static void pg_rollback(void *conn)
{
	struct pg *pg = conn;
	struct err e;

	pg->ruling = pg->patient = false;
	if (!pg->stale && PQstatus(pg->h) == CONNECTION_OK && PQtransactionStatus(pg->h) != PQTRANS_IDLE && pg_run(pg, "ROLLBACK", &e)) {
		log_debug("%s", e.msg);
		pg->stale = true;
	}
}

/* READ COMMITTED: each statement after the lock sees all that its holders before have committed. */
static int pg_rules(void *conn, struct err *e)
{
	struct pg *pg = conn;

	if (pg->ruling)
		return 0;
	if (pg_run(pg, LOCK_RULES, e)) {
		pg_rollback(pg);
		return -1;
	}
	pg->ruling = true;
	return 0;
}

/* A transaction in which something failed answers COMMIT by ROLLBACK, without an error. */
static int pg_commit(void *conn, struct err *e)
{
	struct pg *pg = conn;
	CLEANUP(pg_resultp) PGresult *r = NULL;

	if (pg->telling && pg_tell_now(pg, e))
		return -1;
	r = pg_ask(pg, "COMMIT");
	pg->ruling = pg->telling = false;
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		return pg_fail(pg, r, "COMMIT", e);
	if (!str_eq(PQcmdStatus(r), "COMMIT"))
		return err_set(e, ERR_DB, "database %s: the transaction was undone", pg->shown);
	return 0;
}

static void pg_tell(void *conn)
{
	((struct pg *)conn)->telling = true;
}

static bool pg_in_transaction(void *conn)
{
	struct pg *pg = conn;
	PGTransactionStatusType t = PQtransactionStatus(pg->h);

	return t == PQTRANS_INTRANS || t == PQTRANS_INERROR;
}

static const struct db_driver driver = {
	.shared = true,
	.fragile = true,
	.open = pg_open,
	.close = pg_close,
	.alive = pg_alive,
	.shown = pg_shown,
	.silent = pg_silent,
	.hurry = pg_hurry,
	.exec = pg_exec,
	.migrate = pg_migrate,
	.judge = pg_judge,
	.catalogue = pg_catalogue,
	.settle = pg_settle,
	.version = pg_version,
	.day_add = pg_day_add,
	.days_drop = pg_days_drop,
	.prepare = pg_prepare,
	.done = pg_done,
	.set_int = pg_set_int,
	.set_num = pg_set_num,
	.set_str = pg_set_str,
	.set_blob = pg_set_blob,
	.step = pg_step,
	.get_int = pg_get_int,
	.get_num = pg_get_num,
	.get_str = pg_get_str,
	.is_null = pg_is_null,
	.get_blob = pg_get_blob,
	.begin = pg_begin,
	.rules = pg_rules,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.tell = pg_tell,
	.hear = pg_hear,
	.in_transaction = pg_in_transaction,
	/* not now(): that is when the transaction began, before it waited for others */
	.now = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp())*1000 AS BIGINT)",
};

const struct db_driver *db_pg(void)
{
	return &driver;
}
