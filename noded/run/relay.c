/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/relay.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "noded/run/progress.h"
#include "shared/buf.h"
#include "shared/mem.h"

enum { COPY_MAX = 16 << 20 };
struct relay {
	relay_fn *fn;
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	/* under the lock */
	bool busy, stop, failed; /* busy: name and bytes are the thread's */
	struct err error;        /* of the member that failed */
	char *name;
	struct buf bytes;
};

static void *work(void *p)
{
	struct relay *r = p;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		struct err e;
		bool failed;

		while (!r->busy && !r->stop)
			pthread_cond_wait(&r->change, &r->lock);
		if (!r->busy)
			break;
		pthread_mutex_unlock(&r->lock);
		failed = r->fn(r->ctx, r->name, r->bytes.p, r->bytes.len, &e) != 0;
		pthread_mutex_lock(&r->lock);
		if (failed)
			r->error = e;
		r->failed = failed;
		r->busy = false;
		pthread_cond_signal(&r->change);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void forget(struct relay *r)
{
	pthread_cond_destroy(&r->change);
	pthread_mutex_destroy(&r->lock);
	buf_done(&r->bytes);
	free(r->name);
	free(r);
}

int relay_new(struct relay **ret, relay_fn *fn, void *ctx, struct err *e)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	sigset_t all, old;
	int failed;

	r->fn = fn;
	r->ctx = ctx;
	buf_init(&r->bytes, COPY_MAX);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->change, NULL);
	/* signals stay with the main thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&r->thread, NULL, work, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed) {
		forget(r);
		return err_set(e, ERR_IO, "start a thread: %s", strerror(failed));
	}
	*ret = r;
	return 0;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	forget(r);
}

void relay_freep(struct relay **r)
{
	relay_free(*r);
}

int relay_end(struct relay *r, struct err *e)
{
	pthread_mutex_lock(&r->lock);
	while (r->busy) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		pthread_cond_clockwait(&r->change, &r->lock, CLOCK_MONOTONIC, &until);
		progress_pulse();
	}
	pthread_mutex_unlock(&r->lock);
	if (!r->failed)
		return 0;
	*e = r->error;
	return -1;
}

/* It has been waited for: the thread sleeps. */
static int pass_on_here(struct relay *r, const char *name, const void *p, size_t n, struct err *e)
{
	r->failed = r->fn(r->ctx, name, p, n, &r->error) != 0;
	if (r->failed)
		*e = r->error;
	return r->failed ? -1 : 0;
}

/* r->bytes are the member's. */
static void pass_on_there(struct relay *r, const char *name)
{
	free(r->name);
	r->name = xstrdup(name);
	pthread_mutex_lock(&r->lock);
	r->busy = true;
	pthread_cond_signal(&r->change);
	pthread_mutex_unlock(&r->lock);
}

int relay_member(struct relay *r, const char *name, const void *p, size_t n, struct err *e)
{
	if (relay_end(r, e))
		return -1;
	if (n >= COPY_MAX)
		return pass_on_here(r, name, p, n, e);
	buf_reset(&r->bytes);
	buf_add(&r->bytes, p, n);
	pass_on_there(r, name);
	return 0;
}

/* Only the memory changes hands: each keeps its own limit. */
static void swap_memory(struct buf *a, struct buf *b)
{
	struct buf was = *a;

	*a = (struct buf){.p = b->p, .len = b->len, .cap = b->cap, .max = a->max};
	*b = (struct buf){.p = was.p, .len = was.len, .cap = was.cap, .max = b->max};
}

int relay_swap(struct relay *r, const char *name, struct buf *b, struct err *e)
{
	if (relay_end(r, e))
		return -1;
	if (b->len >= COPY_MAX) {
		int failed = pass_on_here(r, name, b->p, b->len, e);

		buf_reset(b);
		return failed;
	}
	swap_memory(&r->bytes, b);
	buf_reset(b);
	pass_on_there(r, name);
	return 0;
}
