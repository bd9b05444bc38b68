/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db_pg.h"

#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/list.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PLANS_MAX = 256,          /* statements that the server keeps prepared for a connection */
	VALUES_MAX = 32767,       /* parameters of a statement */
	TEXT_MAX = 1 << 20,
	RETRY_FIRST_MS = 250, RETRY_MOST_MS = 5000,
	DAY_MS = 24 * 3600 * 1000,
	OLDEST = 150000,          /* server_version: the oldest that is tested */
	/* types of parameters, from pg_type.dat: they never change */
	PG_BYTEA = 17, PG_INT8 = 20, PG_TEXT = 25, PG_FLOAT8 = 701,
};

/* Advisory locks of ours: any two numbers that nobody else uses in this database. */
#define LOCK_RULES "SELECT pg_advisory_xact_lock(7369746553465231)"
#define LOCK_MIGRATE "SELECT pg_advisory_xact_lock(7369746553465232)"

/* A statement that this connection has prepared. */
struct plan {
	char *text;               /* as the caller wrote it */
	char name[16];
	struct { LIST_OF(Oid); } types; /* 0: the server found it out */
};

struct pg {
	PGconn *h;
	char *url;                /* may hold a password */
	char *shown;
	bool readonly;
	bool ruling;              /* this transaction holds the lock of db_rules */
	bool stale;               /* what is prepared does not fit the schema any more: connect anew */
	int64_t retry_at;         /* monotonic ms: no try to connect before */
	int64_t retry_ms;
	unsigned names;
	struct { LIST_OF(struct plan *); } plans;
};

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

/* ---- errors ---- */

static void resultp(PGresult **r)
{
	PQclear(*r);
}

static enum err_kind kind_of(const char *state)
{
	static const struct {
		const char *prefix;
		enum err_kind kind;
	} kinds[] = {
		{"23", ERR_CONFLICT},     /* a constraint */
		{"53100", ERR_SPACE},     /* disk full */
		{"53", ERR_BUSY},         /* out of memory, too many connections */
		{"57", ERR_BUSY},         /* shut down, cancelled, starting up */
		{"40", ERR_BUSY},         /* serialization, deadlock */
		{"55P03", ERR_BUSY},      /* a lock was not to be had in time */
		{"08", ERR_BUSY},         /* connection */
		{"25006", ERR_BUSY},      /* read only: a server that is no primary any more */
		{"25P0", ERR_BUSY},       /* idle too long in a transaction */
		{"0A000", ERR_BUSY},      /* what was prepared does not fit the schema any more */
		{"26000", ERR_BUSY},
		{"22001", ERR_LIMIT},     /* longer than its column */
		{"22021", ERR_INVALID},   /* no UTF-8 */
		{"22P05", ERR_INVALID},
		{"XX001", ERR_DAMAGED},
		{"XX002", ERR_DAMAGED},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_starts(state, kinds[i].prefix))
			return kinds[i].kind;
	return ERR_DB;
}

/* One line of a message of libpq's: some hold several, ended by a newline. */
static void first_line(char *to, size_t size, const char *from)
{
	str_cut(to, size, from);
	to[strcspn(to, "\n")] = '\0';
}

static int lost(struct pg *pg, struct err *e)
{
	char why[160];

	first_line(why, sizeof(why), PQerrorMessage(pg->h));
	return err_set(e, ERR_BUSY, "database %s: the connection is lost: %s", pg->shown, str_or(why, "no answer"));
}

/* Only the message proper: details and contexts may hold values. */
static int fail(struct pg *pg, const PGresult *r, const char *what, struct err *e)
{
	const char *state = str_or(PQresultErrorField(r, PG_DIAG_SQLSTATE), "");
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (PQstatus(pg->h) != CONNECTION_OK)
		return lost(pg, e);
	if (str_eq(state, "0A000") || str_eq(state, "26000") || str_eq(state, "25006"))
		pg->stale = true;
	return err_set(e, kind_of(state), "database %s: %.120s%s: %s%s%s", pg->shown, what, strlen(what) > 120 ? "..." : "",
		       primary ? primary : "no answer", *state ? ", SQLSTATE " : "", state);
}

/* Statements without values; more than one in a text is fine. */
static int run(struct pg *pg, const char *text, struct err *e)
{
	CLEANUP(resultp) PGresult *r = PQexec(pg->h, text);
	ExecStatusType status = PQresultStatus(r);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
		return 0;
	return fail(pg, r, text, e);
}

/* ---- connection ---- */

static const char *option(const PQconninfoOption *all, const char *name)
{
	for (; all && all->keyword; all++)
		if (str_eq(all->keyword, name))
			return all->val;
	return NULL;
}

/* libpq's own text may quote the address, and a password in it: up to the quote. */
static int parse(PQconninfoOption **ret, const char *url, struct err *e)
{
	char *msg = NULL, why[160];

	*ret = PQconninfoParse(url, &msg);
	if (*ret)
		return 0;
	first_line(why, sizeof(why), str_or(msg, "out of memory"));
	why[strcspn(why, "\"")] = '\0';
	PQfreemem(msg);
	return err_set(e, ERR_CONFIG, "database: not an address of PostgreSQL: %s", why);
}

static void infop(PQconninfoOption **o)
{
	PQconninfoFree(*o);
}

static char *pg_shown(const char *url)
{
	CLEANUP(infop) PQconninfoOption *all = PQconninfoParse(url, NULL);
	const char *user = option(all, "user"), *port = option(all, "port"), *service = option(all, "service");

	if (!all)
		return xstrdup("postgresql://?");
	if (service && !option(all, "host"))
		return xasprintf("postgresql://?service=%s", service);
	return xasprintf("postgresql://%s%s%s%s%s/%s", user ? user : "", user ? "@" : "",
			 str_or(option(all, "host"), ""), port ? ":" : "", port ? port : "",
			 str_or(option(all, "dbname"), ""));
}

/* What the server tells apart from answers goes to our log, not to stderr. */
static void notice(void *arg, const char *text)
{
	char line[200];

	(void)arg;
	first_line(line, sizeof(line), text);
	log_debug("postgresql: %s", line);
}

static void plans_done(struct pg *pg)
{
	for (size_t i = 0; i < pg->plans.n; i++) {
		free(pg->plans.v[i]->text);
		list_done(&pg->plans.v[i]->types);
		free(pg->plans.v[i]);
	}
	list_done(&pg->plans);
}

static int prepare_session(struct pg *pg, struct err *e)
{
	if (PQserverVersion(pg->h) < OLDEST)
		return err_set(e, ERR_CONFIG, "database %s: PostgreSQL %d is too old: 15 or newer is needed", pg->shown,
			       PQserverVersion(pg->h) / 10000);
	/* a master that hangs may hold neither a lock nor a thread for ever */
	if (run(pg, "SET statement_timeout=30000; SET lock_timeout=10000; SET client_min_messages=warning;"
		"SET idle_in_transaction_session_timeout=60000", e))
		return -1;
	return pg->readonly ? run(pg, "SET default_transaction_read_only=on", e) : 0;
}

static int connect_now(struct pg *pg, struct err *e)
{
	/* what stands in front of the address may be set otherwise by it */
	const char *const keys[] = {"connect_timeout", "keepalives_idle", "tcp_user_timeout", "target_session_attrs",
				    "fallback_application_name", "dbname", "client_encoding", NULL};
	const char *const values[] = {"5", "15", "15000", "read-write", "felloe-masterd", pg->url, "UTF8", NULL};
	char why[300];

	PQfinish(pg->h);
	plans_done(pg);
	pg->ruling = pg->stale = false;
	pg->h = PQconnectdbParams(keys, values, 1);
	if (PQstatus(pg->h) != CONNECTION_OK) {
		first_line(why, sizeof(why), PQerrorMessage(pg->h));
		return err_set(e, ERR_BUSY, "database %s: %s", pg->shown, why);
	}
	PQsetNoticeProcessor(pg->h, notice, NULL);
	return prepare_session(pg, e);
}

static void pg_close(void *conn)
{
	struct pg *pg = conn;

	plans_done(pg);
	PQfinish(pg->h);
	mem_wipe(pg->url, strlen(pg->url));
	free(pg->url);
	free(pg->shown);
	free(pg);
}

static int pg_open(void **ret, const char *url, bool readonly, struct err *e)
{
	CLEANUP(infop) PQconninfoOption *all = NULL;
	struct pg *pg;

	if (parse(&all, url, e))
		return -1;
	pg = xcalloc(1, sizeof(*pg));
	pg->url = xstrdup(url);
	pg->shown = pg_shown(url);
	pg->readonly = readonly;
	if (connect_now(pg, e)) {
		pg_close(pg);
		return -1;
	}
	*ret = pg;
	return 0;
}

/* An idle connection has nothing to read but its end, or a last word before it. */
static bool pg_alive(void *conn)
{
	struct pg *pg = conn;
	struct pollfd fd = {.fd = PQsocket(pg->h), .events = POLLIN};

	if (pg->stale || PQstatus(pg->h) != CONNECTION_OK)
		return false;
	if (poll(&fd, 1, 0) > 0 && !PQconsumeInput(pg->h))
		return false;
	return PQstatus(pg->h) == CONNECTION_OK && PQtransactionStatus(pg->h) == PQTRANS_IDLE;
}

/* Each failed try makes the time to the next one longer; in between nobody waits. */
static int connect_again(struct pg *pg, struct err *e)
{
	int64_t now = clock_mono_ms();

	if (now < pg->retry_at)
		return err_set(e, ERR_BUSY, "database %s cannot be reached; the next try is in %lld ms", pg->shown,
			       (long long)(pg->retry_at - now));
	if (!connect_now(pg, e)) {
		pg->retry_ms = 0;
		log_info("database %s: connected again", pg->shown);
		return 0;
	}
	pg->retry_ms = pg->retry_ms ? pg->retry_ms * 2 : RETRY_FIRST_MS;
	if (pg->retry_ms > RETRY_MOST_MS)
		pg->retry_ms = RETRY_MOST_MS;
	pg->retry_at = clock_mono_ms() + pg->retry_ms;
	return -1;
}

static int pg_exec(void *conn, const char *text, struct err *e)
{
	return run(conn, text, e);
}

/* ---- statements ---- */

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
static bool plan_fits(const struct plan *p, const struct stmt *s)
{
	if (!str_eq(p->text, s->text))
		return false;
	for (size_t i = 0; i < s->values.n && i < p->types.n; i++)
		if (s->values.v[i].type && p->types.v[i] && p->types.v[i] != s->values.v[i].type)
			return false;
	return true;
}

static int plan_new(struct pg *pg, const struct stmt *s, struct plan **ret, struct err *e)
{
	size_t n;
	CLEANUP(freep) char *text = dollars(s->text, &n);
	CLEANUP(resultp) PGresult *r = NULL;
	struct plan *p = xcalloc(1, sizeof(*p));

	for (size_t i = 0; i < n; i++)
		*list_push(&p->types) = i < s->values.n ? s->values.v[i].type : 0;
	snprintf(p->name, sizeof(p->name), "f%u", pg->names++);
	p->text = xstrdup(s->text);
	r = PQprepare(pg->h, p->name, text, (int)p->types.n, p->types.v);
	if (PQresultStatus(r) == PGRES_COMMAND_OK) {
		*list_push(&pg->plans) = p;
		*ret = p;
		return 0;
	}
	free(p->text);
	list_done(&p->types);
	free(p);
	return fail(pg, r, s->text, e);
}

/* Forget the oldest, on the server too. */
static int plan_drop(struct pg *pg, struct err *e)
{
	struct plan *p = pg->plans.v[0];
	char text[40];

	snprintf(text, sizeof(text), "DEALLOCATE %s", p->name);
	memmove(pg->plans.v, pg->plans.v + 1, --pg->plans.n * sizeof(struct plan *));
	free(p->text);
	list_done(&p->types);
	free(p);
	return run(pg, text, e);
}

static int plan_for(struct pg *pg, const struct stmt *s, struct plan **ret, struct err *e)
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
static PGresult *send(const struct stmt *s, const struct plan *plan)
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
	return PQexecPrepared(s->pg->h, plan->name, (int)n, values, lengths, formats, 0);
}

static int execute(struct stmt *s, struct err *e)
{
	struct plan *plan = NULL;
	CLEANUP(resultp) PGresult *r = NULL;
	ExecStatusType status;

	if (plan_for(s->pg, s, &plan, e))
		return -1;
	r = send(s, plan);
	status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return fail(s->pg, r, s->text, e);
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

/* ---- transactions ---- */

static int pg_begin(void *conn, struct err *e)
{
	struct pg *pg = conn;

	pg->ruling = false;
	if (!pg_alive(pg) && connect_again(pg, e))
		return -1;
	return run(pg, "BEGIN", e);
}

static void pg_rollback(void *conn)
{
	struct pg *pg = conn;
	struct err e;

	pg->ruling = false;
	if (PQstatus(pg->h) == CONNECTION_OK && PQtransactionStatus(pg->h) != PQTRANS_IDLE && run(pg, "ROLLBACK", &e)) {
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
	if (run(pg, LOCK_RULES, e)) {
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
	CLEANUP(resultp) PGresult *r = PQexec(pg->h, "COMMIT");

	pg->ruling = false;
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		return fail(pg, r, "COMMIT", e);
	if (!str_eq(PQcmdStatus(r), "COMMIT"))
		return err_set(e, ERR_DB, "database %s: the transaction was undone", pg->shown);
	return 0;
}

static bool pg_in_transaction(void *conn)
{
	struct pg *pg = conn;
	PGTransactionStatusType t = PQtransactionStatus(pg->h);

	return t == PQTRANS_INTRANS || t == PQTRANS_INERROR;
}

/* ---- schema ---- */

/* Portable word of a migration -> PostgreSQL's. */
static const struct {
	const char *word, *ours;
} words[] = {
	{"{id}", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
	{"{int}", "BIGINT"},
	{"{num}", "DOUBLE PRECISION"},
	{"{blob}", "BYTEA"},
	{"{clustered}", ""},
};

static const char *translated(struct buf *b, const char *at)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_starts(at, words[i].word)) {
			buf_adds(b, words[i].ours);
			return at + strlen(words[i].word);
		}
	if (str_starts(at, "{by_day:")) {
		const char *column = at + strlen("{by_day:");
		size_t n = strcspn(column, "}");

		buf_addf(b, "PARTITION BY RANGE (%.*s)", (int)n, column);
		return column + n + 1;
	}
	buf_addc(b, *at);
	return at + 1;
}

static char *translate(const char *text)
{
	struct buf b;

	buf_init(&b, TEXT_MAX);
	while (*text)
		text = translated(&b, text);
	return buf_take(&b);
}

/* The first column of the only row, 0 without one. */
static int number(struct pg *pg, const char *text, int64_t *ret, struct err *e)
{
	CLEANUP(resultp) PGresult *r = PQexec(pg->h, text);

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		return fail(pg, r, text, e);
	*ret = PQntuples(r) && !PQgetisnull(r, 0, 0) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
	return 0;
}

static int pg_version(void *conn, int *ret, struct err *e)
{
	int64_t there, version = 0;

	if (number(conn, "SELECT count(*) FROM pg_class WHERE oid=to_regclass('felloe_schema')", &there, e) ||
	    (there && number(conn, "SELECT max(version) FROM felloe_schema", &version, e)))
		return -1;
	*ret = (int)version;
	return 0;
}

/* Every table that is kept by day has a piece for the rest. */
static int add_rests(struct pg *pg, struct err *e)
{
	CLEANUP(resultp) PGresult *r =
		PQexec(pg->h, "SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid=p.partrelid "
			      "WHERE p.partdefid=0 AND c.relnamespace=current_schema()::regnamespace");

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		return fail(pg, r, "tables by day", e);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *table = PQgetvalue(r, i, 0);
		CLEANUP(freep) char *text = xasprintf("CREATE TABLE %s_rest PARTITION OF %s DEFAULT", table, table);

		if (run(pg, text, e))
			return -1;
	}
	return 0;
}

/* One step up, in a transaction that the caller ends by ROLLBACK; 1 stepped, 0 nothing left. */
static int migrate_step(struct pg *pg, const char *const *texts, int n, struct err *e)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *count = NULL;
	int version;

	/* two programs that start together must not both migrate; one may well wait for the other */
	if (run(pg, "BEGIN; SET LOCAL statement_timeout=0; SET LOCAL lock_timeout=0; " LOCK_MIGRATE, e) ||
	    pg_version(pg, &version, e))
		return -1;
	if (version > n)
		return err_set(e, ERR_CONFIG,
			       "database %s has version %d, this program knows up to %d: use the newer program that wrote it",
			       pg->shown, version, n);
	if (version == n)
		return 0;
	text = translate(texts[version]);
	count = xasprintf("INSERT INTO felloe_schema(version) VALUES(%d)", version + 1);
	if ((!version && run(pg, "CREATE TABLE felloe_schema(version BIGINT PRIMARY KEY)", e)) || run(pg, text, e) ||
	    add_rests(pg, e) || run(pg, count, e) || pg_commit(pg, e))
		return err_wrap(e, "migration %d", version + 1);
	return 1;
}

static int pg_migrate(void *conn, const char *const *texts, int n, struct err *e)
{
	int stepped;

	do {
		stepped = migrate_step(conn, texts, n, e);
		if (stepped <= 0)
			pg_rollback(conn);
	} while (stepped > 0);
	return stepped;
}

/* The piece is filled before it is attached: the rest must hold nothing of its day by then. */
static int pg_day_add(void *conn, const char *table, const char *column, int64_t at, struct err *e)
{
	int64_t day = (at - ((at % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS, from = day * DAY_MS, there;
	CLEANUP(freep) char *name = xasprintf("%s_d%lld", table, (long long)day);
	CLEANUP(freep) char *ask = xasprintf("SELECT count(*) FROM pg_class WHERE oid=to_regclass('%s')", name);
	CLEANUP(freep) char *text = NULL;

	if (number(conn, ask, &there, e))
		return -1;
	if (there)
		return 0;
	text = xasprintf("CREATE TABLE %s (LIKE %s INCLUDING ALL);"
			 "WITH moved AS (DELETE FROM %s_rest WHERE %s>=%lld AND %s<%lld RETURNING *) "
			 "INSERT INTO %s SELECT * FROM moved;"
			 "ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%lld) TO (%lld)",
			 name, table, table, column, (long long)from, column, (long long)(from + DAY_MS), name,
			 table, name, (long long)from, (long long)(from + DAY_MS));
	return run(conn, text, e);
}

static int pg_days_drop(void *conn, const char *table, const char *column, int64_t before, struct err *e)
{
	CLEANUP(freep) char *ask = xasprintf("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid=i.inhrelid "
					     "WHERE i.inhparent='%s'::regclass AND c.relname LIKE '%s\\_d%%'",
					     table, table);
	CLEANUP(freep) char *rest = xasprintf("DELETE FROM %s_rest WHERE %s<%lld", table, column, (long long)before);
	struct pg *pg = conn;
	CLEANUP(resultp) PGresult *r = PQexec(pg->h, ask);

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		return fail(pg, r, ask, e);
	for (int i = 0; i < PQntuples(r); i++) {
		const char *name = PQgetvalue(r, i, 0);
		int64_t day = strtoll(name + strlen(table) + 2, NULL, 10);
		CLEANUP(freep) char *text = xasprintf("DROP TABLE %s", name);

		if ((day + 1) * DAY_MS <= before && run(pg, text, e))
			return -1;
	}
	return run(pg, rest, e);
}

static const struct db_driver driver = {
	.shared = true,
	.fragile = true,
	.open = pg_open,
	.close = pg_close,
	.alive = pg_alive,
	.shown = pg_shown,
	.exec = pg_exec,
	.migrate = pg_migrate,
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
	.in_transaction = pg_in_transaction,
};

const struct db_driver *db_pg(void)
{
	return &driver;
}
