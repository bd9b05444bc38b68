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
			     "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED), @@event_scheduler, "
			     "CONCAT(@@hostname, ':', @@port, ' ', @@datadir), @@socket", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(c, e);
	str_cut(ret->version, sizeof(ret->version), str_or(row[0], ""));
	str_cut(ret->account, sizeof(ret->account), str_or(row[1], ""));
	ret->max_packet = number(row[2]);
	ret->clock_ms = number(row[3]);
	ret->events_on = str_ieq(row[4], "ON") || str_eq(row[4], "1");
	str_cut(ret->identity, sizeof(ret->identity), str_or(row[5], ""));
	str_cut(ret->socket, sizeof(ret->socket), str_or(row[6], ""));
	return 0;
}

/* "... 'schema'" with the name as a literal, for information_schema. */
static int ask(struct conn *c, MYSQL_RES **ret, const char *sql, const char *schema, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, sql);
	sql_string(&b, schema, strlen(schema));
	return buf_check(&b, "a question", e) ? -1 : conn_rows(c, ret, b.p, e);
}

static int ask_number(struct conn *c, const char *sql, const char *schema, int64_t *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (ask(c, &r, sql, schema, e))
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
	if (ask_number(c, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ", schema, &there, e) ||
	    ask_number(c, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", schema, &ret->tables, e))
		return -1;
	ret->there = there > 0;
	return 0;
}

int server_count(const struct db_access *a, const char *schema, struct server_objects *ret, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
#define COUNT "SELECT COUNT(*) FROM information_schema."
	const struct { const char *sql; int64_t *to; } counts[] = {
		{COUNT "VIEWS WHERE TABLE_SCHEMA = ", &ret->views},
		{COUNT "TRIGGERS WHERE TRIGGER_SCHEMA = ", &ret->triggers},
		/* a package and its body are one */
		{COUNT "ROUTINES WHERE ROUTINE_TYPE <> 'PACKAGE BODY' AND ROUTINE_SCHEMA = ", &ret->routines},
		{COUNT "EVENTS WHERE EVENT_SCHEMA = ", &ret->events},
		{COUNT "TABLES WHERE TABLE_TYPE = 'SEQUENCE' AND TABLE_SCHEMA = ", &ret->sequences},
	};
#undef COUNT

	*ret = (struct server_objects){0};
	if (conn_open(&c, a, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (ask_number(c, counts[i].sql, schema, counts[i].to, e))
			return -1;
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

static bool is_among(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i], name))
			return true;
	return false;
}

/* A foreign key follows its table through RENAME TABLE: one that refers to the
 * table in use would refer to what is dropped afterwards. */
static int check_keys(struct conn *c, const struct swap *s, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;
	int64_t n;

	if (ask_number(c, "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ",
		       s->scratch, &n, e) ||
	    ask(c, &r, "SELECT REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME FROM "
		       "information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = ", s->db, e))
		return -1;
	if (n)
		return err_set(e, ERR_CONFLICT, "a table has foreign keys, which would not follow it into `%s`: restore into a "
			       "schema of its own (--to-db) and move the rows", s->db);
	while ((row = mysql_fetch_row(r)))
		if (is_among(s->tables, row[0]))
			return err_set(e, ERR_CONFLICT, "a foreign key of `%s`.`%s` refers to the table `%s`, which therefore cannot "
				       "be replaced: restore into a schema of its own (--to-db) and move the rows", row[1], row[2],
				       row[0]);
	return 0;
}

static int check_triggers(struct conn *c, const struct swap *s, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (ask(c, &r, "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ",
		s->db, e))
		return -1;
	while ((row = mysql_fetch_row(r))) {
		bool ours = is_among(s->tables, row[1]), known = is_among(s->triggers, row[0]);

		if (ours && !known)
			return err_set(e, ERR_CONFLICT, "the trigger `%s` of the table `%s`.`%s` is not in the archive and would be "
				       "lost: drop it, restore, create it again", row[0], s->db, row[1]);
		if (!ours && known)
			return err_set(e, ERR_CONFLICT, "the trigger `%s` belongs to the table `%s`.`%s` now: rename one of them, or "
				       "restore into a schema of its own (--to-db)", row[0], s->db, row[1]);
	}
	return 0;
}

int server_can_swap(const struct db_access *a, const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;

	return conn_open(&c, a, e) || check_triggers(c, s, e) || check_keys(c, s, e) ? -1 : 0;
}

static void add_name(struct buf *b, const char *db, const char *table)
{
	sql_ident(b, db);
	buf_addc(b, '.');
	sql_ident(b, table);
}

static char *old_name(const struct swap *s, size_t i)
{
	return xasprintf("felloe_old_%s_%zu", s->tag, i);
}

/* One RENAME TABLE for all. What is in the way stays in its schema: only there
 * may it keep its triggers. */
static int rename_all(struct conn *c, const struct swap *s, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	bool to_move = true;

	/* all went or none: a swap that was cut off goes on behind it */
	if (s->tables->n && table_exists(c, s->scratch, s->tables->v[0], &to_move, e))
		return -1;
	if (!to_move)
		return 0;
	buf_init(&b, SQL_MAX);
	buf_adds(&b, "RENAME TABLE ");
	for (size_t i = 0; i < s->tables->n; i++) {
		CLEANUP(freep) char *old = old_name(s, i);
		const char *t = s->tables->v[i];
		bool in_the_way;

		if (table_exists(c, s->db, t, &in_the_way, e))
			return -1;
		buf_adds(&b, i ? ", " : "");
		if (in_the_way) {
			add_name(&b, s->db, t);
			buf_adds(&b, " TO ");
			add_name(&b, s->db, old);
			buf_adds(&b, ", ");
		}
		add_name(&b, s->scratch, t);
		buf_adds(&b, " TO ");
		add_name(&b, s->db, t);
	}
	return buf_check(&b, "RENAME TABLE", e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

static int drop_one(struct conn *c, const char *verb, const char *db, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, verb);
	add_name(&b, db, name);
	return buf_check(&b, verb, e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

int server_swap(const struct db_access *a, const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;

	if (conn_open(&c, a, e))
		return -1;
	for (size_t i = 0; i < s->triggers->n; i++)
		if (drop_one(c, "DROP TRIGGER IF EXISTS ", s->scratch, s->triggers->v[i], e))
			return -1;
	if (rename_all(c, s, e))
		return -1;
	for (size_t i = 0; i < s->tables->n; i++) {
		CLEANUP(freep) char *old = old_name(s, i);

		if (drop_one(c, "DROP TABLE IF EXISTS ", s->db, old, e))
			return err_wrap(e, "the tables are in place; the old `%s` is left as `%s`", s->tables->v[i], old);
	}
	return 0;
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
