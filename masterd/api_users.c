/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_users.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/svc_user.h"
#include "shared/mem.h"
#include "shared/str.h"

static void put_user(struct json_out *o, const struct user *u, const char *made)
{
	json_obj(o, NULL);
	json_put_int(o, "id", u->id);
	json_put_str(o, "username", u->name);
	json_put_str(o, "role", role_name(u->role));
	json_put_raw(o, "tags", str_or(u->scope.tags, "[]"));
	json_put_bool(o, "disabled", u->disabled);
	json_put_bool(o, "totp", u->totp_on);
	json_put_time(o, "created", u->created);
	if (made[0])
		json_put_str(o, "password", made);
	json_end_obj(o);
}

static int read_page(struct db *db, int64_t after, int64_t limit, void *rows, struct err *e)
{
	return tbl_user_page(db, after, limit, rows, e);
}

static int64_t put_row(struct json_out *o, const void *rows, size_t i)
{
	const struct user *v = &((const struct users *)rows)->v[i];

	put_user(o, v, "");
	return v->id;
}

enum verdict api_users(struct req *r)
{
	struct users rows = {0};
	enum verdict v = api_rows(r, &(struct api_rows){read_page, put_row, &rows, &rows.n});

	list_done(&rows);
	return v;
}

/* ---- changes */

struct work {
	struct job job;           /* first */
	struct master *m;
	struct actor actor;
	struct pw_work pw;
	struct user user;
	struct user_change change;
	char role[32], *tags;
	char made[PASSWORD_MADE]; /* a password to show, "" none */
};

static void work_free(void *state)
{
	struct work *w = state;

	free(w->tags);
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
	w->pw.ticket = &r->ticket;
	w->pw.make = true;
	w->change.disabled = -1;
	r->state = w;
	r->state_free = work_free;
	return w;
}

static bool user_number(struct req *r, int64_t *ret)
{
	if (!str_to_i64(ret, r->arg, 1, INT64_MAX))
		return true;
	reply_problem(r, 404, "there is no user \"%.40s\": users have numbers from 1", r->arg);
	return false;
}

/* Role, tags and password of a body. name: whose password it is to be. */
static void read_body(struct work *w, const struct json *j, const char *name, struct problems *p)
{
	enum role role;
	struct err e;

	api_want_text(j, "role", false, w->role, sizeof(w->role), p);
	if (w->role[0] && role_from(&role, w->role))
		problems_add(p, "role", "must be viewer, node_admin or super_admin");
	w->tags = api_want_tags(j, p);
	api_want_text(j, "password", false, w->pw.password, sizeof(w->pw.password), p);
	if (w->pw.password[0] && user_judge_password(name, w->pw.password, &e))
		problems_add(p, "password", "%s", e.msg);
}

/* The hash is made on the password threads, then run writes. */
static enum verdict hash_first(struct req *r, req_fn *hashed)
{
	struct work *w = r->state;
	struct err e;

	r->then = hashed;
	return pwq_put(r->m->pwq, &w->pw, &e) ? reply_err(r, &e) : LATER;
}

/* ---- add */

static int run_add(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return user_add(db, &w->actor, &w->user, e);
}

static enum verdict added(struct req *r)
{
	struct work *w = r->state;

	if (w->job.rc)
		return reply_err(r, &w->job.err);
	put_user(reply_json(r, 201), &w->user, w->made);
	return REPLY;
}

static enum verdict add_hashed(struct req *r)
{
	struct work *w = r->state;

	if (!w->pw.fits)
		return reply_busy(r, 503, 1, "no memory for the password hash");
	str_cut(w->user.password, sizeof(w->user.password), w->pw.hash);
	return api_write(r, &w->job, run_add, added);
}

enum verdict api_user_add(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct work *w;

	if (!req_json(r, &j))
		return REPLY;
	w = begin(r);
	api_want_text(j, "username", true, w->user.name, sizeof(w->user.name), &p);
	if (!p.n && !str_is_name(w->user.name))
		problems_add(&p, "username", "has 1 to 64 of A-Z a-z 0-9 . _ -");
	read_body(w, j, w->user.name, &p);
	if (p.n)
		return reply_problems(r, &p);
	w->user.role = ROLE_VIEWER;
	if (w->role[0] && role_from(&w->user.role, w->role))
		return REPLY; /* read_body has said so */
	str_cut(w->user.scope.tags, sizeof(w->user.scope.tags), str_or(w->tags, "[]"));
	w->user.created = r->now;
	if (!w->pw.password[0])
		str_cut(w->pw.password, sizeof(w->pw.password), user_make_password(w->made));
	return hash_first(r, add_hashed);
}

/* ---- change */

static int run_change(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return user_change(db, &w->actor, w->user.id, &w->change, &w->user, e);
}

static enum verdict changed(struct req *r)
{
	struct work *w = r->state;

	if (w->job.rc)
		return reply_err(r, &w->job.err);
	put_user(reply_json(r, 200), &w->user, "");
	return REPLY;
}

static enum verdict change_hashed(struct req *r)
{
	struct work *w = r->state;

	if (!w->pw.fits)
		return reply_busy(r, 503, 1, "no memory for the password hash");
	w->change.password = w->pw.hash;
	return api_write(r, &w->job, run_change, changed);
}

/* The name of the user, for the rules of passwords; false: answered. */
static bool known_user(struct req *r, struct work *w)
{
	struct db *db = NULL;
	struct err e;
	int rc = db_pool_take(r->m->pool, &db, &e);

	if (!rc) {
		rc = tbl_user_by_id(db, w->user.id, &w->user, &e);
		db_pool_give(r->m->pool, db);
	}
	if (rc)
		reply_err(r, &e);
	return !rc;
}

enum verdict api_user_change(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	bool disabled = false, totp = true;
	struct work *w;
	int64_t id;

	if (!user_number(r, &id) || !req_json(r, &j))
		return REPLY;
	w = begin(r);
	w->user.id = id;
	if (!known_user(r, w))
		return REPLY;
	read_body(w, j, w->user.name, &p);
	if (json_want_bool(j, "", "disabled", &disabled, &p))
		w->change.disabled = disabled;
	if (json_want_bool(j, "", "totp", &totp, &p) && totp)
		problems_add(&p, "totp", "is switched on by the user alone");
	if (p.n)
		return reply_problems(r, &p);
	w->change.totp_off = !totp;
	w->change.role = w->role[0] ? w->role : NULL;
	w->change.tags = w->tags;
	return w->pw.password[0] ? hash_first(r, change_hashed) : api_write(r, &w->job, run_change, changed);
}

/* ---- delete */

static int run_drop(struct job *j, struct db *db, struct err *e)
{
	struct work *w = (struct work *)j;

	return user_drop(db, &w->actor, w->user.id, e);
}

enum verdict api_user_drop(struct req *r)
{
	struct work *w;
	int64_t id;

	if (!user_number(r, &id))
		return REPLY;
	w = begin(r);
	w->user.id = id;
	return api_write(r, &w->job, run_drop, api_no_content);
}
