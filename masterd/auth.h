/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_AUTH_H
#define FELLOE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/jwt.h"
#include "masterd/tbl_session.h"
#include "masterd/tbl_token.h"
#include "masterd/tbl_user.h"
#include "shared/attr.h"
#include "shared/err.h"

/* Who asks: users, sessions and API tokens in memory, looked up at each request,
 * so that a log-out, a disabled user, a changed role or a new password count at
 * once. Any thread. */
struct auth;

enum { TOKEN_S = 15 * 60, REFRESH_GRACE_MS = 60000 };
#define SESSION_MS (INT64_C(30) * 24 * 3600 * 1000)
/* What every API token begins with. */
#define API_TOKEN_PREFIX "flt_"

struct who {
	enum role role;
	int64_t user_id;          /* of a token: who made it */
	char name[USER_NAME];     /* user, or "token:NAME" */
	char sid[JWT_SID];        /* "" for a token */
	struct scope scope;       /* the part of the fleet that user sees */
	int64_t node_id;          /* ROLE_NODE */
	int64_t token_id;         /* 0: a person, or a node */
	unsigned may;             /* of a token: enum token_may */
};

/* secret is lent for the life of the value. */
int auth_new(struct auth **ret, struct db_pool *pool, const char *secret, struct err *e) MUSTCHECK;
void auth_free(struct auth *a);
/* Read users and sessions anew when another process changed them. */
int auth_poll(struct auth *a, struct err *e) MUSTCHECK;

/* The person behind an access token, or behind an API token ("flt_..."); *use: the
 * use of that one is to be noted (once a minute). ERR_DENIED. A session that the memory
 * does not know is looked for in the database once (another master began it). */
int auth_bearer(struct auth *a, const char *bearer, int64_t now_ms, struct who *ret, bool *use,
		struct err *e) MUSTCHECK;
/* A user out of the database as who asks in the session sid. */
void auth_fill(struct who *w, const struct user *u, const char *sid);
/* A fresh access token for a session; yours. */
char *auth_access_token(struct auth *a, const struct who *w, int64_t now_ms);

/* A session to be: random sid, turn 1. */
void auth_session_init(struct session *s, int64_t account_id, const char *peer, int64_t now_ms);
/* The refresh token number turn of a session, made from the secret alone, so
 * that the predecessor can be answered with the same successor; yours. */
char *auth_refresh_token(struct auth *a, const char *sid, int64_t turn);
/* Session and number of a refresh token of ours. ERR_DENIED for all else. */
int auth_refresh_read(struct auth *a, const char *token, char sid[static JWT_SID], int64_t *turn,
		      struct err *e) MUSTCHECK;
enum refresh { REFRESH_ROTATE, REFRESH_REPEAT, REFRESH_REUSED };
/* What the refresh token number turn is worth for the session as it stands in
 * the database: the newest is rotated; its predecessor gets the newest again for
 * 60 s (a lost answer); an older one was stolen or copied: REFRESH_REUSED, and
 * the caller ends the session. */
enum refresh auth_refresh_worth(const struct session *s, int64_t turn, int64_t now_ms);
/* Tell the memory what was committed. */
void auth_session_put(struct auth *a, const struct session *s);
void auth_session_drop(struct auth *a, const char *sid);
/* Users, tokens or several sessions were changed: read them anew (logged when it fails: auth_poll tries again). */
void auth_changed(struct auth *a);
/* Is the account signed in from this address? */
bool auth_knows(struct auth *a, int64_t account_id, const char *peer, int64_t now_ms);
/* A hash that no password fits, for equal work when the user is unknown. */
const char *auth_nobody(const struct auth *a);

#endif
