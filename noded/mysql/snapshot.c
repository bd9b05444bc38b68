/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TRIES = 20 };

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

/* One view, on one connection. */
static int begin(struct conn *c, struct err *e)
{
	/* With the binary log on, rolling back to a savepoint keeps metadata locks unless this session
	 * does not write to it; not every account may say so, and then DDL waits until the end. */
	(void)!conn_exec(c, "SET SESSION sql_log_bin=0", NULL);
	/* Under READ COMMITTED, which a server may have as its default, there is silently no snapshot. */
	if (conn_exec(c, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", e) ||
	    conn_exec(c, "START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */", e))
		return err_wrap(e, "taking the snapshot");
	return 0;
}

static void close_from(struct conn **conns, unsigned first, unsigned *n)
{
	for (unsigned i = first; i < *n; i++) {
		conn_free(conns[i]);
		conns[i] = NULL;
	}
	*n = first;
}

static int begin_all(struct conn **conns, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++)
		if (begin(conns[i], e))
			return -1;
	return 0;
}

static char *where(struct conn *c)
{
	CLEANUP(freep) char *file = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_file'", 1);
	CLEANUP(freep) char *position = ask_text(c, "SHOW STATUS LIKE 'Binlog_snapshot_position'", 1);

	return xasprintf("%s:%s", file, position);
}

/* Every commit moves the position on: who sees the same one sees the same rows. */
static bool same_position(struct conn *const *conns, unsigned n)
{
	CLEANUP(freep) char *first = where(conns[0]);

	for (unsigned i = 1; i < n; i++) {
		CLEANUP(freep) char *other = where(conns[i]);

		if (!str_eq(first, other))
			return false;
	}
	return !str_eq(first, ":") && !str_eq(first, ":0");
}

static int take(struct snapshot *s, struct conn **conns, unsigned *n, struct err *e)
{
	for (unsigned tries = 0; *n > 1 && tries < TRIES; tries++) {
		if (begin_all(conns, *n, e))
			return -1;
		if (same_position(conns, *n)) {
			s->method = "binlog-snapshot";
			return 0;
		}
	}
	close_from(conns, 1, n);
	s->method = "single";
	return begin(conns[0], e);
}

int snapshot_open(struct snapshot *s, const struct db_access *a, struct conn **conns, unsigned *n, struct err *e)
{
	unsigned wanted = *n, open = 0;
	int rc = 0;

	while (rc == 0 && open < wanted) {
		rc = conn_open(&conns[open], a, e);
		open += rc == 0;
	}
	*n = open;
	if (rc || read_server(s, conns[0], e) || take(s, conns, n, e)) {
		close_from(conns, 0, n);
		return -1;
	}
	read_position(s, conns[0]);
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
