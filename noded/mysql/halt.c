/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/halt.h"

#include <stdbool.h>

void halt_init(struct halt *h, const volatile sig_atomic_t *stop)
{
	h->stop = stop;
	atomic_init(&h->set, false);
	pthread_mutex_init(&h->lock, NULL);
	h->why = (struct err){0};
}

void halt_done(struct halt *h)
{
	pthread_mutex_destroy(&h->lock);
}

/* Asked often: two loads. */
static bool halted(const struct halt *h)
{
	return atomic_load_explicit(&h->set, memory_order_acquire) || (h->stop && *h->stop);
}

int halt_set(struct halt *h, const struct err *why)
{
	pthread_mutex_lock(&h->lock);
	if (!atomic_load(&h->set))
		h->why = *why;
	atomic_store_explicit(&h->set, true, memory_order_release);
	pthread_mutex_unlock(&h->lock);
	return -1;
}

int halt_check(struct halt *h, struct err *e)
{
	if (!halted(h))
		return 0;
	pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->set))
		*e = h->why;
	else
		err_fill(e, ERR_ABORTED, 0, "stopped on request");
	pthread_mutex_unlock(&h->lock);
	return -1;
}
