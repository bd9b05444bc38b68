/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about the latest state, each answered under the lock. */
#include "masterd/live.h"

#include <pthread.h>
#include <string.h>

#include "masterd/live_in.h"
#include "masterd/live_put.h"
#include "shared/mem.h"
#include "shared/str.h"

void live_answer(struct live *l, int64_t id, struct buf *out)
{
	const struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	buf_adds(out, n && n->answer ? n->answer : "{\"status\":\"recorded\",\"node\":\"\",\"requests\":[]}");
	pthread_mutex_unlock(&l->lock);
}

void live_name(struct live *l, int64_t id, char name[static WIRE_HOST])
{
	const struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	str_cut(name, WIRE_HOST, n ? n->n.name : "");
	pthread_mutex_unlock(&l->lock);
}

size_t live_ids(struct live *l, int64_t *cursor, int64_t *ids, size_t max)
{
	size_t got = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n && got < max; i++)
		if (l->nodes.v[i]->n.id > *cursor)
			ids[got++] = l->nodes.v[i]->n.id;
	*cursor = got < max ? 0 : ids[got - 1];
	pthread_mutex_unlock(&l->lock);
	return got;
}

uint64_t live_version(struct live *l)
{
	uint64_t v;

	pthread_mutex_lock(&l->lock);
	v = l->version;
	pthread_mutex_unlock(&l->lock);
	return v;
}

static bool has_text(const char *where, const char *what)
{
	return where && strcasestr(where, what);
}

static bool matches(const struct live_node *n, const struct live_filter *f)
{
	if ((f->by_state && n->n.state != f->state) || (f->by_health && n->health != f->health))
		return false;
	if (f->tag) {
		CLEANUP(freep) char *quoted = xasprintf("\"%s\"", f->tag);

		if (!n->n.tags || !strstr(n->n.tags, quoted))
			return false;
	}
	if (!scope_sees_waiting(f->scope, n->n.tags, n->n.state == NODE_PENDING))
		return false;
	return !f->q || has_text(n->n.name, f->q) || has_text(n->n.hostname, f->q) ||
	       has_text(n->join.peer_address, f->q);
}

void live_list(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next)
{
	int64_t last = 0, left = f->limit;

	*next = 0;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++) {
		const struct live_node *n = l->nodes.v[i];

		if (n->n.id <= f->after || !matches(n, f))
			continue;
		if (!left--) {
			*next = last;
			break;
		}
		live_put_item(o, n);
		last = n->n.id;
	}
	pthread_mutex_unlock(&l->lock);
}

bool live_sees(struct live *l, int64_t id, const struct scope *scope)
{
	const struct live_node *n;
	bool sees;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	sees = n && scope_sees_waiting(scope, n->n.tags, n->n.state == NODE_PENDING);
	pthread_mutex_unlock(&l->lock);
	return sees;
}

int live_node(struct live *l, int64_t id, struct json_out *o, struct err *e)
{
	const struct live_node *n;
	int rc = 0;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n)
		live_put_whole(o, n);
	else
		rc = err_set(e, ERR_NOTFOUND, "there is no node %lld", (long long)id);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* Things of nodes in f->scope that a report names: how many a node has, and their lines. */
struct parts {
	size_t (*count)(const struct live_node *n);
	void (*put)(struct json_out *o, const struct live_node *n, size_t i);
};

static void put_parts(struct live *l, const struct live_filter *f, const struct parts *p, struct json_out *o, int64_t *next)
{
	int64_t last = 0, left = f->limit;

	*next = 0;
	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < l->nodes.n; i++) {
		const struct live_node *n = l->nodes.v[i];
		size_t parts = p->count(n);

		if (n->n.id <= f->after || n->n.state != NODE_ACTIVE || !parts || !scope_sees(f->scope, n->n.tags))
			continue;
		if (left <= 0) {
			*next = last;
			break;
		}
		for (size_t k = 0; k < parts; k++)
			p->put(o, n, k);
		left -= (int64_t)parts;
		last = n->n.id;
	}
	pthread_mutex_unlock(&l->lock);
}

static size_t count_timers(const struct live_node *n)
{
	return n->last.timers.n;
}

static void put_timer(struct json_out *o, const struct live_node *n, size_t i)
{
	live_put_timer(o, n, &n->last.timers.v[i]);
}

void live_timers(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next)
{
	put_parts(l, f, &(struct parts){count_timers, put_timer}, o, next);
}

static size_t count_storages(const struct live_node *n)
{
	return n->last.storages.n;
}

static void put_storage(struct json_out *o, const struct live_node *n, size_t i)
{
	live_put_storage(o, n, &n->last.storages.v[i]);
}

void live_storages(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next)
{
	put_parts(l, f, &(struct parts){count_storages, put_storage}, o, next);
}

/* ---- what is new */

int live_changes(struct live *l, struct change_query *q, struct json_out *o)
{
	int rc;

	pthread_mutex_lock(&l->lock);
	q->now = l->version;
	rc = changes_put(&l->changes, q, o);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

size_t live_samples(struct live *l, const struct change_query *q, const int64_t *ids, size_t n, struct json_out *o)
{
	size_t got = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 0; i < n; i++) {
		const struct live_node *v = live_find(l, ids[i]);

		if (!v || v->sampled <= q->since || !scope_sees_waiting(q->scope, v->n.tags, v->n.state == NODE_PENDING))
			continue;
		live_put_newest(o, v);
		got++;
	}
	pthread_mutex_unlock(&l->lock);
	return got;
}

bool live_line(struct live *l, int64_t id, const struct scope *scope, struct json_out *o)
{
	const struct live_node *n;
	bool sees;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	sees = n && scope_sees_waiting(scope, n->n.tags, n->n.state == NODE_PENDING);
	if (sees)
		live_put_item(o, n);
	pthread_mutex_unlock(&l->lock);
	return sees;
}
