/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_nodes.h"

#include <stdio.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/master.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { ALL = 1000000 };

/* Nothing has changed, nor has what part of it the client may see. */
static bool unchanged(struct req *r)
{
	const char *tags = r->who.scope.tags;
	uint8_t digest[SHA256_LEN];
	char tag[32], hex[SHA256_HEX] = "";

	if (!scope_is_all(&r->who.scope)) {
		sha256(digest, tags, strlen(tags));
		hex_encode(hex, digest, sizeof(digest));
		hex[12] = '\0';
	}
	snprintf(tag, sizeof(tag), "%llx%s", (unsigned long long)live_version(r->m->live), hex);
	return reply_unchanged(r, tag);
}

static bool read_filter(struct req *r, struct live_filter *f)
{
	const char *state = req_query(r, "state"), *health = req_query(r, "health");

	f->by_state = state != NULL;
	f->by_health = health != NULL;
	if (state && node_state_from(&f->state, state))
		return api_bad_query(r, "state", "must be pending, active or blocked");
	if (health && health_from(&f->health, health))
		return api_bad_query(r, "health", "must be failed, warn, offline, running, paused, waiting or ok");
	f->tag = req_query(r, "tag");
	f->q = req_query(r, "q");
	return api_page(r, &f->after, &f->limit);
}

/* Without ?after= and ?limit= a plain array of all, as older clients expect. */
enum verdict api_nodes(struct req *r)
{
	bool paged = req_query(r, "after") != NULL;
	struct live_filter f = {.scope = &r->who.scope, .limit = paged || req_query(r, "limit") ? PAGE_DEFAULT : ALL};
	struct json_out *o;
	int64_t next;

	if (!read_filter(r, &f) || unchanged(r))
		return REPLY;
	o = paged ? api_items(r) : reply_json(r, 200);
	if (!paged)
		json_arr(o, NULL);
	live_list(r->m->live, &f, o, &next);
	if (paged)
		api_items_end(o, next);
	else
		json_end_arr(o);
	return REPLY;
}

enum verdict api_node(struct req *r)
{
	int64_t id;
	struct err e;

	if (!api_node_id(r, &id) || unchanged(r))
		return REPLY;
	return live_node(r->m->live, id, reply_json(r, 200), &e) ? reply_err(r, &e) : REPLY;
}

static enum verdict put_page(struct req *r, void (*put)(struct live *l, const struct live_filter *f, struct json_out *o,
					     int64_t *next))
{
	struct live_filter f = {.scope = &r->who.scope, .limit = PAGE_DEFAULT};
	struct json_out *o;
	int64_t next;

	if (!api_page(r, &f.after, &f.limit) || unchanged(r))
		return REPLY;
	o = api_items(r);
	put(r->m->live, &f, o, &next);
	api_items_end(o, next);
	return REPLY;
}

enum verdict api_timers(struct req *r)
{
	return put_page(r, live_timers);
}

enum verdict api_storages(struct req *r)
{
	return put_page(r, live_storages);
}
