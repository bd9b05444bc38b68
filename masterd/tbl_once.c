/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_once.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

int tbl_once_get(struct db *db, const char *owner, const char *key, struct once *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	const void *digest;
	size_t n;
	int step;

	if (db_prepare(db, &s, "SELECT digest,done,at,status,answer FROM idempotency WHERE owner=?1 AND name=?2", e))
		return -1;
	db_set_str(&s, 1, owner);
	db_set_str(&s, 2, key);
	step = db_step(&s, e);
	if (step <= 0)
		return step < 0 ? -1 : err_set(e, ERR_NOTFOUND, "this key is new");
	memset(ret, 0, sizeof(*ret));
	str_cut(ret->owner, sizeof(ret->owner), owner);
	str_cut(ret->key, sizeof(ret->key), key);
	digest = db_blob(&s, 0, &n);
	if (digest && n == sizeof(ret->digest))
		memcpy(ret->digest, digest, n);
	ret->done = db_int(&s, 1) != 0;
	ret->at = db_int(&s, 2);
	ret->status = (int)db_int(&s, 3);
	ret->sealed = db_is_null(&s, 4) ? NULL : xstrdup(db_str(&s, 4));
	return 0;
}

int tbl_once_put(struct db *db, const struct once *o, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO idempotency(owner,name,digest,done,at,status,answer) VALUES(?1,?2,?3,?4,?5,?6,?7)"
		       " ON CONFLICT(owner,name) DO UPDATE SET digest=excluded.digest, done=excluded.done, at=excluded.at,"
		       " status=excluded.status, answer=excluded.answer",
		       e))
		return -1;
	db_set_str(&s, 1, o->owner);
	db_set_str(&s, 2, o->key);
	db_set_blob(&s, 3, o->digest, sizeof(o->digest));
	db_set_int(&s, 4, o->done);
	db_set_int(&s, 5, o->at);
	db_set_int(&s, 6, o->status);
	db_set_str(&s, 7, o->sealed);
	return db_run(&s, e);
}

int tbl_once_drop(struct db *db, const char *owner, const char *key, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM idempotency WHERE owner=?1 AND name=?2", e))
		return -1;
	db_set_str(&s, 1, owner);
	db_set_str(&s, 2, key);
	return db_run(&s, e);
}

int tbl_once_trim(struct db *db, const char *owner, int64_t keep, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "DELETE FROM idempotency WHERE owner=?1 AND at<=(SELECT at FROM idempotency WHERE owner=?1"
		       " ORDER BY at DESC LIMIT 1 OFFSET ?2)",
		       e))
		return -1;
	db_set_str(&s, 1, owner);
	db_set_int(&s, 2, keep);
	return db_run(&s, e);
}

int tbl_once_expire(struct db *db, int64_t before, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM idempotency WHERE at<?1", e))
		return -1;
	db_set_int(&s, 1, before);
	return db_run(&s, e);
}
