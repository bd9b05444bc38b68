/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_TOKEN_H
#define FELLOE_TBL_TOKEN_H

#include <stdint.h>

#include "masterd/db.h"
#include "masterd/scope.h"
#include "masterd/tbl_user.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"

/* API tokens, for programs. Of the token itself only the SHA-256 is kept. */

enum { TOKEN_NAME = 49 };

/* What a token may be used for. */
enum token_may { TOKEN_READ = 1, TOKEN_WRITE = 2, TOKEN_METRICS = 4 };

struct token {
	int64_t id;
	char name[TOKEN_NAME];
	uint8_t hash[SHA256_LEN];
	int64_t account_id;       /* who made it */
	char owner[USER_NAME];    /* the same by name; only out of the database */
	enum role role;
	struct scope scope;
	unsigned may;             /* of enum token_may */
	int64_t created, expires;
	int64_t last_used;        /* 0 never */
	char last_peer[64];
};
struct tokens {
	LIST_OF(struct token);
};

/* "read write metrics", those of may; and back: one word, 0 when it is none. */
enum { TOKEN_WORDS = 32 };
const char *token_words(char text[static TOKEN_WORDS], unsigned may);
unsigned token_word(const char *word);

/* Gives t->id. ERR_CONFLICT when the name is taken. These three raise meta.auth_rev. */
int tbl_token_add(struct db *db, struct token *t, struct err *e) MUSTCHECK;
/* Name, role, tags, what it may and expires of t->id. ERR_CONFLICT likewise. */
int tbl_token_put(struct db *db, const struct token *t, struct err *e) MUSTCHECK;
int tbl_token_drop(struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. */
int tbl_token_get(struct db *db, int64_t id, struct token *ret, struct err *e) MUSTCHECK;
/* Upwards from the number after. */
int tbl_token_list(struct db *db, int64_t after, int64_t limit, struct tokens *ret, struct err *e) MUSTCHECK;
int tbl_token_used(struct db *db, int64_t id, int64_t at, const char *peer, struct err *e) MUSTCHECK;

#endif
