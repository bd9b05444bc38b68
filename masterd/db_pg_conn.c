/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db_pg_conn.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	/* A server that is stopped, or a network that swallows everything, says nothing: the
	 * time limits of the session (prepare_session) would have ended any statement by then. */
	SILENCE_MS = 15000,
	HURRY_MS = 5000,
	RETRY_FIRST_MS = 250, RETRY_MOST_MS = 5000,
	OLDEST = 150000,          /* PQserverVersion: the oldest that is tested */
};

void pg_resultp(PGresult **r)
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

bool pg_silent(void *conn, struct err *e)
{
	const struct pg *pg = conn;

	if (pg->silent)
		(void)err_set(e, ERR_BUSY, "database %s: the server says nothing", pg->shown);
	return pg->silent;
}

void pg_hurry(void *conn)
{
	struct pg *pg = conn;

	pg->hurried = true;
}

static int lost(struct pg *pg, struct err *e)
{
	char why[160];

	first_line(why, sizeof(why), PQerrorMessage(pg->h));
	return err_set(e, ERR_BUSY, "database %s: the connection is lost: %s", pg->shown, str_or(why, "no answer"));
}

/* Only the message proper: details and contexts may hold values. */
int pg_fail(struct pg *pg, const PGresult *r, const char *what, struct err *e)
{
	const char *state = str_or(PQresultErrorField(r, PG_DIAG_SQLSTATE), "");
	const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

	if (PQstatus(pg->h) != CONNECTION_OK)
		return lost(pg, e);
	if (!r && pg_silent(pg, e))
		return -1;
	if (str_eq(state, "0A000") || str_eq(state, "26000") || str_eq(state, "25006"))
		pg->stale = true;
	return err_set(e, kind_of(state), "database %s: %.120s%s: %s%s%s", pg->shown, what, strlen(what) > 120 ? "..." : "",
		       primary ? primary : "no answer", *state ? ", SQLSTATE " : "", state);
}

/* Until an answer is complete. */
static bool wait_answer(struct pg *pg)
{
	struct pollfd fd = {.fd = PQsocket(pg->h), .events = POLLIN};
	int64_t most = pg->hurried ? HURRY_MS : SILENCE_MS, until = clock_mono_ms() + most, left;
	int got;

	while (PQisBusy(pg->h)) {
		left = until - clock_mono_ms();
		/* a last look when the time is over: this machine may have stood still, not the server */
		got = poll(&fd, 1, pg->patient ? -1 : left > 0 ? (int)left : 0);
		if (!got) {
			pg->stale = pg->silent = true;
			return false;
		}
		if (got < 0)
			continue;
		if (!PQconsumeInput(pg->h))
			return false;
		until = clock_mono_ms() + most;
	}
	return true;
}

PGresult *pg_answer(struct pg *pg)
{
	PGresult *kept = NULL, *r;

	while (wait_answer(pg)) {
		r = PQgetResult(pg->h);
		if (!r)
			return kept;
		if (kept && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
			PQclear(r);
			continue;
		}
		PQclear(kept);
		kept = r;
	}
	PQclear(kept);
	return NULL;
}

PGresult *pg_ask(struct pg *pg, const char *text)
{
	return PQsendQuery(pg->h, text) ? pg_answer(pg) : NULL;
}

int pg_run(struct pg *pg, const char *text, struct err *e)
{
	CLEANUP(pg_resultp) PGresult *r = pg_ask(pg, text);
	ExecStatusType status = PQresultStatus(r);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
		return 0;
	return pg_fail(pg, r, text, e);
}

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

char *pg_shown(const char *url)
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

void pg_plan_forget(struct pg *pg, size_t i)
{
	struct pg_plan *p = pg->plans.v[i];

	memmove(pg->plans.v + i, pg->plans.v + i + 1, (--pg->plans.n - i) * sizeof(p));
	free(p->text);
	list_done(&p->types);
	free(p);
}

static void plans_done(struct pg *pg)
{
	while (pg->plans.n)
		pg_plan_forget(pg, pg->plans.n - 1);
	list_done(&pg->plans);
}

static int prepare_session(struct pg *pg, struct err *e)
{
	if (PQserverVersion(pg->h) < OLDEST)
		return err_set(e, ERR_CONFIG, "database %s: PostgreSQL %d is too old: 15 or newer is needed", pg->shown,
			       PQserverVersion(pg->h) / 10000);
	/* a master that hangs may hold neither a lock nor a thread for ever */
	if (pg_run(pg, "SET lock_timeout=8000; SET client_min_messages=warning; SET idle_in_transaction_session_timeout=60000", e))
		return -1;
	return pg_run(pg, pg->readonly ? "SET statement_timeout=30000; SET default_transaction_read_only=on"
				       : "SET statement_timeout=10000", e);
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
	pg->ruling = pg->stale = pg->silent = false;
	pg->h = PQconnectdbParams(keys, values, 1);
	if (PQstatus(pg->h) != CONNECTION_OK) {
		/* a line for each host that was tried */
		str_cut(why, sizeof(why), PQerrorMessage(pg->h));
		for (size_t end = strlen(why); end && why[end - 1] == '\n'; end--)
			why[end - 1] = '\0';
		for (char *p = strchr(why, '\n'); p; p = strchr(p, '\n'))
			*p = ';';
		return err_set(e, ERR_BUSY, "database %s: %s", pg->shown, why);
	}
	PQsetNoticeProcessor(pg->h, notice, NULL);
	return prepare_session(pg, e);
}

void pg_close(void *conn)
{
	struct pg *pg = conn;

	plans_done(pg);
	PQfinish(pg->h);
	mem_wipe(pg->url, strlen(pg->url));
	free(pg->url);
	free(pg->shown);
	free(pg);
}

int pg_open(void **ret, const char *url, bool readonly, struct err *e)
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

/* Nobody sends anything to a connection that is idle, but its end or a last word before
 * it. (A changed parameter of the server's, too: then a new connection does no harm.) */
bool pg_alive(void *conn)
{
	struct pg *pg = conn;
	struct pollfd fd = {.fd = PQsocket(pg->h), .events = POLLIN};

	if (pg->stale || PQstatus(pg->h) != CONNECTION_OK)
		return false;
	return PQtransactionStatus(pg->h) == PQTRANS_IDLE && poll(&fd, 1, 0) <= 0;
}

int pg_connect_again(struct pg *pg, struct err *e)
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

/* ---- one connection wakes others */

int pg_tell_now(struct pg *pg, struct err *e)
{
	return pg_run(pg, "NOTIFY felloe_journal", e);
}

/* Was there any since the last look? */
static bool told(struct pg *pg)
{
	bool any = false;
	PGnotify *n;

	while ((n = PQnotifies(pg->h))) {
		any = true;
		PQfreemem(n);
	}
	return any;
}

int pg_hear(void *conn, int ms, struct err *e)
{
	struct pg *pg = conn;
	struct pollfd fd = {.events = POLLIN};

	if (!pg->hearing && pg_run(pg, "LISTEN felloe_journal", e))
		return -1;
	pg->hearing = true;
	fd.fd = PQsocket(pg->h);
	if (fd.fd < 0)
		return lost(pg, e);
	if (poll(&fd, 1, ms) > 0 && !PQconsumeInput(pg->h))
		return lost(pg, e);
	return told(pg);
}
