/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/unpack.h"

#include <stdlib.h>

#include "noded/archive/frames.h"
#include "shared/mem.h"

enum { STORED_MAX = FRAME_RAW_MAX + (1 << 20), HEADER_MAX = 16 << 20 };

struct unpack {
	struct unpack_ops ops;
	const struct unpack_range *ranges;
	size_t n, i;            /* range at work */
	uint64_t taken;         /* stored bytes of it that are decoded or passed over */
	struct buf stored;      /* the start of a frame */
	struct buf raw;         /* a decoded frame */
	bool lost;              /* the rest of the range is passed over */
	bool damaged;           /* because of damage */
	/* the tar */
	struct buf header;
	uint64_t raw_at;        /* raw bytes taken */
	uint64_t left, padding; /* of the member's content */
	bool open, wanted;
	struct err why;         /* the damage behind -2 */
};

struct unpack *unpack_new(const struct unpack_ops *ops)
{
	struct unpack *u = xcalloc(1, sizeof(*u));

	u->ops = *ops;
	buf_init(&u->stored, STORED_MAX);
	buf_init(&u->raw, FRAME_RAW_MAX);
	buf_init(&u->header, HEADER_MAX);
	return u;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	buf_done(&u->stored);
	buf_done(&u->raw);
	buf_done(&u->header);
	free(u);
}

static void start_range(struct unpack *u)
{
	u->taken = 0;
	u->lost = u->damaged = u->open = u->wanted = false;
	u->raw_at = u->left = u->padding = 0;
	buf_reset(&u->stored);
	buf_reset(&u->header);
}

void unpack_start(struct unpack *u, const struct unpack_range *ranges, size_t n)
{
	u->ranges = ranges;
	u->n = n;
	u->i = 0;
	start_range(u);
}

/* The rest of the range is of no use. 0 when the reading goes on. */
static int lose(struct unpack *u, const struct err *why, struct err *e)
{
	struct unpack_damage d = {&u->ranges[u->i], u->open && u->wanted, why};

	u->lost = u->damaged = true;
	u->open = false;
	return u->ops.damaged(u->ops.ctx, &d, e);
}

/* ---- the tar: each takes some of p[0..n) and says how much; -1 the caller's
 * error, -2 damage in u->why */

static int end_member(struct unpack *u, struct err *e)
{
	u->open = false;
	return u->wanted && u->ops.end(u->ops.ctx, e) ? -1 : 0;
}

/* Add to the header until it is whole. */
static int take_header(struct unpack *u, const char *p, size_t n, size_t *took, struct err *e)
{
	struct err *why = &u->why;
	/* a block at a time at first, more when pax records are long */
	size_t before = u->header.len, part = TAR_BLOCK - before % TAR_BLOCK, used;
	struct unpack_place at = {&u->ranges[u->i], u->raw_at - before};
	struct tar_entry entry;
	int got;

	*took = part < n ? part : n;
	buf_add(&u->header, p, *took);
	u->raw_at += *took;
	if (buf_check(&u->header, "a tar header", why)) {
		why->kind = ERR_DAMAGED;
		return -2;
	}
	if (u->header.len % TAR_BLOCK)
		return 0;
	got = tar_get_header(&entry, u->header.p, u->header.len, &used, why);
	if (got < 0)
		return -2;
	if (got == 0)
		return 0;
	buf_reset(&u->header);
	if (got == 2) { /* the end of the tar: what follows is not ours */
		u->lost = true;
		return 0;
	}
	u->open = true;
	u->left = entry.type == '0' ? entry.size : 0;
	u->padding = tar_padding(u->left);
	got = u->ops.begin(u->ops.ctx, &entry, &at, e);
	u->wanted = got == 1;
	tar_entry_done(&entry);
	return got < 0 ? -1 : u->left ? 0 : end_member(u, e);
}

static int take_content(struct unpack *u, const char *p, size_t n, size_t *took, struct err *e)
{
	if (u->left) {
		*took = u->left < n ? (size_t)u->left : n;
		if (u->wanted && u->ops.write(u->ops.ctx, p, *took, e))
			return -1;
		u->left -= *took;
	} else {
		*took = u->padding < n ? (size_t)u->padding : n;
		u->padding -= *took;
	}
	u->raw_at += *took;
	return u->left || u->padding ? 0 : end_member(u, e);
}

static int take_raw(struct unpack *u, const char *p, size_t n, struct err *e)
{
	while (n && !u->lost) {
		size_t took = 0;
		int got = u->open ? take_content(u, p, n, &took, e) : take_header(u, p, n, &took, e);

		if (got == -2)
			got = lose(u, &u->why, e);
		if (got)
			return -1;
		p += took;
		n -= took;
	}
	return 0;
}

/* ---- frames */

/* The frame at the front of stored, when it is all there: 1, else 0. */
static int take_frame(struct unpack *u, struct err *e)
{
	const struct unpack_range *r = &u->ranges[u->i];
	struct err why = {0};
	size_t size = 0;
	int got = frame_measure(&size, u->stored.p, u->stored.len, &why);

	if (got == 0 && u->taken + u->stored.len < r->len)
		return 0;
	if (got == 0)
		got = err_set(&why, ERR_DAMAGED, "a frame does not end where the index says");
	if (got == 1)
		got = frame_decompress(&u->raw, u->stored.p, size, &why);
	if (got < 0) {
		err_prefix(&why, "frame at offset %llu", (unsigned long long)(r->at + u->taken));
		return lose(u, &why, e) ? -1 : 1;
	}
	if (take_raw(u, u->raw.p, u->raw.len, e))
		return -1;
	u->taken += size;
	buf_drop(&u->stored, size);
	return 1;
}

static int end_range(struct unpack *u, struct err *e)
{
	struct err why;

	if (!u->lost && (u->open || u->header.len)) {
		err_fill(&why, ERR_DAMAGED, 0, "range at offset %llu ends inside a member",
			 (unsigned long long)u->ranges[u->i].at);
		if (lose(u, &why, e))
			return -1;
	}
	if (!u->damaged && u->ops.passed(u->ops.ctx, &u->ranges[u->i], e))
		return -1;
	u->i++;
	start_range(u);
	return 0;
}

int unpack_add(struct unpack *u, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	while (n && u->i < u->n) {
		uint64_t left = u->ranges[u->i].len - u->taken - u->stored.len;
		size_t part = left < n ? (size_t)left : n;
		int got = 1;

		if (u->lost)
			u->taken += part;
		else
			buf_add(&u->stored, at, part);
		at += part;
		n -= part;
		if (!u->lost && u->stored.over)
			return err_set(e, ERR_INTERNAL, "a frame larger than any");
		while (!u->lost && u->stored.len && got == 1)
			got = take_frame(u, e);
		if (got < 0)
			return -1;
		if (u->lost) {
			u->taken += u->stored.len;
			buf_reset(&u->stored);
		}
		if (u->taken == u->ranges[u->i].len && end_range(u, e))
			return -1;
	}
	return 0;
}

int unpack_end(struct unpack *u, const struct err *why, struct err *e)
{
	for (; u->i < u->n; u->i++) {
		if (!u->damaged && lose(u, why, e))
			return -1;
		start_range(u);
	}
	return 0;
}
