/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/dump.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/accounts.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/grants.h"
#include "noded/mysql/halt.h"
#include "noded/mysql/programs.h"
#include "noded/mysql/schema.h"
#include "noded/mysql/snapshot.h"
#include "noded/mysql/tables.h"
#include "noded/mysql/version.h"
#include "noded/mysql/watch.h"
#include "shared/mem.h"
#include "shared/str.h"

struct dump {
	struct conn *conns[DUMP_CONNECTIONS];
	unsigned n;
	struct dump_opts o;
	struct snapshot snapshot;
	struct halt halt;
	struct watch *watch;    /* from the first database on; NULL: could not be had */
	bool watch_tried;
	struct buf accounts;    /* users/accounts.sql */
	unsigned n_accounts;
	bool accounts_read;
	struct strings matched; /* entries of exclude_tables, those that some database has */
	bool holds;             /* the locks of hot tables are there: until the first database is read */
	struct hot met;         /* what others altered, or waited for, meanwhile */
};
enum { ACCOUNTS_MAX = 256 << 20 };

static int start_watch(struct dump *d, struct err *e)
{
	const struct watch_opts o = {.access = d->o.access, .wait_s = d->o.ddl_wait_s, .halt = &d->halt};

	d->watch_tried = true;
	if (watch_start(&d->watch, &o, e))
		return -1;
	for (unsigned i = 0; i < d->n; i++)
		watch_conn(d->watch, d->conns[i]);
	return 0;
}

/* From the first lock on somebody looks who waits for it: until the first row is asked for there may be a storage that does
 * not answer. */
static int hold_hot(struct dump *d, struct err *e)
{
	const struct hot *hot = &d->snapshot.hot;
	struct err why;

	if (!hot->n)
		return 0;
	d->holds = start_watch(d, &why) == 0;
	for (unsigned i = 0; !d->holds && i < d->n; i++) /* nobody would look: then they are tables like others */
		if (hot_give_back(d->conns[i], e))
			return -1;
	d->watch_tried = d->holds;
	for (size_t i = 0; d->holds && i < hot->n * d->n; i++)
		watch_hold(d->watch, hot->v[i / d->n].db, hot->v[i / d->n].table);
	for (size_t i = 0; d->snapshot.locks_stay && i < hot->n; i++)
		watch_keep(d->watch, hot->v[i].db, hot->v[i].table);
	return 0;
}

int dump_open(struct dump **ret, const struct dump_opts *o, struct err *e)
{
	const struct snapshot_opts s = {.access = o->access, .db = o->db, .wait_s = o->ddl_wait_s, .method = o->method,
				      .stop = o->stop, .hot = o->hot};
	CLEANUP(dump_closep) struct dump *d = xcalloc(1, sizeof(*d));

	halt_init(&d->halt, o->stop);
	d->n = o->connections < DUMP_CONNECTIONS ? o->connections : DUMP_CONNECTIONS;
	d->o = *o;
	if (snapshot_open(&d->snapshot, &s, d->conns, &d->n, e) || (o->db && conn_use(d->conns[0], o->db, e)) || hold_hot(d, e))
		return -1;

	*ret = TAKE(d);
	return 0;
}

void dump_release(struct dump *d)
{
	watch_stop(TAKE(d->watch)); /* before its connections go */
	for (unsigned i = 0; i < d->n; i++)
		conn_free(d->conns[i]);
	d->n = 0;
}

void dump_close(struct dump *d)
{
	if (!d)
		return;
	dump_release(d);
	snapshot_done(&d->snapshot);
	halt_done(&d->halt);
	buf_done(&d->accounts);
	strings_done(&d->matched);
	hot_done(&d->met);
	free(d);
}

void dump_closep(struct dump **d)
{
	dump_close(*d);
}

/* What was met with after all were told to end is not the reason. */
static int fail(struct dump *d, struct err *e)
{
	(void)!halt_check(&d->halt, e);
	return -1;
}

static bool is_own(const char *db)
{
	return str_ieq(db, "information_schema") || str_ieq(db, "performance_schema") || str_ieq(db, "mysql") ||
	       str_ieq(db, "sys");
}

static bool among(const struct strings *list, const char *s)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(list->v[i], s))
			return true;
	return false;
}

int dump_databases(struct dump *d, const struct strings *exclude, struct strings *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(d->conns[0], &r, "SHOW DATABASES", e))
		return fail(d, e);
	while ((row = mysql_fetch_row(r)))
		if (!is_own(row[0]) && !among(exclude, row[0]))
			strings_add(ret, row[0]);
	return 0;
}

int dump_sees_all(struct dump *d, bool *ret, struct err *e)
{
	CLEANUP(grants_done) struct grants g = {0};

	if (grants_read(&g, d->conns[0], "", e))
		return fail(d, e);
	*ret = grants_has(&g, "SELECT", true) || grants_has(&g, "SHOW DATABASES", true);
	return 0;
}

int dump_lacks(struct dump *d, const char *db, char text[static DUMP_LACKS], struct err *e)
{
	static const char *const needed[] = {"SELECT", "SHOW VIEW", "TRIGGER", "EVENT"};
	CLEANUP(freep) char *alone = ask_text(d->conns[0], "SELECT COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE'", 0);
	CLEANUP(grants_done) struct grants g = {0};
	size_t n = 0;

	*text = '\0';
	if (str_eq(alone, "0"))
		return 0;
	if (grants_read(&g, d->conns[0], db, e))
		return fail(d, e);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!grants_has(&g, needed[i], false))
			n += (size_t)snprintf(text + n, DUMP_LACKS - n, "%s%s", n ? ", " : "", needed[i]);
	return 0;
}

uint64_t dump_estimate(const struct dump *d, const char *db)
{
	return snapshot_bytes(&d->snapshot, db);
}

const char *dump_position(const struct dump *d)
{
	return d->snapshot.text;
}

const char *dump_method(const struct dump *d)
{
	return d->snapshot.method;
}

const char *dump_note(const struct dump *d)
{
	return d->snapshot.note;
}

/* Which right lets a session keep out of the binary log. */
static const char *right_to_log(const char *version)
{
	if (version_before(version, 800, 1005))
		return "SUPER";
	return version_of(version).maria ? "BINLOG ADMIN" : "SYSTEM_VARIABLES_ADMIN";
}

void dump_cluster(const struct dump *d, char text[static ERR_MSG_MAX])
{
	cluster_text(&d->snapshot.cluster, text, ERR_MSG_MAX);
}

void dump_advice(struct dump *d, char text[static ERR_MSG_MAX])
{
	CLEANUP(freep) char *sees = ask_text(d->conns[0], "SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE "
		"PRIVILEGE_TYPE = 'PROCESS' AND GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')", 0);
	CLEANUP(freep) char *stays = xasprintf("a table that was read stays locked against ALTER until the backup ends or is given "
					       "up for it (GRANT %s)", right_to_log(d->snapshot.version));
	const char *const parts[] = {
		d->snapshot.note,
		str_eq(sees, "0") ? "nobody sees when other accounts wait for this backup (GRANT PROCESS)" : "",
		d->snapshot.locks_stay ? stays : "",
	};
	CLEANUP(buf_done) struct buf all = {0};

	buf_init(&all, 4 * ERR_MSG_MAX);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_addf(&all, "%s%s", all.len && *parts[i] ? "; " : "", parts[i]);
	str_cut(text, ERR_MSG_MAX, all.p);
}

void dump_put_manifest(const struct dump *d, struct json_out *o)
{
	snapshot_put(&d->snapshot, o);
}

static int read_accounts(struct dump *d, const struct dump_sink *sink, struct err *e)
{
	struct conn *c = d->conns[0];

	buf_init(&d->accounts, ACCOUNTS_MAX);
	/* the savepoint for the reason given in dump_database */
	if (conn_exec(c, "SAVEPOINT felloe_accounts", e) || accounts_read(c, sink, &d->accounts, &d->n_accounts, e) ||
	    conn_exec(c, "ROLLBACK TO SAVEPOINT felloe_accounts", e))
		return err_wrap(e, "accounts of the server");
	d->accounts_read = true;
	return 0;
}

int dump_accounts(struct dump *d, const struct dump_sink *sink, unsigned *count, struct err *e)
{
	if (!d->accounts_read && read_accounts(d, sink, e))
		return fail(d, e);
	*count = d->n_accounts;
	return *count ? sink->member(sink->ctx, "users/accounts.sql", d->accounts.p, d->accounts.len, e) : 0;
}

void dump_result_done(struct dump_result *r)
{
	list_done(&r->tables);
	pool_done(&r->strings);
	for (size_t i = 0; i < r->triggers_of.n; i++) {
		free(r->triggers_of.v[i].name);
		free(r->triggers_of.v[i].table);
		free(r->triggers_of.v[i].member);
	}
	list_done(&r->triggers_of);
	*r = (struct dump_result){0};
}

/* Each table that was listed has been read to its end, in the order of the list:
 * whatever went wrong on the way, a table is never left out in silence. */
static int all_tables(const struct schema *s, const struct dump_result *r, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < s->tables.n; i++) {
		if (s->tables.v[i].left_out)
			continue;
		if (n == r->tables.n || !str_eq(r->tables.v[n].name, s->tables.v[i].name))
			return err_set(e, ERR_INTERNAL, "table `%s` was not read", s->tables.v[i].name);
		n++;
	}
	return n == r->tables.n ? 0 : err_set(e, ERR_INTERNAL, "%zu tables were read, %zu were listed", r->tables.n, n);
}

/* Without one the dump goes on: only this account may not open one connection more. */
static void need_watch(struct dump *d, const struct dump_sink *sink)
{
	struct err why;

	if (d->watch_tried || start_watch(d, &why) == 0)
		return;
	if (sink->warn) {
		CLEANUP(freep) char *text = xasprintf("nobody looks for statements that wait for this backup: %s", why.msg);

		sink->warn(sink->ctx, text);
	}
}

void dump_hot(struct dump *d, struct hot *ret)
{
	for (size_t i = 0; i < d->met.n; i++)
		hot_add(ret, d->met.v[i].db, d->met.v[i].table);
	watch_met(d->watch, ret);
}

static int put_database(struct dump *d, struct schema *s, struct dump_result *ret, struct err *e)
{
	const struct tables_job rows = {.conns = d->conns, .n = d->n, .schema = s, .halt = &d->halt, .watch = d->watch,
					.access = d->o.access, .wait_s = d->o.ddl_wait_s, .locks_stay = d->snapshot.locks_stay,
					.grid = d->o.grid, .hot = d->holds ? &d->snapshot.hot : NULL, .met = &d->met};

	ret->sequences += (unsigned)s->sequences.n;
	/* Reading mysql.proc and the like draws Aria into the transaction, which then takes no further savepoint:
	 * each database leaves the transaction as it found it, or the next one of a whole server would fail. */
	if (conn_exec(s->c, "SAVEPOINT felloe_database", e) || schema_put_header(s, e) || schema_put_sequences(s, e) ||
	    schema_put_tables(s, e) || schema_put_placeholders(s, e) || programs_look(s, e) || tables_dump(&rows, ret, e) ||
	    (d->holds && conn_exec(s->c, "SAVEPOINT felloe_database", e)) || /* giving hot tables back took it away */
	    all_tables(s, ret, e) || halt_check(&d->halt, e) || programs_put(s, ret, e) || schema_put_footer(s, e))
		return -1;
	d->holds = false;
	return conn_exec(s->c, "ROLLBACK TO SAVEPOINT felloe_database", e);
}

static void note_matched(struct dump *d, const struct schema *s, const struct strings *exclude)
{
	for (size_t i = 0; exclude && i < exclude->n; i++)
		if (!among(&d->matched, exclude->v[i]) && schema_matches(s, exclude->v[i]))
			strings_add(&d->matched, exclude->v[i]);
}

const char *dump_unmatched(const struct dump *d, const struct strings *exclude, size_t *at)
{
	while (*at < exclude->n) {
		const char *x = exclude->v[(*at)++];

		if (!among(&d->matched, x))
			return x;
	}
	return NULL;
}

/* Tables are still those of before the snapshot. */
static int same_tables(const struct dump *d, const struct schema *s, struct err *e)
{
	if (snapshot_same_tables(&d->snapshot, s->db, s->listed, s->marks, e))
		return -1;
	if (s->hot_listed == hot_count(&d->snapshot.hot, s->db))
		return 0;
	return err_set(e, ERR_CONFLICT, "a table of `%s` was created, dropped, renamed or altered before it was read", s->db);
}

static int use_database(struct dump *d, struct schema *s, const char *db, const struct strings *exclude_tables, struct err *e)
{
	for (unsigned i = 1; i < d->n; i++)
		if (conn_use(d->conns[i], db, e))
			return -1;
	return schema_open(s, db, exclude_tables, e);
}

int dump_database(struct dump *d, const char *db, const struct strings *exclude_tables, const struct dump_sink *sink,
		  struct dump_result *ret, struct err *e)
{
	CLEANUP(schema_done) struct schema s = {.c = d->conns[0], .sink = sink, .strings = &ret->strings,
					       .cluster = &d->snapshot.cluster, .since = d->snapshot.since,
					       .hot = &d->snapshot.hot, .met = &d->met};

	need_watch(d, sink);
	if (use_database(d, &s, db, exclude_tables, e)) {
		(void)!fail(d, e);
		return err_wrap(e, "dump of `%s`", db);
	}
	note_matched(d, &s, exclude_tables);
	if (same_tables(d, &s, e) || put_database(d, &s, ret, e)) {
		(void)!fail(d, e);
		return err_wrap(e, "dump of `%s`", db);
	}
	return 0;
}
