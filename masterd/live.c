/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/live.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/health.h"
#include "masterd/live_in.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { REPORT_EVERY_MS = 60000, MINUTE_MS = 60000, EACH_SLICE = 256 };

/* Place of the first node with a number above id. */
static size_t above(const struct live *l, int64_t id)
{
	size_t low = 0, high = l->nodes.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->nodes.v[middle]->n.id <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct live_node *live_find(const struct live *l, int64_t id)
{
	size_t at = above(l, id - 1);

	return at < l->nodes.n && l->nodes.v[at]->n.id == id ? l->nodes.v[at] : NULL;
}

/* ---- changes */

static void node_free(struct live_node *n)
{
	node_done(&n->n);
	wire_sample_done(&n->last);
	for (size_t i = 0; i < n->sites.n; i++)
		list_done(&n->sites.v[i].damaged);
	list_done(&n->sites);
	list_done(&n->told);
	json_free(n->facts);
	free(n->requests);
	free(n->answer);
	free(n->before);
	free(n);
}

static struct live_node *place(struct live *l, int64_t id)
{
	struct live_node *n = live_find(l, id);
	size_t at;

	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->n.id = id;
	wire_sample_init(&n->last);
	for (size_t i = 0; i < LIVE_TREND; i++)
		n->trend[i] = LIVE_NO_TREND;
	*list_push(&l->nodes) = n;
	/* numbers only grow, so this ends at once but for the start */
	for (at = l->nodes.n - 1; at > 0 && l->nodes.v[at - 1]->n.id > id; at--)
		l->nodes.v[at] = l->nodes.v[at - 1];
	l->nodes.v[at] = n;
	return n;
}

static void judge(struct live *l, struct live_node *n, int64_t now)
{
	health_judge(n, now, l->heartbeat_ms);
	l->version++;
	changes_look(&l->changes, n, l->version, now);
}

static void set_answer(struct live_node *n)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 512 * 1024);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "status", "recorded");
	json_put_str(&o, "node", n->n.name);
	if (n->n.next) {
		CLEANUP(freep) char *sealed = base64_encode(n->n.next->sealed, n->n.next->sealed_len);

		json_put_str(&o, "new_key", sealed);
	}
	json_put_raw(&o, "requests", n->requests ? n->requests : "[]");
	json_end_obj(&o);
	free(n->answer);
	n->answer = buf_take(&b);
}

/* Approvals must ask for another name as soon as a node that waits shares its with one that was approved. */
static void mark_name(struct live *l, struct live_node *n)
{
	for (size_t i = 0; i < l->nodes.n; i++) {
		struct live_node *other = l->nodes.v[i];

		/* names last: most of a fleet is approved, and all of it passes here at the start */
		if (n->n.state == NODE_PENDING && other->n.approved && other != n && str_eq(other->n.name, n->n.name)) {
			n->join.name_in_use = true;
		} else if (other->n.state == NODE_PENDING && n->n.approved && other != n &&
			   str_eq(other->n.name, n->n.name)) {
			other->join.name_in_use = true;
			changes_line(&l->changes, other, ++l->version);
		}
	}
}

static void put_node(struct live *l, const struct node *v, const struct join *j)
{
	struct live_node *n = place(l, v->id);
	bool same_tags = n->n.tags && v->tags && str_eq(n->n.tags, v->tags);

	/* with another key it is a new story */
	if (!n->n.has_key || !v->has_key || !hash_equal(n->n.key_hash, v->key_hash, SHA256_LEN)) {
		n->from = (struct live_origin){0};
		free(n->before);
		n->before = NULL;
	}
	node_done(&n->n);
	n->n = node_copy(v);
	if (j)
		n->join = *j;
	json_free(n->facts);
	n->facts = NULL;
	if (v->facts && json_parse(&n->facts, v->facts, strlen(v->facts), NULL))
		n->facts = NULL;
	set_answer(n);
	mark_name(l, n);
	judge(l, n, clock_ms());
	changes_line(&l->changes, n, l->version);
	if (!same_tags)
		n->tags_changed = l->version;
}

void live_put_node(struct live *l, const struct node *v, const struct join *j)
{
	if (v->state == NODE_DELETED) {
		live_drop_node(l, v->id);
		return;
	}
	pthread_mutex_lock(&l->lock);
	put_node(l, v, j);
	live_keys_rebuild(l);
	pthread_mutex_unlock(&l->lock);
}

void live_put_requests(struct live *l, int64_t id, const char *orders)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n) {
		free(n->requests);
		n->requests = str_eq(orders, "[]") ? NULL : xstrdup(orders);
		set_answer(n);
	}
	pthread_mutex_unlock(&l->lock);
}

void live_drop_node(struct live *l, int64_t id)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++) {
		if (l->nodes.v[i]->n.id != id)
			continue;
		changes_drop(&l->changes, l->nodes.v[i], ++l->version);
		node_free(l->nodes.v[i]);
		l->nodes.n--;
		memmove(&l->nodes.v[i], &l->nodes.v[i + 1], (l->nodes.n - i) * sizeof(struct live_node *));
		break;
	}
	live_keys_rebuild(l);
	pthread_mutex_unlock(&l->lock);
}

/* Mean CPU of each of the last minutes. */
static void add_trend(struct live_node *n, double cpu, int64_t ts)
{
	int64_t minute = ts / MINUTE_MS;

	if (minute > n->trend_minute + LIVE_TREND || minute < n->trend_minute - LIVE_TREND)
		n->trend_minute = minute - LIVE_TREND;
	while (n->trend_minute < minute) {
		n->trend_minute++;
		n->trend[n->trend_minute % LIVE_TREND] = LIVE_NO_TREND;
		n->trend_sum = 0;
		n->trend_n = 0;
	}
	if (minute != n->trend_minute)
		return;
	n->trend_sum += cpu;
	n->trend_n++;
	n->trend[minute % LIVE_TREND] = (uint8_t)lround(n->trend_sum / n->trend_n);
}

static void take_sample(struct live_node *n, struct wire_sample *s, bool skewed, int64_t now)
{
	struct wire_sample old = n->last;

	n->last = *s;
	wire_sample_init(s);
	wire_sample_done(&old);
	n->has_sample = true;
	n->skewed = skewed;
	n->seen = now;
	add_trend(n, n->last.cpu, skewed ? now : n->last.ts);
}

void live_sample(struct live *l, int64_t id, struct wire_sample *s, bool skewed, int64_t now)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	/* what comes late fills the history, not the present, unless late is what the clock is */
	if (n && (!n->has_sample || s->ts >= n->last.ts || skewed)) {
		take_sample(n, s, skewed, now);
		n->whole_ts = n->last.ts;
		judge(l, n, now);
		n->sampled = l->version;
	} else if (n) {
		n->seen = now;
	}
	pthread_mutex_unlock(&l->lock);
}

/* What numbers do not tell: sizes of disks, runs, timers, the agent. */
static void keep_rest(struct wire_sample *s, struct wire_sample *last)
{
	struct wire_sample whole = *last;

	for (size_t i = 0; i < whole.disks.n; i++)
		for (size_t k = 0; k < s->disks.n; k++)
			if (str_eq(whole.disks.v[i].mount, s->disks.v[k].mount))
				whole.disks.v[i].percent = s->disks.v[k].percent;
	if (!s->active_backups)
		whole.runs.n = 0;
	whole.ts = s->ts;
	whole.cpu = s->cpu;
	whole.disk = s->disk;
	whole.active_backups = s->active_backups;
	whole.mem_used = s->mem_used;
	whole.swap_used = s->swap_used;
	memcpy(whole.load, s->load, sizeof(whole.load));
	whole.io_read = s->io_read;
	whole.io_write = s->io_write;
	whole.net_rx = s->net_rx;
	whole.net_tx = s->net_tx;
	whole.pressure_cpu = s->pressure_cpu;
	whole.pressure_io = s->pressure_io;
	whole.pressure_mem = s->pressure_mem;
	wire_sample_init(last);
	wire_sample_done(s);
	*s = whole;
}

void live_numbers(struct live *l, int64_t id, struct wire_sample *s, bool skewed, int64_t now)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n && (!n->has_sample || s->ts >= n->last.ts || skewed)) {
		if (n->has_sample)
			keep_rest(s, &n->last);
		take_sample(n, s, skewed, now);
		judge(l, n, now);
		n->sampled = l->version;
	}
	pthread_mutex_unlock(&l->lock);
}

static struct live_site *site_of(struct live_node *n, const char *name)
{
	struct live_site *s;

	for (size_t i = 0; i < n->sites.n; i++)
		if (str_eq(n->sites.v[i].name, name))
			return &n->sites.v[i];
	s = list_push(&n->sites);
	str_cut(s->name, sizeof(s->name), name);
	return s;
}

static void put_damage(struct live_site *s, const struct wire_run *r)
{
	size_t i = 0;

	while (i < s->damaged.n && !str_eq(s->damaged.v[i].uuid, r->uuid))
		i++;
	if (!run_is_damaged(r)) {
		if (i < s->damaged.n)
			s->damaged.v[i] = s->damaged.v[--s->damaged.n];
		return;
	}
	if (i == s->damaged.n)
		(void)list_push(&s->damaged);
	s->damaged.v[i] = (struct live_damaged){.began = r->began, .held = r->held};
	for (size_t k = 0; k < r->archives.n; k++)
		if (r->archives.v[k].damage_at > s->damaged.v[i].found)
			s->damaged.v[i].found = r->archives.v[k].damage_at;
	str_cut(s->damaged.v[i].uuid, UUID_TEXT, r->uuid);
}

static void put_run(struct live_node *n, const struct wire_run *r)
{
	struct live_site *s = site_of(n, r->site);

	if (r->timer[0] && (r->began >= s->began || !s->timer[0]))
		str_cut(s->timer, sizeof(s->timer), r->timer);
	if (r->state == RUN_RUNNING) {
		if (r->began >= s->running_since) {
			s->running_since = r->began;
			str_cut(s->running_uuid, sizeof(s->running_uuid), r->uuid);
		}
		return;
	}
	if (str_eq(s->running_uuid, r->uuid))
		s->running_since = 0;
	put_damage(s, r);
	if (run_state_good(r->state) && !r->pruned && r->began >= s->good_began) {
		s->good_began = r->began;
		s->good_at = r->ended;
		s->good_size = r->bytes_stored;
	}
	if (r->proven ? r->began >= s->proven_began : r->began == s->proven_began) {
		s->proven_at = r->proven;
		s->proven_began = r->proven ? r->began : 0;
	}
	/* a skipped run says nothing about the backups */
	if (r->state == RUN_SKIPPED || r->began < s->began)
		return;
	s->state = r->state;
	s->began = r->began;
	s->started = r->started;
	s->ended = r->ended;
	s->size = r->bytes_stored;
	str_cut(s->uuid, sizeof(s->uuid), r->uuid);
	str_shorten(s->error, sizeof(s->error), r->error);
	str_cut(s->error_kind, sizeof(s->error_kind), r->error_kind);
}

void live_run(struct live *l, int64_t id, const struct wire_run *r)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n) {
		put_run(n, r);
		judge(l, n, clock_ms());
		changes_line(&l->changes, n, l->version);
	}
	pthread_mutex_unlock(&l->lock);
}

void live_doubt(struct live *l, int64_t id, const char *site)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n) {
		struct live_site *s = site_of(n, site);

		s->good_at = s->good_began = s->good_size = s->proven_at = s->proven_began = 0;
		judge(l, n, clock_ms());
		changes_line(&l->changes, n, l->version);
	}
	pthread_mutex_unlock(&l->lock);
}

void live_doubt_all(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++)
		for (size_t k = 0; k < l->nodes.v[i]->sites.n; k++) {
			struct live_site *s = &l->nodes.v[i]->sites.v[k];

			s->good_at = s->good_began = s->good_size = s->proven_at = s->proven_began = 0;
			s->damaged.n = 0;
		}
	pthread_mutex_unlock(&l->lock);
}

static bool is_told(const struct live_node *n, const struct alert *a, const struct live_told *t)
{
	return a->node_id == n->n.id && a->kind == t->kind && a->count == t->times && str_eq(a->ref, t->ref) &&
	       strncmp(a->cause, t->cause, strlen(t->cause)) == 0;
}

static void tell(struct live_node *n, const struct alert *a)
{
	struct live_told *t = list_push(&n->told);

	t->kind = a->kind;
	t->severity = a->severity;
	str_cut(t->ref, sizeof(t->ref), a->ref);
	str_cut(t->cause, sizeof(t->cause), a->cause);
	if (a->kind == ALERT_MISSED_RUN && str_to_i64(&t->due, a->stamp, 0, INT64_MAX))
		t->due = 0;
	t->times = a->count;
}

void live_told(struct live *l, const struct alerts *open, int64_t now)
{
	size_t at = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++) {
		struct live_node *n = l->nodes.v[i];
		size_t from, k = 0;

		while (at < open->n && open->v[at].node_id < n->n.id)
			at++;
		from = at;
		while (at < open->n && k < n->told.n && is_told(n, &open->v[at], &n->told.v[k]))
			at++, k++;
		if (k == n->told.n && (at == open->n || open->v[at].node_id != n->n.id))
			continue;
		n->told.n = 0;
		for (at = from; at < open->n && open->v[at].node_id == n->n.id; at++)
			tell(n, &open->v[at]);
		judge(l, n, now);
		changes_line(&l->changes, n, l->version);
	}
	pthread_mutex_unlock(&l->lock);
}

void live_each(struct live *l, void (*each)(void *ctx, const struct live_node *n), void *ctx)
{
	int64_t last = 0;
	bool more = true;

	while (more) {
		size_t i;

		pthread_mutex_lock(&l->lock);
		i = above(l, last);
		for (size_t n = 0; n < EACH_SLICE && i < l->nodes.n; n++, i++) {
			last = l->nodes.v[i]->n.id;
			each(ctx, l->nodes.v[i]);
		}
		more = i < l->nodes.n;
		pthread_mutex_unlock(&l->lock);
	}
}

void live_tick(struct live *l, int64_t now)
{
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++)
		if (health_judge(l->nodes.v[i], now, l->heartbeat_ms))
			changes_line(&l->changes, l->nodes.v[i], ++l->version);
	pthread_mutex_unlock(&l->lock);
}

bool live_report_due(struct live *l, int64_t id, int64_t now)
{
	struct live_node *n;
	bool due;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	due = n && now - n->reported >= REPORT_EVERY_MS;
	if (due)
		n->reported = now;
	pthread_mutex_unlock(&l->lock);
	return due;
}

/* ---- start */

static void load_report(void *ctx, int64_t id, int64_t ts, const char *doc)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct live_node *n = live_find(ctx, id);
	struct wire_sample s;

	if (!n || json_parse(&j, doc, strlen(doc), NULL))
		return;
	wire_sample_init(&s);
	wire_sample_get(&s, j, "", &p);
	if (!p.n) {
		take_sample(n, &s, false, ts);
		n->whole_ts = n->last.ts;
	}
	wire_sample_done(&s);
}

static int load_run(void *ctx, const struct run_row *row)
{
	struct live_node *n = live_find(ctx, row->node_id);
	struct wire_run r;

	if (n && run_row_get(&r, row))
		put_run(n, &r);
	if (n)
		wire_run_done(&r);
	return 0;
}

static int load(struct live *l, struct db *db, struct err *e)
{
	struct nodes nodes = {0};
	int rc = tbl_node_list(db, &nodes, e);

	for (size_t i = 0; i < nodes.n && !rc; i++) {
		struct join j;

		if (!tbl_join_of_node(db, nodes.v[i].id, &j, e))
			put_node(l, &nodes.v[i], &j);
		else if (e->kind == ERR_NOTFOUND)
			put_node(l, &nodes.v[i], NULL);
		else
			rc = -1;
	}
	nodes_done(&nodes);
	if (rc || tbl_report_each(db, load_report, l, e) || tbl_run_latest(db, load_run, l, e))
		return -1;
	live_keys_rebuild(l);
	return 0;
}

int live_new(struct live **ret, struct db_pool *pool, int64_t heartbeat_s, struct err *e)
{
	struct live *l = xcalloc(1, sizeof(*l));
	struct db *db = NULL;
	int rc;

	pthread_mutex_init(&l->lock, NULL);
	l->heartbeat_ms = heartbeat_s * 1000;
	/* so that an ETag of another life of this process never fits */
	l->version = (uint64_t)clock_ms() << 12;
	changes_init(&l->changes, l->version);
	rc = db_pool_take(pool, &db, e) ? -1 : load(l, db, e);
	db_pool_give(pool, db);
	if (rc) {
		live_free(l);
		return -1;
	}
	live_tick(l, clock_ms());
	*ret = l;
	return 0;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->nodes.n; i++)
		node_free(l->nodes.v[i]);
	list_done(&l->nodes);
	changes_done(&l->changes);
	free(l->keys);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
