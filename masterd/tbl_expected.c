/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_expected.h"

#include "shared/mem.h"
#include "shared/str.h"

int tbl_expected_put(struct db *db, const struct expected *x, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO expected(node_id,timer,on_calendar,due,before,period,steady,missed,missed_at,times) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT(node_id,timer) DO UPDATE SET "
		       "on_calendar=excluded.on_calendar,due=excluded.due,before=excluded.before,period=excluded.period,"
		       "steady=excluded.steady,missed=excluded.missed,missed_at=excluded.missed_at,times=excluded.times",
		       e))
		return -1;
	db_set_int(&s, 1, x->node_id);
	db_set_str(&s, 2, x->timer);
	db_set_str(&s, 3, x->on_calendar);
	db_set_int(&s, 4, x->due);
	db_set_int(&s, 5, x->before);
	db_set_int(&s, 6, x->period);
	db_set_int(&s, 7, x->steady);
	db_set_int(&s, 8, x->missed);
	db_set_int(&s, 9, x->missed_at);
	db_set_int(&s, 10, x->times);
	return db_run(&s, e);
}

int tbl_expected_drop(struct db *db, int64_t node_id, const char *timer, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM expected WHERE node_id=?1 AND timer=?2", e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_str(&s, 2, timer);
	return db_run(&s, e);
}

int tbl_expected_list(struct db *db, bool missed_only, struct expecteds *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s,
		       missed_only ? "SELECT node_id,timer,on_calendar,due,before,period,steady,missed,missed_at,times "
				     "FROM expected WHERE missed>0 ORDER BY node_id,timer"
				   : "SELECT node_id,timer,on_calendar,due,before,period,steady,missed,missed_at,times "
				     "FROM expected ORDER BY node_id,timer",
		       e))
		return -1;
	while ((got = db_step(&s, e)) > 0) {
		struct expected *x = list_push(ret);

		x->node_id = db_int(&s, 0);
		str_cut(x->timer, sizeof(x->timer), db_str(&s, 1));
		str_cut(x->on_calendar, sizeof(x->on_calendar), db_str(&s, 2));
		x->due = db_int(&s, 3);
		x->before = db_int(&s, 4);
		x->period = db_int(&s, 5);
		x->steady = db_int(&s, 6);
		x->missed = db_int(&s, 7);
		x->missed_at = db_int(&s, 8);
		x->times = db_int(&s, 9);
	}
	return got;
}
