/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_ingest.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/tbl_event.h"
#include "masterd/tbl_sample.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* A row of the journal takes samples up to ROW_MIN bytes and those of one more request. */
enum { DOC_MAX = 1 << 18, ROW_MIN = 1 << 20, ROW_MAX = 1 << 22, RECORD_MAX = 1 << 13 };

struct ingest *ingest_new(struct master *m, int64_t node_id, int64_t now)
{
	struct ingest *v = xcalloc(1, sizeof(*v));

	v->m = m;
	v->node_id = node_id;
	v->now = now;
	buf_init(&v->frames, ROW_MAX - ROW_MIN);
	buf_init(&v->row, ROW_MAX);
	return v;
}

void ingest_free(void *ingest)
{
	struct ingest *v = ingest;

	for (size_t i = 0; i < v->samples.n; i++)
		wire_sample_done(&v->samples.v[i].s);
	list_done(&v->samples);
	buf_done(&v->frames);
	buf_done(&v->row);
	for (size_t i = 0; i < v->standing.n; i++)
		wire_run_done(&v->standing.v[i]);
	list_done(&v->standing);
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
}

/* What other masters cannot see in the numbers: a report that is due anyway, or runs at work. */
static char *extra_of(struct ingest *v, const struct wire_sample *s, bool newest)
{
	if (!v->m->shared)
		return NULL;
	if (newest && v->report)
		return xstrdup(v->report);
	return s->runs.n ? report_of(s) : NULL;
}

static void put_frame(struct ingest *v, const struct ingest_sample *s, bool newest)
{
	CLEANUP(freep) char *extra = extra_of(v, &s->s, newest);
	struct frame f = {.node_id = v->node_id, .skewed = s->skewed, .extra = extra};
	struct buf record;

	buf_init(&record, RECORD_MAX);
	record_put(&record, &s->s);
	f.record = (const uint8_t *)record.p;
	f.record_n = record.len;
	f.extra_n = extra ? strlen(extra) : 0;
	frame_put(&v->frames, &f);
	buf_done(&record);
}

static int write_row(struct ingest *v, struct db *db, struct err *e)
{
	struct journal_row row = {.at = v->now, .samples = v->row_samples, .doc = v->row.p, .n = v->row.len};

	if (buf_check(&v->row, "a row of samples", e))
		return -1;
	v->row_id.id = ++v->m->journaled;
	str_cut(v->row_id.origin, sizeof(v->row_id.origin), v->m->instance);
	row.id = v->row_id;
	return tbl_journal_add(db, &row, e);
}

/* All samples of a transaction: the first of those that share a row of the journal carries it. */
static int gather_samples(struct job *first, struct db *db, struct err *e)
{
	struct ingest *carrier = (struct ingest *)first;

	for (struct job *j = first; j; j = j->gathered) {
		struct ingest *v = (struct ingest *)j;

		if (carrier->row.len > ROW_MIN) {
			if (write_row(carrier, db, e))
				return -1;
			carrier = v;
		}
		buf_add(&carrier->row, v->frames.p, v->frames.len);
		carrier->row_samples += (int64_t)v->samples.n;
		if (v->report && tbl_report_put(db, v->node_id, v->now, v->report, e))
			return -1;
	}
	return write_row(carrier, db, e);
}

static void show_samples(struct job *job)
{
	struct ingest *v = (struct ingest *)job;
	struct err e;

	if (v->row.len && hot_add(v->m->hot, &v->row_id, v->row.p, v->row.len, &e))
		log_error("%s", e.msg);
	for (size_t i = 0; i < v->samples.n; i++)
		live_sample(v->m->live, v->node_id, &v->samples.v[i].s, v->samples.v[i].skewed, v->now);
}

int ingest_samples(struct ingest *v, struct err *e)
{
	size_t newest = 0;

	for (size_t i = 0; i < v->samples.n; i++) {
		place_in_time(v, &v->samples.v[i]);
		if (v->samples.v[i].s.ts >= v->samples.v[newest].s.ts)
			newest = i;
	}
	if (v->samples.n && live_report_due(v->m->live, v->node_id, v->now))
		v->report = report_of(&v->samples.v[newest].s);
	for (size_t i = 0; i < v->samples.n; i++)
		put_frame(v, &v->samples.v[i], i == newest);
	if (buf_check(&v->frames, "a list of samples", e))
		return -1;
	v->job.gather = gather_samples;
	v->job.committed = show_samples;
	return writer_put(v->m->writer, &v->job, e);
}

/* ---- runs */

static int keep_standing(void *ctx, const struct run_row *row)
{
	struct ingest *v = ctx;

	(void)run_row_get(list_push(&v->standing), row);
	return 0;
}

/* It may have been the last good run of its site until now. */
static bool is_doubtful(const struct wire_run *r)
{
	return r->state == RUN_SUSPECT || r->state == RUN_FAILED || r->pruned;
}

static int run_run(struct job *job, struct db *db, struct err *e)
{
	struct ingest *v = (struct ingest *)job;
	struct event ev = {.at = v->now, .kind = EVENT_RUN, .node_id = v->node_id};

	if (tbl_run_put(db, v->node_id, v->run, v->now, &v->fate, e))
		return -1;
	str_cut(ev.origin, sizeof(ev.origin), v->m->instance);
	str_cut(ev.ref, sizeof(ev.ref), v->run->uuid);
	if (v->fate.news && is_doubtful(v->run) && tbl_run_standing(db, v->node_id, v->run->site, keep_standing, v, e))
		return -1;
	return v->fate.news ? tbl_event_add(db, &ev, e) : 0;
}

static void tell_clock(const struct ingest *v)
{
	char name[WIRE_HOST], said[24], took[24], span[UNITS_TEXT];

	if (!v->fate.first || v->run->clock_ahead_s < 0)
		return;
	live_name(v->m->live, v->node_id, name);
	log_warn("%s: run %.8s of %s says that it began at %s, %s ahead of this clock: it counts as begun at %s; was the node's clock wrong?",
		 name, v->run->uuid, v->run->site, clock_format(said, sizeof(said), "%Y-%m-%d %H:%M UTC", v->run->started),
		 units_span(span, v->run->clock_ahead_s * 1000), clock_format(took, sizeof(took), "%Y-%m-%d %H:%M UTC", v->run->began));
}

static void show_run(struct job *job)
{
	struct ingest *v = (struct ingest *)job;

	if (!v->fate.news)
		return;
	tell_clock(v);
	if (is_doubtful(v->run))
		live_doubt(v->m->live, v->node_id, v->run->site);
	for (size_t i = 0; i < v->standing.n; i++)
		live_run(v->m->live, v->node_id, &v->standing.v[i]);
	live_run(v->m->live, v->node_id, v->run);
}

int ingest_run(struct ingest *v, struct err *e)
{
	v->job.run = run_run;
	v->job.committed = show_run;
	return writer_put(v->m->writer, &v->job, e);
}
