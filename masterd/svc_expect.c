/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_expect.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/missed.h"
#include "masterd/tbl_run.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

/* A run that began before is not believed to go on. */
#define LONGEST_RUN_MS (INT64_C(3) * 24 * 3600 * 1000)

enum {
	CHANGES_MAX = 500,        /* of one transaction */
	STUCK_MS = 3600 * 1000,   /* a history that never ends (a run that is refused for ever) is waited for no longer */
	SILENT_BEATS = 6,         /* after such a gap a node hands over its history anew */
	LISTENING_MS = 15000,     /* no tick for so long: this master slept, or did not lead */
};

struct contact {
	int64_t node_id, since, seen;
};
struct contacts {
	LIST_OF(struct contact);
};

/* A row to store, or a question to ask first. */
struct change {
	enum outcome what;
	struct expected x;
	struct report r;
	struct wire_timer timer;
	int64_t from, to;
};

struct round {
	struct job job;           /* first */
	atomic_int *state;
	struct { LIST_OF(struct change); } changes;
};
enum { IDLE, AT_WORK, DONE, FAILED };

struct expect {
	struct expecteds rows;    /* by node and timer */
	struct contacts contacts; /* by node */
	bool loaded;
	int64_t since, ticked;
	struct round *round;      /* under way; its state below */
	atomic_int state;
};

struct expect *expect_new(void)
{
	return xcalloc(1, sizeof(struct expect));
}

static void round_free(struct round *v)
{
	if (v)
		list_done(&v->changes);
	free(v);
}

void expect_free(struct expect *x)
{
	if (!x)
		return;
	round_free(x->round);
	list_done(&x->rows);
	list_done(&x->contacts);
	free(x);
}

int64_t expect_since(const struct expect *x)
{
	return x->since;
}

/* ---- the rows */

static int order(const struct expected *a, int64_t node_id, const char *timer)
{
	return a->node_id < node_id ? -1 : a->node_id > node_id ? 1 : strcmp(a->timer, timer);
}

static int by_name(const void *a, const void *b)
{
	const struct expected *y = b;

	return order(a, y->node_id, y->timer);
}

/* The first that is not before (node, timer). */
static size_t place(const struct expect *x, int64_t node_id, const char *timer)
{
	size_t low = 0, high = x->rows.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(&x->rows.v[middle], node_id, timer) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct expected *expect_of(const struct expect *x, int64_t node_id, size_t *n)
{
	size_t from = place(x, node_id, ""), to = from;

	while (to < x->rows.n && x->rows.v[to].node_id == node_id)
		to++;
	*n = to - from;
	return *n ? &x->rows.v[from] : NULL;
}

static void apply(struct expect *x, const struct change *c)
{
	size_t at = place(x, c->x.node_id, c->x.timer);
	bool there = at < x->rows.n && order(&x->rows.v[at], c->x.node_id, c->x.timer) == 0;

	if (c->what == MISSED_DROP) {
		if (there)
			memmove(&x->rows.v[at], &x->rows.v[at + 1], (--x->rows.n - at) * sizeof(struct expected));
		return;
	}
	if (!there) {
		(void)list_push(&x->rows);
		memmove(&x->rows.v[at + 1], &x->rows.v[at], (x->rows.n - 1 - at) * sizeof(struct expected));
	}
	x->rows.v[at] = c->x;
}

static bool load(struct expect *x, struct master *m)
{
	struct db *db = NULL;
	struct err e;
	int rc;

	list_done(&x->rows);
	rc = db_pool_take(m->pool, &db, &e);
	if (!rc)
		rc = tbl_expected_list(db, false, &x->rows, &e);
	db_pool_give(m->pool, db);
	if (rc && e.kind != ERR_BUSY)
		log_error("timers: %s", e.msg);
	else if (!rc && x->rows.n)
		qsort(x->rows.v, x->rows.n, sizeof(struct expected), by_name);
	return !rc;
}

/* ---- storing */

static int run_round(struct job *job, struct db *db, struct err *e)
{
	struct round *v = (struct round *)job;

	for (size_t i = 0; i < v->changes.n; i++) {
		struct change *c = &v->changes.v[i];
		struct firing f = {c->x.node_id, c->x.timer, c->x.due, c->from, c->to};
		bool ran;

		if (c->what == MISSED_DROP) {
			if (tbl_expected_drop(db, c->x.node_id, c->x.timer, e))
				return -1;
			continue;
		}
		if (c->what == MISSED_ASK) {
			if (tbl_run_covers(db, &f, &ran, e))
				return -1;
			c->r.timer = &c->timer;
			missed_answer(&c->x, &c->r, ran);
		}
		if (tbl_expected_put(db, &c->x, e))
			return -1;
	}
	return 0;
}

static void end_round(struct job *job)
{
	struct round *v = (struct round *)job;

	atomic_store(v->state, job->rc ? FAILED : DONE);
}

/* What the last round stored counts from now on. False: it is still under way. */
static bool take_round(struct expect *x)
{
	int state = atomic_load(&x->state);

	if (state == AT_WORK)
		return false;
	if (state == DONE)
		for (size_t i = 0; i < x->round->changes.n; i++)
			apply(x, &x->round->changes.v[i]);
	if (state == FAILED)
		x->loaded = false;
	round_free(x->round);
	x->round = NULL;
	atomic_store(&x->state, IDLE);
	return true;
}

static void start_round(struct expect *x, struct master *m, struct round *v)
{
	struct err e;

	if (!v->changes.n) {
		round_free(v);
		return;
	}
	v->state = &x->state;
	v->job.run = run_round;
	v->job.drop = end_round;
	x->round = v;
	atomic_store(&x->state, AT_WORK);
	if (writer_put(m->writer, &v->job, &e))
		atomic_store(&x->state, FAILED);
}

/* ---- looking */

struct look {
	struct expect *x;
	struct round *round;
	struct contacts contacts; /* made anew */
	size_t at, row;           /* in the old contacts; in the rows */
	int64_t now, grace, silent;
};

static struct contact *contact_of(struct look *l, const struct live_node *n)
{
	const struct contacts *old = &l->x->contacts;
	struct contact *c = list_push(&l->contacts);

	while (l->at < old->n && old->v[l->at].node_id < n->n.id)
		l->at++;
	*c = (struct contact){n->n.id, l->now, n->seen};
	if (l->at < old->n && old->v[l->at].node_id == n->n.id && n->seen - old->v[l->at].seen < l->silent)
		c->since = old->v[l->at].since;
	return c;
}

/* Nothing of its past is still on its way. The sample itself is counted, too. */
static bool is_filled(const struct look *l, const struct live_node *n, const struct contact *c)
{
	int64_t listened = l->now - c->since;

	if (n->last.outbox_depth < 0)
		return listened >= l->grace;
	return n->last.outbox_depth <= 1 || listened >= STUCK_MS;
}

static void look_sites(const struct live_node *n, const char *timer, struct report *r)
{
	bool all = true;

	for (size_t i = 0; i < n->sites.n; i++) {
		const struct live_site *s = &n->sites.v[i];

		if (!str_eq(s->timer, timer))
			continue;
		r->at_work |= s->running_since > r->now - LONGEST_RUN_MS;
		all &= s->good_at > 0;
		if (!r->good || s->good_at < r->good)
			r->good = s->good_at;
	}
	if (!all)
		r->good = 0;
}

static void look_timer(struct look *l, const struct live_node *n, const struct wire_timer *t, struct change *c)
{
	struct report *r = &c->r;

	r->timer = t;
	r->paused = t && t->paused;
	r->at_work = t && t->running;
	r->good = 0;
	for (size_t i = 0; t && i < n->last.runs.n; i++)
		r->at_work |= str_eq(n->last.runs.v[i].timer, t->name);
	if (t)
		look_sites(n, t->name, r);
	c->what = missed_look(&c->x, r, &c->from, &c->to);
	if (c->what == MISSED_SAME || l->round->changes.n >= CHANGES_MAX)
		return;
	if (t)
		c->timer = *t;
	*list_push(&l->round->changes) = *c;
}

static const struct wire_timer *timer_of(const struct live_node *n, const char *name)
{
	for (size_t i = 0; i < n->last.timers.n; i++)
		if (str_eq(n->last.timers.v[i].name, name))
			return &n->last.timers.v[i];
	return NULL;
}

static void drop_row(struct look *l, const struct expected *row)
{
	struct change *c;

	if (l->round->changes.n >= CHANGES_MAX)
		return;
	c = list_push(&l->round->changes);
	c->what = MISSED_DROP;
	c->x = *row;
}

static void look_node(void *ctx, const struct live_node *n)
{
	struct look *l = ctx;
	const struct expecteds *rows = &l->x->rows;
	const struct contact *contact;
	struct change c = {0};
	size_t first;

	/* rows of nodes that are no more */
	while (l->row < rows->n && rows->v[l->row].node_id < n->n.id)
		drop_row(l, &rows->v[l->row++]);
	for (first = l->row; l->row < rows->n && rows->v[l->row].node_id == n->n.id; l->row++)
		;
	if (n->n.state != NODE_ACTIVE || !n->has_sample || n->seen < l->x->since)
		return;
	contact = contact_of(l, n);
	c.r = (struct report){.ts = n->whole_ts, .filled = is_filled(l, n, contact), .others = n->last.timers.n > 0,
			      .grace = l->grace, .now = l->now};
	if (n->last.uptime_s > 0)
		c.r.boot = n->whole_ts - n->last.uptime_s * 1000;
	for (size_t i = first; i < l->row; i++) {
		c.x = rows->v[i];
		look_timer(l, n, timer_of(n, c.x.timer), &c);
	}
	for (size_t i = 0; i < n->last.timers.n; i++) {
		const struct wire_timer *t = &n->last.timers.v[i];
		size_t at = place(l->x, n->n.id, t->name);

		if (at < rows->n && order(&rows->v[at], n->n.id, t->name) == 0)
			continue;
		c.x = (struct expected){.node_id = n->n.id};
		str_cut(c.x.timer, sizeof(c.x.timer), t->name);
		str_cut(c.x.on_calendar, sizeof(c.x.on_calendar), t->on_calendar);
		look_timer(l, n, t, &c);
	}
}

bool expect_tick(struct expect *x, struct master *m, int64_t now)
{
	struct look l = {.x = x, .now = now, .grace = m->config->alerts.missed_grace_s * 1000,
			 .silent = SILENT_BEATS * m->config->heartbeat_default_s * 1000};

	if (now - x->ticked > LISTENING_MS || now < x->ticked) {
		x->since = now;
		x->loaded = false;
	}
	x->ticked = now;
	if (!take_round(x) || (!x->loaded && !(x->loaded = load(x, m))))
		return x->loaded;
	l.round = xcalloc(1, sizeof(*l.round));
	live_each(m->live, look_node, &l);
	while (l.row < x->rows.n)
		drop_row(&l, &x->rows.v[l.row++]);
	list_done(&x->contacts);
	x->contacts = l.contacts;
	start_round(x, m, l.round);
	return true;
}
