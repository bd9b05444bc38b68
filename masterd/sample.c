/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

/* Either value * scale, or the logarithm in steps of 1/steps. */
static const struct {
	double scale, steps;
} metrics[ROLL_METRICS] = {
	[M_CPU] = {.scale = 10},
	[M_DISK] = {.scale = 100},
	[M_ACTIVE] = {.scale = 10},
	[M_MEM_TOTAL] = {.scale = 1},
	[M_MEM_USED] = {.steps = 1000},
	[M_SWAP_TOTAL] = {.scale = 1},
	[M_SWAP_USED] = {.steps = 1000},
	[M_LOAD1] = {.scale = 100},
	[M_LOAD5] = {.scale = 100},
	[M_LOAD15] = {.scale = 100},
	[M_IO_READ] = {.steps = 100},
	[M_IO_WRITE] = {.steps = 100},
	[M_NET_RX] = {.steps = 100},
	[M_NET_TX] = {.steps = 100},
	[M_PRESS_CPU] = {.scale = 10},
	[M_PRESS_IO] = {.scale = 10},
	[M_PRESS_MEM] = {.scale = 10},
	[M_CPU_MAX] = {.scale = 10},
	[M_LOAD1_MAX] = {.scale = 100},
};

static const double VALUE_MAX = 1e15;

int64_t metric_code(enum metric m, double v)
{
	if (!isfinite(v) || v < 0)
		return CODE_NONE;
	v = fmin(v, VALUE_MAX);
	if (metrics[m].scale > 0)
		return llround(v * metrics[m].scale);
	return v < 1 ? 0 : 1 + llround(log(v) * metrics[m].steps);
}

double metric_value(enum metric m, int64_t code)
{
	if (code < 0)
		return (double)NAN;
	if (metrics[m].scale > 0)
		return (double)code / metrics[m].scale;
	return code ? fmin(round(exp((double)(code - 1) / metrics[m].steps)), VALUE_MAX) : 0;
}

int32_t mount_code(double percent)
{
	return isfinite(percent) && percent >= 0 && percent <= 100 ? (int32_t)lround(percent * 100) : CODE_NONE;
}

double mount_value(int32_t code)
{
	return code < 0 ? (double)NAN : code / 100.0;
}

/* ---- blocks */

void block_done(struct block *b)
{
	for (size_t i = 0; i < b->n_mounts; i++)
		free(b->mounts[i]);
	b->n_mounts = 0;
	list_done(&b->rows);
}

int block_mount(struct block *b, const char *name, size_t len)
{
	for (size_t i = 0; i < b->n_mounts; i++)
		if (strlen(b->mounts[i]) == len && !memcmp(b->mounts[i], name, len))
			return (int)i;
	if (b->n_mounts == MOUNTS_MAX)
		return -1;
	b->mounts[b->n_mounts] = xstrndup(name, len);
	return (int)b->n_mounts++;
}

struct row *block_push(struct block *b, int64_t ts)
{
	struct row *r = list_push(&b->rows);

	r->ts = ts;
	r->n = 1;
	for (size_t i = 0; i < ROLL_METRICS; i++)
		r->v[i] = CODE_NONE;
	for (size_t i = 0; i < MOUNTS_MAX; i++)
		r->disk[i] = CODE_NONE;
	return r;
}

/* ---- numbers */

void varint_put(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(uint8_t)(v | 0x80));
	buf_addc(b, (char)(uint8_t)v);
}

int varint_get(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		uint8_t c = *(*p)++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*ret = v;
			return 0;
		}
	}
	return -1;
}

/* ---- records: ts, which metrics, their codes, mounts */

static double value_of(const struct wire_sample *s, enum metric m)
{
	switch (m) {
	case M_CPU: return s->cpu;
	case M_DISK: return s->disk;
	case M_ACTIVE: return (double)s->active_backups;
	case M_MEM_TOTAL: return (double)s->mem_total;
	case M_MEM_USED: return (double)s->mem_used;
	case M_SWAP_TOTAL: return (double)s->swap_total;
	case M_SWAP_USED: return (double)s->swap_used;
	case M_LOAD1: return s->load[0];
	case M_LOAD5: return s->load[1];
	case M_LOAD15: return s->load[2];
	case M_IO_READ: return s->io_read;
	case M_IO_WRITE: return s->io_write;
	case M_NET_RX: return s->net_rx;
	case M_NET_TX: return s->net_tx;
	case M_PRESS_CPU: return s->pressure_cpu;
	case M_PRESS_IO: return s->pressure_io;
	case M_PRESS_MEM: return s->pressure_mem;
	default: return (double)NAN;
	}
}

void record_put(struct buf *b, const struct wire_sample *s)
{
	int64_t codes[METRICS];
	uint64_t mask = 0;
	size_t disks = s->disks.n < MOUNTS_MAX ? s->disks.n : MOUNTS_MAX;

	for (int i = 0; i < METRICS; i++) {
		codes[i] = metric_code((enum metric)i, value_of(s, (enum metric)i));
		mask |= (uint64_t)(codes[i] >= 0) << i;
	}
	varint_put(b, s->ts < 0 ? 0 : (uint64_t)s->ts);
	varint_put(b, mask);
	for (int i = 0; i < METRICS; i++)
		if (codes[i] >= 0)
			varint_put(b, (uint64_t)codes[i]);
	varint_put(b, disks);
	for (size_t i = 0; i < disks; i++) {
		const struct wire_disk *d = &s->disks.v[i];

		varint_put(b, strlen(d->mount));
		buf_adds(b, d->mount);
		varint_put(b, (uint64_t)(mount_code(d->percent) + 1));
	}
}

int record_ts(const void *p, size_t n, int64_t *ts)
{
	const uint8_t *at = p;
	uint64_t v;

	if (varint_get(&at, at + n, &v) || v > INT64_MAX)
		return -1;
	*ts = (int64_t)v;
	return 0;
}

static int get_disks(struct block *b, struct row *r, const uint8_t *p, const uint8_t *end)
{
	uint64_t n, len, code;

	if (varint_get(&p, end, &n) || n > MOUNTS_MAX)
		return -1;
	for (; n > 0; n--) {
		const char *name;
		int at;

		if (varint_get(&p, end, &len) || len >= WIRE_TEXT || len > (uint64_t)(end - p))
			return -1;
		name = (const char *)p;
		p += len;
		if (varint_get(&p, end, &code) || code > 10001 || memchr(name, 0, len))
			return -1;
		at = block_mount(b, name, len);
		if (at >= 0)
			r->disk[at] = (int32_t)code - 1;
	}
	return p == end ? 0 : -1;
}

static int get_metrics(struct row *r, const uint8_t **p, const uint8_t *end)
{
	uint64_t mask, code;

	if (varint_get(p, end, &mask) || mask >> METRICS)
		return -1;
	for (int i = 0; i < METRICS; i++) {
		if (!(mask >> i & 1))
			continue;
		if (varint_get(p, end, &code) || code > INT64_MAX)
			return -1;
		r->v[i] = (int64_t)code;
	}
	return 0;
}

int record_get(struct block *block, const void *p, size_t n, struct err *e)
{
	const uint8_t *at = p, *end = at + n;
	struct row *r;
	uint64_t ts;

	if (varint_get(&at, end, &ts) || ts > INT64_MAX)
		return err_set(e, ERR_DAMAGED, "a stored sample has no time");
	r = block_push(block, (int64_t)ts);
	if (!get_metrics(r, &at, end) && !get_disks(block, r, at, end))
		return 0;
	block->rows.n--;
	return err_set(e, ERR_DAMAGED, "a stored sample is damaged");
}

static int64_t count_of(const struct row *r, enum metric m)
{
	return r->v[m] < 0 ? -1 : llround(metric_value(m, r->v[m]));
}

void row_to_wire(struct wire_sample *ret, const struct block *b, const struct row *r)
{
	wire_sample_init(ret);
	ret->ts = r->ts;
	ret->cpu = metric_value(M_CPU, r->v[M_CPU]);
	ret->disk = metric_value(M_DISK, r->v[M_DISK]);
	ret->active_backups = count_of(r, M_ACTIVE);
	ret->mem_total = count_of(r, M_MEM_TOTAL);
	ret->mem_used = count_of(r, M_MEM_USED);
	ret->swap_total = count_of(r, M_SWAP_TOTAL);
	ret->swap_used = count_of(r, M_SWAP_USED);
	for (int i = 0; i < 3; i++)
		ret->load[i] = metric_value((enum metric)(M_LOAD1 + i), r->v[M_LOAD1 + i]);
	ret->io_read = metric_value(M_IO_READ, r->v[M_IO_READ]);
	ret->io_write = metric_value(M_IO_WRITE, r->v[M_IO_WRITE]);
	ret->net_rx = metric_value(M_NET_RX, r->v[M_NET_RX]);
	ret->net_tx = metric_value(M_NET_TX, r->v[M_NET_TX]);
	ret->pressure_cpu = metric_value(M_PRESS_CPU, r->v[M_PRESS_CPU]);
	ret->pressure_io = metric_value(M_PRESS_IO, r->v[M_PRESS_IO]);
	ret->pressure_mem = metric_value(M_PRESS_MEM, r->v[M_PRESS_MEM]);
	for (size_t i = 0; i < b->n_mounts; i++) {
		struct wire_disk *d;

		if (r->disk[i] < 0)
			continue;
		d = list_push(&ret->disks);
		str_cut(d->mount, sizeof(d->mount), b->mounts[i]);
		d->total = d->used = -1;
		d->percent = mount_value(r->disk[i]);
		d->inodes_percent = (double)NAN;
	}
}

/* ---- frames */

enum { FRAME_SKEWED = 1, FRAME_EXTRA = 2 };

void frame_put(struct buf *b, const struct frame *f)
{
	varint_put(b, (uint64_t)f->node_id);
	varint_put(b, (f->skewed ? FRAME_SKEWED : 0) | (f->extra ? FRAME_EXTRA : 0));
	varint_put(b, f->record_n);
	buf_add(b, f->record, f->record_n);
	if (!f->extra)
		return;
	varint_put(b, f->extra_n);
	buf_add(b, f->extra, f->extra_n);
}

int frame_get(const uint8_t **p, const uint8_t *end, struct frame *f, struct err *e)
{
	uint64_t node, flags, n;

	*f = (struct frame){0};
	if (*p == end)
		return 0;
	if (varint_get(p, end, &node) || varint_get(p, end, &flags) || varint_get(p, end, &n) || node > INT64_MAX ||
	    n > (uint64_t)(end - *p))
		return err_set(e, ERR_DAMAGED, "the journal of samples is damaged");
	f->node_id = (int64_t)node;
	f->skewed = flags & FRAME_SKEWED;
	f->record = *p;
	f->record_n = n;
	*p += n;
	if (!(flags & FRAME_EXTRA))
		return 1;
	if (varint_get(p, end, &n) || n > (uint64_t)(end - *p))
		return err_set(e, ERR_DAMAGED, "the journal of samples is damaged");
	f->extra = (const char *)*p;
	f->extra_n = n;
	*p += n;
	return 1;
}
