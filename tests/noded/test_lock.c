/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/lock.c"

#include <sys/wait.h>

#include "tests/noded/scratch.h"
#include "tests/unit.h"

static unsigned dead_calls;
static char dead_uuid[UUID_TEXT];

static int note_dead(void *ctx, const char *uuid, struct err *e)
{
	(void)ctx;
	(void)e;
	dead_calls++;
	str_cut(dead_uuid, sizeof(dead_uuid), uuid);
	return 0;
}

static struct lock_opts opts(const char *uuid, unsigned what)
{
	return (struct lock_opts){.site = "shop", .parts = what, .uuid = uuid, .dead = note_dead};
}

static void parts_that_do_not_overlap_go_together(void **state)
{
	const struct lock_opts db = opts("1", LOCK_DB), files = opts("2", LOCK_FILES), both = opts("3", LOCK_DB | LOCK_FILES);
	struct lock *a = NULL, *b = NULL, *c = NULL;
	struct lock_holders holders;
	struct err e;

	(void)state;
	assert_int_equal(lock_take(&a, &db, &e), 0);
	assert_int_equal(lock_take(&b, &files, &e), 0);
	assert_int_equal(lock_take(&c, &both, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	assert_non_null(strstr(e.msg, "run 1 (process "));
	assert_int_equal(lock_living(&holders, &e), 0);
	assert_int_equal(holders.n, 2);
	list_done(&holders);
	lock_release(a);
	assert_int_equal(lock_take(&c, &both, &e), -1);
	assert_non_null(strstr(e.msg, "run 2"));
	/* a refused one holds nothing, not even its free part */
	assert_int_equal(lock_take(&a, &db, &e), 0);
	lock_release(a);
	lock_release(b);
	assert_int_equal(lock_take(&c, &both, &e), 0);
	lock_release(c);
	assert_int_equal(dead_calls, 0);
}

static void a_lock_of_a_process_that_is_gone_is_taken_over_once_it_was_told(void **state)
{
	const struct lock_opts theirs = opts("dead-run", LOCK_DB), ours = opts("new", LOCK_DB);
	struct lock *l = NULL;
	struct lock_holders holders;
	struct err e;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(lock_take(&l, &theirs, &e) ? 1 : 0); /* ends without releasing, like kill -9 */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(lock_living(&holders, &e), 0);
	assert_int_equal(holders.n, 0);
	list_done(&holders);
	dead_calls = 0;
	assert_int_equal(lock_take(&l, &ours, &e), 0);
	assert_int_equal(dead_calls, 1);
	assert_string_equal(dead_uuid, "dead-run");
	lock_release(l);
}

static void put_lock(const char *text)
{
	CLEANUP(freep) char *lock_files = lock_dir();
	CLEANUP(freep) char *path = xasprintf("%s/shop:db", lock_files);
	struct err e;

	assert_int_equal(fs_write(path, text, strlen(text), 0600, &e), 0);
}

static void another_boot_or_another_start_of_the_same_pid_is_dead(void **state)
{
	const struct lock_opts ours = opts("new", LOCK_DB);
	char boot[64];
	struct lock *l = NULL;
	struct err e;

	(void)state;
	boot_id(boot);
	for (int i = 0; i < 2; i++) {
		CLEANUP(freep) char *text = xasprintf(
			"{\"run\":\"old\",\"pid\":%d,\"start\":%lld,\"boot_id\":\"%s\"}", getpid(),
			(long long)process_start(getpid()) + (i == 0), i == 0 ? boot : "00000000-other-boot");

		put_lock(text);
		dead_calls = 0;
		assert_int_equal(lock_take(&l, &ours, &e), 0);
		assert_int_equal(dead_calls, 1);
		lock_release(l);
	}
	/* a file that says nothing holds nothing */
	put_lock("rubbish");
	assert_int_equal(lock_take(&l, &ours, &e), 0);
	lock_release(l);
}

static void waiting_ends_when_the_holder_does(void **state)
{
	struct lock_opts ours = opts("new", LOCK_DB);
	const struct lock_opts theirs = opts("other", LOCK_DB);
	int ready[2];
	char c;
	struct lock *l = NULL;
	struct err e;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int rc = lock_take(&l, &theirs, &e);

		rc += write(ready[1], "x", 1) != 1;
		clock_sleep_ms(300);
		lock_release(l);
		_exit(rc);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	ours.wait_s = 60;
	assert_int_equal(lock_take(&l, &ours, &e), 0);
	lock_release(l);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_that_do_not_overlap_go_together),
		cmocka_unit_test(a_lock_of_a_process_that_is_gone_is_taken_over_once_it_was_told),
		cmocka_unit_test(another_boot_or_another_start_of_the_same_pid_is_dead),
		cmocka_unit_test(waiting_ends_when_the_holder_does),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
