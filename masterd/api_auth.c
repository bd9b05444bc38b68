/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_auth.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/master.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

/* A sign-in or refresh on its way. */
struct sign_in {
	struct job job;
	struct master *m;
	struct pw_work work;
	struct user user;
	bool known;
	struct session session;
	struct who who;
	int64_t now;
};

static void sign_in_free(void *state)
{
	struct sign_in *s = state;

	mem_wipe(s, sizeof(*s));
	free(s);
}

static struct sign_in *begin(struct req *r)
{
	struct sign_in *s = xcalloc(1, sizeof(*s));

	s->m = r->m;
	s->now = r->now;
	s->job.ticket = &r->ticket;
	r->state = s;
	r->state_free = sign_in_free;
	return s;
}

static enum verdict put_job(struct req *r, struct sign_in *s, req_fn *then)
{
	struct err e;

	r->then = then;
	return writer_put(r->m->writer, &s->job, &e) ? reply_err(r, &e) : LATER;
}

static enum verdict reply_tokens(struct req *r, const struct sign_in *s)
{
	CLEANUP(freep) char *access = auth_access_token(r->m->auth, &s->who, r->now);
	CLEANUP(freep) char *refresh = auth_refresh_token(r->m->auth, s->session.sid, s->session.turn);
	struct json_out *o = reply_json(r, 200);

	json_obj(o, NULL);
	json_put_str(o, "access_token", access);
	json_put_str(o, "token_type", "bearer");
	json_put_int(o, "expires_in", TOKEN_S);
	json_put_str(o, "refresh_token", refresh);
	json_end_obj(o);
	return REPLY;
}

static enum verdict session_written(struct req *r)
{
	struct sign_in *s = r->state;

	return s->job.rc ? reply_err(r, &s->job.err) : reply_tokens(r, s);
}

static void session_committed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	auth_session_put(s->m->auth, &s->session);
}

/* ---- login */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of key in a form (WHATWG URL, application/x-www-form-urlencoded).
 * 1 found, 0 absent, -1 malformed or too long. */
static int form_value(const char *form, const char *key, char *out, size_t size)
{
	size_t key_len = strlen(key), n = 0;
	const char *p = form;

	while (p && !(strncmp(p, key, key_len) == 0 && p[key_len] == '=')) {
		p = strchr(p, '&');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return 0;
	for (p += key_len + 1; *p && *p != '&'; p++) {
		char c = *p;

		if (c == '%') {
			int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);

			if (low < 0 || !(high | low))
				return -1;
			c = (char)(high * 16 + low);
			p += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (n + 1 >= size)
			return -1;
		out[n++] = c;
	}
	out[n] = '\0';
	return 1;
}

static void read_form(const char *form, const char *key, char *out, size_t size, struct problems *p)
{
	int got = form_value(form, key, out, size);

	if (got == 0)
		problems_add(p, key, "is missing");
	else if (got < 0)
		problems_add(p, key, "is malformed or too long");
}

static void read_member(const struct json *j, const char *key, char *out, size_t size, struct problems *p)
{
	const char *v;

	if (json_want_str(j, "", key, true, &v, p) && str_copy(out, size, v))
		problems_add(p, key, "is too long");
}

/* Name and password out of a form or a JSON object; false: answered. */
static bool read_credentials(struct req *r, char *name, size_t size, struct pw_work *w)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	const char *type = req_header(r, "Content-Type");

	if (type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0) {
		read_form(r->body, "username", name, size, &p);
		read_form(r->body, "password", w->password, sizeof(w->password), &p);
	} else {
		if (!req_json(r, &j))
			return false;
		read_member(j, "username", name, size, &p);
		read_member(j, "password", w->password, sizeof(w->password), &p);
	}
	if (p.n)
		reply_problems(r, &p);
	return p.n == 0;
}

static int write_login(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;

	return tbl_session_add(db, &s->session, e);
}

static enum verdict password_checked(struct req *r)
{
	struct sign_in *s = r->state;
	char name[USER_NAME];

	str_cut(name, sizeof(name), s->user.name);
	str_clean(name);
	if (!s->work.fits || !s->known || s->user.disabled) {
		buckets_take(r->m->logins, r->peer, r->now);
		log_warn("sign-in of \"%s\" from %s refused", name, r->peer);
		return reply_problem(r, 401, "wrong user or password");
	}
	auth_session_init(&s->session, s->user.id, r->peer, r->now);
	s->who.role = s->user.role;
	s->who.user_id = s->user.id;
	str_cut(s->who.name, sizeof(s->who.name), s->user.name);
	str_cut(s->who.sid, sizeof(s->who.sid), s->session.sid);
	s->job.run = write_login;
	s->job.committed = session_committed;
	log_info("%s signed in from %s", name, r->peer);
	return put_job(r, s, session_written);
}

static int find_user(struct master *m, const char *name, struct user *ret, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(m->pool, &db, e))
		return -1;
	rc = tbl_user_get(db, name, ret, e);
	db_pool_give(m->pool, db);
	return rc;
}

enum verdict api_login(struct req *r)
{
	unsigned wait = buckets_wait_s(r->m->logins, r->peer, r->now);
	struct sign_in *s;
	char name[USER_NAME] = "";
	struct err e;

	if (wait)
		return reply_busy(r, 429, wait, "too many failed sign-ins from %s: try again in %u s", r->peer, wait);
	s = begin(r);
	if (!read_credentials(r, name, sizeof(name), &s->work))
		return REPLY;
	s->known = find_user(r->m, name, &s->user, &e) == 0;
	if (!s->known && e.kind != ERR_NOTFOUND)
		return reply_err(r, &e);
	/* an unknown user costs the same work and gets the same answer */
	if (!s->known)
		str_cut(s->user.name, sizeof(s->user.name), name);
	str_cut(s->work.hash, sizeof(s->work.hash), s->known ? s->user.password : auth_nobody(r->m->auth));
	s->work.ticket = &r->ticket;
	r->then = password_checked;
	return pwq_put(r->m->pwq, &s->work, &e) ? reply_err(r, &e) : LATER;
}

/* ---- refresh, logout, me */

static int write_turn(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;

	return tbl_session_turn(db, s->session.sid, s->session.turn, s->session.rotated, e);
}

static int write_end(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;

	return tbl_session_drop(db, s->session.sid, e);
}

static void end_committed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	auth_session_drop(s->m->auth, s->session.sid);
}

static enum verdict reused(struct req *r)
{
	struct sign_in *s = r->state;

	if (s->job.rc)
		return reply_err(r, &s->job.err);
	return reply_problem(r, 401, "this refresh token was used before: the session is ended, sign in again");
}

enum verdict api_refresh(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	enum refresh what = REFRESH_REUSED;
	struct sign_in *s;
	const char *token;
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	if (!json_want_str(j, "", "refresh_token", true, &token, &p))
		return reply_problems(r, &p);
	s = begin(r);
	if (auth_refresh(r->m->auth, token, r->now, &what, &s->session, &s->who, &e))
		return reply_err(r, &e);
	if (what == REFRESH_REPEAT)
		return reply_tokens(r, s);
	if (what == REFRESH_REUSED) {
		log_warn("a used refresh token of %s came from %s: the session is ended", s->who.name, r->peer);
		s->job.run = write_end;
		s->job.committed = end_committed;
		return put_job(r, s, reused);
	}
	s->session.turn++;
	s->session.rotated = r->now;
	s->job.run = write_turn;
	s->job.committed = session_committed;
	return put_job(r, s, session_written);
}

static enum verdict ended(struct req *r)
{
	struct sign_in *s = r->state;

	if (s->job.rc)
		return reply_err(r, &s->job.err);
	r->status = 204;
	return REPLY;
}

enum verdict api_logout(struct req *r)
{
	struct sign_in *s = begin(r);

	str_cut(s->session.sid, sizeof(s->session.sid), r->who.sid);
	s->job.run = write_end;
	s->job.committed = end_committed;
	return put_job(r, s, ended);
}

enum verdict api_me(struct req *r)
{
	struct json_out *o = reply_json(r, 200);

	json_obj(o, NULL);
	json_put_int(o, "id", r->who.user_id);
	json_put_str(o, "username", r->who.name);
	json_put_str(o, "role", role_name(r->who.role));
	json_end_obj(o);
	return REPLY;
}
