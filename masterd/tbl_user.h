/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_USER_H
#define FELLOE_TBL_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/scope.h"
#include "shared/attr.h"
#include "shared/crypt.h"
#include "shared/err.h"
#include "shared/list.h"

/* Accounts of people. Every change raises meta.auth_rev, by which
 * a running master learns of it. */

enum { USER_NAME = 65, USER_SEED = 257 };

/* Each role may all that the ones before it may. ROLE_NODE is a node's key, ROLE_ALL needs nothing. */
enum role { ROLE_ALL, ROLE_NODE, ROLE_VIEWER, ROLE_NODE_ADMIN, ROLE_SUPER_ADMIN, ROLES };

const char *role_name(enum role r);
/* Only the roles of people: "viewer" "node_admin" "super_admin". 0 or -1. */
int role_from(enum role *ret, const char *name) MUSTCHECK;

struct user {
	int64_t id;
	char name[USER_NAME];
	char password[CRYPT_PW_TEXT]; /* hash */
	enum role role;
	bool disabled;
	int64_t created;
	struct scope scope;
	char totp_seed[USER_SEED]; /* sealed by masterd/vault.h, "" none */
	bool totp_on;
	int64_t totp_step;         /* the last one whose code was taken */
};
struct users {
	LIST_OF(struct user);
};

/* Gives u->id. ERR_CONFLICT when the name is taken. */
int tbl_user_add(struct db *db, struct user *u, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND when there is none. */
int tbl_user_get(struct db *db, const char *name, struct user *ret, struct err *e) MUSTCHECK;
int tbl_user_by_id(struct db *db, int64_t id, struct user *ret, struct err *e) MUSTCHECK;
/* By name. */
int tbl_user_list(struct db *db, struct users *ret, struct err *e) MUSTCHECK;
/* By number, those above after. */
int tbl_user_page(struct db *db, int64_t after, int64_t limit, struct users *ret, struct err *e) MUSTCHECK;
/* Role, tags, disabled and all about one-time codes of the user with this number. */
int tbl_user_put(struct db *db, const struct user *u, struct err *e) MUSTCHECK;
/* With sessions, recovery codes and API tokens. */
int tbl_user_drop(struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* How many super_admins can sign in? */
int tbl_user_supers(struct db *db, int64_t *ret, struct err *e) MUSTCHECK;
/* Also ends all sessions of the user. */
int tbl_user_set_password(struct db *db, int64_t id, const char *hash, struct err *e) MUSTCHECK;

/* Something about users, sessions or tokens changed that masters keep in memory. */
int tbl_auth_touch(struct db *db, struct err *e) MUSTCHECK;
int tbl_auth_rev(struct db *db, int64_t *ret, struct err *e) MUSTCHECK;

#endif
