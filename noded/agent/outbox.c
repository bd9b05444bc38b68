/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/outbox.h"

#include <string.h>

#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/sql.h"
#include "shared/str.h"

/* docs/outbox.md */
static const char *const migrations[] = {
	"CREATE TABLE sample (ts INTEGER PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE run (uuid TEXT PRIMARY KEY, rev INTEGER NOT NULL, started INTEGER NOT NULL, json TEXT NOT NULL,"
	" not_before INTEGER NOT NULL DEFAULT 0, refused TEXT)",
};

static const int64_t keep_ms = 30LL * 24 * 3600 * 1000;
enum { USED_MAX = 64 << 20, CHECK_EVERY = 60, SAMPLE_JSON_MAX = 128 << 10, RUN_JSON_MAX = 1 << 20 };

struct outbox {
	struct sql *db;
	int64_t used_max;
	unsigned puts;    /* since the limits were looked at */
};

static int open_at(struct outbox **ret, const char *path, struct err *e)
{
	CLEANUP(outbox_closep) struct outbox *o = xcalloc(1, sizeof(*o));
	CLEANUP(freep) char *aside = NULL;

	o->used_max = USED_MAX;
	if (sql_open_anew(&o->db, path, &aside, e))
		return -1;
	if (aside)
		log_warn("the outbox was damaged and is now %s; a new one begins, what waited in it for the master is not sent",
			 aside);
	if (sql_migrate(o->db, migrations, ARRAY_LEN(migrations), e))
		return err_wrap(e, "%s", path);
	*ret = TAKE(o);
	return 0;
}

int outbox_open(struct outbox **ret, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/outbox.db", dir);

	return fs_mkdirs(dir, 0700, e) || open_at(ret, path, e) ? -1 : 0;
}

int outbox_open_memory(struct outbox **ret, struct err *e)
{
	return open_at(ret, SQL_MEMORY, e);
}

void outbox_close(struct outbox *o)
{
	if (!o)
		return;
	sql_close(o->db);
	freep(&o);
}

void outbox_closep(struct outbox **o)
{
	outbox_close(*o);
}

/* Run one statement whose parameters are all integers. */
static int run_ints(struct outbox *o, const char *text, const int64_t *v, int n, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(o->db, &s, text, e))
		return -1;
	for (int i = 0; i < n; i++)
		sql_bind_int(s, i + 1, v[i]);
	return sql_run(s, e);
}

static int one_int(struct outbox *o, const char *text, int64_t *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int got;

	if (sql_prepare(o->db, &s, text, e) || (got = sql_step(s, e)) < 0)
		return -1;
	*ret = got ? sql_int(s, 0) : 0;
	return 0;
}

/* Oldest samples go first, and thinned rather than cut off: every second one of
 * the older half, until the used pages fit. Runs stay whatever they weigh. */
static int keep_limits(struct outbox *o, int64_t now, struct err *e)
{
	static const char used_sql[] = "SELECT (p.page_count - f.freelist_count) * s.page_size"
				       " FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s";
	int64_t used, n, before = now - keep_ms;

	if (run_ints(o, "DELETE FROM sample WHERE ts < ?", &before, 1, e) || one_int(o, used_sql, &used, e) ||
	    one_int(o, "SELECT count(*) FROM sample", &n, e))
		return -1;
	while (used > o->used_max && n > 1) {
		int64_t half = (n + 1) / 2;

		if (run_ints(
			    o,
			    "DELETE FROM sample WHERE ts IN (SELECT ts FROM (SELECT ts, row_number() OVER (ORDER BY ts)"
			    " AS at FROM sample) WHERE at <= ? AND at % 2 = 1)",
			    &half, 1, e) ||
		    one_int(o, used_sql, &used, e) || one_int(o, "SELECT count(*) FROM sample", &n, e))
			return -1;
	}
	return 0;
}

int outbox_put_sample(struct outbox *o, const struct wire_sample *s, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *st = NULL;
	CLEANUP(buf_done) struct buf b;
	struct wire_sample lean = *s;
	struct json_out out;

	lean.runs.n = lean.timers.n = lean.storages.n = 0;
	lean.outbox_depth = -1;
	buf_init(&b, SAMPLE_JSON_MAX);
	json_out_init(&out, &b);
	wire_sample_put(&out, NULL, &lean);
	if (buf_check(&b, "the sample", e) ||
	    sql_prepare(o->db, &st, "INSERT OR REPLACE INTO sample (ts, json) VALUES (?, ?)", e))
		return -1;
	sql_bind_int(st, 1, s->ts);
	sql_bind_str(st, 2, b.p);
	if (sql_run(st, e))
		return err_wrap(e, "outbox");
	if (o->puts++ % CHECK_EVERY == 0)
		return keep_limits(o, s->ts, e);
	return 0;
}

int outbox_put_run(struct outbox *o, const struct wire_run *r, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	CLEANUP(buf_done) struct buf b;
	struct json_out out;

	buf_init(&b, RUN_JSON_MAX);
	json_out_init(&out, &b);
	wire_run_put(&out, NULL, r);
	if (buf_check(&b, "the run", e) ||
	    sql_prepare(
		    o->db, &s,
		    "INSERT INTO run (uuid, rev, started, json) VALUES (?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET"
		    " rev = excluded.rev, started = excluded.started, json = excluded.json, not_before = 0, refused = "
		    "NULL"
		    " WHERE excluded.rev > rev",
		    e))
		return -1;
	sql_bind_str(s, 1, r->uuid);
	sql_bind_int(s, 2, r->rev);
	sql_bind_int(s, 3, r->started);
	sql_bind_str(s, 4, b.p);
	return sql_run(s, e) ? err_wrap(e, "outbox") : 0;
}

int outbox_samples(struct outbox *o, size_t limit, struct outbox_batch *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int got;

	*ret = (struct outbox_batch){0};
	buf_init(&ret->json, OUTBOX_BATCH_BYTES + SAMPLE_JSON_MAX);
	if (sql_prepare(o->db, &s, "SELECT ts, json FROM sample ORDER BY ts DESC LIMIT ?", e))
		return -1;
	sql_bind_int(s, 1, (int64_t)limit);
	if (limit != 1)
		buf_addc(&ret->json, '[');
	while ((got = sql_step(s, e)) > 0) {
		const char *json = str_or(sql_str(s, 1), "{}");

		if (ret->ts.n && ret->json.len + strlen(json) + 2 > OUTBOX_BATCH_BYTES)
			break;
		if (ret->ts.n)
			buf_addc(&ret->json, ',');
		buf_adds(&ret->json, json);
		*list_push(&ret->ts) = sql_int(s, 0);
	}
	if (limit != 1)
		buf_addc(&ret->json, ']');
	return got < 0 ? err_wrap(e, "outbox") : buf_check(&ret->json, "a batch of samples", e);
}

int outbox_samples_gone(struct outbox *o, const struct outbox_batch *b, struct err *e)
{
	struct err ignored;

	if (sql_exec(o->db, "BEGIN IMMEDIATE", e))
		return -1;
	for (size_t i = 0; i < b->ts.n; i++)
		if (run_ints(o, "DELETE FROM sample WHERE ts = ?", &b->ts.v[i], 1, e)) {
			if (sql_exec(o->db, "ROLLBACK", &ignored))
				return err_wrap(e, "outbox, and the rollback failed");
			return err_wrap(e, "outbox");
		}
	return sql_exec(o->db, "COMMIT", e);
}

void outbox_batch_done(struct outbox_batch *b)
{
	buf_done(&b->json);
	list_done(&b->ts);
}

int outbox_run(struct outbox *o, int64_t now, struct outbox_run *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int got;

	*ret = (struct outbox_run){0};
	if (sql_prepare(o->db, &s,
			"SELECT uuid, rev, json FROM run WHERE not_before <= ? ORDER BY rowid LIMIT 1", e))
		return -1;
	sql_bind_int(s, 1, now);
	if ((got = sql_step(s, e)) <= 0)
		return got < 0 ? err_wrap(e, "outbox") : 0;
	str_cut(ret->uuid, sizeof(ret->uuid), str_or(sql_str(s, 0), ""));
	ret->rev = sql_int(s, 1);
	ret->json = xstrdup(str_or(sql_str(s, 2), "{}"));
	return 0;
}

int outbox_run_gone(struct outbox *o, const char *uuid, int64_t rev, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(o->db, &s, "DELETE FROM run WHERE uuid = ? AND rev <= ?", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_int(s, 2, rev);
	return sql_run(s, e);
}

int outbox_run_refused(struct outbox *o, const struct outbox_run *r, int64_t not_before, const char *why, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(o->db, &s, "UPDATE run SET not_before = ?, refused = ? WHERE uuid = ? AND rev = ?", e))
		return -1;
	sql_bind_int(s, 1, not_before);
	sql_bind_str(s, 2, why);
	sql_bind_str(s, 3, r->uuid);
	sql_bind_int(s, 4, r->rev);
	return sql_run(s, e);
}

int outbox_depth(struct outbox *o, int64_t *ret, struct err *e)
{
	return one_int(o, "SELECT (SELECT count(*) FROM sample) + (SELECT count(*) FROM run)", ret, e);
}
