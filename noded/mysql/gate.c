/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/gate.h"

static int gate_swap(void *ctx, const char *name, struct buf *b, struct err *e)
{
	struct gate *g = ctx;
	int failed;

	pthread_mutex_lock(&g->lock);
	if (g->sink->swap)
		failed = g->sink->swap(g->sink->ctx, name, b, e);
	else
		failed = g->sink->member(g->sink->ctx, name, b->p, b->len, e);
	pthread_mutex_unlock(&g->lock);
	return failed;
}

static int gate_member(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	struct gate *g = ctx;
	int failed;

	pthread_mutex_lock(&g->lock);
	failed = g->sink->member(g->sink->ctx, name, p, n, e);
	pthread_mutex_unlock(&g->lock);
	return failed;
}

/* The gate stays shut until the member's end. */
static int gate_begin(void *ctx, const char *name, uint64_t size, struct err *e)
{
	struct gate *g = ctx;

	pthread_mutex_lock(&g->lock);
	if (g->sink->begin(g->sink->ctx, name, size, e) == 0)
		return 0;
	pthread_mutex_unlock(&g->lock);
	return -1;
}

static int gate_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct gate *g = ctx;

	return g->sink->write(g->sink->ctx, p, n, e);
}

static int gate_end(void *ctx, struct err *e)
{
	struct gate *g = ctx;
	int failed = g->sink->end(g->sink->ctx, e);

	pthread_mutex_unlock(&g->lock);
	return failed;
}

static void gate_fail(void *ctx)
{
	struct gate *g = ctx;

	g->sink->fail(g->sink->ctx);
	pthread_mutex_unlock(&g->lock);
}

/* Whoever holds the sink shows progress himself: it is not worth a wait. */
static void gate_progress(void *ctx, const char *table, uint64_t rows, uint64_t bytes)
{
	struct gate *g = ctx;

	if (!g->sink->progress || pthread_mutex_trylock(&g->lock))
		return;
	g->sink->progress(g->sink->ctx, table, rows, bytes);
	pthread_mutex_unlock(&g->lock);
}

static void gate_warn(void *ctx, const char *text)
{
	struct gate *g = ctx;

	if (!g->sink->warn)
		return;
	pthread_mutex_lock(&g->lock);
	g->sink->warn(g->sink->ctx, text);
	pthread_mutex_unlock(&g->lock);
}

void gate_init(struct gate *g, const struct dump_sink *sink)
{
	g->sink = sink;
	pthread_mutex_init(&g->lock, NULL);
}

void gate_done(struct gate *g)
{
	pthread_mutex_destroy(&g->lock);
}

struct dump_sink gate_sink(struct gate *g)
{
	bool pieces = g->sink->begin;

	return (struct dump_sink){.member = gate_member, .swap = gate_swap, .begin = pieces ? gate_begin : NULL,
				  .write = gate_write, .end = gate_end, .fail = gate_fail, .progress = gate_progress,
				  .warn = gate_warn, .ctx = g};
}
