/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/svc_feed.h"
#include "masterd/svc_node.h"
#include "masterd/svc_request.h"
#include "masterd/tbl_event.h"
#include "masterd/tbl_run.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { PASS_MAX = 1000, EVERY_MS = 1000, SLICE_MS = 100, EAR_MS = 5000, MISSES = 4096, MISS_MS = 2000, LOOKUPS_A_SECOND = 200,
       DOUBT_MS = 60000 };

/* A key that the database did not know either. */
struct miss {
	uint64_t hash;
	int64_t until;         /* monotonic ms */
};

struct follow {
	struct master *m;
	pthread_t thread;
	bool started;
	atomic_bool stopping;
	atomic_llong at;       /* last event that was read */
	bool failing;          /* said so already */
	struct db *ear;        /* a connection to hear of news at once; NULL: none now */
	int64_t ear_at;        /* monotonic ms: no try to get one before */
	pthread_mutex_t lock;  /* of what is below */
	struct miss misses[MISSES];
	int64_t second;
	unsigned lookups;      /* in that second */
};

/* ---- what others did becomes known here */

static int reload_node(struct master *m, struct db *db, int64_t id, struct err *e)
{
	const struct scope all = {.tags = ""};
	struct node n;
	struct join j;
	int found, joined;

	found = tbl_node_get(db, id, &n, e);
	if (found && e->kind != ERR_NOTFOUND)
		return -1;
	joined = tbl_join_of_node(db, id, &j, e);
	if ((found || n.deleted) && live_sees(m->live, id, &all))
		live_drop_node(m->live, id);
	else if (!found && !n.deleted)
		live_put_node(m->live, &n, joined ? NULL : &j);
	if (!found)
		node_done(&n);
	/* who waits for an answer has no use for another "pending" */
	if (!joined && j.state != JOIN_PENDING)
		waits_wake(m->waits, j.request_id);
	return joined && e->kind != ERR_NOTFOUND ? -1 : 0;
}

static int apply_node(struct master *m, struct db *db, const struct event *ev, struct err *e)
{
	return reload_node(m, db, ev->node_id, e);
}

static int take_run(void *ctx, const struct run_row *row)
{
	struct master *m = ctx;
	struct wire_run r;

	if (run_row_get(&r, row))
		live_run(m->live, row->node_id, &r);
	wire_run_done(&r);
	return 0;
}

struct doubt {
	int64_t node_id;
	char site[WIRE_NAME]; /* "" there is none */
};

/* It may have been the last good run of its site until now. */
static int is_doubtful(void *ctx, const struct run_row *row)
{
	struct doubt *s = ctx;

	s->node_id = row->node_id;
	if (row->pruned || str_eq(row->state, run_state_name(RUN_SUSPECT)) || str_eq(row->state, run_state_name(RUN_FAILED)))
		str_cut(s->site, sizeof(s->site), row->site);
	return 0;
}

static int apply_run(struct master *m, struct db *db, const struct event *ev, struct err *e)
{
	struct doubt s = {0};

	if (tbl_run_get(db, ev->ref, is_doubtful, &s, e))
		return e->kind == ERR_NOTFOUND ? 0 : -1;
	if (s.site[0]) {
		live_doubt(m->live, s.node_id, s.site);
		if (tbl_run_standing(db, s.node_id, s.site, take_run, m, e))
			return -1;
	}
	return !tbl_run_get(db, ev->ref, take_run, m, e) || e->kind == ERR_NOTFOUND ? 0 : -1;
}

static int apply_request(struct master *m, struct db *db, const struct event *ev, struct err *e)
{
	return request_reload(m, db, ev->node_id, e);
}

static int apply_origin(struct master *m, struct db *db, const struct event *ev, struct err *e)
{
	struct live_origin from = {.seen = ev->at};

	(void)db;
	(void)e;
	node_seen_from(&from, ev->ref);
	if (from.instance[0])
		live_origin_told(m->live, ev->node_id, &from);
	return 0;
}

/* What an event changes in our memory; own ones too where what another master did
 * may have been read just before, and put in just after, our own change. */
static const struct {
	int (*apply)(struct master *m, struct db *db, const struct event *ev, struct err *e);
	bool own;
} appliers[EVENT_KINDS] = {
	[EVENT_NODE] = {apply_node, true},
	[EVENT_JOIN] = {apply_node, true},
	[EVENT_RUN] = {apply_run, false},
	[EVENT_REQUEST] = {apply_request, true},
	[EVENT_ORIGIN] = {apply_origin, false},
};

/* ---- one reading of the journal */

struct pass {
	struct { LIST_OF(struct event); } events;
};

static int keep(void *ctx, const struct event *ev)
{
	struct pass *p = ctx;

	*list_push(&p->events) = *ev;
	return 0;
}

static int take_event(struct follow *f, struct db *db, const struct event *ev, struct err *e)
{
	static const enum topic topics[EVENT_KINDS] = {
		[EVENT_NODE] = TOPIC_NODE, [EVENT_JOIN] = TOPIC_JOIN, [EVENT_RUN] = TOPIC_RUN,
		[EVENT_ALERT] = TOPIC_ALERT, [EVENT_REQUEST] = TOPIC_NODE,
		[EVENT_ORIGIN] = TOPIC_NODE,
	};
	struct master *m = f->m;
	bool own = str_eq(ev->origin, m->instance);
	/* what we told as failed may be there all the same */
	bool doubt = writer_doubt(m->writer) && clock_mono_ms() - writer_doubt(m->writer) < DOUBT_MS;
	struct news_list news = {0};
	int rc = 0;

	if (ev->kind >= EVENT_KINDS)
		return 0;
	if (appliers[ev->kind].apply && (!own || doubt || (appliers[ev->kind].own && f->m->shared)) &&
	    appliers[ev->kind].apply(m, db, ev, e))
		return -1;
	if (feed_wanted(m->feed, topics[ev->kind]))
		rc = feed_news_of(m, db, ev, &news, e);
	for (size_t i = 0; i < news.n; i++)
		feed_add(m->feed, news.v[i].topic, news.v[i].node_id, news.v[i].key, TAKE(news.v[i].text));
	news_list_done(&news);
	return rc;
}

/* ---- when the journal does not reach back to where we were */

static int reload_nodes(struct master *m, struct db *db, struct err *e)
{
	int64_t ids[PASS_MAX], cursor = 0;
	struct nodes nodes = {0};
	int rc = tbl_node_list(db, &nodes, e);

	for (size_t i = 0; i < nodes.n && !rc; i++)
		rc = reload_node(m, db, nodes.v[i].id, e) || request_reload(m, db, nodes.v[i].id, e) ? -1 : 0;
	nodes_done(&nodes);
	/* and those that are no more */
	do {
		size_t n = live_ids(m->live, &cursor, ids, PASS_MAX);

		for (size_t i = 0; i < n && !rc; i++)
			rc = reload_node(m, db, ids[i], e);
	} while (cursor && !rc);
	return rc;
}

/* We were away for over a day (a machine that slept): read all anew. */
static int mind_gap(struct follow *f, struct db *db, struct err *e)
{
	int64_t oldest, newest, at = atomic_load(&f->at);

	if (tbl_event_range(db, &oldest, &newest, e))
		return -1;
	if (!at || oldest <= at + 1)
		return 0;
	log_warn("journal: all up to event %lld is gone, %lld was read: reading everything anew", (long long)oldest - 1,
		 (long long)at);
	live_doubt_all(f->m->live);
	if (reload_nodes(f->m, db, e) || tbl_run_latest(db, take_run, f->m, e))
		return -1;
	feed_lost(f->m->feed);
	atomic_store(&f->at, oldest - 1);
	return 0;
}

/* All that is new; f->at stays before what could not be taken. */
static int read_journal(struct follow *f, struct db *db, struct err *e)
{
	struct pass p = {0};
	size_t got;
	int rc;

	if (f->m->shared && mind_gap(f, db, e))
		return -1;
	do {
		p.events.n = 0;
		rc = tbl_event_each(db, atomic_load(&f->at), PASS_MAX, keep, &p, e);
		got = p.events.n;
		for (size_t i = 0; i < got && !rc && !atomic_load(&f->stopping); i++) {
			rc = take_event(f, db, &p.events.v[i], e);
			if (!rc)
				atomic_store(&f->at, p.events.v[i].id);
		}
		feed_read_to(f->m->feed, atomic_load(&f->at));
	} while (!rc && got == PASS_MAX && !atomic_load(&f->stopping));
	list_done(&p.events);
	return rc;
}

static void pass(struct follow *f)
{
	struct db *db = NULL;
	struct err e;
	int rc = db_pool_take(f->m->pool, &db, &e);

	if (!rc)
		rc = read_journal(f, db, &e);
	db_pool_give(f->m->pool, db);
	if (rc && !f->failing)
		log_error("journal: %s", e.msg);
	else if (!rc && f->failing)
		log_info("journal: read again");
	f->failing = rc != 0;
}

/* A while until there may be something new; true: there is. */
static bool wait_for_news(struct follow *f)
{
	const struct timespec slice = {.tv_nsec = SLICE_MS * 1000000};
	int64_t mono = clock_mono_ms();
	struct err e;
	int heard;

	if (f->m->shared && !f->ear && mono >= f->ear_at) {
		f->ear_at = mono + EAR_MS;
		/* to the primary: that is where news are told */
		if (db_open(&f->ear, f->m->config->database, false, &e))
			f->ear = NULL;
	}
	if (!f->ear) {
		nanosleep(&slice, NULL);
		return false;
	}
	heard = db_hear(f->ear, SLICE_MS, &e);
	if (heard < 0) {
		log_debug("journal: %s", e.msg);
		db_close(f->ear);
		f->ear = NULL;
	}
	return heard > 0;
}

static void *follow_main(void *arg)
{
	struct follow *f = arg;
	int64_t next = 0;

	while (!atomic_load(&f->stopping)) {
		if (clock_mono_ms() >= next) {
			next = clock_mono_ms() + EVERY_MS;
			pass(f);
		}
		if (wait_for_news(f))
			next = 0;
	}
	db_close(f->ear);
	return NULL;
}

int follow_new(struct follow **ret, struct master *m, struct err *e)
{
	struct follow *f = xcalloc(1, sizeof(*f));
	int64_t oldest, newest = 0;
	struct db *db = NULL;
	int rc = db_pool_take(m->pool, &db, e);

	if (!rc)
		rc = tbl_event_range(db, &oldest, &newest, e);
	db_pool_give(m->pool, db);
	f->m = m;
	atomic_store(&f->at, newest);
	pthread_mutex_init(&f->lock, NULL);
	if (rc) {
		follow_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

int64_t follow_at(struct follow *f)
{
	return atomic_load(&f->at);
}

int follow_start(struct follow *f, struct err *e)
{
	if (pthread_create(&f->thread, NULL, follow_main, f))
		return err_set(e, ERR_INTERNAL, "cannot start the thread that follows the journal");
	f->started = true;
	return 0;
}

void follow_stop(struct follow *f)
{
	if (!f)
		return;
	atomic_store(&f->stopping, true);
	if (f->started)
		pthread_join(f->thread, NULL);
	f->started = false;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	follow_stop(f);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- what is not known here yet */

/* May the database be asked, after this hash (0: none) was not known of late? */
static bool may_ask(struct follow *f, uint64_t hash, int64_t mono)
{
	bool may;

	pthread_mutex_lock(&f->lock);
	if (mono / 1000 != f->second) {
		f->second = mono / 1000;
		f->lookups = 0;
	}
	may = f->lookups < LOOKUPS_A_SECOND &&
	      !(hash && f->misses[hash % MISSES].hash == hash && f->misses[hash % MISSES].until > mono);
	if (may)
		f->lookups++;
	pthread_mutex_unlock(&f->lock);
	return may;
}

static void remember_miss(struct follow *f, uint64_t hash, int64_t mono)
{
	pthread_mutex_lock(&f->lock);
	f->misses[hash % MISSES] = (struct miss){hash, mono + MISS_MS};
	pthread_mutex_unlock(&f->lock);
}

bool follow_key(struct master *m, const char *key)
{
	uint8_t hash[SHA256_LEN];
	int64_t mono = clock_mono_ms();
	struct db *db = NULL;
	uint64_t first;
	struct node n;
	bool found = false, asked;
	struct err e;

	if (!m->shared)
		return false;
	sha256(hash, key, strlen(key));
	memcpy(&first, hash, sizeof(first));
	if (!may_ask(m->follow, first, mono))
		return false;
	asked = !db_pool_take(m->pool, &db, &e);
	if (asked && !tbl_node_of_key(db, hash, &n, &e)) {
		found = !n.deleted && !reload_node(m, db, n.id, &e);
		node_done(&n);
	} else if (asked && e.kind == ERR_NOTFOUND) {
		remember_miss(m->follow, first, mono);
	}
	db_pool_give(m->pool, db);
	return found;
}

bool follow_node(struct master *m, int64_t id)
{
	struct db *db = NULL;
	bool found;
	struct err e;

	if (!m->shared || !may_ask(m->follow, 0, clock_mono_ms()))
		return false;
	found = !db_pool_take(m->pool, &db, &e) && !reload_node(m, db, id, &e);
	db_pool_give(m->pool, db);
	return found;
}

/* ---- the journal is kept for a day */

struct expiry {
	struct job job;          /* first */
	int64_t before;
};

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	return tbl_event_expire(db, ((struct expiry *)job)->before, e);
}

static void drop_expire(struct job *job)
{
	free(job);
}

void follow_expire(struct master *m, int64_t now)
{
	struct expiry *x = xcalloc(1, sizeof(*x));
	struct err e;

	x->before = now - JOURNAL_MS;
	x->job.run = run_expire;
	x->job.drop = drop_expire;
	/* a full queue: the next time does it */
	if (writer_put(m->writer, &x->job, &e))
		free(x);
}
