/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
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
#include <time.h>
#include <unistd.h>

#include "masterd/req.h"
#include "masterd/route.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	HEADERS_MS = 10000,       /* a first request must have its headers by then */
	REQUEST_MS = 60000,       /* and its body */
	IDLE_MS = 120000,         /* kept alive without a whole request */
	SWALLOW_MAX = 1 << 20,    /* a body without length is read so far before it is refused */
	CONNECTION_MEMORY = 8 * 1024, /* headers and buffers; wiped for each request */
	PEM_MAX = 1 << 20,
	BACKLOG = 1024,
	STREAM_BLOCK = 4096,
	DRAIN_MS = 2000,          /* the end of a stream may take so long to be sent */
};

/* A connection, in a list so that slow ones can be ended. */
struct peer {
	struct peer *prev, *next;
	int fd;
	char address[64];
	atomic_llong deadline; /* monotonic ms; 0: none */
};

struct httpd {
	struct master *m;
	struct MHD_Daemon *daemon;
	char *cert, *key;      /* PEM texts, while the daemon lives */
	pthread_mutex_t lock;
	struct peer *peers;
	int quiet_fd;          /* the listening socket after httpd_quiesce, -1 */
};

/* A request as it passes. */
struct call {
	struct req r;          /* first: lookup gets its address */
	struct httpd *h;
	struct peer *peer;
	struct MHD_Connection *connection;
	struct buf body;
	size_t swallowed;
	bool running;
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

static struct call *call_new(struct httpd *h, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct call *c = xcalloc(1, sizeof(*c));

	c->h = h;
	c->connection = connection;
	c->peer = info->socket_context;
	c->r.m = h->m;
	c->r.lookup = lookup;
	c->r.body = "";
	c->r.ticket.wake = wake;
	memcpy(c->r.peer, c->peer->address, sizeof(c->r.peer));
	buf_init(&c->r.out, REPLY_MAX);
	buf_init(&c->body, BODY_MAX);
	set_deadline(c, REQUEST_MS);
	return c;
}

static void call_free(struct call *c)
{
	if (c->r.state_free)
		c->r.state_free(c->r.state);
	if (c->body.p)
		mem_wipe(c->body.p, c->body.len);
	buf_done(&c->body);
	buf_done(&c->r.out);
	free(c);
}

static void add_headers(struct MHD_Response *response, const struct req *r, int status, size_t len)
{
	char number[16];

	if (len || r->stream)
		MHD_add_response_header(response, "Content-Type",
					r->problem ? "application/problem+json" : str_or(r->content_type, "application/json"));
	if (r->stream) /* a proxy must pass on what comes, not collect it */
		MHD_add_response_header(response, "X-Accel-Buffering", "no");
	MHD_add_response_header(response, "Cache-Control", "no-store");
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
	len = r->out.len;
	response = MHD_create_response_from_buffer(len, len ? buf_take(&r->out) : NULL,
						   len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	add_headers(response, r, status, len);
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
	add_headers(response, &c->r, c->r.status, 0);
	queued = MHD_queue_response(c->connection, (unsigned)c->r.status, response);
	MHD_destroy_response(response);
	return queued;
}

/* Run the handler, or what comes after its wait; sleep when it says LATER. */
static enum MHD_Result go_on(struct call *c, const char *method, const char *path)
{
	struct req *r = &c->r;
	enum verdict v;

	ticket_open(&r->ticket);
	if (c->running) {
		v = r->then(r);
	} else {
		c->running = true;
		set_deadline(c, 0);
		r->now = clock_ms();
		r->body = c->body.p ? c->body.p : "";
		r->body_len = c->body.len;
		v = route_run(r, method, path);
	}
	while (v == LATER) {
		if (ticket_is_done(&r->ticket)) {
			ticket_open(&r->ticket);
			v = r->then(r);
			continue;
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
	set_deadline(c, IDLE_MS);
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
	atomic_store(&p->deadline, clock_mono_ms() + HEADERS_MS);
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
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		peer_new(cls, connection, context);
	else if (*context)
		peer_gone(cls, *context);
}

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
		return err_sys(e, ERR_IO, "listen on %s", where);
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

	return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}

static int start(struct httpd *h, int fd, struct err *e)
{
	const struct config *c = h->m->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, h->cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, h->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t) "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1"},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};

	if (h->cert)
		flags |= MHD_USE_TLS;
	h->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, h,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_THREAD_POOL_SIZE, cores(),
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->max_connections,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(IDLE_MS / 1000),
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				     MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
				     MHD_OPTION_ARRAY, h->cert ? tls : plain,
				     MHD_OPTION_END);
	if (!h->daemon)
		return err_set(e, h->cert ? ERR_CONFIG : ERR_INTERNAL, "cannot start the HTTP server%s%s",
			       h->cert ? ": is this a certificate with its key? " : "", h->cert ? c->tls_cert : "");
	return 0;
}

int httpd_new(struct httpd **ret, struct master *m, struct err *e)
{
	struct httpd *h = xcalloc(1, sizeof(*h));
	CLEANUP(closep) int fd = -1;

	pthread_mutex_init(&h->lock, NULL);
	h->m = m;
	h->quiet_fd = -1;
	if ((m->config->tls_cert && (read_pem(&h->cert, m->config->tls_cert, e) ||
				     read_pem(&h->key, m->config->tls_key, e))) ||
	    listen_on(m->config->listen, &fd, e) || start(h, fd, e)) {
		httpd_free(h);
		return -1;
	}
	fd = -1; /* the daemon's now */
	*ret = h;
	return 0;
}

void httpd_quiesce(struct httpd *h)
{
	h->quiet_fd = (int)MHD_quiesce_daemon(h->daemon);
}

void httpd_drain(struct httpd *h)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	int64_t until = clock_mono_ms() + DRAIN_MS;

	while (feed_listeners(h->m->feed) && clock_mono_ms() < until)
		nanosleep(&moment, NULL);
}

void httpd_free(struct httpd *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	closep(&h->quiet_fd);
	if (h->key)
		mem_wipe(h->key, strlen(h->key));
	free(h->key);
	free(h->cert);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
