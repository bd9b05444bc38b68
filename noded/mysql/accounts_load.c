/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/accounts_load.h"

#include <mysqld_error.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/reader.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { STATEMENT_MAX = 16 << 20, HEAD = 48 };
enum { E_PLUGIN_IS_NOT_LOADED = 1524 };

/* Where a statement begins behind the comments that the reader leaves in front of it. */
static const char *behind_comments(const char *sql, const char *end)
{
	while (sql < end) {
		const char *line;

		if (strchr(" \t\r\n", *sql)) {
			sql++;
			continue;
		}
		if (strncmp(sql, "-- ", 3) != 0)
			break;
		line = memchr(sql, '\n', (size_t)(end - sql));
		sql = line ? line + 1 : end;
	}
	return sql;
}

/* An archive is not our word, and this runs with all rights. */
static bool about_accounts(const char *sql, size_t n)
{
	static const char *const begins[] = {"CREATE USER ", "CREATE ROLE ", "CREATE OR REPLACE ROLE ", "ALTER USER ",
					     "DROP ROLE ", "GRANT ", "REVOKE ", "SET "};
	CLEANUP(freep) char *head = xstrndup(sql, n);

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (!strncasecmp(head, begins[i], strlen(begins[i])))
			return strncasecmp(head, "SET", 3) != 0 || !strcasestr(head, "GLOBAL");
	return false;
}

/* It runs on a server that has not all that the dumped one had. */
static bool is_forgiven(struct conn *c)
{
	static const unsigned lacks[] = {ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_SP_DOES_NOT_EXIST, ER_BAD_DB_ERROR,
					 ER_NO_SUCH_USER, ER_PASSWORD_NO_MATCH, E_PLUGIN_IS_NOT_LOADED};
	unsigned code = mysql_errno(c->my);

	for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
		if (code == lacks[i])
			return true;
	return false;
}

static int run_one(struct conn *c, const struct accounts_text *statement, struct accounts_loaded *ret, struct err *e)
{
	const char *sql = statement->sql;
	size_t n = statement->n;
	const char *from = behind_comments(sql, sql + n);
	size_t len = n - (size_t)(from - sql);
	char head[HEAD];

	if (!about_accounts(from, len)) {
		CLEANUP(freep) char *text = xstrndup(from, len < HEAD ? len : HEAD);

		str_cut(head, sizeof(head), text);
		str_clean(head);
		return err_set(e, ERR_DAMAGED, "\"%s\" is no statement about accounts", head);
	}
	ret->statements++;
	if (conn_exec_n(c, from, len, e) == 0) {
		/* a right for an account that could not be made would make one without a password; unknown to MySQL 8,
		 * which does no such thing */
		if (!strncasecmp(from, "SET ", 4))
			(void)!conn_exec(c, "SET SESSION sql_mode=CONCAT(@@sql_mode, ',NO_AUTO_CREATE_USER')", NULL);
		return 0;
	}
	if (e->kind == ERR_NET || (!statement->lenient && !is_forgiven(c)))
		return -1;
	if (!ret->left++)
		str_cut(ret->first_left, sizeof(ret->first_left), e->msg);
	return 0;
}

int accounts_load(const struct db_access *a, const struct accounts_text *text, struct accounts_loaded *ret, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	CLEANUP(reader_done) struct reader r = {0};
	struct accounts_text one = {.lenient = text->lenient};
	size_t len;

	*ret = (struct accounts_loaded){0};
	reader_init(&r, STATEMENT_MAX);
	if (conn_open(&c, a, e) || reader_feed(&r, text->sql, text->n, e))
		return -1;
	while (reader_next(&r, true, &one.sql, &one.n))
		if (run_one(c, &one, ret, e))
			return -1;
	if (reader_rest(&r, &len))
		return err_set(e, ERR_DAMAGED, "it ends in the middle of a statement");
	return 0;
}
