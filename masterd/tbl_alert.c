/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_alert.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const kinds[ALERT_KINDS] = {
	"missed_run", "failed_run", "suspect_run", "backup_old", "node_silent", "disk_full",
	"disk_forecast", "storage_refusing", "key_unused", "clone", "clock_off", "damaged_run",
};
static const char *const severities[SEVERITIES] = {"warning", "critical"};

const char *alert_kind_name(enum alert_kind k)
{
	return kinds[k];
}

int alert_kind_from(enum alert_kind *ret, const char *name)
{
	for (size_t i = 0; i < ALERT_KINDS; i++)
		if (str_eq(kinds[i], name)) {
			*ret = (enum alert_kind)i;
			return 0;
		}
	return -1;
}

int severity_from(enum severity *ret, const char *name)
{
	for (size_t i = 0; i < SEVERITIES; i++)
		if (str_eq(severities[i], name)) {
			*ret = (enum severity)i;
			return 0;
		}
	return -1;
}

/* ---- rows */

#define COLUMNS                                                                                              \
	"kind,severity,node_id,ref,stamp,run,first_at,last_at,times,cause,next_step,acked_by,acked_at,snoozed_by," \
	"snoozed_until,closed,closed_why,noticed"

static void bind(struct db_stmt *s, const struct alert *a)
{
	db_set_str(s, 1, kinds[a->kind]);
	db_set_str(s, 2, severities[a->severity]);
	db_set_int(s, 3, a->node_id);
	db_set_str(s, 4, a->ref);
	db_set_str(s, 5, a->stamp);
	db_set_str(s, 6, a->run);
	db_set_int(s, 7, a->first);
	db_set_int(s, 8, a->last);
	db_set_int(s, 9, a->count);
	db_set_str(s, 10, a->cause);
	db_set_str(s, 11, a->next_step);
	db_set_str(s, 12, a->acked_by);
	db_set_int(s, 13, a->acked_at);
	db_set_str(s, 14, a->snoozed_by);
	db_set_int(s, 15, a->snoozed_until);
	db_set_int(s, 16, a->closed);
	db_set_str(s, 17, a->closed_why);
	db_set_int(s, 18, a->noticed);
}

/* False: of a kind that only a newer master knows. */
static bool read_row(struct db_stmt *s, struct alert *a)
{
	memset(a, 0, sizeof(*a));
	a->id = db_int(s, 18);
	if (alert_kind_from(&a->kind, db_str(s, 0)) || severity_from(&a->severity, db_str(s, 1)))
		return false;
	a->node_id = db_int(s, 2);
	str_cut(a->ref, sizeof(a->ref), db_str(s, 3));
	str_cut(a->stamp, sizeof(a->stamp), db_str(s, 4));
	str_cut(a->run, sizeof(a->run), db_str(s, 5));
	a->first = db_int(s, 6);
	a->last = db_int(s, 7);
	a->count = db_int(s, 8);
	str_cut(a->cause, sizeof(a->cause), db_str(s, 9));
	str_cut(a->next_step, sizeof(a->next_step), db_str(s, 10));
	str_cut(a->acked_by, sizeof(a->acked_by), db_str(s, 11));
	a->acked_at = db_int(s, 12);
	str_cut(a->snoozed_by, sizeof(a->snoozed_by), db_str(s, 13));
	a->snoozed_until = db_int(s, 14);
	a->closed = db_int(s, 15);
	str_cut(a->closed_why, sizeof(a->closed_why), db_str(s, 16));
	a->noticed = db_int(s, 17);
	return true;
}

int tbl_alert_add(struct db *db, struct alert *a, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO alert(" COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,"
		       "?18) RETURNING id",
		       e))
		return -1;
	bind(&s, a);
	if (db_step(&s, e) < 0)
		return -1;
	a->id = db_int(&s, 0);
	return 0;
}

int tbl_alert_put(struct db *db, const struct alert *a, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "UPDATE alert SET kind=?1,severity=?2,node_id=?3,ref=?4,stamp=?5,run=?6,first_at=?7,last_at=?8,"
		       "times=?9,cause=?10,next_step=?11,acked_by=?12,acked_at=?13,snoozed_by=?14,snoozed_until=?15,"
		       "closed=?16,closed_why=?17,noticed=?18 WHERE id=?19",
		       e))
		return -1;
	bind(&s, a);
	db_set_int(&s, 19, a->id);
	return db_run(&s, e);
}

int tbl_alert_get(struct db *db, int64_t id, struct alert *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT " COLUMNS ",id FROM alert WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	got = db_step(&s, e);
	if (got < 0)
		return -1;
	return got && read_row(&s, ret) ? 0 : err_set(e, ERR_NOTFOUND, "there is no alert %lld", (long long)id);
}

int tbl_alert_open(struct db *db, struct alerts *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct alert a;
	int got;

	if (db_prepare(db, &s, "SELECT " COLUMNS ",id FROM alert WHERE closed=0 ORDER BY node_id,kind,ref", e))
		return -1;
	while ((got = db_step(&s, e)) > 0)
		if (read_row(&s, &a))
			*list_push(ret) = a;
	return got;
}

/* check-size: which rows, and who takes them */
int tbl_alert_list(struct db *db, const struct alert_query *q, int (*each)(void *ctx, const struct alert *a), void *ctx,
		   struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct alert a;
	int got;

	/* each state has a text of its own, so that its index serves it */
	if (db_prepare(db, &s,
		       q->open && q->closed
			       ? "SELECT " COLUMNS ",id FROM alert WHERE id<?1 AND (?2=0 OR node_id=?2) AND (?3='' OR kind=?3) "
				 "ORDER BY id DESC"
		       : q->open
			       ? "SELECT " COLUMNS ",id FROM alert WHERE closed=0 AND id<?1 AND (?2=0 OR node_id=?2) AND (?3='' "
				 "OR kind=?3) ORDER BY id DESC"
			       : "SELECT " COLUMNS ",id FROM alert WHERE closed>0 AND id<?1 AND (?2=0 OR node_id=?2) AND (?3='' "
				 "OR kind=?3) ORDER BY id DESC",
		       e))
		return -1;
	db_set_int(&s, 1, q->before ? q->before : INT64_MAX);
	db_set_int(&s, 2, q->node_id);
	db_set_str(&s, 3, q->kind ? q->kind : "");
	while ((got = db_step(&s, e)) > 0)
		if (read_row(&s, &a) && each(ctx, &a))
			return 0;
	return got;
}

int tbl_alert_expire(struct db *db, int64_t before, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM alert WHERE closed>0 AND closed<?1", e))
		return -1;
	db_set_int(&s, 1, before);
	return db_run(&s, e);
}

/* ---- JSON */

void alert_put(struct json_out *o, const char *key, const struct alert *a, const char *node, int64_t now)
{
	const char *state = a->closed ? "closed" : a->snoozed_until > now ? "snoozed" : a->acked_at ? "acked" : "open";

	json_obj(o, key);
	json_put_int(o, "id", a->id);
	json_put_str(o, "kind", kinds[a->kind]);
	json_put_str(o, "severity", severities[a->severity]);
	json_put_int(o, "node_id", a->node_id);
	json_put_str(o, "node", node);
	json_put_strn(o, "ref", a->ref, strlen(a->ref));
	json_put_str(o, "run", a->run[0] ? a->run : NULL);
	json_put_str(o, "state", state);
	json_put_time(o, "first", a->first);
	json_put_time(o, "last", a->last);
	json_put_int(o, "count", a->count);
	json_put_strn(o, "cause", a->cause, strlen(a->cause));
	json_put_strn(o, "next_step", a->next_step, strlen(a->next_step));
	json_put_str(o, "acked_by", a->acked_by[0] ? a->acked_by : NULL);
	json_put_time(o, "acked_at", a->acked_at);
	json_put_str(o, "snoozed_by", a->snoozed_until > now ? a->snoozed_by : NULL);
	json_put_time(o, "snoozed_until", a->snoozed_until > now ? a->snoozed_until : 0);
	json_put_time(o, "closed_at", a->closed);
	json_put_str(o, "closed_why", a->closed ? a->closed_why : NULL);
	json_end_obj(o);
}
