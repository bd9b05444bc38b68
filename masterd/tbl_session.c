/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_session.h"

#include "masterd/tbl_user.h"
#include "shared/mem.h"
#include "shared/str.h"

int tbl_session_add(struct db *db, const struct session *v, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO session(sid,account_id,turn,rotated,created,expires,peer) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7)",
		       e))
		return -1;
	db_set_str(&s, 1, v->sid);
	db_set_int(&s, 2, v->account_id);
	db_set_int(&s, 3, v->turn);
	db_set_int(&s, 4, v->rotated);
	db_set_int(&s, 5, v->created);
	db_set_int(&s, 6, v->expires);
	db_set_str(&s, 7, v->peer);
	return db_run(&s, e);
}

int tbl_session_turn(struct db *db, const char *sid, int64_t turn, int64_t now, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE session SET turn=?1, rotated=?2 WHERE sid=?3", e))
		return -1;
	db_set_int(&s, 1, turn);
	db_set_int(&s, 2, now);
	db_set_str(&s, 3, sid);
	return db_run(&s, e);
}

int tbl_session_drop(struct db *db, const char *sid, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM session WHERE sid=?1", e))
		return -1;
	db_set_str(&s, 1, sid);
	return db_run(&s, e) ? -1 : tbl_auth_touch(db, e);
}

int tbl_session_drop_all(struct db *db, int64_t account_id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM session WHERE account_id=?1", e))
		return -1;
	db_set_int(&s, 1, account_id);
	return db_run(&s, e) ? -1 : tbl_auth_touch(db, e);
}

int tbl_session_trim(struct db *db, int64_t account_id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got, dropped = 0;

	if (db_prepare(db, &s,
		       "DELETE FROM session WHERE sid IN (SELECT sid FROM session WHERE account_id=?1 "
		       "ORDER BY rotated DESC, sid LIMIT 1000000 OFFSET ?2) RETURNING sid",
		       e))
		return -1;
	db_set_int(&s, 1, account_id);
	db_set_int(&s, 2, SESSIONS_MAX);
	while ((got = db_step(&s, e)) > 0)
		dropped++;
	if (got < 0)
		return -1;
	db_done(&s);
	return dropped ? tbl_auth_touch(db, e) : 0;
}

#define COLUMNS "SELECT sid,account_id,turn,rotated,created,expires,peer FROM session WHERE expires>?1"

static void read_session(struct db_stmt *s, struct session *v)
{
	str_cut(v->sid, sizeof(v->sid), db_str(s, 0));
	v->account_id = db_int(s, 1);
	v->turn = db_int(s, 2);
	v->rotated = db_int(s, 3);
	v->created = db_int(s, 4);
	v->expires = db_int(s, 5);
	str_cut(v->peer, sizeof(v->peer), db_str(s, 6));
}

int tbl_session_get(struct db *db, const char *sid, int64_t now, struct session *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, COLUMNS " AND sid=?2", e))
		return -1;
	db_set_int(&s, 1, now);
	db_set_str(&s, 2, sid);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "the session has ended");
	read_session(&s, ret);
	return 0;
}

int tbl_session_list(struct db *db, int64_t now, struct sessions *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, COLUMNS, e))
		return -1;
	db_set_int(&s, 1, now);
	while ((got = db_step(&s, e)) > 0)
		read_session(&s, list_push(ret));
	return got;
}

int tbl_session_expire(struct db *db, int64_t now, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM session WHERE expires<=?1", e))
		return -1;
	db_set_int(&s, 1, now);
	return db_run(&s, e);
}
