/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/auth.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

struct auth {
	pthread_mutex_t lock;
	struct db_pool *pool;
	const char *secret;
	char nobody[CRYPT_PW_TEXT];
	int64_t rev;
	struct users users;
	struct sessions sessions;
};

static int load(struct auth *a, struct db *db, struct err *e)
{
	struct users users = {0};
	struct sessions sessions = {0};
	int64_t rev;

	if (tbl_auth_rev(db, &rev, e))
		return -1;
	if (rev == a->rev)
		return 0;
	if (tbl_user_list(db, &users, e) || tbl_session_list(db, clock_ms(), &sessions, e)) {
		list_done(&users);
		list_done(&sessions);
		return -1;
	}
	list_done(&a->users);
	list_done(&a->sessions);
	a->users = users;
	a->sessions = sessions;
	a->rev = rev;
	return 0;
}

int auth_poll(struct auth *a, struct err *e)
{
	struct db *db = NULL;
	int rc;

	if (db_pool_take(a->pool, &db, e))
		return -1;
	/* the lock is held while reading: a session that is committed meanwhile
	 * is put into the new list, not into the one that goes */
	pthread_mutex_lock(&a->lock);
	rc = load(a, db, e);
	pthread_mutex_unlock(&a->lock);
	db_pool_give(a->pool, db);
	return rc;
}

int auth_new(struct auth **ret, struct db_pool *pool, const char *secret, struct err *e)
{
	struct auth *a = xcalloc(1, sizeof(*a));
	char random[UUID_TEXT];

	pthread_mutex_init(&a->lock, NULL);
	a->pool = pool;
	a->secret = secret;
	a->rev = -1;
	if (crypt_pw_hash(a->nobody, random_uuid(random), e) || auth_poll(a, e)) {
		auth_free(a);
		return -1;
	}
	*ret = a;
	return 0;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	list_done(&a->users);
	list_done(&a->sessions);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

const char *auth_nobody(const struct auth *a)
{
	return a->nobody;
}

static struct session *find_session(struct auth *a, const char *sid)
{
	for (size_t i = 0; i < a->sessions.n; i++)
		if (str_eq(a->sessions.v[i].sid, sid))
			return &a->sessions.v[i];
	return NULL;
}

/* The session with its user, when both are good. */
static int who_is(struct auth *a, const char *sid, int64_t now, struct session *s, struct who *w, struct err *e)
{
	const struct session *found = find_session(a, sid);

	if (!found || found->expires <= now)
		return err_set(e, ERR_DENIED, "the session has ended: sign in again");
	for (size_t i = 0; i < a->users.n; i++) {
		const struct user *u = &a->users.v[i];

		if (u->id != found->account_id || u->disabled)
			continue;
		*s = *found;
		memset(w, 0, sizeof(*w));
		w->role = u->role;
		w->user_id = u->id;
		w->scope = u->scope;
		str_cut(w->name, sizeof(w->name), u->name);
		str_cut(w->sid, sizeof(w->sid), sid);
		return 0;
	}
	return err_set(e, ERR_DENIED, "the user is disabled or gone");
}

int auth_who(struct auth *a, const char *token, int64_t now_ms, struct who *ret, struct err *e)
{
	struct session s;
	struct jwt j;
	int rc;

	if (jwt_read(&j, token, a->secret, now_ms / 1000, e))
		return -1;
	pthread_mutex_lock(&a->lock);
	rc = who_is(a, j.sid, now_ms, &s, ret, e);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

char *auth_access_token(struct auth *a, const struct who *w, int64_t now_ms)
{
	struct jwt j = {.iat = now_ms / 1000, .exp = now_ms / 1000 + TOKEN_S};

	str_cut(j.sub, sizeof(j.sub), w->name);
	str_cut(j.role, sizeof(j.role), role_name(w->role));
	str_cut(j.sid, sizeof(j.sid), w->sid);
	return jwt_make(&j, a->secret);
}

void auth_session_init(struct session *s, int64_t account_id, const char *peer, int64_t now_ms)
{
	uint8_t random[32];
	char *text;

	memset(s, 0, sizeof(*s));
	random_bytes(random, sizeof(random));
	text = base64url_encode(random, sizeof(random));
	str_cut(s->sid, sizeof(s->sid), text);
	free(text);
	s->account_id = account_id;
	s->turn = 1;
	s->created = s->rotated = now_ms;
	s->expires = now_ms + SESSION_MS;
	str_cut(s->peer, sizeof(s->peer), peer);
}

/* "sid.turn.MAC": MAC over a text that no access token can begin with. */
char *auth_refresh_token(struct auth *a, const char *sid, int64_t turn)
{
	uint8_t mac[SHA256_LEN];
	char signed_text[128], hex[SHA256_HEX];
	int n = snprintf(signed_text, sizeof(signed_text), "felloe-refresh-1.%s.%" PRId64, sid, turn);

	hmac_sha256(mac, a->secret, strlen(a->secret), signed_text, (size_t)n);
	return xasprintf("%s.%" PRId64 ".%s", sid, turn, hex_encode(hex, mac, sizeof(mac)));
}

/* The parts of a token of ours; false when it is none. */
static bool refresh_parts(struct auth *a, const char *token, char *sid, size_t size, int64_t *turn)
{
	CLEANUP(freep) char *copy = xstrndup(token, 200);
	CLEANUP(freep) char *ours = NULL;
	char *first = strchr(copy, '.');
	char *second = first ? strchr(first + 1, '.') : NULL;

	if (!second)
		return false;
	*first = *second = '\0';
	if (str_copy(sid, size, copy) || str_to_i64(turn, first + 1, 1, INT64_MAX - 1))
		return false;
	ours = auth_refresh_token(a, sid, *turn);
	return strlen(ours) == strlen(token) && hash_equal(ours, token, strlen(ours));
}

/* check-size: a token in; a verdict, a session and its user out */
int auth_refresh(struct auth *a, const char *token, int64_t now_ms, enum refresh *ret, struct session *s, struct who *w,
		 struct err *e)
{
	char sid[JWT_SID];
	int64_t turn;
	int rc;

	if (!refresh_parts(a, token, sid, sizeof(sid), &turn))
		return err_set(e, ERR_DENIED, "the refresh token is not valid: sign in again");
	pthread_mutex_lock(&a->lock);
	rc = who_is(a, sid, now_ms, s, w, e);
	pthread_mutex_unlock(&a->lock);
	if (rc)
		return -1;
	if (turn == s->turn)
		*ret = REFRESH_ROTATE;
	else if (turn == s->turn - 1 && now_ms - s->rotated <= REFRESH_GRACE_MS)
		*ret = REFRESH_REPEAT;
	else
		*ret = REFRESH_REUSED;
	return 0;
}

void auth_session_put(struct auth *a, const struct session *s)
{
	struct session *old;

	pthread_mutex_lock(&a->lock);
	old = find_session(a, s->sid);
	if (!old)
		old = list_push(&a->sessions);
	*old = *s;
	pthread_mutex_unlock(&a->lock);
}

void auth_session_drop(struct auth *a, const char *sid)
{
	struct session *s;

	pthread_mutex_lock(&a->lock);
	s = find_session(a, sid);
	if (s)
		*s = a->sessions.v[--a->sessions.n];
	pthread_mutex_unlock(&a->lock);
}
