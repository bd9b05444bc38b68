/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_lease.h"

#include "shared/mem.h"

int tbl_lease_take(struct db *db, const struct lease *l, bool *got, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int step;

	if (db_prepare(db, &s,
		       "INSERT INTO lease(name,holder,until) VALUES(?1,?2,?3) ON CONFLICT(name) DO UPDATE SET "
		       "holder=excluded.holder, until=excluded.until WHERE lease.holder=excluded.holder OR lease.until<?4 "
		       "OR lease.until>excluded.until RETURNING 1",
		       e))
		return -1;
	db_set_str(&s, 1, l->name);
	db_set_str(&s, 2, l->holder);
	db_set_int(&s, 3, l->until);
	db_set_int(&s, 4, l->now);
	step = db_step(&s, e);
	*got = step > 0;
	return step < 0 ? -1 : 0;
}

int tbl_lease_held(struct db *db, const struct lease *l, bool *held, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int step;

	if (db_prepare(db, &s, "SELECT holder FROM lease WHERE name=?1 AND until>?2 AND until<=?3", e))
		return -1;
	db_set_str(&s, 1, l->name);
	db_set_int(&s, 2, l->now);
	db_set_int(&s, 3, l->until);
	step = db_step(&s, e);
	*held = step > 0;
	return step < 0 ? -1 : 0;
}

int tbl_lease_drop(struct db *db, const struct lease *l, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM lease WHERE name=?1 AND holder=?2", e))
		return -1;
	db_set_str(&s, 1, l->name);
	db_set_str(&s, 2, l->holder);
	return db_run(&s, e);
}
