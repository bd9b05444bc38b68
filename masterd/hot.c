/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/hot.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { FIRST_REFS = 8, FIRST_BYTES = 512 };

/* A sample: where its record starts, which row of the journal brought it. */
struct ref {
	int64_t ts;
	uint32_t at, row;
};

/* Arrays grow by an eighth: with thousands of nodes what is spare adds up. */
struct hot_node {
	int64_t id;
	struct ref *refs;         /* by time */
	uint8_t *bytes;           /* each record behind its length */
	uint32_t n, cap, n_bytes, cap_bytes;
};

struct origin {
	char name[UUID_TEXT];
	int64_t last;
};

struct source {
	int64_t id;
	uint32_t origin;
};

struct hot {
	pthread_mutex_t lock;
	struct { LIST_OF(struct hot_node); } nodes;    /* by number */
	struct { LIST_OF(struct origin); } origins;
	struct { LIST_OF(struct source); } rows;       /* row number - first_row: whence it is */
	uint32_t first_row;
};

struct hot *hot_new(void)
{
	struct hot *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	return h;
}

static void node_done(struct hot_node *n)
{
	free(n->refs);
	free(n->bytes);
}

void hot_free(struct hot *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->nodes.n; i++)
		node_done(&h->nodes.v[i]);
	list_done(&h->nodes);
	list_done(&h->origins);
	list_done(&h->rows);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* Where the node stands, or would. */
static size_t place_of(const struct hot *h, int64_t id)
{
	size_t low = 0, high = h->nodes.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->nodes.v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct hot_node *find(const struct hot *h, int64_t id)
{
	size_t at = place_of(h, id);

	return at < h->nodes.n && h->nodes.v[at].id == id ? &h->nodes.v[at] : NULL;
}

static struct hot_node *node_of(struct hot *h, int64_t id)
{
	size_t at = place_of(h, id);

	if (at < h->nodes.n && h->nodes.v[at].id == id)
		return &h->nodes.v[at];
	(void)list_push(&h->nodes);
	memmove(&h->nodes.v[at + 1], &h->nodes.v[at], (h->nodes.n - 1 - at) * sizeof(struct hot_node));
	h->nodes.v[at] = (struct hot_node){.id = id};
	return &h->nodes.v[at];
}

static struct origin *origin_of(struct hot *h, const char *name)
{
	struct origin *o;

	for (size_t i = 0; i < h->origins.n; i++)
		if (str_eq(h->origins.v[i].name, name))
			return &h->origins.v[i];
	o = list_push(&h->origins);
	str_cut(o->name, sizeof(o->name), name);
	return o;
}

static uint32_t new_row(struct hot *h, const struct journal_id *v)
{
	struct origin *o = origin_of(h, v->origin);
	struct source *s = list_push(&h->rows);

	if (v->id > o->last)
		o->last = v->id;
	s->id = v->id;
	s->origin = (uint32_t)(o - h->origins.v);
	return h->first_row + (uint32_t)h->rows.n - 1;
}

/* The first of ts or later. */
static uint32_t ref_place(const struct hot_node *n, int64_t ts)
{
	uint32_t low = 0, high = n->n;

	if (n->n && n->refs[n->n - 1].ts < ts)
		return n->n;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (n->refs[middle].ts < ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void make_room(struct hot_node *n, uint32_t more)
{
	if (n->n == n->cap) {
		n->cap += n->cap / 8 + FIRST_REFS;
		n->refs = xrealloc(n->refs, n->cap * sizeof(struct ref));
	}
	if (n->cap_bytes - n->n_bytes < more) {
		n->cap_bytes += n->cap_bytes / 8 + FIRST_BYTES + more;
		n->bytes = xrealloc(n->bytes, n->cap_bytes);
	}
}

static void put(struct hot_node *n, uint32_t place, const struct ref *ref, const void *record, uint16_t len)
{
	make_room(n, len + (uint32_t)sizeof(len));
	memmove(&n->refs[place + 1], &n->refs[place], (n->n - place) * sizeof(struct ref));
	n->refs[place] = *ref;
	n->refs[place].at = n->n_bytes;
	n->n++;
	memcpy(n->bytes + n->n_bytes, &len, sizeof(len));
	memcpy(n->bytes + n->n_bytes + sizeof(len), record, len);
	n->n_bytes += len + (uint32_t)sizeof(len);
}

static void add(struct hot *h, uint32_t row, const struct frame *f)
{
	struct ref ref = {.row = row};
	struct hot_node *n;
	uint32_t place;

	if (f->record_n > UINT16_MAX || record_ts(f->record, f->record_n, &ref.ts))
		return;
	n = node_of(h, f->node_id);
	place = ref_place(n, ref.ts);
	if (place < n->n && n->refs[place].ts == ref.ts)
		return;
	/* offsets end there; packing is hours late then */
	if (n->n_bytes < UINT32_MAX / 2)
		put(n, place, &ref, f->record, (uint16_t)f->record_n);
}

int hot_add(struct hot *h, const struct journal_id *v, const void *doc, size_t n, struct err *e)
{
	const uint8_t *p = doc, *end = p + n;
	struct frame f;
	uint32_t row;
	int got;

	/* as a whole, so that the marks of hot_read fall between rows */
	pthread_mutex_lock(&h->lock);
	row = new_row(h, v);
	while ((got = frame_get(&p, end, &f, e)) > 0)
		add(h, row, &f);
	pthread_mutex_unlock(&h->lock);
	return got;
}

int64_t hot_cursor(struct hot *h, const char *origin)
{
	int64_t last = 0;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->origins.n; i++)
		if (str_eq(h->origins.v[i].name, origin))
			last = h->origins.v[i].last;
	pthread_mutex_unlock(&h->lock);
	return last;
}

void hot_read(struct hot *h, int64_t node_id, struct block *ret, uint32_t *upto)
{
	const struct hot_node *n;

	pthread_mutex_lock(&h->lock);
	n = find(h, node_id);
	*upto = h->first_row + (uint32_t)h->rows.n;
	for (uint32_t i = 0; n && i < n->n; i++) {
		const uint8_t *p = n->bytes + n->refs[i].at;
		uint16_t len;

		memcpy(&len, p, sizeof(len));
		/* what hot_add took can be read but for its numbers; one damaged sample is no reason to lose others */
		if (record_get(ret, p + sizeof(len), len, NULL))
			continue;
	}
	pthread_mutex_unlock(&h->lock);
}

/* ---- what is in blocks goes */

typedef bool gone_fn(const struct hot *h, const struct ref *r, const void *ctx);

static void keep_rest(const struct hot *h, struct hot_node *n, gone_fn *gone, const void *ctx)
{
	struct hot_node kept = {.id = n->id};
	bool any = false;

	for (uint32_t i = 0; i < n->n && !any; i++)
		any = gone(h, &n->refs[i], ctx);
	for (uint32_t i = 0; any && i < n->n; i++) {
		const uint8_t *p = n->bytes + n->refs[i].at;
		uint16_t len;

		memcpy(&len, p, sizeof(len));
		if (!gone(h, &n->refs[i], ctx))
			put(&kept, kept.n, &n->refs[i], p + sizeof(len), len);
	}
	if (!any)
		return;
	node_done(n);
	*n = kept;
}

static bool before_mark(const struct hot *h, const struct ref *r, const void *ctx)
{
	(void)h;
	/* row numbers count over */
	return (int32_t)(r->row - *(const uint32_t *)ctx) < 0;
}

void hot_packed(struct hot *h, int64_t node_id, uint32_t upto)
{
	struct hot_node *n;

	pthread_mutex_lock(&h->lock);
	n = find(h, node_id);
	if (n)
		keep_rest(h, n, before_mark, &upto);
	pthread_mutex_unlock(&h->lock);
}

struct settled {
	uint32_t origin;
	int64_t first;
};

static bool is_settled(const struct source *s, const struct settled *v)
{
	return s->origin == v->origin && s->id < v->first;
}

static bool was_settled(const struct hot *h, const struct ref *r, const void *ctx)
{
	uint32_t at = r->row - h->first_row;

	return at < h->rows.n && is_settled(&h->rows.v[at], ctx);
}

/* Rows at the front that nothing refers to any more. */
static void drop_rows(struct hot *h)
{
	uint32_t least = h->first_row + (uint32_t)h->rows.n, n;

	for (size_t i = 0; i < h->nodes.n; i++)
		for (uint32_t k = 0; k < h->nodes.v[i].n; k++)
			if ((int32_t)(h->nodes.v[i].refs[k].row - least) < 0)
				least = h->nodes.v[i].refs[k].row;
	n = least - h->first_row;
	h->rows.n -= n;
	memmove(h->rows.v, h->rows.v + n, h->rows.n * sizeof(struct source));
	h->first_row = least;
}

void hot_settled(struct hot *h, const char *origin, int64_t first)
{
	struct settled v = {.first = first};
	const struct origin *o;

	pthread_mutex_lock(&h->lock);
	o = origin_of(h, origin); /* may move the list: first this, then its start */
	v.origin = (uint32_t)(o - h->origins.v);
	for (size_t i = 0; i < h->nodes.n; i++)
		keep_rest(h, &h->nodes.v[i], was_settled, &v);
	drop_rows(h);
	pthread_mutex_unlock(&h->lock);
}

void hot_ends(struct hot *h, struct journal_ids *ret)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < h->origins.n; i++) {
		struct journal_id *end = list_push(ret);

		memcpy(end->origin, h->origins.v[i].name, sizeof(end->origin));
		end->id = h->origins.v[i].last;
	}
	pthread_mutex_unlock(&h->lock);
}

size_t hot_nodes(struct hot *h, int64_t after, int64_t *ids, size_t max)
{
	size_t got = 0;

	pthread_mutex_lock(&h->lock);
	for (size_t i = place_of(h, after + 1); i < h->nodes.n && got < max; i++)
		if (h->nodes.v[i].n)
			ids[got++] = h->nodes.v[i].id;
	pthread_mutex_unlock(&h->lock);
	return got;
}

void hot_size(struct hot *h, struct hot_size *ret)
{
	*ret = (struct hot_size){0};
	pthread_mutex_lock(&h->lock);
	ret->bytes = h->rows.cap * sizeof(struct source) + h->nodes.cap * sizeof(struct hot_node);
	for (size_t i = 0; i < h->nodes.n; i++) {
		ret->nodes += h->nodes.v[i].n > 0;
		ret->samples += h->nodes.v[i].n;
		ret->bytes += h->nodes.v[i].cap * sizeof(struct ref) + h->nodes.v[i].cap_bytes;
	}
	pthread_mutex_unlock(&h->lock);
}
