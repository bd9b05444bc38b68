/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/httpd_in.h"

#include <stdio.h>

#include "masterd/route.h"
#include "shared/err.h"
#include "shared/str.h"

enum { STREAM_BLOCK = 4096, SLOWEST_READER = 16 /* bytes in a ms */ };

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

enum MHD_Result call_reply(struct call *c)
{
	struct req *r = &c->r;
	struct MHD_Response *response;
	enum MHD_Result queued;
	struct err e;
	size_t len;
	int status;

	if (buf_check(&r->out, "the answer", &e))
		reply_err(r, &e);
	status = r->status ? r->status : 500;
	route_ended(r, status);
	len = r->out.len;
	response = MHD_create_response_from_buffer(len, len ? buf_take(&r->out) : NULL,
						   len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	add_headers(response, c, status, len);
	/* who reads more slowly than that only holds our memory */
	peer_deadline(c->peer, 1000 * r->m->config->request_s + (int64_t)(len / SLOWEST_READER));
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

enum MHD_Result call_stream(struct call *c)
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
