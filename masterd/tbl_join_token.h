/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_JOIN_TOKEN_H
#define FELLOE_TBL_JOIN_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/wire.h"

/* Tokens that a machine shows when it asks to join. Only their SHA-256 is kept. */
struct join_token {
	int64_t id;
	char name[WIRE_NAME];
	uint8_t hash[SHA256_LEN];
	int64_t created, expires, last_used; /* last_used 0: never */
	char created_by[65];
	int64_t uses, used;       /* how many machines it lets ask, and how many have */
	char *tags;               /* JSON array of texts, for each of them */
	bool pre_approved;        /* they need nobody's approval */
};
void join_token_done(struct join_token *t);

/* Gives t->id. */
int tbl_join_token_add(struct db *db, struct join_token *t, struct err *e) MUSTCHECK;
/* Upwards from the number after, at most max; each returns non-zero to stop. */
int tbl_join_token_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct join_token *t),
			void *ctx, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. */
int tbl_join_token_get(struct db *db, int64_t id, struct join_token *ret, struct err *e) MUSTCHECK;
/* Name, expires, uses, tags and pre_approved of t->id. */
int tbl_join_token_put(struct db *db, const struct join_token *t, struct err *e) MUSTCHECK;
/* *ret as it was. ERR_NOTFOUND. */
int tbl_join_token_drop(struct db *db, int64_t id, struct join_token *ret, struct err *e) MUSTCHECK;
/* One machine more has come with it. ERR_FORBIDDEN says whether it is unknown, expired or used up. */
int tbl_join_token_use(struct db *db, const uint8_t hash[static SHA256_LEN], int64_t now, struct join_token *ret,
		       struct err *e) MUSTCHECK;
/* Forget those that expired before. */
int tbl_join_token_expire(struct db *db, int64_t before, struct err *e) MUSTCHECK;

#endif
