/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_TOKEN_H
#define FELLOE_SVC_TOKEN_H

#include <stdint.h>

#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/tbl_token.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The rules about API tokens. */

enum { API_TOKEN_TEXT = 48, TOKENS_MAX = 1000 };
#define API_TOKEN_LIVES_MS (INT64_C(366) * 24 * 3600 * 1000)

/* "flt_" and 256 random bits. Returns text. */
char *token_make(char text[static API_TOKEN_TEXT]);
/* Inside a job: t: all but id, created_by. The maker may still do this. */
int token_add(struct db *db, const struct actor *a, struct token *t, struct err *e) MUSTCHECK;
/* What a change gives the token to.id; what it does not give stays: name "", may 0, expires 0. */
struct token_change {
	struct token to;
	bool role, tags;          /* given */
};
/* *ret as it is then. ERR_NOTFOUND, ERR_CONFLICT, ERR_FORBIDDEN above its maker's role, ERR_INVALID. */
int token_change(struct db *db, const struct actor *a, const struct token_change *c, struct token *ret,
		 struct err *e) MUSTCHECK;
int token_drop(struct db *db, const struct actor *a, int64_t id, struct err *e) MUSTCHECK;
/* Note that it was used. Nobody waits. */
void token_used(struct master *m, int64_t id, const char *peer, int64_t now);

#endif
