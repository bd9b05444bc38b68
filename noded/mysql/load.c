/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/load.h"

#include <ctype.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/compare.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/journal.h"
#include "noded/mysql/prologue.h"
#include "noded/mysql/reader.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LOCK_WAIT_S = 60, SLICE = 256 << 10 }; /* a member is looked at in such pieces: its statements are sent meanwhile */
#define STATEMENT_MAX ((size_t)5 << 29) /* as the dumper writes them */

struct load {
	struct conn *c;
	struct reader reader;
	char *db;
	char *definer;  /* "`u`@`h`" or CURRENT_USER, to stand in every DEFINER=; NULL: kept */
	char *member;   /* being loaded */
	bool rows;      /* it is a transaction of ours */
	bool checked;   /* unique_checks is on for it */
	bool fresh;     /* the schema was made by this */
	bool journal;
	unsigned long id; /* of the connection */
	struct db_access access; /* lent */
	unsigned redefined;
	int (*rewrite)(void *ctx, const struct load_statement *s, struct buf *out, struct err *e);
	void *rewrite_ctx;
	int (*shorten)(void *ctx, const char *member, const char *sql, size_t n, struct buf *out);
	void *shorten_ctx;
	bool ansi_quotes;
};

static int parse_definer(char **ret, const char *text, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	const char *at = str_empty(text) ? NULL : strrchr(text, '@');
	CLEANUP(freep) char *user = NULL;

	if (str_empty(text) || str_eq(text, "keep"))
		return 0;
	if (str_eq(text, "invoker")) {
		*ret = xstrdup("CURRENT_USER");
		return 0;
	}
	if (!at || at == text || !at[1])
		return err_set(e, ERR_USAGE, "definer \"%s\": say keep, invoker or USER@HOST", text);
	user = xstrndup(text, (size_t)(at - text));
	buf_init(&b, 1024);
	sql_ident(&b, user);
	buf_addc(&b, '@');
	sql_ident(&b, at + 1);
	if (buf_check(&b, "definer", e))
		return -1;
	*ret = buf_take(&b);
	return 0;
}

static int create(struct load *l, const char *label, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 4096);
	buf_adds(&sql, "CREATE DATABASE ");
	sql_ident(&sql, l->db);
	if (label)
		buf_addf(&sql, " /*M!100500 COMMENT '" JOURNAL_MADE "%s' */", label);
	if (conn_exec(l->c, sql.p, e)) {
		if (mysql_errno(l->c->my) == ER_DB_CREATE_EXISTS)
			return err_set(e, ERR_CONFLICT,
				       "database `%s` is there already: name another with --to-db, or drop it first", l->db);
		return err_wrap(e, "creating database `%s`", l->db);
	}
	return 0;
}

/* What prologue_end puts back, for a member that ends early. */
static int know_settings(struct load *l, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 4096);
	prologue_begin(&sql);
	prologue_end(&sql);
	return load_feed(l, "", sql.p, sql.len, e) || load_end(l, e) ? -1 : 0;
}

int load_open(struct load **ret, const struct load_opts *o, struct err *e)
{
	CLEANUP(load_closep) struct load *l = xcalloc(1, sizeof(*l));

	reader_init(&l->reader, STATEMENT_MAX);
	l->db = xstrdup(o->db);
	l->rewrite = o->rewrite;
	l->rewrite_ctx = o->rewrite_ctx;
	l->fresh = o->create;
	l->journal = o->journal;
	l->shorten = o->shorten;
	l->shorten_ctx = o->shorten_ctx;
	l->access = *o->access;
	if (parse_definer(&l->definer, o->definer, e) || conn_open(&l->c, o->access, e) || (o->create && create(l, o->label, e)) ||
	    conn_use(l->c, l->db, e))
		return -1;
	l->id = mysql_thread_id(l->c->my);
	if (know_settings(l, e) ||
	    (o->journal && o->number && journal_lock(l->c, l->db, o->number, LOCK_WAIT_S, e)))
		return -1;

	*ret = TAKE(l);
	return 0;
}

void load_close(struct load *l)
{
	if (!l)
		return;
	reader_done(&l->reader);
	conn_free(l->c);
	free(l->db);
	free(l->definer);
	free(l->member);
	free(l);
}

void load_closep(struct load **l)
{
	load_close(*l);
}

/* Where the account behind "CREATE ... DEFINER=" begins in a statement, or NULL. */
static const char *find_definer(const char *sql, size_t n)
{
	const char *p, *end = sql + (n < 256 ? n : 256);

	if (n < 7 || strncasecmp(sql, "CREATE", 6) || !isspace((unsigned char)sql[6]))
		return NULL;
	/* Only OR REPLACE and ALGORITHM=... stand between; a quote or bracket means the clause is not there. */
	for (p = sql + 6; p + 8 < end && !strchr("`'\"(", *p); p++)
		if (!strncasecmp(p, "DEFINER", 7) && !isalnum((unsigned char)p[-1])) {
			for (p += 7; p < end && isspace((unsigned char)*p); p++)
				;
			return p < end && *p == '=' ? p + 1 : NULL;
		}
	return NULL;
}

/* End of an account: `u`@`h`, "u"@"h", 'u'@'h', bare words, CURRENT_USER. */
static const char *account_end(const char *p, const char *end)
{
	while (p < end && !isspace((unsigned char)*p)) {
		char quote = *p;

		if (quote != '`' && quote != '"' && quote != '\'') {
			p++;
			continue;
		}
		for (p++; p < end && *p != quote; p++)
			;
		if (p < end)
			p++;
	}
	return p;
}

static int send_with(struct load *l, const char *sql, size_t n, const char *definer, struct err *e)
{
	const char *from = definer ? find_definer(sql, n) : NULL;
	CLEANUP(buf_done) struct buf b = {0};
	const char *to;

	if (!from)
		return conn_exec_n(l->c, sql, n, e);
	to = account_end(from, sql + n);
	buf_init(&b, n + 1024);
	buf_add(&b, sql, (size_t)(from - sql));
	buf_adds(&b, definer);
	buf_add(&b, to, (size_t)(sql + n - to));
	return buf_check(&b, "statement", e) ? -1 : conn_exec_n(l->c, b.p, b.len, e);
}

/* A definer that is not on this server, or that this account may not set, gives
 * way to the account itself: a restore onto a new machine must not end at it. */
static int send_statement(struct load *l, const char *sql, size_t n, struct err *e)
{
	unsigned code;

	if (send_with(l, sql, n, l->definer, e) == 0)
		return 0;
	code = mysql_errno(l->c->my);
	if (l->definer || (code != ER_SPECIFIC_ACCESS_DENIED_ERROR && code != ER_NO_SUCH_USER) || !find_definer(sql, n) ||
	    send_with(l, sql, n, "CURRENT_USER", e))
		return -1;
	l->redefined++;
	return 0;
}

/* What a member of rows says so that any client loads it in one transaction; here the transaction is longer. */
static bool ends_transaction(const char *sql, size_t n)
{
	static const char *const own[] = {"COMMIT", "SET autocommit=0", "SET autocommit=@felloe_commit"};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (strlen(own[i]) == n && !memcmp(own[i], sql, n))
			return true;
	return false;
}

static int shorten_and_send(struct load *l, const char *sql, size_t n, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	if (!l->shorten || !str_starts(l->member, "db/10-schema/") || n < 7 || strncasecmp(sql, "CREATE ", 7))
		return send_statement(l, sql, n, e);
	buf_init(&b, 2 * n + 4096);
	if (!l->shorten(l->shorten_ctx, l->member, sql, n, &b))
		return send_statement(l, sql, n, e);
	return buf_check(&b, "statement", e) ? -1 : send_statement(l, b.p, b.len, e);
}

/* Members of earlier versions switch unique_checks off. MariaDB then fills an empty table without undo. That is no faster here, holds
 * up the other connections, and on a full disk rows of it outlived their ROLLBACK: then a repeated member doubles them.
 * Besides, only a unique index that is checked finds doubled rows. */
static int send_rows(struct load *l, const char *sql, size_t n, struct err *e)
{
	if (!l->checked && n > 4 && strncasecmp(sql, "SET ", 4) && memcmp(sql, "/*", 2)) {
		if (conn_exec(l->c, "SET unique_checks=1", e))
			return -1;
		l->checked = true;
	}
	return conn_exec_n(l->c, sql, n, e);
}

/* In a schema that we have just made there is no table to be dropped: to find that out takes a server as long as to make one. */
static bool drops_nothing(const struct load *l, const char *sql, size_t n)
{
	static const char drop[] = "DROP TABLE IF EXISTS ";

	return l->fresh && str_starts(l->member, "db/10-schema/2-tables/") && n >= sizeof(drop) - 1 &&
	       !memcmp(sql, drop, sizeof(drop) - 1);
}

/* With what the restore makes of it, if it has a say. */
static int rewrite_and_send(struct load *l, const char *sql, size_t n, struct err *e)
{
	const struct load_statement s = {l->member, sql, n, l->reader.no_backslash, &l->ansi_quotes};
	CLEANUP(buf_done) struct buf b = {0};
	int changed;

	if (l->rows)
		return ends_transaction(sql, n) ? 0 : send_rows(l, sql, n, e);
	if (drops_nothing(l, sql, n))
		return 0;
	if (!l->rewrite)
		return shorten_and_send(l, sql, n, e);
	buf_init(&b, 2 * n + (1 << 20));
	changed = l->rewrite(l->rewrite_ctx, &s, &b, e);
	if (changed < 0 || buf_check(&b, "statement", e))
		return -1;
	return changed ? shorten_and_send(l, b.p, b.len, e) : shorten_and_send(l, sql, n, e);
}

/* The first words of a statement, for a message. */
static void excerpt(char out[static 64], const char *sql, size_t n)
{
	CLEANUP(freep) char *head = xstrndup(sql, n < 60 ? n : 60);

	for (char *p = head; *p; p++)
		if (*p == '\n')
			*p = ' ';
	str_cut(out, 64, head);
	str_clean(out);
}

static const char *way_out(unsigned code)
{
	if (code == ER_SPECIFIC_ACCESS_DENIED_ERROR)
		return " (restore as an account that may set definers, or with --definer invoker)";
	if (code == 1709) /* an index column too long for the row format; older headers have no name for it */
		return " (SET GLOBAL innodb_default_row_format=dynamic while it is loaded)";
	if (code == ER_EVENTS_DB_ERROR)
		return " (start the server with event_scheduler=OFF, not DISABLED)";
	if (code == ER_REQUIRES_PRIMARY_KEY)
		return " (SET GLOBAL innodb_force_primary_key=OFF while it is loaded)";
	if (code == ER_OPEN_AS_READONLY)
		return " (SET GLOBAL innodb_read_only_compressed=OFF while it is loaded, if that is its row format)";
	return "";
}

static int run_all(struct load *l, bool end, struct err *e)
{
	const char *sql;
	size_t n;

	while (reader_next(&l->reader, end, &sql, &n)) {
		if (rewrite_and_send(l, sql, n, e)) {
			unsigned code = mysql_errno(l->c->my);
			char head[64];

			excerpt(head, sql, n);
			return err_wrap(e, "%s: at \"%s\"%s", l->member, head, way_out(code));
		}
		l->reader.no_backslash = l->c->my->server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES;
	}
	return 0;
}

int load_feed(struct load *l, const char *name, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	if (!str_eq(l->member, name)) {
		free(l->member);
		l->member = xstrdup(name);
		l->ansi_quotes = false;
		l->rows = l->checked = false;
		if (str_starts(name, "db/20-data/")) {
			if (conn_exec(l->c, "START TRANSACTION", e))
				return err_wrap(e, "%s", name);
			l->rows = true;
		}
	}
	while (n) {
		size_t slice = n < SLICE ? n : SLICE;

		if (reader_feed(&l->reader, at, slice, e))
			return err_wrap(e, "%s", name);
		if (run_all(l, false, e))
			return -1;
		at += slice;
		n -= slice;
	}
	return 0;
}

int load_end(struct load *l, struct err *e)
{
	const char *rest;
	char head[64];
	size_t n;

	if (run_all(l, true, e))
		return -1;
	rest = reader_rest(&l->reader, &n);
	if (rest) {
		excerpt(head, rest, n);
		return err_set(e, ERR_DAMAGED, "%s ends in the middle of a statement: \"%s\"", str_or(l->member, "SQL"), head);
	}
	reader_done(&l->reader);
	reader_init(&l->reader, STATEMENT_MAX);
	if (l->rows && ((l->journal && journal_add(l->c, "member", l->member, NULL, e)) || conn_exec(l->c, "COMMIT", e)))
		return err_wrap(e, "%s", l->member);
	l->rows = false;
	free(TAKE(l->member));
	return 0;
}

int load_abandon(struct load *l, struct err *e)
{
	CLEANUP(buf_done) struct buf end = {0};

	reader_done(&l->reader);
	reader_init(&l->reader, STATEMENT_MAX);
	free(TAKE(l->member));
	if (conn_exec(l->c, "ROLLBACK", e))
		return -1;
	l->rows = false;
	/* the member would have put the settings of the session back */
	buf_init(&end, 4096);
	prologue_end(&end);
	return load_feed(l, "", end.p, end.len, e) || load_end(l, e) ? -1 : 0;
}

bool load_was_deadlock(const struct load *l)
{
	unsigned code = mysql_errno(l->c->my);

	return code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT;
}

void load_interrupt(const struct load *l)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	char sql[64];
	struct err ignored;

	snprintf(sql, sizeof(sql), "KILL QUERY %lu", l->id);
	if (conn_open(&c, &l->access, &ignored) || conn_exec(c, sql, &ignored))
		return; /* it ends by itself then */
}

unsigned load_redefined(const struct load *l)
{
	return l->redefined;
}

bool load_skip(struct load *l)
{
	static const unsigned lacks[] = {ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_SP_DOES_NOT_EXIST, ER_VIEW_INVALID,
					 ER_BAD_DB_ERROR, ER_UNKNOWN_VIEW, ER_NO_SUCH_USER, ER_TABLEACCESS_DENIED_ERROR,
					 ER_PROCACCESS_DENIED_ERROR};
	unsigned code = mysql_errno(l->c->my);
	bool known = false;
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
		known = known || code == lacks[i];
	if (!known)
		return false;
	return load_abandon(l, &ignored) == 0;
}

int load_check(struct load *l, const char *table, const char *select_list, uint64_t *rows, uint8_t digest[static 16],
	       struct err *e)
{
	return compare_digest(l->c, table, select_list, rows, digest, e);
}

struct conn *load_conn(struct load *l)
{
	return l->c;
}

/* "Duplicate key name", "duplicate foreign key constraint name", and that one in the words of older servers. */
static bool was_there(struct load *l)
{
	unsigned code = mysql_errno(l->c->my);

	return code == ER_DUP_KEYNAME || code == ER_DUP_CONSTRAINT_NAME || code == 1826 ||
	       (code == ER_CANT_CREATE_TABLE && strstr(mysql_error(l->c->my), "errno: 121"));
}

int load_alter(struct load *l, const char *sql, bool again, struct err *e)
{
	if (conn_exec(l->c, "SET foreign_key_checks=0", e) || (conn_exec(l->c, sql, e) && !(again && was_there(l))) ||
	    conn_exec(l->c, "SET foreign_key_checks=1", e))
		return -1;
	return 0;
}

int load_has(struct load *l, const char *table, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 4096);
	buf_adds(&sql, "DO (SELECT 1 FROM ");
	sql_ident(&sql, table);
	buf_adds(&sql, " LIMIT 1)");
	if (conn_exec(l->c, sql.p, e))
		return err_wrap(e, "check of table `%s`", table);
	return 0;
}
