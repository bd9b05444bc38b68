/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/pwq.h"

#include <pthread.h>
#include <stdlib.h>

#include "shared/mem.h"

enum { THREADS = 2, WAITING_MAX = 32 };

struct pwq {
	pthread_mutex_t lock;
	pthread_cond_t come;
	pthread_t threads[THREADS];
	unsigned started, waiting;
	struct pw_work *first, **last;
	bool stopping;
};

static struct pw_work *next_work(struct pwq *q)
{
	struct pw_work *w;

	pthread_mutex_lock(&q->lock);
	while (!q->first && !q->stopping)
		pthread_cond_wait(&q->come, &q->lock);
	w = q->first;
	if (w) {
		q->first = w->next;
		if (!q->first)
			q->last = &q->first;
		q->waiting--;
	}
	pthread_mutex_unlock(&q->lock);
	return w;
}

static void *pwq_main(void *arg)
{
	struct pwq *q = arg;
	struct pw_work *w;

	while ((w = next_work(q))) {
		w->fits = w->make ? !crypt_pw_hash(w->hash, w->password, NULL) : crypt_pw_verify(w->hash, w->password);
		mem_wipe(w->password, sizeof(w->password));
		ticket_done(w->ticket);
	}
	return NULL;
}

int pwq_new(struct pwq **ret, struct err *e)
{
	struct pwq *q = xcalloc(1, sizeof(*q));

	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->come, NULL);
	q->last = &q->first;
	for (; q->started < THREADS; q->started++)
		if (pthread_create(&q->threads[q->started], NULL, pwq_main, q)) {
			pwq_free(q);
			return err_set(e, ERR_INTERNAL, "cannot start a thread for passwords");
		}
	*ret = q;
	return 0;
}

void pwq_stop(struct pwq *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_broadcast(&q->come);
	pthread_mutex_unlock(&q->lock);
	for (; q->started; q->started--)
		pthread_join(q->threads[q->started - 1], NULL);
}

void pwq_free(struct pwq *q)
{
	if (!q)
		return;
	pwq_stop(q);
	pthread_cond_destroy(&q->come);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int pwq_put(struct pwq *q, struct pw_work *w, struct err *e)
{
	bool full;

	w->next = NULL;
	pthread_mutex_lock(&q->lock);
	full = q->waiting >= WAITING_MAX || q->stopping;
	if (!full) {
		*q->last = w;
		q->last = &w->next;
		q->waiting++;
		pthread_cond_signal(&q->come);
	}
	pthread_mutex_unlock(&q->lock);
	if (full)
		return err_set(e, ERR_BUSY, "%d sign-ins wait already", WAITING_MAX);
	return 0;
}
