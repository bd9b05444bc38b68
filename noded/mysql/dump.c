/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/dump.h"

#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/conn.h"
#include "noded/mysql/programs.h"
#include "noded/mysql/rows.h"
#include "noded/mysql/schema.h"
#include "noded/mysql/snapshot.h"
#include "shared/mem.h"
#include "shared/str.h"

struct dump {
	struct conn *c;
	struct snapshot snapshot;
	const volatile sig_atomic_t *stop;
};

int dump_open(struct dump **ret, const struct dump_opts *o, struct err *e)
{
	CLEANUP(dump_closep) struct dump *d = xcalloc(1, sizeof(*d));

	if (o->connections > 1)
		return err_set(e, ERR_USAGE, "limits.mysql_connections: this version reads over one connection");
	d->stop = o->stop;
	if (conn_open(&d->c, o->access, e) || snapshot_take(&d->snapshot, d->c, e))
		return -1;

	*ret = TAKE(d);
	return 0;
}

void dump_close(struct dump *d)
{
	if (!d)
		return;
	snapshot_done(&d->snapshot);
	conn_free(d->c);
	free(d);
}

void dump_closep(struct dump **d)
{
	dump_close(*d);
}

static bool is_own(const char *db)
{
	return str_ieq(db, "information_schema") || str_ieq(db, "performance_schema") || str_ieq(db, "mysql") ||
	       str_ieq(db, "sys");
}

static bool among(const struct strings *list, const char *s)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(list->v[i], s))
			return true;
	return false;
}

int dump_databases(struct dump *d, const struct strings *exclude, struct strings *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(d->c, &r, "SHOW DATABASES", e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (!is_own(row[0]) && !among(exclude, row[0]))
			*list_push(ret) = xstrdup(row[0]);
	return 0;
}

int dump_estimate(struct dump *d, const char *db, uint64_t *bytes, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_use(d->c, db, e) ||
	    conn_rows(d->c, &r, "SELECT CAST(COALESCE(SUM(DATA_LENGTH), 0) AS UNSIGNED) FROM information_schema.TABLES "
				"WHERE TABLE_SCHEMA = DATABASE()", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[0] || str_to_u64(bytes, row[0], 0, UINT64_MAX))
		return conn_fail(d->c, e);
	return 0;
}

const char *dump_position(const struct dump *d)
{
	return d->snapshot.text;
}

void dump_put_manifest(const struct dump *d, struct json_out *o)
{
	snapshot_put(&d->snapshot, o);
}

void dump_result_done(struct dump_result *r)
{
	for (size_t i = 0; i < r->tables.n; i++) {
		free(r->tables.v[i].name);
		free(r->tables.v[i].select_list);
	}
	list_done(&r->tables);
	for (size_t i = 0; i < r->triggers_of.n; i++) {
		free(r->triggers_of.v[i].name);
		free(r->triggers_of.v[i].table);
		free(r->triggers_of.v[i].member);
	}
	list_done(&r->triggers_of);
	*r = (struct dump_result){0};
}

static int check_stop(const struct dump *d, struct err *e)
{
	return d->stop && *d->stop ? err_set(e, ERR_ABORTED, "stopped on request") : 0;
}

/* The savepoint gives up the table's metadata lock as soon as its rows are read,
 * so that an ALTER waits for one table and not for the whole dump. */
static int dump_rows(const struct rows_job *job, const struct object *o, struct dump_table *t, struct err *e)
{
	CLEANUP(columns_done) struct columns k = {0};

	if (conn_exec(job->c, "SAVEPOINT felloe_table", e) || columns_read(&k, job->c, o->name, e))
		return -1;
	if (!str_eq(k.select_list, o->select_list))
		return err_set(e, ERR_CONFLICT, "table `%s` was altered while the dump ran: run again", o->name);
	if (rows_dump(job, &k, t, e))
		return -1;
	return conn_exec(job->c, "ROLLBACK TO SAVEPOINT felloe_table", e);
}

static int dump_tables(struct dump *d, const struct schema *s, struct dump_result *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf member = {0};
	struct rows_job job = {.c = d->c, .sink = s->sink, .stop = d->stop, .all_rows = &ret->rows,
			       .all_bytes = &ret->bytes, .member = &member};

	rows_buf(&member);
	for (size_t i = 0; i < s->tables.n; i++) {
		const struct object *o = &s->tables.v[i];
		struct dump_table *t;

		if (o->left_out)
			continue;
		if (check_stop(d, e))
			return -1;
		t = list_push(&ret->tables);
		t->name = xstrdup(o->name);
		t->select_list = xstrdup(o->select_list);
		t->data = o->data;
		if (o->data && dump_rows(&job, o, t, e))
			return -1;
	}
	return 0;
}

int dump_database(struct dump *d, const char *db, const struct strings *exclude_tables, const struct dump_sink *sink,
		  struct dump_result *ret, struct err *e)
{
	CLEANUP(schema_done) struct schema s = {.c = d->c, .sink = sink};

	if (schema_open(&s, db, exclude_tables, e))
		return -1;
	ret->sequences += (unsigned)s.sequences.n;
	/* Reading mysql.proc and the like draws Aria into the transaction, which then takes no further savepoint:
	 * each database leaves the transaction as it found it, or the next one of a whole server would fail. */
	if (conn_exec(d->c, "SAVEPOINT felloe_database", e) || schema_put_header(&s, e) || schema_put_sequences(&s, e) ||
	    schema_put_tables(&s, e) || schema_put_placeholders(&s, e) || dump_tables(d, &s, ret, e) ||
	    check_stop(d, e) || programs_put(&s, ret, e) || schema_put_footer(&s, e) ||
	    conn_exec(d->c, "ROLLBACK TO SAVEPOINT felloe_database", e))
		return err_wrap(e, "dump of `%s`", db);
	return 0;
}
