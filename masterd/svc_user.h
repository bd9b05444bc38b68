/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_USER_H
#define FELLOE_SVC_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/tbl_recovery.h"
#include "masterd/tbl_user.h"
#include "masterd/totp.h"
#include "masterd/vault.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The rules about people, for requests and for the command line. Each call works
 * inside a transaction after db_rules and writes the audit trail; when it fails
 * the transaction (or savepoint) is to be rolled back. */

enum { PASSWORD_MIN = 10, PASSWORD_MADE = 19 };

/* May name have this password? ERR_INVALID says why not. */
int user_judge_password(const char *name, const char *password, struct err *e) MUSTCHECK;
/* 18 of 32 letters and digits that are not mistaken for each other (90 bits). Returns text. */
char *user_make_password(char text[static PASSWORD_MADE]);

/* u: name, password (hash), role, scope; gives u->id. */
int user_add(struct db *db, const struct actor *a, struct user *u, struct err *e) MUSTCHECK;

struct user_change {
	const char *role;         /* its name; NULL as it is */
	const char *tags;         /* JSON array of texts; NULL as they are */
	int disabled;             /* 0 no, 1 yes, -1 as it is */
	const char *password;     /* hash; NULL as it is */
	bool totp_off;
};
/* *ret: the user as it is then. ERR_CONFLICT: no super_admin would be left. */
int user_change(struct db *db, const struct actor *a, int64_t id, const struct user_change *c, struct user *ret,
		struct err *e) MUSTCHECK;
int user_drop(struct db *db, const struct actor *a, int64_t id, struct err *e) MUSTCHECK;

/* ---- one-time codes */

enum { OTP_TEXT = 33 };

/* Take a code (or a recovery code) of the user, once. ERR_DENIED. */
int user_take_otp(struct db *db, const char *jwt_secret, struct user *u, const char *otp, int64_t now,
		  struct err *e) MUSTCHECK;
/* A new seed for a user whose codes are off; base32 in text. ERR_CONFLICT when they are on. */
int user_new_seed(struct db *db, const char *jwt_secret, int64_t id, char text[static TOTP_TEXT],
		  struct err *e) MUSTCHECK;
/* otp proves that the seed arrived: codes are on from now, with these recovery codes. */
struct recovery_codes {
	char v[RECOVERY_CODES][RECOVERY_TEXT];
};
int user_totp_on(struct db *db, const char *jwt_secret, const struct actor *a, struct user *u, const char *otp,
		 struct recovery_codes *ret, struct err *e) MUSTCHECK;

#endif
