/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_alerts.h"

#include <stdlib.h>

#include "masterd/api.h"
#include "masterd/svc_ack.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SNOOZE_MAX_S = 30 * 24 * 3600 };

static bool sees(struct req *r, const struct alert *a)
{
	return scope_is_all(&r->who.scope) || live_sees(r->m->live, a->node_id, &r->who.scope);
}

static void put(struct req *r, struct json_out *o, const struct alert *a)
{
	char name[WIRE_HOST];

	live_name(r->m->live, a->node_id, name);
	alert_put(o, NULL, a, name, r->now);
}

/* ---- the list */

struct listing {
	struct req *r;
	struct json_out *o;
	int64_t left, last, next;
};

static int put_row(void *ctx, const struct alert *a)
{
	struct listing *l = ctx;

	if (!sees(l->r, a))
		return 0;
	if (!l->left--) {
		l->next = l->last;
		return 1;
	}
	put(l->r, l->o, a);
	l->last = a->id;
	return 0;
}

static bool read_query(struct req *r, struct alert_query *q, int64_t *limit)
{
	const char *state = req_query(r, "state");
	enum alert_kind kind;

	q->open = !state || str_eq(state, "open") || str_eq(state, "all");
	q->closed = str_eq(state, "closed") || str_eq(state, "all");
	q->kind = req_query(r, "kind");
	if (!q->open && !q->closed)
		return api_bad_query(r, "state", "must be open, closed or all");
	if (q->kind && alert_kind_from(&kind, q->kind))
		return api_bad_query(r, "kind", "is not a kind of alert, such as missed_run or node_silent");
	return req_query_int(r, "node", 1, INT64_MAX, &q->node_id) && api_page(r, &q->before, limit);
}

enum verdict api_alerts(struct req *r)
{
	struct listing l = {.r = r, .left = PAGE_DEFAULT};
	struct alert_query q = {0};
	struct db *db = NULL;
	struct err e;
	int rc;

	if (!read_query(r, &q, &l.left))
		return REPLY;
	l.o = api_items(r);
	rc = db_pool_take(r->m->pool, &db, &e);
	if (!rc)
		rc = tbl_alert_list(db, &q, put_row, &l, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	api_items_end(l.o, l.next);
	api_hash_etag(r);
	return REPLY;
}

/* ---- one of them */

/* The alert in {id} if who asks may see it; else a 404 is set. */
static bool find(struct req *r, struct alert *ret)
{
	struct db *db = NULL;
	struct err e;
	int64_t id;
	int rc;

	if (!req_id(r, &id))
		return false;
	rc = db_pool_take(r->m->pool, &db, &e);
	if (!rc)
		rc = tbl_alert_get(db, id, ret, &e);
	db_pool_give(r->m->pool, db);
	if (!rc && !sees(r, ret))
		rc = err_set(&e, ERR_NOTFOUND, "there is no alert %lld", (long long)id);
	if (rc)
		reply_err(r, &e);
	return !rc;
}

enum verdict api_alert(struct req *r)
{
	struct alert a;

	if (!find(r, &a))
		return REPLY;
	put(r, reply_json(r, 200), &a);
	api_hash_etag(r);
	return REPLY;
}

/* ---- what people say to it */

static enum verdict said(struct req *r)
{
	struct ack *v = r->state;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	put(r, reply_json(r, 200), &v->alert);
	return REPLY;
}

static enum verdict say(struct req *r, enum ack_what what, int64_t until)
{
	struct ack *v;
	struct alert a;
	struct err e;

	if (!find(r, &a))
		return REPLY;
	v = xcalloc(1, sizeof(*v));
	v->m = r->m;
	v->actor = actor_of(r);
	v->what = what;
	v->id = a.id;
	v->until = until;
	v->job.ticket = &r->ticket;
	r->state = v;
	r->state_free = free;
	r->then = said;
	return ack_queue(v, &e) ? reply_err(r, &e) : LATER;
}

enum verdict api_alert_ack(struct req *r)
{
	return say(r, ACK_SET, 0);
}

enum verdict api_alert_unack(struct req *r)
{
	return say(r, ACK_UNSET, 0);
}

enum verdict api_alert_snooze(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	int64_t until = 0, for_s = 0;

	if (!req_json(r, &j))
		return REPLY;
	if (json_want_int(j, "", "for_s", false, 1, SNOOZE_MAX_S, &for_s, &p))
		until = r->now + for_s * 1000;
	else if (json_want_time(j, "", "until", false, &until, &p) &&
		 (until <= r->now || until > r->now + SNOOZE_MAX_S * INT64_C(1000)))
		problems_add(&p, "until", "must lie ahead, and within 30 days");
	if (!p.n && !until)
		problems_add(&p, "for_s", "missing: how many seconds to be quiet (or until: a time)");
	if (p.n)
		return reply_problems(r, &p);
	return say(r, SNOOZE_SET, until);
}

enum verdict api_alert_unsnooze(struct req *r)
{
	return say(r, SNOOZE_UNSET, 0);
}
