/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/accounts.h"

#include <mysqld_error.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/prologue.h"
#include "noded/mysql/sqltext.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TEXT_MAX = 256 << 20, OLD_HASH = 16 /* of mysql_old_password */ };

/* Only who is admin of a role may grant it, and CREATE ROLE makes its creator
 * one. This role is that creator, for as long as the load runs. */
#define HELPER "felloe_accounts"

struct account {
	char *user, *host;
	char *quoted;  /* `u`@`h`, `role` or PUBLIC */
	bool is_role;
};

struct reading {
	struct conn *c;
	const struct dump_sink *sink;
	struct { LIST_OF(struct account); } all;
	struct buf users, roles, members, broad, defaults, narrow; /* statements, in the order in which they are written */
	bool roles_apart; /* MariaDB: a role is not an account */
	bool can_create;  /* SHOW CREATE USER is known */
	bool by_address;  /* skip_name_resolve */
	bool refused;     /* the missing grant was named */
};

static void reading_done(struct reading *r)
{
	for (size_t i = 0; i < r->all.n; i++) {
		free(r->all.v[i].user);
		free(r->all.v[i].host);
		free(r->all.v[i].quoted);
	}
	list_done(&r->all);
	buf_done(&r->users);
	buf_done(&r->roles);
	buf_done(&r->members);
	buf_done(&r->broad);
	buf_done(&r->defaults);
	buf_done(&r->narrow);
}

static void warn(const struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static void warn(const struct reading *r, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	if (!r->sink->warn)
		return;
	va_start(ap, fmt);
	(void)!vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	r->sink->warn(r->sink->ctx, text);
}

/* What stands in the way of one account, or of all. */
static int refused(struct reading *r, const char *what, const struct err *why, struct err *e)
{
	if (why->kind == ERR_NET)
		return conn_fail(r->c, e);
	if (!r->refused)
		warn(r, "%s not in the backup: GRANT SELECT ON mysql.* to the account of the backup, or set db_users to false (%s)",
		     what, why->msg);
	r->refused = true;
	return 0;
}

static bool is_own(const char *user)
{
	static const char *const own[] = {"mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "mysql"};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_eq(user, own[i]))
			return true;
	return false;
}

static char *quote(const char *user, const char *host, bool is_role)
{
	struct buf b;

	buf_init(&b, 4096);
	if (is_role && str_ieq(user, "PUBLIC")) {
		buf_adds(&b, "PUBLIC");
	} else {
		sql_ident(&b, user);
		if (!is_role) {
			buf_addc(&b, '@');
			sql_ident(&b, host);
		}
	}
	return buf_take(&b);
}

static int list_accounts(struct reading *r, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	struct err why;
	MYSQL_ROW row;

	r->roles_apart = true;
	if (conn_rows(r->c, &res, "SELECT User, Host, is_role FROM mysql.user ORDER BY User, Host", &why)) {
		if (mysql_errno(r->c->my) != ER_BAD_FIELD_ERROR)
			return refused(r, "the accounts of the server are", &why, e);
		r->roles_apart = false;
		if (conn_rows(r->c, &res, "SELECT User, Host FROM mysql.user ORDER BY User, Host", &why))
			return refused(r, "the accounts of the server are", &why, e);
	}
	while ((row = mysql_fetch_row(res))) {
		struct account *a;

		if (is_own(row[0]) || (r->roles_apart && str_eq(row[0], HELPER)))
			continue;
		a = list_push(&r->all);
		a->user = xstrdup(row[0]);
		a->host = xstrdup(row[1]);
		a->is_role = r->roles_apart && str_eq(row[2], "Y");
		a->quoted = quote(a->user, a->host, a->is_role);
	}
	return 0;
}

static int look_at_server(struct reading *r, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL, *me = NULL;
	MYSQL_ROW row;

	/* MySQL 8: hashes may hold any bytes */
	(void)!conn_exec(r->c, "SET SESSION print_identified_with_as_hex=ON", NULL);
	if (conn_rows(r->c, &res, "SELECT @@skip_name_resolve", e))
		return -1;
	row = mysql_fetch_row(res);
	r->by_address = row && str_eq(row[0], "1");
	r->can_create = conn_rows(r->c, &me, "SHOW CREATE USER CURRENT_USER()", NULL) == 0 ||
			mysql_errno(r->c->my) != ER_PARSE_ERROR;
	return 0;
}

/* "CREATE USER `u`..." of a server: made harmless where the account is there,
 * without the default roles of MySQL, for it does not have them yet. */
static void add_create(struct reading *r, const struct account *a, const char *text, size_t n)
{
	static const char create[] = "CREATE USER ";
	const char *end = text + n, *from = sql_find_word(text, n, "DEFAULT"), *to = end;

	if (str_starts(text, create)) {
		buf_adds(&r->users, "CREATE USER IF NOT EXISTS ");
		text += sizeof(create) - 1;
	}
	if (from && str_starts(from, "DEFAULT ROLE ")) {
		to = sql_find_word(from, (size_t)(end - from), "REQUIRE");
		to = to ? to : end;
		buf_adds(&r->defaults, "SET ");
		buf_add(&r->defaults, from, (size_t)(to - from));
		buf_addf(&r->defaults, " TO %s;\n", a->quoted);
		buf_add(&r->users, text, (size_t)(from - text));
		text = to;
	}
	buf_add(&r->users, text, (size_t)(end - text));
	buf_adds(&r->users, ";\n");
}

/* What an account must prove about its connection, and how often it may do what. */
static void add_limits(struct buf *b, MYSQL_ROW row)
{
	static const char *const proofs[] = {"CIPHER", "ISSUER", "SUBJECT"};
	static const char *const limits[] = {"QUERIES_PER_HOUR", "UPDATES_PER_HOUR", "CONNECTIONS_PER_HOUR", "USER_CONNECTIONS"};
	const char *before = " REQUIRE ";

	if (str_eq(row[0], "ANY"))
		buf_adds(b, " REQUIRE SSL");
	else if (str_eq(row[0], "X509"))
		buf_adds(b, " REQUIRE X509");
	for (size_t i = 0; i < ARRAY_LEN(proofs) && str_eq(row[0], "SPECIFIED"); i++)
		if (!str_empty(row[i + 1])) {
			buf_addf(b, "%s%s ", before, proofs[i]);
			sql_string(b, row[i + 1], strlen(row[i + 1]));
			before = " AND ";
		}
	before = " WITH MAX_";
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (!str_empty(row[i + 4]) && !str_eq(row[i + 4], "0")) {
			buf_addf(b, "%s%s %s", before, limits[i], row[i + 4]);
			before = " MAX_";
		}
}

/* "CREATE USER `u`@`h` IDENTIFIED WITH ..." for a server that has no SHOW CREATE USER, from its row: plugin,
 * authentication_string, Password, and what add_limits takes. */
static void add_row(struct reading *r, const struct account *a, MYSQL_ROW row)
{
	const char *hash = str_empty(row[1]) ? str_or(row[2], "") : row[1];
	const char *plugin = str_or(row[0], "");

	if (!*plugin || str_eq(plugin, "mysql_native_password") || str_eq(plugin, "mysql_old_password"))
		plugin = strlen(hash) == OLD_HASH ? "mysql_old_password" : *hash ? "mysql_native_password" : "";
	buf_addf(&r->users, "CREATE USER IF NOT EXISTS %s", a->quoted);
	if (*plugin) {
		buf_adds(&r->users, " IDENTIFIED WITH ");
		sql_string(&r->users, plugin, strlen(plugin));
		buf_adds(&r->users, " AS ");
		sql_string(&r->users, hash, strlen(hash));
	}
	add_limits(&r->users, row + 3);
	buf_adds(&r->users, ";\n");
}

static int read_row(struct reading *r, const struct account *a, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	struct err why;
	MYSQL_ROW row;

	buf_init(&sql, 4096);
	buf_adds(&sql, "SELECT plugin, authentication_string, Password, ssl_type, ssl_cipher, x509_issuer, x509_subject, "
		       "max_questions, max_updates, max_connections, max_user_connections FROM mysql.user WHERE User = ");
	sql_string(&sql, a->user, strlen(a->user));
	buf_adds(&sql, " AND Host = ");
	sql_string(&sql, a->host, strlen(a->host));
	if (buf_check(&sql, "a question", e))
		return -1;
	if (conn_rows(r->c, &res, sql.p, &why))
		return refused(r, "some accounts are", &why, e);
	row = mysql_fetch_row(res);
	if (row)
		add_row(r, a, row);
	return row != NULL;
}

/* 1 when it was written, 0 when there is nothing to write or a warning said so. */
static int read_user(struct reading *r, const struct account *a, struct err *e)
{
	CLEANUP(freep) char *sql = xasprintf("SHOW CREATE USER %s", a->quoted);
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	struct err why;
	MYSQL_ROW row;

	if (!r->can_create)
		return read_row(r, a, e);
	if (conn_rows(r->c, &res, sql, &why)) {
		unsigned code = mysql_errno(r->c->my);

		if (r->by_address && (code == ER_PASSWORD_NO_MATCH || code == ER_CANNOT_USER))
			return 0; /* a host name: nobody can log in as this */
		return refused(r, "some accounts are", &why, e);
	}
	while ((row = mysql_fetch_row(res))) { /* MariaDB: an expired password takes a second row */
		const unsigned long *len = mysql_fetch_lengths(res);

		if (strstr(row[0], "<secret>")) {
			warn(r, "account %s is not in the backup: its password may not be read; GRANT SELECT ON mysql.* "
				"to the account of the backup", a->quoted);
			return 0;
		}
		add_create(r, a, row[0], len[0]);
	}
	return 1;
}

/* A right as SHOW GRANTS tells it. The hash, which it may repeat, and the limits
 * stand in CREATE USER: here they would change an account that is there. */
static void add_grant(struct reading *r, const struct account *a, const char *text, size_t n)
{
	const char *end = text + n, *to = sql_find_word(text, n, "TO"), *on, *who;
	struct buf *b;

	if (!to) { /* MySQL: REVOKE ... of a part */
		buf_add(&r->broad, text, n);
		buf_adds(&r->broad, ";\n");
		return;
	}
	who = sql_name_end(to + 3, end);
	if (a->is_role && ((size_t)(who - to) - 3 != strlen(a->quoted) || memcmp(to + 3, a->quoted, strlen(a->quoted)) != 0))
		return; /* it has this through another role, which has its own */
	if (str_starts(text, "GRANT USAGE ON *.* TO ") && !sql_find_word(who, (size_t)(end - who), "GRANT"))
		return;
	on = sql_find_word(text, (size_t)(to - text), "ON");
	b = !on ? &r->members : !memcmp(to - 3, ".* ", 3) ? &r->broad : &r->narrow;
	buf_add(b, text, (size_t)(who - text));
	if (sql_find_word(who, (size_t)(end - who), "OPTION"))
		buf_adds(b, on ? " WITH GRANT OPTION" : " WITH ADMIN OPTION");
	buf_adds(b, ";\n");
}

static int read_grants(struct reading *r, const struct account *a, struct err *e)
{
	CLEANUP(freep) char *sql = xasprintf("SHOW GRANTS FOR %s", a->quoted);
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	struct err why;
	MYSQL_ROW row;

	if (conn_rows(r->c, &res, sql, &why)) {
		if (mysql_errno(r->c->my) == ER_NONEXISTING_GRANT && (r->by_address || a->is_role))
			return 0; /* a role without any right */
		return refused(r, "the rights of some accounts are", &why, e);
	}
	while ((row = mysql_fetch_row(res))) {
		size_t n = mysql_fetch_lengths(res)[0];

		if (str_starts(row[0], "SET DEFAULT ROLE "))
			buf_addf(&r->defaults, "%s;\n", row[0]);
		else if (str_starts(row[0], "GRANT ") || str_starts(row[0], "REVOKE "))
			add_grant(r, a, row[0], n);
	}
	return 0;
}

static int read_account(struct reading *r, const struct account *a, unsigned *count, struct err *e)
{
	unsigned before = *count;
	int there = 1;

	if (a->is_role && !str_eq(a->quoted, "PUBLIC"))
		buf_addf(&r->roles, "CREATE ROLE IF NOT EXISTS %s WITH ADMIN " HELPER ";\n", a->quoted);
	else if (!a->is_role)
		there = read_user(r, a, e);
	if (there < 0 || (there && read_grants(r, a, e)))
		return -1;
	*count = before + (unsigned)there;
	return 0;
}

static int put_together(const struct reading *r, struct buf *b, struct err *e)
{
	const struct buf *const parts[] = {&r->users, &r->roles, &r->members, &r->broad, &r->defaults, &r->narrow};
	bool helper = r->roles.len > 0 || r->members.len > 0;

	buf_adds(b, "-- Users, roles and their rights. Who is there already keeps password and options, and gets the rights.\n"
		    "-- Rights on single tables and routines come last: they want them to be there.\n");
	prologue_begin(b);
	if (helper && r->roles_apart)
		buf_adds(b, "CREATE OR REPLACE ROLE " HELPER ";\nSET ROLE " HELPER ";\n");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (buf_check(parts[i], "the accounts", e))
			return -1;
		buf_add(b, parts[i]->p, parts[i]->len);
		if (parts[i] == &r->members && helper && r->roles_apart)
			buf_adds(b, "SET ROLE NONE;\nDROP ROLE " HELPER ";\n");
	}
	prologue_end(b);
	return buf_check(b, "the accounts", e);
}

int accounts_read(struct conn *c, const struct dump_sink *sink, struct buf *ret, unsigned *count, struct err *e)
{
	CLEANUP(reading_done) struct reading r = {.c = c, .sink = sink};
	struct buf *const parts[] = {&r.users, &r.roles, &r.members, &r.broad, &r.defaults, &r.narrow};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_init(parts[i], TEXT_MAX);
	*count = 0;
	if (look_at_server(&r, e) || list_accounts(&r, e))
		return -1;
	for (size_t i = 0; i < r.all.n; i++)
		if (read_account(&r, &r.all.v[i], count, e))
			return -1;
	return *count ? put_together(&r, ret, e) : 0;
}
