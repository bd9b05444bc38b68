/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/swap.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/journal.h"
#include "noded/mysql/repoint.h"
#include "noded/mysql/rights.h"
#include "noded/mysql/sqltext.h"
#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/pool.h"
#include "shared/str.h"

enum { SQL_MAX = 128 << 20 };

/* In the old schema, with the views and programs of what was in use. */
#define PROGRAMS_TABLE "felloe_programs"

/* The site waits while we wait for a table: not for long. */
static int connect_to(struct conn **c, const struct swap *s, struct err *e)
{
	return conn_open(c, s->access, e) || conn_exec(*c, "SET SESSION lock_wait_timeout=30, foreign_key_checks=0", e) ? -1 : 0;
}

static int ask(struct conn *c, MYSQL_RES **ret, const char *sql, const char *schema, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, sql);
	sql_string(&b, schema, strlen(schema));
	return buf_check(&b, "a question", e) ? -1 : conn_rows(c, ret, b.p, e);
}

static int ask_names(struct conn *c, struct strings *ret, const char *sql, const char *schema, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (ask(c, &r, sql, schema, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		strings_add(ret, row[0]);
	return 0;
}

static int schema_there(struct conn *c, const char *schema, bool *ret, struct err *e)
{
	CLEANUP(strings_done) struct strings names = {0};

	if (ask_names(c, &names, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ", schema, e))
		return -1;
	*ret = names.n > 0;
	return 0;
}

static int tables_of(struct conn *c, struct strings *ret, const char *schema, struct err *e)
{
	return ask_names(c, ret, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', "
				 "'SYSTEM VERSIONED', 'SEQUENCE') AND TABLE_SCHEMA = ", schema, e);
}

int swap_look(const struct swap *s, enum swap_state *ret, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	bool scratch, old;

	if (connect_to(&c, s, e) || schema_there(c, s->scratch, &scratch, e) || schema_there(c, s->old, &old, e))
		return -1;
	*ret = scratch ? old ? SWAP_BEGUN : SWAP_LOADING : old ? SWAP_KEPT : SWAP_NOTHING;
	return 0;
}

int swap_can(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;
	bool there;

	if (connect_to(&c, s, e) || schema_there(c, s->db, &there, e))
		return -1;
	if (!there)
		return err_set(e, ERR_CONFLICT, "the database `%s` is not on the server, so there is nothing to replace: --same-names "
			       "instead of --in-place restores it under its name", s->db);
	if (s->whole)
		return 0;
	if (ask(c, &r, "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE "
					       "TRIGGER_SCHEMA = ", s->db, e))
		return -1;
	while ((row = mysql_fetch_row(r))) {
		bool ours = strings_have(s->tables, row[1]), known = strings_have(s->triggers, row[0]);

		if (ours && !known)
			return err_set(e, ERR_CONFLICT, "the trigger `%s` of the table `%s`.`%s` is not in the archive and would be "
				       "lost: drop it, restore, create it again", row[0], s->db, row[1]);
		if (!ours && known)
			return err_set(e, ERR_CONFLICT, "the trigger `%s` belongs to the table `%s`.`%s` now: rename one of them, or "
				       "restore into a schema of its own (--to-db)", row[0], s->db, row[1]);
	}
	return 0;
}

/* sequences have no rows: those that are gone are no loss */
static const char with_rows[] = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', "
				"'SYSTEM VERSIONED') AND TABLE_SCHEMA = ";

int swap_surplus(const struct swap *s, const struct strings *archive, struct strings *ret, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(strings_done) struct strings all = {0};
	CLEANUP(pool_done) struct pool kept = {0};

	*ret = (struct strings){0};
	if (!s->whole)
		return 0;
	if (connect_to(&c, s, e) || ask_names(c, &all, with_rows, s->db, e) || ask_names(c, &all, with_rows, s->old, e))
		return -1;
	for (size_t i = 0; i < archive->n; i++)
		pool_same(&kept, archive->v[i]);
	for (size_t i = 0; i < all.n; i++)
		if (!pool_has(&kept, all.v[i]) && !str_eq(all.v[i], PROGRAMS_TABLE))
			strings_add(ret, all.v[i]);
	return 0;
}

static void add_name(struct buf *b, const char *db, const char *table)
{
	sql_ident(b, db);
	buf_addc(b, '.');
	sql_ident(b, table);
}

static int drop(struct conn *c, const char *what, const char *db, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	if (str_starts(what, "PACKAGE") && conn_exec(c, "SET sql_mode='ORACLE'", e))
		return -1;
	buf_addf(&b, "DROP %s IF EXISTS ", what);
	add_name(&b, db, name);
	if (buf_check(&b, what, e) || conn_exec_n(c, b.p, b.len, e))
		return -1;
	return str_starts(what, "PACKAGE") ? conn_exec(c, "SET sql_mode=''", e) : 0;
}

/* How each kind of program is listed; the order is that in which they can be dropped. */
static const struct kind {
	const char *what, *list;
	unsigned text, mode; /* columns of SHOW CREATE; 0: none */
} kinds[] = {
	{"EVENT", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ", 3, 1},
	{"VIEW", "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ", 1, 0},
	{"FUNCTION", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA = ", 2, 1},
	{"PROCEDURE", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA = ", 2, 1},
	{"PACKAGE BODY", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE BODY' AND ROUTINE_SCHEMA = ", 2, 1},
	{"PACKAGE", "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE' AND ROUTINE_SCHEMA = ", 2, 1},
	{"TRIGGER", "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ", 2, 1},
};

/* The statement that makes a program again, and its sql_mode. */
static int show_create(struct conn *c, MYSQL_RES **ret, const struct kind *k, const char *db, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_addf(&b, "SHOW CREATE %s ", k->what);
	add_name(&b, db, name);
	return buf_check(&b, "a question", e) ? -1 : conn_rows(c, ret, b.p, e);
}

static int write_program(struct conn *c, const struct swap *s, const struct kind *k, const char *name, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	MYSQL_ROW row;

	if (show_create(c, &r, k, s->db, name, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[k->text])
		return err_set(e, ERR_FORBIDDEN, "%s `%s`.`%s` may not be read and would be lost", k->what, s->db, name);
	buf_init(&b, SQL_MAX);
	buf_adds(&b, "REPLACE INTO ");
	add_name(&b, s->old, PROGRAMS_TABLE);
	buf_addf(&b, " VALUES ('%s', ", k->what);
	sql_string(&b, name, strlen(name));
	buf_adds(&b, ", ");
	sql_string(&b, k->mode ? row[k->mode] : "", k->mode ? strlen(row[k->mode]) : 0);
	buf_adds(&b, ", ");
	sql_string(&b, row[k->text], strlen(row[k->text]));
	buf_adds(&b, ")");
	return buf_check(&b, "a definition", e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

static int make_table(struct conn *c, const struct swap *s, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "CREATE TABLE IF NOT EXISTS ");
	add_name(&b, s->old, PROGRAMS_TABLE);
	buf_adds(&b, " (kind varchar(20) NOT NULL, name varchar(64) NOT NULL, sql_mode text NOT NULL, definition longtext NOT NULL, "
		     "PRIMARY KEY (kind, name)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
	return buf_check(&b, "a table", e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

static int write_programs(struct conn *c, const struct swap *s, struct err *e)
{
	if (make_table(c, s, e))
		return -1;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		CLEANUP(strings_done) struct strings names = {0};

		if (ask_names(c, &names, kinds[k].list, s->db, e))
			return -1;
		for (size_t i = 0; i < names.n; i++)
			if (write_program(c, s, &kinds[k], names.v[i], e))
				return -1;
	}
	return 0;
}

int swap_prepare(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "CREATE DATABASE ");
	sql_ident(&b, s->old);
	if (buf_check(&b, "CREATE DATABASE", e) || connect_to(&c, s, e) || conn_exec(c, b.p, e))
		return -1;
	return s->whole ? write_programs(c, s, e) : 0;
}

static struct rights rights_of(const struct swap *s)
{
	return (struct rights){s->db, s->old, PROGRAMS_TABLE, s->warn, s->ctx};
}

int swap_rights_lost(const struct swap *s, bool *lost, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;

	*lost = false;
	return s->whole && (connect_to(&c, s, e) || rights_hidden(c, s->db, lost, e)) ? -1 : 0;
}

int swap_keep_rights(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	const struct rights rights = rights_of(s);

	return s->whole && (connect_to(&c, s, e) || make_table(c, s, e) || rights_write(c, &rights, e)) ? -1 : 0;
}

int swap_give_rights(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	const struct rights rights = rights_of(s);

	return s->whole && (connect_to(&c, s, e) || rights_give(c, &rights, e)) ? -1 : 0;
}

/* What moves from scratch to db. Of single tables sequences came along for their
 * defaults: they move only where db has none. */
static int moving(struct conn *c, const struct swap *s, const struct strings *in_use, struct strings *ret, struct err *e)
{
	CLEANUP(strings_done) struct strings all = {0};

	if (tables_of(c, &all, s->scratch, e))
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i], JOURNAL_TABLE))
			continue; /* ours */
		else if (s->whole || strings_have(s->tables, all.v[i]) || !strings_have(in_use, all.v[i]))
			strings_add(ret, all.v[i]);
	return 0;
}

static void add_move(struct buf *b, const char *from, const char *to, const char *table)
{
	buf_adds(b, b->len ? ", " : "RENAME TABLE ");
	add_name(b, from, table);
	buf_adds(b, " TO ");
	add_name(b, to, table);
}

/* A trigger in use, to be made again should the tables not move after all. */
struct kept {
	char *mode, *text;
};
struct kept_list { LIST_OF(struct kept); };

static void kept_done(struct kept_list *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->v[i].mode);
		free(k->v[i].text);
	}
	list_done(k);
}

static int drop_trigger(struct conn *c, const char *db, const char *name, struct kept_list *kept, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	const struct kind *k = &kinds[ARRAY_LEN(kinds) - 1];
	MYSQL_ROW row;

	if (show_create(c, &r, k, db, name, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[k->text])
		return err_set(e, ERR_FORBIDDEN, "the trigger `%s`.`%s` may not be read", db, name);
	if (drop(c, "TRIGGER", db, name, e))
		return -1;
	*list_push(kept) = (struct kept){xstrdup(row[k->mode]), xstrdup(row[k->text])};
	return 0;
}

static int drop_triggers(struct conn *c, const char *db, const struct strings *tables, struct kept_list *kept, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (ask(c, &r, "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ", db, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (strings_have(tables, row[1]) && drop_trigger(c, db, row[0], kept, e))
			return -1;
	return 0;
}

/* As good as it goes; what does not go is told. */
static void make_again(struct conn *c, const struct swap *s, const struct kept_list *kept)
{
	struct err e;

	if (!kept->n)
		return;
	if (conn_use(c, s->db, &e) || conn_exec(c, "SET SESSION lock_wait_timeout=3600", &e))
		s->warn(s->ctx, e.msg);
	for (size_t i = 0; i < kept->n; i++) {
		CLEANUP(buf_done) struct buf b = {0};

		buf_init(&b, SQL_MAX);
		buf_adds(&b, "SET sql_mode=");
		sql_string(&b, kept->v[i].mode, strlen(kept->v[i].mode));
		if (conn_exec(c, b.p, &e) || conn_exec(c, kept->v[i].text, &e))
			s->warn(s->ctx, e.msg);
	}
}

static int move(struct conn *c, const struct swap *s, struct kept_list *kept, struct err *e)
{
	CLEANUP(strings_done) struct strings in_use = {0}, new = {0}, replaced = {0};
	CLEANUP(buf_done) struct buf b = {0};
	struct kept_list proved = {0};
	int rc;

	if (tables_of(c, &in_use, s->db, e) || moving(c, s, &in_use, &new, e))
		return -1;
	if (!new.n && !s->whole)
		return 0; /* done before */
	for (size_t i = 0; i < in_use.n; i++)
		if ((s->whole && new.n) || strings_have(&new, in_use.v[i]))
			strings_add(&replaced, in_use.v[i]);
	buf_init(&b, SQL_MAX);
	for (size_t i = 0; i < replaced.n; i++)
		add_move(&b, s->db, s->old, replaced.v[i]);
	for (size_t i = 0; i < new.n; i++)
		add_move(&b, s->scratch, s->db, new.v[i]);
	rc = drop_triggers(c, s->scratch, &new, &proved, e);
	kept_done(&proved);
	if (rc || drop_triggers(c, s->db, &replaced, kept, e))
		return -1;
	return buf_check(&b, "RENAME TABLE", e) || (b.len && conn_exec_n(c, b.p, b.len, e)) ? -1 : 0;
}

int swap_tables(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(kept_done) struct kept_list kept = {0};

	if (connect_to(&c, s, e))
		return -1;
	if (move(c, s, &kept, e) == 0)
		return 0;
	make_again(c, s, &kept);
	return -1;
}

int swap_repair(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	const struct repoint p = {s->db, s->scratch, s->old, s->warn, s->ctx};

	return connect_to(&c, s, e) || repoint_keys(c, &p, e) || repoint_defaults(c, &p, e) ? -1 : 0;
}

int swap_clear(const struct swap *s, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;

	if (connect_to(&c, s, e))
		return -1;
	for (size_t k = 0; k + 1 < ARRAY_LEN(kinds); k++) {
		CLEANUP(strings_done) struct strings names = {0};

		if (ask_names(c, &names, kinds[k].list, s->db, e))
			return -1;
		for (size_t i = 0; i < names.n; i++)
			if (drop(c, kinds[k].what, s->db, names.v[i], e))
				return -1;
	}
	return 0;
}

static int drop_schema(struct conn *c, const char *schema, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 4096);
	buf_adds(&b, "DROP DATABASE IF EXISTS ");
	sql_ident(&b, schema);
	return buf_check(&b, "DROP DATABASE", e) ? -1 : conn_exec(c, b.p, e);
}

int swap_finish(const struct swap *s, bool keep_old, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;

	return connect_to(&c, s, e) || (!keep_old && drop_schema(c, s->old, e)) || drop_schema(c, s->scratch, e) ? -1 : 0;
}
