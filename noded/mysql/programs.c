/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/programs.h"

#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/prologue.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { PROGRAM_MAX = 64 << 20, NONE = 99 };

/* Where SHOW CREATE has what. */
struct kind {
	const char *word; /* "FUNCTION" */
	const char *dir;
	unsigned mode, text, charset, zone; /* columns; collation and the schema's follow the charset */
};
static const struct kind function = {"FUNCTION", "30-post/1-functions/", 1, 2, 3, NONE};
static const struct kind procedure = {"PROCEDURE", "30-post/2-procedures/", 1, 2, 3, NONE};
static const struct kind package = {"PACKAGE", "30-post/3-packages/", 1, 2, 3, NONE};
static const struct kind package_body = {"PACKAGE BODY", "30-post/3-packages/", 1, 2, 3, NONE};
static const struct kind trigger = {"TRIGGER", "30-post/4-triggers/", 1, 2, 3, NONE};
static const struct kind view = {"VIEW", "30-post/5-views/", NONE, 1, 2, NONE};
static const struct kind event = {"EVENT", "30-post/6-events/", 1, 3, 4, 2};

static int list_names(struct schema *s, struct strings *ret, const char *sql, unsigned column, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(s->c, &r, sql, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		strings_add(ret, row[column]);
	return 0;
}

static void add_drop(struct buf *b, const struct kind *k, const char *name)
{
	if (k == &package_body)
		return; /* went with its package */
	if (k == &package)
		buf_adds(b, "SET sql_mode='ORACLE';\n"); /* elsewhere MariaDB does not know the statement */
	buf_addf(b, "DROP %s IF EXISTS ", k->word);
	sql_ident(b, name);
	buf_adds(b, ";\n");
}

/* One CREATE between its settings. */
static void add_created(struct schema *s, struct buf *b, const struct kind *k, MYSQL_ROW row, const unsigned long *len)
{
	bool is_view = k == &view;
	struct prologue_made made = {
		.sql_mode = k->mode == NONE ? NULL : row[k->mode],
		.charset = row[k->charset],
		.collation = row[k->charset + 1],
		.db_collation = is_view ? NULL : row[k->charset + 2],
		.now_collation = s->collation,
		.time_zone = k->zone == NONE ? NULL : row[k->zone],
	};
	char delimiter[24];

	prologue_begin_made(b, &made);
	sql_delimiter(delimiter, row[k->text], len[k->text]);
	if (!is_view)
		buf_addf(b, "DELIMITER %s\n", delimiter);
	if (is_view)
		sql_unqualify(b, row[k->text], len[k->text], s->db);
	else if (k == &trigger)
		sql_unqualify_trigger(b, row[k->text], len[k->text], s->db);
	else
		buf_add(b, row[k->text], len[k->text]);
	if (is_view)
		buf_adds(b, ";\n");
	else
		buf_addf(b, "\n%s\nDELIMITER ;\n", delimiter);
	prologue_end_made(b, &made);
}

/* Ask with results in the object's own character set: its body has to come back
 * in the bytes in which it was written. */
static int show_create(struct schema *s, MYSQL_RES **ret, const struct kind *k, const char *name, struct err *e)
{
	CLEANUP(freep) char *verb = xasprintf("SHOW CREATE %s ", k->word);
	int failed;

	if (conn_exec(s->c, "SET character_set_results=NULL", e))
		return -1;
	failed = conn_rows_of(s->c, ret, verb, name, e);
	if (conn_exec(s->c, "SET character_set_results=utf8mb4", failed ? NULL : e))
		return -1;
	return failed;
}

/* *written tells whether the definition could be read. */
static int add_program(struct schema *s, struct buf *b, const struct kind *k, const char *name, bool *written)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	struct err why;
	MYSQL_ROW row;

	if (show_create(s, &r, k, name, &why)) {
		if (why.kind == ERR_NET)
			return -1;
		schema_warn(s, "%s `%s` is not in the backup: %s", k->word, name, why.msg);
		return 0;
	}
	row = mysql_fetch_row(r);
	if (!row || !row[k->text]) {
		schema_warn(s,
			    "%s `%s` is not in the backup: its body may not be read; "
			    "GRANT SELECT ON mysql.proc (MySQL 8: SHOW_ROUTINE ON *.*) to the account", k->word, name);
		return 0;
	}
	prologue_begin(b);
	add_drop(b, k, name);
	add_created(s, b, k, row, mysql_fetch_lengths(r));
	*written = true;
	return 0;
}

static int put_program(struct schema *s, const struct kind *k, const char *name, unsigned *count, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	bool written = false;

	buf_init(&b, PROGRAM_MAX);
	if (add_program(s, &b, k, name, &written))
		return conn_fail(s->c, e);
	if (!written)
		return 0;
	*count += 1;
	return schema_member(s, k->dir, name, &b, e);
}

#define ROUTINES(type)                                                                                         \
	"SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND "           \
	"CAST(ROUTINE_SCHEMA AS BINARY) = CAST(DATABASE() AS BINARY) AND ROUTINE_TYPE = '" type "' ORDER BY 1"

static int put_routines(struct schema *s, const struct kind *k, unsigned *count, struct err *e)
{
	CLEANUP(strings_done) struct strings names = {0};

	if (list_names(s, &names, k == &function ? ROUTINES("FUNCTION") : ROUTINES("PROCEDURE"), 0, e))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (put_program(s, k, names.v[i], count, e))
			return -1;
	return 0;
}

/* A package and its body, if it has one, are one member. */
static int put_packages(struct schema *s, unsigned *count, struct err *e)
{
	CLEANUP(strings_done) struct strings names = {0}, bodies = {0};

	if (list_names(s, &names, ROUTINES("PACKAGE"), 0, e) || list_names(s, &bodies, ROUTINES("PACKAGE BODY"), 0, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(buf_done) struct buf b = {0};
		bool written = false, body = false;

		for (size_t j = 0; j < bodies.n; j++)
			body = body || str_eq(bodies.v[j], names.v[i]);
		buf_init(&b, PROGRAM_MAX);
		if (add_program(s, &b, &package, names.v[i], &written) ||
		    (written && body && add_program(s, &b, &package_body, names.v[i], &written)))
			return conn_fail(s->c, e);
		if (written && schema_member(s, package.dir, names.v[i], &b, e))
			return -1;
		*count += written;
	}
	return 0;
}

static bool is_left_out(const struct schema *s, const char *table)
{
	for (size_t i = 0; s->leaves_out && i < s->tables.n; i++)
		if (str_eq(s->tables.v[i].name, table))
			return s->tables.v[i].left_out;
	return false;
}

/* Of several triggers for one event each fires after those made before it: order
 * is part of them, and stands in the names of their members. */
static int put_trigger(struct schema *s, const char *name, const char *table, struct dump_result *ret, struct err *e)
{
	CLEANUP(freep) char *dir = xasprintf("%s%05zu.", trigger.dir, ret->triggers_of.n + 1);
	CLEANUP(buf_done) struct buf b = {0}, member = {0};
	struct dump_trigger *t;
	bool written = false;

	buf_init(&b, PROGRAM_MAX);
	if (add_program(s, &b, &trigger, name, &written))
		return conn_fail(s->c, e);
	if (!written)
		return 0;
	schema_member_name(&member, dir, name);
	if (buf_check(&member, "name of a member", e) || schema_member(s, dir, name, &b, e))
		return -1;
	t = list_push(&ret->triggers_of);
	t->name = xstrdup(name);
	t->table = xstrdup(table);
	t->member = buf_take(&member);
	ret->triggers++;
	return 0;
}

int programs_look(struct schema *s, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(s->c, &r, "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS "
				"WHERE TRIGGER_SCHEMA = DATABASE() AND CAST(TRIGGER_SCHEMA AS BINARY) = "
				"CAST(DATABASE() AS BINARY) ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, "
				"ACTION_ORDER", e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (!is_left_out(s, row[1]))
			*list_push(&s->triggers) = (struct trigger){pool_add(s->strings, row[0]), pool_same(s->strings, row[1])};
	return 0;
}

static int put_triggers(struct schema *s, struct dump_result *ret, struct err *e)
{
	for (size_t i = 0; i < s->triggers.n; i++)
		if (put_trigger(s, s->triggers.v[i].name, s->triggers.v[i].table, ret, e))
			return -1;
	return 0;
}

/* A view that refers to what is gone cannot be created again. Its text is kept
 * where a person finds it, and does not stop the rest of a restore. */
static int put_broken_view(struct schema *s, const struct object *v, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf text = {0}, b = {0};
	struct err why = {0};
	MYSQL_ROW row;

	if (show_create(s, &r, &view, v->name, &why)) {
		if (why.kind == ERR_NET)
			return conn_fail(s->c, e);
		schema_warn(s, "view `%s` is not in the backup: %s", v->name, why.msg);
		return 0;
	}
	row = mysql_fetch_row(r);
	if (!row || !row[1])
		return conn_fail(s->c, e);
	schema_warn(s,
		    "view `%s` refers to %s: its definition is kept as a comment and will not be restored", v->name,
		    v->broken ? "a table, column or function that is not there" : "a table that exclude_tables leaves out");
	buf_init(&b, PROGRAM_MAX);
	buf_adds(&b, "-- This view refers to something that is not in the backup:\n-- ");
	buf_init(&text, PROGRAM_MAX);
	sql_unqualify(&text, row[1], mysql_fetch_lengths(r)[1], s->db);
	for (const char *p = text.p; *p; p++) {
		buf_addc(&b, *p == '\r' ? ' ' : *p);
		if (*p == '\n')
			buf_adds(&b, "-- ");
	}
	buf_adds(&b, ";\n");
	return schema_member(s, view.dir, v->name, &b, e);
}

static int put_views(struct schema *s, unsigned *count, struct err *e)
{
	for (size_t i = 0; i < s->views.n; i++) {
		const struct object *v = &s->views.v[i];

		if (v->broken || v->left_out ? put_broken_view(s, v, e) : put_program(s, &view, v->name, count, e))
			return -1;
	}
	return 0;
}

static bool answers_no(struct schema *s, const char *sql)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(s->c, &r, sql, NULL))
		return false;
	row = mysql_fetch_row(r);
	return row && str_eq(row[0], "0");
}

static int put_events(struct schema *s, unsigned *count, struct err *e)
{
	CLEANUP(strings_done) struct strings names = {0};
	struct err why;

	if (list_names(s, &names, "SHOW EVENTS", 1, &why)) {
		if (why.kind == ERR_NET)
			return conn_fail(s->c, e);
		if (mysql_errno(s->c->my) == ER_EVENTS_DB_ERROR) {
			/* who may read their table knows whether there are any */
			if (!answers_no(s, "SELECT COUNT(*) FROM mysql.event WHERE db = DATABASE()"))
				schema_warn(s, "events of `%s` are not in the backup: the server shows none (event_scheduler=DISABLED); "
					    "start it with event_scheduler=OFF", s->db);
			return 0;
		}
		schema_warn(s, "events of `%s` are not in the backup: GRANT EVENT on it to the account (%s)", s->db, why.msg);
		return 0;
	}
	for (size_t i = 0; i < names.n; i++)
		if (put_program(s, &event, names.v[i], count, e))
			return -1;
	return 0;
}

/* Has the account one of these privileges on the whole schema? Triggers and
 * routines that it may not see are not refused but simply not listed. */
#define GRANTED(types)                                                                                             \
	"SELECT COUNT(*) FROM (SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES UNION ALL "    \
	"SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE DATABASE() LIKE TABLE_SCHEMA) p, " \
	"(SELECT CURRENT_USER() AS u, SUBSTRING_INDEX(CURRENT_USER(), '@', -1) AS h) me "                           \
	"WHERE PRIVILEGE_TYPE IN (" types ") AND "                                                                  \
	"GRANTEE = CONCAT('\\'', LEFT(u, CHAR_LENGTH(u) - CHAR_LENGTH(h) - 1), '\\'@\\'', h, '\\'')"

static void warn_unseen(struct schema *s)
{
	/* What a role grants stands elsewhere: with one active we cannot tell. */
	if (answers_no(s, "SELECT COALESCE(CURRENT_ROLE(), 'NONE') = 'NONE'"))
		return;
	if (answers_no(s, GRANTED("'TRIGGER'")))
		schema_warn(s, "triggers of `%s`, if there are any, are not in the backup: GRANT TRIGGER on it to the account",
			    s->db);
	if (answers_no(s, GRANTED("'EXECUTE','CREATE ROUTINE','ALTER ROUTINE','SHOW_ROUTINE','SHOW CREATE ROUTINE'")) &&
	    conn_exec(s->c, "SELECT 1 FROM mysql.proc LIMIT 0", NULL))
		schema_warn(s,
			    "routines of `%s` that the account may not see are not in the backup: "
			    "GRANT SELECT ON mysql.proc (MySQL 8: SHOW_ROUTINE ON *.*) to it", s->db);
}

int programs_put(struct schema *s, struct dump_result *ret, struct err *e)
{
	warn_unseen(s);
	if (put_routines(s, &function, &ret->routines, e) || put_routines(s, &procedure, &ret->routines, e) ||
	    put_packages(s, &ret->routines, e) || put_triggers(s, ret, e) || put_views(s, &ret->views, e) ||
	    put_events(s, &ret->events, e))
		return -1;
	return 0;
}
