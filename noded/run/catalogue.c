/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/catalogue.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/run/catalogue_priv.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/sql.h"
#include "shared/str.h"

static const char *const migrations[] = {
	"CREATE TABLE runs("
	"  uuid TEXT PRIMARY KEY, batch TEXT NOT NULL, rev INTEGER NOT NULL, site TEXT NOT NULL, timer TEXT NOT NULL,"
	"  trigger TEXT NOT NULL, what TEXT NOT NULL, state TEXT NOT NULL, started INTEGER NOT NULL,"
	"  finished INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_stored INTEGER NOT NULL, files INTEGER NOT NULL,"
	"  skipped INTEGER NOT NULL, row_count INTEGER NOT NULL, table_count INTEGER NOT NULL,"
	"  error_kind TEXT NOT NULL, error TEXT NOT NULL, log TEXT, snapshot TEXT NOT NULL);"
	"CREATE INDEX runs_site ON runs(site, started);"
	"CREATE INDEX runs_state ON runs(state, started);"
	"CREATE TABLE phases("
	"  run TEXT NOT NULL REFERENCES runs(uuid) ON DELETE CASCADE, at INTEGER NOT NULL, name TEXT NOT NULL,"
	"  ms INTEGER NOT NULL, PRIMARY KEY(run, at)) WITHOUT ROWID;"
	"CREATE TABLE archives("
	"  id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs(uuid) ON DELETE CASCADE, storage TEXT NOT NULL,"
	"  db TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, stored INTEGER NOT NULL,"
	"  UNIQUE(storage, key));"
	"CREATE INDEX archives_run ON archives(run);"
	"CREATE TABLE tables("
	"  run TEXT NOT NULL REFERENCES runs(uuid) ON DELETE CASCADE, db TEXT NOT NULL, name TEXT NOT NULL,"
	"  row_count INTEGER NOT NULL, bytes INTEGER NOT NULL, digest BLOB NOT NULL, data INTEGER NOT NULL,"
	"  PRIMARY KEY(run, db, name)) WITHOUT ROWID;",
	/* the rev that the outbox has taken over */
	"ALTER TABLE runs ADD COLUMN reported INTEGER NOT NULL DEFAULT 0;",
	/* held: not to be deleted; blank_files: with nothing but NUL bytes in them */
	"ALTER TABLE runs ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN blank_files INTEGER NOT NULL DEFAULT 0;",
	/* the last try to restore all of it */
	"ALTER TABLE runs ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE runs ADD COLUMN proof TEXT NOT NULL DEFAULT '';",
	/* how large tables are cut into chunks (noded/mysql/grid.h) */
	"CREATE TABLE grids("
	"  site TEXT NOT NULL, db TEXT NOT NULL, name TEXT NOT NULL, shift INTEGER NOT NULL,"
	"  PRIMARY KEY(site, db, name)) WITHOUT ROWID;",
	/* when its archives were given up; 0: not */
	"ALTER TABLE runs ADD COLUMN expiring INTEGER NOT NULL DEFAULT 0;",
	/* what a verification found wrong with an archive, when, and how deep it had to look for that */
	"ALTER TABLE archives ADD COLUMN damage TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE archives ADD COLUMN damage_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE archives ADD COLUMN damage_depth INTEGER NOT NULL DEFAULT 0;",
};

int catalogue_open(struct catalogue **ret, struct err *e)
{
	CLEANUP(catalogue_closep) struct catalogue *c = xcalloc(1, sizeof(*c));
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/catalogue.db", dir);
	CLEANUP(freep) char *aside = NULL;

	if (fs_mkdirs(dir, 0700, e) || sql_open_anew(&c->db, path, &aside, e))
		return err_wrap(e, "the catalogue of runs");
	if (aside)
		log_warn("the catalogue of runs was damaged and is now %s; a new one begins, and archives from before it are found "
			 "with --from STORAGE", aside);
	if (sql_migrate(c->db, migrations, ARRAY_LEN(migrations), e))
		return err_wrap(e, "the catalogue of runs");

	*ret = TAKE(c);
	return 0;
}

bool catalogue_is_there(void)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/catalogue.db", dir);

	return access(path, F_OK) == 0;
}

bool catalogue_was_lost(void)
{
	CLEANUP(freep) char *path = fs_state_dir("node");
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool lost = false;

	while (dir && !lost && (entry = readdir(dir)))
		lost = str_starts(entry->d_name, "catalogue.db.damaged-");
	if (dir)
		closedir(dir);
	return lost;
}

void catalogue_close(struct catalogue *c)
{
	if (!c)
		return;
	sql_close(c->db);
	free(c);
}

void catalogue_closep(struct catalogue **c)
{
	catalogue_close(*c);
}

static void bind_run(struct sql_stmt *s, const struct wire_run *run)
{
	const char *texts[] = {run->uuid, run->batch, NULL, run->site, run->timer, run->trigger, run->what,
			       run_state_name(run->state)};
	const int64_t numbers[] = {run->started, run->finished, run->bytes_in, run->bytes_stored, run->files,
				   run->skipped, run->rows, run->tables};

	for (int i = 0; i < (int)ARRAY_LEN(texts); i++)
		sql_bind_str(s, i + 1, texts[i]);
	sql_bind_int(s, 3, run->rev);
	for (int i = 0; i < (int)ARRAY_LEN(numbers); i++)
		sql_bind_int(s, i + 9, numbers[i]);
	sql_bind_str(s, 17, run->error_kind);
	sql_bind_str(s, 18, run->error);
	sql_bind_str(s, 19, run->log);
	sql_bind_str(s, 20, run->snapshot);
}

static int save_phases(struct catalogue *c, const struct wire_run *run, struct err *e)
{
	for (size_t i = 0; i < run->phases.n; i++) {
		CLEANUP(sql_donep) struct sql_stmt *s = NULL;

		if (sql_prepare(c->db, &s, "INSERT OR REPLACE INTO phases(run, at, name, ms) VALUES(?,?,?,?)", e))
			return -1;
		sql_bind_str(s, 1, run->uuid);
		sql_bind_int(s, 2, (int64_t)i);
		sql_bind_str(s, 3, run->phases.v[i].name);
		sql_bind_int(s, 4, run->phases.v[i].ms);
		if (sql_run(s, e))
			return -1;
	}
	return 0;
}

static int save_run(struct catalogue *c, const struct wire_run *run, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s,
			"INSERT INTO runs(uuid, batch, rev, site, timer, trigger, what, state, started, finished, bytes_in,"
			" bytes_stored, files, skipped, row_count, table_count, error_kind, error, log, snapshot)"
			" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
			" ON CONFLICT(uuid) DO UPDATE SET rev=excluded.rev, state=excluded.state, what=excluded.what,"
			" finished=excluded.finished, bytes_in=excluded.bytes_in, bytes_stored=excluded.bytes_stored,"
			" files=excluded.files, skipped=excluded.skipped, row_count=excluded.row_count,"
			" table_count=excluded.table_count, error_kind=excluded.error_kind, error=excluded.error,"
			" log=excluded.log, snapshot=excluded.snapshot", e))
		return -1;
	bind_run(s, run);
	return sql_run(s, e);
}

int catalogue_finish(struct catalogue *c, int rc, struct err *e)
{
	struct err ignored;

	if (rc == 0 && sql_exec(c->db, "COMMIT", e) == 0)
		return 0;
	(void)!sql_exec(c->db, "ROLLBACK", &ignored); /* the first failure is the one to tell */
	return -1;
}

int catalogue_save(struct catalogue *c, const struct wire_run *run, struct err *e)
{
	if (sql_exec(c->db, "BEGIN IMMEDIATE", e))
		return -1;
	return catalogue_finish(c, save_run(c, run, e) || save_phases(c, run, e) ? -1 : 0, e);
}

static int archive_change(struct catalogue *c, const char *text, const char *uuid, const struct wire_archive *a,
			  struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, text, e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, a->storage);
	sql_bind_str(s, 3, a->key);
	sql_bind_str(s, 4, a->db);
	sql_bind_int(s, 5, a->size);
	sql_bind_str(s, 6, a->sha256);
	return sql_run(s, e);
}

int catalogue_upload(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e)
{
	return archive_change(c, "INSERT INTO archives(run, storage, key, db, size, sha256, stored)"
				 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0)", uuid, a, e);
}

int catalogue_stored(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e)
{
	return archive_change(c, "UPDATE archives SET db=?4, size=?5, sha256=?6, stored=1"
				 " WHERE run=?1 AND storage=?2 AND key=?3", uuid, a, e);
}

static int by_key(struct catalogue *c, const char *text, const char *uuid, const struct wire_archive *a, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, text, e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, a->storage);
	sql_bind_str(s, 3, a->key);
	return sql_run(s, e);
}

int catalogue_discard(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e)
{
	return by_key(c, "UPDATE archives SET stored=0 WHERE run=? AND storage=? AND key=?", uuid, a, e);
}

int catalogue_gone(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e)
{
	return by_key(c, "DELETE FROM archives WHERE run=? AND storage=? AND key=?", uuid, a, e);
}

static void copy_archive(struct wire_archive *a, struct sql_stmt *s)
{
	str_cut(a->storage, sizeof(a->storage), sql_str(s, 0));
	str_cut(a->key, sizeof(a->key), sql_str(s, 1));
	str_cut(a->db, sizeof(a->db), sql_str(s, 2));
	a->size = sql_int(s, 3);
	str_cut(a->sha256, sizeof(a->sha256), sql_str(s, 4));
}

int catalogue_unfinished(struct catalogue *c, struct unfinished_list *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	*ret = (struct unfinished_list){0};
	if (sql_prepare(c->db, &s, "SELECT storage, key, db, size, sha256, run FROM archives WHERE stored=0"
				   " OR run IN (SELECT uuid FROM runs WHERE state='aborted')", e))
		return -1;
	while ((more = sql_step(s, e)) > 0) {
		struct unfinished *u = list_push(ret);

		copy_archive(&u->archive, s);
		str_cut(u->run, sizeof(u->run), sql_str(s, 5));
	}
	return more;
}

int catalogue_key_taken(struct catalogue *c, const char *key, bool *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT 1 FROM archives WHERE key=? LIMIT 1", e))
		return -1;
	sql_bind_str(s, 1, key);
	more = sql_step(s, e);
	*ret = more > 0;
	return more < 0 ? -1 : 0;
}

int catalogue_abort(struct catalogue *c, const struct wire_run *run, bool *changed, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "UPDATE runs SET state='aborted', finished=?, rev=?, error_kind=?, error=?"
				   " WHERE uuid=? AND state='running'", e))
		return -1;
	sql_bind_int(s, 1, run->finished);
	sql_bind_int(s, 2, run->rev);
	sql_bind_str(s, 3, run->error_kind);
	sql_bind_str(s, 4, run->error);
	sql_bind_str(s, 5, run->uuid);
	if (sql_run(s, e))
		return -1;
	*changed = sql_changes(c->db) > 0;
	return 0;
}

int catalogue_reported(struct catalogue *c, const char *uuid, int64_t rev, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "UPDATE runs SET reported=?1 WHERE uuid=?2 AND reported<?1", e))
		return -1;
	sql_bind_int(s, 1, rev);
	sql_bind_str(s, 2, uuid);
	return sql_run(s, e);
}

static int add_table(struct catalogue *c, const char *uuid, const char *db, const struct catalogue_table *t,
		     struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "INSERT INTO tables(run, db, name, row_count, bytes, digest, data) VALUES(?,?,?,?,?,?,?)", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, db);
	sql_bind_str(s, 3, t->name);
	sql_bind_int(s, 4, (int64_t)t->rows);
	sql_bind_int(s, 5, (int64_t)t->bytes);
	sql_bind_blob(s, 6, t->digest, 16);
	sql_bind_int(s, 7, t->data);
	return sql_run(s, e);
}

static int forget_tables(struct catalogue *c, const char *uuid, const char *db, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "DELETE FROM tables WHERE run=? AND db=?", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, db);
	return sql_run(s, e);
}

int catalogue_set_tables(struct catalogue *c, const char *uuid, const char *db, const struct catalogue_tables *tables,
			 struct err *e)
{
	int rc;

	if (sql_exec(c->db, "BEGIN IMMEDIATE", e))
		return -1;
	rc = forget_tables(c, uuid, db, e);
	for (size_t i = 0; rc == 0 && i < tables->n; i++)
		rc = add_table(c, uuid, db, &tables->v[i], e);
	return catalogue_finish(c, rc, e);
}

int catalogue_each_table(struct catalogue *c, const char *uuid, const char *db,
			 void (*fn)(void *ctx, const struct catalogue_table *t), void *ctx, struct err *e)
{
	static const uint8_t none[16];
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT name, row_count, bytes, digest, data FROM tables WHERE run=? AND db=? ORDER BY name", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	sql_bind_str(s, 2, db);
	while ((more = sql_step(s, e)) > 0) {
		size_t n;
		const void *digest = sql_blob(s, 3, &n);
		const struct catalogue_table t = {.name = sql_str(s, 0), .rows = (uint64_t)sql_int(s, 1),
						  .bytes = (uint64_t)sql_int(s, 2), .digest = n == 16 ? digest : none,
						  .data = sql_int(s, 4) != 0};

		fn(ctx, &t);
	}
	return more;
}

static int load_archives(struct catalogue *c, struct wire_run *run, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s,
			"SELECT storage, key, db, size, sha256, damage, damage_at FROM archives WHERE run=? AND stored=1 ORDER BY id", e))
		return -1;
	sql_bind_str(s, 1, run->uuid);
	while ((more = sql_step(s, e)) > 0) {
		struct wire_archive *a = list_push(&run->archives);

		copy_archive(a, s);
		str_cut(a->damage, sizeof(a->damage), sql_str(s, 5));
		a->damage_at = sql_int(s, 6);
	}
	return more;
}

static int load_phases(struct catalogue *c, struct wire_run *run, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT name, ms FROM phases WHERE run=? ORDER BY at", e))
		return -1;
	sql_bind_str(s, 1, run->uuid);
	while ((more = sql_step(s, e)) > 0) {
		struct wire_phase *p = list_push(&run->phases);

		str_cut(p->name, sizeof(p->name), sql_str(s, 0));
		p->ms = sql_int(s, 1);
	}
	return more;
}

static void copy_run(struct wire_run *run, struct sql_stmt *s)
{
	const struct { char *to; size_t size; int col; } texts[] = {
		{run->uuid, sizeof(run->uuid), 0}, {run->batch, sizeof(run->batch), 1},
		{run->site, sizeof(run->site), 3}, {run->timer, sizeof(run->timer), 4},
		{run->trigger, sizeof(run->trigger), 5}, {run->what, sizeof(run->what), 6},
		{run->error_kind, sizeof(run->error_kind), 16}, {run->error, sizeof(run->error), 17},
		{run->snapshot, sizeof(run->snapshot), 19}, {run->proof, sizeof(run->proof), 21},
	};
	int64_t *const numbers[] = {&run->started, &run->finished, &run->bytes_in, &run->bytes_stored, &run->files,
				    &run->skipped, &run->rows, &run->tables};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		str_cut(texts[i].to, texts[i].size, sql_str(s, texts[i].col));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i] = sql_int(s, (int)i + 8);
	run->rev = sql_int(s, 2);
	run->log = xstrdup(sql_str(s, 18));
	run->proven = sql_int(s, 20);
	run->held = sql_int(s, 22) != 0;
	run->pruned = sql_int(s, 23);
	if (run_state_from(&run->state, sql_str(s, 7)))
		run->state = RUN_FAILED;
}

int catalogue_runs(struct catalogue *c, const struct run_query *q, struct wire_runs *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	CLEANUP(runs_done) struct wire_runs runs = {0};
	int more;

	if (sql_prepare(c->db, &s,
			"SELECT uuid, batch, rev, site, timer, trigger, what, state, started, finished, bytes_in,"
			" bytes_stored, files, skipped, row_count, table_count, error_kind, error, log, snapshot, proven, proof,"
			" held, expiring"
			" FROM runs"
			" WHERE (?1 IS NULL OR site=?1) AND (?2 IS NULL OR substr(uuid, 1, length(?2))=?2)"
			" AND (NOT ?3 OR (state IN ('ok', 'warning') AND expiring=0)) AND (NOT ?4 OR state='running')"
			" AND (?5=0 OR started<=?5) AND (NOT ?7 OR reported<rev) AND (?8 IS NULL OR what=?8)"
			" AND (?9 IS NULL OR EXISTS (SELECT 1 FROM archives a WHERE a.run=runs.uuid AND a.db=?9 AND a.stored=1))"
			" AND (?10 IS NULL OR state=?10) AND (NOT ?11 OR proven>0)"
			" AND (NOT ?12 OR (expiring=0 AND (" CATALOGUE_WAS_GOOD ")))"
			/* a clock that was wrong once must not make an old run the newest for ever */
			" ORDER BY CASE WHEN ?7 THEN -rowid WHEN ?5=0 THEN rowid ELSE started END DESC, rowid DESC LIMIT ?6", e))
		return -1;
	sql_bind_str(s, 1, q->site);
	sql_bind_str(s, 2, q->uuid);
	sql_bind_int(s, 3, q->good);
	sql_bind_int(s, 4, q->running);
	sql_bind_int(s, 5, q->until);
	sql_bind_int(s, 6, q->limit ? q->limit : 1000);
	sql_bind_int(s, 7, q->unreported);
	sql_bind_str(s, 8, q->what);
	sql_bind_str(s, 9, q->db);
	sql_bind_str(s, 10, q->state);
	sql_bind_int(s, 11, q->proven);
	sql_bind_int(s, 12, q->was_good);
	while ((more = sql_step(s, e)) > 0) {
		struct wire_run *run = list_push(&runs);

		wire_run_init(run);
		copy_run(run, s);
	}
	if (more < 0)
		return -1;
	for (size_t i = 0; i < runs.n; i++)
		if (load_archives(c, &runs.v[i], e) || load_phases(c, &runs.v[i], e))
			return -1;

	*ret = runs;
	runs = (struct wire_runs){0};
	return 0;
}

void runs_done(struct wire_runs *runs)
{
	for (size_t i = 0; i < runs->n; i++)
		wire_run_done(&runs->v[i]);
	list_done(runs);
}

int catalogue_previous(struct catalogue *c, const char *uuid, char ret[static UUID_TEXT], struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s,
			"SELECT p.uuid FROM runs p JOIN runs r ON p.site=r.site AND p.rowid<r.rowid WHERE r.uuid=?"
			" ORDER BY p.rowid DESC LIMIT 1", e))
		return -1;
	sql_bind_str(s, 1, uuid);
	more = sql_step(s, e);
	str_cut(ret, UUID_TEXT, more > 0 ? str_or(sql_str(s, 0), "") : "");
	return more < 0 ? -1 : 0;
}

static int one_number(struct sql_stmt *s, int64_t *ret, struct err *e)
{
	int more = sql_step(s, e);

	if (more < 0)
		return -1;
	*ret = more ? sql_int(s, 0) : 0;
	return 0;
}

int catalogue_used(struct catalogue *c, const char *storage, int64_t *bytes, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "SELECT coalesce(sum(size), 0) FROM archives WHERE storage=? AND stored=1", e))
		return -1;
	sql_bind_str(s, 1, storage);
	return one_number(s, bytes, e);
}

int catalogue_estimate(struct catalogue *c, const char *site, const char *db, int64_t *bytes, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s,
			"SELECT a.size * 6 / 5 FROM archives a JOIN runs r ON r.uuid=a.run WHERE r.site=? AND a.db=?"
			" AND a.stored=1 AND r.state IN ('ok', 'warning') ORDER BY r.started DESC LIMIT 1", e))
		return -1;
	sql_bind_str(s, 1, site);
	sql_bind_str(s, 2, db);
	return one_number(s, bytes, e);
}

int catalogue_grid(struct catalogue *c, const struct catalogue_grid *g, int *shift, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int more;

	if (sql_prepare(c->db, &s, "SELECT shift FROM grids WHERE site=? AND db=? AND name=?", e))
		return -1;
	sql_bind_str(s, 1, g->site);
	sql_bind_str(s, 2, g->db);
	sql_bind_str(s, 3, g->table);
	more = sql_step(s, e);
	if (more > 0)
		*shift = (int)sql_int(s, 0);
	return more < 0 ? -1 : 0;
}

int catalogue_keep_grid(struct catalogue *c, const struct catalogue_grid *g, int shift, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(c->db, &s, "INSERT OR REPLACE INTO grids(site, db, name, shift) VALUES(?,?,?,?)", e))
		return -1;
	sql_bind_str(s, 1, g->site);
	sql_bind_str(s, 2, g->db);
	sql_bind_str(s, 3, g->table);
	sql_bind_int(s, 4, shift);
	return sql_run(s, e);
}
