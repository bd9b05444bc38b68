/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/server_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

#define PREFIX "proof-"
#define LOCK_NAME "lock"
enum { DEEPEST = 16, GONE_MS = 10 * 1000 };

/* ---- removed */

static int remove_below(int parent, const char *name, int depth, struct err *e);

static int remove_entry(int dir, const struct dirent *d, int depth, struct err *e)
{
	if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
		return 0;
	if (depth == 0 && str_eq(d->d_name, LOCK_NAME))
		return 0; /* last: it tells whose the rest is */
	if (unlinkat(dir, d->d_name, 0) == 0 || errno == ENOENT)
		return 0;
	/* POSIX says EPERM for a directory, Linux EISDIR */
	if (errno != EISDIR && errno != EPERM)
		return err_sys(e, ERR_IO, "remove %s", d->d_name);
	return remove_below(dir, d->d_name, depth + 1, e);
}

/* Our server's account may write here while we remove: no name is followed. */
static int remove_below(int parent, const char *name, int depth, struct err *e)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
	struct dirent *d;
	DIR *list;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_IO, "open %s", name);
	list = depth > DEEPEST ? NULL : fdopendir(fd);
	if (!list) {
		close(fd);
		return err_set(e, ERR_IO, "%s is too deep to be removed", name);
	}
	while (rc == 0 && (d = readdir(list)))
		rc = remove_entry(fd, d, depth, e);
	if (rc == 0 && depth == 0 && unlinkat(fd, LOCK_NAME, 0) && errno != ENOENT)
		rc = err_sys(e, ERR_IO, "remove " LOCK_NAME);
	closedir(list);
	if (rc == 0 && unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT)
		return err_sys(e, ERR_IO, "remove %s", name);
	return rc;
}

int server_dir_remove(const char *path, struct err *e)
{
	return remove_below(AT_FDCWD, path, 0, e) ? err_wrap(e, "%s", path) : 0;
}

/* ---- made */

static bool may_pass(const struct stat *st, const struct server_user *u)
{
	if (st->st_uid == u->uid)
		return st->st_mode & S_IXUSR;
	return st->st_mode & (st->st_gid == u->gid ? S_IXGRP : S_IXOTH);
}

/* Every directory on the way, and path itself, must let the server's account through. */
static int reachable(const char *path, const struct server_user *u, struct err *e)
{
	struct stat st;

	if (!*u->name || u->uid == 0)
		return 0;
	for (const char *p = path; p; p = *p ? p + 1 + strcspn(p + 1, "/") : NULL) {
		CLEANUP(freep) char *part = p == path ? xstrdup("/") : xstrndup(path, (size_t)(p - path));

		if (stat(part, &st) == 0 && !may_pass(&st, u))
			return err_set(e, ERR_CONFLICT, "the account %s, as which the private server runs, cannot pass through %s: "
				       "choose another place with --dir", u->name, part);
	}
	return 0;
}

static int give(const char *path, const struct server_user *u, struct err *e)
{
	return *u->name && chown(path, u->uid, u->gid) ? err_sys(e, ERR_IO, "give %s to %s", path, u->name) : 0;
}

static int fill(struct server_dir *d, const struct server_user *u, struct err *e)
{
	CLEANUP(freep) char *lock = xasprintf("%s/" LOCK_NAME, d->path);
	CLEANUP(freep) char *data = xasprintf("%s/data", d->path);
	CLEANUP(freep) char *tmp = xasprintf("%s/tmp", d->path);

	d->lock = open(lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (d->lock < 0 || flock(d->lock, LOCK_EX | LOCK_NB))
		return err_sys(e, ERR_IO, "lock %s", lock);
	if (mkdir(data, 0700) || mkdir(tmp, 0700))
		return err_sys(e, ERR_IO, "make %s", data);
	return give(data, u, e) || give(tmp, u, e) || give(d->path, u, e) ? -1 : 0;
}

/* Nobody sweeps between the making of a directory and its lock. */
static int lock_base(const char *base, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s/.lock", base);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX)) {
		closep(&fd);
		return err_sys(e, ERR_IO, "lock %s", path);
	}
	return fd;
}

int server_dir_new(struct server_dir *ret, const char *base, const struct server_user *u, struct err *e)
{
	CLEANUP(freep) char *real = NULL;
	CLEANUP(closep) int locked = -1;

	*ret = (struct server_dir){.lock = -1};
	if (fs_mkdirs(base, 0711, e))
		return -1;
	real = realpath(base, NULL);
	if (!real)
		return err_sys(e, ERR_IO, "%s", base);
	locked = lock_base(real, e);
	if (locked < 0 || reachable(real, u, e))
		return -1;
	ret->path = xasprintf("%s/" PREFIX "XXXXXX", real);
	if (!mkdtemp(ret->path)) {
		freep(&ret->path);
		ret->path = NULL;
		return err_sys(e, ERR_IO, "make a directory in %s", real);
	}
	if (fill(ret, u, e)) {
		struct err ignored;

		(void)!server_dir_remove(ret->path, &ignored); /* the first failure is the one to tell */
		server_dir_done(ret);
		return -1;
	}
	return 0;
}

void server_dir_done(struct server_dir *d)
{
	closep(&d->lock);
	d->lock = -1;
	freep(&d->path);
	d->path = NULL;
}

/* ---- swept */

/* The server of the directory, when it still runs: its own word, and it works in
 * that very directory; a pid that means another process now does not. */
static pid_t server_of(const char *path)
{
	CLEANUP(freep) char *file = xasprintf("%s/server.pid", path);
	CLEANUP(freep) char *data = xasprintf("%s/data", path);
	CLEANUP(closep) int fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(freep) char *proc = NULL;
	char text[32] = "", cwd[PATH_MAX];
	struct err ignored;
	int64_t pid;
	ssize_t len;
	size_t got;

	if (fd < 0 || fs_read_full(fd, text, sizeof(text) - 1, &got, &ignored))
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (str_to_i64(&pid, text, 2, INT_MAX))
		return 0;
	proc = xasprintf("/proc/%lld/cwd", (long long)pid);
	len = readlink(proc, cwd, sizeof(cwd) - 1);
	if (len <= 0)
		return 0;
	cwd[len] = '\0';
	return str_eq(cwd, data) ? (pid_t)pid : 0;
}

/* It has nothing to lose: no need to ask first. */
static bool end_server(const char *path)
{
	int64_t deadline = clock_mono_ms() + GONE_MS;
	pid_t pid;

	while ((pid = server_of(path)) > 0) {
		if (kill(pid, SIGKILL) && errno != ESRCH)
			return false;
		if (clock_mono_ms() > deadline)
			return false;
		clock_sleep_ms(20);
	}
	return true;
}

/* With --dir the base is any directory of the user's, who may have called one of his own alike: what is not surely ours
 * stays. Ours has a lock, which goes last, or nothing in it. */
static bool is_ours(const char *path)
{
	CLEANUP(freep) char *lock = xasprintf("%s/" LOCK_NAME, path);
	const char *name = strrchr(path, '/') + 1;
	struct stat st;

	if (!str_starts(name, PREFIX) || strlen(name) != strlen(PREFIX "XXXXXX") || lstat(path, &st) || !S_ISDIR(st.st_mode) ||
	    st.st_mode & 077)
		return false;
	if (lstat(lock, &st) == 0)
		return S_ISREG(st.st_mode) && st.st_size == 0;
	return errno == ENOENT && (rmdir(path) == 0 || errno == ENOENT);
}

static void sweep_one(const char *path, void (*say)(void *ctx, const char *text), void *ctx)
{
	CLEANUP(freep) char *lock = xasprintf("%s/" LOCK_NAME, path);
	CLEANUP(freep) char *text = NULL;
	CLEANUP(closep) int fd = open(lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool ran = server_of(path) > 0;
	struct err e;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB))
		return;
	if (!end_server(path))
		text = xasprintf("the private server that a dead run left in %s cannot be ended", path);
	else if (server_dir_remove(path, &e))
		text = xasprintf("what a dead run left cannot be removed: %s", e.msg);
	else
		text = xasprintf("removed %s, which a dead run left%s", path, ran ? " with its server running" : "");
	say(ctx, text);
}

void server_dir_sweep(const char *base, void (*say)(void *ctx, const char *text), void *ctx)
{
	CLEANUP(freep) char *real = realpath(base, NULL);
	CLEANUP(closep) int locked = -1;
	struct dirent *d;
	struct err e;
	DIR *list;

	if (!real)
		return;
	locked = lock_base(real, &e);
	list = locked >= 0 ? opendir(real) : NULL;
	while (list && (d = readdir(list))) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", real, d->d_name);

		if (is_ours(path))
			sweep_one(path, say, ctx);
	}
	if (list)
		closedir(list);
}
