/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_audit.h"

#include "masterd/api.h"
#include "masterd/master.h"
#include "masterd/tbl_audit.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

struct listing {
	struct json_out *o;
	int64_t left, last;
	bool more;
};

static int put_record(void *ctx, const struct audit *a)
{
	struct listing *l = ctx;
	char hex[SHA256_HEX];

	if (!l->left--) {
		l->more = true;
		return 1;
	}
	l->last = a->id;
	json_obj(l->o, NULL);
	json_put_int(l->o, "id", a->id);
	json_put_time(l->o, "at", a->at);
	json_put_str(l->o, "who", a->who);
	json_put_str(l->o, "peer", a->peer);
	json_put_str(l->o, "action", a->action);
	json_put_str(l->o, "object", a->object);
	json_put_raw(l->o, "detail", a->detail);
	json_put_str(l->o, "hash", hex_encode(hex, a->hash, sizeof(a->hash)));
	json_end_obj(l->o);
	return 0;
}

enum verdict api_audit(struct req *r)
{
	struct audit_query q = {.limit = PAGE_DEFAULT};
	struct listing l = {0};
	struct db *db = NULL;
	struct err e;
	int rc;

	if (!api_page(r, &q.before, &q.limit) || !req_query_time(r, "since", &q.since))
		return REPLY;
	q.who = req_query(r, "who");
	q.action = req_query(r, "action");
	if (str_empty(q.action))
		q.action = NULL;
	l.left = q.limit++;
	l.o = api_items(r);
	rc = db_pool_take(r->m->pool, &db, &e);
	if (!rc) {
		rc = tbl_audit_list(db, &q, put_record, &l, &e);
		db_pool_give(r->m->pool, db);
	}
	if (rc)
		return reply_err(r, &e);
	api_items_end(l.o, l.more ? l.last : 0);
	return REPLY;
}
