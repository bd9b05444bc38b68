/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/crew.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "noded/mysql/halt.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	LOADERS_MAX = 16,
	SLICE = 256 << 10,
	SLICE_COST = 512,        /* of a slice and the member of which it is all, besides its bytes */
	KEEP = 10 << 20,         /* members up to this size are kept until they are loaded: a deadlock repeats them */
	AHEAD = 6 << 20,         /* bytes a loader that may wait in the queue, beyond what is kept */
	TRIES = 10,              /* of a member that is the victim of deadlocks */
	LOOK_MS = 150,
};

struct slice {
	struct slice *next;
	size_t n;
	char p[];
};
/* A member, or a call. In the list from when it is handed over until it is done. */
struct task {
	struct task *next;
	crew_fn *fn;
	void *ctx;
	char *member;
	size_t group;            /* so much of its name is shared by all that have to come one after the other */
	bool keep;
	/* under the lock */
	struct slice *first, *last;
	bool taken, whole, spoiled;
};
struct loader {
	struct crew *crew;
	struct load *load;
	pthread_t thread;
	bool runs;
};
struct crew {
	struct crew_opts o;
	struct halt halt;
	struct loader loaders[LOADERS_MAX];
	unsigned n;
	atomic_uint_fast64_t bytes;
	struct slice *filling;   /* of the member being handed over */
	pthread_mutex_t lock;
	pthread_cond_t change;
	/* under the lock */
	struct task *first, **end;
	struct task *open;       /* the member being handed over; NULL when it has failed already */
	size_t held, max;        /* bytes in slices */
	bool quit;
};

/* ---- under the lock */

static void wake(struct crew *c)
{
	pthread_cond_broadcast(&c->change);
}

static void drop_slice(struct crew *c, struct task *t)
{
	struct slice *s = t->first;

	t->first = s->next;
	if (!t->first)
		t->last = NULL;
	c->held -= s->n + SLICE_COST;
	free(s);
}

static void forget(struct crew *c, struct task *t)
{
	struct task **at = &c->first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (!*at)
		c->end = at;
	while (t->first)
		drop_slice(c, t);
	free(t->member);
	free(t);
	wake(c);
}

/* Has one that must be loaded before t not been? */
static bool must_wait(const struct crew *c, const struct task *t)
{
	for (const struct task *b = c->first; t->group && b != t; b = b->next)
		if (b->member && b->group == t->group && !strncmp(b->member, t->member, t->group))
			return true;
	return false;
}

static struct task *next_task(struct crew *c)
{
	for (struct task *t = c->first; t; t = t->next)
		if (!t->taken && !must_wait(c, t))
			return t;
	return NULL;
}

static void add(struct crew *c, struct task *t)
{
	*c->end = t;
	c->end = &t->next;
	wake(c);
}

/* ---- a loader's thread */

/* The slice after s (NULL: the first), waiting for it; NULL at the end, and when all ends. */
static const struct slice *next_slice(struct crew *c, struct task *t, const struct slice *s)
{
	const struct slice *next;
	struct err ignored;

	pthread_mutex_lock(&c->lock);
	if (s && !t->keep) {
		drop_slice(c, t);
		s = NULL;
		wake(c);
	}
	while (!(next = s ? s->next : t->first) && !t->whole && !t->spoiled && halt_check(&c->halt, &ignored) == 0)
		pthread_cond_wait(&c->change, &c->lock);
	if (t->spoiled)
		next = NULL;
	pthread_mutex_unlock(&c->lock);
	return next;
}

static int feed(struct loader *l, struct task *t, struct err *e)
{
	struct crew *c = l->crew;
	uint64_t done = 0;
	bool spoiled;

	for (const struct slice *s = next_slice(c, t, NULL); s; s = next_slice(c, t, s)) {
		if (halt_check(&c->halt, e) || load_feed(l->load, t->member, s->p, s->n, e)) {
			atomic_fetch_sub(&c->bytes, done);
			return -1;
		}
		done += s->n;
		atomic_fetch_add(&c->bytes, s->n);
	}
	if (halt_check(&c->halt, e))
		return -1;
	pthread_mutex_lock(&c->lock);
	spoiled = t->spoiled;
	pthread_mutex_unlock(&c->lock);
	if (spoiled)
		return load_abandon(l->load, e);
	if (load_end(l->load, e)) {
		atomic_fetch_sub(&c->bytes, done);
		return -1;
	}
	return c->o.loaded ? c->o.loaded(c->o.ctx, t->member, e) : 0;
}

static int run(struct loader *l, struct task *t, struct err *e)
{
	struct err ignored;

	if (t->fn)
		return halt_check(&l->crew->halt, e) ? -1 : t->fn(t->ctx, l->load, e);
	for (int i = 1;; i++) {
		bool again;

		if (feed(l, t, e) == 0)
			return 0;
		again = t->keep && i < TRIES && load_was_deadlock(l->load) && halt_check(&l->crew->halt, &ignored) == 0;
		if (!again || load_abandon(l->load, &ignored))
			return -1;
	}
}

static void *work(void *p)
{
	struct loader *l = p;
	struct crew *c = l->crew;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		struct task *t;
		struct err e;

		while (!(t = next_task(c)) && !c->quit)
			pthread_cond_wait(&c->change, &c->lock);
		if (!t)
			break;
		t->taken = true;
		pthread_mutex_unlock(&c->lock);
		if (run(l, t, &e))
			halt_set(&c->halt, &e);
		pthread_mutex_lock(&c->lock);
		if (t == c->open)
			c->open = NULL; /* it failed */
		forget(c, t);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- the caller's thread */

/* Wait for a change, the lock held; looks now and then whether all shall end. */
static void wait_a_while(struct crew *c)
{
	struct timespec until;
	struct err e;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_clockwait(&c->change, &c->lock, CLOCK_MONOTONIC, &until);
	if (!c->o.stop)
		return;
	pthread_mutex_unlock(&c->lock);
	if (c->o.stop(c->o.ctx)) {
		err_fill(&e, ERR_ABORTED, 0, "stopped on request");
		halt_set(&c->halt, &e);
	}
	pthread_mutex_lock(&c->lock);
}

static int start(struct loader *l, struct err *e)
{
	sigset_t all, old;
	int failed;

	/* signals stay with the main thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&l->thread, NULL, work, l);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		return err_set(e, ERR_IO, "start a thread: %s", strerror(failed));
	l->runs = true;
	return 0;
}

int crew_open(struct crew **ret, const struct crew_opts *o, struct err *e)
{
	CLEANUP(crew_closep) struct crew *c = xcalloc(1, sizeof(*c));

	c->o = *o;
	c->end = &c->first;
	halt_init(&c->halt, NULL);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->change, NULL);
	c->n = o->loaders < 1 ? 1 : o->loaders < LOADERS_MAX ? o->loaders : LOADERS_MAX;
	c->max = (size_t)c->n * AHEAD + KEEP;
	for (unsigned i = 0; i < c->n; i++) {
		struct load_opts load = *o->load;

		load.number = i + 1;
		c->loaders[i].crew = c;
		if (load_open(&c->loaders[i].load, &load, e))
			return -1;
	}
	for (unsigned i = 0; i < c->n; i++)
		if (start(&c->loaders[i], e))
			return -1;
	c->o.load = NULL;

	*ret = TAKE(c);
	return 0;
}

void crew_close(struct crew *c)
{
	bool busy = false;
	struct err why;

	if (!c)
		return;
	err_fill(&why, ERR_ABORTED, 0, "given up");
	halt_set(&c->halt, &why);
	pthread_mutex_lock(&c->lock);
	c->quit = true;
	for (struct task *t = c->first; t; t = t->next)
		busy = busy || t->taken;
	wake(c);
	pthread_mutex_unlock(&c->lock);
	/* an index may be long in the making */
	for (unsigned i = 0; busy && i < c->n; i++)
		load_interrupt(c->loaders[i].load);
	for (unsigned i = 0; i < c->n; i++)
		if (c->loaders[i].runs)
			pthread_join(c->loaders[i].thread, NULL);
	while (c->first)
		forget(c, c->first);
	free(c->filling);
	for (unsigned i = 0; i < c->n; i++)
		load_close(c->loaders[i].load);
	pthread_cond_destroy(&c->change);
	pthread_mutex_destroy(&c->lock);
	halt_done(&c->halt);
	free(c);
}

void crew_closep(struct crew **c)
{
	crew_close(*c);
}

/* "db/20-data/TABLE.00007" of "db/20-data/TABLE.00007.sql" and "db/20-data/TABLE.00007.1.sql": names of tables have no dot there. */
static size_t group_of(const char *member)
{
	const char *slash = strrchr(member, '/'), *table = strchr(slash ? slash : member, '.');

	return table ? (size_t)(table - member) + 1 + strcspn(table + 1, ".") : 0;
}

int crew_begin(struct crew *c, const char *member, uint64_t size, struct err *e)
{
	struct task *t;

	if (halt_check(&c->halt, e))
		return -1;
	t = xcalloc(1, sizeof(*t));
	t->member = xstrdup(member);
	t->group = group_of(member);
	t->keep = size && size <= KEEP;
	pthread_mutex_lock(&c->lock);
	c->open = t;
	add(c, t);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

/* Hand what was gathered to the loader, when there is room. */
static int pass_on(struct crew *c, struct err *e)
{
	struct slice *s = TAKE(c->filling);
	int rc;

	if (!s)
		return halt_check(&c->halt, e);
	pthread_mutex_lock(&c->lock);
	while (c->held >= c->max && c->open && halt_check(&c->halt, e) == 0)
		wait_a_while(c);
	rc = halt_check(&c->halt, e);
	/* Of members of a few bytes very many wait: each keeps what it needs, and counts for what it costs. */
	s = xrealloc(s, sizeof(*s) + s->n);
	if (rc || !c->open) {
		free(s);
	} else {
		if (c->open->last)
			c->open->last->next = s;
		else
			c->open->first = s;
		c->open->last = s;
		c->held += s->n + SLICE_COST;
		wake(c);
	}
	pthread_mutex_unlock(&c->lock);
	return rc;
}

int crew_write(struct crew *c, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	while (n) {
		size_t room;

		if (!c->filling) {
			c->filling = xmalloc(sizeof(*c->filling) + SLICE);
			c->filling->next = NULL;
			c->filling->n = 0;
		}
		room = SLICE - c->filling->n < n ? SLICE - c->filling->n : n;
		memcpy(c->filling->p + c->filling->n, at, room);
		c->filling->n += room;
		at += room;
		n -= room;
		if (c->filling->n == SLICE && pass_on(c, e))
			return -1;
	}
	return 0;
}

static void close_open(struct crew *c, bool whole)
{
	pthread_mutex_lock(&c->lock);
	if (c->open && whole)
		c->open->whole = true;
	else if (c->open)
		c->open->spoiled = true;
	c->open = NULL;
	wake(c);
	pthread_mutex_unlock(&c->lock);
}

int crew_end(struct crew *c, struct err *e)
{
	int rc = pass_on(c, e);

	close_open(c, rc == 0);
	return rc;
}

void crew_fail(struct crew *c)
{
	free(TAKE(c->filling));
	close_open(c, false);
}

void crew_call(struct crew *c, crew_fn *fn, void *ctx)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->fn = fn;
	t->ctx = ctx;
	pthread_mutex_lock(&c->lock);
	add(c, t);
	pthread_mutex_unlock(&c->lock);
}

int crew_wait(struct crew *c, struct err *e)
{
	pthread_mutex_lock(&c->lock);
	while (c->first && halt_check(&c->halt, e) == 0)
		wait_a_while(c);
	pthread_mutex_unlock(&c->lock);
	return halt_check(&c->halt, e);
}

uint64_t crew_bytes(const struct crew *c)
{
	return atomic_load(&c->bytes);
}
