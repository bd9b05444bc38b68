/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_request.h"

#include <stdlib.h>

#include "masterd/tbl_event.h"
#include "masterd/tbl_node.h"
#include "shared/mem.h"
#include "shared/str.h"

void asking_free(void *asking)
{
	struct asking *v = asking;

	request_done(&v->request);
	free(v->orders);
	free(v);
}

static void show(struct job *job)
{
	struct asking *v = (struct asking *)job;

	if (v->orders)
		live_put_requests(v->m->live, v->request.node_id, v->orders);
}

static int queue(struct asking *v, int (*run)(struct job *, struct db *, struct err *), struct err *e)
{
	v->job.run = run;
	v->job.committed = show;
	return writer_put(v->m->writer, &v->job, e);
}

/* The line in the journal, and what waits for the node now. */
static int changed(struct asking *v, struct db *db, struct err *e)
{
	struct event ev = {.at = v->now, .kind = EVENT_REQUEST, .node_id = v->request.node_id};

	str_cut(ev.origin, sizeof(ev.origin), v->m->instance);
	str_cut(ev.ref, sizeof(ev.ref), v->request.rid);
	return tbl_event_add(db, &ev, e) || request_orders(db, v->request.node_id, &v->orders, e) ? -1 : 0;
}

static int note(struct asking *v, struct db *db, const char *action, struct err *e)
{
	char object[AUDIT_OBJECT], name[WIRE_HOST];

	live_name(v->m->live, v->request.node_id, name);
	return AUDIT(db, &v->actor, e, action, audit_node(object, v->request.node_id, name), "request", v->request.rid, "verb",
		     v->request.verb, "args", v->request.args, "reason", v->request.reason[0] ? v->request.reason : NULL, "run",
		     v->request.run[0] ? v->request.run : NULL);
}

/* ---- people */

static int count_one(void *ctx, const struct request *q)
{
	(void)q;
	(*(unsigned *)ctx)++;
	return 0;
}

static int run_add(struct job *job, struct db *db, struct err *e)
{
	struct asking *v = (struct asking *)job;
	unsigned waiting = 0;
	struct node n;
	bool active;

	if (tbl_node_get(db, v->request.node_id, &n, e) ||
	    tbl_request_pending(db, v->request.node_id, count_one, &waiting, e))
		return -1;
	active = n.state == NODE_ACTIVE;
	node_done(&n);
	if (!active)
		return err_set(e, ERR_CONFLICT, "%s is %s: only an active node takes requests", n.name,
			       node_state_name(n.state));
	if (waiting >= REQUESTS_WAITING_MAX)
		return err_set(e, ERR_CONFLICT, "%u requests wait for %s already: withdraw some", waiting, n.name);
	random_uuid(v->request.rid);
	v->request.created = v->request.changed = v->now;
	return tbl_request_add(db, &v->request, e) || note(v, db, "request.add", e) || changed(v, db, e) ? -1 : 0;
}

int request_add(struct asking *v, struct err *e)
{
	return queue(v, run_add, e);
}

static int load(struct asking *v, struct db *db, struct request *stands, struct err *e)
{
	return tbl_request_get(db, v->request.node_id, v->request.rid, stands, e);
}

static int run_withdraw(struct job *job, struct db *db, struct err *e)
{
	struct asking *v = (struct asking *)job;
	struct request q;

	if (load(v, db, &q, e))
		return -1;
	request_done(&v->request);
	v->request = q;
	if (q.state != REQUEST_PENDING)
		return err_set(e, ERR_CONFLICT, "the request is %s: only one that waits can be withdrawn",
			       request_state_name(q.state));
	v->request.state = REQUEST_WITHDRAWN;
	v->request.changed = v->now;
	return tbl_request_put(db, &v->request, e) || note(v, db, "request.withdraw", e) || changed(v, db, e) ? -1 : 0;
}

int request_withdraw(struct asking *v, struct err *e)
{
	return queue(v, run_withdraw, e);
}

/* ---- the node */

/* Later states only: an answer that was lost is given again. */
static bool is_news(const struct request *stands, const struct request *told)
{
	if (stands->state >= REQUEST_REFUSED)
		return false;
	return told->state > stands->state || (told->state == stands->state && told->run[0] && !stands->run[0]);
}

static int run_tell(struct job *job, struct db *db, struct err *e)
{
	struct asking *v = (struct asking *)job;
	struct request q, told = v->request;

	if (load(v, db, &q, e))
		return -1;
	v->request = q;
	if (q.state == REQUEST_PENDING && q.expires <= v->now)
		q.state = REQUEST_EXPIRED; /* the row follows with request_expire */
	if (q.state == REQUEST_WITHDRAWN || q.state == REQUEST_EXPIRED)
		return err_set(e, ERR_CONFLICT, "the request %s", q.state == REQUEST_EXPIRED ? "has expired" : "was withdrawn");
	if (!is_news(&q, &told))
		return 0;
	v->request.state = told.state;
	v->request.changed = v->now;
	str_cut(v->request.reason, sizeof(v->request.reason), told.reason);
	if (told.run[0])
		str_cut(v->request.run, sizeof(v->request.run), told.run);
	return tbl_request_put(db, &v->request, e) ||
	       (told.state != REQUEST_RUNNING && note(v, db, told.state == REQUEST_ACCEPTED ? "request.accepted"
						      : told.state == REQUEST_REFUSED ? "request.refused"
						      : told.state == REQUEST_DONE ? "request.done" : "request.failed", e)) ||
	       changed(v, db, e) ? -1 : 0;
}

int request_tell(struct asking *v, struct err *e)
{
	return queue(v, run_tell, e);
}

/* ---- nobody waits */

static void drop(struct job *job)
{
	asking_free(job);
}

/* One a round; the next round comes soon. */
static int run_expire(struct job *job, struct db *db, struct err *e)
{
	struct asking *v = (struct asking *)job;

	if (tbl_request_forget(db, v->now - REQUEST_KEPT_MS, e))
		return -1;
	if (tbl_request_overdue(db, v->now, &v->request, e))
		return e->kind == ERR_NOTFOUND ? 0 : -1;
	v->request.state = REQUEST_EXPIRED;
	v->request.changed = v->now;
	return tbl_request_put(db, &v->request, e) || note(v, db, "request.expired", e) || changed(v, db, e) ? -1 : 0;
}

void request_expire(struct master *m, int64_t now)
{
	struct asking *v = xcalloc(1, sizeof(*v));
	struct err e;

	v->m = m;
	v->now = now;
	v->actor = actor_named("felloe-masterd", now);
	v->job.drop = drop;
	if (queue(v, run_expire, &e))
		asking_free(v);
}

int request_reload(struct master *m, struct db *db, int64_t node_id, struct err *e)
{
	CLEANUP(freep) char *orders = NULL;

	if (request_orders(db, node_id, &orders, e))
		return -1;
	live_put_requests(m->live, node_id, orders);
	return 0;
}

struct loading {
	struct master *m;
	struct db *db;
	int64_t node_id;         /* done already */
	struct err *e;
	int rc;
};

static int load_one(void *ctx, const struct request *q)
{
	struct loading *l = ctx;

	if (q->node_id != l->node_id)
		l->rc = request_reload(l->m, l->db, q->node_id, l->e);
	l->node_id = q->node_id;
	return l->rc;
}

int request_load(struct master *m, struct err *e)
{
	struct loading l = {.m = m, .e = e};
	struct db *db = NULL;
	int rc = db_pool_take(m->pool, &db, e) || db_pool_take(m->pool, &l.db, e) ? -1
		: tbl_request_pending(db, 0, load_one, &l, e);

	db_pool_give(m->pool, l.db);
	db_pool_give(m->pool, db);
	return rc || l.rc ? -1 : 0;
}
