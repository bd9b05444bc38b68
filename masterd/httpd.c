/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/httpd_in.h"
#include "masterd/listen.h"
#include "masterd/selfsign.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	IDLE_END_MS = 1000,       /* a stop waits so long for connections that ask nothing */
	CONNECTION_MEMORY = 8 * 1024, /* headers and buffers; wiped for each request */
	PEM_MAX = 1 << 20,
};

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void)cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http: %s", text);
}

static int read_pem(char **ret, const char *path, struct err *e)
{
	struct buf b;

	buf_init(&b, PEM_MAX);
	if (fs_read(&b, path, e)) {
		buf_done(&b);
		return -1;
	}
	*ret = buf_take(&b);
	return 0;
}

/* Those that we may run on: more threads would only take turns. */
static unsigned cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return n < 2 ? 2 : n > 64 ? 64 : (unsigned)n;
}

/* "%00" must not end a path or a value early: no route and no handler takes the byte that it becomes. */
static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
	size_t n = MHD_http_unescape(text);

	(void)cls;
	(void)connection;
	for (size_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = '\x01';
	return n;
}

static void server_free(struct server *s)
{
	if (!s)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (s->key)
		mem_wipe(s->key, strlen(s->key));
	free(s->key);
	free(s->cert);
	free(s);
}

static void server_freep(struct server **s)
{
	server_free(*s);
}

static int start_daemon(struct server *s, const struct config *c, int fd, struct err *e)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, s->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, s->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};

	if (s->cert)
		flags |= MHD_USE_TLS;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, call_take, s,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_THREAD_POOL_SIZE, cores(),
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->max_connections,
				     MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)c->per_address,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)c->idle_s,
				     MHD_OPTION_STRICT_FOR_CLIENT, 1,
				     MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
				     MHD_OPTION_NOTIFY_COMPLETED, call_ended, NULL,
				     MHD_OPTION_NOTIFY_CONNECTION, peer_notify, s,
				     MHD_OPTION_ARRAY, s->cert ? tls : plain,
				     MHD_OPTION_END);
	if (!s->daemon)
		return err_set(e, s->cert ? ERR_CONFIG : ERR_INTERNAL, "cannot start the HTTP server%s%s",
			       s->cert ? ": is this a certificate with its key? " : "", s->cert ? c->tls_cert : "");
	return 0;
}

/* A server with the certificate that c names, on a socket of its own for the same queue of connections. */
static int server_new(struct httpd *h, const struct config *c, struct err *e)
{
	CLEANUP(server_freep) struct server *s = xcalloc(1, sizeof(*s));
	CLEANUP(closep) int fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return err_sys(e, ERR_IO, "listen on %s", c->listen);
	s->h = h;
	s->max_connections = c->max_connections;
	s->per_address = c->per_address;
	if ((c->tls_cert && (cert_fits(c->tls_cert, c->tls_key, e) || read_pem(&s->cert, c->tls_cert, e) ||
			     read_pem(&s->key, c->tls_key, e))) || start_daemon(s, c, fd, e))
		return -1;
	fd = -1; /* the daemon's now */
	s->next = h->servers;
	h->servers = TAKE(s);
	return 0;
}

/* s takes no connections any more. */
static void retire(struct server *s)
{
	int fd = (int)MHD_quiesce_daemon(s->daemon);

	closep(&fd);
	atomic_store(&s->old, true);
}

int httpd_new(struct httpd **ret, struct master *m, struct err *e)
{
	struct httpd *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	h->m = m;
	h->fd = -1;
	if (listen_on(&h->fd, m->config->listen, e) || server_new(h, m->config, e)) {
		httpd_free(h);
		return -1;
	}
	*ret = h;
	return 0;
}

int httpd_renew(struct httpd *h, const struct config *c, struct err *e)
{
	struct server *before = h->servers, *now;

	if (server_new(h, c, e))
		return -1;
	now = h->servers;
	if (str_eq(now->cert, before->cert) && str_eq(now->key, before->key) &&
	    now->max_connections == before->max_connections && now->per_address == before->per_address) {
		h->servers = before;
		now->next = before->next;
		before->next = now;
		before = now;
	}
	retire(before);
	return 0;
}

/* Those before whose last connection has ended. */
static void free_ended(struct httpd *h)
{
	struct server **at = &h->servers->next, *s;

	while ((s = *at)) {
		const union MHD_DaemonInfo *i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

		if (i && i->num_connections) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		server_free(s);
	}
}

void httpd_tick(struct httpd *h)
{
	peers_tick(h);
	free_ended(h);
}

void httpd_quiesce(struct httpd *h)
{
	if (!atomic_load(&h->servers->old))
		retire(h->servers);
	closep(&h->fd);
	h->fd = -1;
}

bool httpd_drain(struct httpd *h, int64_t ms)
{
	int64_t now = clock_mono_ms(), until = now + ms;

	/* who has never sent a request holds us up for a moment only */
	while (peers_end_idle(h) && clock_mono_ms() < (atomic_load(&h->calls) ? until : now + IDLE_END_MS))
		clock_sleep_ms(5);
	return !atomic_load(&h->calls);
}

void httpd_free(struct httpd *h)
{
	struct server *s;

	if (!h)
		return;
	while ((s = h->servers)) {
		h->servers = s->next;
		server_free(s);
	}
	closep(&h->fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
