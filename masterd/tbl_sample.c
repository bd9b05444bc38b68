/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_sample.h"

#include "shared/mem.h"
#include "shared/str.h"

int tbl_journal_add(struct db *db, const struct journal_row *row, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO sample_journal(origin,id,at,n,doc) VALUES(?1,?2,?3,?4,?5)", e))
		return -1;
	db_set_str(&s, 1, row->id.origin);
	db_set_int(&s, 2, row->id.id);
	db_set_int(&s, 3, row->at);
	db_set_int(&s, 4, row->samples);
	db_set_blob(&s, 5, row->doc, row->n);
	return db_run(&s, e);
}

/* check-size: which rows, and who takes them */
int tbl_journal_each(struct db *db, struct journal_id *last, int64_t max,
		     int (*each)(void *ctx, const struct journal_row *row, struct err *e), void *ctx, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct journal_row row = {.id = *last};
	int got;

	if (db_prepare(db, &s, "SELECT id,at,doc FROM sample_journal WHERE origin=?1 AND id>?2 ORDER BY id LIMIT ?3", e))
		return -1;
	db_set_str(&s, 1, last->origin);
	db_set_int(&s, 2, last->id);
	db_set_int(&s, 3, max);
	while ((got = db_step(&s, e)) > 0) {
		last->id = row.id.id = db_int(&s, 0);
		row.at = db_int(&s, 1);
		row.doc = db_blob(&s, 2, &row.n);
		if (each(ctx, &row, e))
			return -1;
	}
	return got;
}

int tbl_journal_next(struct db *db, struct journal_id *v, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT origin,id FROM sample_journal WHERE origin>?1 ORDER BY origin,id LIMIT 1", e))
		return -1;
	db_set_str(&s, 1, v->origin);
	got = db_step(&s, e);
	if (got <= 0)
		return got;
	str_cut(v->origin, sizeof(v->origin), db_str(&s, 0));
	v->id = db_int(&s, 1);
	return 1;
}

int tbl_journal_delete(struct db *db, const struct journal_id *upto, int64_t max, bool *more, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0}, first = {0};
	int64_t last;
	int got;

	if (db_prepare(db, &first, "SELECT min(id) FROM sample_journal WHERE origin=?1", e))
		return -1;
	db_set_str(&first, 1, upto->origin);
	got = db_step(&first, e);
	if (got < 0)
		return -1;
	*more = false;
	if (!got || db_is_null(&first, 0))
		return 0;
	last = db_int(&first, 0) + max - 1;
	*more = last < upto->id;
	if (db_prepare(db, &s, "DELETE FROM sample_journal WHERE origin=?1 AND id<=?2", e))
		return -1;
	db_set_str(&s, 1, upto->origin);
	db_set_int(&s, 2, *more ? last : upto->id);
	return db_run(&s, e);
}
