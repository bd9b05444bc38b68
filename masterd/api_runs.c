/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/svc_ingest.h"
#include "masterd/tbl_run.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

/* ---- PUT */

static enum verdict run_recorded(struct req *r)
{
	struct ingest *v = r->state;
	struct json_out *o;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	if (v->fate.news && v->run->state != RUN_RUNNING)
		metrics_run(r->m->metrics, v->run->state);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_str(o, "status", v->fate.news ? "recorded" : "known");
	json_end_obj(o);
	return REPLY;
}

enum verdict api_run_put(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct ingest *v;
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	v = ingest_new(r->m, r->who.node_id, r->now);
	v->run = xmalloc(sizeof(*v->run));
	wire_run_init(v->run);
	r->state = v;
	r->state_free = ingest_free;
	if (json_type(j) != JSON_OBJECT)
		problems_add(&p, "", "must be an object");
	else
		wire_run_get(v->run, j, "", &p);
	if (!p.n && !str_eq(v->run->uuid, r->arg))
		problems_add(&p, "uuid", "is not the one in the path");
	if (p.n)
		return reply_problems(r, &p);
	v->job.ticket = &r->ticket;
	r->then = run_recorded;
	return ingest_run(v, &e) ? reply_err(r, &e) : LATER;
}

/* ---- GET */

struct listing {
	struct req *r;
	struct json_out *o;
	struct buf text;      /* one run with its node */
	int64_t left;
	int64_t last_began;
	char last_uuid[UUID_TEXT];
	bool more, found;
};

static void compose(struct listing *l, const struct run_row *row)
{
	char name[WIRE_HOST];

	live_name(l->r->m->live, row->node_id, name);
	buf_reset(&l->text);
	run_row_put(&l->text, row, name, row->log);
}

static int put_row(void *ctx, const struct run_row *row)
{
	struct listing *l = ctx;

	if (!l->left--) {
		l->more = true;
		return 1;
	}
	compose(l, row);
	json_put_raw(l->o, NULL, l->text.p);
	l->last_began = row->began;
	str_cut(l->last_uuid, sizeof(l->last_uuid), row->uuid);
	return 0;
}

/* A cursor is BEGAN-UUID of the last row. */
static bool read_cursor(struct req *r, struct run_query *q, char uuid[static UUID_TEXT])
{
	const char *text = req_query(r, "after"), *dash = text ? strchr(text, '-') : NULL;
	CLEANUP(freep) char *number = dash ? xstrndup(text, (size_t)(dash - text)) : NULL;

	if (str_empty(text))
		return true;
	if (!dash || str_to_i64(&q->after_began, number, 0, INT64_MAX) || str_copy(uuid, UUID_TEXT, dash + 1))
		return api_bad_query(r, "after", "is not what an answer gave as next");
	q->after_uuid = uuid;
	return true;
}

static bool read_query(struct req *r, struct run_query *q, char uuid[static UUID_TEXT])
{
	enum run_state ignored;

	q->limit = LIMIT_DEFAULT;
	q->site = req_query(r, "site");
	q->state = req_query(r, "state");
	if (q->state && run_state_from(&ignored, q->state))
		return api_bad_query(r, "state", "must be running, ok, warning, failed, aborted, skipped or suspect");
	return req_query_int(r, "node", 1, INT64_MAX, &q->node_id) && req_query_time(r, "since", &q->since) &&
	       req_query_int(r, "limit", 1, LIMIT_MAX, &q->limit) && read_cursor(r, q, uuid);
}

static int list_runs(struct req *r, struct run_query *q, struct listing *l, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(r->m->pool, &db, e))
		return -1;
	l->left = q->limit++;
	rc = tbl_run_list(db, q, put_row, l, e);
	db_pool_give(r->m->pool, db);
	return rc;
}

enum verdict api_runs(struct req *r)
{
	struct run_query q = {.scope = &r->who.scope};
	struct listing l = {.r = r};
	char uuid[UUID_TEXT], next[80];
	struct err e;
	int rc;

	if (!read_query(r, &q, uuid))
		return REPLY;
	buf_init(&l.text, 1 << 20);
	l.o = api_items(r);
	rc = list_runs(r, &q, &l, &e);
	buf_done(&l.text);
	if (rc)
		return reply_err(r, &e);
	json_end_arr(l.o);
	snprintf(next, sizeof(next), "%lld-%s", (long long)l.last_began, l.last_uuid);
	json_put_str(l.o, "next", l.more ? next : NULL);
	json_end_obj(l.o);
	api_hash_etag(r);
	return REPLY;
}

static int put_whole(void *ctx, const struct run_row *row)
{
	struct listing *l = ctx;

	if (!scope_is_all(&l->r->who.scope) && !live_sees(l->r->m->live, row->node_id, &l->r->who.scope))
		return 0;
	l->found = true;
	compose(l, row);
	buf_reset(&l->r->out);
	buf_add(&l->r->out, l->text.p, l->text.len);
	return 0;
}

enum verdict api_run(struct req *r)
{
	struct listing l = {.r = r};
	struct db *db = NULL;
	struct err e;
	int rc;

	buf_init(&l.text, 1 << 20);
	rc = db_pool_take(r->m->pool, &db, &e);
	if (!rc)
		rc = tbl_run_get(db, r->arg, put_whole, &l, &e);
	db_pool_give(r->m->pool, db);
	buf_done(&l.text);
	if (rc)
		return reply_err(r, &e);
	if (!l.found)
		return reply_problem(r, 404, "there is no run %.40s", r->arg);
	r->status = 200;
	api_hash_etag(r);
	return REPLY;
}
