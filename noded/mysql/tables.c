/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/tables.h"

#include "noded/mysql/rows.h"
#include "shared/mem.h"
#include "shared/str.h"

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

int tables_dump(const struct tables_job *work, struct dump_result *ret, struct err *e)
{
	CLEANUP(buf_done) struct buf member = {0};
	const struct schema *s = work->schema;
	struct rows_job job = {.c = work->conns[0], .sink = s->sink, .halt = work->halt, .all_rows = &ret->rows,
			       .all_bytes = &ret->bytes, .member = &member};

	rows_buf(&member);
	for (size_t i = 0; i < s->tables.n; i++) {
		const struct object *o = &s->tables.v[i];
		struct dump_table *t;

		if (o->left_out)
			continue;
		if (halt_check(work->halt, e))
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
