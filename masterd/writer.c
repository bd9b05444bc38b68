/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "masterd/pace.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum {
	BATCH_MS = 5,       /* a transaction takes new jobs for so long */
	SOON_US = 2000,     /* a wait and a transaction that an HTTP thread may sit out */
	GATHERS_MAX = 4,
	TELL_MS = 60000,
};

struct writer {
	pthread_mutex_t lock;
	pthread_cond_t come;
	pthread_t thread;
	struct db *db;
	struct job *first, **last; /* queued */
	size_t queued, max_queued;
	bool sleeping, stopping;
	atomic_llong doubt;        /* writer_doubt */
	uint64_t transactions, changes, errors;
	pthread_cond_t over;       /* a transaction has ended */
	unsigned awaiting;         /* threads that wait for that */
	atomic_bool soon;
	struct err failing;        /* why nothing of the last transaction was kept; ERR_NONE it was */
	int64_t told;              /* monotonic ms: when the log was last told so */
};

typedef int job_fn(struct job *j, struct db *db, struct err *e);

/* In a savepoint of its own. What cannot be undone alone takes the transaction with it. */
static int run_apart(struct db *db, struct job *j, job_fn *run)
{
	struct err e;

	if (!db_exec(db, "SAVEPOINT job", &j->err)) {
		if (!run(j, db, &j->err) && !db_exec(db, "RELEASE job", &j->err))
			return 0;
		if (!db_in_transaction(db) || (!db_exec(db, "ROLLBACK TO job", &e) && !db_exec(db, "RELEASE job", &e)))
			return -1;
		log_error("writer: cannot undo a failed change: %s", e.msg);
	}
	db_rollback(db);
	return -1;
}

static int run_job(struct db *db, struct job *j)
{
	if (db_rules(db, &j->err))
		return -1;
	return j->single && db_fails_alone(db) ? j->run(j, db, &j->err) : run_apart(db, j, j->run);
}

/* The jobs of a batch that want to be run together, one list a kind. */
struct gathering {
	struct {
		job_fn *gather;
		struct job *first, **last;
	} kinds[GATHERS_MAX];
	size_t n;
};

static void gather(struct gathering *g, struct job *j)
{
	size_t i = 0;

	while (i < g->n && g->kinds[i].gather != j->gather)
		i++;
	if (i == GATHERS_MAX) {
		j->rc = err_set(&j->err, ERR_INTERNAL, "the writer knows %d kinds to gather at most", GATHERS_MAX);
		return;
	}
	if (i == g->n) {
		g->kinds[i].gather = j->gather;
		g->kinds[i].last = &g->kinds[i].first;
		g->n++;
	}
	j->gathered = NULL;
	*g->kinds[i].last = j;
	g->kinds[i].last = &j->gathered;
}

/* False: the transaction is lost, *e says why. */
static bool run_gathered(struct db *db, struct gathering *g, struct err *e)
{
	for (size_t i = 0; i < g->n; i++) {
		struct job *first = g->kinds[i].first;

		if (!run_apart(db, first, g->kinds[i].gather))
			continue;
		for (struct job *j = first; j; j = j->gathered) {
			j->rc = -1;
			j->err = first->err;
		}
		if (!db_in_transaction(db)) {
			*e = first->err;
			return false;
		}
	}
	return true;
}

/* Was it the database that failed, not what the job found? */
static bool is_database(enum err_kind kind)
{
	return kind == ERR_DB || kind == ERR_IO || kind == ERR_SPACE || kind == ERR_INTERNAL;
}

/* All jobs of the batch are over: tell the good ones from those that failed. */
static void tally(struct writer *w, const struct job *batch, size_t n, bool lost)
{
	uint64_t errors = lost;

	for (const struct job *j = batch; j && !lost; j = j->next)
		errors += j->rc && is_database(j->err.kind);
	pthread_mutex_lock(&w->lock);
	w->transactions++;
	w->changes += n;
	w->errors += errors;
	pthread_mutex_unlock(&w->lock);
}

void writer_counts(struct writer *w, struct writer_counts *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = (struct writer_counts){w->queued, w->max_queued, w->transactions, w->changes, w->errors};
	pthread_mutex_unlock(&w->lock);
}

static void finish(struct job *batch, const struct err *commit_failed)
{
	struct job *next;

	for (struct job *j = batch; j; j = next) {
		next = j->next;
		if (commit_failed && !j->rc) {
			j->rc = -1;
			j->err = *commit_failed;
		}
		if (!j->rc && j->committed)
			j->committed(j);
		if (j->rc && !j->ticket && j->err.kind != ERR_BUSY)
			log_error("writer: %s", j->err.msg);
		if (j->ticket)
			ticket_done(j->ticket);
		else if (j->drop)
			j->drop(j);
	}
}

static struct job *take_all(struct writer *w, size_t *n)
{
	struct job *j;

	pthread_mutex_lock(&w->lock);
	j = w->first;
	*n = w->queued;
	w->first = NULL;
	w->last = &w->first;
	w->queued = 0;
	pthread_mutex_unlock(&w->lock);
	return j;
}

/* Run what is queued as it comes; the end of the list is in *tail. False: the transaction is lost, *e says why. */
static bool run_queued(struct writer *w, struct gathering *g, struct job ***tail, size_t *n, struct err *e)
{
	struct job *j = take_all(w, n);

	**tail = j;
	for (; j; *tail = &j->next, j = j->next) {
		j->rc = 0;
		if (j->gather)
			gather(g, j);
		else if (run_job(w->db, j))
			j->rc = -1;
		/* an error such as a full disk may have undone the whole transaction */
		if (j->rc && !db_in_transaction(w->db)) {
			*e = j->err;
			while (*(*tail = &j->next))
				j = j->next;
			return false;
		}
	}
	return true;
}

/* A database that is away and a full disk fail every batch: said now and then, a log
 * on the same disk wants to live, and when it is over. */
static void tell(struct writer *w, bool good, size_t total, const struct err *e)
{
	enum err_kind before = w->failing.kind;
	int64_t now = clock_mono_ms();

	if (good && before == ERR_NONE)
		return;
	pthread_mutex_lock(&w->lock);
	w->failing = good ? (struct err){0} : *e;
	pthread_mutex_unlock(&w->lock);
	if (good) {
		log_info("writer: the database takes changes again");
	} else if (e->kind != before || (e->kind != ERR_BUSY && now - w->told >= TELL_MS)) {
		log_error("writer: nothing of %zu changes was kept: %s", total, e->msg);
		w->told = now;
	}
}

/* One transaction; returns how many jobs it held. */
static size_t write_batch(struct writer *w)
{
	int64_t until = clock_mono_ms() + BATCH_MS;
	struct job *batch = NULL, **tail = &batch;
	struct gathering g = {0};
	struct err e = {0};
	bool begun = !db_begin(w->db, &e), good = begun;
	size_t total = 0, n;

	do {
		if (begun)
			good = run_queued(w, &g, &tail, &n, &e);
		else
			*tail = take_all(w, &n);
		total += n;
	} while (n && good && clock_mono_ms() < until);
	good = good && run_gathered(w->db, &g, &e);
	if (good && db_commit(w->db, &e)) {
		good = false;
		atomic_store(&w->doubt, clock_mono_ms());
	}
	if (!good)
		db_rollback(w->db);
	tell(w, good, total, &e);
	tally(w, batch, total, !good);
	finish(batch, good ? NULL : &e);
	return total;
}

int writer_judge(struct writer *w, struct err *e)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	rc = w->failing.kind != ERR_NONE ? -1 : 0;
	if (rc && e)
		*e = w->failing;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

static bool wait_for_work(struct writer *w)
{
	bool more;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stopping) {
		w->sleeping = true;
		pthread_cond_wait(&w->come, &w->lock);
		w->sleeping = false;
	}
	more = w->first != NULL;
	pthread_mutex_unlock(&w->lock);
	return more;
}

static size_t queued(struct writer *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = w->queued;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static void sleep_us(int64_t us)
{
	const struct timespec t = {.tv_nsec = us * 1000};

	if (us > 0)
		nanosleep(&t, NULL);
}

/* Give others the time to come too. Did some come in the second half? */
static bool linger(struct writer *w, int64_t us)
{
	size_t before;

	sleep_us(us / 2);
	before = queued(w);
	sleep_us(us / 2);
	return queued(w) > before;
}

/* Those in writer_await look again. */
static void tell_over(struct writer *w, bool soon)
{
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->soon, soon);
	if (w->awaiting)
		pthread_cond_broadcast(&w->over);
	pthread_mutex_unlock(&w->lock);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct pace pace = {0};
	int64_t last = clock_mono_us();

	while (wait_for_work(w)) {
		int64_t began = clock_mono_us(), wait = pace.wait_us;
		bool late = linger(w, wait);
		size_t n = write_batch(w);

		pace_learn(&pace, n, late, began - last);
		last = began;
		tell_over(w, pace.wait_us < SOON_US && clock_mono_us() - began - wait < SOON_US);
	}
	return NULL;
}

bool writer_soon(struct writer *w)
{
	return atomic_load_explicit(&w->soon, memory_order_relaxed);
}

void writer_await(struct writer *w, struct ticket *t)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 2 * SOON_US * 1000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&w->lock);
	w->awaiting++;
	while (!ticket_is_done(t) && !rc)
		rc = pthread_cond_clockwait(&w->over, &w->lock, CLOCK_MONOTONIC, &until);
	w->awaiting--;
	pthread_mutex_unlock(&w->lock);
	/* the store takes its time: nobody else should sit and wait for it */
	if (rc)
		atomic_store(&w->soon, false);
}

int writer_new(struct writer **ret, const char *url, size_t max_queued, struct err *e)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct writer *w;

	if (db_open(&db, url, false, e) || db_migrate(db, e))
		return -1;
	w = xcalloc(1, sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->come, NULL);
	pthread_cond_init(&w->over, NULL);
	w->last = &w->first;
	w->max_queued = max_queued;
	w->db = TAKE(db);
	if (pthread_create(&w->thread, NULL, writer_main, w)) {
		db_close(w->db);
		free(w);
		return err_set(e, ERR_INTERNAL, "cannot start the thread of the writer");
	}
	*ret = w;
	return 0;
}

void writer_stop(struct writer *w)
{
	bool was;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	was = w->stopping;
	w->stopping = true;
	pthread_cond_signal(&w->come);
	pthread_mutex_unlock(&w->lock);
	if (!was)
		pthread_join(w->thread, NULL);
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	writer_stop(w);
	db_close(w->db);
	pthread_cond_destroy(&w->come);
	pthread_cond_destroy(&w->over);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int64_t writer_doubt(struct writer *w)
{
	return atomic_load(&w->doubt);
}

int writer_put(struct writer *w, struct job *j, struct err *e)
{
	bool wake = false, full;

	j->next = NULL;
	j->rc = 0;
	pthread_mutex_lock(&w->lock);
	full = w->queued >= w->max_queued || w->stopping;
	if (!full) {
		*w->last = j;
		w->last = &j->next;
		w->queued++;
		wake = w->sleeping;
		w->sleeping = false;
	}
	pthread_mutex_unlock(&w->lock);
	if (full)
		return err_set(e, ERR_BUSY, "%zu changes wait already", w->max_queued);
	if (wake)
		pthread_cond_signal(&w->come);
	return 0;
}
