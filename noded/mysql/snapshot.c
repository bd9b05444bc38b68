/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

void snapshot_done(struct snapshot *s)
{
	free(s->version);
	free(s->charset);
	free(s->collation);
	free(s->file);
	free(s->position);
	free(s->gtid);
	free(s->text);
	*s = (struct snapshot){0};
}

static int read_server(struct snapshot *s, struct conn *c, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, "SELECT VERSION(), @@character_set_server, @@collation_server", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(c, e);
	s->version = xstrdup(str_or(row[0], ""));
	s->charset = xstrdup(str_or(row[1], ""));
	s->collation = xstrdup(str_or(row[2], ""));
	return 0;
}

/* One text value, or "" when the server does not know the question. */
static char *ask_text(struct conn *c, const char *sql, unsigned column)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, sql, NULL) || mysql_num_fields(r) <= column)
		return xstrdup("");
	row = mysql_fetch_row(r);
	return xstrdup(row ? str_or(row[column], "") : "");
}

static void read_position(struct snapshot *s, struct conn *c)
{
	CLEANUP(buf_done) struct buf sql = {0};

	s->file = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_file'", 1);
	s->position = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_position'", 1);
	buf_init(&sql, 4096);
	buf_adds(&sql, "SELECT BINLOG_GTID_POS(");
	sql_string(&sql, s->file, strlen(s->file));
	buf_addf(&sql, ", %llu)", strtoull(s->position, NULL, 10));
	s->gtid = *s->file ? ask_text(c, sql.p, 0) : xstrdup("");
	if (!*s->file)
		s->text = xstrdup(s->method);
	else if (!*s->gtid)
		s->text = xasprintf("%s:%s", s->file, s->position);
	else
		s->text = xasprintf("%s:%s, GTID %s", s->file, s->position, s->gtid);
}

int snapshot_take(struct snapshot *s, struct conn *c, struct err *e)
{
	s->method = "single";
	if (read_server(s, c, e))
		return -1;
	/* With the binary log on, rolling back to a savepoint keeps metadata locks unless this session
	 * does not write to it; not every account may say so, and then DDL waits until the end. */
	(void)!conn_exec(c, "SET SESSION sql_log_bin=0", NULL);
	/* Under READ COMMITTED, which a server may have as its default, there is silently no snapshot. */
	if (conn_exec(c, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", e) ||
	    conn_exec(c, "START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */", e))
		return err_wrap(e, "taking the snapshot");
	read_position(s, c);
	return 0;
}

void snapshot_put(const struct snapshot *s, struct json_out *o)
{
	json_put_str(o, "server_version", s->version);
	json_put_str(o, "charset", s->charset);
	json_put_str(o, "collation", s->collation);
	json_obj(o, "snapshot");
	json_put_str(o, "method", s->method);
	json_put_str(o, "file", s->file);
	json_put_int(o, "position", (int64_t)strtoull(s->position, NULL, 10));
	json_put_str(o, "gtid", s->gtid);
	json_end_obj(o);
}
