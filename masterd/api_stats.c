/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/svc_ingest.h"
#include "masterd/svc_history.h"
#include "shared/clock.h"
#include "shared/mem.h"

/* ---- POST /stats */

static enum verdict recorded(struct req *r)
{
	struct ingest *v = r->state;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	metrics_samples(r->m->metrics, v->samples.n);
	r->status = 200;
	live_answer(r->m->live, v->node_id, &r->out);
	return REPLY;
}

static void read_list(struct ingest *v, const struct json *j, struct problems *p)
{
	char path[24];
	size_t i = 0;

	if (json_count(j) > SAMPLES_MAX) {
		problems_add(p, "", "a list has at most %d samples", SAMPLES_MAX);
		return;
	}
	if (!json_count(j))
		problems_add(p, "", "the list is empty");
	for (const struct json *c = json_first(j); c; c = json_next(c), i++) {
		snprintf(path, sizeof(path), "[%zu]", i);
		if (json_type(c) != JSON_OBJECT)
			problems_add(p, path, "must be an object");
		else
			wire_sample_get(ingest_add(v), c, path, p);
	}
}

enum verdict api_stats(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct ingest *v;
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	v = ingest_new(r->m, r->who.node_id, r->now);
	r->state = v;
	r->state_free = ingest_free;
	v->list = json_type(j) == JSON_ARRAY;
	if (v->list)
		read_list(v, j, &p);
	else
		wire_sample_get(ingest_add(v), j, "", &p);
	if (p.n)
		return reply_problems(r, &p);
	v->job.ticket = &r->ticket;
	r->then = recorded;
	r->soon = writer_soon(r->m->writer);
	return ingest_samples(v, &e) ? reply_err(r, &e) : LATER;
}

/* ---- GET /nodes/{id}/stats */

enum { POINTS_MAX = 10000, POINTS_AIM = 360, HOUR_MS = 3600 * 1000, ITEM_MAX = 1 << 16 };

/* The members of a point. */
static const char *const members[METRICS] = {
	[M_CPU] = "cpu_usage",
	[M_DISK] = "disk_usage",
	[M_ACTIVE] = "active_backups",
	[M_MEM_TOTAL] = "memory_total",
	[M_MEM_USED] = "memory_used",
	[M_SWAP_TOTAL] = "swap_total",
	[M_SWAP_USED] = "swap_used",
	[M_LOAD1] = "load1",
	[M_LOAD5] = "load5",
	[M_LOAD15] = "load15",
	[M_IO_READ] = "io_read",
	[M_IO_WRITE] = "io_write",
	[M_NET_RX] = "net_rx",
	[M_NET_TX] = "net_tx",
	[M_PRESS_CPU] = "pressure_cpu",
	[M_PRESS_IO] = "pressure_io",
	[M_PRESS_MEM] = "pressure_memory",
};

struct mean {
	double sum;
	int64_t n;
};

/* One step of the series being added up. */
struct step_of {
	struct json_out *o;
	struct series s;
	int64_t step, at;         /* at: start of the open step, -1 none */
	struct block names;       /* the mounts met so far, by their number in mounts */
	char *quoted[MOUNTS_MAX]; /* they as JSON, with the colon */
	struct buf item;          /* a point as JSON */
	struct mean means[METRICS], mounts[MOUNTS_MAX];
	double cpu_max, load1_max;
	int64_t samples;
};

/* A series has a hundred thousand numbers: they are written without printf, into room that is there. */
enum { POINT_TEXT = 2048 /* more than all members but disks can take */ };
static const double NUMBER_MAX = 1e15;

static char *text_to(char *p, const char *text)
{
	size_t n = strlen(text);

	memcpy(p, text, n);
	return p + n;
}

/* In hundredths; 0 <= v. */
static char *number_to(char *p, double v)
{
	char text[24], *t = text + sizeof(text);
	int64_t n = llround(fmin(v, NUMBER_MAX) * 100);

	*--t = '\0';
	if (n % 100) {
		if (n % 10)
			*--t = (char)('0' + n % 10);
		*--t = (char)('0' + n / 10 % 10);
		*--t = '.';
	}
	n /= 100;
	do {
		*--t = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return text_to(p, t);
}

static char *member_to(char *p, const char *name, double v)
{
	p = text_to(p, ",\"");
	p = text_to(p, name);
	p = text_to(p, "\":");
	return number_to(p, v);
}

static void put_mounts(struct step_of *b)
{
	char number[24];
	bool any = false;

	for (size_t i = 0; i < MOUNTS_MAX; i++) {
		if (!b->mounts[i].n)
			continue;
		buf_adds(&b->item, any ? "," : ",\"disks\":{");
		any = true;
		buf_adds(&b->item, b->quoted[i]);
		*number_to(number, b->mounts[i].sum / (double)b->mounts[i].n) = '\0';
		buf_adds(&b->item, number);
	}
	if (any)
		buf_addc(&b->item, '}');
}

/* Memory in use is stored less finely than what there is of it. */
static double mean_of(const struct step_of *b, enum metric m)
{
	enum metric whole = m == M_MEM_USED ? M_MEM_TOTAL : m == M_SWAP_USED ? M_SWAP_TOTAL : METRICS;
	double v = b->means[m].sum / (double)b->means[m].n;

	if (whole != METRICS && b->means[whole].n)
		v = fmin(v, b->means[whole].sum / (double)b->means[whole].n);
	return v;
}

static void end_step(struct step_of *b)
{
	char ts[CLOCK_TEXT], *p, *start;

	if (b->at < 0)
		return;
	buf_reset(&b->item);
	start = p = buf_room(&b->item, POINT_TEXT);
	p = text_to(p, "{\"ts\":\"");
	p = text_to(p, clock_rfc3339(ts, b->at));
	p = text_to(p, "\"");
	for (int i = 0; i < METRICS; i++)
		if (b->means[i].n)
			p = member_to(p, members[i], mean_of(b, (enum metric)i));
	p = member_to(p, "cpu_max", b->cpu_max);
	if (b->means[M_LOAD1].n)
		p = member_to(p, "load1_max", b->load1_max);
	p = member_to(p, "samples", (double)b->samples);
	buf_grew(&b->item, (size_t)(p - start));
	put_mounts(b);
	buf_addc(&b->item, '}');
	json_put_raw(b->o, NULL, b->item.p);
}

static void begin_step(struct step_of *b, int64_t at)
{
	b->at = at;
	memset(b->means, 0, sizeof(b->means));
	memset(b->mounts, 0, sizeof(b->mounts));
	b->cpu_max = b->load1_max = 0;
	b->samples = 0;
}

static void add(struct mean *m, double v, int64_t n)
{
	if (!isfinite(v))
		return;
	m->sum += v * (double)n;
	m->n += n;
}

/* The highest of a row: a rollup knows it, a sample is it. */
static double highest(const struct row *r, enum metric mean, enum metric max)
{
	return r->v[max] >= 0 ? metric_value(max, r->v[max]) : metric_value(mean, r->v[mean]);
}

static void add_row(struct step_of *b, const struct row *r, const int *mounts, size_t n_mounts)
{
	int64_t off = r->ts - b->s.from, at = b->s.from + (off - (off % b->step + b->step) % b->step);

	if (at != b->at) {
		end_step(b);
		begin_step(b, at);
	}
	b->samples += r->n;
	b->cpu_max = fmax(b->cpu_max, highest(r, M_CPU, M_CPU_MAX));
	b->load1_max = fmax(b->load1_max, highest(r, M_LOAD1, M_LOAD1_MAX));
	for (int i = 0; i < METRICS; i++)
		add(&b->means[i], metric_value((enum metric)i, r->v[i]), r->n);
	for (size_t i = 0; i < n_mounts; i++)
		if (mounts[i] >= 0)
			add(&b->mounts[mounts[i]], mount_value(r->disk[i]), r->n);
}

static char *quoted(const char *name)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, ITEM_MAX);
	json_out_init(&o, &b);
	json_put_str(&o, NULL, name);
	buf_addc(&b, ':');
	return buf_take(&b);
}

static void each_block(void *ctx, const struct block *block)
{
	struct step_of *b = ctx;
	int mounts[MOUNTS_MAX];

	for (size_t i = 0; i < block->n_mounts; i++) {
		mounts[i] = block_mount(&b->names, block->mounts[i], strlen(block->mounts[i]));
		if (mounts[i] >= 0 && !b->quoted[mounts[i]])
			b->quoted[mounts[i]] = quoted(block->mounts[i]);
	}
	for (size_t i = 0; i < block->rows.n; i++)
		if (block->rows.v[i].ts >= b->s.from && block->rows.v[i].ts < b->s.to)
			add_row(b, &block->rows.v[i], mounts, block->n_mounts);
}

/* The finest that reaches back so far and is not a waste of rows. A step is never finer than it. */
static void choose(struct step_of *b, const struct master *m, int64_t now)
{
	struct series *s = &b->s;
	int64_t length = s->to - s->from;
	enum resolution r = RES_RAW;

	if (s->from < now - history_keeps(m, RES_RAW) || (b->step >= 60000 && length > 2 * HOUR_MS))
		r = RES_MINUTE;
	if (r == RES_MINUTE &&
	    (s->from < now - history_keeps(m, RES_MINUTE) || (b->step >= HOUR_MS && length > 48LL * HOUR_MS)))
		r = RES_HOUR;
	s->res = r;
	if (b->step < resolution_step(r))
		b->step = resolution_step(r);
	/* so that every point gets its share, and the first one is whole */
	if (resolution_step(r)) {
		b->step -= b->step % resolution_step(r);
		s->from -= s->from % resolution_step(r);
	}
}

/* from, to and step, from the query or such that a page of points comes out. */
static bool read_range(struct req *r, int64_t *from, int64_t *to, int64_t *step)
{
	int64_t seconds = 0;

	*to = r->now + 1;
	*from = 0;
	if (!req_query_time(r, "to", to))
		return false;
	*from = *to - HOUR_MS;
	if (!req_query_time(r, "from", from) || !req_query_int(r, "step", 1, 86400, &seconds))
		return false;
	if (*from >= *to) {
		reply_problem(r, 422, "from must be before to");
		return false;
	}
	*step = seconds ? seconds * 1000 : ((*to - *from) / POINTS_AIM / 1000 + 1) * 1000;
	if ((*to - *from) / *step > POINTS_MAX) {
		r->hint = "use a larger step";
		reply_problem(r, 422, "that would be more than %d points", POINTS_MAX);
		return false;
	}
	return true;
}

static int put_series(struct req *r, struct step_of *b, const char *name, struct err *e)
{
	b->o = reply_json(r, 200);
	json_obj(b->o, NULL);
	json_put_int(b->o, "node_id", b->s.node_id);
	json_put_str(b->o, "node", name);
	json_put_time(b->o, "from", b->s.from);
	json_put_time(b->o, "to", b->s.to);
	json_put_num(b->o, "step_s", (double)b->step / 1000);
	json_put_str(b->o, "resolution", resolution_name(b->s.res));
	json_arr(b->o, "items");
	if (history_series(r->m, &b->s, e))
		return -1;
	end_step(b);
	json_end_arr(b->o);
	json_end_obj(b->o);
	return 0;
}

enum verdict api_node_stats(struct req *r)
{
	struct step_of *b;
	char name[WIRE_HOST];
	int64_t id, from, to, step;
	struct err e;
	int rc;

	if (!api_node_id(r, &id) || !read_range(r, &from, &to, &step))
		return REPLY;
	live_name(r->m->live, id, name);
	if (!name[0])
		return reply_problem(r, 404, "there is no node %lld", (long long)id);
	b = xcalloc(1, sizeof(*b));
	b->s = (struct series){.node_id = id, .from = from, .to = to, .each = each_block, .ctx = b};
	b->step = step;
	b->at = -1;
	buf_init(&b->item, ITEM_MAX);
	choose(b, r->m, r->now);
	rc = put_series(r, b, name, &e);
	block_done(&b->names);
	buf_done(&b->item);
	for (size_t i = 0; i < MOUNTS_MAX; i++)
		free(b->quoted[i]);
	free(b);
	return rc ? reply_err(r, &e) : REPLY;
}
