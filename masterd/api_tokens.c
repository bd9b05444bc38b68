/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/api_session.h"
#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/svc_token.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static void put_scopes(struct json_out *o, unsigned may)
{
	static const unsigned each[] = {TOKEN_READ, TOKEN_WRITE, TOKEN_METRICS};
	char word[TOKEN_WORDS];

	json_arr(o, "scopes");
	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		if (may & each[i])
			json_put_str(o, NULL, token_words(word, each[i]));
	json_end_arr(o);
}

static void put_token(struct json_out *o, const struct token *t, const char *secret)
{
	json_obj(o, NULL);
	json_put_int(o, "id", t->id);
	json_put_str(o, "name", t->name);
	json_put_str(o, "role", role_name(t->role));
	json_put_raw(o, "tags", str_or(t->scope.tags, "[]"));
	put_scopes(o, t->may);
	json_put_time(o, "created", t->created);
	json_put_str(o, "created_by", t->owner);
	json_put_time(o, "expires", t->expires);
	json_put_time(o, "last_used", t->last_used);
	json_put_str(o, "last_peer", t->last_peer[0] ? t->last_peer : NULL);
	if (secret)
		json_put_str(o, "token", secret);
	json_end_obj(o);
}

static int read_page(struct db *db, int64_t after, int64_t limit, void *rows, struct err *e)
{
	return tbl_token_list(db, after, limit, rows, e);
}

static int64_t put_row(struct json_out *o, const void *rows, size_t i)
{
	const struct token *v = &((const struct tokens *)rows)->v[i];

	put_token(o, v, NULL);
	return v->id;
}

enum verdict api_tokens(struct req *r)
{
	struct tokens rows = {0};
	enum verdict v = api_rows(r, &(struct api_rows){read_page, put_row, &rows, &rows.n});

	list_done(&rows);
	return v;
}

/* ---- changes */

struct work {
	struct job job;           /* first */
	struct master *m;
	struct actor actor;
	struct token token;
	struct token_change change;
	char secret[API_TOKEN_TEXT];
};

static void work_free(void *state)
{
	struct work *w = state;

	mem_wipe(w, sizeof(*w));
	free(w);
}

static void committed(struct job *j)
{
	struct work *w = (struct work *)j;

	auth_changed(w->m->auth);
}

static struct work *begin(struct req *r)
{
	struct work *w = xcalloc(1, sizeof(*w));

	w->m = r->m;
	w->actor = actor_of(r);
	w->job.committed = committed;
	r->state = w;
	r->state_free = work_free;
	return w;
}

static int run_add(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return token_add(db, &w->actor, &w->token, e);
}

static enum verdict added(struct req *r)
{
	struct work *w = r->state;

	if (w->job.rc)
		return reply_err(r, &w->job.err);
	put_token(reply_json(r, 201), &w->token, w->secret);
	return REPLY;
}

static void read_scopes(struct token *t, const struct json *j, struct problems *p)
{
	const struct json *scopes = json_want(j, "", "scopes", JSON_ARRAY, false, p);

	t->may = 0;
	for (const struct json *s = json_first(scopes); s; s = json_next(s)) {
		unsigned word = token_word(json_str(s));

		if (!word)
			problems_add(p, "scopes", "are read, write and metrics");
		t->may |= word;
	}
	/* who changes something must see what */
	if (t->may & TOKEN_WRITE)
		t->may |= TOKEN_READ;
	if (!t->may)
		t->may = TOKEN_READ;
}

static void read_body(struct work *w, const struct json *j, struct problems *p)
{
	CLEANUP(freep) char *tags = api_want_tags(j, p);
	struct token *t = &w->token;
	char role[32] = "viewer";

	api_want_text(j, "name", true, t->name, sizeof(t->name), p);
	if (!p->n && !str_is_name(t->name))
		problems_add(p, "name", "has 1 to %d of A-Z a-z 0-9 . _ -", TOKEN_NAME - 1);
	api_want_text(j, "role", false, role, sizeof(role), p);
	if (role_from(&t->role, role))
		problems_add(p, "role", "must be viewer, node_admin or super_admin");
	str_cut(t->scope.tags, sizeof(t->scope.tags), str_or(tags, "[]"));
	if (t->role == ROLE_SUPER_ADMIN && !scope_is_all(&t->scope))
		problems_add(p, "tags", "do not limit a super_admin");
	read_scopes(t, j, p);
	if (json_want_time(j, "", "expires", true, &t->expires, p) &&
	    (t->expires <= w->actor.at || t->expires > w->actor.at + API_TOKEN_LIVES_MS))
		problems_add(p, "expires", "must lie ahead, at most one year");
}

enum verdict api_token_add(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct work *w;

	if (!sign_in_person(r))
		return REPLY;
	if (!req_json(r, &j))
		return REPLY;
	w = begin(r);
	read_body(w, j, &p);
	if (p.n)
		return reply_problems(r, &p);
	w->token.account_id = r->who.user_id;
	str_cut(w->token.owner, sizeof(w->token.owner), r->who.name);
	w->token.created = r->now;
	token_make(w->secret);
	sha256(w->token.hash, w->secret, strlen(w->secret));
	return api_write(r, &w->job, run_add, added);
}

static int run_change(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return token_change(db, &w->actor, &w->change, &w->token, e);
}

static enum verdict changed(struct req *r)
{
	struct work *w = r->state;

	if (w->job.rc)
		return reply_err(r, &w->job.err);
	put_token(reply_json(r, 200), &w->token, NULL);
	return REPLY;
}

static void read_change(struct work *w, const struct json *j, struct problems *p)
{
	CLEANUP(freep) char *tags = api_want_tags(j, p);
	struct token_change *c = &w->change;
	struct token *t = &c->to;
	char role[32] = "";

	c->role = json_get(j, "role") != NULL;
	c->tags = tags != NULL;
	api_want_text(j, "name", json_get(j, "name") != NULL, t->name, sizeof(t->name), p);
	if (t->name[0] && !str_is_name(t->name))
		problems_add(p, "name", "has 1 to %d of A-Z a-z 0-9 . _ -", TOKEN_NAME - 1);
	api_want_text(j, "role", false, role, sizeof(role), p);
	if (c->role && role_from(&t->role, role))
		problems_add(p, "role", "must be viewer, node_admin or super_admin");
	str_cut(t->scope.tags, sizeof(t->scope.tags), str_or(tags, "[]"));
	if (json_get(j, "scopes"))
		read_scopes(t, j, p);
	if (json_want_time(j, "", "expires", false, &t->expires, p) && t->expires &&
	    (t->expires <= w->actor.at || t->expires > w->actor.at + API_TOKEN_LIVES_MS))
		problems_add(p, "expires", "must lie ahead, at most one year");
}

enum verdict api_token_change(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct work *w;
	int64_t id;

	if (!sign_in_person(r))
		return REPLY;
	if (str_to_i64(&id, r->arg, 1, INT64_MAX))
		return reply_problem(r, 404, "there is no API token \"%.40s\": they have numbers from 1", r->arg);
	if (!req_json(r, &j))
		return REPLY;
	w = begin(r);
	w->change.to.id = id;
	read_change(w, j, &p);
	return p.n ? reply_problems(r, &p) : api_write(r, &w->job, run_change, changed);
}

static int run_drop(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return token_drop(db, &w->actor, w->token.id, e);
}

enum verdict api_token_drop(struct req *r)
{
	struct work *w;
	int64_t id;

	if (str_to_i64(&id, r->arg, 1, INT64_MAX))
		return reply_problem(r, 404, "there is no API token \"%.40s\": they have numbers from 1", r->arg);
	w = begin(r);
	w->token.id = id;
	return api_write(r, &w->job, run_drop, api_no_content);
}
