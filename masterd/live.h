/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LIVE_H
#define FELLOE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/health.h"
#include "masterd/live_change.h"
#include "masterd/scope.h"
#include "masterd/tbl_join.h"
#include "masterd/tbl_node.h"
#include "masterd/tbl_run.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/wire.h"

/* The latest state of every node in memory, filled from the database at the
 * start and by what was committed since. Health is judged here, once, for
 * everybody who shows it. Any thread. */
struct live;

int live_new(struct live **ret, struct db_pool *pool, int64_t heartbeat_s, struct err *e) MUSTCHECK;
void live_free(struct live *l);

/* ---- what was committed */

/* Replace what is known of the node (a deleted one goes); j is its join-request, NULL when decided. */
void live_put_node(struct live *l, const struct node *n, const struct join *j);
void live_drop_node(struct live *l, int64_t id);
/* What waits for the node: a JSON array for the answers to its reports. */
void live_put_requests(struct live *l, int64_t id, const char *orders);
/* A node's sample; takes s when it is the newest or its clock is off (and leaves it empty). */
void live_sample(struct live *l, int64_t id, struct wire_sample *s, bool skewed, int64_t now);
/* The same of a sample of which only the numbers are known; the rest stays as it was reported last. */
void live_numbers(struct live *l, int64_t id, struct wire_sample *s, bool skewed, int64_t now);
/* r as tbl_run_put or run_row_get gave it, with what the master says of it. */
void live_run(struct live *l, int64_t id, const struct wire_run *r);
/* A run of the site turned out to be no good one, or was pruned: which was the last good one, and the last proven one, is not known
 * until live_run tells (tbl_run_standing). */
void live_doubt(struct live *l, int64_t id, const char *site);
/* The same of all sites of all nodes, and which of their runs are damaged (tbl_run_latest). */
void live_doubt_all(struct live *l);
/* What the open alerts tell that cannot be seen from the nodes' reports; by node. */
void live_told(struct live *l, const struct alerts *open, int64_t now);

/* ---- questions */

/* The node with this key: ERR_DENIED unknown, ERR_FORBIDDEN blocked (with the
 * reason). *first_use: the key was never used before this process knew (svc_node.h, node_key_used). */
int live_key(struct live *l, const char *key, int64_t *id, bool *first_use, struct err *e) MUSTCHECK;
/* Which machine reports with the node's key (from->instance "": it did not
 * say), and whether that is news: another than at the last report, or proof that
 * two do, to be stored (svc_node.h). ERR_CONFLICT: two do, and this is not the
 * one that is believed. */
enum origin_news { ORIGIN_SAME, ORIGIN_OTHER, ORIGIN_TWINS };
int live_origin(struct live *l, int64_t id, const struct live_origin *from, enum origin_news *ret,
		struct err *e) MUSTCHECK;
/* It reported to another master: as if to us, but proof is only what we hear ourselves. */
void live_origin_told(struct live *l, int64_t id, const struct live_origin *from);
/* Do two machines use the key of the node? */
bool live_clone(struct live *l, int64_t id, struct node_clone *ret);
/* Append the answer to a sample: {"status":"recorded","node":NAME,"requests":[]}. */
void live_answer(struct live *l, int64_t id, struct buf *out);
/* Is the whole report of the node due to be stored (at most once a minute)? Marks it. */
bool live_report_due(struct live *l, int64_t id, int64_t now);
/* Name of a node, "" when there is none. */
void live_name(struct live *l, int64_t id, char name[static WIRE_HOST]);
/* Numbers of all nodes from *cursor on, at most max, for jobs that go round. */
size_t live_ids(struct live *l, int64_t *cursor, int64_t *ids, size_t max);

/* Look at all nodes, by number; a node cannot change while it is looked at. Be
 * quick: everybody waits, though for a few hundred nodes at a time only. */
void live_each(struct live *l, void (*each)(void *ctx, const struct live_node *n), void *ctx);

/* Raised by everything that changes an answer below, also by time passing (live_tick). */
uint64_t live_version(struct live *l);
/* Once a second: judge again what depends on the time. */
void live_tick(struct live *l, int64_t now);

struct live_filter {
	bool by_state, by_health;
	enum node_state state;
	enum health health;
	const char *tag, *q;   /* NULL any */
	const struct scope *scope; /* of who asks */
	int64_t after;         /* numbers above */
	int64_t limit;
};
/* Write the matching nodes into an open JSON array; *next is the number to go
 * on after, 0 at the end. */
void live_list(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next);
/* Does this part of the fleet hold the node? False too when there is none. */
bool live_sees(struct live *l, int64_t id, const struct scope *scope);
/* One node, whole, as the root value. ERR_NOTFOUND. */
int live_node(struct live *l, int64_t id, struct json_out *o, struct err *e) MUSTCHECK;
/* Likewise their storages. */
void live_storages(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next);
/* The timers of the nodes in f->scope after f->after, at most about f->limit, into an open JSON array. */
void live_timers(struct live *l, const struct live_filter *f, struct json_out *o, int64_t *next);

/* ---- what is new (feed.h) */

/* Fills q->now; see changes_put. */
int live_changes(struct live *l, struct change_query *q, struct json_out *o);
/* Those of ids[0..n) in scope that sent a sample after the version, into an open array: how many. */
size_t live_samples(struct live *l, const struct change_query *q, const int64_t *ids, size_t n, struct json_out *o);
/* The line of a node into an open array. False: there is none, or it is not for this scope. */
bool live_line(struct live *l, int64_t id, const struct scope *scope, struct json_out *o);

#endif
