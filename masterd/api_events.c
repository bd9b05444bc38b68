/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_events.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/master.h"
#include "masterd/svc_feed.h"
#include "shared/mem.h"
#include "shared/str.h"

/* The next of a list apart by commas; NULL at its end. */
static char *next_word(char **at)
{
	char *word = *at, *comma;

	if (!word)
		return NULL;
	comma = strchr(word, ',');
	*at = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	return word;
}

static bool read_topics(struct req *r, struct feed_want *w)
{
	CLEANUP(freep) char *copy = xstrdup(req_query(r, "topics"));
	char *at = copy;
	enum topic t;

	for (const char *word = next_word(&at); word; word = next_word(&at)) {
		if (topic_from(&t, word))
			return api_bad_query(r, "topics", "must be of node, sample, run, alert, join, apart by commas");
		w->topics |= 1u << t;
	}
	if (copy && w->topics >> TOPIC_SAMPLE & 1 && !w->n_nodes)
		return api_bad_query(r, "nodes", "missing: samples are told of named machines only, such as ?nodes=1,7");
	if (!copy)
		w->topics = (1u << TOPICS) - 1;
	if (!w->n_nodes)
		w->topics &= ~(1u << TOPIC_SAMPLE);
	return true;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool read_nodes(struct req *r, struct feed_want *w)
{
	CLEANUP(freep) char *copy = xstrdup(req_query(r, "nodes"));
	char *at = copy;

	for (const char *word = next_word(&at); word; word = next_word(&at)) {
		if (w->n_nodes == FEED_NODES_MAX)
			return api_bad_query(r, "nodes", "names more than 200 machines");
		if (str_to_i64(&w->nodes[w->n_nodes++], word, 1, INT64_MAX))
			return api_bad_query(r, "nodes", "must be numbers of machines, apart by commas");
	}
	if (w->n_nodes)
		qsort(w->nodes, w->n_nodes, sizeof(*w->nodes), by_number);
	return true;
}

static bool accepts(struct req *r)
{
	const char *accept = req_header(r, "Accept");

	if (!accept || strstr(accept, "text/event-stream") || strstr(accept, "text/*") || strstr(accept, "*/*"))
		return true;
	reply_problem(r, 406, "events come as text/event-stream only, which Accept does not allow");
	return false;
}

static long read_stream(struct req *r, char *p, size_t max)
{
	return feed_read(r->state, p, max);
}

static void leave(void *state)
{
	feed_leave(state);
}

static enum verdict open_stream(struct req *r, const struct feed_want *w)
{
	const char *last = req_header(r, "Last-Event-ID");
	struct feed_at from, at;
	struct listener *l;
	struct err e;

	if (feed_join(r->m->feed, &l, w, &r->ticket, &at, &e))
		return reply_busy(r, 503, 10, "%s", e.msg);
	r->state = l;
	r->state_free = leave;
	if (!str_empty(last) && !feed_at_from(&from, last, r->m->instance))
		feed_tell(l, TOPIC_NODE, NULL);
	else if (!str_empty(last) && feed_catch_up(r->m, l, w, &from, &e))
		return reply_err(r, &e);
	r->status = 200;
	r->content_type = "text/event-stream";
	r->stream = read_stream;
	return STREAM;
}

enum verdict api_events(struct req *r)
{
	const char *header = req_header(r, "Authorization");
	int64_t nodes[FEED_NODES_MAX];
	struct feed_want w = {.scope = r->who.scope, .nodes = nodes, .token = strchr(header, ' ') + 1, .peer = r->peer};

	if (!accepts(r) || !read_nodes(r, &w) || !read_topics(r, &w))
		return REPLY;
	return open_stream(r, &w);
}
