/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/sqltext.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SQL_MAX = 64 << 20, LOCK_NAME = 40 };

void journal_heads_done(struct journal_heads *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].schema);
		free(h->v[i].archive);
		free(h->v[i].settings);
		free(h->v[i].tag);
	}
	list_done(h);
}

static void add_string(struct buf *b, const char *text)
{
	if (text)
		sql_string(b, text, strlen(text));
	else
		buf_adds(b, "NULL");
}

static int run(struct conn *c, const struct buf *sql, struct err *e)
{
	return buf_check(sql, "a statement", e) ? -1 : conn_exec_n(c, sql->p, sql->len, e);
}

static int ask(struct conn *c, MYSQL_RES **ret, const struct buf *sql, struct err *e)
{
	return buf_check(sql, "a question", e) ? -1 : conn_rows(c, ret, sql->p, e);
}

static void set_text(char **to, const char *from)
{
	free(*to);
	*to = xstrdup(from);
}

/* One that cannot be read, or has no head yet, is none of ours. */
static int read_head(struct conn *c, const char *schema, struct journal_heads *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	struct journal_head h = {0};
	MYSQL_ROW row;

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "SELECT name, text, (SELECT COUNT(*) FROM ");
	sql_ident(&sql, schema);
	buf_adds(&sql, "." JOURNAL_TABLE " WHERE kind = 'member') FROM ");
	sql_ident(&sql, schema);
	buf_adds(&sql, "." JOURNAL_TABLE " WHERE kind = 'head'");
	if (ask(c, &r, &sql, e))
		return e->kind == ERR_NET ? -1 : 0;
	h.schema = xstrdup(schema);
	while ((row = mysql_fetch_row(r))) {
		if (str_eq(row[0], "archive"))
			set_text(&h.archive, str_or(row[1], ""));
		else if (str_eq(row[0], "settings"))
			set_text(&h.settings, str_or(row[1], ""));
		else if (str_eq(row[0], "tag"))
			set_text(&h.tag, str_or(row[1], ""));
		else if (str_eq(row[0], "begun"))
			h.begun = strtoll(str_or(row[1], "0"), NULL, 10);
		h.members = strtoll(str_or(row[2], "0"), NULL, 10);
	}
	*list_push(ret) = h;
	if (h.archive && h.settings && h.tag)
		return 0;
	free(h.schema);
	free(h.archive);
	free(h.settings);
	free(h.tag);
	ret->n--;
	return 0;
}

int journal_find(struct journal_heads *ret, const struct db_access *a, const char *schema, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	MYSQL_ROW row;

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME = '" JOURNAL_TABLE "'");
	if (schema) {
		buf_adds(&sql, " AND TABLE_SCHEMA = ");
		add_string(&sql, schema);
	}
	buf_adds(&sql, " AND TABLE_COMMENT = '" JOURNAL_COMMENT "' ORDER BY 1");
	if (conn_open(&c, a, e) || ask(c, &r, &sql, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (read_head(c, row[0], ret, e))
			return -1;
	return 0;
}

static int say_no(struct conn *c, const char *sql, const char *schema, bool *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, sql);
	add_string(&b, schema);
	buf_adds(&b, " LIMIT 1");
	if (ask(c, &r, &b, e))
		return -1;
	*ret = *ret && mysql_num_rows(r) == 0;
	return 0;
}

static int is_empty(struct conn *c, const char *schema, bool *ret, struct err *e)
{
	*ret = true;
	return say_no(c, "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", schema, ret, e) ||
	       say_no(c, "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ", schema, ret, e) ||
	       say_no(c, "SELECT 1 FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ", schema, ret, e) ? -1 : 0;
}

int journal_find_made(struct strings *ret, const struct db_access *a, const char *schema, const char *label, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	MYSQL_ROW row;
	bool empty;

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_COMMENT LIKE '" JOURNAL_MADE);
	buf_adds(&sql, label ? label : "%");
	buf_addc(&sql, '\'');
	if (schema) {
		buf_adds(&sql, " AND SCHEMA_NAME = ");
		add_string(&sql, schema);
	}
	buf_adds(&sql, " ORDER BY 1");
	if (conn_open(&c, a, e))
		return -1;
	if (ask(c, &r, &sql, e)) /* a server without such comments */
		return e->kind == ERR_NET ? -1 : 0;
	while ((row = mysql_fetch_row(r))) {
		if (is_empty(c, row[0], &empty, e))
			return -1;
		if (empty)
			strings_add(ret, row[0]);
	}
	return 0;
}

int journal_empty(struct conn *c, bool *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;

	if (conn_rows(c, &r, "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() LIMIT 1", e))
		return -1;
	*ret = mysql_num_rows(r) == 0;
	return 0;
}

int journal_unmark(struct conn *c, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;

	if (conn_rows(c, &r, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE() AND SCHEMA_COMMENT LIKE '"
			     JOURNAL_MADE "%'", e))
		return e->kind == ERR_NET ? -1 : 0;
	return mysql_num_rows(r) ? conn_exec(c, "ALTER DATABASE COMMENT ''", e) : 0;
}

#define COLUMNS JOURNAL_TABLE " (kind VARCHAR(16) CHARACTER SET ascii NOT NULL, name VARBINARY(750) NOT NULL, text LONGTEXT " \
	"CHARACTER SET utf8mb4, PRIMARY KEY (kind, name)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='" JOURNAL_COMMENT "'"

int journal_need(struct conn *c, struct err *e)
{
	return conn_exec(c, "CREATE TABLE IF NOT EXISTS " COLUMNS, e) ? err_wrap(e, "the journal of the restore") : 0;
}

int journal_create(struct conn *c, const struct journal_head *h, struct err *e)
{
	CLEANUP(freep) char *begun = xasprintf("%" PRId64, h->begun);

	/* in one transaction: a journal without its head is nobody's */
	if (conn_exec(c, "CREATE TABLE " COLUMNS, e) || journal_begin(c, e) ||
	    journal_add(c, "head", "archive", h->archive, e) ||
	    journal_add(c, "head", "settings", h->settings, e) || journal_add(c, "head", "tag", h->tag, e) ||
	    journal_add(c, "head", "begun", begun, e) || journal_commit(c, e))
		return err_wrap(e, "the journal of the restore");
	return 0;
}

int journal_drop(struct conn *c, struct err *e)
{
	return conn_exec(c, "DROP TABLE IF EXISTS " JOURNAL_TABLE, e) ? err_wrap(e, "the journal of the restore") : 0;
}

int journal_add(struct conn *c, const char *kind, const char *name, const char *text, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "INSERT INTO " JOURNAL_TABLE " (kind, name, text) VALUES (");
	add_string(&sql, kind);
	buf_adds(&sql, ", ");
	add_string(&sql, name);
	buf_adds(&sql, ", ");
	add_string(&sql, text);
	buf_adds(&sql, ")");
	return run(c, &sql, e) ? err_wrap(e, "the journal of the restore") : 0;
}

int journal_remove(struct conn *c, const char *kind, const char *name, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "DELETE FROM " JOURNAL_TABLE " WHERE kind = ");
	add_string(&sql, kind);
	buf_adds(&sql, " AND name = ");
	add_string(&sql, name);
	return run(c, &sql, e) ? err_wrap(e, "the journal of the restore") : 0;
}

int journal_begin(struct conn *c, struct err *e)
{
	return conn_exec(c, "START TRANSACTION", e);
}

int journal_commit(struct conn *c, struct err *e)
{
	return conn_exec(c, "COMMIT", e);
}

int journal_each(struct conn *c, const char *kind, int (*fn)(void *ctx, const char *name, const char *text, struct err *e),
		 void *ctx, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	MYSQL_ROW row;

	buf_init(&sql, SQL_MAX);
	buf_adds(&sql, "SELECT name, text FROM " JOURNAL_TABLE " WHERE kind = ");
	add_string(&sql, kind);
	buf_adds(&sql, " ORDER BY name");
	if (ask(c, &r, &sql, e))
		return err_wrap(e, "the journal of the restore");
	while ((row = mysql_fetch_row(r)))
		if (fn(ctx, row[0], row[1], e))
			return -1;
	return 0;
}

int journal_doubtful(struct conn *c, struct strings *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN "
			     "('BASE TABLE', 'SYSTEM VERSIONED') AND COALESCE(ENGINE, '') NOT IN ('InnoDB', 'ROCKSDB')", e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		strings_add(ret, row[0]);
	return 0;
}

int journal_start_over(struct conn *c, const char *table, const char *prefix, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0}, forget = {0};

	buf_init(&sql, SQL_MAX);
	buf_init(&forget, SQL_MAX);
	buf_adds(&sql, "TRUNCATE TABLE ");
	sql_ident(&sql, table);
	buf_addf(&forget, "DELETE FROM " JOURNAL_TABLE " WHERE kind = 'member' AND LEFT(name, %zu) = ", strlen(prefix));
	add_string(&forget, prefix);
	/* forgotten first: killed in between it is emptied again */
	return run(c, &forget, e) || run(c, &sql, e) ? err_wrap(e, "emptying the table `%s`", table) : 0;
}

static void lock_name(char name[static LOCK_NAME], const char *schema, unsigned n)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	sha256(digest, schema, strlen(schema));
	hex_encode(hex, digest, sizeof(digest));
	snprintf(name, LOCK_NAME, "felloe_restore_%.16s_%u", hex, n % 100);
}

int journal_lock(struct conn *c, const char *schema, unsigned n, unsigned wait_s, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	char name[LOCK_NAME];
	MYSQL_ROW row;

	lock_name(name, schema, n);
	buf_init(&sql, 4096);
	buf_addf(&sql, "SELECT GET_LOCK('%s', %u), IS_USED_LOCK('%s')", name, wait_s, name);
	if (ask(c, &r, &sql, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(c, e);
	if (str_eq(row[0], "1"))
		return 0;
	return err_set(e, ERR_LOCKED, "connection %s of the server still loads into `%s`: another restore is at work there, or the "
		       "server is not done with one that was killed (KILL %s ends it)", str_or(row[1], "?"), schema,
		       str_or(row[1], "?"));
}

int journal_unlock(struct conn *c, const char *schema, unsigned n, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};
	char name[LOCK_NAME];

	lock_name(name, schema, n);
	buf_init(&sql, 4096);
	buf_addf(&sql, "DO RELEASE_LOCK('%s')", name);
	return run(c, &sql, e);
}
