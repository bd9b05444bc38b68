/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "masterd/master.h"
#include "masterd/req.h"
#include "masterd/route.h"
#include "masterd/selfsign.h"
#include "masterd/svc_once.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	SWALLOW_MAX = 1 << 20,    /* a body without length is read so far before it is refused */
	CONNECTION_MEMORY = 8 * 1024, /* headers and buffers; wiped for each request */
	PEM_MAX = 1 << 20,
	BACKLOG = 1024,
	STREAM_BLOCK = 4096,
	SLOWEST_READER = 16,      /* bytes in a ms */
};

/* A connection, in a list so that slow ones can be ended. */
struct peer {
	struct peer *prev, *next;
	int fd;
	char address[64];
	atomic_llong deadline; /* monotonic ms; 0: none */
};

/* A daemon of the library. A new certificate takes a new one; the one before
 * serves its connections to their end. */
struct server {
	struct server *next;
	struct httpd *h;
	struct MHD_Daemon *daemon;
	char *cert, *key;      /* PEM texts, while the daemon lives */
	int64_t max_connections, per_address;
	atomic_bool old;       /* takes no connections any more, its answers end theirs */
};

struct httpd {
	struct master *m;
	struct server *servers; /* the one that listens first; main thread */
	int fd;                /* the listening socket; each server has a duplicate. -1: closed */
	atomic_int calls;      /* requests on their way */
	pthread_mutex_t lock;
	struct peer *peers;
};

/* A request as it passes. */
struct call {
	struct req r;          /* first: lookup gets its address */
	struct server *server;
	struct peer *peer;
	struct MHD_Connection *connection;
	struct buf body;
	size_t swallowed;
	bool running, sitting;
};

static int status_of(struct req *r)
{
	return r->status ? r->status : 500;
}

/* ---- one request */

static const char *lookup(const struct req *r, enum req_where where, const char *name)
{
	const struct call *c = (const struct call *)r;

	return MHD_lookup_connection_value(c->connection,
					   where == REQ_QUERY ? MHD_GET_ARGUMENT_KIND : MHD_HEADER_KIND, name);
}

static void wake(struct ticket *t)
{
	struct req *r = (struct req *)(void *)((char *)t - offsetof(struct req, ticket));
	struct call *c = (struct call *)r;

	MHD_resume_connection(c->connection);
}

static void set_deadline(struct call *c, int64_t ms)
{
	atomic_store_explicit(&c->peer->deadline, ms ? clock_mono_ms() + ms : 0, memory_order_relaxed);
}

/* All lines of a header, joined by commas; of too long a text the end, which is what proxies wrote. */
struct joined {
	const char *name;
	char text[1024];
	size_t n;
};

static enum MHD_Result join_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct joined *j = cls;
	size_t len = value ? strlen(value) : 0, most = sizeof(j->text) - 2;

	(void)kind;
	if (!str_ieq(name, j->name))
		return MHD_YES;
	if (len > most) {
		value += len - most;
		len = most;
	}
	if (j->n + len > most) {
		size_t drop = j->n + len - most;

		memmove(j->text, j->text + drop, j->n - drop);
		j->n -= drop;
	}
	if (j->n)
		j->text[j->n++] = ',';
	if (len)
		memcpy(j->text + j->n, value, len);
	j->n += len;
	j->text[j->n] = '\0';
	return MHD_YES;
}

/* Who asks: the other end of the connection, or whom our proxy names. */
static void find_client(struct call *c)
{
	static const char *const headers[] = {"X-Forwarded-For", "Forwarded", "X-Real-IP"};
	const struct config *cfg = c->r.m->config;
	struct joined j = {.name = headers[cfg->rfc7239]};

	str_cut(c->r.peer, sizeof(c->r.peer), c->peer->address);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		c->r.forwarded = c->r.forwarded ||
				 MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, headers[i]);
	if (!c->r.forwarded || !cfg->trusted_proxies.n)
		return;
	MHD_get_connection_values(c->connection, MHD_HEADER_KIND, join_header, &j);
	proxy_client(c->r.peer, c->peer->address, &cfg->trusted_proxies, j.text, cfg->rfc7239);
}

/* The client's name for this request, if it is one that a log can take. */
static void take_request_id(struct call *c)
{
	const char *id = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, "X-Request-Id");
	size_t n = 0;

	for (; id && *id && n < sizeof(c->r.request_id) - 1; id++)
		if (isalnum((unsigned char)*id) || strchr("-_.:", *id))
			c->r.request_id[n++] = *id;
}

static struct call *call_new(struct server *s, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct call *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->connection = connection;
	c->peer = info->socket_context;
	c->r.m = s->h->m;
	c->r.lookup = lookup;
	c->r.body = "";
	c->r.ticket.wake = wake;
	find_client(c);
	take_request_id(c);
	buf_init(&c->r.out, REPLY_MAX);
	buf_init(&c->body, BODY_MAX);
	set_deadline(c, 1000 * s->h->m->config->request_s);
	atomic_fetch_add(&s->h->calls, 1);
	return c;
}

static void call_free(struct call *c)
{
	atomic_fetch_sub(&c->server->h->calls, 1);
	once_free(c->r.once);
	if (c->r.state_free)
		c->r.state_free(c->r.state);
	if (c->body.p)
		mem_wipe(c->body.p, c->body.len);
	buf_done(&c->body);
	buf_done(&c->r.out);
	free(c);
}

static void add_headers(struct MHD_Response *response, const struct call *c, int status, size_t len)
{
	const struct req *r = &c->r;
	char number[16];

	if (len || r->stream)
		MHD_add_response_header(response, "Content-Type",
					r->problem ? "application/problem+json" : str_or(r->content_type, "application/json"));
	if (r->stream) /* a proxy must pass on what comes, not collect it */
		MHD_add_response_header(response, "X-Accel-Buffering", "no");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (atomic_load_explicit(&c->server->old, memory_order_relaxed))
		MHD_add_response_header(response, "Connection", "close");
	if (r->request_id[0])
		MHD_add_response_header(response, "X-Request-Id", r->request_id);
	if (r->replayed)
		MHD_add_response_header(response, "Idempotency-Replayed", "true");
	if (r->etag[0])
		MHD_add_response_header(response, "ETag", r->etag);
	if (status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (status == 405)
		MHD_add_response_header(response, "Allow", r->allow);
	if (r->retry_after_s) {
		snprintf(number, sizeof(number), "%u", r->retry_after_s);
		MHD_add_response_header(response, "Retry-After", number);
	}
}

static enum MHD_Result send_reply(struct call *c)
{
	struct req *r = &c->r;
	struct MHD_Response *response;
	enum MHD_Result queued;
	struct err e;
	size_t len;
	int status;

	if (buf_check(&r->out, "the answer", &e))
		reply_err(r, &e);
	status = status_of(r);
	route_ended(r, status);
	len = r->out.len;
	response = MHD_create_response_from_buffer(len, len ? buf_take(&r->out) : NULL,
						   len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	add_headers(response, c, status, len);
	/* who reads more slowly than that only holds our memory */
	set_deadline(c, 1000 * r->m->config->request_s + (int64_t)(len / SLOWEST_READER));
	queued = MHD_queue_response(c->connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return queued;
}

/* The next bytes of a stream; sleep when there are none. */
static ssize_t on_read(void *cls, uint64_t at, char *p, size_t max)
{
	struct call *c = cls;
	struct req *r = &c->r;
	long n;

	(void)at;
	ticket_open(&r->ticket);
	n = r->stream(r, p, max);
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n > 0)
		return n;
	MHD_suspend_connection(c->connection);
	if (!ticket_park(&r->ticket))
		MHD_resume_connection(c->connection);
	return 0;
}

static enum MHD_Result send_stream(struct call *c)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_read, c, NULL);
	enum MHD_Result queued;

	if (!response)
		return MHD_NO;
	route_ended(&c->r, c->r.status);
	add_headers(response, c, c->r.status, 0);
	queued = MHD_queue_response(c->connection, (unsigned)c->r.status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum verdict run_or_wait(struct call *c, const char *method, const char *path)
{
	struct req *r = &c->r;

	if (c->sitting) {
		c->sitting = false;
		writer_await(r->m->writer, &r->ticket);
		return LATER;
	}
	ticket_open(&r->ticket);
	if (c->running)
		return route_go_on(r);
	c->running = true;
	set_deadline(c, 0);
	r->now = clock_ms();
	r->body = c->body.p ? c->body.p : "";
	r->body_len = c->body.len;
	return route_run(r, method, path);
}

/* Run the handler, or what comes after its wait; sleep when it says LATER.
 *
 * To suspend and to resume costs more than all the rest of a short request. So
 * one that waits for the writer, and not long, just leaves without a reply:
 * libmicrohttpd calls again after the other connections that are ready, whose
 * changes go into the same transaction, and then this thread sits the rest out. */
static enum MHD_Result go_on(struct call *c, const char *method, const char *path)
{
	struct req *r = &c->r;
	enum verdict v = run_or_wait(c, method, path);

	while (v == LATER) {
		if (ticket_is_done(&r->ticket)) {
			ticket_open(&r->ticket);
			v = route_go_on(r);
			continue;
		}
		if (r->soon) {
			r->soon = false;
			c->sitting = true;
			return MHD_YES;
		}
		MHD_suspend_connection(c->connection);
		if (!ticket_park(&r->ticket))
			MHD_resume_connection(c->connection);
		return MHD_YES;
	}
	return v == STREAM ? send_stream(c) : send_reply(c);
}

static enum MHD_Result take_body(struct call *c, const char *data, size_t *size)
{
	buf_add(&c->body, data, *size);
	if (c->body.over)
		c->swallowed += *size;
	*size = 0;
	return c->swallowed > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result refuse_size(struct call *c)
{
	reply_problem(&c->r, 413, "a body has at most %d bytes", BODY_MAX);
	return send_reply(c);
}

static bool announces_too_much(struct call *c)
{
	const char *text = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, "Content-Length");
	uint64_t n;

	return text && str_to_u64(&n, text, 0, BODY_MAX);
}

/* check-size: the signature that libmicrohttpd calls */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **state)
{
	struct call *c = *state;

	(void)version;
	if (!c) {
		c = *state = call_new(cls, connection);
		return announces_too_much(c) ? refuse_size(c) : MHD_YES;
	}
	if (*size)
		return take_body(c, data, size);
	if (c->body.over)
		return refuse_size(c);
	return go_on(c, method, url);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct call *c = *state;

	(void)cls;
	(void)connection;
	(void)code;
	if (!c)
		return;
	set_deadline(c, 1000 * c->r.m->config->idle_s);
	call_free(c);
	*state = NULL;
}

/* ---- connections */

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

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *s = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		peer_new(s->h, connection, context);
	else if (*context)
		peer_gone(s->h, *context);
}

static void free_ended(struct httpd *h);

void httpd_tick(struct httpd *h)
{
	long long now = clock_mono_ms();

	pthread_mutex_lock(&h->lock);
	for (struct peer *p = h->peers; p; p = p->next) {
		long long deadline = atomic_load_explicit(&p->deadline, memory_order_relaxed);

		if (deadline && deadline < now)
			shutdown(p->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&h->lock);
	free_ended(h);
}

/* ---- start and end */

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char text[512];

	(void)cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http: %s", text);
}

static int listen_on(const char *where, int *ret, struct err *e)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} a;
	socklen_t len;
	CLEANUP(closep) int fd = -1;
	char host[64];
	uint16_t port;
	int on = 1, off = 0;

	if (config_listen(where, host, sizeof(host), &port, e))
		return -1;
	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, host, &a.four.sin_addr) == 1) {
		a.four.sin_family = AF_INET;
		a.four.sin_port = htons(port);
		len = sizeof(a.four);
	} else {
		inet_pton(AF_INET6, host, &a.six.sin6_addr);
		a.six.sin6_family = AF_INET6;
		a.six.sin6_port = htons(port);
		len = sizeof(a.six);
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, "listen on %s", where);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (a.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &a.sa, len) || listen(fd, BACKLOG))
		return err_sys(e, ERR_IO, "listen on %s%s", where,
			       errno == EACCES ? " (a port this low needs CAP_NET_BIND_SERVICE)" : "");
	*ret = fd;
	fd = -1;
	return 0;
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
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, s,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_THREAD_POOL_SIZE, cores(),
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->max_connections,
				     MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)c->per_address,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)c->idle_s,
				     MHD_OPTION_STRICT_FOR_CLIENT, 1,
				     MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
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
	if (listen_on(m->config->listen, &h->fd, e) || server_new(h, m->config, e)) {
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

void httpd_quiesce(struct httpd *h)
{
	if (!atomic_load(&h->servers->old))
		retire(h->servers);
	closep(&h->fd);
	h->fd = -1;
}

bool httpd_drain(struct httpd *h, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (atomic_load(&h->calls) && clock_mono_ms() < until)
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
