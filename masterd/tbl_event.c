/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_event.h"

#include "shared/mem.h"
#include "shared/str.h"

static const char *const names[EVENT_KINDS] = {"node", "join", "run", "alert", "request", "origin"};

static int event_kind_from(enum event_kind *ret, const char *name)
{
	for (int i = 0; i < EVENT_KINDS; i++)
		if (str_eq(names[i], name)) {
			*ret = (enum event_kind)i;
			return 0;
		}
	return -1;
}

int tbl_event_add(struct db *db, const struct event *ev, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO event(at,origin,kind,node_id,ref) VALUES(?1,?2,?3,?4,?5)", e))
		return -1;
	db_set_int(&s, 1, ev->at);
	db_set_str(&s, 2, ev->origin);
	db_set_str(&s, 3, names[ev->kind]);
	db_set_int(&s, 4, ev->node_id);
	db_set_str(&s, 5, ev->ref);
	db_tell(db);
	return db_run(&s, e);
}

/* check-size: which rows, and who takes them */
int tbl_event_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct event *ev), void *ctx,
		   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct event ev;
	int got;

	if (db_prepare(db, &s, "SELECT id,at,origin,kind,node_id,ref FROM event WHERE id>?1 ORDER BY id LIMIT ?2", e))
		return -1;
	db_set_int(&s, 1, after);
	db_set_int(&s, 2, max);
	while ((got = db_step(&s, e)) > 0) {
		ev.id = db_int(&s, 0);
		ev.at = db_int(&s, 1);
		str_cut(ev.origin, sizeof(ev.origin), db_str(&s, 2));
		ev.node_id = db_int(&s, 4);
		str_cut(ev.ref, sizeof(ev.ref), db_str(&s, 5));
		if (event_kind_from(&ev.kind, db_str(&s, 3)))
			ev.kind = EVENT_KINDS;
		if (each(ctx, &ev))
			return 0;
	}
	return got;
}

int tbl_event_range(struct db *db, int64_t *oldest, int64_t *newest, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	*oldest = *newest = 0;
	if (db_prepare(db, &s, "SELECT min(id),max(id) FROM event", e))
		return -1;
	if (db_step(&s, e) < 0)
		return -1;
	*oldest = db_int(&s, 0);
	*newest = db_int(&s, 1);
	return 0;
}

int tbl_event_expire(struct db *db, int64_t before, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	/* the newest stays, so that numbers go on */
	if (db_prepare(db, &s, "DELETE FROM event WHERE at<?1 AND id<(SELECT max(id) FROM event)", e))
		return -1;
	db_set_int(&s, 1, before);
	return db_run(&s, e);
}
