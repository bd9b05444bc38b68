/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_request.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { ORDERS_MAX = 256 * 1024 };

static const char *const states[REQUEST_STATES] = {"pending", "accepted", "running",   "refused",
						   "done",    "failed",   "withdrawn", "expired"};

const char *request_state_name(enum request_state s)
{
	return states[s];
}

int request_state_from(enum request_state *ret, const char *name)
{
	for (size_t i = 0; i < REQUEST_STATES; i++)
		if (str_eq(states[i], name)) {
			*ret = (enum request_state)i;
			return 0;
		}
	return -1;
}

void request_done(struct request *q)
{
	free(q->args);
	q->args = NULL;
}

int tbl_request_add(struct db *db, const struct request *q, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO node_request(rid,node_id,verb,args,state,created,created_by,expires,changed) "
		       "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
		       e))
		return -1;
	db_set_str(&s, 1, q->rid);
	db_set_int(&s, 2, q->node_id);
	db_set_str(&s, 3, q->verb);
	db_set_str(&s, 4, q->args ? q->args : "{}");
	db_set_str(&s, 5, states[q->state]);
	db_set_int(&s, 6, q->created);
	db_set_str(&s, 7, q->created_by);
	db_set_int(&s, 8, q->expires);
	db_set_int(&s, 9, q->changed);
	return db_run(&s, e);
}

int tbl_request_put(struct db *db, const struct request *q, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE node_request SET state=?2,reason=?3,run=?4,changed=?5 WHERE rid=?1", e))
		return -1;
	db_set_str(&s, 1, q->rid);
	db_set_str(&s, 2, states[q->state]);
	db_set_str(&s, 3, q->reason);
	db_set_str(&s, 4, q->run);
	db_set_int(&s, 5, q->changed);
	return db_run(&s, e);
}

#define REQUEST_COLUMNS "SELECT seq,rid,node_id,verb,args,state,reason,run,created,created_by,expires,changed FROM node_request "

static void read_request(struct db_stmt *s, struct request *q)
{
	memset(q, 0, sizeof(*q));
	q->seq = db_int(s, 0);
	str_cut(q->rid, sizeof(q->rid), db_str(s, 1));
	q->node_id = db_int(s, 2);
	str_cut(q->verb, sizeof(q->verb), db_str(s, 3));
	q->args = xstrdup(db_str(s, 4));
	if (request_state_from(&q->state, db_str(s, 5)))
		q->state = REQUEST_EXPIRED;
	str_cut(q->reason, sizeof(q->reason), db_str(s, 6));
	str_cut(q->run, sizeof(q->run), db_str(s, 7));
	q->created = db_int(s, 8);
	str_cut(q->created_by, sizeof(q->created_by), db_str(s, 9));
	q->expires = db_int(s, 10);
	q->changed = db_int(s, 11);
}

static int one(struct db_stmt *s, struct request *ret, struct err *e)
{
	int got = db_step(s, e);

	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no such request");
	read_request(s, ret);
	return 0;
}

int tbl_request_get(struct db *db, int64_t node_id, const char *rid, struct request *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, REQUEST_COLUMNS "WHERE rid=?1 AND node_id=?2", e))
		return -1;
	db_set_str(&s, 1, rid);
	db_set_int(&s, 2, node_id);
	return one(&s, ret, e);
}

int tbl_request_overdue(struct db *db, int64_t now, struct request *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, REQUEST_COLUMNS "WHERE state='pending' AND expires<=?1 ORDER BY expires LIMIT 1", e))
		return -1;
	db_set_int(&s, 1, now);
	return one(&s, ret, e);
}

static int each_row(struct db_stmt *s, request_each *each, void *ctx, struct err *e)
{
	int got, stop = 0;

	while (!stop && (got = db_step(s, e)) != 0) {
		struct request q;

		if (got < 0)
			return -1;
		read_request(s, &q);
		stop = each(ctx, &q);
		request_done(&q);
	}
	return 0;
}

/* check-size: which rows, and who takes them */
int tbl_request_list(struct db *db, int64_t node_id, int64_t before, int64_t max, request_each *each, void *ctx,
		     struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, REQUEST_COLUMNS "WHERE node_id=?1 AND seq<?2 ORDER BY seq DESC LIMIT ?3", e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_int(&s, 2, before ? before : INT64_MAX);
	db_set_int(&s, 3, max);
	return each_row(&s, each, ctx, e);
}

int tbl_request_pending(struct db *db, int64_t node_id, request_each *each, void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       node_id ? REQUEST_COLUMNS "WHERE state='pending' AND node_id=?1 ORDER BY seq"
			       : REQUEST_COLUMNS "WHERE state='pending' ORDER BY node_id,seq",
		       e))
		return -1;
	if (node_id)
		db_set_int(&s, 1, node_id);
	return each_row(&s, each, ctx, e);
}

int tbl_request_forget(struct db *db, int64_t before, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM node_request WHERE changed<?1 AND state<>'pending'", e))
		return -1;
	db_set_int(&s, 1, before);
	return db_run(&s, e);
}

/* ---- as JSON */

static void put_args(struct json_out *o, const struct request *q)
{
	CLEANUP(json_freep) struct json *j = NULL;

	if (json_parse(&j, q->args, strlen(q->args), NULL))
		return;
	for (const struct json *c = json_first(j); c; c = json_next(c))
		json_put(o, json_key(c), c);
}

static void put_order(struct json_out *o, const struct request *q)
{
	json_obj(o, NULL);
	json_put_str(o, "id", q->rid);
	json_put_str(o, "verb", q->verb);
	put_args(o, q);
	json_put_str(o, "created_by", q->created_by);
	json_put_time(o, "expires", q->expires);
	json_end_obj(o);
}

void request_put(struct json_out *o, const struct request *q)
{
	json_obj(o, NULL);
	json_put_str(o, "id", q->rid);
	json_put_int(o, "node_id", q->node_id);
	json_put_str(o, "verb", q->verb);
	json_put_raw(o, "args", q->args);
	json_put_str(o, "state", states[q->state]);
	json_put_str(o, "reason", q->reason[0] ? q->reason : NULL);
	json_put_str(o, "run", q->run[0] ? q->run : NULL);
	json_put_time(o, "created", q->created);
	json_put_str(o, "created_by", q->created_by);
	json_put_time(o, "expires", q->expires);
	json_put_time(o, "changed", q->changed);
	json_end_obj(o);
}

static int put_one(void *ctx, const struct request *q)
{
	put_order(ctx, q);
	return 0;
}

int request_orders(struct db *db, int64_t node_id, char **ret, struct err *e)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, ORDERS_MAX);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	if (tbl_request_pending(db, node_id, put_one, &o, e)) {
		buf_done(&b);
		return -1;
	}
	json_end_arr(&o);
	*ret = buf_take(&b);
	return 0;
}
