/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/writer.c"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"

static char dir[64], url[128];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-writer.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/m.db", dir);
	return 0;
}

static int drop_dir(void **state)
{
	static const char *const names[] = {"m.db", "m.db-wal", "m.db-shm"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* A job that a test can wait for. */
struct wanted {
	struct job job;
	struct ticket ticket;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool woken;
	int64_t value;
	bool fail_late, committed;
};

static void wake(struct ticket *t)
{
	struct wanted *w = (struct wanted *)(void *)((char *)t - offsetof(struct wanted, ticket));

	pthread_mutex_lock(&w->lock);
	w->woken = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static int insert(struct job *j, struct db *db, struct err *e)
{
	struct wanted *w = (struct wanted *)j;
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "INSERT INTO meta(name,value) VALUES(?1,1)", e))
		return -1;
	db_set_int(&s, 1, w->value);
	if (db_run(&s, e))
		return -1;
	return w->fail_late ? err_set(e, ERR_INVALID, "changed my mind") : 0;
}

static void on_commit(struct job *j)
{
	((struct wanted *)j)->committed = true;
}

static void prepare(struct wanted *w, int64_t value)
{
	*w = (struct wanted){.value = value};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->done, NULL);
	w->ticket.wake = wake;
	w->job.run = insert;
	w->job.committed = on_commit;
	w->job.ticket = &w->ticket;
	ticket_open(&w->ticket);
}

static void await(struct wanted *w)
{
	if (!ticket_park(&w->ticket))
		return;
	pthread_mutex_lock(&w->lock);
	while (!w->woken)
		pthread_cond_wait(&w->done, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

static int64_t count(void)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_done) struct db_stmt s = {0};
	struct err e = {0};

	assert_int_equal(db_open(&db, url, true, &e), 0);
	assert_int_equal(db_prepare(db, &s, "SELECT count(*) FROM meta WHERE name<>'auth_rev'", &e), 0);
	assert_int_equal(db_step(&s, &e), 1);
	return db_int(&s, 0);
}

static void a_bad_change_fails_alone_and_leaves_nothing(void **state)
{
	struct writer *w = NULL;
	struct wanted v[4];
	struct err e = {0};

	(void)state;
	assert_int_equal(writer_new(&w, url, 100, &e), 0);
	for (int i = 0; i < 4; i++)
		prepare(&v[i], i);
	v[1].fail_late = true;
	v[3].value = 0; /* the same key as the first */
	for (int i = 0; i < 4; i++)
		assert_int_equal(writer_put(w, &v[i].job, &e), 0);
	for (int i = 0; i < 4; i++)
		await(&v[i]);
	assert_int_equal(v[0].job.rc, 0);
	assert_true(v[0].committed);
	assert_int_equal(v[1].job.rc, -1);
	assert_string_equal(v[1].job.err.msg, "changed my mind");
	assert_false(v[1].committed);
	assert_int_equal(v[2].job.rc, 0);
	assert_int_equal(v[3].job.rc, -1);
	assert_int_equal(v[3].job.err.kind, ERR_CONFLICT);
	assert_int_equal(count(), 2);
	writer_free(w);
}

/* As a full disk may do: the database gives up the whole transaction. */
static int lose_all(struct job *j, struct db *db, struct err *e)
{
	(void)j;
	return db_exec(db, "ROLLBACK", e) ? -1 : err_set(e, ERR_SPACE, "the disk is full");
}

static void a_transaction_that_the_database_gave_up_is_told_to_all(void **state)
{
	struct writer *w = NULL;
	struct wanted v[20];
	struct err e = {0};
	int64_t before, told = 0;

	(void)state;
	assert_int_equal(writer_new(&w, url, 100, &e), 0);
	before = count();
	for (int i = 0; i < 20; i++)
		prepare(&v[i], 5000 + i);
	v[10].job.run = lose_all;
	for (int i = 0; i < 20; i++)
		assert_int_equal(writer_put(w, &v[i].job, &e), 0);
	for (int i = 0; i < 20; i++)
		await(&v[i]);
	assert_int_equal(v[10].job.rc, -1);
	assert_int_equal(v[10].job.err.kind, ERR_SPACE);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(v[i].committed, v[i].job.rc == 0);
		told += v[i].job.rc == 0;
	}
	writer_free(w);
	assert_int_equal(count() - before, told);
}

static int gather_none(struct job *first, struct db *db, struct err *e)
{
	return lose_all(first, db, e);
}

static void gathered_changes_that_lose_the_transaction_name_the_cause(void **state)
{
	struct writer *w = NULL;
	struct wanted v[6];
	struct err e = {0};

	(void)state;
	assert_int_equal(writer_new(&w, url, 100, &e), 0);
	for (int i = 0; i < 6; i++) {
		prepare(&v[i], 7000 + i);
		if (i % 2)
			v[i].job.gather = gather_none;
	}
	/* one transaction: the thread takes all at once */
	pthread_mutex_lock(&w->lock);
	for (int i = 0; i < 6; i++) {
		*w->last = &v[i].job;
		w->last = &v[i].job.next;
		w->queued++;
	}
	pthread_cond_signal(&w->come);
	pthread_mutex_unlock(&w->lock);
	for (int i = 0; i < 6; i++) {
		await(&v[i]);
		assert_int_equal(v[i].job.rc, -1);
		assert_int_equal(v[i].job.err.kind, ERR_SPACE);
		assert_string_equal(v[i].job.err.msg, "the disk is full");
		assert_false(v[i].committed);
	}
	assert_true(writer_doubt(w) == 0);
	writer_free(w);
	assert_int_equal(count(), 0);
}

static void what_is_queued_is_kept_when_the_writer_stops(void **state)
{
	struct writer *w = NULL;
	struct wanted *v = xcalloc(500, sizeof(*v));
	struct wanted late;
	struct err e = {0};

	(void)state;
	assert_int_equal(writer_new(&w, url, 1000, &e), 0);
	for (int i = 0; i < 500; i++) {
		prepare(&v[i], i);
		assert_int_equal(writer_put(w, &v[i].job, &e), 0);
	}
	writer_stop(w);
	for (int i = 0; i < 500; i++) {
		assert_true(ticket_is_done(&v[i].ticket));
		assert_int_equal(v[i].job.rc, 0);
	}
	prepare(&late, 1000);
	assert_int_equal(writer_put(w, &late.job, &e), -1);
	assert_int_equal(e.kind, ERR_BUSY);
	assert_int_equal(count(), 500);
	writer_free(w);
	free(v);
}

static void a_full_queue_is_busy(void **state)
{
	struct writer *w = NULL;
	struct wanted v[3];
	struct err e = {0};
	int refused = 0;

	(void)state;
	assert_int_equal(writer_new(&w, url, 2, &e), 0);
	/* the thread cannot take them while we hold its lock */
	for (int i = 0; i < 3; i++)
		prepare(&v[i], i);
	pthread_mutex_lock(&w->lock);
	w->max_queued = 0;
	pthread_mutex_unlock(&w->lock);
	refused = writer_put(w, &v[0].job, &e);
	assert_int_equal(refused, -1);
	assert_int_equal(e.kind, ERR_BUSY);
	writer_free(w);
}

#define with_dir(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(a_bad_change_fails_alone_and_leaves_nothing),
		with_dir(a_transaction_that_the_database_gave_up_is_told_to_all),
		with_dir(gathered_changes_that_lose_the_transaction_name_the_cause),
		with_dir(what_is_queued_is_kept_when_the_writer_stops),
		with_dir(a_full_queue_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
