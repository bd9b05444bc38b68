/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/sort.h"

#include <stdlib.h>
#include <string.h>

#include "noded/archive/spill.h"
#include "shared/list.h"
#include "shared/mem.h"

enum {
	RUN_MAX = 8 << 20,      /* records of a run in memory */
	MERGE_MAX = 4 << 20,    /* buffers of all runs in a merge */
	NAME_MAX_BYTES = 256 << 10,
};

/* A record: this, then the name and its NUL, filled up to 8 bytes. */
struct record {
	uint64_t size, real_size;
	int64_t mtime_ns;
	uint32_t frame, last_frame, skip, name_len, mode;
	char type;
	uint8_t sha256[SHA256_LEN];
};

struct run { uint64_t at, end; };

struct sort {
	struct buf records;
	struct { LIST_OF(uint32_t); } order;   /* where each begins, in units of 8 bytes */
	struct spill spill;
	struct { LIST_OF(struct run); } runs;
};

struct sort *sort_new(void)
{
	struct sort *s = xcalloc(1, sizeof(*s));

	buf_init(&s->records, RUN_MAX);
	spill_init(&s->spill, 1 << 20);
	return s;
}

void sort_free(struct sort *s)
{
	if (!s)
		return;
	buf_done(&s->records);
	list_done(&s->order);
	spill_done(&s->spill);
	list_done(&s->runs);
	free(s);
}

static size_t record_size(size_t name_len)
{
	return (sizeof(struct record) + name_len + 1 + 7) & ~(size_t)7;
}

static const char *record_at(const char *base, uint32_t unit)
{
	return base + (size_t)unit * 8;
}

static int compare(const void *a, const void *b, void *base)
{
	const uint32_t *x = a, *y = b;

	return strcmp(record_at(base, *x) + sizeof(struct record), record_at(base, *y) + sizeof(struct record));
}

static void sort_run(struct sort *s)
{
	if (s->order.n)
		qsort_r(s->order.v, s->order.n, sizeof(*s->order.v), compare, s->records.p);
}

static int spill_run(struct sort *s, struct err *e)
{
	struct run run = {.at = spill_len(&s->spill)};

	sort_run(s);
	for (size_t i = 0; i < s->order.n; i++) {
		const char *at = record_at(s->records.p, s->order.v[i]);
		struct record r;

		memcpy(&r, at, sizeof(r));
		if (spill_add(&s->spill, at, record_size(r.name_len), e))
			return -1;
	}
	run.end = spill_len(&s->spill);
	*list_push(&s->runs) = run;
	s->order.n = 0;
	buf_reset(&s->records);
	return 0;
}

int sort_add(struct sort *s, const struct sort_member *m, struct err *e)
{
	size_t len = strlen(m->name), size = record_size(len);
	struct record r;
	char *at;

	if (len > NAME_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "a member name of %zu bytes", len);
	if (s->records.len + size > RUN_MAX && spill_run(s, e))
		return -1;
	memset(&r, 0, sizeof(r));
	r.size = m->size;
	r.real_size = m->real_size;
	r.mtime_ns = m->mtime_ns;
	r.frame = m->frame;
	r.last_frame = m->last_frame;
	r.skip = m->skip;
	r.name_len = (uint32_t)len;
	r.mode = m->mode;
	r.type = m->type;
	memcpy(r.sha256, m->sha256, sizeof(r.sha256));
	at = buf_room(&s->records, size);
	memset(at, 0, size);
	memcpy(at, &r, sizeof(r));
	memcpy(at + sizeof(r), m->name, len);
	*list_push(&s->order) = (uint32_t)(s->records.len / 8);
	buf_grew(&s->records, size);
	return 0;
}

static int give(const char *at, sort_fn *fn, void *ctx, struct err *e)
{
	struct sort_member m;
	struct record r;

	memcpy(&r, at, sizeof(r));
	m = (struct sort_member){.name = at + sizeof(r), .type = r.type, .mode = (mode_t)r.mode, .size = r.size,
				 .real_size = r.real_size, .mtime_ns = r.mtime_ns, .frame = r.frame,
				 .last_frame = r.last_frame, .skip = r.skip};
	memcpy(m.sha256, r.sha256, sizeof(m.sha256));
	return fn(ctx, &m, e);
}

/* ---- merge: a heap of cursors, the least name on top */

struct cursor {
	uint64_t at, end;       /* what is still in the spill */
	struct buf b;           /* whole records; the current one begins at pos */
	size_t pos;
};

/* The cursor's next record; NULL at the end of the run. */
static int cursor_next(struct sort *s, struct cursor *c, size_t room, const char **ret, struct err *e)
{
	struct record r;
	size_t left = c->b.len - c->pos, size = 0;

	*ret = NULL;
	if (left >= sizeof(r)) {
		memcpy(&r, c->b.p + c->pos, sizeof(r));
		size = record_size(r.name_len);
	}
	if (left < sizeof(r) || left < size) {
		size_t want = room > size ? room : size;

		buf_drop(&c->b, c->pos);
		c->pos = 0;
		want -= left;
		if (want > c->end - c->at)
			want = (size_t)(c->end - c->at);
		if (want == 0 && left == 0)
			return 0;
		if (spill_read(&s->spill, c->at, buf_room(&c->b, want), want, e))
			return -1;
		buf_grew(&c->b, want);
		c->at += want;
		if (c->b.len < sizeof(r) || want == 0)
			return err_set(e, ERR_INTERNAL, "the index's temporary file is cut short");
		return cursor_next(s, c, room, ret, e);
	}
	*ret = c->b.p + c->pos;
	return 0;
}

static void cursor_skip(struct cursor *c)
{
	struct record r;

	memcpy(&r, c->b.p + c->pos, sizeof(r));
	c->pos += record_size(r.name_len);
}

struct heap {
	struct { const char *record; size_t cursor; } *v;
	size_t n;
};

static bool less(const struct heap *h, size_t a, size_t b)
{
	return strcmp(h->v[a].record + sizeof(struct record), h->v[b].record + sizeof(struct record)) < 0;
}

static void sink_top(struct heap *h, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < h->n && less(h, child, least))
				least = child;
		if (least == i)
			return;
		__typeof__(h->v[0]) swap = h->v[i];

		h->v[i] = h->v[least];
		h->v[least] = swap;
		i = least;
	}
}

static int merge(struct sort *s, struct cursor *cursors, struct heap *h, struct err *e, sort_fn *fn, void *ctx)
{
	size_t room = MERGE_MAX / s->runs.n < 4096 ? 4096 : MERGE_MAX / s->runs.n;

	if (room > 64 << 10)
		room = 64 << 10;
	for (size_t i = 0; i < s->runs.n; i++) {
		cursors[i].at = s->runs.v[i].at;
		cursors[i].end = s->runs.v[i].end;
		buf_init(&cursors[i].b, NAME_MAX_BYTES * 2);
		h->v[h->n].cursor = i;
		if (cursor_next(s, &cursors[i], room, &h->v[h->n].record, e))
			return -1;
		h->n += h->v[h->n].record != NULL;
	}
	for (size_t i = h->n; i-- > 0;)
		sink_top(h, i);
	while (h->n) {
		struct cursor *c = &cursors[h->v[0].cursor];

		if (give(h->v[0].record, fn, ctx, e))
			return -1;
		cursor_skip(c);
		if (cursor_next(s, c, room, &h->v[0].record, e))
			return -1;
		if (!h->v[0].record)
			h->v[0] = h->v[--h->n];
		sink_top(h, 0);
	}
	return 0;
}

int sort_each(struct sort *s, sort_fn *fn, void *ctx, struct err *e)
{
	struct cursor *cursors;
	struct heap h = {0};
	int failed;

	if (s->runs.n == 0) {
		sort_run(s);
		for (size_t i = 0; i < s->order.n; i++)
			if (give(record_at(s->records.p, s->order.v[i]), fn, ctx, e))
				return -1;
		return 0;
	}
	if (s->order.n && spill_run(s, e))
		return -1;
	buf_done(&s->records); /* the room is for the merge now */
	cursors = xcalloc(s->runs.n, sizeof(*cursors));
	h.v = xcalloc(s->runs.n, sizeof(*h.v));
	failed = merge(s, cursors, &h, e, fn, ctx);
	for (size_t i = 0; i < s->runs.n; i++)
		buf_done(&cursors[i].b);
	free(cursors);
	free(h.v);
	return failed;
}
