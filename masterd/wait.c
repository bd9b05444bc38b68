/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/wait.h"

#include <pthread.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"

struct waits {
	pthread_mutex_t lock;
	struct wait *first;
	bool ended;
};

struct waits *waits_new(void)
{
	struct waits *w = xcalloc(1, sizeof(*w));

	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void waits_free(struct waits *w)
{
	if (!w)
		return;
	waits_end(w);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void unlink_it(struct waits *w, struct wait *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		w->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	e->prev = e->next = NULL;
	e->linked = false;
}

void waits_add(struct waits *w, struct wait *e)
{
	pthread_mutex_lock(&w->lock);
	e->prev = NULL;
	e->next = w->first;
	if (e->next)
		e->next->prev = e;
	w->first = e;
	e->linked = true;
	if (w->ended) {
		unlink_it(w, e);
		ticket_done(e->ticket);
	}
	pthread_mutex_unlock(&w->lock);
}

bool waits_remove(struct waits *w, struct wait *e)
{
	bool was;

	pthread_mutex_lock(&w->lock);
	was = e->linked;
	if (was)
		unlink_it(w, e);
	pthread_mutex_unlock(&w->lock);
	return was;
}

/* Wake those with the key, or that are over by now, or (neither) all. */
static void wake_some(struct waits *w, const char *key, int64_t now, bool all)
{
	struct wait *next;

	pthread_mutex_lock(&w->lock);
	w->ended |= all;
	for (struct wait *e = w->first; e; e = next) {
		next = e->next;
		if (!all && !(key ? str_eq(e->key, key) : e->deadline <= now))
			continue;
		unlink_it(w, e);
		/* e may be gone after this */
		ticket_done(e->ticket);
	}
	pthread_mutex_unlock(&w->lock);
}

void waits_wake(struct waits *w, const char *key)
{
	wake_some(w, key, 0, false);
}

void waits_tick(struct waits *w, int64_t mono_now)
{
	wake_some(w, NULL, mono_now, false);
}

void waits_end(struct waits *w)
{
	wake_some(w, NULL, 0, true);
}
