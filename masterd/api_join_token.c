/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_join_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/svc_enrol.h"
#include "masterd/tbl_join_token.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

/* Its beginning says what it is: to people, and to programs that look for secrets in files. */
static const char prefix[] = "flj_";

enum { TTL_S = 24 * 3600, TTL_MIN_S = 60, TTL_MAX_S = 30 * 24 * 3600, USES_MAX = 100000, SHOWN = 8 + JOIN_KEY };

static void put_token(struct json_out *o, const struct join_token *t, int64_t now, const char *shown)
{
	json_obj(o, NULL);
	json_put_int(o, "id", t->id);
	json_put_str(o, "name", t->name);
	json_put_time(o, "created", t->created);
	json_put_str(o, "created_by", t->created_by);
	json_put_time(o, "expires", t->expires);
	json_put_int(o, "uses", t->uses);
	json_put_int(o, "used", t->used);
	json_put_time(o, "last_used", t->last_used);
	json_put_raw(o, "tags", t->tags ? t->tags : "[]");
	json_put_bool(o, "pre_approved", t->pre_approved);
	json_put_str(o, "state", t->expires <= now ? "expired" : t->used >= t->uses ? "used up" : "open");
	if (shown)
		json_put_str(o, "token", shown);
	json_end_obj(o);
}

struct page {
	struct json_out *o;
	int64_t now, limit, last, next;
};

static int put_one(void *ctx, const struct join_token *t)
{
	struct page *p = ctx;

	if (!p->limit--) {
		p->next = p->last;
		return 1;
	}
	put_token(p->o, t, p->now, NULL);
	p->last = t->id;
	return 0;
}

enum verdict api_join_tokens(struct req *r)
{
	struct page p = {.now = r->now, .limit = PAGE_DEFAULT};
	struct db *db = NULL;
	int64_t after = 0;
	struct err e;
	int rc;

	if (!api_page(r, &after, &p.limit))
		return REPLY;
	p.o = api_items(r);
	rc = db_pool_take(r->m->pool, &db, &e) ? -1 : tbl_join_token_each(db, after, p.limit + 1, put_one, &p, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	api_items_end(p.o, p.next);
	return REPLY;
}

/* ---- changes */

struct change {
	struct job job;          /* first */
	struct actor actor;
	struct join_token token;
	char shown[SHOWN];
	/* change: what stays as it was is "", 0, NULL, not given */
	struct join_token wanted;
	bool give_approved;
};

static void change_free(void *state)
{
	struct change *c = state;

	join_token_done(&c->token);
	join_token_done(&c->wanted);
	mem_wipe(c->shown, sizeof(c->shown));
	free(c);
}

static struct change *begin(struct req *r)
{
	struct change *c = xcalloc(1, sizeof(*c));

	c->actor = actor_of(r);
	r->state = c;
	r->state_free = change_free;
	return c;
}

static int run_add(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	char object[AUDIT_OBJECT], uses[24];

	snprintf(uses, sizeof(uses), "%lld", (long long)c->token.uses);
	return tbl_join_token_add(db, &c->token, e) ? -1
		: AUDIT(db, &c->actor, e, "join_token.add", audit_thing(object, "join token", c->token.name), "uses", uses,
			"tags", c->token.tags, "pre_approved", c->token.pre_approved ? "true" : "false");
}

static enum verdict added(struct req *r)
{
	struct change *c = r->state;

	if (c->job.rc)
		return reply_err(r, &c->job.err);
	put_token(reply_json(r, 201), &c->token, r->now, c->shown);
	return REPLY;
}

static void make_token(struct change *c)
{
	char secret[JOIN_KEY];

	enrol_secret(secret);
	snprintf(c->shown, sizeof(c->shown), "%s%s", prefix, secret);
	sha256(c->token.hash, c->shown, strlen(c->shown));
	mem_wipe(secret, sizeof(secret));
}

enum verdict api_join_token_add(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	int64_t ttl = TTL_S;
	struct change *c;

	if (!api_body(r, &j))
		return REPLY;
	c = begin(r);
	c->token.uses = 1;
	api_want_text(j, "name", false, c->token.name, sizeof(c->token.name), &p);
	json_want_int(j, "", "ttl_s", false, TTL_MIN_S, TTL_MAX_S, &ttl, &p);
	json_want_int(j, "", "uses", false, 1, USES_MAX, &c->token.uses, &p);
	json_want_bool(j, "", "pre_approved", &c->token.pre_approved, &p);
	c->token.tags = api_want_tags(j, &p);
	if (p.n)
		return reply_problems(r, &p);
	if (!c->token.name[0])
		str_cut(c->token.name, sizeof(c->token.name), "unnamed");
	c->token.created = r->now;
	c->token.expires = r->now + ttl * 1000;
	str_cut(c->token.created_by, sizeof(c->token.created_by), r->who.name);
	make_token(c);
	return api_write(r, &c->job, run_add, added);
}

static int run_change(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	struct join_token *t = &c->token, *w = &c->wanted;
	char object[AUDIT_OBJECT], uses[24];

	if (tbl_join_token_get(db, w->id, t, e))
		return -1;
	audit_thing(object, "join token", t->name);
	if (w->name[0])
		str_cut(t->name, sizeof(t->name), w->name);
	if (w->expires)
		t->expires = w->expires;
	if (w->uses)
		t->uses = w->uses;
	if (w->tags) {
		free(t->tags);
		t->tags = TAKE(w->tags);
	}
	if (c->give_approved)
		t->pre_approved = w->pre_approved;
	snprintf(uses, sizeof(uses), "%lld", (long long)t->uses);
	return tbl_join_token_put(db, t, e) ? -1
		: AUDIT(db, &c->actor, e, "join_token.change", object, "name", t->name, "uses", uses, "tags", t->tags,
			"pre_approved", t->pre_approved ? "true" : "false");
}

static enum verdict changed(struct req *r)
{
	struct change *c = r->state;

	if (c->job.rc)
		return reply_err(r, &c->job.err);
	put_token(reply_json(r, 200), &c->token, r->now, NULL);
	return REPLY;
}

enum verdict api_join_token_change(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct join_token *w;
	struct change *c;
	int64_t ttl = 0, id;

	if (!req_id(r, &id) || !req_json(r, &j))
		return REPLY;
	c = begin(r);
	w = &c->wanted;
	w->id = id;
	api_want_text(j, "name", json_get(j, "name") != NULL, w->name, sizeof(w->name), &p);
	json_want_int(j, "", "ttl_s", false, TTL_MIN_S, TTL_MAX_S, &ttl, &p);
	json_want_int(j, "", "uses", false, 1, USES_MAX, &w->uses, &p);
	json_want_bool(j, "", "pre_approved", &w->pre_approved, &p);
	c->give_approved = json_get(j, "pre_approved") != NULL;
	w->tags = api_want_tags(j, &p);
	if (p.n)
		return reply_problems(r, &p);
	w->expires = ttl ? r->now + ttl * 1000 : 0;
	return api_write(r, &c->job, run_change, changed);
}

static int run_drop(struct job *job, struct db *db, struct err *e)
{
	struct change *c = (struct change *)job;
	char object[AUDIT_OBJECT];

	return tbl_join_token_drop(db, c->token.id, &c->token, e) ? -1
		: AUDIT(db, &c->actor, e, "join_token.delete", audit_thing(object, "join token", c->token.name));
}

enum verdict api_join_token_drop(struct req *r)
{
	struct change *c;
	int64_t id;

	if (!req_id(r, &id))
		return REPLY;
	c = begin(r);
	c->token.id = id;
	return api_write(r, &c->job, run_drop, api_no_content);
}
