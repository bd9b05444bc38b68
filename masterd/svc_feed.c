/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_feed.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/svc_token.h"
#include "masterd/tbl_alert.h"
#include "masterd/tbl_run.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { ITEM_MAX = 1 << 20, LINES_MAX = 512 << 10, MISSED_MAX = 1 << 20 };

/* ---- from the journal to the news */

struct teller {
	struct master *m;
	const struct event *ev;
	struct news_list *news;
};

static int tell_run_row(void *ctx, const struct run_row *row)
{
	struct teller *t = ctx;
	char name[WIRE_HOST];
	struct buf b;

	buf_init(&b, ITEM_MAX);
	live_name(t->m->live, row->node_id, name);
	run_row_put(&b, row, name, NULL);
	news_add(t->news, TOPIC_RUN, row->node_id, row->uuid, buf_take(&b));
	return 0;
}

static int tell_run(struct teller *t, struct db *db, struct err *e)
{
	return tbl_run_get(db, t->ev->ref, tell_run_row, t, e);
}

static int tell_alert(struct teller *t, struct db *db, struct err *e)
{
	char name[WIRE_HOST];
	struct json_out o;
	struct alert a;
	int64_t id;
	struct buf b;

	if (str_to_i64(&id, t->ev->ref, 1, INT64_MAX))
		return 0;
	if (tbl_alert_get(db, id, &a, e))
		return -1;
	buf_init(&b, ITEM_MAX);
	json_out_init(&o, &b);
	live_name(t->m->live, a.node_id, name);
	alert_put(&o, NULL, &a, name, clock_ms());
	news_add(t->news, TOPIC_ALERT, a.node_id, t->ev->ref, buf_take(&b));
	return 0;
}

static int tell_join(struct teller *t, struct db *db, struct err *e)
{
	(void)db;
	(void)e;
	news_add(t->news, TOPIC_JOIN, t->ev->node_id, "", NULL);
	return 0;
}

/* What is told of a kind of event; lines of nodes come from live. */
static int (*const tellers[EVENT_KINDS])(struct teller *t, struct db *db, struct err *e) = {
	[EVENT_RUN] = tell_run,
	[EVENT_ALERT] = tell_alert,
	[EVENT_JOIN] = tell_join,
};

int feed_news_of(struct master *m, struct db *db, const struct event *ev, struct news_list *ret, struct err *e)
{
	struct teller t = {m, ev, ret};

	if (ev->kind >= EVENT_KINDS || !tellers[ev->kind] || !tellers[ev->kind](&t, db, e))
		return 0;
	/* what is gone by now needs no telling */
	return e->kind == ERR_NOTFOUND ? 0 : -1;
}

/* ---- the data of a frame */

static bool sees(struct master *m, int64_t node_id, const struct scope *scope)
{
	return scope_is_all(scope) || live_sees(m->live, node_id, scope);
}

static enum feed_say put_lines(struct master *m, struct channel *c, struct json_out *o)
{
	struct change_query q = {.scope = &c->scope, .since = c->version, .max = LINES_MAX};
	int got = live_changes(m->live, &q, o);

	c->version = got < 0 ? q.now : q.since;
	return got < 0 ? SAY_RESET : got ? SAY_DATA : SAY_NOTHING;
}

static enum feed_say put_samples(struct master *m, struct channel *c, struct json_out *o)
{
	struct change_query q = {.scope = &c->scope, .since = c->version};
	uint64_t now = live_version(m->live);
	size_t got;

	json_arr(o, "items");
	got = live_samples(m->live, &q, c->nodes, c->n_nodes, o);
	json_end_arr(o);
	c->version = now;
	return got ? SAY_DATA : SAY_NOTHING;
}

static enum feed_say put_news(struct master *m, const struct channel *c, const struct news_list *news, struct json_out *o)
{
	size_t got = 0;

	json_arr(o, "items");
	for (size_t i = 0; i < news->n; i++) {
		const struct news *v = &news->v[i];

		if (v->topic != c->topic || !sees(m, v->node_id, &c->scope))
			continue;
		json_put_raw(o, NULL, v->text);
		got++;
	}
	json_end_arr(o);
	return got ? SAY_DATA : SAY_NOTHING;
}

static enum feed_say put_joins(struct master *m, const struct channel *c, const struct news_list *news, struct json_out *o)
{
	const struct scope all = {.tags = ""};
	size_t got = 0;

	json_arr(o, "items");
	for (size_t i = 0; i < news->n; i++)
		if (news->v[i].topic == TOPIC_JOIN && live_line(m->live, news->v[i].node_id, &c->scope, o))
			got++;
	json_end_arr(o);
	json_arr(o, "gone");
	for (size_t i = 0; i < news->n && scope_is_all(&c->scope); i++)
		if (news->v[i].topic == TOPIC_JOIN && !live_sees(m->live, news->v[i].node_id, &all)) {
			json_put_int(o, NULL, news->v[i].node_id);
			got++;
		}
	json_end_arr(o);
	return got ? SAY_DATA : SAY_NOTHING;
}

static enum feed_say encode(void *ctx, struct channel *c, const struct news_list *news)
{
	struct master *m = ctx;
	enum feed_say said;
	struct json_out o;

	json_out_init(&o, &c->data);
	json_obj(&o, NULL);
	if (c->topic == TOPIC_NODE)
		said = put_lines(m, c, &o);
	else if (c->topic == TOPIC_SAMPLE)
		said = put_samples(m, c, &o);
	else if (c->topic == TOPIC_JOIN)
		said = put_joins(m, c, news, &o);
	else
		said = put_news(m, c, news, &o);
	if (c->topic != TOPIC_NODE && c->topic != TOPIC_SAMPLE)
		c->version = UINT64_MAX;
	json_end_obj(&o);
	return said;
}

static bool good(void *ctx, const char *token, const struct scope *scope, const char *peer)
{
	struct master *m = ctx;
	int64_t now = clock_ms();
	struct who who;
	struct err e;
	bool use;

	if (auth_bearer(m->auth, token, now, &who, &use, &e))
		return false;
	if (use)
		token_used(m, who.token_id, peer, now);
	return scope_same(&who.scope, scope);
}

void feed_tick(struct master *m, int64_t now)
{
	struct feed_tick t = {.ctx = m, .version = live_version(m->live), .mono = clock_mono_ms(),
			      .encode = encode, .good = good};

	(void)now;
	feed_run(m->feed, &t);
}

/* ---- what a client missed */

struct missed {
	struct news_list *news;
	struct { LIST_OF(struct event); } events;
};

static int keep_event(void *ctx, const struct event *ev)
{
	struct missed *v = ctx;

	*list_push(&v->events) = *ev;
	return v->events.n > FEED_NEWS_MAX;
}

/* 1: it is all there, 0 not known any more, -1 failed. */
static int read_missed(struct master *m, const struct feed_at *from, struct news_list *ret, struct err *e)
{
	struct missed v = {.news = ret};
	int64_t oldest, newest;
	struct db *db = NULL;
	int rc = -1;

	if (db_pool_take(m->pool, &db, e))
		return -1;
	if (!tbl_event_range(db, &oldest, &newest, e) && !tbl_event_each(db, from->event, FEED_NEWS_MAX + 1, keep_event, &v, e))
		rc = from->event + 1 >= oldest && from->event <= newest && v.events.n <= FEED_NEWS_MAX;
	for (size_t i = 0; i < v.events.n && rc > 0; i++)
		if (feed_news_of(m, db, &v.events.v[i], ret, e))
			rc = -1;
	list_done(&v.events);
	db_pool_give(m->pool, db);
	return rc;
}

/* One frame a topic with all since from; false: not known any more, or too much. */
static bool tell_topic(struct master *m, struct listener *l, struct channel *c, const struct news_list *news)
{
	uint64_t now = live_version(m->live);
	enum feed_say said;
	bool whole;

	buf_init(&c->data, MISSED_MAX);
	said = encode(m, c, news);
	whole = said != SAY_RESET && !c->data.over && c->version >= now;
	if (whole && said == SAY_DATA)
		feed_tell(l, c->topic, c->data.p);
	buf_done(&c->data);
	return whole;
}

int feed_catch_up(struct master *m, struct listener *l, const struct feed_want *w, const struct feed_at *from,
		  struct err *e)
{
	struct feed_at at = {feed_event(m->feed), live_version(m->live)};
	struct news_list news = {0};
	int whole = read_missed(m, from, &news, e);

	for (int t = 0; t < TOPICS && whole > 0; t++) {
		struct channel c = {.topic = (enum topic)t, .scope = w->scope, .version = from->version,
				    .nodes = w->nodes, .n_nodes = w->n_nodes};

		if (w->topics >> t & 1)
			whole = tell_topic(m, l, &c, &news);
	}
	if (!whole)
		feed_tell(l, TOPIC_NODE, NULL);
	feed_tell_at(l, &at);
	news_list_done(&news);
	return whole < 0 ? -1 : 0;
}
