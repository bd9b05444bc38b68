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
	cluster_look(&ret->cluster, c);
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
