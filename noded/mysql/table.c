/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/tables_priv.h"

#include <string.h>

#include "noded/mysql/grid.h"
#include "noded/mysql/locked.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { WHOLE_RAW = 16 << 20 }; /* a table up to here is read in one go */

static int read_range(struct reader *r, struct work *w, const struct rows_range *range, struct err *e)
{
	const struct rows_job job = {.c = r->at, .sink = &r->plan->sink, .halt = r->plan->job->halt,
				     .total = &r->plan->total, .member = &r->member};
	struct rows_sum sum = {0};
	int failed;

	digest_init(&sum.digest);
	failed = rows_dump(&job, &w->columns, range, &sum, e);
	pthread_mutex_lock(&r->plan->lock);
	digest_join(&w->sum.digest, &sum.digest);
	w->sum.bytes += sum.bytes;
	if (sum.longest > w->sum.longest)
		w->sum.longest = sum.longest;
	pthread_mutex_unlock(&r->plan->lock);
	digest_done(&sum.digest);
	return failed;
}

static int altered(const struct work *w, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "table `%s` was altered while the dump ran: run again", w->object->name);
}

/* What InnoDB itself does not tell: that the name stands for another table now (RENAME), or that a column
 * came to it without touching a row. Asked while the rows' lock, or the snapshot, still stands. */
static int same_table(struct conn *c, const struct object *o, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};
	MYSQL_ROW row;

	if (!*o->created)
		return 0;
	buf_init(&sql, 4096);
	buf_adds(&sql, "SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ");
	sql_string(&sql, o->name, strlen(o->name));
	if (buf_check(&sql, "name of a table", e) || conn_rows(c, &r, sql.p, e))
		return err_wrap(e, "table `%s`", o->name);
	row = mysql_fetch_row(r);
	if (row && str_eq(str_or(row[0], ""), o->created))
		return 0;
	return err_set(e, ERR_CONFLICT, "table `%s` was altered, renamed or dropped while the dump ran: run again", o->name);
}

/* Of the definition that is in the archive, and of no other. */
static int read_columns(struct columns *ret, struct reader *r, const struct work *w, struct err *e)
{
	uint64_t mark;

	if (columns_read(ret, r->at, w->object->name, e) ||
	    (w->object->history && columns_add_history(ret, r->at, w->object->name, e)) ||
	    schema_mark(r->at, w->object->name, &mark, e))
		return -1;
	return mark == w->object->definition ? 0 : altered(w, e);
}

/* One row of one or two keys, or of NULL. */
static int ask_places(struct reader *r, const struct work *w, const char *sql, uint64_t *places, bool *any,
		      struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *res = NULL;
	unsigned at;
	bool is_unsigned = columns_grid(&w->columns, &at)->is_unsigned;
	const unsigned long *len;
	MYSQL_ROW row;

	if (conn_rows(r->at, &res, sql, e))
		return err_wrap(e, "table `%s`", w->object->name);
	row = mysql_fetch_row(res);
	*any = row && row[0];
	if (!*any)
		return 0;
	len = mysql_fetch_lengths(res);
	for (unsigned i = 0; i < mysql_num_fields(res); i++)
		if (!grid_place(&places[i], row[i], len[i], is_unsigned))
			return err_set(e, ERR_DB, "table `%s`: its key is \"%.40s\", which is not an integer", w->object->name, row[i]);
	return 0;
}

/* Least and greatest key, from the ends of the index. */
static int ask_ends(struct reader *r, struct work *w, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};
	unsigned at;
	const char *key = columns_grid(&w->columns, &at)->name;

	buf_init(&sql, 16384);
	buf_addf(&sql, "SELECT MIN(%s), MAX(%s) FROM ", key, key);
	sql_ident(&sql, w->object->name);
	return buf_check(&sql, "statement", e) || ask_places(r, w, sql.p, w->ends, &w->sized, e) ? -1 : 0;
}

/* The least key that nobody has read. The asking is held. */
static int ask_next(struct reader *r, const struct work *w, uint64_t *place, bool *any, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};
	unsigned at;
	const struct column *key = columns_grid(&w->columns, &at);

	buf_init(&sql, 16384);
	buf_addf(&sql, "SELECT MIN(%s) FROM ", key->name);
	sql_ident(&sql, w->object->name);
	buf_addf(&sql, " FORCE INDEX (PRIMARY) WHERE %s >= ", key->name);
	grid_literal(&sql, w->next, key->is_unsigned);
	return buf_check(&sql, "statement", e) || ask_places(r, w, sql.p, place, any, e) ? -1 : 0;
}

static int load_shift(struct plan *p, struct work *w, struct err *e)
{
	const struct dump_grid *grid = p->job->grid;
	int failed;

	w->known = -1;
	if (!grid)
		return 0;
	pthread_mutex_lock(&p->lock);
	failed = grid->load(grid->ctx, p->job->schema->db, w->object->name, &w->known, e);
	pthread_mutex_unlock(&p->lock);
	return failed;
}

/* Look at a table that nobody has begun: its columns, its key, its grid. Small
 * ones are many, and cost no statement more than their columns and rows. */
static int begin_table(struct reader *r, struct work *w, struct err *e)
{
	bool large = w->object->bytes > WHOLE_RAW;
	unsigned at;

	w->shift = GRID_WHOLE;
	if (read_columns(&w->columns, r, w, e))
		return -1;
	if (w->columns.history)
		return 0;
	if (columns_key(&w->columns, r->at, w->object->name, large, e))
		return -1;
	if (locked_wanted(w->object->engine) || !columns_grid(&w->columns, &at) || w->object->bytes <= GRID_CELL_RAW / 4)
		return 0;
	if (load_shift(r->plan, w, e) || ask_ends(r, w, e))
		return -1;
	if (!w->sized)
		return 0;
	w->shift = grid_start(w->known, grid_shift(w->object->bytes, w->ends[0], w->ends[1]));
	w->next = w->ends[0];
	return 0;
}

/* In the order of the key, so that the same rows make the same members. */
static int read_whole(struct reader *r, struct work *w, struct err *e)
{
	/* Only where rows lie in the order of the key: elsewhere they would have to be sought one by one. */
	bool ordered = *w->columns.order && !w->columns.history && !locked_wanted(w->object->engine);
	/* The index by name: an optimizer that prefers another one would sort the table. */
	const char *force = w->columns.primary ? " FORCE INDEX (PRIMARY)" : "";
	CLEANUP(freep) char *tail = ordered ? xasprintf("%s ORDER BY %s", force, w->columns.order) : xstrdup("");
	const struct rows_range range = {.table = w->object->name, .tail = tail, .shift = w->shift};

	return read_range(r, w, &range, e) || same_table(r->at, w->object, e) ? -1 : 0;
}

/* Next moves on only while the asking is held. */
static int ask_cell(struct reader *r, struct work *w, uint64_t *first, uint64_t *chunk, bool *any, struct err *e)
{
	struct plan *p = r->plan;
	uint64_t place = 0;
	int failed = 0;

	pthread_mutex_lock(&p->lock);
	*any = w->open;
	pthread_mutex_unlock(&p->lock);
	if (*any)
		failed = ask_next(r, w, &place, any, e);
	pthread_mutex_lock(&p->lock);
	if (!failed && *any) {
		*first = grid_first(place, w->shift);
		*chunk = ++w->chunk;
		w->next = grid_last(place, w->shift) + 1;
	}
	if (failed || !*any || !w->next)
		w->open = false;
	pthread_mutex_unlock(&p->lock);
	return failed;
}

/* The next cell that holds a row, if there is one. Not under the plan's lock: the question may have to wait for an
 * ALTER that waits for another reader, who needs that lock to be done with his cell. */
static int take_cell(struct reader *r, struct work *w, uint64_t *first, uint64_t *chunk, bool *any, struct err *e)
{
	int failed;

	pthread_mutex_lock(&w->asking);
	failed = ask_cell(r, w, first, chunk, any, e);
	pthread_mutex_unlock(&w->asking);
	return failed;
}

static int read_cell(struct reader *r, struct work *w, uint64_t first, uint64_t chunk, struct err *e)
{
	CLEANUP(buf_done) struct buf tail = {0};
	unsigned at;
	const struct column *key = columns_grid(&w->columns, &at);
	const struct rows_range range = {.table = w->object->name, .shift = w->shift, .chunk = chunk};
	struct rows_range whole;

	buf_init(&tail, 65536);
	buf_addf(&tail, " FORCE INDEX (PRIMARY) WHERE %s BETWEEN ", key->name);
	grid_literal(&tail, first, key->is_unsigned);
	buf_adds(&tail, " AND ");
	grid_literal(&tail, grid_last(first, w->shift), key->is_unsigned);
	buf_addf(&tail, " ORDER BY %s", w->columns.order);
	if (buf_check(&tail, "a range of keys", e))
		return -1;
	whole = range;
	whole.tail = tail.p;
	/* Between two cells nothing kept an ALTER away. */
	return read_range(r, w, &whole, e) || same_table(r->at, w->object, e) ? -1 : 0;
}

static int exec_at(struct reader *r, const struct work *w, const char *sql, struct err *e)
{
	return conn_exec(r->c, sql, e) ? err_wrap(e, "table `%s`", w->object->name) : 0;
}

/* Statements between two savepoints: the table's metadata lock is given up at the
 * second, so that an ALTER waits for one table, or one cell of it, and not for the whole dump. */
typedef int step_fn(struct reader *r, struct work *w, bool *more, struct err *e);

static int in_savepoint(struct reader *r, struct work *w, step_fn *step, bool *more, struct err *e)
{
	const struct tables_job *job = r->plan->job;
	int failed;

	watch_hold(job->watch, job->schema->db, w->object->name);
	failed = exec_at(r, w, "SAVEPOINT felloe_table", e) || step(r, w, more, e) ||
		 exec_at(r, w, "ROLLBACK TO SAVEPOINT felloe_table", e);
	watch_release(job->watch, job->schema->db, w->object->name);
	return failed ? -1 : 0;
}

static int next_cell(struct reader *r, struct work *w, bool *more, struct err *e)
{
	uint64_t first = 0, chunk = 0;

	if (halt_check(r->plan->job->halt, e) || take_cell(r, w, &first, &chunk, more, e))
		return -1;
	return *more ? read_cell(r, w, first, chunk, e) : 0;
}

static int read_cells(struct reader *r, struct work *w, struct err *e)
{
	bool more = true;

	while (more)
		if (in_savepoint(r, w, next_cell, &more, e))
			return -1;
	return 0;
}

void table_decide(struct plan *p, struct work *w, bool open)
{
	pthread_mutex_lock(&p->lock);
	if (w->undecided) {
		w->undecided = false;
		w->open = open;
		pthread_cond_broadcast(&p->decided);
	}
	pthread_mutex_unlock(&p->lock);
}

/* A table that is not large, whole; of a large one only its cells are looked at. */
static int first_step(struct reader *r, struct work *w, bool *cells, struct err *e)
{
	if (begin_table(r, w, e))
		return -1;
	*cells = w->columns.primary && w->shift < GRID_WHOLE && w->object->bytes > WHOLE_RAW;
	table_decide(r->plan, w, *cells);
	return *cells ? 0 : read_whole(r, w, e);
}

static int read_in_snapshot(struct reader *r, struct work *w, struct err *e)
{
	const struct tables_job *job = r->plan->job;
	bool cells = false;

	if (job->locks_stay)
		watch_keep(job->watch, job->schema->db, w->object->name);
	if (in_savepoint(r, w, first_step, &cells, e))
		return -1;
	return cells ? read_cells(r, w, e) : 0;
}

static void warn_unlocked(const struct reader *r, const struct work *w, const struct err *why)
{
	CLEANUP(freep) char *text = xasprintf(
		"table `%s` is %s, which has no snapshots, and could not be locked: its rows are not consistent with the rest, nor "
		"with each other (%s); %sALTER TABLE ... ENGINE=InnoDB makes it consistent", w->object->name, w->object->engine,
		why->msg, why->kind == ERR_BUSY ? "" : "GRANT LOCK TABLES makes it agree with itself, ");

	w->table->view = DUMP_VIEW_NONE;
	r->plan->sink.warn(r->plan->sink.ctx, text);
}

static int read_first(struct reader *r, struct work *w, struct err *e)
{
	const struct tables_job *job = r->plan->job;
	const struct locked_opts o = {.access = job->access, .watch = job->watch, .db = job->schema->db,
				      .table = w->object->name, .wait_s = job->wait_s};
	CLEANUP(locked_close) struct locked l = {0};
	struct err why;
	bool cells;
	int failed;

	w->table->view = DUMP_VIEW_SNAPSHOT;
	if (!locked_wanted(w->object->engine))
		return read_in_snapshot(r, w, e);
	if (locked_open(&l, &o, &why) == 0) {
		w->table->view = DUMP_VIEW_LOCKED;
		r->at = l.c;
		failed = first_step(r, w, &cells, e);
		r->at = r->c;
		return failed;
	}
	if (why.kind != ERR_DENIED && why.kind != ERR_FORBIDDEN && why.kind != ERR_BUSY) {
		*e = why;
		return -1;
	}
	warn_unlocked(r, w, &why);
	return read_in_snapshot(r, w, e);
}

/* What is known now of the grid, for the next run. The lock is held. */
static int keep_shift(struct plan *p, const struct work *w, struct err *e)
{
	const struct dump_grid *grid = p->job->grid;
	int had = w->known < 0 && w->shift < GRID_WHOLE ? (int)w->shift : w->known, keep;

	if (!grid || !w->sized)
		return 0;
	keep = (int)grid_keep(had, grid_shift(w->sum.bytes, w->ends[0], w->ends[1]), w->sum.bytes);
	if (keep == w->known || (keep == GRID_WHOLE && w->known < 0))
		return 0;
	return grid->save(grid->ctx, p->job->schema->db, w->object->name, keep, e);
}

/* The last one out writes the table's figures down. */
static int leave_table(struct plan *p, struct work *w, struct err *e)
{
	int failed = 0;

	pthread_mutex_lock(&p->lock);
	if (--w->readers == 0 && !w->open) {
		w->table->rows = w->sum.digest.rows;
		w->table->bytes = w->sum.bytes;
		w->table->longest = w->sum.longest;
		digest_get(&w->sum.digest, w->table->digest);
		w->table->select_list = pool_same(p->job->schema->strings, w->columns.select_list);
		failed = keep_shift(p, w, e);
	}
	pthread_mutex_unlock(&p->lock);
	return failed;
}

int table_read(struct reader *r, struct work *w, bool first, struct err *e)
{
	if (first ? read_first(r, w, e) : read_cells(r, w, e))
		return -1;
	return leave_table(r->plan, w, e);
}
