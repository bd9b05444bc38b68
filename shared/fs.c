/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { READ_STEP = 16384, SECRET_MAX = 4096 };

static enum err_kind kind_of_open(void)
{
	return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_IO;
}

static int read_all(struct buf *b, int fd, const char *path, struct err *e)
{
	for (;;) {
		size_t room = b->max - b->len < READ_STEP ? b->max - b->len : READ_STEP, got;
		char spill;

		/* one byte past the cap tells a file that just fits from a larger one */
		if (fs_read_full(fd, room ? buf_room(b, room) : &spill, room ? room : 1, &got, e))
			return err_wrap(e, "%s", path);
		if (room == 0)
			return got ? err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", path, b->max) : 0;
		buf_grew(b, got);
		if (got < room)
			return 0;
	}
}

int fs_read(struct buf *b, const char *path, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, kind_of_open(), "open %s", path);
	return read_all(b, fd, path, e);
}

int fs_write_all(int fd, const void *p, size_t n, struct err *e)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(e, ERR_IO, "write");
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int fs_read_full(int fd, void *p, size_t n, size_t *got, struct err *e)
{
	char *at = p;

	*got = 0;
	while (*got < n) {
		ssize_t done = read(fd, at + *got, n - *got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_sys(e, ERR_IO, "read");
		if (done == 0)
			break;
		*got += (size_t)done;
	}
	return 0;
}

/* The folder that holds path, as text of the caller's. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* After a rename the name itself must reach the disk too. */
static int sync_folder(const char *folder, struct err *e)
{
	CLEANUP(closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_IO, "open %s", folder);
	/* some file systems cannot sync a folder and say so with EINVAL */
	if (fsync(fd) && errno != EINVAL)
		return err_sys(e, ERR_IO, "sync %s", folder);
	return 0;
}

static int fill(int fd, const void *p, size_t n, mode_t mode, struct err *e)
{
	if (fs_write_all(fd, p, n, e))
		return -1;
	if (fchmod(fd, mode))
		return err_sys(e, ERR_IO, "chmod");
	return 0;
}

struct content {
	const void *p;
	size_t n;
	mode_t mode;
	bool synced;
};

/* Root may rename over a device, and would take /dev/null from everybody. */
static int may_be_replaced(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(e, ERR_IO, "write %s: it is no regular file", path);
	return 0;
}

static int replace(const char *path, const struct content *c, struct err *e)
{
	CLEANUP(freep) char *folder = folder_of(path);
	CLEANUP(freep) char *temporary = xasprintf("%s.XXXXXX", path);
	int failed, fd;

	if (may_be_replaced(path, e))
		return -1;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, kind_of_open(), "make a file beside %s", path);
	failed = fill(fd, c->p, c->n, c->mode, e);
	if (!failed && c->synced && fsync(fd))
		failed = err_sys(e, ERR_IO, "sync");
	if (close(fd) && !failed)
		failed = err_sys(e, ERR_IO, "close");
	if (!failed && rename(temporary, path))
		failed = err_sys(e, ERR_IO, "rename");
	if (failed) {
		unlink(temporary);
		return err_wrap(e, "write %s", path);
	}
	return c->synced ? sync_folder(folder, e) : 0;
}

int fs_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	return replace(path, &(struct content){.p = p, .n = n, .mode = mode, .synced = true}, e);
}

int fs_write_unsynced(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	return replace(path, &(struct content){.p = p, .n = n, .mode = mode}, e);
}

static int make_one(const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return err_sys(e, ERR_IO, "make folder %s", path);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(freep) char *part = xstrdup(path);

	for (char *at = part; *at; at++) {
		if (*at != '/' || at == part)
			continue;
		*at = '\0';
		if (make_one(part, mode, e))
			return -1;
		*at = '/';
	}
	return make_one(part, mode, e);
}

bool fs_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* systemd gives credentials to the service alone, whatever their mode says. */
static bool is_credential(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	return !str_empty(dir) && str_starts(path, dir) && path[strlen(dir)] == '/' && !strstr(path, "/../");
}

static int secret_is_private(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, ERR_IO, "look at %s", path);
	if (!S_ISREG(st.st_mode) || is_credential(path) || (st.st_mode & 077) == 0)
		return 0;
	return err_set(e, ERR_CONFIG, "%s holds a secret, but others may read it (mode %03o); run: chmod 600 %s", path,
		       (unsigned)(st.st_mode & 0777), path);
}

static int read_secret(struct buf *b, const char *path, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, kind_of_open(), "open %s", path);
	if (secret_is_private(fd, path, e))
		return -1;
	return read_all(b, fd, path, e);
}

int fs_read_secret(char **ret, const char *path, struct err *e)
{
	CLEANUP(buf_done) struct buf b;
	char *room;
	int failed;

	buf_init(&b, SECRET_MAX);
	/* all the room at once: a buffer that moves would leave copies behind */
	room = buf_room(&b, SECRET_MAX);
	failed = read_secret(&b, path, e);
	room[b.len] = '\0';
	room[strcspn(room, "\r\n")] = '\0';
	if (!failed && !*room)
		failed = err_set(e, ERR_CONFIG, "%s is empty: its first line should be the secret", path);
	if (!failed)
		*ret = xstrdup(room);
	mem_wipe(room, SECRET_MAX);
	return failed;
}

/* --state DIR; NULL: the system's folders */
static char *state_option;

void fs_set_state(const char *dir)
{
	free(state_option);
	state_option = xstrdup(dir);
}

static const char *state_root(void)
{
	return str_or(state_option, str_or(getenv("FELLOE_STATE"), NULL));
}

char *fs_state_dir(const char *room)
{
	const char *root = state_root();

	return xasprintf("%s/%s", root ? root : "/var/lib/felloe", room);
}

char *fs_run_dir(const char *room)
{
	const char *root = state_root();

	return root ? xasprintf("%s/run/%s", root, room) : xasprintf("/run/felloe/%s", room);
}
