/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_history.h"

#include <string.h>

#include "masterd/tbl_sample.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FOLLOW_ROWS = 500 };

static const char *const names[RESOLUTIONS] = {"raw", "minute", "hour"};

const char *resolution_name(enum resolution r)
{
	return names[r];
}

/* ---- the journal */

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

static int take_row(void *ctx, const struct journal_row *row, struct err *e)
{
	struct master *m = ctx;
	const uint8_t *p = row->doc, *end = p + row->n;
	struct frame f;

	if (hot_add(m->hot, &row->id, row->doc, row->n, e))
		return -1;
	while (frame_get(&p, end, &f, e) > 0)
		show(m, &f, row->at);
	return 0;
}

/* Of every origin but us what is new, at most max rows of each. */
static int take_journal(struct master *m, struct db *db, int64_t max, struct err *e)
{
	struct journal_id v = {.id = 0}, last;
	int got;

	while ((got = tbl_journal_next(db, &v, e)) > 0) {
		if (str_eq(v.origin, m->instance))
			continue;
		last = v;
		last.id = hot_cursor(m->hot, v.origin);
		if (tbl_journal_each(db, &last, max, take_row, m, e))
			return -1;
	}
	return got;
}

static int with_reader(struct master *m, int64_t max, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(m->pool, &db, e))
		return -1;
	rc = take_journal(m, db, max, e);
	db_pool_give(m->pool, db);
	return rc;
}

int history_load(struct master *m, struct err *e)
{
	int64_t began = clock_mono_ms();
	struct hot_size size;

	if (with_reader(m, INT64_MAX, e))
		return -1;
	hot_size(m->hot, &size);
	log_debug("%llu samples read from the journal in %lld ms", (unsigned long long)size.samples,
		  (long long)(clock_mono_ms() - began));
	return 0;
}

void history_follow(struct master *m, int64_t now)
{
	struct err e;

	(void)now;
	/* a database that is away is said once, by the writer */
	if (m->shared && with_reader(m, FOLLOW_ROWS, &e) && e.kind != ERR_BUSY)
		log_error("samples of other masters: %s", e.msg);
}

/* ---- series */

int history_series(struct master *m, struct series *s, int64_t now, struct err *e)
{
	struct block all = {0};
	uint32_t upto;

	(void)now;
	(void)e;
	hot_read(m->hot, s->node_id, &all, &upto);
	s->res = RES_RAW;
	memcpy(s->rows.mounts, all.mounts, sizeof(all.mounts));
	s->rows.n_mounts = all.n_mounts;
	all.n_mounts = 0;
	for (size_t i = 0; i < all.rows.n; i++)
		if (all.rows.v[i].ts >= s->from && all.rows.v[i].ts < s->to)
			*list_push(&s->rows.rows) = all.rows.v[i];
	block_done(&all);
	return 0;
}
