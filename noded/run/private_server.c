/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/private_server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/run/keeper.h"
#include "noded/run/progress.h"
#include "noded/run/server_dir.h"
#include "noded/run/server_program.h"
#include "noded/site.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum { START_MS = 180 * 1000, LOG_TAIL = 4096 };
#define EMPTY_SERVER ((uint64_t)400 << 20) /* system tables, logs of the engine, room to sort */
#define A_TABLE ((uint64_t)160 << 10)      /* a file of its own: 64 KiB, and 16 for each key but the first; MySQL 112 KiB */
#define ACCOUNT "felloe-proof"

struct private_server {
	struct server_dir dir;
	struct db_access access, root;
	struct server_facts facts;
	pid_t keeper;    /* 0 gone */
	int pipe;        /* closed: the keeper ends */
};

/* ---- its account */

/* Capabilities that changing the account takes (capabilities(7)). */
static bool may_change_account(void)
{
	enum { CAP_SETGID_BIT = 6, CAP_SETUID_BIT = 7 };
	CLEANUP(buf_done) struct buf text;
	const char *line;
	unsigned long long caps;
	struct err ignored;

	buf_init(&text, 1 << 16);
	if (fs_read(&text, "/proc/self/status", &ignored))
		return true;
	line = strstr(text.p, "CapEff:");
	if (!line)
		return true;
	caps = strtoull(line + strlen("CapEff:"), NULL, 16);
	return caps >> CAP_SETGID_BIT & caps >> CAP_SETUID_BIT & 1;
}

static void choose_user(struct server_user *u)
{
	const struct passwd *pw;

	*u = (struct server_user){0};
	if (geteuid() != 0)
		return;
	pw = getpwnam("mysql");
	if (!pw)
		pw = getpwnam("nobody");
	/* a server started by root wants to be told that it shall stay root */
	if (!pw || !may_change_account()) {
		str_cut(u->name, sizeof(u->name), "root");
		return;
	}
	str_cut(u->name, sizeof(u->name), pw->pw_name);
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
}

/* The account that loads may not write files or move logs: what an archive says is
 * not our word, and the server may be able to write where production does. */
static int write_init(const struct server_dir *d, struct err *e)
{
	static const char sql[] =
		"CREATE USER '" ACCOUNT "'@'localhost';\n"
		"GRANT ALL PRIVILEGES ON *.* TO '" ACCOUNT "'@'localhost' WITH GRANT OPTION;\n"
		/* before 10.5.2 only SUPER may keep the DEFINER of a view */
		"/*M!100502 REVOKE SUPER, FILE ON *.* FROM '" ACCOUNT "'@'localhost' */;\n";
	CLEANUP(freep) char *path = xasprintf("%s/init.sql", d->path);

	return fs_write(path, sql, strlen(sql), 0644, e);
}

/* ---- started and ended */

uint64_t private_server_free(const struct private_server *s)
{
	struct statvfs fs;

	return s->dir.path && statvfs(s->dir.path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

static int enough_room(const struct private_server *s, const struct private_server_opts *o, struct err *e)
{
	/* rows and keys in their pages take more than their text */
	uint64_t wanted = EMPTY_SERVER + A_TABLE * o->tables + 2 * o->need, have = private_server_free(s);
	char a[UNITS_TEXT], b[UNITS_TEXT];

	if (have >= wanted)
		return 0;
	return err_set(e, ERR_SPACE, "the private server needs about %s in %s, %s are free: choose another place with --dir",
		       units_bytes(a, wanted), s->dir.path, units_bytes(b, have));
}

static int spawn_keeper(struct private_server *s, char *const argv[], struct err *e)
{
	posix_spawn_file_actions_t a;
	posix_spawnattr_t at;
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC))
		return err_sys(e, ERR_IO, "make a pipe");
	posix_spawn_file_actions_init(&a);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_adddup2(&a, ends[0], 0);
	posix_spawn_file_actions_adddup2(&a, s->dir.lock, KEEPER_LOCK_FD);
	/* Ctrl-C is for us: we end it */
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&at, 0);
	rc = posix_spawn(&s->keeper, "/proc/self/exe", &a, &at, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&at);
	close(ends[0]);
	s->pipe = ends[1];
	if (rc) {
		s->keeper = 0;
		errno = rc;
		return err_sys(e, ERR_IO, "start felloe-noded");
	}
	return 0;
}

static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int launch(struct private_server *s, const char *server, const char *installer, const struct server_user *u,
		  struct err *e)
{
	char *argv[] = {word("felloe-noded"), word("keeper"), s->dir.path, word(server), word(str_or(installer, "")),
			word(u->name), NULL};
	CLEANUP(freep) char *socket = xasprintf("%s/socket", s->dir.path);

	if (strlen(socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_set(e, ERR_CONFLICT, "%s is too long a path for a socket: choose another place with --dir", socket);
	s->root = (struct db_access){.host = xstrdup(socket), .user = xstrdup("root"), .password = xstrdup(""),
				     .ssl = xstrdup("off"), .ssl_ca = xstrdup("")};
	s->access = (struct db_access){.host = TAKE(socket), .user = xstrdup(ACCOUNT), .password = xstrdup(""),
				       .ssl = xstrdup("off"), .ssl_ca = xstrdup("")};
	return write_init(&s->dir, e) || spawn_keeper(s, argv, e) ? -1 : 0;
}

/* The last line of a log that says what is wrong. */
static bool last_error(const struct private_server *s, const char *name, char *text, size_t size)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", s->dir.path, name);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char tail[LOG_TAIL + 1] = "", *line, *found = NULL;
	struct err ignored;
	size_t got = 0;

	if (fd < 0 || (lseek(fd, -LOG_TAIL, SEEK_END) < 0 && lseek(fd, 0, SEEK_SET) < 0) ||
	    fs_read_full(fd, tail, LOG_TAIL, &got, &ignored))
		return false;
	for (char *rest = tail; (line = strsep(&rest, "\n"));)
		if (strstr(line, "[ERROR]") && (!found || !strstr(line, "Aborting")))
			found = line;
	if (!found)
		return false;
	str_cut(text, size, strstr(found, "[ERROR]") + strlen("[ERROR] "));
	str_clean(text);
	return true;
}

bool private_server_lives(struct private_server *s, char *why, size_t size)
{
	int status = 0;

	if (s->keeper && waitpid(s->keeper, &status, WNOHANG) != s->keeper)
		return true;
	s->keeper = 0;
	if (why && !last_error(s, "error.log", why, size) && !last_error(s, "start.log", why, size))
		str_cut(why, size, "it left no word why");
	return false;
}

static int wait_ready(struct private_server *s, const char *program, struct err *e)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	char why[300];

	while (server_look(&s->access, "", &s->facts, e)) {
		if (daemon_stopping())
			return err_set(e, ERR_ABORTED, "ended by a signal");
		if (!private_server_lives(s, why, sizeof(why)))
			return err_set(e, ERR_DB, "the private server (%s) does not start: %s", program, why);
		if (clock_mono_ms() > deadline)
			return err_wrap(e, "the private server (%s) is not ready after %d s", program, START_MS / 1000);
		progress_pulse();
		clock_sleep_ms(30);
	}
	return 0;
}

static int start(struct private_server *s, const struct private_server_opts *o, const char *base, struct err *e)
{
	CLEANUP(freep) char *server = NULL, *installer = NULL;
	struct server_user u;

	if (server_program_find(o->program, &server, &installer, e))
		return -1;
	choose_user(&u);
	if (server_dir_new(&s->dir, base, &u, e) || enough_room(s, o, e) || launch(s, server, installer, &u, e) ||
	    wait_ready(s, server, e))
		return -1;
	return 0;
}

int private_server_start(struct private_server **ret, const struct private_server_opts *o, struct err *e)
{
	CLEANUP(private_server_stopp) struct private_server *s = xcalloc(1, sizeof(*s));
	CLEANUP(freep) char *usual = fs_state_dir("proof");

	s->pipe = s->dir.lock = -1;
	server_dir_sweep(usual, o->say, o->ctx);
	if (o->base)
		server_dir_sweep(o->base, o->say, o->ctx);
	if (start(s, o, o->base ? o->base : usual, e))
		return -1;

	*ret = TAKE(s);
	return 0;
}

void private_server_stop(struct private_server *s)
{
	struct err ignored;

	if (!s)
		return;
	closep(&s->pipe);
	if (s->keeper)
		while (waitpid(s->keeper, NULL, 0) < 0 && errno == EINTR)
			;
	/* what the keeper could not do is done when the next one starts */
	if (s->dir.path)
		(void)!server_dir_remove(s->dir.path, &ignored);
	server_dir_done(&s->dir);
	db_access_done(&s->access);
	db_access_done(&s->root);
	free(s);
}

void private_server_stopp(struct private_server **s)
{
	private_server_stop(*s);
}

const struct db_access *private_server_access(const struct private_server *s)
{
	return &s->access;
}

const struct db_access *private_server_root(const struct private_server *s)
{
	return &s->root;
}

const struct server_facts *private_server_facts(const struct private_server *s)
{
	return &s->facts;
}
