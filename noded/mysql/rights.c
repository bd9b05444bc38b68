/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/rights.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SQL_MAX = 1 << 20 };

/* NULL in *ret when the account may not read it. */
static int ask(struct conn *c, MYSQL_RES **ret, const char *db, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	*ret = NULL;
	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT User, Host, Routine_type, Routine_name, UPPER(Proc_priv) FROM mysql.procs_priv WHERE "
		     "IF(@@lower_case_table_names, LOWER(Db), Db) = ");
	buf_adds(&b, "IF(@@lower_case_table_names, LOWER(");
	sql_string(&b, db, strlen(db));
	buf_adds(&b, "), ");
	sql_string(&b, db, strlen(db));
	buf_adds(&b, ") ORDER BY 1, 2, 3, 4");
	if (buf_check(&b, "a question", e))
		return -1;
	if (conn_rows(c, ret, b.p, e) == 0)
		return 0;
	return mysql_errno(c->my) == ER_TABLEACCESS_DENIED_ERROR || mysql_errno(c->my) == ER_DBACCESS_DENIED_ERROR ? 0 : -1;
}

int rights_hidden(struct conn *c, const char *db, bool *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *rights = NULL;
	CLEANUP(conn_res_freep) MYSQL_RES *routines = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	*ret = false;
	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ");
	sql_string(&b, db, strlen(db));
	buf_adds(&b, " LIMIT 1");
	if (ask(c, &rights, db, e))
		return -1;
	if (rights)
		return 0;
	if (buf_check(&b, "a question", e) || conn_rows(c, &routines, b.p, e))
		return -1;
	*ret = mysql_num_rows(routines) > 0;
	return 0;
}

/* "EXECUTE,ALTER ROUTINE,GRANT", without the last */
static void add_privileges(struct buf *b, const char *set, bool *grant)
{
	size_t before = b->len;

	*grant = false;
	while (*set) {
		size_t n = strcspn(set, ",");

		if (n == 5 && !strncmp(set, "GRANT", n)) {
			*grant = true;
		} else {
			buf_adds(b, b->len > before ? ", " : "");
			buf_add(b, set, n);
		}
		set += n + (set[n] == ',');
	}
	if (b->len == before)
		buf_adds(b, "USAGE");
}

/* Roles of MariaDB have no host. */
static void add_grantee(struct buf *b, const char *user, const char *host, bool maria)
{
	bool role = maria && !*host;

	if (role && str_ieq(user, "PUBLIC")) {
		buf_adds(b, "PUBLIC"); /* a word of the language */
		return;
	}
	sql_ident(b, user);
	if (!role) {
		buf_addc(b, '@');
		sql_ident(b, host);
	}
}

static void add_grant(struct buf *b, const char *db, MYSQL_ROW row, bool maria)
{
	bool grant;

	buf_adds(b, "GRANT ");
	add_privileges(b, row[4], &grant);
	buf_addf(b, " ON %s ", row[2]);
	sql_ident(b, db);
	buf_addc(b, '.');
	sql_ident(b, row[3]);
	buf_adds(b, " TO ");
	add_grantee(b, row[0], row[1], maria);
	buf_adds(b, grant ? " WITH GRANT OPTION" : "");
}

static void add_table(struct buf *b, const struct rights *r)
{
	sql_ident(b, r->schema);
	buf_addc(b, '.');
	sql_ident(b, r->table);
}

static int write_one(struct conn *c, const struct rights *r, MYSQL_ROW row, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(buf_done) struct buf grant = {0};

	buf_init(&b, SQL_MAX);
	buf_init(&grant, SQL_MAX);
	add_grant(&grant, r->db, row, conn_is_maria(c));
	if (buf_check(&grant, "a right", e))
		return -1;
	buf_adds(&b, "REPLACE INTO ");
	add_table(&b, r);
	/* only there the server knows the word PACKAGE */
	buf_addf(&b, " SELECT 'GRANT', MD5(g), '%s', g FROM (SELECT ", str_starts(row[2], "PACKAGE") ? "ORACLE" : "");
	sql_string(&b, grant.p, grant.len);
	buf_adds(&b, " AS g) one");
	return buf_check(&b, "a right", e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

int rights_write(struct conn *c, const struct rights *r, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	MYSQL_ROW row;

	if (ask(c, &res, r->db, e))
		return -1;
	while (res && (row = mysql_fetch_row(res)))
		if (write_one(c, r, row, e))
			return -1;
	return 0;
}

static int give_one(struct conn *c, const struct rights *r, const char *mode, const char *grant, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	struct err why;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SET SESSION sql_mode=");
	sql_string(&b, mode, strlen(mode));
	if (buf_check(&b, "sql_mode", e) || conn_exec(c, b.p, e))
		return -1;
	/* MySQL 8 does not know it, and makes no account by GRANT; others make one without a password */
	if (conn_exec(c, "SET SESSION sql_mode=CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER')", &why) &&
	    mysql_errno(c->my) != ER_WRONG_VALUE_FOR_VAR) {
		*e = why;
		return -1;
	}
	if (conn_exec(c, grant, &why) == 0 || mysql_errno(c->my) == ER_SP_DOES_NOT_EXIST)
		return 0;
	if (why.kind == ERR_NET) {
		*e = why;
		return -1;
	}
	buf_done(&b);
	buf_init(&b, SQL_MAX);
	buf_addf(&b, "a right on a routine is gone with the routine that was replaced: %s; grant it again: %s", why.msg, grant);
	if (buf_check(&b, "a right", e))
		return -1;
	r->warn(r->ctx, b.p);
	return 0;
}

int rights_give(struct conn *c, const struct rights *r, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	MYSQL_ROW row;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT sql_mode, definition FROM ");
	add_table(&b, r);
	buf_adds(&b, " WHERE kind = 'GRANT' ORDER BY definition");
	if (buf_check(&b, "a question", e) || conn_rows(c, &res, b.p, e))
		return -1;
	while ((row = mysql_fetch_row(res)))
		if (give_one(c, r, row[0], row[1], e))
			return -1;
	return 0;
}
