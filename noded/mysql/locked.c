/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/locked.h"

#include <stdio.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

bool locked_wanted(const char *engine)
{
	return *engine && !str_ieq(engine, "InnoDB") && !str_ieq(engine, "ROCKSDB") && !str_ieq(engine, "TokuDB");
}

static int lock(struct conn *c, const struct locked_opts *o, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};
	char wait[64];

	snprintf(wait, sizeof(wait), "SET SESSION lock_wait_timeout=%lld", (long long)(o->wait_s > 0 ? o->wait_s : 1));
	buf_init(&sql, 4096);
	buf_adds(&sql, "LOCK TABLES ");
	sql_ident(&sql, o->table);
	buf_adds(&sql, " READ");
	if (buf_check(&sql, "name of a table", e))
		return -1;
	return conn_exec(c, wait, e) || conn_use(c, o->db, e) || conn_exec(c, sql.p, e) ? -1 : 0;
}

int locked_open(struct locked *ret, const struct locked_opts *o, struct err *e)
{
	CLEANUP(conn_freep) struct conn *c = NULL;
	struct locked l = {.watch = o->watch, .db = o->db, .table = o->table};

	if (conn_open(&c, o->access, e))
		return -1;
	watch_conn(o->watch, c);
	watch_hold(o->watch, o->db, o->table);
	if (lock(c, o, e)) {
		watch_forget(o->watch, c);
		watch_release(o->watch, o->db, o->table);
		return err_wrap(e, "locking table `%s`", o->table);
	}
	l.c = TAKE(c);
	*ret = l;
	return 0;
}

void locked_close(struct locked *l)
{
	if (!l->c)
		return;
	watch_forget(l->watch, l->c);
	watch_release(l->watch, l->db, l->table);
	conn_free(l->c); /* which gives the lock up */
	*l = (struct locked){0};
}
