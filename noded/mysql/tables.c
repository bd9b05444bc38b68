/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/tables_priv.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TELL_MS = 250 };

static void plan_init(struct plan *p, const struct tables_job *job)
{
	*p = (struct plan){.job = job};
	gate_init(&p->gate, job->schema->sink);
	p->sink = gate_sink(&p->gate);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->decided, NULL);
}

static void work_free(struct work *w)
{
	columns_done(&w->columns);
	digest_done(&w->sum.digest);
	pthread_mutex_destroy(&w->asking);
	free(w);
}

static void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->work.n; i++)
		work_free(p->work.v[i]);
	list_done(&p->work);
	list_done(&p->items);
	pthread_cond_destroy(&p->decided);
	pthread_mutex_destroy(&p->lock);
	gate_done(&p->gate);
}

/* Hot ones first, then large ones: a large one that began last would be read alone in the end. */
static int by_size(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->object->hot != y->object->hot)
		return x->object->hot ? -1 : 1;
	if (x->object->bytes != y->object->bytes)
		return x->object->bytes < y->object->bytes ? 1 : -1;
	return x->table < y->table ? -1 : 1;
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
		t->name = o->name;
		t->select_list = "";
		t->data = o->data;
		if (o->data)
			list_push(&p->items)->object = o;
	}
	/* the list stays where it is from here on */
	for (size_t i = 0, at = first; i < p->items.n; at++)
		if (ret->tables.v[at].data)
			p->items.v[i++].table = &ret->tables.v[at];
	if ((p->job->n > 1 || p->job->hot) && p->items.n)
		qsort(p->items.v, p->items.n, sizeof(*p->items.v), by_size);
}

static struct work *begin_work(struct plan *p)
{
	const struct item *item = &p->items.v[p->next++];
	struct work *w = xcalloc(1, sizeof(*w));

	w->object = item->object;
	w->table = item->table;
	w->undecided = true;
	pthread_mutex_init(&w->asking, NULL);
	*list_push(&p->work) = w;
	return w;
}

/* One that is open, or the next one to begin. *undecided: there may be one soon. Who has given hot tables back would
 * wait for them; who has not yet shall wait for the reader that looks at the last of them. */
static struct work *find_work(struct plan *p, const struct reader *r, bool *first, bool *undecided)
{
	bool hot = false;

	*first = *undecided = false;
	for (size_t i = 0; i < p->work.n; i++) {
		struct work *w = p->work.v[i];

		if (w->open && (r->holds || !w->object->hot))
			return w;
		*undecided = *undecided || w->undecided;
		hot = hot || (w->undecided && w->object->hot);
	}
	if (p->next == p->items.n || (r->holds && hot && !p->items.v[p->next].object->hot))
		return NULL;
	*first = true;
	return begin_work(p);
}

static struct work *next_work(const struct reader *r, bool *first)
{
	struct plan *p = r->plan;
	bool undecided;
	struct work *w;

	pthread_mutex_lock(&p->lock);
	while (!(w = find_work(p, r, first, &undecided)) && undecided)
		pthread_cond_wait(&p->decided, &p->lock);
	if (w) {
		w->readers++;
		w->holders++;
	}
	pthread_mutex_unlock(&p->lock);
	return w;
}

/* The last one to hold it forgets it: begun tables are a few at any time, all tables may be very many. */
static void leave_work(struct plan *p, struct work *w)
{
	pthread_mutex_lock(&p->lock);
	if (--w->holders == 0) {
		for (size_t i = 0; i < p->work.n; i++)
			if (p->work.v[i] == w)
				p->work.v[i] = p->work.v[--p->work.n];
		work_free(w);
	}
	pthread_mutex_unlock(&p->lock);
}

/* Small tables tell nothing while they are read. */
static void tell(struct plan *p, const char *table)
{
	int64_t now = clock_mono_ms();
	bool due;

	pthread_mutex_lock(&p->lock);
	due = now - p->told >= TELL_MS;
	if (due)
		p->told = now;
	pthread_mutex_unlock(&p->lock);
	if (due)
		p->sink.progress(p->sink.ctx, table, atomic_load(&p->total.rows), atomic_load(&p->total.bytes));
}

static int give_back(struct reader *r, struct err *e)
{
	const struct tables_job *job = r->plan->job;

	if (!r->holds)
		return 0;
	r->holds = false;
	if (hot_give_back(r->c, e))
		return -1;
	for (size_t i = 0; i < job->hot->n; i++)
		watch_release(job->watch, job->hot->v[i].db, job->hot->v[i].table);
	return 0;
}

static int read_table(struct reader *r, struct work *w, bool first, struct err *e)
{
	struct err other;

	if (!w->object->hot && give_back(r, e))
		return -1;
	if (table_read(r, w, first, e) == 0)
		return 0;
	if (e->kind == ERR_CONFLICT && halt_check(r->plan->job->halt, &other) == 0) {
		pthread_mutex_lock(&r->plan->lock);
		hot_add(r->plan->job->met, r->plan->job->schema->db, w->object->name);
		pthread_mutex_unlock(&r->plan->lock);
	}
	return -1;
}

/* Until nothing is left or all have to end; the reason is in the halt then. */
static void read_tables(struct reader *r)
{
	struct halt *halt = r->plan->job->halt;
	struct work *w;
	struct err e;
	bool first;

	rows_buf(&r->member);
	while ((w = next_work(r, &first))) {
		if (halt_check(halt, &e)) {
			table_decide(r->plan, w, false);
			break;
		}
		if (read_table(r, w, first, &e))
			halt_set(halt, &e);
		table_decide(r->plan, w, false);
		tell(r->plan, w->object->name);
		leave_work(r->plan, w);
	}
	if (!halt_check(halt, &e) && give_back(r, &e))
		halt_set(halt, &e);
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
		readers[i] = (struct reader){.plan = &plan, .c = job->conns[i], .at = job->conns[i], .holds = job->hot != NULL};
	start_threads(readers, job->n);
	for (unsigned i = 1; i < job->n; i++)
		if (!readers[i].started && give_back(&readers[i], e))
			halt_set(job->halt, e);
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
