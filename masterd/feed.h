/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FEED_H
#define FELLOE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/scope.h"
#include "masterd/ticket.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"

/* Server-sent events (WHATWG HTML, 9.2): who listens to what, and what waits
 * for whom. A frame is encoded once for all who want the same; each listener
 * holds a reference until it has read it. Knows neither HTTP nor where the
 * news come from. Any thread. */
struct feed;
struct listener;

enum topic { TOPIC_NODE, TOPIC_SAMPLE, TOPIC_RUN, TOPIC_ALERT, TOPIC_JOIN, TOPICS };
int topic_from(enum topic *ret, const char *name) MUSTCHECK;

enum { FEED_BEHIND_MAX = 1 << 20, FEED_ALIVE_MS = 15000, FEED_ID = 64, FEED_NEWS_MAX = 2000, FEED_NODES_MAX = 200 };

/* A place in the stream: the last event of the journal and the version of live
 * that a client has seen, both of one life of one master. As text it is the id
 * of a frame: EVENT-INSTANCE8-VERSION. */
struct feed_at {
	int64_t event;
	uint64_t version;
};
/* False: not of this instance, or no id at all. */
bool feed_at_from(struct feed_at *ret, const char *id, const char *instance);

enum feed_say { SAY_NOTHING, SAY_DATA, SAY_RESET };

/* Who gets the same frames of a topic. */
struct channel {
	struct channel *next;
	enum topic topic;
	struct scope scope;
	int64_t *nodes;           /* of TOPIC_SAMPLE, rising; NULL */
	size_t n_nodes;
	uint64_t version;         /* of live, up to which it was told */
	size_t listeners;
	/* of the present tick */
	struct buf data;
	enum feed_say said;
	struct frame *frame;
};

struct feed_want {
	unsigned topics;          /* 1 << enum topic */
	struct scope scope;
	int64_t *nodes;           /* rising, at most FEED_NODES_MAX; copied */
	size_t n_nodes;
	const char *token;        /* that must stay good; copied, wiped at the end */
	const char *peer;         /* who listens; copied, cut */
};

/* instance is lent. */
struct feed *feed_new(const char *instance, size_t max_listeners, const struct feed_at *at);
/* All listeners have left. */
void feed_free(struct feed *f);
/* From now on everybody reads the end, newcomers too. */
void feed_end(struct feed *f);
size_t feed_listeners(struct feed *f);
/* Does anybody listen to this topic? */
bool feed_wanted(struct feed *f, enum topic t);

/* ---- one who listens */

/* t: is done whenever there is something to read after nothing was; may be NULL.
 * *at: from where on frames will come. ERR_BUSY: too many. */
int feed_join(struct feed *f, struct listener **ret, const struct feed_want *w, struct ticket *t, struct feed_at *at,
	      struct err *e) MUSTCHECK;
void feed_leave(struct listener *l);
/* Up to max bytes: how many, 0 none now, -1 the end. */
long feed_read(struct listener *l, char *p, size_t max);
/* A frame for one alone; data NULL: reset. */
void feed_tell(struct listener *l, enum topic t, const char *data);
/* After them: how far that was. */
void feed_tell_at(struct listener *l, const struct feed_at *at);

/* ---- the news */

/* Something that a topic tells at the next tick; the newest of a key counts. */
struct news {
	enum topic topic;
	int64_t node_id;          /* whose; 0 of nobody */
	char key[64];
	char *text;               /* its item as JSON; NULL: the line of the node */
};
struct news_list {
	LIST_OF(struct news);
	bool lost[TOPICS];        /* too much came */
};
void news_list_done(struct news_list *n);
/* text is taken. */
void news_add(struct news_list *n, enum topic t, int64_t node_id, const char *key, char *text);
/* The same for the next tick of f. */
void feed_add(struct feed *f, enum topic t, int64_t node_id, const char *key, char *text);
/* The journal was read up to here. */
void feed_read_to(struct feed *f, int64_t event);
int64_t feed_event(struct feed *f);
/* News of the journal are missing: who listens to them reads anew. */
void feed_lost(struct feed *f);

struct feed_tick {
	void *ctx;
	uint64_t version;         /* live's now */
	int64_t mono;             /* monotonic ms */
	/* Write the object of c's next frame, with all after c->version, into c->data
	 * and move c->version, to t->version unless some is left for the next tick. */
	enum feed_say (*encode)(void *ctx, struct channel *c, const struct news_list *news);
	/* Does the token of the one at peer still give these rights? */
	bool (*good)(void *ctx, const char *token, const struct scope *scope, const char *peer);
};
/* Once a second: encode what is new, hand it out, end who may not listen any more. */
void feed_run(struct feed *f, const struct feed_tick *t);

#endif
