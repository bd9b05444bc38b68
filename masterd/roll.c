/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/roll.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/pack.h"
#include "shared/mem.h"

/* Number in dst of each mount of src; -1 when dst has no room for it. */
struct names {
	int to[MOUNTS_MAX];
};

static void match(struct names *n, struct block *dst, const struct block *src)
{
	for (size_t i = 0; i < src->n_mounts; i++)
		n->to[i] = block_mount(dst, src->mounts[i], strlen(src->mounts[i]));
}

/* The first of n rows at ts or later. */
static size_t place_of(const struct block *b, size_t n, int64_t ts)
{
	size_t low = 0, high = n;

	if (n && b->rows.v[n - 1].ts < ts)
		return n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->rows.v[middle].ts < ts)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int by_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->ts < y->ts ? -1 : x->ts > y->ts;
}

static bool in_span(const struct span *s, size_t i)
{
	return s->src->rows.v[i].ts >= s->from && s->src->rows.v[i].ts < s->to && s->news[i] != KNOWN;
}

bool roll_raw(struct block *dst, const struct span *s)
{
	size_t before = dst->rows.n;
	struct names names;

	match(&names, dst, s->src);
	for (size_t i = 0; i < s->src->rows.n; i++) {
		const struct row *from = &s->src->rows.v[i];
		size_t at;
		struct row *to;

		if (!in_span(s, i))
			continue;
		at = place_of(dst, before, from->ts);
		if ((at < before && dst->rows.v[at].ts == from->ts) || dst->rows.n == PACK_ROWS_MAX) {
			s->news[i] = KNOWN;
			continue;
		}
		to = block_push(dst, from->ts);
		memcpy(to->v, from->v, sizeof(to->v));
		for (size_t k = 0; k < s->src->n_mounts; k++)
			if (names.to[k] >= 0)
				to->disk[names.to[k]] = from->disk[k];
	}
	/* those that came are in order among themselves */
	if (before && before < dst->rows.n && dst->rows.v[before - 1].ts > dst->rows.v[before].ts)
		qsort(dst->rows.v, dst->rows.n, sizeof(struct row), by_time);
	return dst->rows.n > before;
}

/* ---- rollups */

struct mean {
	double sum;
	int64_t n;
};

/* What the samples of one step add. */
struct sums {
	struct mean metrics[METRICS], mounts[MOUNTS_MAX];
	double cpu_max, load1_max;
	int64_t n;
};

static void add(struct mean *m, double v)
{
	if (isnan(v))
		return;
	m->sum += v;
	m->n++;
}

static void add_sample(struct sums *u, const struct row *r, size_t mounts)
{
	for (int m = 0; m < METRICS; m++)
		add(&u->metrics[m], metric_value((enum metric)m, r->v[m]));
	for (size_t k = 0; k < mounts; k++)
		add(&u->mounts[k], mount_value(r->disk[k]));
	u->cpu_max = fmax(u->cpu_max, metric_value(M_CPU, r->v[M_CPU]));
	u->load1_max = fmax(u->load1_max, metric_value(M_LOAD1, r->v[M_LOAD1]));
	u->n++;
}

/* The mean of what the row held (n samples of old) and of what comes. */
static double joined(double old, int64_t n, const struct mean *m)
{
	if (!m->n)
		return old;
	if (isnan(old) || n <= 0)
		return m->sum / (double)m->n;
	return (old * (double)n + m->sum) / (double)(n + m->n);
}

static int64_t higher(enum metric m, int64_t code, double v)
{
	int64_t other = metric_code(m, v);

	return other > code ? other : code;
}

static void join(struct row *r, const struct sums *u, const struct names *names, size_t mounts)
{
	int64_t n = r->n;

	for (int m = 0; m < METRICS; m++)
		r->v[m] = metric_code((enum metric)m, joined(metric_value((enum metric)m, r->v[m]), n, &u->metrics[m]));
	for (size_t k = 0; k < mounts; k++)
		if (names->to[k] >= 0)
			r->disk[names->to[k]] =
				mount_code(joined(mount_value(r->disk[names->to[k]]), n, &u->mounts[k]));
	if (u->metrics[M_CPU].n)
		r->v[M_CPU_MAX] = higher(M_CPU_MAX, r->v[M_CPU_MAX], u->cpu_max);
	if (u->metrics[M_LOAD1].n)
		r->v[M_LOAD1_MAX] = higher(M_LOAD1_MAX, r->v[M_LOAD1_MAX], u->load1_max);
	r->n = n + u->n;
}

/* Row of the step, made empty when there is none. */
static struct row *step_at(struct block *b, int64_t ts)
{
	size_t at = place_of(b, b->rows.n, ts);

	if (at < b->rows.n && b->rows.v[at].ts == ts)
		return &b->rows.v[at];
	block_push(b, ts)->n = 0;
	if (at < b->rows.n - 1) {
		struct row made = b->rows.v[b->rows.n - 1];

		memmove(&b->rows.v[at + 1], &b->rows.v[at], (b->rows.n - 1 - at) * sizeof(struct row));
		b->rows.v[at] = made;
	}
	return &b->rows.v[at];
}

static bool has_step(const struct block *b, int64_t ts)
{
	size_t at = place_of(b, b->rows.n, ts);

	return at < b->rows.n && b->rows.v[at].ts == ts;
}

/* The samples of one step: src from i to before end. */
static bool add_step(struct block *dst, const struct span *s, size_t i, size_t end, int64_t start)
{
	const struct block *src = s->src;
	bool there = has_step(dst, start);
	struct names names;
	struct sums u = {.cpu_max = 0};

	for (; i < end; i++) {
		if (!in_span(s, i))
			continue;
		if (s->news[i] == LATE)
			s->news[i] = there ? KNOWN : NEW;
		if (s->news[i] == NEW)
			add_sample(&u, &src->rows.v[i], src->n_mounts);
	}
	if (!u.n)
		return false;
	match(&names, dst, src);
	join(step_at(dst, start), &u, &names, src->n_mounts);
	return true;
}

bool roll_add(struct block *dst, const struct span *s, int64_t step)
{
	const struct block *src = s->src;
	bool changed = false;

	for (size_t i = 0, end; i < src->rows.n; i = end) {
		int64_t start = src->rows.v[i].ts / step * step;

		for (end = i + 1; end < src->rows.n && src->rows.v[end].ts < start + step; end++)
			;
		changed |= add_step(dst, s, i, end, start);
	}
	return changed;
}
