/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_account.h"

#include <string.h>

#include "masterd/api.h"
#include "masterd/api_session.h"
#include "shared/mem.h"
#include "shared/str.h"

/* The person who asks, the body, and no guessing; NULL: answered. */
static struct sign_in *begin(struct req *r, struct json **j)
{
	struct sign_in *s;

	if (!sign_in_person(r) || !req_json(r, j))
		return NULL;
	s = sign_in_new(r);
	if (!sign_in_user(r, s, NULL) || !guess_allowed(r, s->user.name, s->user.id))
		return NULL;
	return s;
}

static void want_password(struct sign_in *s, const struct json *j, const char *key, struct problems *p)
{
	const char *v;

	if (json_want_str(j, "", key, true, &v, p) && str_copy(s->work.password, sizeof(s->work.password), v))
		problems_add(p, key, "is too long");
}

static void want_otp(struct sign_in *s, const struct json *j, struct problems *p)
{
	const char *v;

	if (json_want_str(j, "", "otp", true, &v, p) && str_copy(s->otp, sizeof(s->otp), v))
		problems_add(p, "otp", "is too long");
}

/* After the check: false, answered, when the password was wrong. */
static bool password_fits(struct req *r, const struct sign_in *s)
{
	if (s->work.fits)
		return true;
	guess_failed(r, s->user.name, true);
	reply_problem(r, 403, "the password is wrong");
	return false;
}

static enum verdict wrong_otp(struct req *r, const struct sign_in *s)
{
	guess_otp_failed(r, s->user.name);
	return reply_problem(r, 403, "%s", s->job.err.msg);
}

static void changed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	auth_changed(s->m->auth);
}

/* The password that was checked is still the one of the account. */
static int read_again(struct db *db, struct sign_in *s, struct err *e)
{
	char hash[CRYPT_PW_TEXT];

	str_cut(hash, sizeof(hash), s->user.password);
	if (tbl_user_by_id(db, s->user.id, &s->user, e))
		return -1;
	return str_eq(hash, s->user.password) ? 0 : err_set(e, ERR_CONFLICT, "the password was changed meanwhile");
}

/* ---- PUT /auth/password */

static int run_password(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;
	char object[AUDIT_OBJECT];

	if (read_again(db, s, e) || tbl_user_set_password(db, s->user.id, s->make.hash, e))
		return -1;
	sign_in_session(s, s->actor.peer);
	return tbl_session_add(db, &s->session, e) ||
	       AUDIT(db, &s->actor, e, "user.password", audit_thing(object, "user", s->user.name)) ? -1 : 0;
}

static void password_committed(struct job *j)
{
	changed(j);
	sign_in_committed(j);
}

static enum verdict password_written(struct req *r)
{
	struct sign_in *s = r->state;

	return s->job.rc ? reply_err(r, &s->job.err) : sign_in_tokens(r, s);
}

static enum verdict new_hashed(struct req *r)
{
	struct sign_in *s = r->state;

	if (!s->make.fits)
		return reply_busy(r, 503, 1, "no memory for the password hash");
	s->job.committed = password_committed;
	return api_write(r, &s->job, run_password, password_written);
}

static enum verdict old_checked(struct req *r)
{
	struct sign_in *s = r->state;
	struct err e;

	if (!password_fits(r, s))
		return REPLY;
	r->then = new_hashed;
	return pwq_put(r->m->pwq, &s->make, &e) ? reply_err(r, &e) : LATER;
}

static void read_new(struct sign_in *s, const struct json *j, struct problems *p)
{
	const char *v;
	struct err e;

	if (!json_want_str(j, "", "new_password", true, &v, p))
		return;
	if (user_judge_password(s->user.name, v, &e) || str_copy(s->make.password, sizeof(s->make.password), v))
		problems_add(p, "new_password", "%s", e.msg);
	else if (str_eq(s->work.password, v))
		problems_add(p, "new_password", "is the old one");
}

enum verdict api_password(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct sign_in *s = begin(r, &j);

	if (!s)
		return REPLY;
	s->make.make = true;
	s->make.ticket = &r->ticket;
	want_password(s, j, "old_password", &p);
	read_new(s, j, &p);
	if (p.n)
		return reply_problems(r, &p);
	return sign_in_check(r, s, old_checked);
}

/* ---- POST /auth/totp: a seed that does not count yet */

static int run_seed(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;
	char object[AUDIT_OBJECT];

	if (read_again(db, s, e) || user_new_seed(db, s->m->config->jwt_secret, s->user.id, s->text, e))
		return -1;
	return AUDIT(db, &s->actor, e, "user.totp_seed", audit_thing(object, "user", s->user.name));
}

static enum verdict seed_made(struct req *r)
{
	CLEANUP(freep) char *uri = NULL;
	struct sign_in *s = r->state;
	struct json_out *o;

	if (s->job.rc)
		return reply_err(r, &s->job.err);
	uri = totp_uri(s->text, s->user.name);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_str(o, "secret", s->text);
	json_put_str(o, "uri", uri);
	json_end_obj(o);
	mem_wipe(uri, strlen(uri));
	return REPLY;
}

static enum verdict seed_checked(struct req *r)
{
	struct sign_in *s = r->state;

	if (!password_fits(r, s))
		return REPLY;
	s->job.committed = changed;
	return api_write(r, &s->job, run_seed, seed_made);
}

enum verdict api_totp_seed(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct sign_in *s = begin(r, &j);

	if (!s)
		return REPLY;
	want_password(s, j, "password", &p);
	if (p.n)
		return reply_problems(r, &p);
	return sign_in_check(r, s, seed_checked);
}

/* ---- PUT /auth/totp: it counts from now */

static int run_on(struct job *j, struct db *db, struct err *e)
{
	struct sign_in *s = (struct sign_in *)j;

	if (!user_totp_on(db, s->m->config->jwt_secret, &s->actor, &s->user, s->otp, &s->codes, e))
		return 0;
	s->otp_wrong = e->kind == ERR_DENIED;
	return -1;
}

static enum verdict switched_on(struct req *r)
{
	struct sign_in *s = r->state;
	struct json_out *o;

	if (s->otp_wrong)
		return wrong_otp(r, s);
	if (s->job.rc)
		return reply_err(r, &s->job.err);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_arr(o, "recovery_codes");
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		json_put_str(o, NULL, s->codes.v[i]);
	json_end_arr(o);
	json_end_obj(o);
	return REPLY;
}

enum verdict api_totp_on(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct sign_in *s = begin(r, &j);

	if (!s || !guess_otp_allowed(r, s->user.name))
		return REPLY;
	want_otp(s, j, &p);
	if (p.n)
		return reply_problems(r, &p);
	s->job.committed = changed;
	return api_write(r, &s->job, run_on, switched_on);
}

/* ---- DELETE /auth/totp */

static int run_off(struct job *j, struct db *db, struct err *e)
{
	const struct user_change off = {.totp_off = true, .disabled = -1};
	struct sign_in *s = (struct sign_in *)j;

	if (read_again(db, s, e))
		return -1;
	if (!s->user.totp_on)
		return err_set(e, ERR_CONFLICT, "one-time codes are not on");
	if (user_take_otp(db, s->m->config->jwt_secret, &s->user, s->otp, s->now, e)) {
		s->otp_wrong = e->kind == ERR_DENIED;
		return -1;
	}
	return user_change(db, &s->actor, s->user.id, &off, &s->user, e);
}

static enum verdict switched_off(struct req *r)
{
	struct sign_in *s = r->state;

	return s->otp_wrong ? wrong_otp(r, s) : sign_in_done(r);
}

static enum verdict off_checked(struct req *r)
{
	struct sign_in *s = r->state;

	if (!password_fits(r, s) || !guess_otp_allowed(r, s->user.name))
		return REPLY;
	s->job.committed = changed;
	return api_write(r, &s->job, run_off, switched_off);
}

enum verdict api_totp_off(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct sign_in *s = begin(r, &j);

	if (!s)
		return REPLY;
	want_password(s, j, "password", &p);
	want_otp(s, j, &p);
	if (p.n)
		return reply_problems(r, &p);
	return sign_in_check(r, s, off_checked);
}
