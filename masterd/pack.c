/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/pack.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/zip.h"
#include "shared/mem.h"
#include "shared/str.h"

/* version, then a zstd frame: kind, rows, mounts, names; columns */
enum { VERSION = 1, PLAIN_MAX = 64 << 20, WIDTH_MAX = 8 };

/* How the values of a column stand. */
enum shape {
	NOTHING,      /* none is known */
	CONSTANT,     /* all known, all the same */
	FROM_LOWEST,  /* all known: the lowest, then the distance of each */
	FROM_LAST,    /* all known: the first, then the zigzag distance of each to the one before */
	SOME_LOWEST,  /* as FROM_LOWEST, plus 1; 0 is not known */
	SHAPES
};

struct column {
	const struct block *b;
	int64_t *v;               /* one a row */
	uint64_t *code;           /* what is written of it */
	size_t n;
};

static uint64_t zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static unsigned bits(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* ---- write */

static void put_planes(struct buf *b, const uint64_t *v, size_t n)
{
	uint64_t all = 0;
	unsigned width;

	for (size_t i = 0; i < n; i++)
		all |= v[i];
	width = (bits(all) + 7) / 8;
	buf_addc(b, (char)width);
	for (unsigned k = 0; k < width; k++) {
		char *to = buf_room(b, n);

		for (size_t i = 0; to && i < n; i++)
			to[i] = (char)(uint8_t)(v[i] >> (8 * k));
		if (to)
			buf_grew(b, n);
	}
}

struct survey {
	int64_t lowest, highest;
	size_t known;
	uint64_t cost_lowest, cost_last; /* bits */
};

static void look_at(const struct column *c, struct survey *s)
{
	*s = (struct survey){.lowest = INT64_MAX, .highest = -1};
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i] < 0)
			continue;
		s->known++;
		s->lowest = c->v[i] < s->lowest ? c->v[i] : s->lowest;
		s->highest = c->v[i] > s->highest ? c->v[i] : s->highest;
	}
	if (s->known < c->n)
		return;
	for (size_t i = 0; i < c->n; i++) {
		s->cost_lowest += bits((uint64_t)(c->v[i] - s->lowest));
		s->cost_last += i ? bits(zigzag(c->v[i] - c->v[i - 1])) : 0;
	}
}

static void put_column(struct buf *b, struct column *c)
{
	struct survey s;
	enum shape shape;

	look_at(c, &s);
	if (!s.known)
		shape = NOTHING;
	else if (s.known < c->n)
		shape = SOME_LOWEST;
	else if (s.lowest == s.highest)
		shape = CONSTANT;
	else
		shape = s.cost_last < s.cost_lowest ? FROM_LAST : FROM_LOWEST;
	buf_addc(b, (char)shape);
	if (shape == NOTHING)
		return;
	varint_put(b, (uint64_t)(shape == FROM_LAST ? c->v[0] : s.lowest));
	if (shape == CONSTANT)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (shape == FROM_LAST)
			c->code[i] = i ? zigzag(c->v[i] - c->v[i - 1]) : 0;
		else if (shape == FROM_LOWEST)
			c->code[i] = (uint64_t)(c->v[i] - s.lowest);
		else
			c->code[i] = c->v[i] < 0 ? 0 : (uint64_t)(c->v[i] - s.lowest) + 1;
	}
	put_planes(b, c->code, c->n);
}

static void put_rows(struct buf *b, struct column *c, bool roll)
{
	const struct row *r = c->b->rows.v;

	for (size_t i = 0; i < c->n; i++)
		c->v[i] = i ? r[i].ts - r[i - 1].ts : r[0].ts;
	/* the first is far from all others */
	varint_put(b, (uint64_t)c->v[0]);
	c->v[0] = c->n > 1 ? c->v[1] : 0;
	put_column(b, c);
	for (size_t i = 0; i < c->n && roll; i++)
		c->v[i] = r[i].n;
	if (roll)
		put_column(b, c);
	for (int m = 0; m < (roll ? ROLL_METRICS : METRICS); m++) {
		for (size_t i = 0; i < c->n; i++)
			c->v[i] = r[i].v[m];
		put_column(b, c);
	}
	for (size_t k = 0; k < c->b->n_mounts; k++) {
		for (size_t i = 0; i < c->n; i++)
			c->v[i] = r[i].disk[k];
		put_column(b, c);
	}
}

int pack_write(struct buf *out, const struct block *b, bool roll, struct err *e)
{
	struct column c = {.b = b, .n = b->rows.n};
	struct buf plain;
	int rc;

	if (c.n > PACK_ROWS_MAX)
		return err_set(e, ERR_LIMIT, "%zu samples are too many for a block", c.n);
	buf_init(&plain, PLAIN_MAX);
	buf_addc(&plain, (char)roll);
	varint_put(&plain, c.n);
	varint_put(&plain, b->n_mounts);
	for (size_t i = 0; i < b->n_mounts; i++) {
		varint_put(&plain, strlen(b->mounts[i]));
		buf_adds(&plain, b->mounts[i]);
	}
	c.v = xcalloc(c.n + 1, sizeof(*c.v));
	c.code = xcalloc(c.n + 1, sizeof(*c.code));
	if (c.n)
		put_rows(&plain, &c, roll);
	free(c.v);
	free(c.code);
	buf_addc(out, VERSION);
	rc = buf_check(&plain, "a block of samples", e) ? -1 : zip_pack(out, plain.p, plain.len, e);
	buf_done(&plain);
	return rc;
}

/* ---- read */

struct reader {
	const uint8_t *p, *end;
	struct block *b;
	size_t n;
	uint64_t *v;              /* one a row */
};

static int get_planes(struct reader *r)
{
	unsigned width = r->p < r->end ? *r->p++ : WIDTH_MAX + 1;

	if (width > WIDTH_MAX || (uint64_t)(r->end - r->p) < (uint64_t)width * r->n)
		return -1;
	memset(r->v, 0, r->n * sizeof(*r->v));
	for (unsigned k = 0; k < width; k++)
		for (size_t i = 0; i < r->n; i++)
			r->v[i] |= (uint64_t)*r->p++ << (8 * k);
	return 0;
}

/* Undo put_column: -1 in r->v (as UINT64_MAX) is not known. */
static int get_column(struct reader *r)
{
	unsigned shape = r->p < r->end ? *r->p++ : SHAPES;
	uint64_t base = 0;

	if (shape >= SHAPES || (shape != NOTHING && (varint_get(&r->p, r->end, &base) || base > INT64_MAX)))
		return -1;
	if (shape == NOTHING || shape == CONSTANT) {
		for (size_t i = 0; i < r->n; i++)
			r->v[i] = shape == NOTHING ? UINT64_MAX : base;
		return 0;
	}
	if (get_planes(r))
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		if (shape == FROM_LAST)
			base = r->v[i] = base + (uint64_t)unzigzag(r->v[i]);
		else if (shape == FROM_LOWEST)
			r->v[i] += base;
		else
			r->v[i] = r->v[i] ? r->v[i] - 1 + base : UINT64_MAX;
		/* sums that run over are damage */
		if (r->v[i] > INT64_MAX && !(shape == SOME_LOWEST && r->v[i] == UINT64_MAX))
			return -1;
	}
	return 0;
}

static int get_times(struct reader *r)
{
	uint64_t ts;

	if (varint_get(&r->p, r->end, &ts) || ts > INT64_MAX || get_column(r))
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		/* each is later than the one before */
		if (i && (r->v[i] == 0 || r->v[i] > INT64_MAX - ts))
			return -1;
		ts += i ? r->v[i] : 0;
		block_push(r->b, (int64_t)ts);
	}
	return 0;
}

static int get_rows(struct reader *r, bool roll)
{
	struct row *rows;

	if (get_times(r) || (roll && get_column(r)))
		return -1;
	rows = r->b->rows.v;
	for (size_t i = 0; i < r->n && roll; i++) {
		if (!r->v[i] || r->v[i] > UINT32_MAX)
			return -1;
		rows[i].n = (int64_t)r->v[i];
	}
	for (int m = 0; m < (roll ? ROLL_METRICS : METRICS); m++) {
		if (get_column(r))
			return -1;
		for (size_t i = 0; i < r->n; i++)
			rows[i].v[m] = (int64_t)r->v[i];
	}
	for (size_t k = 0; k < r->b->n_mounts; k++) {
		if (get_column(r))
			return -1;
		for (size_t i = 0; i < r->n; i++) {
			if (r->v[i] != UINT64_MAX && r->v[i] > 10000)
				return -1;
			rows[i].disk[k] = (int32_t)(int64_t)r->v[i];
		}
	}
	return 0;
}

static int get_names(struct reader *r)
{
	uint64_t n, len;

	if (varint_get(&r->p, r->end, &n) || n > MOUNTS_MAX)
		return -1;
	for (uint64_t i = 0; i < n; i++) {
		if (varint_get(&r->p, r->end, &len) || len >= WIRE_TEXT || len > (uint64_t)(r->end - r->p) ||
		    memchr(r->p, 0, len) || block_mount(r->b, (const char *)r->p, len) != (int)i)
			return -1;
		r->p += len;
	}
	return 0;
}

static int get_block(struct reader *r)
{
	uint64_t n;
	uint8_t roll = r->p < r->end ? *r->p++ : 2;
	int rc;

	if (roll > 1 || varint_get(&r->p, r->end, &n) || n > PACK_ROWS_MAX || get_names(r))
		return -1;
	r->n = (size_t)n;
	r->v = xcalloc(r->n + 1, sizeof(*r->v));
	rc = r->n ? get_rows(r, roll) : 0;
	free(r->v);
	return rc || r->p != r->end ? -1 : 0;
}

int pack_read(struct block *ret, const void *p, size_t n, struct err *e)
{
	struct block b = {0};
	struct reader r = {.b = &b};
	const uint8_t *bytes = p;
	struct buf plain;
	int rc;

	if (!n || bytes[0] != VERSION)
		return err_set(e, ERR_DAMAGED, "a block of samples is not of version %d", VERSION);
	buf_init(&plain, PLAIN_MAX);
	rc = zip_unpack(&plain, bytes + 1, n - 1, e);
	r.p = (const uint8_t *)plain.p;
	r.end = r.p + plain.len;
	if (!rc && get_block(&r))
		rc = err_set(e, ERR_DAMAGED, "a block of samples is damaged");
	buf_done(&plain);
	if (rc)
		block_done(&b);
	else
		*ret = b;
	return rc;
}
