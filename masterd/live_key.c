/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "masterd/live.h"
#include "masterd/live_in.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { CLONE_WINDOW_MS = 600000 };

/* ---- keys */

static size_t key_slot(const struct live *l, const uint8_t hash[static SHA256_LEN])
{
	uint64_t first;

	memcpy(&first, hash, sizeof(first));
	return (size_t)(first & (l->n_keys - 1));
}

static void key_enter(struct live *l, const uint8_t hash[static SHA256_LEN], struct live_node *n)
{
	size_t at = key_slot(l, hash);

	while (l->keys[at].node)
		at = (at + 1) & (l->n_keys - 1);
	l->keys[at] = (struct key_slot){hash, n};
}

/* Made anew when a key comes or goes: rare, and without tombstones. */
void live_keys_rebuild(struct live *l)
{
	size_t want = 64, n = 0;

	for (size_t i = 0; i < l->nodes.n; i++)
		n += l->nodes.v[i]->n.next ? 2 : 1;
	while (want < n * 2)
		want *= 2;
	free(l->keys);
	l->keys = xcalloc(want, sizeof(struct key_slot));
	l->n_keys = want;
	for (size_t i = 0; i < l->nodes.n; i++) {
		struct live_node *node = l->nodes.v[i];

		if (node->n.has_key)
			key_enter(l, node->n.key_hash, node);
		if (node->n.next)
			key_enter(l, node->n.next->hash, node);
	}
}

static const struct key_slot *by_key(const struct live *l, const uint8_t hash[static SHA256_LEN])
{
	for (size_t at = key_slot(l, hash); l->keys[at].node; at = (at + 1) & (l->n_keys - 1))
		if (hash_equal(l->keys[at].hash, hash, SHA256_LEN))
			return &l->keys[at];
	return NULL;
}

int live_key(struct live *l, const char *key, int64_t *id, bool *first_use, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	const struct key_slot *slot;
	const struct live_node *n;
	int rc = 0;

	sha256(hash, key, strlen(key));
	pthread_mutex_lock(&l->lock);
	slot = by_key(l, hash);
	n = slot ? slot->node : NULL;
	if (!n) {
		rc = err_set(e, ERR_DENIED, "this API key is not known: join again");
	} else if (n->n.state != NODE_ACTIVE) {
		rc = err_set(e, ERR_FORBIDDEN, "the node is blocked%s%s", n->n.reason[0] ? ": " : "", n->n.reason);
	} else {
		*id = n->n.id;
		*first_use = n->join.clear_key[0] || (n->n.next && slot->hash == n->n.next->hash);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* ---- which machine */

static void set_origin(struct live_origin *o, const struct live_origin *v)
{
	if (!str_eq(o->peer, v->peer) || !str_eq(o->instance, v->instance))
		*o = *v;
	o->seen = v->seen;
}

static bool was_here(const struct live_node *n, const struct live_origin *v)
{
	for (size_t i = 0; n->before && i < ORIGINS_BEFORE; i++)
		if (str_eq(n->before[i].instance, v->instance))
			return true;
	return false;
}

static void comes_after(struct live_node *n, const struct live_origin *v)
{
	if (!n->before)
		n->before = xcalloc(ORIGINS_BEFORE, sizeof(*n->before));
	memmove(n->before + 1, n->before, (ORIGINS_BEFORE - 1) * sizeof(*n->before));
	n->before[0] = n->from;
	n->from = *v;
}

/* Another machine than at the last report. One that is back after another has
 * been here was never gone: a start anew changes the instance for good. */
static bool has_returned(struct live_node *n, const struct live_origin *v)
{
	if (was_here(n, v) && v->seen - n->from.seen < CLONE_WINDOW_MS)
		return true;
	comes_after(n, v);
	return false;
}

static int refuse_clone(const struct node_clone *c, const char *peer, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "two machines use this key, %s and %s; only the first is believed. On the copy (is it "
		       "%s?) run: felloe-noded join", c->owner_peer, c->other_peer, peer);
}

int live_origin(struct live *l, int64_t id, const struct live_origin *from, enum origin_news *ret, struct err *e)
{
	struct live_node *n;
	int rc = 0;

	*ret = ORIGIN_SAME;
	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	if (n && n->n.clone) {
		if (!str_eq(n->n.clone->owner, from->instance))
			rc = refuse_clone(n->n.clone, from->peer, e);
	} else if (n && from->instance[0]) {
		if (!n->from.instance[0] || str_eq(n->from.instance, from->instance)) {
			*ret = n->from.instance[0] ? ORIGIN_SAME : ORIGIN_OTHER;
			set_origin(&n->from, from);
		} else if (has_returned(n, from)) {
			n->n.clone = xcalloc(1, sizeof(*n->n.clone));
			n->n.clone->since = from->seen;
			str_cut(n->n.clone->owner, sizeof(n->n.clone->owner), from->instance);
			str_cut(n->n.clone->owner_peer, sizeof(n->n.clone->owner_peer), from->peer);
			str_cut(n->n.clone->other_peer, sizeof(n->n.clone->other_peer), n->from.peer);
			*ret = ORIGIN_TWINS;
		} else {
			*ret = ORIGIN_OTHER;
		}
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void live_origin_told(struct live *l, int64_t id, const struct live_origin *from)
{
	struct live_node *n;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	/* what was here before the one that we know may be told late: that proves nothing */
	if (n && !n->n.clone && n->from.instance[0] && !str_eq(n->from.instance, from->instance) && !was_here(n, from))
		comes_after(n, from);
	pthread_mutex_unlock(&l->lock);
}

bool live_clone(struct live *l, int64_t id, struct node_clone *ret)
{
	const struct live_node *n;
	bool is;

	pthread_mutex_lock(&l->lock);
	n = live_find(l, id);
	is = n && n->n.clone;
	if (is)
		*ret = *n->n.clone;
	pthread_mutex_unlock(&l->lock);
	return is;
}
