/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_history.h"

#include <stdlib.h>

#include "masterd/roll.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FOLLOW_ROWS = 500 };

/* ---- the journal */

struct taking {
	struct master *m;
	int64_t max;              /* rows of each origin */
	bool shows;               /* every sample in live too, as it comes */
};

/* Into live: the whole report when there is one, else the numbers. */
static void show(struct master *m, const struct frame *f, int64_t at)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct block b = {0};
	struct wire_sample s;

	if (f->extra && !json_parse(&j, f->extra, f->extra_n, NULL)) {
		wire_sample_init(&s);
		wire_sample_get(&s, j, "", &p);
		if (!p.n)
			live_sample(m->live, f->node_id, &s, f->skewed, at);
	} else if (!record_get(&b, f->record, f->record_n, NULL)) {
		row_to_wire(&s, &b, &b.rows.v[0]);
		live_numbers(m->live, f->node_id, &s, f->skewed, at);
	} else {
		wire_sample_init(&s);
	}
	wire_sample_done(&s);
	block_done(&b);
}

/* A row that another master wrote, or we in another life. What is damaged is lost; it may not keep out the rest. */
static int take_row(void *ctx, const struct journal_row *row, struct err *e)
{
	struct taking *v = ctx;
	const uint8_t *p = row->doc, *end = p + row->n;
	struct frame f;

	if (hot_add(v->m->hot, &row->id, row->doc, row->n, e))
		log_error("row %lld of %s: %s", (long long)row->id.id, row->id.origin, e->msg);
	while (v->shows && frame_get(&p, end, &f, e) > 0)
		show(v->m, &f, row->at);
	return 0;
}

/* Of every origin but us what is new. */
static int take_journal(struct taking *v, struct db *db, struct err *e)
{
	struct journal_id next = {.id = 0}, last;
	int got;

	while ((got = tbl_journal_next(db, &next, e)) > 0) {
		if (str_eq(next.origin, v->m->instance))
			continue;
		last = next;
		last.id = hot_cursor(v->m->hot, next.origin);
		if (tbl_journal_each(db, &last, v->max, take_row, v, e))
			return -1;
	}
	return got;
}

static int with_reader(struct taking *v, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(v->m->pool, &db, e))
		return -1;
	rc = take_journal(v, db, e);
	db_pool_give(v->m->pool, db);
	return rc;
}

/* The newest sample of each node: whole reports are a minute old. */
static void show_newest(struct master *m)
{
	int64_t id = 0, now = clock_ms();

	while (hot_nodes(m->hot, id, &id, 1)) {
		struct block b = {0};
		struct wire_sample s;
		uint32_t upto;

		hot_read(m->hot, id, &b, &upto);
		if (b.rows.n) {
			const struct row *r = &b.rows.v[b.rows.n - 1];

			row_to_wire(&s, &b, r);
			live_numbers(m->live, id, &s, false, r->ts < now ? r->ts : now);
			wire_sample_done(&s);
		}
		block_done(&b);
	}
}

int history_load(struct master *m, struct err *e)
{
	struct taking v = {.m = m, .max = INT64_MAX};
	int64_t began = clock_mono_ms();
	struct hot_size size;

	if (with_reader(&v, e))
		return -1;
	show_newest(m);
	hot_size(m->hot, &size);
	log_debug("%llu samples read from the journal in %lld ms", (unsigned long long)size.samples,
		  (long long)(clock_mono_ms() - began));
	return 0;
}

void history_follow(struct master *m, int64_t now)
{
	struct taking v = {.m = m, .max = FOLLOW_ROWS, .shows = true};
	struct err e;

	(void)now;
	/* a database that is away is said once, by the writer */
	if (m->shared && with_reader(&v, &e) && e.kind != ERR_BUSY)
		log_error("samples of other masters: %s", e.msg);
}

static int settle(struct master *m, struct db *db, const struct journal_id *end, struct err *e)
{
	struct journal_id v = *end;
	int got = tbl_journal_first(db, &v, e);

	if (got < 0)
		return -1;
	/* none left: all that we had read before we asked */
	hot_settled(m->hot, end->origin, got && v.id <= end->id ? v.id : end->id + 1);
	return 0;
}

void history_settle(struct master *m, int64_t now)
{
	struct journal_ids ends = {0};
	struct db *db = NULL;
	struct err e;
	int rc;

	(void)now;
	hot_ends(m->hot, &ends);
	rc = db_pool_take(m->pool, &db, &e);
	for (size_t i = 0; i < ends.n && !rc; i++)
		rc = settle(m, db, &ends.v[i], &e);
	if (rc && e.kind != ERR_BUSY)
		log_error("samples: %s", e.msg);
	db_pool_give(m->pool, db);
	list_done(&ends);
}

/* ---- merging: what memory holds of a node meets its blocks */

struct merging {
	const struct master *m;
	struct db *db;
	int64_t node_id, now;
	struct block src;
	enum sample_news *news;
	uint32_t upto;
};

int64_t history_keeps(const struct master *m, enum resolution r)
{
	static const int64_t hour = 3600 * 1000, day = 24 * hour;

	return r == RES_RAW ? m->config->keep_raw_h * hour
		: (r == RES_MINUTE ? m->config->keep_minute_d : m->config->keep_hour_d) * day;
}

static void begin(struct merging *v)
{
	hot_read(v->m->hot, v->node_id, &v->src, &v->upto);
	v->news = xcalloc(v->src.rows.n + 1, sizeof(*v->news));
	for (size_t i = 0; i < v->src.rows.n; i++)
		v->news[i] = NEW;
}

static void end(struct merging *v)
{
	block_done(&v->src);
	free(v->news);
}

static void late(struct merging *v, const struct span *s)
{
	for (size_t i = 0; i < v->src.rows.n; i++)
		if (v->src.rows.v[i].ts >= s->from && v->src.rows.v[i].ts < s->to && v->news[i] == NEW)
			v->news[i] = LATE;
}

/* Into b, the block at k as it would be with all of src; empty when it is past its time. */
static int merge(struct merging *v, const struct block_key *k, struct block *b, bool *changed, struct err *e)
{
	const struct span s = {
		.src = &v->src, .news = v->news, .from = k->start, .to = k->start + resolution_span(k->res)};

	*changed = false;
	if (s.to <= v->now - history_keeps(v->m, k->res)) {
		if (k->res == RES_RAW)
			late(v, &s);
		return 0;
	}
	if (tbl_block_get(v->db, k, b, e)) {
		if (e->kind != ERR_DAMAGED)
			return -1;
		/* what cannot be read must not keep out what comes */
		log_error("%s", e->msg);
		late(v, &s);
	}
	*changed = k->res == RES_RAW ? roll_raw(b, &s) : roll_add(b, &s, resolution_step(k->res));
	return 0;
}

/* All blocks of the resolution that src touches; kept when put. */
static int merge_touched(struct merging *v, enum resolution res, bool put, struct err *e)
{
	const int64_t span = resolution_span(res);

	for (size_t i = 0; i < v->src.rows.n;) {
		struct block_key k = {.res = res, .node_id = v->node_id, .start = v->src.rows.v[i].ts / span * span};
		struct block b = {0};
		bool changed;
		int rc = merge(v, &k, &b, &changed, e);

		if (!rc && put && changed)
			rc = tbl_block_put(v->db, &k, &b, e);
		block_done(&b);
		if (rc)
			return -1;
		while (i < v->src.rows.n && v->src.rows.v[i].ts < k.start + span)
			i++;
	}
	return 0;
}

int history_pack_node(struct master *m, struct db *db, int64_t node_id, uint32_t *upto, struct err *e)
{
	struct merging v = {.m = m, .db = db, .node_id = node_id, .now = clock_ms()};
	int rc = 0;

	begin(&v);
	*upto = v.upto;
	for (int r = RES_RAW; r < RESOLUTIONS && !rc; r++)
		rc = merge_touched(&v, (enum resolution)r, true, e);
	end(&v);
	return rc;
}

/* ---- series */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int each_block(struct merging *v, const struct series *s, struct err *e)
{
	const int64_t span = resolution_span(s->res);
	struct block_key k = {.res = s->res, .node_id = s->node_id};

	/* those of one more span may not be deleted yet */
	k.start = later(s->from, v->now - history_keeps(v->m, s->res)) / span * span;
	for (; k.start < s->to && k.start <= v->now + span; k.start += span) {
		struct block b = {0};
		bool changed;
		int rc = merge(v, &k, &b, &changed, e);

		if (!rc && b.rows.n)
			s->each(s->ctx, &b);
		block_done(&b);
		if (rc)
			return -1;
	}
	return 0;
}

int history_series(struct master *m, const struct series *s, struct err *e)
{
	struct merging v = {.m = m, .node_id = s->node_id, .now = clock_ms()};
	int rc;

	if (db_pool_take(m->pool, &v.db, e))
		return -1;
	/* memory first: what is packed meanwhile is then seen in both, once */
	begin(&v);
	rc = 0;
	for (int r = RES_RAW; r < (int)s->res && !rc; r++)
		rc = merge_touched(&v, (enum resolution)r, false, e);
	if (!rc)
		rc = each_block(&v, s, e);
	end(&v);
	db_pool_give(m->pool, v.db);
	return rc;
}

/* ---- disks */

static void each_hours(void *ctx, const struct block *b)
{
	const struct disks_of *d = ctx;

	for (size_t i = 0; i < b->rows.n; i++)
		for (size_t k = 0; k < b->n_mounts; k++) {
			const struct row *r = &b->rows.v[i];

			if (r->ts >= d->from && r->disk[k] >= 0)
				d->each(d->ctx, &(struct disk_hour){b->mounts[k], r->ts, mount_value(r->disk[k])});
		}
}

int history_disks(struct master *m, const struct disks_of *d, struct err *e)
{
	struct disks_of copy = *d;
	const struct series s = {
		.node_id = d->node_id, .from = d->from, .to = INT64_MAX, .res = RES_HOUR, .each = each_hours, .ctx = &copy};

	return history_series(m, &s, e);
}
