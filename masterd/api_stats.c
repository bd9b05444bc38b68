/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/svc_ingest.h"
#include "masterd/tbl_sample.h"
#include "shared/mem.h"
#include "shared/str.h"

/* ---- POST /stats */

static enum verdict recorded(struct req *r)
{
	struct ingest *v = r->state;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
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
	return ingest_samples(v, &e) ? reply_err(r, &e) : LATER;
}

/* ---- GET /nodes/{id}/stats */

enum { POINTS_MAX = 10000, POINTS_AIM = 360, MOUNTS_MAX = 32, HOUR_MS = 3600 * 1000 };

/* The members of a point. */
enum column {
	C_CPU, C_DISK, C_MEM_TOTAL, C_MEM_USED, C_SWAP_TOTAL, C_SWAP_USED, C_LOAD, C_IO_READ, C_IO_WRITE, C_NET_RX, C_NET_TX,
	C_PRESS_CPU, C_PRESS_IO, C_PRESS_MEM, C_ACTIVE, COLUMNS
};
static const char *const columns[COLUMNS] = {
	"cpu_usage", "disk_usage", "memory_total", "memory_used", "swap_total", "swap_used", "load1", "io_read", "io_write",
	"net_rx", "net_tx", "pressure_cpu", "pressure_io", "pressure_memory", "active_backups",
};

struct mount {
	char name[WIRE_TEXT];
	double sum;
	unsigned n;
};

/* One step of the series being added up. */
struct bucket_of {
	struct json_out *o;
	int64_t from, step, at;   /* at: start of the open step, -1 none */
	double sum[COLUMNS], cpu_max;
	unsigned n[COLUMNS], samples;
	struct mount mounts[MOUNTS_MAX];
	size_t n_mounts;
};

static void put_mounts(struct bucket_of *b)
{
	if (!b->n_mounts)
		return;
	json_obj(b->o, "disks");
	for (size_t i = 0; i < b->n_mounts; i++)
		json_put_num(b->o, b->mounts[i].name, round(b->mounts[i].sum / b->mounts[i].n * 100) / 100);
	json_end_obj(b->o);
}

static void end_step(struct bucket_of *b)
{
	if (b->at < 0)
		return;
	json_obj(b->o, NULL);
	json_put_time(b->o, "ts", b->at);
	for (size_t i = 0; i < COLUMNS; i++)
		if (b->n[i])
			json_put_num(b->o, columns[i], round(b->sum[i] / b->n[i] * 100) / 100);
	json_put_num(b->o, "cpu_max", b->cpu_max);
	json_put_int(b->o, "samples", b->samples);
	put_mounts(b);
	json_end_obj(b->o);
}

static void begin_step(struct bucket_of *b, int64_t at)
{
	b->at = at;
	memset(b->sum, 0, sizeof(b->sum));
	memset(b->n, 0, sizeof(b->n));
	b->samples = 0;
	b->cpu_max = 0;
	b->n_mounts = 0;
}

static void add(struct bucket_of *b, enum column c, double v)
{
	if (!isfinite(v))
		return;
	b->sum[c] += v;
	b->n[c]++;
}

static void add_count(struct bucket_of *b, enum column c, int64_t v)
{
	add(b, c, v < 0 ? (double)NAN : (double)v);
}

static void add_mount(struct bucket_of *b, const char *name, double percent)
{
	size_t i = 0;

	while (i < b->n_mounts && !str_eq(b->mounts[i].name, name))
		i++;
	if (i == MOUNTS_MAX || !isfinite(percent))
		return;
	if (i == b->n_mounts) {
		str_cut(b->mounts[i].name, sizeof(b->mounts[i].name), name);
		b->mounts[i].sum = 0;
		b->mounts[i].n = 0;
		b->n_mounts++;
	}
	b->mounts[i].sum += percent;
	b->mounts[i].n++;
}

static void add_mounts(struct bucket_of *b, const char *text)
{
	CLEANUP(json_freep) struct json *j = NULL;

	if (!text || json_parse(&j, text, strlen(text), NULL))
		return;
	for (const struct json *d = json_first(j); d; d = json_next(d))
		add_mount(b, json_get_str(d, "mount", ""), json_get_num(d, "percent", (double)NAN));
}

static void each_sample(void *ctx, const struct sample_row *row)
{
	struct bucket_of *b = ctx;
	const struct wire_sample *s = &row->s;
	int64_t at = b->from + (s->ts - b->from) / b->step * b->step;

	if (at != b->at) {
		end_step(b);
		begin_step(b, at);
	}
	b->samples++;
	b->cpu_max = fmax(b->cpu_max, s->cpu);
	add(b, C_CPU, s->cpu);
	add(b, C_DISK, s->disk);
	add_count(b, C_MEM_TOTAL, s->mem_total);
	add_count(b, C_MEM_USED, s->mem_used);
	add_count(b, C_SWAP_TOTAL, s->swap_total);
	add_count(b, C_SWAP_USED, s->swap_used);
	add(b, C_LOAD, s->load[0]);
	add(b, C_IO_READ, s->io_read);
	add(b, C_IO_WRITE, s->io_write);
	add(b, C_NET_RX, s->net_rx);
	add(b, C_NET_TX, s->net_tx);
	add(b, C_PRESS_CPU, s->pressure_cpu);
	add(b, C_PRESS_IO, s->pressure_io);
	add(b, C_PRESS_MEM, s->pressure_mem);
	add_count(b, C_ACTIVE, s->active_backups);
	add_mounts(b, row->disks);
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
		reply_problem(r, 422, "that would be more than %d points: use a larger step", POINTS_MAX);
		return false;
	}
	return true;
}

static int put_series(struct req *r, const struct sample_range *range, struct bucket_of *b, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(r->m->pool, &db, e))
		return -1;
	rc = tbl_sample_each(db, range, each_sample, b, e);
	db_pool_give(r->m->pool, db);
	end_step(b);
	return rc;
}

enum verdict api_node_stats(struct req *r)
{
	struct bucket_of *b;
	char name[WIRE_HOST];
	int64_t id, from, to, step;
	struct json_out *o;
	struct err e;
	int rc;

	if (!api_node_id(r, &id) || !read_range(r, &from, &to, &step))
		return REPLY;
	live_name(r->m->live, id, name);
	if (!name[0])
		return reply_problem(r, 404, "there is no node %lld", (long long)id);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_int(o, "node_id", id);
	json_put_str(o, "node", name);
	json_put_time(o, "from", from);
	json_put_time(o, "to", to);
	json_put_num(o, "step_s", (double)step / 1000);
	json_arr(o, "items");
	b = xcalloc(1, sizeof(*b));
	b->o = o;
	b->from = from;
	b->step = step;
	b->at = -1;
	rc = put_series(r, &(struct sample_range){.node_id = id, .from = from, .to = to}, b, &e);
	free(b);
	if (rc)
		return reply_err(r, &e);
	json_end_arr(o);
	json_end_obj(o);
	return REPLY;
}
