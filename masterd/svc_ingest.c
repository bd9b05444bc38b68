/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_ingest.h"

#include <stdlib.h>

#include "masterd/tbl_event.h"
#include "masterd/tbl_run.h"
#include "masterd/tbl_sample.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DOC_MAX = 1 << 18, EXPIRE_NODES = 8 };

struct ingest *ingest_new(struct master *m, int64_t node_id, int64_t now)
{
	struct ingest *v = xcalloc(1, sizeof(*v));

	v->m = m;
	v->node_id = node_id;
	v->now = now;
	return v;
}

void ingest_free(void *ingest)
{
	struct ingest *v = ingest;

	for (size_t i = 0; i < v->samples.n; i++) {
		wire_sample_done(&v->samples.v[i].s);
		free(v->samples.v[i].disks);
	}
	list_done(&v->samples);
	if (v->run)
		wire_run_done(v->run);
	free(v->run);
	free(v->report);
	free(v);
}

struct wire_sample *ingest_add(struct ingest *v)
{
	struct ingest_sample *s = list_push(&v->samples);

	wire_sample_init(&s->s);
	return &s->s;
}

/* ---- samples */

static char *disks_of(const struct wire_sample *s)
{
	struct json_out o;
	struct buf b;

	if (!s->disks.n)
		return NULL;
	buf_init(&b, DOC_MAX);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	for (size_t i = 0; i < s->disks.n; i++) {
		json_obj(&o, NULL);
		json_put_str(&o, "mount", s->disks.v[i].mount);
		json_put_num(&o, "percent", s->disks.v[i].percent);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	return buf_take(&b);
}

static char *report_of(const struct wire_sample *s)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, DOC_MAX);
	json_out_init(&o, &b);
	wire_sample_put(&o, NULL, s);
	return b.over ? (buf_done(&b), NULL) : buf_take(&b);
}

/* Its time must be one that we can believe. One of the moment shows a clock that
 * is behind; in a list old ones are what it is for. */
static void place_in_time(const struct ingest *v, struct ingest_sample *s)
{
	if (!s->s.ts)
		s->s.ts = v->now;
	s->skewed = s->s.ts > v->now + CLOCK_OFF_MS || (!v->list && s->s.ts < v->now - CLOCK_OFF_MS);
	if (s->s.ts > v->now + CLOCK_OFF_MS)
		s->s.ts = v->now;
	s->old = s->s.ts < v->now - v->m->config->keep_raw_h * 3600 * 1000;
}

static int run_samples(struct job *job, struct db *db, struct err *e)
{
	struct ingest *v = (struct ingest *)job;

	for (size_t i = 0; i < v->samples.n; i++) {
		const struct ingest_sample *s = &v->samples.v[i];

		if (!s->old && tbl_sample_add(db, v->node_id, &s->s, s->disks, s->skewed, e))
			return -1;
	}
	return v->report ? tbl_report_put(db, v->node_id, v->now, v->report, e) : 0;
}

static void show_samples(struct job *job)
{
	struct ingest *v = (struct ingest *)job;

	for (size_t i = 0; i < v->samples.n; i++)
		live_sample(v->m->live, v->node_id, &v->samples.v[i].s, v->samples.v[i].skewed, v->now);
}

int ingest_samples(struct ingest *v, struct err *e)
{
	const struct wire_sample *newest = NULL;

	for (size_t i = 0; i < v->samples.n; i++) {
		struct ingest_sample *s = &v->samples.v[i];

		place_in_time(v, s);
		s->disks = disks_of(&s->s);
		if (!newest || s->s.ts >= newest->ts)
			newest = &s->s;
	}
	if (newest && live_report_due(v->m->live, v->node_id, v->now))
		v->report = report_of(newest);
	v->job.run = run_samples;
	v->job.committed = show_samples;
	v->job.single = v->samples.n == 1 && !v->report;
	return writer_put(v->m->writer, &v->job, e);
}

/* ---- runs */

static int run_run(struct job *job, struct db *db, struct err *e)
{
	struct ingest *v = (struct ingest *)job;
	struct event ev = {.at = v->now, .kind = EVENT_RUN, .node_id = v->node_id};

	if (tbl_run_put(db, v->node_id, v->run, v->now, &v->news, e))
		return -1;
	str_cut(ev.origin, sizeof(ev.origin), v->m->instance);
	str_cut(ev.ref, sizeof(ev.ref), v->run->uuid);
	return v->news ? tbl_event_add(db, &ev, e) : 0;
}

static void show_run(struct job *job)
{
	struct ingest *v = (struct ingest *)job;

	if (v->news)
		live_run(v->m->live, v->node_id, v->run);
}

int ingest_run(struct ingest *v, struct err *e)
{
	v->job.run = run_run;
	v->job.committed = show_run;
	return writer_put(v->m->writer, &v->job, e);
}

/* ---- the raw window */

struct expire {
	struct job job;
	int64_t before;
	int64_t ids[EXPIRE_NODES];
	size_t n;
};

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	struct expire *x = (struct expire *)job;

	for (size_t i = 0; i < x->n; i++)
		if (tbl_sample_expire(db, x->ids[i], x->before, e))
			return -1;
	return 0;
}

static void drop_expire(struct job *job)
{
	free(job);
}

void ingest_expire(struct master *m, int64_t now)
{
	struct expire *x = xcalloc(1, sizeof(*x));
	struct err e;

	x->before = now - m->config->keep_raw_h * 3600 * 1000;
	x->n = live_ids(m->live, &m->expire_cursor, x->ids, EXPIRE_NODES);
	x->job.run = run_expire;
	x->job.drop = drop_expire;
	if (!x->n || writer_put(m->writer, &x->job, &e))
		free(x);
}
