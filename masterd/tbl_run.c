/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_run.h"

#include <string.h>

#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DOC_MAX = 1 << 20 };
#define LONGEST_RUN_MS (INT64_C(3) * 24 * 3600 * 1000)

/* The run as JSON, without its log and what the master says of it (columns of their own) and without the node
 * (a name may change). */
static char *doc_of(const struct wire_run *r)
{
	struct wire_run copy = *r;
	struct json_out o;
	struct buf b;

	copy.log = NULL;
	copy.node_id = copy.clock_ahead_s = -1;
	copy.began = copy.ended = 0;
	copy.node[0] = '\0';
	buf_init(&b, DOC_MAX);
	json_out_init(&o, &b);
	wire_run_put(&o, NULL, &copy);
	return buf_take(&b);
}

bool run_is_damaged(const struct wire_run *r)
{
	return r->state == RUN_SUSPECT && str_eq(r->error_kind, "damaged") && !r->pruned;
}

/* ---- one more */

struct known {
	int64_t owner, rev, began, ended, ahead_ms, proven;
};

/* What we have of uuid: 1, or 0 nothing. */
static int known(struct db *db, const char *uuid, struct known *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT node_id,rev,began,ended,ahead,proven FROM run WHERE uuid=?1", e))
		return -1;
	db_set_str(&s, 1, uuid);
	got = db_step(&s, e);
	if (got > 0)
		*ret = (struct known){db_int(&s, 0), db_int(&s, 1), db_int(&s, 2), db_int(&s, 3), db_int(&s, 4), db_int(&s, 5)};
	return got;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Where a run of which we hear for the first time stands among the others. */
static int place(struct db *db, int64_t node_id, const struct wire_run *r, int64_t now, struct known *ret, struct err *e)
{
	struct known before = {0};
	int have = *r->previous ? known(db, r->previous, &before, e) : 0;

	if (have < 0)
		return -1;
	ret->began = r->started ? sooner(r->started, now) : now;
	ret->ahead_ms = r->started > now + CLOCK_OFF_MS ? r->started - now : 0;
	if (have && before.owner == node_id && before.began >= ret->began)
		ret->began = before.began + 1;
	return 0;
}

static int write_run(struct db *db, int64_t node_id, const struct wire_run *r, const struct known *k, int64_t now, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	CLEANUP(freep) char *doc = doc_of(r);
	const int64_t numbers[] = {r->started, r->finished, k->began, k->ended, k->ahead_ms, run_is_damaged(r), now, k->proven, r->pruned};

	if (db_prepare(db, &s,
		       "INSERT INTO run(uuid,node_id,rev,site,state,timer,doc,log,started,finished,began,ended,ahead,damaged,received,"
		       "proven,pruned) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17) "
		       "ON CONFLICT(uuid) DO UPDATE SET rev=excluded.rev,site=excluded.site,state=excluded.state,timer=excluded.timer,"
		       "doc=excluded.doc,log=excluded.log,started=excluded.started,finished=excluded.finished,began=excluded.began,"
		       "ended=excluded.ended,ahead=excluded.ahead,damaged=excluded.damaged,received=excluded.received,proven=excluded.proven,pruned=excluded.pruned",
		       e))
		return -1;
	db_set_str(&s, 1, r->uuid);
	db_set_int(&s, 2, node_id);
	db_set_int(&s, 3, r->rev);
	db_set_str(&s, 4, r->site);
	db_set_str(&s, 5, run_state_name(r->state));
	db_set_str(&s, 6, r->timer);
	db_set_str(&s, 7, doc);
	db_set_str(&s, 8, r->log);
	for (int i = 0; i < (int)ARRAY_LEN(numbers); i++)
		db_set_int(&s, 9 + i, numbers[i]);
	return db_run(&s, e);
}

static void tell(struct wire_run *r, const struct known *k)
{
	r->began = k->began;
	r->ended = k->ended;
	r->proven = k->proven;
	r->clock_ahead_s = k->ahead_ms ? k->ahead_ms / 1000 : -1;
}

int tbl_run_put(struct db *db, int64_t node_id, struct wire_run *r, int64_t now, struct run_fate *ret, struct err *e)
{
	struct known k = {.rev = -1};
	int have = known(db, r->uuid, &k, e);

	*ret = (struct run_fate){0};
	if (have < 0)
		return -1;
	if (have && k.owner != node_id)
		return err_set(e, ERR_CONFLICT, "run %s is of another node", r->uuid);
	if (have && r->rev <= k.rev)
		return 0;
	/* 0: a master of an older version wrote it, beside this one */
	if (!k.began && place(db, node_id, r, now, &k, e))
		return -1;
	if (!k.ended && r->finished)
		k.ended = sooner(r->finished, now);
	if (k.ended && k.ended < k.began) /* a clock that was behind */
		k.ended = k.began;
	/* the same clock said when that was */
	if (!r->proven || r->proven <= now)
		k.proven = r->proven;
	else if (!k.proven)
		k.proven = now;
	if (write_run(db, node_id, r, &k, now, e))
		return -1;
	tell(r, &k);
	*ret = (struct run_fate){.news = true, .first = !have};
	return 0;
}

/* ---- reading */

#define COLUMNS(t) \
	t "uuid," t "node_id," t "site," t "state," t "began," t "ended," t "ahead," t "proven," t "pruned," t "doc"

static int each_row(struct db_stmt *s, run_each *each, void *ctx, struct err *e)
{
	int got;

	while ((got = db_step(s, e)) > 0) {
		struct run_row row = {
			.uuid = db_str(s, 0),
			.node_id = db_int(s, 1),
			.site = db_str(s, 2),
			.state = db_str(s, 3),
			.began = db_int(s, 4),
			.ended = db_int(s, 5),
			.ahead_ms = db_int(s, 6),
			.proven = db_int(s, 7),
			.pruned = db_int(s, 8),
			.doc = db_str(s, 9),
			.log = db_str(s, 10),
		};

		if (each(ctx, &row))
			return 0;
	}
	return got;
}

/* One text for every mix of filters: an absent one is NULL. */
enum { FIRST_TAG = 8 }; /* parameters before are those of the query below */

/* " AND ..." for the nodes that carry a tag of the scope: a tag stands in the column
 * as "\"eu\"", and is of str_is_name, so it is there when taking it out changes the text. */
static void in_scope(struct buf *sql, const struct json *tags)
{
	int at = FIRST_TAG;

	buf_adds(sql, " AND EXISTS(SELECT 1 FROM node n WHERE n.id=run.node_id AND (1=0");
	for (const struct json *t = json_first(tags); t; t = json_next(t))
		buf_addf(sql, " OR replace(n.tags,?%d,'')<>n.tags", at++);
	buf_adds(sql, "))");
}

static void set_tags(struct db_stmt *s, const struct json *tags)
{
	int at = FIRST_TAG;

	for (const struct json *t = json_first(tags); t; t = json_next(t)) {
		CLEANUP(freep) char *quoted = xasprintf("\"%s\"", json_str(t) ? json_str(t) : "");

		db_set_str(s, at++, quoted);
	}
}

int tbl_run_list(struct db *db, const struct run_query *q, run_each *each, void *ctx, struct err *e)
{
	CLEANUP(json_freep) struct json *tags = NULL;
	CLEANUP(db_done) struct db_stmt s = {0};
	CLEANUP(buf_done) struct buf sql;

	buf_init(&sql, 1 << 20);
	if (!scope_is_all(q->scope) && json_parse(&tags, q->scope->tags, strlen(q->scope->tags), e))
		return -1;
	buf_addf(&sql, "SELECT " COLUMNS("") ",NULL FROM run WHERE %s "
		 "AND (?2 IS NULL OR site=?2) AND (?3 IS NULL OR state=?3) AND began>=?4 "
		 "AND (?6 IS NULL OR began<?5 OR (began=?5 AND uuid<?6))",
		 q->node_id ? "node_id=?1" : "?1=0");
	if (tags)
		in_scope(&sql, tags);
	buf_adds(&sql, " ORDER BY began DESC, uuid DESC LIMIT ?7");
	if (db_prepare(db, &s, sql.p, e))
		return -1;
	db_set_int(&s, 1, q->node_id);
	db_set_str(&s, 2, q->site);
	db_set_str(&s, 3, q->state);
	db_set_int(&s, 4, q->since);
	db_set_int(&s, 5, q->after_began);
	db_set_str(&s, 6, q->after_uuid);
	db_set_int(&s, 7, q->limit);
	set_tags(&s, tags);
	return each_row(&s, each, ctx, e);
}

struct one {
	run_each *each;
	void *ctx;
	bool found;
};

static int only(void *ctx, const struct run_row *row)
{
	struct one *o = ctx;

	o->found = true;
	o->each(o->ctx, row);
	return 1;
}

int tbl_run_get(struct db *db, const char *uuid, run_each *each, void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct one o = {.each = each, .ctx = ctx};

	if (db_prepare(db, &s, "SELECT " COLUMNS("") ",log FROM run WHERE uuid=?1", e))
		return -1;
	db_set_str(&s, 1, uuid);
	if (each_row(&s, only, &o, e))
		return -1;
	return o.found ? 0 : err_set(e, ERR_NOTFOUND, "there is no run %.40s", uuid);
}

int tbl_run_latest(struct db *db, run_each *each, void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "SELECT " COLUMNS("r.") ",NULL FROM run r JOIN "
		       "(SELECT node_id,site,max(began) AS newest FROM run GROUP BY node_id,site UNION "
		       " SELECT node_id,site,max(began) FROM run WHERE state NOT IN('running','skipped') GROUP BY node_id,site UNION "
		       " SELECT node_id,site,max(began) FROM run WHERE state IN('ok','warning') AND pruned=0 GROUP BY node_id,site UNION "
		       " SELECT node_id,site,max(began) FROM run WHERE proven>0 GROUP BY node_id,site UNION "
		       " SELECT node_id,site,began FROM run WHERE damaged=1) m "
		       "ON r.node_id=m.node_id AND r.site=m.site AND r.began=m.newest ORDER BY r.began",
		       e))
		return -1;
	return each_row(&s, each, ctx, e);
}

int tbl_run_standing(struct db *db, int64_t node_id, const char *site, run_each *each, void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "SELECT " COLUMNS("") ",NULL FROM run WHERE node_id=?1 AND site=?2 AND began IN("
		       "(SELECT max(began) FROM run WHERE node_id=?1 AND site=?2 AND state IN('ok','warning') AND pruned=0),"
		       "(SELECT max(began) FROM run WHERE node_id=?1 AND site=?2 AND proven>0)) ORDER BY began",
		       e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_str(&s, 2, site);
	return each_row(&s, each, ctx, e);
}

int tbl_run_covers(struct db *db, const struct firing *f, bool *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s,
		       "SELECT 1 FROM run WHERE node_id=?1 AND timer=?2 AND started>=?3 AND started<=?4 UNION ALL "
		       "SELECT 1 FROM run WHERE node_id=?1 AND timer=?2 AND started>=?5 AND started<?6 AND "
		       "(finished=0 OR finished>=?6) LIMIT 1",
		       e))
		return -1;
	db_set_int(&s, 1, f->node_id);
	db_set_str(&s, 2, f->timer);
	db_set_int(&s, 3, f->from);
	db_set_int(&s, 4, f->to);
	db_set_int(&s, 5, f->due - LONGEST_RUN_MS);
	db_set_int(&s, 6, f->due);
	got = db_step(&s, e);
	*ret = got > 0;
	return got < 0 ? -1 : 0;
}

bool run_row_get(struct wire_run *ret, const struct run_row *row)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;

	wire_run_init(ret);
	if (json_parse(&j, row->doc, strlen(row->doc), NULL))
		return false;
	wire_run_get(ret, j, "", &p);
	tell(ret, &(struct known){.began = row->began, .ended = row->ended, .ahead_ms = row->ahead_ms, .proven = row->proven});
	return !p.n;
}

void run_row_put(struct buf *b, const struct run_row *row, const char *node, const char *log)
{
	struct json_out o;

	json_out_init(&o, b);
	json_obj(&o, NULL);
	json_put_int(&o, "node_id", row->node_id);
	json_put_str(&o, "node", node);
	json_put_time(&o, "began", row->began);
	json_put_time(&o, "ended", row->ended);
	if (row->ahead_ms)
		json_put_int(&o, "clock_ahead_s", row->ahead_ms / 1000);
	if (log)
		json_put_str(&o, "log", log);
	buf_addc(b, ',');
	/* a stored run is never empty: {"uuid":... */
	buf_adds(b, row->doc + 1);
}
