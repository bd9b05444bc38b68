/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd_in.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

static void address_of(struct MHD_Connection *connection, char *text, size_t size)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;

	str_cut(text, size, "unknown");
	if (sa && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, text, (socklen_t)size);
	else if (sa && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, text, (socklen_t)size);
	if (str_starts(text, "::ffff:"))
		memmove(text, text + 7, strlen(text + 7) + 1);
}

static void peer_new(struct httpd *h, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *p = xcalloc(1, sizeof(*p));

	p->fd = fd ? fd->connect_fd : -1;
	address_of(connection, p->address, sizeof(p->address));
	atomic_store(&p->deadline, clock_mono_ms() + 1000 * h->m->config->headers_s);
	pthread_mutex_lock(&h->lock);
	p->next = h->peers;
	if (p->next)
		p->next->prev = p;
	h->peers = p;
	pthread_mutex_unlock(&h->lock);
	*context = p;
}

static void peer_gone(struct httpd *h, struct peer *p)
{
	pthread_mutex_lock(&h->lock);
	if (p->prev)
		p->prev->next = p->next;
	else
		h->peers = p->next;
	if (p->next)
		p->next->prev = p->prev;
	pthread_mutex_unlock(&h->lock);
	free(p);
}

void peer_notify(void *cls, struct MHD_Connection *connection, void **context,
		 enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		peer_new(s->h, connection, context);
	else if (*context)
		peer_gone(s->h, *context);
}

void peer_deadline(struct peer *p, int64_t ms)
{
	atomic_store_explicit(&p->deadline, ms ? clock_mono_ms() + ms : 0, memory_order_relaxed);
}

void peers_tick(struct httpd *h)
{
	long long now = clock_mono_ms();

	pthread_mutex_lock(&h->lock);
	for (struct peer *p = h->peers; p; p = p->next) {
		long long deadline = atomic_load_explicit(&p->deadline, memory_order_relaxed);

		if (deadline && deadline < now)
			shutdown(p->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&h->lock);
}

size_t peers_end_idle(struct httpd *h)
{
	size_t n = 0;

	pthread_mutex_lock(&h->lock);
	for (struct peer *p = h->peers; p; p = p->next, n++)
		if (atomic_load(&p->idle))
			shutdown(p->fd, SHUT_RD);
	pthread_mutex_unlock(&h->lock);
	return n;
}
