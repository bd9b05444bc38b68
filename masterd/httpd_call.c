/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd_in.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/proxy.h"
#include "masterd/route.h"
#include "masterd/svc_once.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SWALLOW_MAX = 1 << 20 /* a body without length is read so far before it is refused */ };

/* ---- who asks */

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

/* ---- the life of a request */

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
	peer_deadline(c->peer, 1000 * s->h->m->config->request_s);
	atomic_store(&c->peer->idle, false);
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
	peer_deadline(c->peer, 0);
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
	return v == STREAM ? call_stream(c) : call_reply(c);
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
	return call_reply(c);
}

static bool announces_too_much(struct call *c)
{
	const char *text = MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, "Content-Length");
	uint64_t n;

	return text && str_to_u64(&n, text, 0, BODY_MAX);
}

/* check-size: the signature that libmicrohttpd calls */
enum MHD_Result call_take(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
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

void call_ended(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct call *c = *state;

	(void)cls;
	(void)connection;
	(void)code;
	if (!c)
		return;
	peer_deadline(c->peer, 1000 * c->r.m->config->idle_s);
	atomic_store(&c->peer->idle, true);
	call_free(c);
	*state = NULL;
}
