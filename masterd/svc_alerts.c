/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/alert_round.h"
#include "masterd/svc_expect.h"
#include "masterd/svc_forecast.h"
#include "masterd/watch.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	STEPS_MAX = 500,          /* of one transaction */
	REFRESH_MS = 600000,      /* a cause that only changed its numbers is stored again after so long */
	DAY_MS = 24 * 3600 * 1000,
};
/* A condition that holds, or an alert that is open. */
struct held {
	struct alert a;           /* id 0: not open yet */
	int64_t since;            /* when the condition was first seen */
	int64_t gone;             /* not seen since; 0: it holds */
	int64_t refreshed, remind; /* when the row was written; when to remind, 0 never */
	bool there;               /* in this look */
};

struct alerting {
	struct expect *expect;
	struct forecasts *forecasts;
	struct { LIST_OF(struct held); } held; /* by node, kind, ref */
	bool loaded;
	struct alert_round *round;
	atomic_int state;
};

struct alerting *alerting_new(void)
{
	struct alerting *a = xcalloc(1, sizeof(*a));

	a->expect = expect_new();
	a->forecasts = forecasts_new();
	return a;
}

void alerting_free(struct alerting *a)
{
	if (!a)
		return;
	alert_round_free(a->round);
	list_done(&a->held);
	forecasts_free(a->forecasts);
	expect_free(a->expect);
	free(a);
}

/* ---- what is held */

struct key {
	int64_t node_id;
	enum alert_kind kind;
	const char *ref;
};

static int order(const struct alert *a, const struct key *k)
{
	if (a->node_id != k->node_id)
		return a->node_id < k->node_id ? -1 : 1;
	if (a->kind != k->kind)
		return a->kind < k->kind ? -1 : 1;
	return strcmp(a->ref, k->ref);
}

static int by_key(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	struct key k = {y->a.node_id, y->a.kind, y->a.ref};

	return order(&x->a, &k);
}

static size_t place(const struct alerting *g, const struct key *k)
{
	size_t low = 0, high = g->held.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(&g->held.v[middle].a, k) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct held *find(const struct alerting *g, const struct key *k)
{
	size_t at = place(g, k);

	return at < g->held.n && order(&g->held.v[at].a, k) == 0 ? &g->held.v[at] : NULL;
}

static struct held *insert(struct alerting *g, const struct key *k)
{
	size_t at = place(g, k);

	(void)list_push(&g->held);
	memmove(&g->held.v[at + 1], &g->held.v[at], (g->held.n - 1 - at) * sizeof(struct held));
	g->held.v[at] = (struct held){.a = {.node_id = k->node_id, .kind = k->kind}};
	str_cut(g->held.v[at].a.ref, WIRE_TEXT, k->ref);
	return &g->held.v[at];
}

static bool load(struct alerting *g, struct master *m)
{
	struct alerts open = {0};
	struct db *db = NULL;
	struct err e;
	int rc;

	list_done(&g->held);
	rc = db_pool_take(m->pool, &db, &e);
	if (!rc)
		rc = tbl_alert_open(db, &open, &e);
	db_pool_give(m->pool, db);
	for (size_t i = 0; i < open.n && !rc; i++) {
		struct held *h = list_push(&g->held);

		h->a = open.v[i];
		h->since = h->refreshed = open.v[i].last;
		h->remind = m->config->alerts.repeat_s && h->a.noticed ? h->a.noticed + m->config->alerts.repeat_s * 1000 : 0;
	}
	list_done(&open);
	if (rc && e.kind != ERR_BUSY) /* a database that is away is said once, by the writer */
		log_error("alerts: %s", e.msg);
	else if (!rc && g->held.n)
		qsort(g->held.v, g->held.n, sizeof(struct held), by_key);
	return !rc;
}

/* ---- storing */

static void tell_log(const struct alert_step *s)
{
	const char *ref = s->a.ref, *colon = *ref ? " " : "";

	if (s->what == STEP_OPEN || s->what == STEP_REPEAT)
		log_warn("alert %lld: %s: %s%s%s: %s", (long long)s->a.id, s->node, alert_kind_name(s->a.kind), colon, ref,
			 s->a.cause);
	else if (s->what == STEP_CLOSE)
		log_info("alert %lld: %s: %s%s%s: %s", (long long)s->a.id, s->node, alert_kind_name(s->a.kind), colon, ref,
			 s->a.closed_why);
}

static void apply(struct alerting *g, const struct alert_round *v, const struct alert_step *s)
{
	struct key k = {s->a.node_id, s->a.kind, s->a.ref};
	struct held *h = find(g, &k);
	int64_t quiet;

	tell_log(s);
	if (!h)
		return;
	if (s->a.closed) {
		size_t at = (size_t)(h - g->held.v);

		memmove(h, h + 1, (--g->held.n - at) * sizeof(struct held));
		return;
	}
	h->a = s->a;
	h->refreshed = v->now;
	quiet = s->a.snoozed_until > v->now ? s->a.snoozed_until : v->now + v->repeat_ms;
	if (s->a.noticed == v->now || s->what == STEP_REMIND)
		h->remind = v->repeat_ms ? quiet : 0;
}

/* False: the last round is still under way. */
static bool take_round(struct alerting *g)
{
	int state = atomic_load(&g->state);

	if (state == ROUND_AT_WORK)
		return false;
	if (state == ROUND_DONE)
		for (size_t i = 0; i < g->round->steps.n; i++)
			apply(g, g->round, &g->round->steps.v[i]);
	if (state == ROUND_FAILED)
		g->loaded = false;
	alert_round_free(g->round);
	g->round = NULL;
	atomic_store(&g->state, ROUND_IDLE);
	return true;
}

static void start_round(struct alerting *g, struct alert_round *v)
{
	if (!v->steps.n) {
		alert_round_free(v);
		return;
	}
	g->round = v;
	alert_round_put(v, &g->state);
}

/* ---- looking */

struct look {
	struct alerting *g;
	struct alert_round *round;
	struct watch watch;
	int64_t hold_ms;
	size_t row;               /* of what is held */
	struct conditions found;  /* of one node */
};

static void plan(struct look *l, enum alert_change what, const struct alert *a, const struct live_node *n)
{
	struct alert_step *s;

	if (l->round->steps.n >= STEPS_MAX)
		return;
	s = list_push(&l->round->steps);
	s->what = what;
	s->a = *a;
	str_cut(s->node, sizeof(s->node), n ? n->n.name : "");
	s->tags = n ? xstrdup(n->n.tags) : NULL;
}

static void take_condition(struct look *l, const struct live_node *n, const struct condition *c)
{
	struct key k = {n->n.id, c->kind, c->ref};
	struct held *h = find(l->g, &k);
	int64_t now = l->watch.now;
	bool again, was_gone;
	struct alert next;

	if (!h) {
		h = insert(l->g, &k);
		h->since = now;
	}
	was_gone = h->gone > 0;
	h->gone = 0;
	h->there = true;
	next = h->a;
	next.severity = c->severity;
	str_cut(next.stamp, sizeof(next.stamp), c->stamp);
	str_cut(next.run, sizeof(next.run), c->run);
	str_cut(next.cause, sizeof(next.cause), c->cause);
	str_cut(next.next_step, sizeof(next.next_step), c->next_step);
	again = was_gone || !str_eq(next.stamp, h->a.stamp) || next.severity > h->a.severity;
	if (!h->a.id) {
		if (!watch_opens_late(c->kind) || now - h->since >= l->hold_ms)
			plan(l, STEP_OPEN, &next, n);
	} else if (again) {
		plan(l, STEP_REPEAT, &next, n);
	} else if (now - h->refreshed >= REFRESH_MS && (!str_eq(next.cause, h->a.cause) || next.severity != h->a.severity)) {
		plan(l, STEP_REFRESH, &next, n);
	} else if (h->remind && now >= h->remind) {
		plan(l, STEP_REMIND, &next, n);
	}
}

/* What was not found does not hold any more. */
static void miss(struct look *l, struct held *h, const struct live_node *n)
{
	int64_t now = l->watch.now;
	struct alert closed = h->a;
	const char *why = "recovered";

	if (!h->gone)
		h->gone = now;
	if (!n || n->n.state != NODE_ACTIVE)
		why = n ? "the node was blocked" : "the node was deleted";
	else if (watch_closes_late(h->a.kind) && now - h->gone < l->hold_ms)
		return;
	str_cut(closed.closed_why, sizeof(closed.closed_why), why);
	if (h->a.id)
		plan(l, STEP_CLOSE, &closed, n);
	else
		h->since = -1; /* never opened: swept below */
}

static void miss_before(struct look *l, int64_t node_id)
{
	while (l->row < l->g->held.n && l->g->held.v[l->row].a.node_id < node_id)
		miss(l, &l->g->held.v[l->row++], NULL);
}

static void look_node(void *ctx, const struct live_node *n)
{
	struct look *l = ctx;
	struct key silent = {n->n.id, ALERT_NODE_SILENT, ""};
	const struct held *h = find(l->g, &silent);

	miss_before(l, n->n.id);
	l->watch.silent = h && h->a.id;
	l->watch.expected = expect_of(l->g->expect, n->n.id, &l->watch.n_expected);
	l->watch.filling = forecasts_of(l->g->forecasts, n->n.id, &l->watch.n_filling);
	l->found.n = 0;
	watch_node(&l->watch, n, &l->found);
	for (size_t i = 0; i < l->found.n; i++)
		take_condition(l, n, &l->found.v[i]);
	for (; l->row < l->g->held.n && l->g->held.v[l->row].a.node_id == n->n.id; l->row++) {
		struct held *row = &l->g->held.v[l->row];

		if (!row->there)
			miss(l, row, n);
		row->there = false;
	}
}

static void sweep(struct alerting *g)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->held.n; i++)
		if (g->held.v[i].since >= 0)
			g->held.v[kept++] = g->held.v[i];
	g->held.n = kept;
}

void alerts_tick(struct master *m, int64_t now)
{
	struct alerting *g = m->alerting;
	struct look l = {.g = g, .hold_ms = m->config->alerts.hold_s * 1000};
	int64_t before = expect_since(g->expect);

	forecasts_tick(g->forecasts, m, now);
	if (!expect_tick(g->expect, m, now))
		return;
	/* another master may have led meanwhile */
	if (expect_since(g->expect) != before)
		g->loaded = false;
	if (!take_round(g) || (!g->loaded && !(g->loaded = load(g, m))))
		return;
	l.watch = (struct watch){.limits = &m->config->alerts, .now = now, .since = expect_since(g->expect)};
	l.round = xcalloc(1, sizeof(*l.round));
	l.round->m = m;
	l.round->now = now;
	l.round->repeat_ms = m->config->alerts.repeat_s * 1000;
	live_each(m->live, look_node, &l);
	miss_before(&l, INT64_MAX);
	list_done(&l.found);
	sweep(g);
	start_round(g, l.round);
}

/* ---- what every master does */

void alerts_show(struct master *m, int64_t now)
{
	struct alerts open = {0}, told = {0};
	struct db *db = NULL;
	struct err e;
	int rc = db_pool_take(m->pool, &db, &e);

	if (!rc)
		rc = tbl_alert_open(db, &open, &e);
	db_pool_give(m->pool, db);
	for (size_t i = 0; i < open.n; i++) {
		enum alert_kind k = open.v[i].kind;

		if (k == ALERT_MISSED_RUN || k == ALERT_BACKUP_OLD || k == ALERT_DISK_FORECAST)
			*list_push(&told) = open.v[i];
	}
	if (rc && e.kind != ERR_BUSY)
		log_error("alerts: %s", e.msg);
	else if (!rc)
		live_told(m->live, &told, now);
	list_done(&told);
	list_done(&open);
}

struct expire {
	struct job job;           /* first */
	int64_t before;
};

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	return tbl_alert_expire(db, ((struct expire *)job)->before, e);
}

static void end_expire(struct job *job)
{
	free(job);
}

void alerts_expire(struct master *m, int64_t now)
{
	struct expire *x = xcalloc(1, sizeof(*x));
	struct err e;

	x->before = now - m->config->alerts.keep_days * DAY_MS;
	x->job.run = run_expire;
	x->job.drop = end_expire;
	if (writer_put(m->writer, &x->job, &e))
		free(x);
}
