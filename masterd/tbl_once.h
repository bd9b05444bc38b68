/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_ONCE_H
#define FELLOE_TBL_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* What an Idempotency-Key stands for: a request and, when it is done, its answer. */
enum { ONCE_OWNER = 96, ONCE_KEY = 129 };

struct once {
	char owner[ONCE_OWNER];   /* whose keys: each user, each token has its own */
	char key[ONCE_KEY];
	uint8_t digest[SHA256_LEN]; /* of method, path and body */
	bool done;                /* false: it is running */
	int64_t at;               /* ms, when it began */
	int status;
	char *sealed;             /* the answer (vault.h); NULL: not kept. Yours */
};

/* ERR_NOTFOUND. */
int tbl_once_get(struct db *db, const char *owner, const char *key, struct once *ret, struct err *e) MUSTCHECK;
/* Replaces what the key stood for. */
int tbl_once_put(struct db *db, const struct once *o, struct err *e) MUSTCHECK;
int tbl_once_drop(struct db *db, const char *owner, const char *key, struct err *e) MUSTCHECK;
/* Forget all of an owner but the newest keep. */
int tbl_once_trim(struct db *db, const char *owner, int64_t keep, struct err *e) MUSTCHECK;
/* Forget all that began before. */
int tbl_once_expire(struct db *db, int64_t before, struct err *e) MUSTCHECK;

#endif
