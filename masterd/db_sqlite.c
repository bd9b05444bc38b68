/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db_sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/sql.h"
#include "shared/str.h"

enum { MAX_MIGRATIONS = 64, MIGRATION_MAX = 1 << 20 };

/* Portable word of a migration -> SQLite's. */
static const struct {
	const char *word, *ours;
} words[] = {
	{"{id}", "INTEGER PRIMARY KEY AUTOINCREMENT"},
	{"{int}", "INTEGER"},
	{"{num}", "REAL"},
	{"{blob}", "BLOB"},
	{"{clustered}", "WITHOUT ROWID"},
};

static int lite_open(void **ret, const char *url, bool readonly, struct err *e)
{
	struct sql *db;

	if (sql_open(&db, url + strlen("sqlite:"), readonly, true, e))
		return -1;
	*ret = db;
	return 0;
}

static void lite_close(void *conn)
{
	sql_close(conn);
}

/* A file does not go away. */
static bool lite_alive(void *conn)
{
	(void)conn;
	return true;
}

static char *lite_shown(const char *url)
{
	return xstrdup(url);
}

static int lite_exec(void *conn, const char *text, struct err *e)
{
	return sql_exec(conn, text, e);
}

static const char *translated(struct buf *b, const char *at)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_starts(at, words[i].word)) {
			buf_adds(b, words[i].ours);
			return at + strlen(words[i].word);
		}
	/* {by_day:COLUMN}: one table for all days */
	if (str_starts(at, "{by_day:"))
		return at + strcspn(at, "}") + 1;
	buf_addc(b, *at);
	return at + 1;
}

static char *translate(const char *text)
{
	struct buf b;

	buf_init(&b, MIGRATION_MAX);
	while (*text)
		text = translated(&b, text);
	return buf_take(&b);
}

static int lite_migrate(void *conn, const char *const *texts, int n, struct err *e)
{
	char *own[MAX_MIGRATIONS] = {NULL};
	int rc;

	if (n > MAX_MIGRATIONS)
		return err_set(e, ERR_INTERNAL, "too many migrations");
	for (int i = 0; i < n; i++)
		own[i] = translate(texts[i]);
	rc = sql_migrate(conn, (const char *const *)own, n, e);
	for (int i = 0; i < n; i++)
		free(own[i]);
	return rc;
}

static int lite_judge(void *conn, char about[static DB_ABOUT], struct err *e)
{
	(void)conn;
	(void)e;
	str_cut(about, DB_ABOUT, "SQLite");
	return 0;
}

static int lite_version(void *conn, int *ret, struct err *e)
{
	return sql_version(conn, ret, e);
}

static int lite_prepare(void *conn, void **ret, const char *text, struct err *e)
{
	struct sql_stmt *s;

	if (sql_prepare(conn, &s, text, e))
		return -1;
	*ret = s;
	return 0;
}

static void lite_done(void *h)
{
	sql_done(h);
}

static void lite_set_int(void *h, int at, int64_t v)
{
	sql_bind_int(h, at, v);
}

static void lite_set_num(void *h, int at, double v)
{
	sql_bind_num(h, at, v);
}

static void lite_set_str(void *h, int at, const char *v)
{
	sql_bind_str(h, at, v);
}

static void lite_set_blob(void *h, int at, const void *p, size_t n)
{
	sql_bind_blob(h, at, p, n);
}

static int lite_step(void *h, struct err *e)
{
	return sql_step(h, e);
}

static int64_t lite_get_int(void *h, int col)
{
	return sql_int(h, col);
}

static double lite_get_num(void *h, int col)
{
	return sql_num(h, col);
}

static const char *lite_get_str(void *h, int col)
{
	return sql_str(h, col);
}

static bool lite_is_null(void *h, int col)
{
	return sql_is_null(h, col);
}

static const void *lite_get_blob(void *h, int col, size_t *n)
{
	return sql_blob(h, col, n);
}

static bool lite_in_transaction(void *conn)
{
	return sql_in_transaction(conn);
}

static int lite_begin(void *conn, struct err *e)
{
	return sql_exec(conn, "BEGIN IMMEDIATE", e);
}

/* BEGIN IMMEDIATE lets no other writer in. */
static int lite_rules(void *conn, struct err *e)
{
	(void)conn;
	(void)e;
	return 0;
}

static int lite_commit(void *conn, struct err *e)
{
	return sql_exec(conn, "COMMIT", e);
}

static void lite_rollback(void *conn)
{
	struct err ignored;

	/* a full disk may have done it already */
	if (sql_in_transaction(conn) && sql_exec(conn, "ROLLBACK", &ignored))
		log_debug("sqlite: %s", ignored.msg);
}

static int lite_backup(void *conn, const char *path, struct err *e)
{
	return sql_backup(conn, path, e);
}

static const struct db_catalogue *lite_catalogue(void)
{
	static const struct db_catalogue all = {
		.columns = "SELECT m.name, p.name, CASE p.type WHEN 'INTEGER' THEN 'int' WHEN 'REAL' THEN 'num' WHEN 'BLOB' "
			   "THEN 'blob' ELSE 'text' END, p.pk, p.pk>0 AND m.sql LIKE '%AUTOINCREMENT%' FROM sqlite_master m, "
			   "pragma_table_info(m.name) p WHERE m.type='table' ORDER BY m.rowid, p.cid",
		.last_number = "SELECT seq FROM sqlite_sequence WHERE name=?1 AND ?2<>''",
		/* it has no key but the rowid */
		.set_number = "INSERT OR REPLACE INTO sqlite_sequence(rowid,name,seq) "
			      "VALUES((SELECT rowid FROM sqlite_sequence WHERE name=?1 AND ?2<>''),?1,?3)",
	};

	return &all;
}

static const struct db_driver driver = {
	.open = lite_open,
	.close = lite_close,
	.alive = lite_alive,
	.shown = lite_shown,
	.exec = lite_exec,
	.migrate = lite_migrate,
	.judge = lite_judge,
	.catalogue = lite_catalogue,
	.version = lite_version,
	.prepare = lite_prepare,
	.done = lite_done,
	.set_int = lite_set_int,
	.set_num = lite_set_num,
	.set_str = lite_set_str,
	.set_blob = lite_set_blob,
	.step = lite_step,
	.get_int = lite_get_int,
	.get_num = lite_get_num,
	.get_str = lite_get_str,
	.is_null = lite_is_null,
	.get_blob = lite_get_blob,
	.begin = lite_begin,
	.rules = lite_rules,
	.commit = lite_commit,
	.rollback = lite_rollback,
	.in_transaction = lite_in_transaction,
	.backup = lite_backup,
};

const struct db_driver *db_sqlite(void)
{
	return &driver;
}
