/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_user.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "masterd/tbl_session.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

int user_judge_password(const char *name, const char *password, struct err *e)
{
	size_t n = strlen(password);

	if (n < PASSWORD_MIN || n > PW_MAX)
		return err_set(e, ERR_INVALID, "a password has %d to %d bytes, this one has %zu", PASSWORD_MIN, PW_MAX, n);
	if (strlen(name) >= 4 && strcasestr(password, name))
		return err_set(e, ERR_INVALID, "a password may not hold the user name");
	if (strspn(password, (const char[]){password[0], '\0'}) == n)
		return err_set(e, ERR_INVALID, "a password may not be one character again and again");
	return 0;
}

char *user_make_password(char text[static PASSWORD_MADE])
{
	static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789A";
	uint8_t random[PASSWORD_MADE - 1];

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		text[i] = alphabet[random[i] & 31];
	text[PASSWORD_MADE - 1] = '\0';
	mem_wipe(random, sizeof(random));
	return text;
}

static int judge_scope(const struct user *u, struct err *e)
{
	if (u->role == ROLE_SUPER_ADMIN && !scope_is_all(&u->scope))
		return err_set(e, ERR_INVALID, "a super_admin is not limited to tags: take the tags away, or make %s a "
			       "node_admin", u->name);
	return 0;
}

int user_add(struct db *db, const struct actor *a, struct user *u, struct err *e)
{
	char object[AUDIT_OBJECT];

	if (judge_scope(u, e) || tbl_user_add(db, u, e))
		return -1;
	return AUDIT(db, a, e, "user.add", audit_thing(object, "user", u->name), "role", role_name(u->role), "tags",
		     u->scope.tags[0] ? u->scope.tags : "[]");
}

/* Somebody must be able to let the others in again. */
static int keep_one_super(struct db *db, struct err *e)
{
	int64_t left;

	if (tbl_user_supers(db, &left, e))
		return -1;
	return left ? 0 : err_set(e, ERR_CONFLICT, "no super_admin who can sign in would be left");
}

static int take_change(struct user *u, const struct user_change *c, struct err *e)
{
	if (c->role && role_from(&u->role, c->role))
		return err_set(e, ERR_INVALID, "role \"%.40s\": use viewer, node_admin or super_admin", c->role);
	if (c->tags && str_copy(u->scope.tags, sizeof(u->scope.tags), c->tags))
		return err_set(e, ERR_INVALID, "the tags are too long");
	if (c->disabled >= 0)
		u->disabled = c->disabled;
	if (c->totp_off) {
		u->totp_on = false;
		u->totp_seed[0] = '\0';
	}
	return judge_scope(u, e);
}

/* check-size: who changes what of whom, and what comes out */
int user_change(struct db *db, const struct actor *a, int64_t id, const struct user_change *c, struct user *ret,
		struct err *e)
{
	char object[AUDIT_OBJECT];
	struct user was;

	if (tbl_user_by_id(db, id, &was, e))
		return -1;
	*ret = was;
	if (take_change(ret, c, e) || tbl_user_put(db, ret, e))
		return -1;
	if ((c->totp_off && tbl_recovery_clear(db, id, e)) || (ret->disabled && tbl_session_drop_all(db, id, e)) ||
	    (c->password && tbl_user_set_password(db, id, c->password, e)) || keep_one_super(db, e))
		return -1;
	return AUDIT(db, a, e, "user.change", audit_thing(object, "user", ret->name), "role",
		     c->role ? role_name(ret->role) : NULL, "role_before", c->role ? role_name(was.role) : NULL, "tags",
		     c->tags, "tags_before", c->tags ? was.scope.tags : NULL, "disabled",
		     c->disabled < 0 ? NULL : (c->disabled ? "true" : "false"), "password", c->password ? "new" : NULL,
		     "totp", c->totp_off ? "off" : NULL);
}

int user_drop(struct db *db, const struct actor *a, int64_t id, struct err *e)
{
	char object[AUDIT_OBJECT];
	struct user u;

	if (tbl_user_by_id(db, id, &u, e) || tbl_user_drop(db, id, e) || keep_one_super(db, e))
		return -1;
	return AUDIT(db, a, e, "user.delete", audit_thing(object, "user", u.name), "role", role_name(u.role));
}

/* ---- one-time codes */

static void seed_label(char label[static 32], int64_t id)
{
	snprintf(label, 32, "totp %" PRId64, id);
}

static int open_seed(uint8_t seed[static TOTP_SEED], const char *jwt_secret, const struct user *u, struct err *e)
{
	char label[32], *plain = NULL;
	size_t n;

	seed_label(label, u->id);
	if (vault_open(&plain, &n, jwt_secret, label, u->totp_seed, e))
		return -1;
	if (n == TOTP_SEED)
		memcpy(seed, plain, n);
	mem_wipe(plain, n);
	free(plain);
	return n == TOTP_SEED ? 0 : err_set(e, ERR_DAMAGED, "the seed of the one-time codes of %s is damaged", u->name);
}

/* The step of the code, above the last one that was taken. */
static int fitting_step(const struct user *u, const char *jwt_secret, const char *otp, int64_t now, int64_t *step,
			struct err *e)
{
	uint8_t seed[TOTP_SEED];
	bool fits;

	if (open_seed(seed, jwt_secret, u, e))
		return -1;
	fits = totp_fits(seed, otp, now, u->totp_step, step);
	mem_wipe(seed, sizeof(seed));
	return fits ? 0 : err_set(e, ERR_DENIED, "the one-time code is wrong, old, or was used before");
}

/* check-size: whose code, which one, when */
int user_take_otp(struct db *db, const char *jwt_secret, struct user *u, const char *otp, int64_t now, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	bool had = false;

	if (recovery_hash(hash, jwt_secret, u->id, otp)) {
		if (tbl_recovery_take(db, u->id, hash, &had, e))
			return -1;
		return had ? 0 : err_set(e, ERR_DENIED, "the recovery code is wrong, or was used before");
	}
	if (fitting_step(u, jwt_secret, otp, now, &u->totp_step, e))
		return -1;
	return tbl_user_put(db, u, e);
}

int user_new_seed(struct db *db, const char *jwt_secret, int64_t id, char text[static TOTP_TEXT], struct err *e)
{
	CLEANUP(freep) char *sealed = NULL;
	uint8_t seed[TOTP_SEED];
	char label[32];
	struct user u;

	if (tbl_user_by_id(db, id, &u, e))
		return -1;
	if (u.totp_on)
		return err_set(e, ERR_CONFLICT, "one-time codes are on already: switch them off first");
	random_bytes(seed, sizeof(seed));
	seed_label(label, id);
	sealed = vault_seal(jwt_secret, label, seed, sizeof(seed));
	totp_base32(text, seed);
	mem_wipe(seed, sizeof(seed));
	u.totp_step = 0;
	if (str_copy(u.totp_seed, sizeof(u.totp_seed), sealed))
		return err_set(e, ERR_INTERNAL, "a sealed seed is longer than its column");
	return tbl_user_put(db, &u, e);
}

static int new_recovery_codes(struct db *db, const char *jwt_secret, int64_t id, struct recovery_codes *ret,
			      struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (tbl_recovery_clear(db, id, e))
		return -1;
	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		if (!recovery_hash(hash, jwt_secret, id, recovery_code(ret->v[i])))
			return err_set(e, ERR_INTERNAL, "a recovery code that is none");
		if (tbl_recovery_add(db, id, hash, e))
			return -1;
	}
	return 0;
}

/* check-size: who, whose, which code, and what comes out */
int user_totp_on(struct db *db, const char *jwt_secret, const struct actor *a, struct user *u, const char *otp,
		 struct recovery_codes *ret, struct err *e)
{
	char object[AUDIT_OBJECT];

	if (tbl_user_by_id(db, u->id, u, e))
		return -1;
	if (u->totp_on)
		return err_set(e, ERR_CONFLICT, "one-time codes are on already");
	if (!u->totp_seed[0])
		return err_set(e, ERR_CONFLICT, "there is no seed yet: ask for one first");
	if (fitting_step(u, jwt_secret, otp, a->at, &u->totp_step, e))
		return -1;
	u->totp_on = true;
	if (tbl_user_put(db, u, e) || new_recovery_codes(db, jwt_secret, u->id, ret, e))
		return -1;
	return AUDIT(db, a, e, "user.totp_on", audit_thing(object, "user", u->name));
}
