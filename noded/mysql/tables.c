/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/tables.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/locked.h"
#include "noded/mysql/rows.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

/* ---- one call of the sink at a time */

struct guard {
	pthread_mutex_t lock;
	const struct dump_sink *sink;
};

static int guard_swap(void *ctx, const char *name, struct buf *b, struct err *e)
{
	struct guard *g = ctx;
	int failed;

	pthread_mutex_lock(&g->lock);
	if (g->sink->swap)
		failed = g->sink->swap(g->sink->ctx, name, b, e);
	else
		failed = g->sink->member(g->sink->ctx, name, b->p, b->len, e);
	pthread_mutex_unlock(&g->lock);
	return failed;
}

static int guard_member(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	struct guard *g = ctx;
	int failed;

	pthread_mutex_lock(&g->lock);
	failed = g->sink->member(g->sink->ctx, name, p, n, e);
	pthread_mutex_unlock(&g->lock);
	return failed;
}

/* Whoever holds the sink shows progress himself: it is not worth a wait. */
static void guard_progress(void *ctx, const char *table, uint64_t rows, uint64_t bytes)
{
	struct guard *g = ctx;

	if (!g->sink->progress || pthread_mutex_trylock(&g->lock))
		return;
	g->sink->progress(g->sink->ctx, table, rows, bytes);
	pthread_mutex_unlock(&g->lock);
}

static void guard_warn(void *ctx, const char *text)
{
	struct guard *g = ctx;

	if (!g->sink->warn)
		return;
	pthread_mutex_lock(&g->lock);
	g->sink->warn(g->sink->ctx, text);
	pthread_mutex_unlock(&g->lock);
}

/* ---- what is to be read */

struct work {
	const struct object *object;
	struct dump_table *table;
};
struct plan {
	const struct tables_job *job;
	struct guard guard;
	struct dump_sink sink;      /* guarded */
	struct rows_total total;
	struct { LIST_OF(struct work); } work;
	pthread_mutex_t lock;
	size_t next;                /* of work; under the lock */
};
/* One connection and its thread. */
struct reader {
	struct plan *plan;
	struct conn *c;
	struct buf member;
	pthread_t thread;
	bool started;
};

static void plan_init(struct plan *p, const struct tables_job *job)
{
	*p = (struct plan){.job = job, .guard = {.sink = job->schema->sink}};
	p->sink = (struct dump_sink){.member = guard_member, .swap = guard_swap, .progress = guard_progress,
				     .warn = guard_warn, .ctx = &p->guard};
	pthread_mutex_init(&p->guard.lock, NULL);
	pthread_mutex_init(&p->lock, NULL);
}

static void plan_done(struct plan *p)
{
	list_done(&p->work);
	pthread_mutex_destroy(&p->lock);
	pthread_mutex_destroy(&p->guard.lock);
}

/* An entry of the result for each table; those whose rows are wanted are work. */
static void plan_tables(struct plan *p, struct dump_result *ret)
{
	const struct schema *s = p->job->schema;
	size_t first = ret->tables.n;

	for (size_t i = 0; i < s->tables.n; i++) {
		const struct object *o = &s->tables.v[i];
		struct dump_table *t;

		if (o->left_out)
			continue;
		t = list_push(&ret->tables);
		t->name = xstrdup(o->name);
		t->select_list = xstrdup(o->select_list);
		t->data = o->data;
		if (o->data)
			list_push(&p->work)->object = o;
	}
	/* the list stays where it is from here on */
	for (size_t i = 0, at = first; i < p->work.n; at++)
		if (ret->tables.v[at].data)
			p->work.v[i++].table = &ret->tables.v[at];
}

static struct work *next_work(struct plan *p)
{
	struct work *w = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->next < p->work.n)
		w = &p->work.v[p->next++];
	pthread_mutex_unlock(&p->lock);
	return w;
}

/* ---- reading */

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
		return -1;
	row = mysql_fetch_row(r);
	if (row && str_eq(str_or(row[0], ""), o->created))
		return 0;
	return err_set(e, ERR_CONFLICT, "table `%s` was altered, renamed or dropped while the dump ran: run again", o->name);
}

static int read_over(struct reader *r, struct conn *c, const struct work *w, struct err *e)
{
	const struct rows_job job = {.c = c, .sink = &r->plan->sink, .halt = r->plan->job->halt,
				     .total = &r->plan->total, .member = &r->member};
	CLEANUP(columns_done) struct columns k = {0};

	if (columns_read(&k, c, w->object->name, e) ||
	    (w->object->history && columns_add_history(&k, c, w->object->name, e)))
		return -1;
	if (!str_eq(k.select_list, w->object->select_list))
		return err_set(e, ERR_CONFLICT, "table `%s` was altered while the dump ran: run again", w->object->name);
	return rows_dump(&job, &k, w->table, e) || same_table(c, w->object, e) ? -1 : 0;
}

/* The savepoint gives up the table's metadata lock as soon as its rows are read,
 * so that an ALTER waits for one table and not for the whole dump. */
static int read_in_snapshot(struct reader *r, const struct work *w, struct err *e)
{
	const struct tables_job *job = r->plan->job;
	int failed;

	watch_hold(job->watch, job->schema->db, w->object->name);
	failed = conn_exec(r->c, "SAVEPOINT felloe_table", e) || read_over(r, r->c, w, e) ||
		 conn_exec(r->c, "ROLLBACK TO SAVEPOINT felloe_table", e);
	watch_release(job->watch, job->schema->db, w->object->name);
	return failed ? -1 : 0;
}

static void warn_unlocked(struct reader *r, const struct work *w, const struct err *why)
{
	CLEANUP(freep) char *text = xasprintf(
		"table `%s` is %s, which has no snapshots, and could not be locked: its rows are not consistent with the rest, nor "
		"with each other (%s); %sALTER TABLE ... ENGINE=InnoDB makes it consistent", w->object->name, w->object->engine,
		why->msg, why->kind == ERR_BUSY ? "" : "GRANT LOCK TABLES makes it agree with itself, ");

	w->table->view = DUMP_VIEW_NONE;
	r->plan->sink.warn(r->plan->sink.ctx, text);
}

static int read_table(struct reader *r, const struct work *w, struct err *e)
{
	const struct tables_job *job = r->plan->job;
	const struct locked_opts o = {.access = job->access, .watch = job->watch, .db = job->schema->db,
				      .table = w->object->name, .wait_s = job->wait_s};
	CLEANUP(locked_close) struct locked l = {0};
	struct err why;

	w->table->view = DUMP_VIEW_SNAPSHOT;
	if (!locked_wanted(w->object->engine))
		return read_in_snapshot(r, w, e);
	if (locked_open(&l, &o, &why) == 0) {
		w->table->view = DUMP_VIEW_LOCKED;
		return read_over(r, l.c, w, e);
	}
	if (why.kind != ERR_DENIED && why.kind != ERR_FORBIDDEN && why.kind != ERR_BUSY) {
		*e = why;
		return -1;
	}
	warn_unlocked(r, w, &why);
	return read_in_snapshot(r, w, e);
}

/* Until nothing is left or all have to end; the reason is in the halt then. */
static void read_tables(struct reader *r)
{
	struct halt *halt = r->plan->job->halt;
	const struct work *w;
	struct err e;

	rows_buf(&r->member);
	while ((w = next_work(r->plan))) {
		if (halt_check(halt, &e))
			break;
		if (read_table(r, w, &e)) {
			halt_set(halt, &e);
			break;
		}
	}
	buf_done(&r->member);
}

static void *read_in_thread(void *p)
{
	mysql_thread_init();
	read_tables(p);
	mysql_thread_end();
	return NULL;
}

/* Readers 1.. have threads, reader 0 is the caller: signals stay with him. */
static void start_threads(struct reader *readers, unsigned n)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 1; i < n; i++) /* one that cannot be had is done without */
		readers[i].started = !pthread_create(&readers[i].thread, NULL, read_in_thread, &readers[i]);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

int tables_dump(const struct tables_job *job, struct dump_result *ret, struct err *e)
{
	struct reader readers[DUMP_CONNECTIONS] = {0};
	CLEANUP(plan_done) struct plan plan;

	plan_init(&plan, job);
	plan_tables(&plan, ret);
	for (unsigned i = 0; i < job->n; i++)
		readers[i] = (struct reader){.plan = &plan, .c = job->conns[i]};
	start_threads(readers, job->n);
	read_tables(&readers[0]);
	for (unsigned i = 1; i < job->n; i++)
		if (readers[i].started)
			pthread_join(readers[i].thread, NULL);
	if (halt_check(job->halt, e))
		return -1;
	ret->rows += atomic_load(&plan.total.rows);
	ret->bytes += atomic_load(&plan.total.bytes);
	return 0;
}
