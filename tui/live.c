/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	FRAME_MAX = 32 << 20,  /* of a very large fleet in which all changes */
	SILENT_MS = 40000,     /* the master sends a comment every 15 s */
	OPEN_MS = 15000,
	BACKOFF_MAX_S = 30,
	ABSENT_MS = 300000,    /* a master without this route: it may be replaced by a newer one */
	SETTLED_MS = 10000,    /* a stream that lived so long is no failed try */
};

static void push(struct live *l, struct live_event ev)
{
	*list_push(&l->queue) = ev;
}

static void take_event(void *ctx, const struct sse_event *ev)
{
	struct live *l = ctx;
	struct live_event out = {.kind = LIVE_RESET};
	struct err e;

	if (str_eq(ev->type, "node") || str_eq(ev->type, "join")) {
		out.kind = LIVE_CHANGE;
		l->garbled |= change_from(&out.change, ev->data, ev->len, &e) != 0;
	} else if (str_eq(ev->type, "run") || str_eq(ev->type, "sample")) {
		out.kind = ev->type[0] == 'r' ? LIVE_RUNS : LIVE_SAMPLE;
		l->garbled |= json_parse(&out.json, ev->data, ev->len, &e) != 0;
	} else if (str_eq(ev->type, "alert")) {
		out.kind = LIVE_ALERTS;
	} else if (!str_eq(ev->type, "reset")) {
		return; /* of a newer master */
	}
	if (l->garbled)
		out = (struct live_event){.kind = LIVE_RESET};
	l->garbled = false;
	push(l, out);
}

static int take_data(void *ctx, const void *p, size_t n)
{
	struct live *l = ctx;

	l->state = LIVE_ON;
	l->heard = clock_mono_ms();
	l->denied = false;
	return sse_feed(&l->sse, p, n);
}

void live_init(struct live *l)
{
	*l = (struct live){0};
	sse_init(&l->sse, FRAME_MAX, take_event, l);
}

void live_event_done(struct live_event *ev)
{
	change_free(ev->change);
	json_free(ev->json);
	*ev = (struct live_event){0};
}

static void drop_queue(struct live *l)
{
	for (; l->first < l->queue.n; l->first++)
		live_event_done(&l->queue.v[l->first]);
	l->queue.n = l->first = 0;
}

void live_done(struct live *l)
{
	drop_queue(l);
	list_done(&l->queue);
	sse_done(&l->sse);
}

/* 1, 2, 4 ... 30 s, +- 20 %. */
static int64_t backoff_ms(unsigned tries)
{
	unsigned s = tries < 5 ? 1U << tries : BACKOFF_MAX_S, r;

	random_bytes(&r, sizeof(r));
	return s * 800 + r % (s * 400 + 1);
}

void live_open(struct live *l, struct client *c, uint64_t node)
{
	char path[128];
	struct client_stream_call call = {.path = path, .accept = "text/event-stream", .last_event_id = l->sse.last_id,
					  .on_data = take_data, .ctx = l};
	struct err e;

	if (node)
		snprintf(path, sizeof(path), "/events?topics=node,run,alert,join,sample&nodes=%" PRIu64, node);
	else
		snprintf(path, sizeof(path), "/events?topics=node,run,alert,join");
	sse_restart(&l->sse);
	l->node = node;
	l->heard = l->opened = clock_mono_ms();
	l->state = LIVE_OPENING;
	if (client_stream_open(c, &call, &e)) {
		l->state = LIVE_OFF;
		l->retry_at = l->heard + backoff_ms(l->tries++);
	}
}

void live_close(struct live *l, struct client *c)
{
	if (c)
		client_stream_close(c);
	l->state = LIVE_OFF;
}

void live_forget(struct live *l, struct client *c)
{
	live_close(l, c);
	drop_queue(l);
	l->sse.last_id[0] = '\0';
	sse_restart(&l->sse);
	l->synced = l->denied = false;
	l->tries = 0;
	l->retry_at = 0;
}

/* Not open any more: when to try again. One that went well for a while is
 * opened anew at once: the master ends it with the token. */
static void off(struct live *l, int64_t wait)
{
	int64_t now = clock_mono_ms();

	if (l->state == LIVE_ON && now - l->opened >= SETTLED_MS)
		l->tries = 0;
	else if (wait < 0)
		wait = backoff_ms(l->tries++);
	l->retry_at = now + (wait < 0 ? 0 : wait);
	l->state = LIVE_OFF;
}

static void ended(struct live *l, struct client *c)
{
	struct client_reply r;
	struct err e;
	bool failed = client_stream_end(c, &r, &e) != 0, refused = failed && r.status == 401;

	if (refused && !l->denied)
		off(l, 0); /* the owner renews the token first */
	else if (r.status == 404 || r.status == 405 || r.status == 406 || r.status == 501)
		off(l, ABSENT_MS);
	else
		off(l, r.retry_after_s ? r.retry_after_s * 1000 : -1);
	l->denied = refused;
	client_reply_done(&r);
}

bool live_wait(struct live *l, struct client *c, int timeout_ms, int fd)
{
	int64_t left = l->heard + (l->state == LIVE_OPENING ? OPEN_MS : SILENT_MS) - clock_mono_ms();
	struct err e;
	int rc;

	if (left <= 0) {
		client_stream_close(c);
		off(l, -1);
		return false;
	}
	rc = client_stream_wait(c, left < timeout_ms ? (int)left : timeout_ms, fd, &e);
	if (rc == 0)
		return true;
	if (rc < 0) {
		client_stream_close(c);
		off(l, -1);
	} else {
		ended(l, c);
	}
	return false;
}

bool live_next(struct live *l, struct live_event *ret)
{
	if (l->first == l->queue.n) {
		l->queue.n = l->first = 0;
		return false;
	}
	*ret = l->queue.v[l->first];
	l->queue.v[l->first++] = (struct live_event){0};
	return true;
}
