/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/run/server_dir.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/list.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LOOK_MS = 100, TERM_MS = 10 * 1000 };

static void add_with(struct strings *w, const char *option, const char *value)
{
	*list_push(w) = xasprintf("%s%s", option, value);
}

/* What both ways of making a server need. --no-defaults must come first: no file
 * of the production server is ever read. */
static void add_common(struct strings *w, const char *dir, const char *user)
{
	CLEANUP(freep) char *data = xasprintf("%s/data", dir);
	CLEANUP(freep) char *tmp = xasprintf("%s/tmp", dir);

	strings_add(w, "--no-defaults");
	add_with(w, "--datadir=", data);
	add_with(w, "--tmpdir=", tmp);
	if (*user)
		add_with(w, "--user=", user);
	strings_add(w, "--loose-innodb-log-file-size=64M");
	strings_add(w, "--loose-innodb-redo-log-capacity=128M");
	/* nothing here outlives us: speed before safety */
	strings_add(w, "--loose-innodb-doublewrite=0");
	strings_add(w, "--loose-innodb-flush-log-at-trx-commit=0");
	strings_add(w, "--loose-sync-binlog=0");
}

static void add_server_options(struct strings *w, const char *dir)
{
	static const char *const fixed[] = {
		"--skip-networking", "--loose-mysqlx=OFF", "--skip-name-resolve", "--skip-log-bin", "--local-infile=OFF",
		"--event-scheduler=OFF", "--max-allowed-packet=1G", "--sql-mode=", "--lower-case-table-names=0",
		"--character-set-server=utf8mb4", "--loose-innodb-strict-mode=OFF", "--innodb-buffer-pool-size=128M",
		"--key-buffer-size=8M", "--loose-aria-pagecache-buffer-size=16M", "--loose-performance-schema=OFF",
		"--loose-innodb-fast-shutdown=2", "--loose-log-bin-trust-function-creators=ON", "--loose-general-log=OFF",
	};
	CLEANUP(freep) char *at = xasprintf("%s/", dir);

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strings_add(w, fixed[i]);
	*list_push(w) = xasprintf("--socket=%ssocket", at);
	*list_push(w) = xasprintf("--pid-file=%sserver.pid", at);
	*list_push(w) = xasprintf("--log-error=%serror.log", at);
	*list_push(w) = xasprintf("--init-file=%sinit.sql", at);
	*list_push(w) = xasprintf("--secure-file-priv=%stmp", at);
}

/* NULL at the end, for posix_spawn. */
static char *const *argv_of(struct strings *w)
{
	*list_push(w) = NULL;
	w->n--;
	return w->v;
}

/* In a process group of its own, so that its children go with it, and without our environment. */
static int spawn(pid_t *pid, const char *dir, struct strings *w, struct err *e)
{
	CLEANUP(freep) char *log = xasprintf("%s/start.log", dir);
	CLEANUP(freep) char *tmp = xasprintf("TMPDIR=%s/tmp", dir);
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", locale[] = "LC_ALL=C";
	char *const env[] = {path, locale, tmp, NULL};
	posix_spawn_file_actions_t a;
	posix_spawnattr_t at;
	sigset_t normal;
	int rc;

	sigemptyset(&normal);
	sigaddset(&normal, SIGPIPE);
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	posix_spawn_file_actions_adddup2(&a, 1, 2);
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setsigdefault(&at, &normal);
	rc = posix_spawn(pid, w->v[0], &a, &at, argv_of(w), env);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&at);
	errno = rc;
	return rc ? err_sys(e, ERR_IO, "start %s", w->v[0]) : 0;
}

/* Our master closed its end of the pipe, or a signal came. */
static bool told_to_end(int wait_ms)
{
	struct pollfd fds[] = {{.fd = 0, .events = POLLIN}, {.fd = daemon_wake_fd(), .events = POLLIN}};

	return (poll(fds, 2, wait_ms) > 0 && fds[0].revents) || daemon_stopping();
}

static void end_group(pid_t pid)
{
	int64_t deadline = clock_mono_ms() + TERM_MS;

	kill(-pid, SIGTERM);
	while (clock_mono_ms() < deadline) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return;
		clock_sleep_ms(10);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Until the child ends (*status) or we are told to end (true). */
static bool look_after(pid_t pid, int *status)
{
	for (int ms = 5;; ms = ms < LOOK_MS ? ms * 2 : LOOK_MS) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return false;
		if (told_to_end(ms)) {
			end_group(pid);
			return true;
		}
	}
}

/* 0 it ended well, 1 it did not, -1 we are to end. */
static int run_child(const char *dir, struct strings *w)
{
	struct err e;
	int status = 0;
	pid_t pid;

	if (spawn(&pid, dir, w, &e)) {
		log_error("%s", e.msg);
		return 1;
	}
	if (look_after(pid, &status))
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int make_tables(const char *dir, const char *server, const char *installer, const char *user)
{
	CLEANUP(strings_done) struct strings w = {0};

	strings_add(&w, *installer ? installer : server);
	add_common(&w, dir, user);
	if (*installer) {
		strings_add(&w, "--auth-root-authentication-method=normal");
		strings_add(&w, "--skip-test-db");
		strings_add(&w, "--skip-name-resolve");
	} else {
		strings_add(&w, "--initialize-insecure");
	}
	return run_child(dir, &w);
}

static int serve(const char *dir, const char *server, const char *user)
{
	CLEANUP(strings_done) struct strings w = {0};

	strings_add(&w, server);
	add_common(&w, dir, user);
	add_server_options(&w, dir);
	return run_child(dir, &w);
}

/* When memory is short this server shall end, not production's. */
static void go_first(void)
{
	CLEANUP(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	struct err ignored;

	if (fd >= 0)
		(void)!fs_write_all(fd, "800", 3, &ignored); /* a kernel that has no such thing has no such rule */
}

int keeper_run(char **argv)
{
	const char *dir = argv[1], *server = argv[2], *installer = argv[3], *user = argv[4];
	struct err e;
	int rc;

	daemon_signals();
	/* whoever finds the lock free may end what runs here: the server must not inherit it */
	fcntl(KEEPER_LOCK_FD, F_SETFD, FD_CLOEXEC);
	go_first();
	rc = make_tables(dir, server, installer, user);
	if (rc == 0)
		rc = serve(dir, server, user);
	/* nobody is left who could want to read its logs */
	if (rc >= 0 && !told_to_end(0))
		return 1;
	if (server_dir_remove(dir, &e)) {
		log_warn("%s", e.msg);
		return 1;
	}
	return 0;
}
