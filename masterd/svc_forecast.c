/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_forecast.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/forecast.h"
#include "masterd/svc_history.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { NODES_A_TICK = 8, ROUND_MS = 3600 * 1000, DAYS_KEPT = 90 };

struct forecasts {
	struct { LIST_OF(struct filling); } found; /* by node */
	int64_t cursor, next;     /* node; monotonic ms of the next round */
};

struct forecasts *forecasts_new(void)
{
	return xcalloc(1, sizeof(struct forecasts));
}

void forecasts_free(struct forecasts *f)
{
	if (f)
		list_done(&f->found);
	free(f);
}

static size_t place(const struct forecasts *f, int64_t node_id)
{
	size_t low = 0, high = f->found.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->found.v[middle].node_id < node_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct filling *forecasts_of(const struct forecasts *f, int64_t node_id, size_t *n)
{
	size_t from = place(f, node_id), to = from;

	while (to < f->found.n && f->found.v[to].node_id == node_id)
		to++;
	*n = to - from;
	return *n ? &f->found.v[from] : NULL;
}

/* ---- one node */

struct mount {
	char name[WIRE_TEXT];
	struct forecast fit;
};
struct mounts {
	LIST_OF(struct mount);
};

static void take_hour(void *ctx, const struct disk_hour *h)
{
	struct mounts *l = ctx;
	struct mount *m = NULL;

	for (size_t i = 0; i < l->n && !m; i++)
		if (str_eq(l->v[i].name, h->mount))
			m = &l->v[i];
	if (!m) {
		m = list_push(l);
		str_cut(m->name, sizeof(m->name), h->mount);
	}
	forecast_add(&m->fit, h->ts, h->percent);
}

static void forget(struct forecasts *f, int64_t node_id)
{
	size_t n, from = place(f, node_id);

	(void)forecasts_of(f, node_id, &n);
	if (!n)
		return;
	memmove(&f->found.v[from], &f->found.v[from + n], (f->found.n - from - n) * sizeof(struct filling));
	f->found.n -= n;
}

static void keep(struct forecasts *f, int64_t node_id, const struct mount *m)
{
	struct filling v = {.node_id = node_id, .span = m->fit.last - m->fit.first};
	size_t at;

	if (!forecast_days(&m->fit, &v.days, &v.per_day) || v.days > DAYS_KEPT)
		return;
	str_cut(v.mount, sizeof(v.mount), m->name);
	at = place(f, node_id + 1);
	(void)list_push(&f->found);
	memmove(&f->found.v[at + 1], &f->found.v[at], (f->found.n - 1 - at) * sizeof(struct filling));
	f->found.v[at] = v;
}

static void look(struct forecasts *f, struct master *m, int64_t node_id, int64_t now)
{
	struct mounts mounts = {0};
	struct disks_of d = {.node_id = node_id, .from = now - FORECAST_WINDOW_MS, .each = take_hour, .ctx = &mounts};
	struct err e;

	if (history_disks(m, &d, &e)) {
		log_debug("forecast of node %lld: %s", (long long)node_id, e.msg);
	} else {
		forget(f, node_id);
		for (size_t i = 0; i < mounts.n; i++)
			keep(f, node_id, &mounts.v[i]);
	}
	list_done(&mounts);
}

void forecasts_tick(struct forecasts *f, struct master *m, int64_t now)
{
	int64_t ids[NODES_A_TICK];
	size_t n;

	if (!f->cursor) {
		if (clock_mono_ms() < f->next)
			return;
		f->next = clock_mono_ms() + ROUND_MS;
	}
	n = live_ids(m->live, &f->cursor, ids, NODES_A_TICK);
	for (size_t i = 0; i < n; i++)
		look(f, m, ids[i], now);
}
