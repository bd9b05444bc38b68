/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_sample.h"

#include "masterd/pack.h"
#include "shared/mem.h"
#include "shared/str.h"

int tbl_journal_add(struct db *db, const struct journal_row *row, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO sample_journal(origin,id,at,n,doc) VALUES(?1,?2,?3,?4,?5)", e))
		return -1;
	db_set_str(&s, 1, row->id.origin);
	db_set_int(&s, 2, row->id.id);
	db_set_int(&s, 3, row->at);
	db_set_int(&s, 4, row->samples);
	db_set_blob(&s, 5, row->doc, row->n);
	return db_run(&s, e);
}

/* check-size: which rows, and who takes them */
int tbl_journal_each(struct db *db, struct journal_id *last, int64_t max,
		     int (*each)(void *ctx, const struct journal_row *row, struct err *e), void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct journal_row row = {.id = *last};
	int got;

	if (db_prepare(db, &s, "SELECT id,at,doc FROM sample_journal WHERE origin=?1 AND id>?2 ORDER BY id LIMIT ?3", e))
		return -1;
	db_set_str(&s, 1, last->origin);
	db_set_int(&s, 2, last->id);
	db_set_int(&s, 3, max);
	while ((got = db_step(&s, e)) > 0) {
		last->id = row.id.id = db_int(&s, 0);
		row.at = db_int(&s, 1);
		row.doc = db_blob(&s, 2, &row.n);
		if (each(ctx, &row, e))
			return -1;
	}
	return got;
}

int tbl_journal_next(struct db *db, struct journal_id *v, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT origin,id FROM sample_journal WHERE origin>?1 ORDER BY origin,id LIMIT 1", e))
		return -1;
	db_set_str(&s, 1, v->origin);
	got = db_step(&s, e);
	if (got <= 0)
		return got;
	str_cut(v->origin, sizeof(v->origin), db_str(&s, 0));
	v->id = db_int(&s, 1);
	return 1;
}

int tbl_journal_first(struct db *db, struct journal_id *v, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT min(id) FROM sample_journal WHERE origin=?1", e))
		return -1;
	db_set_str(&s, 1, v->origin);
	got = db_step(&s, e);
	if (got <= 0 || db_is_null(&s, 0))
		return got < 0 ? -1 : 0;
	v->id = db_int(&s, 0);
	return 1;
}

int tbl_journal_delete(struct db *db, const struct journal_id *upto, int64_t max, bool *more, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct journal_id first = *upto;
	int got = tbl_journal_first(db, &first, e);

	*more = got > 0 && first.id + max - 1 < upto->id;
	if (got <= 0)
		return got;
	if (db_prepare(db, &s, "DELETE FROM sample_journal WHERE origin=?1 AND id<=?2", e))
		return -1;
	db_set_str(&s, 1, upto->origin);
	db_set_int(&s, 2, *more ? first.id + max - 1 : upto->id);
	return db_run(&s, e);
}

/* ---- blocks */

enum { MINUTE_MS = 60000, BLOCK_MAX = 32 << 20 };
static const int64_t HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * 60 * MINUTE_MS;

static const struct {
	const char *name;
	int64_t step, span;
	const char *get, *put, *expire, *table;
} levels[RESOLUTIONS] = {
	{"raw", 0, HOUR_MS, "SELECT doc FROM sample_raw WHERE node_id=?1 AND start=?2",
	 "INSERT INTO sample_raw(node_id,start,doc) VALUES(?1,?2,?3) "
	 "ON CONFLICT(node_id,start) DO UPDATE SET doc=excluded.doc",
	 "DELETE FROM sample_raw WHERE node_id=?1 AND start<?2", "sample_raw"},
	{"minute", MINUTE_MS, DAY_MS, "SELECT doc FROM sample_minute WHERE node_id=?1 AND start=?2",
	 "INSERT INTO sample_minute(node_id,start,doc) VALUES(?1,?2,?3) "
	 "ON CONFLICT(node_id,start) DO UPDATE SET doc=excluded.doc",
	 "DELETE FROM sample_minute WHERE node_id=?1 AND start<?2", "sample_minute"},
	{"hour", HOUR_MS, 30 * DAY_MS, "SELECT doc FROM sample_hour WHERE node_id=?1 AND start=?2",
	 "INSERT INTO sample_hour(node_id,start,doc) VALUES(?1,?2,?3) "
	 "ON CONFLICT(node_id,start) DO UPDATE SET doc=excluded.doc",
	 "DELETE FROM sample_hour WHERE node_id=?1 AND start<?2", NULL},
};

const char *resolution_name(enum resolution r)
{
	return levels[r].name;
}

int64_t resolution_step(enum resolution r)
{
	return levels[r].step;
}

int64_t resolution_span(enum resolution r)
{
	return levels[r].span;
}

static int prepare(struct db *db, struct db_stmt *s, const char *text, const struct block_key *k, struct err *e)
{
	if (db_prepare(db, s, text, e))
		return -1;
	db_set_int(s, 1, k->node_id);
	db_set_int(s, 2, k->start);
	return 0;
}

int tbl_block_get(struct db *db, const struct block_key *k, struct block *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	const void *p;
	size_t n;
	int got;

	if (prepare(db, &s, levels[k->res].get, k, e))
		return -1;
	got = db_step(&s, e);
	if (got <= 0)
		return got;
	p = db_blob(&s, 0, &n);
	if (pack_read(ret, p, n, e))
		return err_wrap(e, "node %lld, %s block %lld", (long long)k->node_id, levels[k->res].name,
				(long long)k->start);
	return 0;
}

int tbl_block_put(struct db *db, const struct block_key *k, const struct block *b, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct buf doc;
	int rc;

	buf_init(&doc, BLOCK_MAX);
	rc = pack_write(&doc, b, k->res != RES_RAW, e) || prepare(db, &s, levels[k->res].put, k, e) ? -1 : 0;
	if (!rc) {
		db_set_blob(&s, 3, doc.p, doc.len);
		rc = db_run(&s, e);
	}
	buf_done(&doc);
	return rc;
}

int tbl_block_expire(struct db *db, const struct block_key *k, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	return prepare(db, &s, levels[k->res].expire, k, e) || db_run(&s, e) ? -1 : 0;
}

int tbl_block_days(struct db *db, enum resolution r, int64_t at, int64_t before, struct err *e)
{
	const struct db_days days = {levels[r].table, "start"};
	bool done;

	if (!days.table)
		return 0;
	/* a block lies in the piece of the day that it starts in, and ends in it */
	return db_day_add(db, &days, at, e) || db_day_add(db, &days, at + DAY_MS, e) ||
		       db_days_drop(db, &days, before, &done, e)
		? -1
		: 0;
}
