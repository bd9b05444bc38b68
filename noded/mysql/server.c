/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/server.h"

#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/sqltext.h"
#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SQL_MAX = 1 << 20 };

static int64_t number(const char *text)
{
	int64_t n = 0;

	if (str_empty(text) || str_to_i64(&n, text, INT64_MIN, INT64_MAX))
		return 0;
	return n;
}

static int look_at_server(struct conn *c, struct server_facts *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, "SELECT VERSION(), CURRENT_USER(), @@max_allowed_packet, "
			     "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED), @@event_scheduler", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(c, e);
	str_cut(ret->version, sizeof(ret->version), str_or(row[0], ""));
	str_cut(ret->account, sizeof(ret->account), str_or(row[1], ""));
	ret->max_packet = number(row[2]);
	ret->clock_ms = number(row[3]);
	ret->events_on = str_ieq(row[4], "ON") || str_eq(row[4], "1");
	return 0;
}

/* "... 'schema'" with the name as a literal, for information_schema. */
static int ask_number(struct conn *c, const char *sql, const char *schema, const char *table, int64_t *ret,
		      struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, sql);
	sql_string(&b, schema, strlen(schema));
	if (table) {
		buf_adds(&b, " AND EVENT_OBJECT_TABLE = ");
		sql_string(&b, table, strlen(table));
	}
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	row = mysql_fetch_row(r);
	*ret = row ? number(row[0]) : 0;
	return 0;
}

int server_look(const struct db_access *a, const char *schema, struct server_facts *ret, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	int64_t there = 0;

	*ret = (struct server_facts){0};
	if (conn_open(&c, a, e) || look_at_server(c, ret, e))
		return -1;
	if (!*schema)
		return 0;
	if (ask_number(c, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ", schema, NULL, &there,
		       e) ||
	    ask_number(c, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", schema, NULL,
		       &ret->tables, e))
		return -1;
	ret->there = there > 0;
	return 0;
}

static int table_exists(struct conn *c, const char *db, const char *table, bool *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
	sql_string(&b, db, strlen(db));
	buf_adds(&b, " AND TABLE_NAME = ");
	sql_string(&b, table, strlen(table));
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	*ret = mysql_fetch_row(r) != NULL;
	return 0;
}

int server_can_swap(const struct db_access *a, const char *scratch, const char *db, const struct strings *tables,
		    struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	int64_t n;

	if (conn_open(&c, a, e) ||
	    ask_number(c, "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ",
		       scratch, NULL, &n, e))
		return -1;
	if (n)
		return err_set(e, ERR_CONFLICT, "a table has foreign keys, which would not follow it into `%s`: restore into a "
			       "schema of its own (--to-db) and move the rows", db);
	for (size_t i = 0; i < tables->n; i++) {
		if (ask_number(c, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ", db,
			       tables->v[i], &n, e))
			return -1;
		if (n)
			return err_set(e, ERR_CONFLICT, "the table `%s`.`%s` has %lld triggers, which would be lost with it: drop "
				       "them, restore, create them again", db, tables->v[i], (long long)n);
	}
	return 0;
}

static void add_name(struct buf *b, const char *db, const char *prefix, const char *table)
{
	CLEANUP(freep) char *name = xasprintf("%s%s", prefix, table);

	sql_ident(b, db);
	buf_addc(b, '.');
	sql_ident(b, name);
}

int server_swap(const struct db_access *a, const char *scratch, const char *db, const struct strings *tables,
		struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	if (conn_open(&c, a, e))
		return -1;
	buf_adds(&b, "RENAME TABLE ");
	for (size_t i = 0; i < tables->n; i++) {
		const char *t = tables->v[i];
		bool in_the_way;

		if (table_exists(c, db, t, &in_the_way, e))
			return -1;
		buf_adds(&b, i ? ", " : "");
		if (in_the_way) {
			add_name(&b, db, "", t);
			buf_adds(&b, " TO ");
			add_name(&b, scratch, "_old_", t);
			buf_adds(&b, ", ");
		}
		add_name(&b, scratch, "", t);
		buf_adds(&b, " TO ");
		add_name(&b, db, "", t);
	}
	if (buf_check(&b, "RENAME TABLE", e))
		return -1;
	return conn_exec_n(c, b.p, b.len, e);
}

int server_drop_schema(const struct db_access *a, const char *schema, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "DROP DATABASE ");
	sql_ident(&b, schema);
	if (buf_check(&b, "DROP DATABASE", e) || conn_open(&c, a, e))
		return -1;
	return conn_exec(c, b.p, e);
}
