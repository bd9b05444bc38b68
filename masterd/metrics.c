/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/metrics.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/mem.h"

static const double bounds[METRIC_BUCKETS] = {
	0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, (double)INFINITY,
};

struct route_count {
	atomic_uint_least64_t replies[6]; /* by first digit of the status */
	atomic_uint_least64_t took[METRIC_BUCKETS];
	atomic_uint_least64_t us;
};

struct metrics {
	struct route_count routes[METRIC_ROUTES];
	int64_t started;
	atomic_uint_least64_t samples, runs[METRIC_RUNS];
};

struct metrics *metrics_new(void)
{
	struct metrics *m = xcalloc(1, sizeof(*m));

	m->started = clock_ms();
	return m;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

static void add(atomic_uint_least64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_least64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

static size_t row(size_t route)
{
	return route < METRIC_ROUTES ? route : METRIC_ROUTES - 1;
}

void metrics_request(struct metrics *m, size_t route, int status, int64_t us)
{
	struct route_count *c;
	size_t i = 0;

	if (!m)
		return;
	c = &m->routes[row(route)];
	while (i < METRIC_BUCKETS - 1 && (double)us > bounds[i] * 1e6)
		i++;
	add(&c->replies[status >= 100 && status < 600 ? status / 100 : 0], 1);
	add(&c->took[i], 1);
	add(&c->us, us > 0 ? (uint64_t)us : 0);
}

void metrics_samples(struct metrics *m, uint64_t n)
{
	if (m)
		add(&m->samples, n);
}

void metrics_run(struct metrics *m, unsigned state)
{
	if (m && state < METRIC_RUNS)
		add(&m->runs[state], 1);
}

int64_t metrics_started(const struct metrics *m)
{
	return m->started;
}

uint64_t metrics_samples_total(const struct metrics *m)
{
	return get(&m->samples);
}

uint64_t metrics_runs_total(const struct metrics *m, unsigned state)
{
	return state < METRIC_RUNS ? get(&m->runs[state]) : 0;
}

uint64_t metrics_replies(const struct metrics *m, size_t route, unsigned digit)
{
	return get(&m->routes[row(route)].replies[digit]);
}

uint64_t metrics_within(const struct metrics *m, size_t route, size_t bucket)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= bucket && i < METRIC_BUCKETS; i++)
		n += get(&m->routes[row(route)].took[i]);
	return n;
}

double metrics_seconds(const struct metrics *m, size_t route)
{
	return (double)get(&m->routes[row(route)].us) / 1e6;
}

double metrics_bound(size_t bucket)
{
	return bounds[bucket];
}

/* ---- text */

void prom_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line feed are written with a backslash; what is no UTF-8 would spoil the whole scrape. */
static void add_label(struct buf *b, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\n')
			buf_adds(b, "\\n");
		else if (*p == '\\' || *p == '"')
			buf_addf(b, "\\%c", *p);
		else
			buf_addc(b, (char)*p);
	}
}

void prom_value(struct buf *b, const char *name, const char *const *labels, double value)
{
	buf_adds(b, name);
	for (size_t i = 0; labels && labels[i]; i += 2) {
		buf_addf(b, "%c%s=\"", i ? ',' : '{', labels[i]);
		add_label(b, labels[i + 1]);
		buf_addc(b, '"');
	}
	if (labels && labels[0])
		buf_addc(b, '}');
	if (isinf(value))
		buf_adds(b, value > 0 ? " +Inf\n" : " -Inf\n");
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_addf(b, " %.0f\n", value);
	else
		buf_addf(b, " %.15g\n", value);
}
