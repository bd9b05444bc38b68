/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/server_dir.c"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/noded/scratch.h"
#include "tests/unit.h"

static const struct server_user as_we_are = {.name = ""};
static char said[1024];

static void hear(void *ctx, const char *text)
{
	(void)ctx;
	str_cut(said, sizeof(said), text);
}

static char *below(const char *name)
{
	return xasprintf("%s/%s", scratch_dir, name);
}

static void make_file(const char *path)
{
	struct err e;

	assert_int_equal(fs_write(path, "x", 1, 0600, &e), 0);
}

static void a_directory_goes_with_all_that_is_in_it_and_nothing_else(void **state)
{
	CLEANUP(freep) char *base = below("a"), *outside = below("outside"), *kept = below("outside/kept");
	CLEANUP(freep) char *link = NULL, *file = NULL;
	struct server_dir d;
	struct err e;

	(void)state;
	assert_int_equal(fs_mkdirs(outside, 0700, &e), 0);
	make_file(kept);
	assert_int_equal(server_dir_new(&d, base, &as_we_are, &e), 0);
	link = xasprintf("%s/data/link", d.path);
	file = xasprintf("%s/tmp/file", d.path);
	assert_int_equal(symlink(outside, link), 0);
	make_file(file);
	assert_int_equal(server_dir_remove(d.path, &e), 0);
	assert_false(fs_exists(d.path));
	assert_true(fs_exists(kept));
	assert_int_equal(server_dir_remove(d.path, &e), 0);
	server_dir_done(&d);
}

static void a_locked_directory_is_let_alone_and_an_unlocked_one_swept(void **state)
{
	CLEANUP(freep) char *base = below("b"), *stranger = below("b/mine");
	struct server_dir alive, dead;
	struct err e;

	(void)state;
	assert_int_equal(server_dir_new(&alive, base, &as_we_are, &e), 0);
	assert_int_equal(server_dir_new(&dead, base, &as_we_are, &e), 0);
	assert_int_equal(fs_mkdirs(stranger, 0700, &e), 0);
	closep(&dead.lock);
	dead.lock = -1;
	said[0] = '\0';
	server_dir_sweep(base, hear, NULL);
	assert_true(fs_exists(alive.path));
	assert_false(fs_exists(dead.path));
	assert_true(fs_exists(stranger));
	assert_non_null(strstr(said, dead.path));
	assert_null(strstr(said, "running"));
	server_dir_done(&alive);
	server_dir_done(&dead);
}

static void what_somebody_called_alike_stays(void **state)
{
	static const char *const names[] = {"proof-of-purchase", "proof-2026ab", "proof-photos/data", "proof-abcdef"};
	CLEANUP(freep) char *base = below("alike"), *left = below("alike/proof-a1b2c3"), *empty = below("alike/proof-d4e5f6");
	CLEANUP(freep) char *begun = below("alike/proof-a1b2c3/data"), *lock = below("alike/proof-a1b2c3/lock");
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *dir = xasprintf("%s/%s", base, names[i]), *file = xasprintf("%s/scan.pdf", dir);

		assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
		make_file(file);
	}
	/* its removal was cut off */
	assert_int_equal(fs_mkdirs(begun, 0700, &e), 0);
	assert_int_equal(fs_write(lock, "", 0, 0600, &e), 0);
	/* so was its making */
	assert_int_equal(fs_mkdirs(empty, 0700, &e), 0);
	server_dir_sweep(base, hear, NULL);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *file = xasprintf("%s/%s/scan.pdf", base, names[i]);

		assert_true(fs_exists(file));
	}
	assert_false(fs_exists(left));
	assert_false(fs_exists(empty));
}

/* sleep(1) in this directory. */
static pid_t sleeper_in(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (chdir(dir) == 0)
			execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void write_pid(const char *dir, pid_t pid)
{
	CLEANUP(freep) char *file = xasprintf("%s/server.pid", dir), *text = xasprintf("%d\n", (int)pid);
	struct err e;

	assert_int_equal(fs_write(file, text, strlen(text), 0600, &e), 0);
}

static void the_server_of_a_dead_run_is_ended_but_no_other_process(void **state)
{
	CLEANUP(freep) char *base = below("c"), *data = NULL;
	struct server_dir with, without;
	pid_t server, other;
	struct err e;
	int status;

	(void)state;
	assert_int_equal(server_dir_new(&with, base, &as_we_are, &e), 0);
	assert_int_equal(server_dir_new(&without, base, &as_we_are, &e), 0);
	/* before the fork: a child would hold them until its exec */
	closep(&with.lock);
	closep(&without.lock);
	with.lock = without.lock = -1;
	data = xasprintf("%s/data", with.path);
	server = sleeper_in(data);
	other = sleeper_in("/");
	write_pid(with.path, server);
	write_pid(without.path, other);
	for (int i = 0; i < 500 && server_of(with.path) != server; i++)
		clock_sleep_ms(10);
	assert_int_equal(server_of(with.path), server);
	assert_int_equal(server_of(without.path), 0);
	/* a zombie has no directory: the sweep sees that it is gone */
	server_dir_sweep(base, hear, NULL);
	assert_int_equal(waitpid(server, &status, 0), server);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(waitpid(other, &status, WNOHANG), 0);
	assert_false(fs_exists(with.path));
	assert_false(fs_exists(without.path));
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
	server_dir_done(&with);
	server_dir_done(&without);
}

static void an_account_that_cannot_pass_is_told_where(void **state)
{
	const struct server_user stranger = {.name = "stranger", .uid = geteuid() + 1, .gid = getegid() + 1};
	CLEANUP(freep) char *shut = below("shut"), *base = below("shut/in");
	struct err e;

	(void)state;
	assert_int_equal(fs_mkdirs(shut, 0700, &e), 0);
	assert_int_equal(reachable(base, &stranger, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_non_null(strstr(e.msg, "stranger"));
	assert_non_null(strstr(e.msg, "--dir"));
	assert_int_equal(reachable(base, &as_we_are, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_goes_with_all_that_is_in_it_and_nothing_else),
		cmocka_unit_test(what_somebody_called_alike_stays),
		cmocka_unit_test(a_locked_directory_is_let_alone_and_an_unlocked_one_swept),
		cmocka_unit_test(the_server_of_a_dead_run_is_ended_but_no_other_process),
		cmocka_unit_test(an_account_that_cannot_pass_is_told_where),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
