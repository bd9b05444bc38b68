/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/server_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/mysql/version.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { ANSWER = 512, ANSWER_MS = 20 * 1000 };

static const char *const server_names[] = {"mariadbd", "mysqld", NULL};
static const char *const installer_names[] = {"mariadb-install-db", "mysql_install_db", NULL};
static const char *const usual_dirs[] = {"/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin",
					 "/usr/local/libexec", "/usr/local/mysql/bin", NULL};

struct places {
	const char *const *names, *const *dirs; /* each ends with NULL */
	const char *path;                       /* as $PATH, searched first; NULL */
};

static bool can_start(const char *path)
{
	struct stat st;

	return *path == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *executable(const char *dir, size_t n, const char *name)
{
	char *path = xasprintf("%.*s/%s", (int)n, dir, name);

	if (can_start(path))
		return path;
	free(path);
	return NULL;
}

/* An executable of one of these names, the first name first; NULL there is none. */
static char *find(const struct places *p)
{
	for (const char *const *name = p->names; *name; name++) {
		char *found = NULL;

		for (const char *at = p->path; at && !found; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL)
			found = executable(at, strcspn(at, ":"), *name);
		for (const char *const *dir = p->dirs; *dir && !found; dir++)
			found = executable(*dir, strlen(*dir), *name);
		if (found)
			return found;
	}
	return NULL;
}

static char *find_installer(const char *server)
{
	CLEANUP(freep) char *real = realpath(server, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;
	struct places near = {.names = installer_names, .dirs = usual_dirs};
	CLEANUP(freep) char *places = NULL;

	if (slash)
		*slash = '\0';
	places = xasprintf("%s:%s/../bin:%s/../scripts", str_or(real, ""), str_or(real, ""), str_or(real, ""));
	near.path = places;
	return find(&near);
}

/* ---- what it says of itself */

static bool run_version(pid_t *pid, const char *program, int *answer)
{
	char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)"--no-defaults", (char *)(uintptr_t)"--version", NULL};
	char *const env[] = {(char *)(uintptr_t)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)(uintptr_t)"LC_ALL=C", NULL};
	posix_spawn_file_actions_t a;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&a, ends[1], 1);
	posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0);
	rc = posix_spawn(pid, program, &a, NULL, argv, env);
	posix_spawn_file_actions_destroy(&a);
	close(ends[1]);
	*answer = ends[0];
	if (rc)
		close(ends[0]);
	return rc == 0;
}

/* Its first words, as far as they come in time. */
static void listen_to(int fd, char text[static ANSWER])
{
	int64_t deadline = clock_mono_ms() + ANSWER_MS;
	size_t n = 0;

	while (n < ANSWER - 1) {
		int64_t left = deadline - clock_mono_ms();
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		ssize_t got = ready > 0 ? read(fd, text + n, ANSWER - 1 - n) : ready;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
}

/* "mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)". "": it does not tell. */
static void ask_version(const char *program, char text[static ANSWER])
{
	const char *ver;
	pid_t pid;
	int fd;

	*text = '\0';
	if (!run_version(&pid, program, &fd))
		return;
	listen_to(fd, text);
	close(fd);
	/* whatever it still does, it is not needed any more */
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	ver = strstr(text, " Ver ");
	memmove(text, ver ? ver + 5 : "", ver ? strlen(ver + 5) + 1 : 1);
}

/* version: as ask_version tells it. */
static int choose_installer(const char *server, const char *version, char **installer, struct err *e)
{
	struct version v = version_of(version);

	*installer = NULL;
	if (v.number && !v.maria && v.number < VERSION_MYSQL_ACCOUNTS)
		return err_set(e, ERR_CONFLICT, "%s is MySQL %d.%d: a private server takes MySQL 5.7 or newer, or MariaDB; name "
			       "another with --server", server, v.number / 100, v.number % 100);
	if (v.maria || !v.number)
		*installer = find_installer(server);
	return 0;
}

static int no_program(const char *wanted, struct err *e)
{
	if (wanted)
		return err_set(e, ERR_NOTFOUND, "--server: %s is no program that can be started; give its whole path", wanted);
	return err_set(e, ERR_NOTFOUND, "there is neither mariadbd nor mysqld on this machine: install mariadb-server (it need "
		       "not run), or verify without --full");
}

int server_program_find(const char *wanted, char **server, char **installer, struct err *e)
{
	const struct places all = {server_names, usual_dirs, getenv("PATH")};
	char *found = !wanted ? find(&all) : can_start(wanted) ? xstrdup(wanted) : NULL;
	char version[ANSWER];

	if (!found)
		return no_program(wanted, e);
	ask_version(found, version);
	if (choose_installer(found, version, installer, e)) {
		free(found);
		return -1;
	}
	*server = found;
	return 0;
}
