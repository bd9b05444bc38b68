/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DATA_MAX = 4 << 20, INSTANCE_SHOWN = 8 };

struct frame {
	unsigned refs; /* under the feed's lock */
	size_t len;
	char text[];
};

struct listener {
	struct listener *prev, *next;
	struct feed *f;
	struct ticket *ticket;
	char *token;
	char peer[64];
	struct scope scope;
	struct channel *channels[TOPICS];
	struct frame **queue;  /* a ring of cap, first at head */
	size_t head, n, cap;
	size_t offset;         /* of the first frame so much is read */
	size_t behind;         /* bytes in the queue */
	int64_t told;          /* monotonic ms of the last frame */
	bool ended;
};

struct feed {
	pthread_mutex_t lock;
	const char *instance;
	struct channel *channels;
	struct listener *listeners;
	size_t n, max;
	struct feed_at at;     /* of the last tick */
	int64_t event;         /* the journal was read so far */
	struct news_list news;
	bool ended;
};

static const char *const names[TOPICS] = {"node", "sample", "run", "alert", "join"};

int topic_from(enum topic *ret, const char *name)
{
	for (int i = 0; i < TOPICS; i++)
		if (str_eq(names[i], name)) {
			*ret = (enum topic)i;
			return 0;
		}
	return -1;
}

static void at_text(char id[static FEED_ID], const struct feed_at *at, const char *instance)
{
	snprintf(id, FEED_ID, "%" PRId64 "-%.*s-%" PRIu64, at->event, INSTANCE_SHOWN, instance, at->version);
}

bool feed_at_from(struct feed_at *ret, const char *id, const char *instance)
{
	const char *first = strchr(id, '-'), *second = first ? strchr(first + 1, '-') : NULL;
	CLEANUP(freep) char *event = first ? xstrndup(id, (size_t)(first - id)) : NULL;

	return second && second - first - 1 == INSTANCE_SHOWN && !strncmp(first + 1, instance, INSTANCE_SHOWN) &&
	       !str_to_i64(&ret->event, event, 0, INT64_MAX) && !str_to_u64(&ret->version, second + 1, 0, UINT64_MAX);
}

/* ---- frames */

static struct frame *frame_new(const char *head, const char *data, const char *tail)
{
	size_t a = strlen(head), b = strlen(data), c = strlen(tail);
	struct frame *v = xmalloc(sizeof(*v) + a + b + c);

	v->refs = 1;
	v->len = a + b + c;
	memcpy(v->text, head, a);
	memcpy(v->text + a, data, b);
	memcpy(v->text + a + b, tail, c);
	return v;
}

static void frame_drop(struct frame *v)
{
	if (v && !--v->refs)
		free(v);
}

static struct frame *frame_of(const char *event, const char *data)
{
	char head[64];

	snprintf(head, sizeof(head), "event: %s\ndata: ", event);
	return frame_new(head, data, "\n\n");
}

/* Where the stream is by now. A block of its own, after all frames of a tick: who
 * is cut off between two of them comes back for both. */
static struct frame *frame_at(const struct feed *f, const struct feed_at *at)
{
	char id[FEED_ID];

	at_text(id, at, f->instance);
	return frame_new(": felloe\nid: ", id, "\n\n");
}

/* ---- queues */

static void queue_push(struct listener *l, struct frame *v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct frame **grown = xcalloc(cap, sizeof(struct frame *));

		for (size_t i = 0; i < l->n; i++)
			grown[i] = l->queue[(l->head + i) % l->cap];
		free(l->queue);
		l->queue = grown;
		l->head = 0;
		l->cap = cap;
	}
	v->refs++;
	l->queue[(l->head + l->n++) % l->cap] = v;
	l->behind += v->len;
}

static void queue_shift(struct listener *l)
{
	struct frame *v = l->queue[l->head];

	l->behind -= v->len;
	l->head = (l->head + 1) % l->cap;
	l->n--;
	l->offset = 0;
	frame_drop(v);
}

/* All but the one that is half read. */
static void queue_cut(struct listener *l)
{
	size_t keep = l->offset ? 1 : 0;

	while (l->n > keep) {
		struct frame *v = l->queue[(l->head + --l->n) % l->cap];

		l->behind -= v->len;
		frame_drop(v);
	}
}

static void wake(struct listener *l)
{
	if (l->ticket)
		ticket_done(l->ticket);
}

static void give(struct listener *l, struct frame *v, int64_t mono)
{
	if (l->behind > FEED_BEHIND_MAX) {
		struct frame *reset = frame_of("reset", "{}");

		queue_cut(l);
		queue_push(l, reset);
		frame_drop(reset);
	} else {
		queue_push(l, v);
	}
	l->told = mono;
	wake(l);
}

/* ---- channels */

static bool same_nodes(const struct channel *c, const struct feed_want *w)
{
	return c->n_nodes == w->n_nodes && (!w->n_nodes || !memcmp(c->nodes, w->nodes, w->n_nodes * sizeof(*w->nodes)));
}

static struct channel *channel_enter(struct feed *f, enum topic t, const struct feed_want *w)
{
	struct channel *c = f->channels;

	while (c && !(c->topic == t && scope_same(&c->scope, &w->scope) && (t != TOPIC_SAMPLE || same_nodes(c, w))))
		c = c->next;
	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->topic = t;
		c->scope = w->scope;
		c->version = f->at.version;
		if (t == TOPIC_SAMPLE && w->n_nodes) {
			c->nodes = xmemdup(w->nodes, w->n_nodes * sizeof(*w->nodes));
			c->n_nodes = w->n_nodes;
		}
		c->next = f->channels;
		f->channels = c;
	}
	c->listeners++;
	return c;
}

static void channel_leave(struct feed *f, struct channel *c)
{
	struct channel **at = &f->channels;

	if (--c->listeners)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c->nodes);
	free(c);
}

bool feed_wanted(struct feed *f, enum topic t)
{
	bool wanted = false;

	pthread_mutex_lock(&f->lock);
	for (const struct channel *c = f->channels; c && !wanted; c = c->next)
		wanted = c->topic == t;
	pthread_mutex_unlock(&f->lock);
	return wanted;
}

/* ---- listeners */

struct feed *feed_new(const char *instance, size_t max_listeners, const struct feed_at *at)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	pthread_mutex_init(&f->lock, NULL);
	f->instance = instance;
	f->max = max_listeners;
	f->at = *at;
	f->event = at->event;
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	while (f->listeners)
		feed_leave(f->listeners);
	news_list_done(&f->news);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

void feed_end(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->ended = true;
	for (struct listener *l = f->listeners; l; l = l->next)
		wake(l);
	pthread_mutex_unlock(&f->lock);
}

size_t feed_listeners(struct feed *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->n;
	pthread_mutex_unlock(&f->lock);
	return n;
}

static void enter(struct feed *f, struct listener *l, const struct feed_want *w)
{
	struct frame *hello = frame_at(f, &f->at);

	for (int t = 0; t < TOPICS; t++)
		if (w->topics >> t & 1)
			l->channels[t] = channel_enter(f, (enum topic)t, w);
	l->next = f->listeners;
	if (l->next)
		l->next->prev = l;
	f->listeners = l;
	f->n++;
	l->told = clock_mono_ms();
	queue_push(l, hello);
	frame_drop(hello);
}

/* check-size: what is wanted, whom to wake, and where it starts */
int feed_join(struct feed *f, struct listener **ret, const struct feed_want *w, struct ticket *t, struct feed_at *at,
	      struct err *e)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	bool full;

	l->f = f;
	l->ticket = t;
	l->token = xstrdup(w->token);
	str_cut(l->peer, sizeof(l->peer), w->peer);
	l->scope = w->scope;
	pthread_mutex_lock(&f->lock);
	full = f->n >= f->max;
	if (!full)
		enter(f, l, w);
	*at = f->at;
	pthread_mutex_unlock(&f->lock);
	if (full) {
		free(l->token);
		free(l);
		return err_set(e, ERR_BUSY, "%zu streams of events are open, more are not served: limits.event_streams",
			       f->max);
	}
	*ret = l;
	return 0;
}

void feed_leave(struct listener *l)
{
	struct feed *f = l->f;

	pthread_mutex_lock(&f->lock);
	if (l->prev)
		l->prev->next = l->next;
	else
		f->listeners = l->next;
	if (l->next)
		l->next->prev = l->prev;
	f->n--;
	for (int t = 0; t < TOPICS; t++)
		if (l->channels[t])
			channel_leave(f, l->channels[t]);
	l->offset = 0;
	queue_cut(l);
	pthread_mutex_unlock(&f->lock);
	if (l->token)
		mem_wipe(l->token, strlen(l->token));
	free(l->token);
	free(l->queue);
	free(l);
}

long feed_read(struct listener *l, char *p, size_t max)
{
	size_t got = 0;
	bool ended;

	pthread_mutex_lock(&l->f->lock);
	while (l->n && got < max) {
		const struct frame *v = l->queue[l->head];
		size_t n = v->len - l->offset < max - got ? v->len - l->offset : max - got;

		memcpy(p + got, v->text + l->offset, n);
		got += n;
		l->offset += n;
		if (l->offset == v->len)
			queue_shift(l);
	}
	ended = l->ended || l->f->ended;
	pthread_mutex_unlock(&l->f->lock);
	return !got && ended ? -1 : (long)got;
}

void feed_tell(struct listener *l, enum topic t, const char *data)
{
	struct frame *v;

	pthread_mutex_lock(&l->f->lock);
	v = frame_of(data ? names[t] : "reset", data ? data : "{}");
	give(l, v, l->told);
	frame_drop(v);
	pthread_mutex_unlock(&l->f->lock);
}

void feed_tell_at(struct listener *l, const struct feed_at *at)
{
	struct frame *v;

	pthread_mutex_lock(&l->f->lock);
	v = frame_at(l->f, at);
	give(l, v, l->told);
	frame_drop(v);
	pthread_mutex_unlock(&l->f->lock);
}

/* ---- news */

void news_list_done(struct news_list *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->v[i].text);
	list_done(n);
	memset(n->lost, 0, sizeof(n->lost));
}

void news_add(struct news_list *n, enum topic t, int64_t node_id, const char *key, char *text)
{
	struct news *v;

	/* the newest takes the place of what was said of the same thing */
	for (size_t i = 0; i < n->n; i++) {
		v = &n->v[i];
		if (v->topic != t || v->node_id != node_id || !str_eq(v->key, key))
			continue;
		free(v->text);
		v->text = text;
		return;
	}
	if (n->n >= FEED_NEWS_MAX) {
		n->lost[t] = true;
		free(text);
		return;
	}
	v = list_push(n);
	v->topic = t;
	v->node_id = node_id;
	str_cut(v->key, sizeof(v->key), key);
	v->text = text;
}

void feed_add(struct feed *f, enum topic t, int64_t node_id, const char *key, char *text)
{
	pthread_mutex_lock(&f->lock);
	news_add(&f->news, t, node_id, key, text);
	pthread_mutex_unlock(&f->lock);
}

void feed_read_to(struct feed *f, int64_t event)
{
	pthread_mutex_lock(&f->lock);
	f->event = event;
	pthread_mutex_unlock(&f->lock);
}

void feed_lost(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->news.lost[TOPIC_RUN] = f->news.lost[TOPIC_ALERT] = f->news.lost[TOPIC_JOIN] = true;
	pthread_mutex_unlock(&f->lock);
}

int64_t feed_event(struct feed *f)
{
	int64_t event;

	pthread_mutex_lock(&f->lock);
	event = f->event;
	pthread_mutex_unlock(&f->lock);
	return event;
}

/* ---- once a second */

static void encode(struct feed *f, const struct feed_tick *t)
{
	struct feed_at at = {f->event, t->version};

	for (struct channel *c = f->channels; c; c = c->next) {
		buf_init(&c->data, DATA_MAX);
		c->said = t->encode(t->ctx, c, &f->news);
		if (f->news.lost[c->topic])
			c->said = SAY_RESET;
		/* who has to come back must not miss what one channel still owes */
		if (c->version < at.version)
			at.version = c->version;
	}
	f->at = at;
	for (struct channel *c = f->channels; c; c = c->next) {
		bool reset = c->said == SAY_RESET || c->data.over;

		c->frame = NULL;
		if (c->said != SAY_NOTHING)
			c->frame = frame_of(reset ? "reset" : names[c->topic], reset ? "{}" : c->data.p);
		buf_done(&c->data);
	}
}

static void hand_out(struct feed *f, const struct feed_tick *t)
{
	struct frame *at = frame_at(f, &f->at);
	bool said;

	for (struct listener *l = f->listeners; l; l = l->next) {
		if (l->ended)
			continue;
		if (!t->good(t->ctx, l->token, &l->scope, l->peer)) {
			l->ended = true;
			wake(l);
			continue;
		}
		said = false;
		for (int i = 0; i < TOPICS; i++)
			if (l->channels[i] && l->channels[i]->frame) {
				give(l, l->channels[i]->frame, t->mono);
				said = true;
			}
		if (said || t->mono - l->told >= FEED_ALIVE_MS)
			give(l, at, t->mono);
	}
	frame_drop(at);
}

void feed_run(struct feed *f, const struct feed_tick *t)
{
	pthread_mutex_lock(&f->lock);
	encode(f, t);
	hand_out(f, t);
	for (struct channel *c = f->channels; c; c = c->next) {
		frame_drop(c->frame);
		c->frame = NULL;
	}
	news_list_done(&f->news);
	pthread_mutex_unlock(&f->lock);
}
