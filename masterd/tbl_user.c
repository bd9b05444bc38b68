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

static int touch(struct db *db, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE meta SET value=value+1 WHERE name='auth_rev'", e))
		return -1;
	return db_run(&s, e);
}

int tbl_user_add(struct db *db, const struct user *u, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO account(name,password,role,disabled,created,tags) VALUES(?1,?2,?3,0,?4,?5)",
		       e))
		return -1;
	db_set_str(&s, 1, u->name);
	db_set_str(&s, 2, u->password);
	db_set_str(&s, 3, role_name(u->role));
	db_set_int(&s, 4, u->created);
	db_set_str(&s, 5, u->scope.tags[0] ? u->scope.tags : "[]");
	if (!db_run(&s, e))
		return touch(db, e);
	if (e->kind == ERR_CONFLICT)
		return err_set(e, ERR_CONFLICT, "user \"%s\" exists already", u->name);
	return -1;
}

#define USER_COLUMNS "SELECT id,name,password,role,disabled,created,tags FROM account"

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

int tbl_user_set_password(struct db *db, int64_t id, const char *hash, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	CLEANUP(db_done) struct db_stmt end = {0};

	if (db_prepare(db, &s, "UPDATE account SET password=?1 WHERE id=?2", e))
		return -1;
	db_set_str(&s, 1, hash);
	db_set_int(&s, 2, id);
	if (db_run(&s, e))
		return -1;
	if (db_prepare(db, &end, "DELETE FROM session WHERE account_id=?1", e))
		return -1;
	db_set_int(&end, 1, id);
	if (db_run(&end, e))
		return -1;
	return touch(db, e);
}
