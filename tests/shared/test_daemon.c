/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/daemon.c"

#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/unit.h"

static struct err e;

static bool woken(void)
{
	struct pollfd p = {.fd = daemon_wake_fd(), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void a_signal_sets_its_flag_and_wakes_a_poll(void **state)
{
	(void)state;
	daemon_signals();
	assert_false(woken());
	assert_false(daemon_take_hup());
	raise(SIGHUP);
	assert_true(woken());
	daemon_drain_wake();
	assert_false(woken());
	assert_true(daemon_take_hup());
	assert_false(daemon_take_hup());
	raise(SIGPIPE);
	assert_false(daemon_stopping());
	raise(SIGTERM);
	assert_true(daemon_stopping());
	assert_true(woken());
	daemon_drain_wake();
}

static void a_signal_before_the_wait_is_not_lost(void **state)
{
	struct pollfd p = {.events = POLLIN};

	(void)state;
	daemon_signals();
	p.fd = daemon_wake_fd();
	daemon_drain_wake();
	raise(SIGINT);
	/* poll itself would wait for a minute */
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_true(daemon_stopping());
	daemon_drain_wake();
}

static void systemd_is_told_over_a_path_and_over_an_abstract_name(void **state)
{

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		char got[64] = "", name[64];
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		snprintf(name, sizeof(name), "%s.%d", i ? "@felloe-test-notify" : "/tmp/felloe-test-notify", getpid());
		memcpy(at.sun_path, name, strlen(name));
		if (i)
			at.sun_path[0] = '\0';
		else
			unlink(name); /* of one that was killed and had our number */
		assert_int_equal(bind(fd, (const struct sockaddr *)&at,
				      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
				 0);
		setenv("NOTIFY_SOCKET", name, 1);
		daemon_notify("READY=1");
		assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
		assert_string_equal(got, "READY=1");
		close(fd);
		if (!i)
			unlink(name);
	}
}

static void nobody_listening_does_no_harm(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", "/tmp/felloe-test-notify-nobody", 1);
	daemon_notify("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	daemon_notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	daemon_notify("READY=1");
	unsetenv("NOTIFY_SOCKET");
	daemon_notify("READY=1");
}

/* Exit status of a child that runs fn. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(fn());
	assert_true(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int become_nobody(void)
{
	return daemon_drop("nobody", &e) == 0 && getuid() != 0 && geteuid() != 0 && setuid(0) ? 0 : 1;
}

static int become_a_stranger(void)
{
	return daemon_drop("no-such-user", &e) == -1 && e.kind == ERR_CONFIG &&
			       str_eq(e.msg, "there is no user \"no-such-user\"; make it with: "
					     "useradd --system no-such-user") ?
		       0 :
		       1;
}

static void root_is_given_up_for_good(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(in_child(become_nobody), 0);
	assert_int_equal(in_child(become_a_stranger), 0);
}

static int stay_who_i_am(void)
{
	if (getuid() == 0 && setuid(65534))
		return 2;
	return daemon_drop("no-such-user", &e);
}

static void an_ordinary_user_stays_who_he_is(void **state)
{
	(void)state;
	assert_int_equal(in_child(stay_who_i_am), 0);
}

/* What of this process lies in memory, in kB. Not from statm: its counters lag behind, by more on more processors. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[128];
	long kb = -1;

	if (!f)
		skip(); /* a kernel without page statistics */
	while (kb < 0 && fgets(line, sizeof(line), f))
		if (str_starts(line, "Rss:"))
			kb = strtol(line + strlen("Rss:"), NULL, 10);
	fclose(f);
	assert_true(kb > 0);
	return kb;
}

static void a_trimmed_process_is_smaller_and_goes_on(void **state)
{
	long before = resident();
	struct passwd *root;

	(void)state;
	daemon_trim();
	assert_true(resident() < before);
	/* code, constants and the heap are as they were */
	root = getpwuid(0);
	assert_non_null(root);
	assert_string_equal(root->pw_name, "root");
	daemon_trim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_sets_its_flag_and_wakes_a_poll),
		cmocka_unit_test(a_signal_before_the_wait_is_not_lost),
		cmocka_unit_test(systemd_is_told_over_a_path_and_over_an_abstract_name),
		cmocka_unit_test(nobody_listening_does_no_harm),
		cmocka_unit_test(root_is_given_up_for_good),
		cmocka_unit_test(an_ordinary_user_stays_who_he_is),
		cmocka_unit_test(a_trimmed_process_is_smaller_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
