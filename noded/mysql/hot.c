/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/hot.h"

#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/locked.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SQL_MAX = 65536 };

void hot_done(struct hot *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].db);
		free(h->v[i].table);
		free(h->v[i].created);
	}
	list_done(h);
}

static const struct hot_table *find(const struct hot *h, const char *db, const char *table)
{
	for (size_t i = 0; h && i < h->n; i++)
		if (str_eq(h->v[i].db, db) && str_eq(h->v[i].table, table))
			return &h->v[i];
	return NULL;
}

bool hot_has(const struct hot *h, const char *db, const char *table)
{
	return find(h, db, table) != NULL;
}

bool hot_same(const struct hot *h, const char *db, const char *table, const char *created)
{
	const struct hot_table *t = find(h, db, table);

	return t && t->created && str_eq(t->created, created);
}

size_t hot_count(const struct hot *h, const char *db)
{
	size_t n = 0;

	for (size_t i = 0; h && i < h->n; i++)
		n += str_eq(h->v[i].db, db);
	return n;
}

void hot_add(struct hot *h, const char *db, const char *table)
{
	if (h->n < HOT_MAX && !hot_has(h, db, table))
		*list_push(h) = (struct hot_table){.db = xstrdup(db), .table = xstrdup(table)};
}

/* TABLE_SCHEMA and TABLE_NAME are those of one of them, as bytes. */
void hot_add_test(struct buf *sql, const struct hot *h)
{
	buf_adds(sql, "CAST(CONCAT(TABLE_SCHEMA, '/', TABLE_NAME) AS BINARY) IN (''");
	for (size_t i = 0; i < h->n; i++) {
		CLEANUP(freep) char *both = xasprintf("%s/%s", h->v[i].db, h->v[i].table);

		buf_adds(sql, ", ");
		sql_string(sql, both, strlen(both));
	}
	buf_addc(sql, ')');
}

/* columns FROM information_schema.TABLES, one table at a time: for its own name the server opens no other. */
static int ask(MYSQL_RES **ret, const char *columns, const struct hot_table *t, struct conn *c, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, SQL_MAX);
	buf_addf(&sql, "SELECT %s FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", columns);
	sql_string(&sql, t->db, strlen(t->db));
	buf_adds(&sql, " AND TABLE_NAME = ");
	sql_string(&sql, t->table, strlen(t->table));
	return buf_check(&sql, "name of a table", e) || conn_rows(c, ret, sql.p, e) ? -1 : 0;
}

/* The server may have its own idea of upper and lower case: a table that it calls otherwise is none that could be found
 * again in its lists. */
static bool can_be_held(const struct hot_table *t, MYSQL_ROW row)
{
	return row && str_eq(row[0], t->db) && str_eq(row[1], t->table) && !str_empty(row[2]) && !locked_wanted(row[2]);
}

int hot_pick(struct hot *ret, const struct hot *from, const char *db, struct conn *c, struct err *e)
{
	for (size_t i = 0; from && i < from->n; i++) {
		const struct hot_table *t = &from->v[i];
		CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;

		if (!str_eq(t->db, db ? db : ret->n ? ret->v[0].db : t->db))
			continue;
		if (ask(&r, "TABLE_SCHEMA, TABLE_NAME, ENGINE", t, c, e))
			return -1;
		if (can_be_held(t, mysql_fetch_row(r)))
			hot_add(ret, t->db, t->table);
	}
	return 0;
}

int hot_look(struct hot *h, struct conn *c, bool *same, struct err *e)
{
	*same = true;
	for (size_t i = 0; i < h->n; i++) {
		struct hot_table *t = &h->v[i];
		CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
		const char *now;
		MYSQL_ROW row;

		if (ask(&r, "CREATE_TIME", t, c, e))
			return -1;
		row = mysql_fetch_row(r);
		now = row ? str_or(row[0], "") : "gone";
		if (t->created && str_eq(t->created, now))
			continue;
		*same = false;
		free(t->created);
		t->created = xstrdup(now);
	}
	return 0;
}

/* The first row is wanted, not only the lock: InnoDB then tells whether the table is younger than the snapshot. */
static int touch(const struct hot_table *t, struct conn *c, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "SELECT 1 FROM ");
	sql_ident(&sql, t->db);
	buf_addc(&sql, '.');
	sql_ident(&sql, t->table);
	buf_adds(&sql, " LIMIT 1");
	return buf_check(&sql, "name of a table", e) || conn_exec(c, sql.p, e) ? -1 : 0;
}

int hot_take(const struct hot *h, struct conn *c, bool *late, struct err *e)
{
	int failed = 0;

	*late = false;
	/* MySQL makes 1 of 0 */
	if (conn_exec(c, "SET @felloe_wait=@@SESSION.lock_wait_timeout, SESSION lock_wait_timeout=0", e) ||
	    conn_exec(c, "SAVEPOINT felloe_hot", e))
		return -1;
	for (size_t i = 0; i < h->n && !failed; i++) {
		failed = touch(&h->v[i], c, e);
		*late = failed && (mysql_errno(c->my) == ER_LOCK_WAIT_TIMEOUT || mysql_errno(c->my) == ER_TABLE_DEF_CHANGED);
		if (failed)
			err_prefix(e, "table `%s`", h->v[i].table);
	}
	if (failed && !*late)
		return -1;
	return conn_exec(c, "SET SESSION lock_wait_timeout=@felloe_wait", failed ? NULL : e) || failed ? -1 : 0;
}

int hot_give_back(struct conn *c, struct err *e)
{
	return conn_exec(c, "ROLLBACK TO SAVEPOINT felloe_hot", e);
}
