/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_lease.c"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"

static char path[64];
static struct db *db;

static int begin(void **state)
{
	char url[80];
	struct err e;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s", "/tmp/felloe-lease.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || close(fd))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s", path);
	return db_open(&db, url, false, &e) || db_migrate(db, &e) ? -1 : 0;
}

static int end(void **state)
{
	static const char *const ends[] = {"-wal", "-shm"};
	char name[80];

	(void)state;
	db_close(db);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	return unlink(path);
}

static bool take(const char *holder, int64_t now, int64_t until)
{
	bool got = false;

	assert_int_equal(tbl_lease_take(db, &(struct lease){"work", holder, now, until}, &got, NULL), 0);
	return got;
}

static bool held(int64_t now)
{
	bool is = false;

	assert_int_equal(tbl_lease_held(db, &(struct lease){.name = "work", .now = now, .until = now + 1000}, &is, NULL), 0);
	return is;
}

static void one_holder_at_a_time(void **state)
{
	bool other = false;

	(void)state;
	assert_false(held(0));
	assert_true(take("a", 100, 200));
	assert_true(held(150));
	assert_false(take("b", 150, 250));
	assert_true(take("a", 150, 300));
	/* what was renewed counts, to its last moment */
	assert_false(take("b", 299, 400));
	assert_false(take("b", 300, 400));
	assert_true(take("b", 301, 400));
	assert_false(take("a", 302, 500));
	/* another lease is another matter */
	assert_int_equal(tbl_lease_take(db, &(struct lease){"else", "a", 302, 500}, &other, NULL), 0);
	assert_true(other);
}

static void its_holder_alone_gives_it_back(void **state)
{
	(void)state;
	assert_true(take("a", 100, 200));
	assert_int_equal(tbl_lease_drop(db, &(struct lease){.name = "work", .holder = "b"}, NULL), 0);
	assert_false(take("b", 150, 250));
	assert_int_equal(tbl_lease_drop(db, &(struct lease){.name = "work", .holder = "a"}, NULL), 0);
	assert_false(held(150));
	assert_true(take("b", 150, 250));
}

static void one_that_ran_out_is_held_by_nobody(void **state)
{
	(void)state;
	assert_true(take("a", 100, 200));
	assert_true(held(199));
	assert_false(held(200));
}

static void one_of_a_clock_that_was_set_back_is_held_by_nobody(void **state)
{
	(void)state;
	assert_true(take("a", 3600000, 3601000));
	/* an hour back, and its holder is gone */
	assert_false(held(500));
	assert_true(take("b", 500, 1500));
	assert_true(held(501));
	assert_false(take("a", 501, 1501));
}

#define with_db(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_db(one_holder_at_a_time),
		with_db(its_holder_alone_gives_it_back),
		with_db(one_that_ran_out_is_held_by_nobody),
		with_db(one_of_a_clock_that_was_set_back_is_held_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
