/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_root.h"

#include "masterd/master.h"

static enum verdict ok(struct req *r)
{
	struct json_out *o = reply_json(r, 200);

	json_obj(o, NULL);
	json_put_str(o, "status", "ok");
	json_end_obj(o);
	return REPLY;
}

enum verdict api_health(struct req *r)
{
	return ok(r);
}

enum verdict api_ready(struct req *r)
{
	struct db *db = NULL;
	struct err e;
	int64_t rev;
	int rc, pending = 0;

	/* on a full disk all can be read; background work tells when that is over (svc_lead.h) */
	if (writer_judge(r->m->writer, &e))
		return reply_problem(r, 503, "%s", e.msg);
	if (db_pool_take(r->m->pool, &db, &e))
		return reply_problem(r, 503, "%s", e.msg);
	rc = tbl_auth_rev(db, &rev, &e) || db_pending(db, &pending, &e);
	db_pool_give(r->m->pool, db);
	if (!rc && pending) {
		r->hint = "restart this master: it makes them when it starts";
		return reply_problem(r, 503, "the database lacks %d migrations", pending);
	}
	return rc ? reply_problem(r, 503, "%s", e.msg) : ok(r);
}
