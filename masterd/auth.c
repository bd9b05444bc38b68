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
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { MISSES = 64, MISS_MS = 2000, USE_MS = 60000 };

struct auth {
	pthread_mutex_t lock;
	struct db_pool *pool;
	const char *secret;
	char nobody[CRYPT_PW_TEXT];
	int64_t rev;
	struct users users;
	struct sessions sessions;
	struct tokens tokens;
	/* sessions that the database did not have a moment ago */
	struct {
		char sid[JWT_SID];
		int64_t at;
	} misses[MISSES];
	unsigned next_miss;
};

static int load(struct auth *a, struct db *db, struct err *e)
{
	struct users users = {0};
	struct sessions sessions = {0};
	struct tokens tokens = {0};
	int64_t rev;

	if (tbl_auth_rev(db, &rev, e))
		return -1;
	if (rev == a->rev)
		return 0;
	if (tbl_user_list(db, &users, e) || tbl_session_list(db, clock_ms(), &sessions, e) ||
	    tbl_token_list(db, 0, INT64_MAX, &tokens, e)) {
		list_done(&users);
		list_done(&sessions);
		list_done(&tokens);
		return -1;
	}
	list_done(&a->users);
	list_done(&a->sessions);
	list_done(&a->tokens);
	a->users = users;
	a->sessions = sessions;
	a->tokens = tokens;
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
	list_done(&a->tokens);
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

static const struct user *find_user(const struct auth *a, int64_t id)
{
	for (size_t i = 0; i < a->users.n; i++)
		if (a->users.v[i].id == id)
			return &a->users.v[i];
	return NULL;
}

void auth_fill(struct who *w, const struct user *u, const char *sid)
{
	memset(w, 0, sizeof(*w));
	w->role = u->role;
	w->user_id = u->id;
	w->scope = u->scope;
	w->scope.untagged = u->role >= ROLE_NODE_ADMIN;
	str_cut(w->name, sizeof(w->name), u->name);
	str_cut(w->sid, sizeof(w->sid), sid);
}

enum known { KNOWN, ENDED, UNKNOWN };

/* The user of the session, when both are good. */
static enum known who_is(struct auth *a, const char *sid, int64_t now, struct who *w)
{
	const struct session *s = find_session(a, sid);
	const struct user *u = s ? find_user(a, s->account_id) : NULL;

	if (!u)
		return UNKNOWN;
	if (u->disabled || s->expires <= now)
		return ENDED;
	auth_fill(w, u, sid);
	return KNOWN;
}

static bool missed(const struct auth *a, const char *sid, int64_t now)
{
	for (size_t i = 0; i < MISSES; i++)
		if (now - a->misses[i].at < MISS_MS && now >= a->misses[i].at && str_eq(a->misses[i].sid, sid))
			return true;
	return false;
}

/* Another master may have begun it a moment ago, for a user who is as new. */
static int look_up(struct auth *a, const char *sid, int64_t now, struct err *e)
{
	struct db *db = NULL;
	struct session s;
	int rc;

	if (db_pool_take(a->pool, &db, e))
		return -1;
	rc = load(a, db, e);
	if (!rc && !find_session(a, sid)) {
		rc = tbl_session_get(db, sid, now, &s, e);
		if (!rc)
			*list_push(&a->sessions) = s;
	}
	db_pool_give(a->pool, db);
	return rc && e->kind != ERR_NOTFOUND ? -1 : 0;
}

static int find_who(struct auth *a, const char *sid, int64_t now, struct who *ret, struct err *e)
{
	enum known k = who_is(a, sid, now, ret);

	if (k == UNKNOWN && !missed(a, sid, now)) {
		if (look_up(a, sid, now, e))
			return -1;
		k = who_is(a, sid, now, ret);
		if (k == UNKNOWN) {
			str_cut(a->misses[a->next_miss].sid, JWT_SID, sid);
			a->misses[a->next_miss].at = now;
			a->next_miss = (a->next_miss + 1) % MISSES;
		}
	}
	if (k == KNOWN)
		return 0;
	return err_set(e, ERR_DENIED, "the session has ended: sign in again");
}

static int who_by_session(struct auth *a, const char *token, int64_t now_ms, struct who *ret, struct err *e)
{
	struct jwt j;
	int rc;

	if (jwt_read(&j, token, a->secret, now_ms / 1000, e))
		return -1;
	pthread_mutex_lock(&a->lock);
	rc = find_who(a, j.sid, now_ms, ret, e);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

static struct token *find_token(struct auth *a, const uint8_t hash[static SHA256_LEN])
{
	for (size_t i = 0; i < a->tokens.n; i++)
		if (hash_equal(a->tokens.v[i].hash, hash, SHA256_LEN))
			return &a->tokens.v[i];
	return NULL;
}

/* A token never may more than who made it. */
static int token_is(struct auth *a, struct token *t, int64_t now, struct who *w, bool *use, struct err *e)
{
	const struct user *u = t ? find_user(a, t->account_id) : NULL;

	if (!u)
		return err_set(e, ERR_DENIED, "the API token is not known");
	if (t->expires <= now)
		return err_set(e, ERR_DENIED, "the API token has expired");
	if (u->disabled)
		return err_set(e, ERR_DENIED, "the user who made this API token is disabled");
	memset(w, 0, sizeof(*w));
	w->role = t->role < u->role ? t->role : u->role;
	w->user_id = u->id;
	w->token_id = t->id;
	w->may = t->may;
	w->scope = t->scope;
	scope_narrow(&w->scope, &u->scope);
	w->scope.untagged = w->role >= ROLE_NODE_ADMIN;
	snprintf(w->name, sizeof(w->name), "token:%s", t->name);
	*use = now - t->last_used >= USE_MS;
	if (*use)
		t->last_used = now;
	return 0;
}

/* check-size: as auth_bearer */
static int who_by_token(struct auth *a, const char *token, int64_t now_ms, struct who *ret, bool *use, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	int rc;

	sha256(hash, token, strlen(token));
	pthread_mutex_lock(&a->lock);
	rc = token_is(a, find_token(a, hash), now_ms, ret, use, e);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

/* check-size: who asks, when, and whether to note it */
int auth_bearer(struct auth *a, const char *bearer, int64_t now_ms, struct who *ret, bool *use, struct err *e)
{
	*use = false;
	if (str_starts(bearer, API_TOKEN_PREFIX))
		return who_by_token(a, bearer, now_ms, ret, use, e);
	return who_by_session(a, bearer, now_ms, ret, e);
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

int auth_refresh_read(struct auth *a, const char *token, char sid[static JWT_SID], int64_t *turn, struct err *e)
{
	if (refresh_parts(a, token, sid, JWT_SID, turn))
		return 0;
	return err_set(e, ERR_DENIED, "the refresh token is not valid: sign in again");
}

enum refresh auth_refresh_worth(const struct session *s, int64_t turn, int64_t now_ms)
{
	if (turn == s->turn)
		return REFRESH_ROTATE;
	if (turn == s->turn - 1 && now_ms - s->rotated <= REFRESH_GRACE_MS)
		return REFRESH_REPEAT;
	return REFRESH_REUSED;
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

void auth_changed(struct auth *a)
{
	struct err e;

	if (auth_poll(a, &e))
		log_error("users: %s", e.msg);
}

bool auth_knows(struct auth *a, int64_t account_id, const char *peer, int64_t now_ms)
{
	bool knows = false;

	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->sessions.n && !knows; i++) {
		const struct session *s = &a->sessions.v[i];

		knows = s->account_id == account_id && s->expires > now_ms && str_eq(s->peer, peer);
	}
	pthread_mutex_unlock(&a->lock);
	return knows;
}
