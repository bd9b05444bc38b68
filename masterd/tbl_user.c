/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_user.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const roles[ROLES] = {
	[ROLE_ALL] = "all",
	[ROLE_NODE] = "node",
	[ROLE_VIEWER] = "viewer",
	[ROLE_NODE_ADMIN] = "node_admin",
	[ROLE_SUPER_ADMIN] = "super_admin",
};

const char *role_name(enum role r)
{
	return roles[r];
}

int role_from(enum role *ret, const char *name)
{
	for (enum role r = ROLE_VIEWER; r < ROLES; r++)
		if (str_eq(roles[r], name)) {
			*ret = r;
			return 0;
		}
	return -1;
}

int tbl_auth_rev(struct db *db, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT value FROM meta WHERE name='auth_rev'", e))
		return -1;
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_DAMAGED, "the database has no auth_rev");
	*ret = db_int(&s, 0);
	return 0;
}

int tbl_auth_touch(struct db *db, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE meta SET value=value+1 WHERE name='auth_rev'", e))
		return -1;
	return db_run(&s, e);
}

int tbl_user_add(struct db *db, struct user *u, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s,
		       "INSERT INTO account(name,password,role,disabled,created,tags) VALUES(?1,?2,?3,0,?4,?5) "
		       "ON CONFLICT(name) DO NOTHING RETURNING id",
		       e))
		return -1;
	db_set_str(&s, 1, u->name);
	db_set_str(&s, 2, u->password);
	db_set_str(&s, 3, role_name(u->role));
	db_set_int(&s, 4, u->created);
	db_set_str(&s, 5, u->scope.tags[0] ? u->scope.tags : "[]");
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_CONFLICT, "user \"%s\" exists already", u->name);
	u->id = db_int(&s, 0);
	db_done(&s);
	return tbl_auth_touch(db, e);
}

#define USER_COLUMNS "SELECT id,name,password,role,disabled,created,tags,totp_seed,totp_on,totp_step FROM account"

static void read_user(struct db_stmt *s, struct user *u)
{
	u->id = db_int(s, 0);
	str_cut(u->name, sizeof(u->name), db_str(s, 1));
	str_cut(u->password, sizeof(u->password), db_str(s, 2));
	/* a role that we do not know may nothing */
	if (role_from(&u->role, db_str(s, 3)))
		u->role = ROLE_ALL;
	u->disabled = db_int(s, 4) != 0;
	u->created = db_int(s, 5);
	str_cut(u->scope.tags, sizeof(u->scope.tags), db_str(s, 6));
	str_cut(u->totp_seed, sizeof(u->totp_seed), db_str(s, 7));
	u->totp_on = db_int(s, 8) != 0;
	u->totp_step = db_int(s, 9);
}

int tbl_user_get(struct db *db, const char *name, struct user *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, USER_COLUMNS " WHERE name=?1", e))
		return -1;
	db_set_str(&s, 1, name);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no user \"%.64s\"", name);
	read_user(&s, ret);
	return 0;
}

int tbl_user_list(struct db *db, struct users *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, USER_COLUMNS " ORDER BY name", e))
		return -1;
	while ((got = db_step(&s, e)) > 0)
		read_user(&s, list_push(ret));
	return got;
}

int tbl_user_by_id(struct db *db, int64_t id, struct user *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, USER_COLUMNS " WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no user %lld", (long long)id);
	read_user(&s, ret);
	return 0;
}

int tbl_user_page(struct db *db, int64_t after, int64_t limit, struct users *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, USER_COLUMNS " WHERE id>?1 ORDER BY id LIMIT ?2", e))
		return -1;
	db_set_int(&s, 1, after);
	db_set_int(&s, 2, limit);
	while ((got = db_step(&s, e)) > 0)
		read_user(&s, list_push(ret));
	return got;
}

int tbl_user_put(struct db *db, const struct user *u, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "UPDATE account SET role=?1,disabled=?2,tags=?3,totp_seed=?4,totp_on=?5,totp_step=?6 WHERE id=?7", e))
		return -1;
	db_set_str(&s, 1, role_name(u->role));
	db_set_int(&s, 2, u->disabled);
	db_set_str(&s, 3, u->scope.tags[0] ? u->scope.tags : "[]");
	db_set_str(&s, 4, u->totp_seed);
	db_set_int(&s, 5, u->totp_on);
	db_set_int(&s, 6, u->totp_step);
	db_set_int(&s, 7, u->id);
	return db_run(&s, e) ? -1 : tbl_auth_touch(db, e);
}

static int run_for(struct db *db, const char *sql, int64_t id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, sql, e))
		return -1;
	db_set_int(&s, 1, id);
	return db_run(&s, e);
}

int tbl_user_drop(struct db *db, int64_t id, struct err *e)
{
	if (run_for(db, "DELETE FROM session WHERE account_id=?1", id, e) ||
	    run_for(db, "DELETE FROM recovery_code WHERE account_id=?1", id, e) ||
	    run_for(db, "DELETE FROM api_token WHERE account_id=?1", id, e) ||
	    run_for(db, "DELETE FROM account WHERE id=?1", id, e))
		return -1;
	return tbl_auth_touch(db, e);
}

int tbl_user_supers(struct db *db, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "SELECT count(*) FROM account WHERE role='super_admin' AND disabled=0", e) ||
	    db_step(&s, e) < 0)
		return -1;
	*ret = db_int(&s, 0);
	return 0;
}

int tbl_user_set_password(struct db *db, int64_t id, const char *hash, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE account SET password=?1 WHERE id=?2", e))
		return -1;
	db_set_str(&s, 1, hash);
	db_set_int(&s, 2, id);
	if (db_run(&s, e) || run_for(db, "DELETE FROM session WHERE account_id=?1", id, e))
		return -1;
	return tbl_auth_touch(db, e);
}
