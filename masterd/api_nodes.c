/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_nodes.h"

#include <stdio.h>
#include <string.h>

#include "masterd/master.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, ALL = 1000000 };

static bool unchanged(struct req *r)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "%llx", (unsigned long long)live_version(r->m->live));
	return reply_unchanged(r, tag);
}

static bool bad(struct req *r, const char *name, const char *what)
{
	CLEANUP(problems_done) struct problems p = {0};

	problems_add(&p, name, "%s", what);
	reply_problems(r, &p);
	return false;
}

/* ?after= is a number that an answer gave as next; empty: the first page. */
static bool read_page(struct req *r, int64_t *after, int64_t *limit)
{
	const char *text = req_query(r, "after");

	if (!str_empty(text) && str_to_i64(after, text, 0, INT64_MAX))
		return bad(r, "after", "is not what an answer gave as next");
	return req_query_int(r, "limit", 1, LIMIT_MAX, limit);
}

static bool read_filter(struct req *r, struct live_filter *f)
{
	const char *state = req_query(r, "state"), *health = req_query(r, "health");

	f->by_state = state != NULL;
	f->by_health = health != NULL;
	if (state && node_state_from(&f->state, state))
		return bad(r, "state", "must be pending, active or blocked");
	if (health && health_from(&f->health, health))
		return bad(r, "health", "must be failed, warn, offline, running, paused, waiting or ok");
	f->tag = req_query(r, "tag");
	f->q = req_query(r, "q");
	return read_page(r, &f->after, &f->limit);
}

static void put_next(struct json_out *o, int64_t next)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)next);
	json_put_str(o, "next", next ? text : NULL);
}

/* Without ?after= and ?limit= a plain array of all, as older clients expect. */
enum verdict api_nodes(struct req *r)
{
	bool paged = req_query(r, "after") != NULL;
	struct live_filter f = {.limit = paged || req_query(r, "limit") ? LIMIT_DEFAULT : ALL};
	struct json_out *o;
	int64_t next;

	if (!read_filter(r, &f) || unchanged(r))
		return REPLY;
	o = reply_json(r, 200);
	if (paged) {
		json_obj(o, NULL);
		json_arr(o, "items");
	} else {
		json_arr(o, NULL);
	}
	live_list(r->m->live, &f, o, &next);
	json_end_arr(o);
	if (paged) {
		put_next(o, next);
		json_end_obj(o);
	}
	return REPLY;
}

enum verdict api_node(struct req *r)
{
	int64_t id;
	struct err e;

	if (!req_id(r, &id) || unchanged(r))
		return REPLY;
	return live_node(r->m->live, id, reply_json(r, 200), &e) ? reply_err(r, &e) : REPLY;
}

enum verdict api_timers(struct req *r)
{
	int64_t after = 0, limit = LIMIT_DEFAULT, next;
	struct json_out *o;

	if (!read_page(r, &after, &limit) || unchanged(r))
		return REPLY;
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_arr(o, "items");
	live_timers(r->m->live, o, after, limit, &next);
	json_end_arr(o);
	put_next(o, next);
	json_end_obj(o);
	return REPLY;
}
