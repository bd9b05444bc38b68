/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_AUTH_H
#define FELLOE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/jwt.h"
#include "masterd/tbl_session.h"
#include "masterd/tbl_user.h"
#include "shared/attr.h"
#include "shared/err.h"

/* Who asks: users and sessions in memory, looked up at each request, so that a
 * log-out, a disabled user, a lowered role or a new password count at once.
 * Any thread. */
struct auth;

enum { TOKEN_S = 15 * 60, REFRESH_GRACE_MS = 60000 };
#define SESSION_MS (INT64_C(30) * 24 * 3600 * 1000)

struct who {
	enum role role;
	int64_t user_id;
	char name[USER_NAME];     /* user */
	char sid[JWT_SID];
	struct scope scope;       /* the part of the fleet that user sees */
	int64_t node_id;          /* ROLE_NODE */
};

/* secret is lent for the life of the value. */
int auth_new(struct auth **ret, struct db_pool *pool, const char *secret, struct err *e) MUSTCHECK;
void auth_free(struct auth *a);
/* Read users and sessions anew when another process changed them. */
int auth_poll(struct auth *a, struct err *e) MUSTCHECK;

/* The person behind an access token. ERR_DENIED. */
int auth_who(struct auth *a, const char *token, int64_t now_ms, struct who *ret, struct err *e) MUSTCHECK;
/* A fresh access token for a session; yours. */
char *auth_access_token(struct auth *a, const struct who *w, int64_t now_ms);

/* A session to be: random sid, turn 1. */
void auth_session_init(struct session *s, int64_t account_id, const char *peer, int64_t now_ms);
/* The refresh token number turn of a session, made from the secret alone, so
 * that the predecessor can be answered with the same successor; yours. */
char *auth_refresh_token(struct auth *a, const char *sid, int64_t turn);
enum refresh { REFRESH_ROTATE, REFRESH_REPEAT, REFRESH_REUSED };
/* What a refresh token is worth: the newest is rotated; its predecessor gets
 * the newest again for 60 s (a lost answer); an older one was stolen or
 * copied: REFRESH_REUSED, and the caller ends the session. *s and *w are the
 * session and its user. ERR_DENIED for all else. */
int auth_refresh(struct auth *a, const char *token, int64_t now_ms, enum refresh *ret, struct session *s,
		 struct who *w, struct err *e) MUSTCHECK;
/* Tell the memory what was committed. */
void auth_session_put(struct auth *a, const struct session *s);
void auth_session_drop(struct auth *a, const char *sid);
/* A hash that no password fits, for equal work when the user is unknown. */
const char *auth_nobody(const struct auth *a);

#endif
