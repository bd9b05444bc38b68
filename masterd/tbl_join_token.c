/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_join_token.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

void join_token_done(struct join_token *t)
{
	free(t->tags);
	t->tags = NULL;
}

int tbl_join_token_add(struct db *db, struct join_token *t, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO join_token(name,hash,created,created_by,expires,uses,tags,pre_approved) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8) RETURNING id",
		       e))
		return -1;
	db_set_str(&s, 1, t->name);
	db_set_blob(&s, 2, t->hash, sizeof(t->hash));
	db_set_int(&s, 3, t->created);
	db_set_str(&s, 4, t->created_by);
	db_set_int(&s, 5, t->expires);
	db_set_int(&s, 6, t->uses);
	db_set_str(&s, 7, t->tags ? t->tags : "[]");
	db_set_int(&s, 8, t->pre_approved);
	if (db_step(&s, e) <= 0)
		return -1;
	t->id = db_int(&s, 0);
	return 0;
}

#define TOKEN_COLUMNS "SELECT id,name,created,created_by,expires,uses,used,last_used,tags,pre_approved FROM join_token "

static void read_token(struct db_stmt *s, struct join_token *t)
{
	memset(t, 0, sizeof(*t));
	t->id = db_int(s, 0);
	str_cut(t->name, sizeof(t->name), db_str(s, 1));
	t->created = db_int(s, 2);
	str_cut(t->created_by, sizeof(t->created_by), db_str(s, 3));
	t->expires = db_int(s, 4);
	t->uses = db_int(s, 5);
	t->used = db_int(s, 6);
	t->last_used = db_int(s, 7);
	t->tags = xstrdup(db_str(s, 8));
	t->pre_approved = db_int(s, 9) != 0;
}

/* check-size: which rows, and who takes them */
int tbl_join_token_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct join_token *t),
			void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got, stop = 0;

	if (db_prepare(db, &s, TOKEN_COLUMNS "WHERE id>?1 ORDER BY id LIMIT ?2", e))
		return -1;
	db_set_int(&s, 1, after);
	db_set_int(&s, 2, max);
	while (!stop && (got = db_step(&s, e)) > 0) {
		struct join_token t;

		read_token(&s, &t);
		stop = each(ctx, &t);
		join_token_done(&t);
	}
	return stop ? 0 : got;
}

static int change_one(struct db *db, const char *text, int64_t id, int64_t now, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, text, e))
		return -1;
	db_set_int(&s, 1, id);
	if (now)
		db_set_int(&s, 2, now);
	return db_run(&s, e);
}

int tbl_join_token_get(struct db *db, int64_t id, struct join_token *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, TOKEN_COLUMNS "WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no join token %lld", (long long)id);
	read_token(&s, ret);
	return 0;
}

int tbl_join_token_put(struct db *db, const struct join_token *t, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE join_token SET name=?2,expires=?3,uses=?4,tags=?5,pre_approved=?6 WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, t->id);
	db_set_str(&s, 2, t->name);
	db_set_int(&s, 3, t->expires);
	db_set_int(&s, 4, t->uses);
	db_set_str(&s, 5, t->tags);
	db_set_int(&s, 6, t->pre_approved);
	return db_run(&s, e);
}

int tbl_join_token_drop(struct db *db, int64_t id, struct join_token *ret, struct err *e)
{
	return tbl_join_token_get(db, id, ret, e) ? -1 : change_one(db, "DELETE FROM join_token WHERE id=?1", id, 0, e);
}

int tbl_join_token_use(struct db *db, const uint8_t hash[static SHA256_LEN], int64_t now, struct join_token *ret,
		       struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	char span[UNITS_TEXT];
	int got;

	if (db_prepare(db, &s, TOKEN_COLUMNS "WHERE hash=?1", e))
		return -1;
	db_set_blob(&s, 1, hash, SHA256_LEN);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_FORBIDDEN, "this join token is not known here: ask an admin for a new one");
	read_token(&s, ret);
	if (ret->expires <= now)
		return err_set(e, ERR_FORBIDDEN, "the join token %s expired %s ago: ask an admin for a new one", ret->name,
			       units_span(span, now - ret->expires));
	if (ret->used >= ret->uses)
		return err_set(e, ERR_FORBIDDEN, "the join token %s is used up (%lld of %lld): ask an admin for a new one",
			       ret->name, (long long)ret->used, (long long)ret->uses);
	return change_one(db, "UPDATE join_token SET used=used+1, last_used=?2 WHERE id=?1", ret->id, now, e);
}

int tbl_join_token_expire(struct db *db, int64_t before, struct err *e)
{
	return change_one(db, "DELETE FROM join_token WHERE expires<?1", before, 0, e);
}
