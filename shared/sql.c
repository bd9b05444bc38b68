/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { BUSY_MS = 5000, CACHE_MAX = 64 };

struct sql_stmt {
	struct sql *db;
	sqlite3_stmt *h;
	char *text;           /* as the caller wrote it; the cache's key */
	bool in_use;
	bool temporary;       /* not in the cache: finalized by sql_done */
	int bind_rc;          /* first failure of a bind, told by the next step */
};

struct sql {
	sqlite3 *h;
	char *path;
	struct { LIST_OF(struct sql_stmt *); } cache;
};

static enum err_kind kind_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		return ERR_CONFLICT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_SPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_DAMAGED;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	default:
		return ERR_DB;
	}
}

/* SQLITE_IOERR and SQLITE_CANTOPEN carry the errno of the system call. */
static int fail(struct sql *db, int rc, const char *what, struct err *e)
{
	int system = db->h ? sqlite3_system_errno(db->h) : 0;
	enum err_kind kind = kind_of(rc);

	if (kind == ERR_DB && (system == ENOSPC || system == EDQUOT))
		kind = ERR_SPACE;
	if (kind == ERR_DAMAGED)
		return err_set(e, kind, "database %s is damaged: %s", db->path, sqlite3_errmsg(db->h));
	return err_set(e, kind, "database %s: %s: %s", db->path, what, sqlite3_errmsg(db->h));
}

static int exec_raw(struct sql *db, const char *text, struct err *e)
{
	int rc = sqlite3_exec(db->h, text, NULL, NULL, NULL);

	if (rc != SQLITE_OK)
		return fail(db, rc, text, e);
	return 0;
}

/* sqlite3 makes files with the umask's rights (then -wal and -shm take those of
 * the file): make it first, so that nobody else can ever read it. */
static int make_file(const char *path, struct err *e)
{
	/* O_EXCL: a file that is there must not even be opened. To close it would take
	 * the fcntl(2) locks from another connection of this process to it (SQLite, "How
	 * To Corrupt An SQLite Database File", 2.2), and a second process would then
	 * delete the log that is in use. */
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST && access(path, R_OK | W_OK) == 0)
		return 0;
	if (fd < 0)
		return err_sys(e, ERR_IO, "open database %s", path);
	close(fd);
	return 0;
}

static int prepare_connection(struct sql *db, bool readonly, bool full, struct err *e)
{
	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, BUSY_MS);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (exec_raw(db, "PRAGMA foreign_keys=ON", e))
		return -1;
	/* read something, so that a file of another kind is refused here */
	if (readonly)
		return exec_raw(db, "SELECT count(*) FROM sqlite_master", e);
	if (exec_raw(db, "PRAGMA journal_mode=WAL", e))
		return -1;
	return exec_raw(db, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
}

int sql_open(struct sql **ret, const char *path, bool readonly, bool full, struct err *e)
{
	CLEANUP(sql_closep) struct sql *db = xcalloc(1, sizeof(*db));
	int flags = SQLITE_OPEN_NOMUTEX | (readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc;

	db->path = xstrdup(path);
	if (readonly && access(path, F_OK))
		return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "open database %s", path);
	if (!readonly && !str_eq(path, SQL_MEMORY) && make_file(path, e))
		return -1;
	rc = sqlite3_open_v2(path, &db->h, flags, NULL);
	if (rc != SQLITE_OK)
		return fail(db, rc, "open", e);
	if (prepare_connection(db, readonly, full, e))
		return -1;
	*ret = TAKE(db);
	return 0;
}

static void stmt_free(struct sql_stmt *s)
{
	sqlite3_finalize(s->h);
	free(s->text);
	free(s);
}

void sql_close(struct sql *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->cache.n; i++)
		stmt_free(db->cache.v[i]);
	list_done(&db->cache);
	sqlite3_close_v2(db->h);
	free(db->path);
	free(db);
}

void sql_closep(struct sql **db)
{
	sql_close(*db);
}

int sql_exec(struct sql *db, const char *text, struct err *e)
{
	return exec_raw(db, text, e);
}

static int check_pages(struct sql *db, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int got;

	if (sql_prepare(db, &s, "PRAGMA quick_check(1)", e) || (got = sql_step(s, e)) < 0)
		return -1;
	if (!got || !str_eq(sql_str(s, 0), "ok"))
		return err_set(e, ERR_DAMAGED, "database %s is damaged: %s", db->path, got ? sql_str(s, 0) : "no answer");
	return 0;
}

static int open_checked(struct sql **ret, const char *path, struct err *e)
{
	CLEANUP(sql_closep) struct sql *db = NULL;

	if (sql_open(&db, path, false, true, e) || check_pages(db, e))
		return -1;
	*ret = TAKE(db);
	return 0;
}

/* The file, and what sqlite3 keeps beside it. */
static int set_aside(const char *path, const char *aside, struct err *e)
{
	static const char *const besides[] = {"-wal", "-shm"};

	if (rename(path, aside))
		return err_sys(e, ERR_IO, "rename %s to %s", path, aside);
	for (size_t i = 0; i < ARRAY_LEN(besides); i++) {
		CLEANUP(freep) char *from = xasprintf("%s%s", path, besides[i]);
		CLEANUP(freep) char *to = xasprintf("%s%s", aside, besides[i]);

		if (rename(from, to) && errno != ENOENT)
			return err_sys(e, ERR_IO, "rename %s to %s", from, to);
	}
	return 0;
}

int sql_open_anew(struct sql **ret, const char *path, char **aside, struct err *e)
{
	CLEANUP(freep) char *name = NULL;

	*aside = NULL;
	if (open_checked(ret, path, e) == 0)
		return 0;
	if (e->kind != ERR_DAMAGED)
		return -1;
	name = xasprintf("%s.damaged-%lld", path, (long long)clock_ms());
	if (set_aside(path, name, e) || open_checked(ret, path, e))
		return -1;
	*aside = TAKE(name);
	return 0;
}

int sql_version(struct sql *db, int *ret, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	int got;

	if (sql_prepare(db, &s, "PRAGMA user_version", e))
		return -1;
	got = sql_step(s, e);
	if (got < 0)
		return -1;
	*ret = got ? (int)sql_int(s, 0) : 0;
	return 0;
}

static int migrate_one(struct sql *db, const char *text, int number, struct err *e)
{
	char pragma[64];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", number);
	if (exec_raw(db, text, e) || exec_raw(db, pragma, e) || exec_raw(db, "COMMIT", e))
		return err_wrap(e, "migration %d", number);
	return 0;
}

/* One step up, in a transaction that the caller has begun; 1 stepped, 0 nothing left. */
static int migrate_step(struct sql *db, const char *const *texts, int n, struct err *e)
{
	int version;

	if (sql_version(db, &version, e))
		return -1;
	if (version > n)
		return err_set(e, ERR_CONFIG,
			       "database %s has version %d, this program knows up to %d: use the newer program that wrote it",
			       db->path, version, n);
	if (version == n)
		return 0;
	return migrate_one(db, texts[version], version + 1, e) ? -1 : 1;
}

int sql_migrate(struct sql *db, const char *const *texts, int n, struct err *e)
{
	int stepped;

	do {
		/* the write lock first: two programs that start together must not both migrate */
		if (exec_raw(db, "BEGIN IMMEDIATE", e))
			return -1;
		stepped = migrate_step(db, texts, n, e);
		if (stepped <= 0)
			sqlite3_exec(db->h, "ROLLBACK", NULL, NULL, NULL);
	} while (stepped > 0);
	return stepped;
}

static struct sql_stmt *cache_find(struct sql *db, const char *text)
{
	for (size_t i = 0; i < db->cache.n; i++) {
		struct sql_stmt *s = db->cache.v[i];

		if (s->in_use)
			continue;
		if (str_eq(s->text, text))
			return s;
	}
	return NULL;
}

int sql_prepare(struct sql *db, struct sql_stmt **ret, const char *text, struct err *e)
{
	struct sql_stmt *s = cache_find(db, text);
	sqlite3_stmt *h = NULL;
	int rc;

	if (!s) {
		rc = sqlite3_prepare_v3(db->h, text, -1, SQLITE_PREPARE_PERSISTENT, &h, NULL);
		if (rc != SQLITE_OK)
			return fail(db, rc, text, e);
		s = xcalloc(1, sizeof(*s));
		s->db = db;
		s->h = h;
		s->text = xstrdup(text);
		s->temporary = db->cache.n >= CACHE_MAX;
		if (!s->temporary)
			*list_push(&db->cache) = s;
	}
	s->in_use = true;
	s->bind_rc = SQLITE_OK;
	*ret = s;
	return 0;
}

void sql_done(struct sql_stmt *s)
{
	if (!s)
		return;
	if (s->temporary) {
		stmt_free(s);
		return;
	}
	sqlite3_reset(s->h);
	sqlite3_clear_bindings(s->h);
	s->in_use = false;
}

void sql_donep(struct sql_stmt **s)
{
	sql_done(*s);
}

static void bound(struct sql_stmt *s, int rc)
{
	if (s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void sql_bind_int(struct sql_stmt *s, int at, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->h, at, v));
}

void sql_bind_num(struct sql_stmt *s, int at, double v)
{
	bound(s, isnan(v) ? sqlite3_bind_null(s->h, at) : sqlite3_bind_double(s->h, at, v));
}

void sql_bind_str(struct sql_stmt *s, int at, const char *v)
{
	bound(s, v ? sqlite3_bind_text(s->h, at, v, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(s->h, at));
}

void sql_bind_blob(struct sql_stmt *s, int at, const void *p, size_t n)
{
	bound(s, p ? sqlite3_bind_blob64(s->h, at, p, n, SQLITE_TRANSIENT) : sqlite3_bind_null(s->h, at));
}

int sql_step(struct sql_stmt *s, struct err *e)
{
	int rc = s->bind_rc == SQLITE_OK ? sqlite3_step(s->h) : s->bind_rc;

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE) {
		/* ends the read transaction that a finished SELECT would hold until sql_done */
		sqlite3_reset(s->h);
		return 0;
	}
	fail(s->db, rc, s->text, e);
	sqlite3_reset(s->h);
	return -1;
}

int sql_run(struct sql_stmt *s, struct err *e)
{
	int got;

	while ((got = sql_step(s, e)) > 0)
		;
	return got;
}

int64_t sql_int(struct sql_stmt *s, int col)
{
	return sqlite3_column_int64(s->h, col);
}

double sql_num(struct sql_stmt *s, int col)
{
	return sql_is_null(s, col) ? (double)NAN : sqlite3_column_double(s->h, col);
}

const char *sql_str(struct sql_stmt *s, int col)
{
	return (const char *)sqlite3_column_text(s->h, col);
}

const void *sql_blob(struct sql_stmt *s, int col, size_t *n)
{
	const void *p = sqlite3_column_blob(s->h, col);

	*n = (size_t)sqlite3_column_bytes(s->h, col);
	return p;
}

bool sql_is_null(struct sql_stmt *s, int col)
{
	return sqlite3_column_type(s->h, col) == SQLITE_NULL;
}

bool sql_in_transaction(struct sql *db)
{
	return !sqlite3_get_autocommit(db->h);
}

int sql_changes(struct sql *db)
{
	return sqlite3_changes(db->h);
}

int sql_backup(struct sql *db, const char *path, struct err *e)
{
	CLEANUP(sql_closep) struct sql *to = NULL;
	sqlite3_backup *b;
	int rc;

	if (!access(path, F_OK))
		return err_set(e, ERR_CONFLICT, "%s exists already: a backup never overwrites a file", path);
	if (sql_open(&to, path, false, true, e))
		return -1;
	b = sqlite3_backup_init(to->h, "main", db->h, "main");
	if (!b)
		return fail(to, sqlite3_errcode(to->h), "backup", e);
	rc = sqlite3_backup_step(b, -1);
	if (rc == SQLITE_DONE)
		rc = SQLITE_OK;
	if (sqlite3_backup_finish(b) != SQLITE_OK || rc != SQLITE_OK) {
		fail(to, rc, "backup", e);
		unlink(path);
		return -1;
	}
	return 0;
}
