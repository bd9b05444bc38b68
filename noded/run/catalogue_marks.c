/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/catalogue.h"
#include "noded/run/catalogue_priv.h"
#include "shared/mem.h"
#include "shared/str.h"

/* What only this machine knows of its runs, and the end of them. */

int catalogue_set_blank(struct catalogue *c, const char *uuid, int64_t files, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "UPDATE runs SET blank_files=? WHERE uuid=?", e))
		return -1;
	sql_bind_int(s, 1, files);
	sql_bind_str(s, 2, uuid);
	return sql_run(s, e);
}

static int change(struct catalogue *c, const char *text, int64_t value, const char *uuid, bool *changed, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, text, e))
		return -1;
	sql_bind_int(s, 1, value);
	sql_bind_str(s, 2, uuid);
	if (sql_run(s, e))
		return -1;
	*changed = sql_changes(c->db) > 0;
	return 0;
}

int catalogue_hold(struct catalogue *c, const char *uuid, bool held, bool *changed, struct err *e)
{
	return change(c, "UPDATE runs SET rev=rev+(held<>?1), held=?1 WHERE uuid=?2 AND expiring=0", held, uuid, changed, e);
}

int catalogue_expire(struct catalogue *c, const char *uuid, int64_t now, bool *changed, struct err *e)
{
	return change(c, "UPDATE runs SET expiring=?1 WHERE uuid=?2 AND held=0 AND expiring=0 AND state<>'running'", now, uuid,
		      changed, e);
}

int catalogue_forget(struct catalogue *c, const char *uuid, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "DELETE FROM runs WHERE uuid=?1 AND expiring<>0"
				   " AND NOT EXISTS (SELECT 1 FROM archives WHERE run=?1)", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	return sql_run(s, e);
}

int catalogue_briefs(struct catalogue *c, const char *site, struct run_briefs *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct run_briefs){0};
	if (sql_prepare(c->db, &s,
			"SELECT r.uuid, r.timer, r.what, r.state, r.started, r.held, r.expiring, r.proof<>'', count(a.id),"
			" coalesce(sum(a.size), 0), coalesce(group_concat(DISTINCT a.storage), '')"
			" FROM runs r LEFT JOIN archives a ON a.run=r.uuid AND a.stored=1"
			" WHERE r.site=? GROUP BY r.uuid ORDER BY r.rowid DESC", e))
		return -1;
	sql_bind_str(s, 1, site);
	while ((more = sql_step(s, e)) > 0) {
		struct run_brief *b = list_push(ret);

		str_cut(b->uuid, sizeof(b->uuid), sql_str(s, 0));
		str_cut(b->timer, sizeof(b->timer), sql_str(s, 1));
		str_cut(b->what, sizeof(b->what), sql_str(s, 2));
		if (run_state_from(&b->state, sql_str(s, 3)))
			b->state = RUN_FAILED;
		b->started = sql_int(s, 4);
		b->held = sql_int(s, 5) != 0;
		b->expiring = sql_int(s, 6);
		b->broken = sql_int(s, 7) != 0;
		b->archives = sql_int(s, 8);
		b->size = sql_int(s, 9);
		str_cut(b->storages, sizeof(b->storages), sql_str(s, 10));
	}
	if (more < 0)
		list_done(ret);
	return more < 0 ? -1 : 0;
}

int catalogue_sites(struct catalogue *c, struct strings *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT DISTINCT site FROM runs ORDER BY site", e))
		return -1;
	while ((more = sql_step(s, e)) > 0)
		strings_add(ret, sql_str(s, 0));
	return more;
}

int catalogue_uses(struct catalogue *c, struct storage_uses *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct storage_uses){0};
	if (sql_prepare(c->db, &s, "SELECT storage, count(DISTINCT run), coalesce(sum(CASE WHEN stored=1 THEN size ELSE 0 END), 0)"
				   " FROM archives GROUP BY storage ORDER BY storage", e))
		return -1;
	while ((more = sql_step(s, e)) > 0) {
		struct storage_use *u = list_push(ret);

		str_cut(u->name, sizeof(u->name), sql_str(s, 0));
		u->runs = sql_int(s, 1);
		u->bytes = sql_int(s, 2);
	}
	if (more < 0)
		list_done(ret);
	return more;
}

int catalogue_runs_on(struct catalogue *c, const char *storage, struct strings *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT uuid FROM runs WHERE uuid IN (SELECT run FROM archives WHERE storage=?)"
				   " ORDER BY started DESC, uuid", e))
		return -1;
	sql_bind_str(s, 1, storage);
	while ((more = sql_step(s, e)) > 0)
		strings_add(ret, sql_str(s, 0));
	return more;
}

int catalogue_drop(struct catalogue *c, const char *uuid, const char *storage, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "DELETE FROM archives WHERE run=? AND storage=?", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, storage);
	return sql_run(s, e);
}

int catalogue_growth(struct catalogue *c, const char *storage, int64_t since, struct storage_growth *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct storage_growth){0};
	if (sql_prepare(c->db, &s, "SELECT coalesce(sum(a.size), 0), coalesce(min(r.started), 0), count(DISTINCT r.uuid)"
				   " FROM archives a JOIN runs r ON r.uuid=a.run WHERE a.storage=? AND a.stored=1 AND r.started>=?", e))
		return -1;
	sql_bind_str(s, 1, storage);
	sql_bind_int(s, 2, since);
	more = sql_step(s, e);
	if (more > 0)
		*ret = (struct storage_growth){.bytes = sql_int(s, 0), .first = sql_int(s, 1), .runs = sql_int(s, 2)};
	return more < 0 ? -1 : 0;
}

int catalogue_marks(struct catalogue *c, const char *uuid, struct run_marks *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct run_marks){0};
	if (sql_prepare(c->db, &s, "SELECT held, blank_files, expiring, (SELECT count(*) FROM tables WHERE run=uuid) FROM runs"
				   " WHERE uuid=?", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	more = sql_step(s, e);
	if (more > 0) {
		ret->held = sql_int(s, 0) != 0;
		ret->blank_files = sql_int(s, 1);
		ret->expiring = sql_int(s, 2);
		ret->tables = sql_int(s, 3);
	}
	return more < 0 ? -1 : 0;
}
