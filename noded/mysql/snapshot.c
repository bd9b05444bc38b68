/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/snapshot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/begin.h"
#include "noded/mysql/sqltext.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	NOTE_MAX = 4096,
	STEP_MAX_S = 10,
	MARKS_SQL = 256 << 10,
	HOT_MS = 10000,   /* so long it is tried with several sessions, then with one */
	HOT_PAUSE_MS = 50, /* between two tries, at most, and what the try took */
	LET_MAX_MS = 2000,
};

static void marks_done(struct tables_marks *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->v[i].db);
		free(m->v[i].mark);
	}
	list_done(m);
}

void snapshot_done(struct snapshot *s)
{
	free(s->note);
	free(s->version);
	free(s->charset);
	free(s->collation);
	position_done(&s->position);
	source_done(&s->source);
	free(s->text);
	marks_done(&s->marks);
	hot_done(&s->hot);
	free(s->since);
	*s = (struct snapshot){0};
}

static int read_server(struct snapshot *s, struct conn *c, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, "SELECT VERSION(), @@character_set_server, @@collation_server, NOW()", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(c, e);
	s->version = xstrdup(str_or(row[0], ""));
	s->charset = xstrdup(str_or(row[1], ""));
	s->collation = xstrdup(str_or(row[2], ""));
	s->since = xstrdup(str_or(row[3], ""));
	return 0;
}

/* ---- what tables there are */

static void add_mark(struct buf *sql, const struct hot *hot)
{
	if (!hot->n) {
		buf_adds(sql, "CONCAT(COUNT(*), ' ', BIT_XOR(" TABLE_MARK "))");
		return;
	}
	buf_adds(sql, "CONCAT(SUM(NOT ");
	hot_add_test(sql, hot);
	buf_adds(sql, "), ' ', BIT_XOR(IF(");
	hot_add_test(sql, hot);
	buf_adds(sql, ", CAST(0 AS UNSIGNED), " TABLE_MARK ")))");
}

/* One short text a database. db NULL: all. */
static int read_marks(struct snapshot *s, struct conn *c, const char *db, struct err *e)
{
	struct tables_marks *ret = &s->marks;
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	MYSQL_ROW row;

	buf_init(&sql, MARKS_SQL);
	buf_adds(&sql, "SELECT TABLE_SCHEMA, ");
	add_mark(&sql, &s->hot);
	buf_adds(&sql, ", CAST(COALESCE(SUM(DATA_LENGTH), 0) AS UNSIGNED) FROM information_schema.TABLES WHERE TABLE_SCHEMA ");
	if (db) {
		buf_adds(&sql, "= ");
		sql_string(&sql, db, strlen(db));
	} else {
		buf_adds(&sql, "NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')");
	}
	buf_adds(&sql, " GROUP BY CAST(TABLE_SCHEMA AS BINARY)"); /* "Shop" and "shop" may be two */
	if (buf_check(&sql, "name of a database", e) || conn_rows(c, &r, sql.p, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		*list_push(ret) = (struct tables_mark){xstrdup(row[0]), xstrdup(str_or(row[1], "")),
						       strtoull(str_or(row[2], "0"), NULL, 10)};
	return 0;
}

/* NULL without tables. */
static const struct tables_mark *mark_of(const struct tables_marks *m, const char *db)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->v[i].db, db))
			return &m->v[i];
	/* the server may have its own idea of upper and lower case */
	return m->n == 1 && str_ieq(m->v[0].db, db) ? &m->v[0] : NULL;
}

uint64_t snapshot_bytes(const struct snapshot *s, const char *db)
{
	const struct tables_mark *m = mark_of(&s->marks, db);

	return m ? m->bytes : 0;
}

int snapshot_same_tables(const struct snapshot *s, const char *db, size_t n, uint64_t marks, struct err *e)
{
	const struct tables_mark *m = mark_of(&s->marks, db);
	CLEANUP(freep) char *now = xasprintf("%zu %" PRIu64, n, marks);

	if (m ? str_eq(m->mark, now) : !n)
		return 0;
	return err_set(e, ERR_CONFLICT, "tables of `%s` were created, dropped, renamed or altered while the snapshot was taken", db);
}

/* ---- the snapshot */

static void close_from(struct conn **conns, unsigned first, unsigned *n)
{
	for (unsigned i = first; i < *n; i++) {
		conn_free(conns[i]);
		conns[i] = NULL;
	}
	*n = first;
}

static void add_part(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
static void add_part(struct buf *b, const char *fmt, ...)
{
	char part[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)!vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	buf_addf(b, "%s%s", b->len ? ", " : "", part);
}

static char *position_text(const struct snapshot *s)
{
	const struct position *p = &s->position;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, NOTE_MAX);
	if (*p->file)
		add_part(&b, "%s:%s", p->file, p->offset);
	if (*p->gtid)
		add_part(&b, "GTID %s", p->gtid);
	if (s->cluster.there)
		add_part(&b, "cluster %s:%" PRId64, s->cluster.uuid, s->cluster.seqno);
	return b.len ? buf_take(&b) : xstrdup(s->method);
}

/* With the binary log on, a server gives the locks back only to a session that does not write to it. */
static bool locks_stay(struct conn *c)
{
	CLEANUP(freep) char *logs = ask_text(c, "SELECT @@GLOBAL.log_bin AND @@SESSION.sql_log_bin", 0);

	return !str_eq(logs, "0");
}

/* Each session with its locks; *late: not all of them. */
static int take_hot(const struct begin *b, struct hot *hot, bool *late, struct err *e)
{
	bool same;

	for (unsigned i = 0; i < b->n; i++)
		if (hot_take(hot, b->conns[i], late, e))
			return -1;
	if (hot_look(hot, b->conns[0], &same, e))
		return -1;
	*late = !same;
	return same ? 0 : err_set(e, ERR_CONFLICT, "table `%s` was altered", hot->v[0].table);
}

static int begin_anew(struct begin *b, struct err *e)
{
	for (unsigned i = 0; i < b->n; i++)
		if (conn_exec(b->conns[i], "ROLLBACK", e))
			return -1;
	position_done(&b->position);
	buf_reset(&b->why);
	return 0;
}

/* Taking a snapshot may hold writers off for a moment: they get at least as long a time to go on as the try took. */
static void let_others(int64_t took)
{
	uint8_t dice;

	random_bytes(&dice, sizeof(dice));
	clock_sleep_ms((unsigned)(took < LET_MAX_MS ? took : LET_MAX_MS) + 1 + dice % HOT_PAUSE_MS);
}

static int no_moment(struct err *e)
{
	char why[ERR_MSG_MAX / 2];

	str_cut(why, sizeof(why), e->msg);
	return err_set(e, ERR_CONFLICT, "no moment between two ALTERs to begin in for %d s: %s", 2 * HOT_MS / 1000, why);
}

/* Between the last look at hot tables and their locks there are some milliseconds: one try will fit
 * between two ALTERs. */
static int begin_held(struct begin *b, const struct snapshot_opts *o, struct hot *hot, const char **method, struct err *e)
{
	int64_t until = clock_mono_ms() + HOT_MS;
	bool late, any, fewer = false;

	for (;;) {
		int64_t since = clock_mono_ms();

		if (o->stop && *o->stop)
			return err_set(e, ERR_ABORTED, "ended by a signal");
		if (hot_look(hot, b->conns[0], &any, e) || begin_best(b, method, e))
			return -1;
		if (!hot->n || take_hot(b, hot, &late, e) == 0)
			break;
		if (!late)
			return -1;
		if (clock_mono_ms() > until && b->n == 1)
			return no_moment(e);
		if (begin_anew(b, e))
			return -1;
		let_others(clock_mono_ms() - since);
		if (clock_mono_ms() > until) {
			fewer = b->n > 1;
			b->n = 1;
			until = clock_mono_ms() + HOT_MS;
		}
	}
	if (fewer)
		buf_addf(&b->why, "%sALTERs of table `%s` left no moment for more than one connection", b->why.len ? "; " : "", hot->v[0].table);
	return 0;
}

static int take(struct snapshot *s, const struct snapshot_opts *o, struct conn **conns, unsigned *n, struct err *e)
{
	struct binlog log;
	CLEANUP(buf_done) struct buf why = {0};
	struct begin b = {.access = o->access, .wait_s = o->wait_s, .only = o->method, .log = &log, .conns = conns, .n = *n,
			  .cluster = &s->cluster};
	int failed;

	binlog_look(&log, conns[0]);
	source_look(&s->source, conns[0], log.maria);
	cluster_mark(&s->cluster, conns[0], false);
	buf_init(&b.why, NOTE_MAX);
	failed = begin_held(&b, o, &s->hot, &s->method, e);
	s->position = b.position;
	why = b.why;
	if (failed)
		return -1;
	if (!s->position.file)
		position_of_snapshot(&s->position, conns[0]);
	source_of_snapshot(&s->source, conns[0]);
	s->note = xstrdup(why.p);
	close_from(conns, b.n, n);
	s->locks_stay = locks_stay(conns[0]);
	s->connections = b.n;
	s->text = position_text(s);
	return 0;
}

int snapshot_open(struct snapshot *s, const struct snapshot_opts *o, struct conn **conns, unsigned *n, struct err *e)
{
	unsigned wanted = *n, open = 0;
	int rc = 0;

	while (rc == 0 && open < wanted) {
		rc = conn_open(&conns[open], o->access, e);
		open += rc == 0;
	}
	*n = open;
	if (rc || cluster_in_step(&s->cluster, conns[0], o->wait_s < STEP_MAX_S ? o->wait_s : STEP_MAX_S, e) ||
	    read_server(s, conns[0], e) || hot_pick(&s->hot, o->hot, o->db, conns[0], e) || read_marks(s, conns[0], o->db, e) ||
	    take(s, o, conns, n, e)) {
		close_from(conns, 0, n);
		return -1;
	}
	return 0;
}

void snapshot_put(const struct snapshot *s, struct json_out *o)
{
	json_put_str(o, "server_version", s->version);
	json_put_str(o, "charset", s->charset);
	json_put_str(o, "collation", s->collation);
	json_obj(o, "snapshot");
	json_put_str(o, "method", s->method);
	json_put_int(o, "connections", s->connections);
	json_put_str(o, "note", s->note);
	json_put_str(o, "file", s->position.file);
	json_put_int(o, "position", (int64_t)strtoull(s->position.offset, NULL, 10));
	json_put_str(o, "gtid", s->position.gtid);
	source_put(&s->source, o);
	cluster_put(&s->cluster, o);
	json_end_obj(o);
}
