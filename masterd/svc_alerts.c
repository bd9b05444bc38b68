/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/notice.h"
#include "masterd/svc_expect.h"
#include "masterd/svc_forecast.h"
#include "masterd/tbl_event.h"
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
enum { IDLE, AT_WORK, DONE, FAILED };

/* A condition that holds, or an alert that is open. */
struct held {
	struct alert a;           /* id 0: not open yet */
	int64_t since;            /* when the condition was first seen */
	int64_t gone;             /* not seen since; 0: it holds */
	int64_t refreshed, remind; /* when the row was written; when to remind, 0 never */
	bool there;               /* in this look */
};

enum step_what { STEP_OPEN, STEP_REPEAT, STEP_REFRESH, STEP_REMIND, STEP_CLOSE };

/* One change of one alert; a becomes the row as it was stored. */
struct step {
	enum step_what what;
	struct alert a;
	char node[WIRE_HOST];
	char *tags;               /* NULL: the node is gone */
};

struct round {
	struct job job;           /* first */
	struct master *m;
	atomic_int *state;
	int64_t now, repeat_ms;
	struct { LIST_OF(struct step); } steps;
};

struct alerting {
	struct expect *expect;
	struct forecasts *forecasts;
	struct { LIST_OF(struct held); } held; /* by node, kind, ref */
	bool loaded;
	struct round *round;
	atomic_int state;
};

static void round_free(struct round *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->steps.n; i++)
		free(v->steps.v[i].tags);
	list_done(&v->steps);
	free(v);
}

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
	round_free(a->round);
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

/* What the step makes of the row as it is now. False: there is nothing to do any more. */
static bool change(const struct round *v, const struct step *s, struct alert *row)
{
	if (row->closed)
		return false;
	if (s->what == STEP_CLOSE) {
		row->closed = v->now;
		str_cut(row->closed_why, sizeof(row->closed_why), s->a.closed_why);
		return true;
	}
	if (s->what == STEP_REMIND)
		return true;
	if (s->what == STEP_REPEAT) {
		row->count++;
		row->last = v->now;
	}
	row->severity = s->a.severity;
	str_cut(row->stamp, sizeof(row->stamp), s->a.stamp);
	str_cut(row->run, sizeof(row->run), s->a.run);
	str_cut(row->cause, sizeof(row->cause), s->a.cause);
	str_cut(row->next_step, sizeof(row->next_step), s->a.next_step);
	return true;
}

/* Is it time for a notice, and which? */
static bool is_notice(const struct round *v, const struct step *s, const struct alert *row, enum notice_event *ev)
{
	bool quiet = row->snoozed_until > v->now;

	switch (s->what) {
	case STEP_OPEN:
		*ev = NOTICE_OPENED;
		return true;
	case STEP_CLOSE:
		*ev = NOTICE_RECOVERED;
		return row->noticed > 0;
	case STEP_REPEAT:
		*ev = NOTICE_REPEATED;
		break;
	case STEP_REMIND:
		*ev = NOTICE_REMINDER;
		break;
	case STEP_REFRESH:
		return false;
	}
	return !quiet && !row->acked_at && v->repeat_ms && v->now - row->noticed >= v->repeat_ms;
}

static int store(const struct round *v, struct db *db, struct step *s, const struct channels *channels, struct err *e)
{
	struct event event = {.at = v->now, .kind = EVENT_ALERT, .node_id = s->a.node_id};
	struct notice n = {.node = s->node, .tags = s->tags, .now = v->now};
	struct alert row = s->a;
	bool notice;

	if (s->what == STEP_OPEN) {
		row.first = row.last = v->now;
		row.count = 1;
		if (tbl_alert_add(db, &row, e))
			return -1;
	} else {
		if (tbl_alert_get(db, s->a.id, &row, e))
			return -1;
		if (!change(v, s, &row)) {
			s->a = row;
			return 0;
		}
	}
	notice = is_notice(v, s, &row, &n.event);
	if (notice)
		row.noticed = v->now;
	s->a = row;
	n.alert = &s->a;
	if (tbl_alert_put(db, &row, e) || (notice && notice_queue(db, channels, &n, e)))
		return -1;
	snprintf(event.ref, sizeof(event.ref), "%lld", (long long)row.id);
	str_cut(event.origin, sizeof(event.origin), v->m->instance);
	return s->what == STEP_REMIND ? 0 : tbl_event_add(db, &event, e);
}

static int run_round(struct job *job, struct db *db, struct err *e)
{
	CLEANUP(channels_done) struct channels channels = {0};
	struct round *v = (struct round *)job;

	if (tbl_channel_list(db, &channels, e))
		return -1;
	for (size_t i = 0; i < v->steps.n; i++)
		if (store(v, db, &v->steps.v[i], &channels, e))
			return -1;
	return 0;
}

static void end_round(struct job *job)
{
	struct round *v = (struct round *)job;

	atomic_store(v->state, job->rc ? FAILED : DONE);
}

static void tell_log(const struct step *s)
{
	const char *ref = s->a.ref, *colon = *ref ? " " : "";

	if (s->what == STEP_OPEN || s->what == STEP_REPEAT)
		log_warn("alert %lld: %s: %s%s%s: %s", (long long)s->a.id, s->node, alert_kind_name(s->a.kind), colon, ref,
			 s->a.cause);
	else if (s->what == STEP_CLOSE)
		log_info("alert %lld: %s: %s%s%s: %s", (long long)s->a.id, s->node, alert_kind_name(s->a.kind), colon, ref,
			 s->a.closed_why);
}

static void apply(struct alerting *g, const struct round *v, const struct step *s)
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

	if (state == AT_WORK)
		return false;
	if (state == DONE)
		for (size_t i = 0; i < g->round->steps.n; i++)
			apply(g, g->round, &g->round->steps.v[i]);
	if (state == FAILED)
		g->loaded = false;
	round_free(g->round);
	g->round = NULL;
	atomic_store(&g->state, IDLE);
	return true;
}

static void start_round(struct alerting *g, struct round *v)
{
	struct err e;

	if (!v->steps.n) {
		round_free(v);
		return;
	}
	v->state = &g->state;
	v->job.run = run_round;
	v->job.drop = end_round;
	g->round = v;
	atomic_store(&g->state, AT_WORK);
	if (writer_put(v->m->writer, &v->job, &e))
		atomic_store(&g->state, FAILED);
}

/* ---- looking */

struct look {
	struct alerting *g;
	struct round *round;
	struct watch watch;
	int64_t hold_ms;
	size_t row;               /* of what is held */
	struct conditions found;  /* of one node */
};

static void plan(struct look *l, enum step_what what, const struct alert *a, const struct live_node *n)
{
	struct step *s;

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
