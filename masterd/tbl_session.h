/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_SESSION_H
#define FELLOE_TBL_SESSION_H

#include <stdint.h>

#include "masterd/db.h"
#include "masterd/jwt.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/list.h"

/* Sign-ins: one row a family of refresh tokens, of which only the newest
 * number (turn) is kept. */
struct session {
	char sid[JWT_SID];
	int64_t account_id;
	int64_t turn, rotated;   /* number of the newest refresh token, and since when */
	int64_t created, expires;
	char peer[64];
};
struct sessions {
	LIST_OF(struct session);
};

/* A row; its sid is new. */
int tbl_session_add(struct db *db, const struct session *s, struct err *e) MUSTCHECK;
/* The refresh token number turn is the newest from now on. */
int tbl_session_turn(struct db *db, const char *sid, int64_t turn, int64_t now, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND, also when it has expired. */
int tbl_session_get(struct db *db, const char *sid, int64_t now, struct session *ret, struct err *e) MUSTCHECK;
/* These two raise meta.auth_rev: other masters forget them within a second. */
int tbl_session_drop(struct db *db, const char *sid, struct err *e) MUSTCHECK;
int tbl_session_drop_all(struct db *db, int64_t account_id, struct err *e) MUSTCHECK;
/* Of the account only the SESSIONS_MAX newest stay: a script that signs in every
 * minute and never out would fill our memory. */
enum { SESSIONS_MAX = 100 };
int tbl_session_trim(struct db *db, int64_t account_id, struct err *e) MUSTCHECK;
/* Those that have not expired. */
int tbl_session_list(struct db *db, int64_t now, struct sessions *ret, struct err *e) MUSTCHECK;
int tbl_session_expire(struct db *db, int64_t now, struct err *e) MUSTCHECK;

#endif
