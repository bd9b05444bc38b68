/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_session.h"

#include <stdlib.h>
#include <string.h>

#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

static void sign_in_free(void *state)
{
	struct sign_in *s = state;

	mem_wipe(s, sizeof(*s));
	free(s);
}

struct sign_in *sign_in_new(struct req *r)
{
	struct sign_in *s = xcalloc(1, sizeof(*s));

	s->m = r->m;
	s->now = r->now;
	s->actor = actor_of(r);
	s->work.ticket = &r->ticket;
	r->state = s;
	r->state_free = sign_in_free;
	return s;
}

enum verdict sign_in_check(struct req *r, struct sign_in *s, req_fn *then)
{
	struct err e;

	/* an unknown user costs the same work and gets the same answer */
	str_cut(s->work.hash, sizeof(s->work.hash), s->known ? s->user.password : auth_nobody(r->m->auth));
	r->then = then;
	return pwq_put(r->m->pwq, &s->work, &e) ? reply_err(r, &e) : LATER;
}

void sign_in_session(struct sign_in *s, const char *peer)
{
	auth_session_init(&s->session, s->user.id, peer, s->now);
	auth_fill(&s->who, &s->user, s->session.sid);
}

void sign_in_committed(struct job *j)
{
	struct sign_in *s = (struct sign_in *)j;

	auth_session_put(s->m->auth, &s->session);
}

enum verdict sign_in_tokens(struct req *r, const struct sign_in *s)
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

enum verdict sign_in_done(struct req *r)
{
	struct sign_in *s = r->state;

	if (s->job.rc)
		return reply_err(r, &s->job.err);
	r->status = 204;
	return REPLY;
}

bool sign_in_user(struct req *r, struct sign_in *s, const char *name)
{
	struct db *db = NULL;
	struct err e;
	int rc;

	if (db_pool_take(r->m->pool, &db, &e)) {
		reply_err(r, &e);
		return false;
	}
	rc = name ? tbl_user_get(db, name, &s->user, &e) : tbl_user_by_id(db, r->who.user_id, &s->user, &e);
	db_pool_give(r->m->pool, db);
	s->known = !rc;
	if (!rc || e.kind == ERR_NOTFOUND)
		return true;
	reply_err(r, &e);
	return false;
}

bool sign_in_person(struct req *r)
{
	if (!r->who.token_id)
		return true;
	r->hint = "sign in as a person";
	reply_problem(r, 403, "an API token may not do this");
	return false;
}

/* ---- those who guess */

/* Names are longer than the keys of buckets, and strangers choose them. */
static void account_key(char key[static SHA256_HEX], const char *name)
{
	uint8_t hash[SHA256_LEN];

	sha256(hash, name, strlen(name));
	hex_encode(key, hash, sizeof(hash));
	key[40] = '\0';
}

struct lockout {
	struct job job;           /* first */
	struct actor actor;
	char object[AUDIT_OBJECT];
	const char *what;
};

static int write_lockout(struct job *j, struct db *db, struct err *e)
{
	struct lockout *v = (struct lockout *)j;

	return AUDIT(db, &v->actor, e, "auth.lockout", v->object, "after", v->what);
}

static void drop_lockout(struct job *j)
{
	free(j);
}

/* Guessers fill the audit trail at most once a minute an account and address. */
static void note_lockout(struct req *r, const char *key, const char *name, const char *what)
{
	struct lockout *v;
	char clean[USER_NAME];
	struct err e;

	if (buckets_wait_s(r->m->lockouts, key, r->now))
		return;
	buckets_take(r->m->lockouts, key, r->now);
	v = xcalloc(1, sizeof(*v));
	str_cut(clean, sizeof(clean), name);
	str_clean(clean);
	v->actor = actor_named("", r->now);
	str_cut(v->actor.peer, sizeof(v->actor.peer), r->peer);
	audit_thing(v->object, "user", clean);
	v->what = what;
	v->job.run = write_lockout;
	v->job.drop = drop_lockout;
	log_warn("sign-ins of \"%s\" from %s are held up after %s", clean, r->peer, what);
	if (writer_put(r->m->writer, &v->job, &e))
		free(v);
}

static void take(struct req *r, struct buckets *b, const char *key, const char *name, const char *what)
{
	buckets_take(b, key, r->now);
	if (buckets_wait_s(b, key, r->now))
		note_lockout(r, key, name, what);
}

bool guess_allowed(struct req *r, const char *name, int64_t account_id)
{
	unsigned wait = buckets_wait_s(r->m->logins, r->peer, r->now);
	char key[SHA256_HEX];

	if (wait) {
		reply_busy(r, 429, wait, "too many failed sign-ins from %s", r->peer);
		return false;
	}
	account_key(key, name);
	wait = buckets_wait_s(r->m->accounts, key, r->now);
	if (!wait || (account_id && auth_knows(r->m->auth, account_id, r->peer, r->now)))
		return true;
	reply_busy(r, 429, wait, "too many failed sign-ins with this name");
	return false;
}

void guess_failed(struct req *r, const char *name, bool known)
{
	const char *told = known ? name : "(unknown)";
	char key[SHA256_HEX];

	account_key(key, name);
	take(r, r->m->logins, r->peer, told, "wrong passwords from this address");
	take(r, r->m->accounts, key, told, "wrong passwords");
}

bool guess_otp_allowed(struct req *r, const char *name)
{
	char key[SHA256_HEX];
	unsigned wait;

	account_key(key, name);
	wait = buckets_wait_s(r->m->otps, key, r->now);
	if (!wait)
		return true;
	reply_busy(r, 429, wait, "too many wrong one-time codes");
	return false;
}

void guess_otp_failed(struct req *r, const char *name)
{
	char key[SHA256_HEX];

	account_key(key, name);
	take(r, r->m->otps, key, name, "wrong one-time codes");
	buckets_take(r->m->logins, r->peer, r->now);
}
