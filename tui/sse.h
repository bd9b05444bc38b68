/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_SSE_H
#define FELLOE_TUI_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"

/* Server-sent events out of bytes as they come from the network (WHATWG HTML,
 * section 9.2, "Server-sent events"): any of CRLF, LF and CR ends a line, wherever
 * the pieces are cut; comments and fields of other names are passed over; what
 * stands behind the last empty line when the stream ends never happened. */

enum { SSE_ID = 128 };
struct sse_event {
	const char *type;    /* "message" when the stream named none; lent */
	const char *data;    /* lines joined by LF; lent */
	size_t len;
	const char *id;      /* the newest id of the stream, "" none; lent */
};

struct sse {
	void (*on_event)(void *ctx, const struct sse_event *ev);
	void *ctx;
	struct buf line;     /* begun, not ended */
	struct buf data;
	char type[64];
	char id[SSE_ID];     /* of the event that is being read */
	char last_id[SSE_ID]; /* of the newest event that was given: what Last-Event-ID says */
	int64_t retry_ms;    /* as the server wishes; -1: it said nothing */
	bool begun;          /* past a byte order mark */
	bool after_cr;       /* a LF now belongs to the CR before */
};

/* max bytes of data of one event. */
void sse_init(struct sse *s, size_t max, void (*on_event)(void *ctx, const struct sse_event *ev), void *ctx);
void sse_done(struct sse *s);
/* A new connection: what was half read is dropped; last_id stays, and retry_ms. */
void sse_restart(struct sse *s);
/* The next n bytes; on_event is called for each event that ends in them. -1: an
 * event or line is larger than max: the stream is of no use any more. */
int sse_feed(struct sse *s, const char *p, size_t n) MUSTCHECK;

#endif
