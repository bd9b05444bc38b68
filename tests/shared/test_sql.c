/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/sql.c"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

static char dir[64], file[128];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-sql.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/a.db", dir);
	return 0;
}

static int drop_dir(void **state)
{
	static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "b.db", "b.db-wal", "b.db-shm"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static const char *const v1[] = {"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE, c BLOB, d DOUBLE PRECISION)"};
static const char *const v3[] = {
	"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE, c BLOB, d DOUBLE PRECISION)",
	"ALTER TABLE t ADD COLUMN e INTEGER; CREATE TABLE u(x INTEGER REFERENCES t(a))",
	"CREATE TABLE broken(; ",
};

static struct sql *opened(void)
{
	struct err e = {0};
	struct sql *db = NULL;

	assert_int_equal(sql_open(&db, file, false, true, &e), 0);
	assert_int_equal(sql_migrate(db, v1, 1, &e), 0);
	return db;
}

static int insert(struct sql *db, int64_t a, const char *b, struct err *e)
{
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;

	if (sql_prepare(db, &s, "INSERT INTO t(a,b,c,d) VALUES(?1,?2,?3,?4)", e))
		return -1;
	sql_bind_int(s, 1, a);
	sql_bind_str(s, 2, b);
	sql_bind_blob(s, 3, "x\0y", 3);
	sql_bind_num(s, 4, (double)NAN);
	return sql_run(s, e);
}

static void values_come_back_as_they_were_bound(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	struct err e = {0};
	struct stat st;
	size_t n;

	(void)state;
	assert_int_equal(insert(db, INT64_MAX, "it's; DROP TABLE t", &e), 0);
	assert_int_equal(sql_changes(db), 1);
	assert_int_equal(sql_prepare(db, &s, "SELECT a,b,c,d FROM t", &e), 0);
	assert_int_equal(sql_step(s, &e), 1);
	assert_int_equal(sql_int(s, 0), INT64_MAX);
	assert_string_equal(sql_str(s, 1), "it's; DROP TABLE t");
	assert_memory_equal(sql_blob(s, 2, &n), "x\0y", 3);
	assert_int_equal(n, 3);
	assert_true(sql_is_null(s, 3));
	assert_true(isnan(sql_num(s, 3)));
	assert_int_equal(sql_step(s, &e), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_broken_constraint_is_a_conflict(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	struct err e = {0};

	(void)state;
	assert_int_equal(insert(db, 1, "same", &e), 0);
	assert_int_equal(insert(db, 2, "same", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	/* the statement is fit for use again */
	assert_int_equal(insert(db, 2, "other", &e), 0);
}

static void the_same_text_is_prepared_once_but_may_be_used_twice_at_a_time(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	struct sql_stmt *a = NULL, *b = NULL, *c = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sql_prepare(db, &a, "SELECT 1", &e), 0);
	assert_int_equal(sql_prepare(db, &b, "SELECT 1", &e), 0);
	assert_ptr_not_equal(a, b);
	assert_int_equal(sql_step(a, &e), 1);
	assert_int_equal(sql_step(b, &e), 1);
	sql_done(a);
	assert_int_equal(sql_prepare(db, &c, "SELECT 1", &e), 0);
	assert_ptr_equal(a, c);
	sql_done(c);
	sql_done(b);
	sql_done(NULL);
}

static void a_bind_past_the_last_parameter_is_told_by_the_step(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sql_prepare(db, &s, "SELECT ?1", &e), 0);
	sql_bind_int(s, 2, 1);
	assert_int_equal(sql_step(s, &e), -1);
	assert_int_equal(e.kind, ERR_DB);
}

static void a_lock_held_too_long_is_busy(void **state)
{
	CLEANUP(sql_closep) struct sql *a = opened();
	CLEANUP(sql_closep) struct sql *b = opened();
	struct err e = {0};

	(void)state;
	sqlite3_busy_timeout(b->h, 20);
	assert_int_equal(sql_exec(a, "BEGIN IMMEDIATE", &e), 0);
	assert_int_equal(insert(b, 1, "x", &e), -1);
	assert_int_equal(e.kind, ERR_BUSY);
	assert_int_equal(sql_exec(a, "ROLLBACK", &e), 0);
	assert_int_equal(insert(b, 1, "x", &e), 0);
}

/* Does another process find the file locked? */
static bool locked_for_others(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(path, O_RDWR);

		_exit(fd >= 0 && fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? 1 : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status) == 1;
}

static void a_second_connection_leaves_the_locks_of_the_first(void **state)
{
	struct sql *a, *b;
	struct err e;
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/a.db", dir);
	assert_int_equal(sql_open(&a, path, false, true, &e), 0);
	assert_int_equal(sql_exec(a, "CREATE TABLE t(v INTEGER)", &e), 0);
	assert_true(locked_for_others(path));
	assert_int_equal(sql_open(&b, path, false, true, &e), 0);
	sql_close(b);
	assert_true(locked_for_others(path));
	sql_close(a);
	assert_false(locked_for_others(path));
}

static void migrations_run_once_and_a_broken_one_leaves_the_last_good_version(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	struct err e = {0};
	int version = 0;

	(void)state;
	assert_int_equal(sql_version(db, &version, &e), 0);
	assert_int_equal(version, 1);
	assert_int_equal(sql_migrate(db, v3, 2, &e), 0);
	assert_int_equal(sql_migrate(db, v3, 2, &e), 0);
	assert_int_equal(sql_migrate(db, v3, 3, &e), -1);
	assert_non_null(strstr(e.msg, "migration 3: "));
	assert_int_equal(sql_version(db, &version, &e), 0);
	assert_int_equal(version, 2);
	/* foreign keys are on */
	assert_int_equal(sql_exec(db, "INSERT INTO u VALUES(99)", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
}

static void a_newer_store_than_we_know_is_refused(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	char want[256];
	struct err e = {0};

	(void)state;
	assert_int_equal(sql_migrate(db, v3, 2, &e), 0);
	assert_int_equal(sql_migrate(db, v3, 1, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	snprintf(want, sizeof(want),
		 "database %s has version 2, this program knows up to 1: use the newer program that wrote it", file);
	assert_string_equal(e.msg, want);
}

static void a_file_that_is_no_database_is_damaged(void **state)
{
	struct sql *db = NULL;
	struct err e = {0};
	FILE *f = fopen(file, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 400; i++)
		fputs("this is not a database ", f);
	fclose(f);
	assert_int_equal(sql_open(&db, file, false, true, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(sql_open(&db, file, true, false, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_null(db);
}

static void a_torn_page_is_damaged_when_it_is_read(void **state)
{
	struct sql *db = opened();
	struct err e = {0};
	FILE *f;

	(void)state;
	for (int64_t i = 0; i < 2000; i++)
		assert_int_equal(insert(db, i, NULL, &e), 0);
	sql_close(db);
	f = fopen(file, "r+");
	assert_non_null(f);
	/* header and schema page stay whole, everything behind them is noise */
	fseek(f, 4096, SEEK_SET);
	for (int i = 0; i < 16 * 4096; i++)
		fputc(0x5a, f);
	fclose(f);
	assert_int_equal(sql_open(&db, file, true, false, &e), 0);
	assert_int_equal(sql_exec(db, "SELECT sum(length(c)) FROM t", &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	sql_close(db);
}

static void a_reader_cannot_write_and_needs_the_file(void **state)
{
	struct sql *db = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(sql_open(&db, file, true, false, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	sql_close(opened());
	assert_int_equal(sql_open(&db, file, true, false, &e), 0);
	assert_int_equal(insert(db, 1, "x", &e), -1);
	assert_int_equal(e.kind, ERR_DB);
	sql_close(db);
	assert_int_equal(sql_open(&db, "/nonexistent/dir/a.db", false, true, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
}

static void a_copy_made_in_use_holds_every_row_and_overwrites_nothing(void **state)
{
	CLEANUP(sql_closep) struct sql *db = opened();
	CLEANUP(sql_closep) struct sql *copy = NULL;
	CLEANUP(sql_donep) struct sql_stmt *s = NULL;
	char path[128];
	struct err e = {0};

	(void)state;
	snprintf(path, sizeof(path), "%s/b.db", dir);
	assert_int_equal(insert(db, 1, "x", &e), 0);
	assert_int_equal(sql_backup(db, path, &e), 0);
	assert_int_equal(sql_backup(db, path, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_int_equal(sql_open(&copy, path, true, false, &e), 0);
	assert_int_equal(sql_prepare(copy, &s, "SELECT b FROM t", &e), 0);
	assert_int_equal(sql_step(s, &e), 1);
	assert_string_equal(sql_str(s, 0), "x");
}

#define with_dir(f) cmocka_unit_test_setup_teardown(f, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(values_come_back_as_they_were_bound),
		with_dir(a_broken_constraint_is_a_conflict),
		with_dir(the_same_text_is_prepared_once_but_may_be_used_twice_at_a_time),
		with_dir(a_bind_past_the_last_parameter_is_told_by_the_step),
		with_dir(a_lock_held_too_long_is_busy),
		with_dir(a_second_connection_leaves_the_locks_of_the_first),
		with_dir(migrations_run_once_and_a_broken_one_leaves_the_last_good_version),
		with_dir(a_newer_store_than_we_know_is_refused),
		with_dir(a_file_that_is_no_database_is_damaged),
		with_dir(a_torn_page_is_damaged_when_it_is_read),
		with_dir(a_reader_cannot_write_and_needs_the_file),
		with_dir(a_copy_made_in_use_holds_every_row_and_overwrites_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
