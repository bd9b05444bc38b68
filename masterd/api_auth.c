/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "masterd/api.h"
#include "masterd/api_session.h"
#include "masterd/master.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

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

/* Name, password and code out of a form or a JSON object; false: answered. */
static bool read_credentials(struct req *r, char *name, size_t size, struct sign_in *s)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	const char *type = req_header(r, "Content-Type"), *otp = NULL;
	struct pw_work *w = &s->work;

	if (type && strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0) {
		read_form(r->body, "username", name, size, &p);
		read_form(r->body, "password", w->password, sizeof(w->password), &p);
		if (form_value(r->body, "otp", s->otp, sizeof(s->otp)) < 0)
			problems_add(&p, "otp", "is malformed or too long");
	} else {
		if (!req_json(r, &j))
			return false;
		read_member(j, "username", name, size, &p);
		read_member(j, "password", w->password, sizeof(w->password), &p);
		if (json_want_str(j, "", "otp", false, &otp, &p) && str_copy(s->otp, sizeof(s->otp), otp))
			problems_add(&p, "otp", "is too long");
	}
	if (p.n)
		reply_problems(r, &p);
	return p.n == 0;
}

/* The user as it stands now: it may have changed while the password was checked. */
static int run_login(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;
	char object[AUDIT_OBJECT];
	struct user now;

	if (tbl_user_by_id(db, s->user.id, &now, e))
		return -1;
	if (now.disabled || !str_eq(now.password, s->user.password))
		return err_set(e, ERR_DENIED, "wrong user or password");
	if (now.totp_on && user_take_otp(db, s->m->config->jwt_secret, &now, s->otp, s->now, e)) {
		s->otp_wrong = e->kind == ERR_DENIED;
		return -1;
	}
	s->user = now;
	sign_in_session(s, s->actor.peer);
	s->actor = (struct actor){.at = s->now};
	str_cut(s->actor.name, sizeof(s->actor.name), now.name);
	str_cut(s->actor.peer, sizeof(s->actor.peer), s->session.peer);
	return tbl_session_add(db, &s->session, e) || tbl_session_trim(db, now.id, e) ||
	       AUDIT(db, &s->actor, e, "auth.login", audit_thing(object, "user", now.name), "otp",
		     now.totp_on ? (strlen(s->otp) > TOTP_DIGITS + 1 ? "recovery code" : "code") : NULL) ? -1 : 0;
}

static enum verdict logged_in(struct req *r)
{
	struct sign_in *s = r->state;

	if (s->otp_wrong) {
		guess_otp_failed(r, s->user.name);
		return reply_problem_with(r, 401, "otp_required", "%s", s->job.err.msg);
	}
	if (s->job.rc)
		return reply_err(r, &s->job.err);
	log_info("%s signed in from %s", s->user.name, r->peer);
	return sign_in_tokens(r, s);
}

static enum verdict password_checked(struct req *r)
{
	struct sign_in *s = r->state;
	char name[USER_NAME];

	str_cut(name, sizeof(name), s->user.name);
	str_clean(name);
	if (!s->work.fits || !s->known || s->user.disabled) {
		guess_failed(r, s->user.name, s->known);
		/* a name that nobody has may be a password in the wrong field */
		log_warn("sign-in of %s from %s refused", s->known ? name : "nobody we know", r->peer);
		return reply_problem(r, 401, "wrong user or password");
	}
	if (s->user.totp_on && !s->otp[0])
		return reply_problem_with(r, 401, "otp_required", "this account needs a one-time code too");
	if (s->user.totp_on && !guess_otp_allowed(r, s->user.name))
		return REPLY;
	s->job.committed = sign_in_committed;
	return api_write(r, &s->job, run_login, logged_in);
}

enum verdict api_login(struct req *r)
{
	struct sign_in *s = sign_in_new(r);
	char name[USER_NAME] = "";

	if (!read_credentials(r, name, sizeof(name), s) || !sign_in_user(r, s, name) ||
	    !guess_allowed(r, name, s->known ? s->user.id : 0))
		return REPLY;
	if (!s->known)
		str_cut(s->user.name, sizeof(s->user.name), name);
	return sign_in_check(r, s, password_checked);
}

/* ---- refresh */

/* Judged by what is committed, so that it holds for all masters of a database. */
static int run_refresh(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;
	char object[AUDIT_OBJECT], sid[JWT_SID];

	str_cut(sid, sizeof(sid), s->session.sid);
	if (tbl_session_get(db, sid, s->now, &s->session, e) || tbl_user_by_id(db, s->session.account_id, &s->user, e))
		return e->kind == ERR_NOTFOUND ? err_set(e, ERR_DENIED, "the session has ended: sign in again") : -1;
	if (s->user.disabled)
		return err_set(e, ERR_DENIED, "the user is disabled");
	auth_fill(&s->who, &s->user, sid);
	s->worth = auth_refresh_worth(&s->session, s->turn, s->now);
	if (s->worth == REFRESH_REPEAT)
		return 0;
	if (s->worth == REFRESH_REUSED) {
		str_cut(s->actor.name, sizeof(s->actor.name), s->user.name);
		return tbl_session_drop(db, sid, e) ||
		       AUDIT(db, &s->actor, e, "auth.reuse", audit_thing(object, "user", s->user.name), "ended",
			     "the session: an old refresh token came again") ? -1 : 0;
	}
	s->session.turn++;
	s->session.rotated = s->now;
	return tbl_session_turn(db, sid, s->session.turn, s->now, e);
}

static void refresh_committed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	if (s->worth == REFRESH_REUSED)
		auth_session_drop(s->m->auth, s->session.sid);
	else
		auth_session_put(s->m->auth, &s->session);
}

static enum verdict refreshed(struct req *r)
{
	struct sign_in *s = r->state;

	if (s->job.rc)
		return reply_err(r, &s->job.err);
	if (s->worth != REFRESH_REUSED)
		return sign_in_tokens(r, s);
	log_warn("a used refresh token of %s came from %s: the session is ended", s->user.name, r->peer);
	r->hint = "sign in again";
	return reply_problem(r, 401, "this refresh token was used before: the session is ended");
}

enum verdict api_refresh(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct sign_in *s;
	const char *token;
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	if (!json_want_str(j, "", "refresh_token", true, &token, &p))
		return reply_problems(r, &p);
	s = sign_in_new(r);
	if (auth_refresh_read(r->m->auth, token, s->session.sid, &s->turn, &e))
		return reply_err(r, &e);
	s->job.committed = refresh_committed;
	return api_write(r, &s->job, run_refresh, refreshed);
}

/* ---- logout, me */

static int run_logout(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;
	char object[AUDIT_OBJECT];

	if (s->all ? tbl_session_drop_all(db, s->who.user_id, e) : tbl_session_drop(db, s->who.sid, e))
		return -1;
	return AUDIT(db, &s->actor, e, "auth.logout", audit_thing(object, "user", s->who.name), "sessions",
		     s->all ? "all" : NULL);
}

static void logout_committed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	if (s->all)
		auth_changed(s->m->auth);
	else
		auth_session_drop(s->m->auth, s->who.sid);
}

enum verdict api_logout(struct req *r)
{
	struct sign_in *s;

	if (!sign_in_person(r))
		return REPLY;
	s = sign_in_new(r);
	s->who = r->who;
	s->all = str_eq(req_query(r, "all"), "true");
	s->job.committed = logout_committed;
	return api_write(r, &s->job, run_logout, sign_in_done);
}

/* What only the database knows of who asks. */
static int read_me(struct req *r, struct user *u, int64_t *codes, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(r->m->pool, &db, e))
		return -1;
	rc = tbl_user_by_id(db, r->who.user_id, u, e) || tbl_recovery_count(db, r->who.user_id, codes, e) ? -1 : 0;
	db_pool_give(r->m->pool, db);
	return rc;
}

enum verdict api_me(struct req *r)
{
	struct json_out *o;
	struct user u;
	int64_t codes;
	struct err e;

	if (read_me(r, &u, &codes, &e))
		return reply_err(r, &e);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_int(o, "id", u.id);
	json_put_str(o, "username", u.name);
	json_put_str(o, "role", role_name(r->who.role));
	json_put_raw(o, "tags", scope_is_all(&r->who.scope) ? "[]" : r->who.scope.tags);
	json_put_bool(o, "totp", u.totp_on);
	json_put_int(o, "recovery_codes", codes);
	json_put_str(o, "token", r->who.token_id ? r->who.name + strlen("token:") : NULL);
	json_end_obj(o);
	return REPLY;
}
