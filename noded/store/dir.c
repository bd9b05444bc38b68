/* SPDX-License-Identifier: Apache-2.0 */
/* Storage in a directory: a key is a path below it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "noded/store/driver.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

#define TMP_PREFIX ".felloe-tmp."

enum { CHUNK = 128 << 10, DEPTH_MAX = 64, MKDIR_TRIES = 3 };

struct dir {
	char *base;
};

struct dir_upload {
	struct dir *d;
	char *key, *path, *tmp;
	int fd;
};

/* errno as a failure of this storage. */
static int fail(const char *what, const char *path, struct err *e)
{
	enum err_kind kind = ERR_STORAGE;

	if (errno == EACCES || errno == EPERM || errno == EROFS)
		kind = ERR_FORBIDDEN;
	else if (errno == ENOENT)
		kind = ERR_NOTFOUND;
	return err_sys(e, kind, "%s %s", what, path);
}

static int dir_open(void **impl, const struct storage *cfg, bool patient, struct err *e)
{
	struct dir *d;
	struct stat st;

	(void)patient;
	if (cfg->path[0] != '/')
		return err_set(e, ERR_CONFIG, "storage[].path \"%s\" is not an absolute path", cfg->path);
	/* Not made here: a disk that is not mounted must not fill the one below. */
	if (stat(cfg->path, &st) < 0 && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "directory %s does not exist; create it (or mount it) or correct "
			       "storage[].path", cfg->path);
	if (stat(cfg->path, &st) < 0)
		return fail("look at", cfg->path, e);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_STORAGE, "%s is not a directory; correct storage[].path", cfg->path);
	d = xcalloc(1, sizeof(*d));
	d->base = xstrdup(cfg->path);
	for (size_t n = strlen(d->base); n > 1 && d->base[n - 1] == '/'; n--)
		d->base[n - 1] = '\0';
	*impl = d;
	return 0;
}

static void dir_close(void *impl)
{
	struct dir *d = impl;

	free(d->base);
	free(d);
}

static char *path_of(const struct dir *d, const char *key)
{
	return xasprintf("%s/%s", d->base, key);
}

/* The directory part of path. Yours. */
static char *parent_of(const char *path)
{
	return xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

/* ---- upload */

static bool is_tmp(const char *key)
{
	const char *slash = strrchr(key, '/');

	return str_starts(slash ? slash + 1 : key, TMP_PREFIX);
}

/* fsync the directories from that of path up to the base: new ones too must
 * survive a power cut. */
static int sync_dirs(const struct dir *d, const char *path, struct err *e)
{
	CLEANUP(freep) char *at = xstrdup(path);

	do {
		CLEANUP(closep) int fd = -1;

		*strrchr(at, '/') = '\0';
		fd = open(at[0] ? at : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd) < 0)
			return fail("sync directory", at, e);
	} while (strlen(at) > strlen(d->base));
	return 0;
}

static int open_tmp(struct dir_upload *u, struct err *e)
{
	CLEANUP(freep) char *parent = parent_of(u->path);
	char uuid[UUID_TEXT];

	u->tmp = xasprintf("%s/" TMP_PREFIX "%s", parent, random_uuid(uuid));
	/* Somebody who removes the last file of a directory removes it too. */
	for (int i = 0; i < MKDIR_TRIES && u->fd < 0; i++) {
		if (fs_mkdirs(parent, 0700, e)) {
			if (errno == EACCES || errno == EPERM || errno == EROFS)
				e->kind = ERR_FORBIDDEN;
			return -1;
		}
		u->fd = open(u->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (u->fd < 0 && errno != ENOENT)
			break;
	}
	if (u->fd < 0)
		return fail("create a file in", parent, e);
	return 0;
}

static int check_room(const struct dir *d, uint64_t estimate, struct err *e)
{
	char want[UNITS_TEXT], have[UNITS_TEXT];
	struct statvfs v;
	uint64_t room;

	if (statvfs(d->base, &v) < 0)
		return fail("ask for the free space of", d->base, e);
	room = (uint64_t)v.f_bavail * v.f_frsize;
	if (estimate > room)
		return err_set(e, ERR_SPACE, "%s has %s free, about %s are needed", d->base,
			       units_bytes(have, room), units_bytes(want, estimate));
	return 0;
}

static void up_free(void *up)
{
	struct dir_upload *u = up;

	closep(&u->fd);
	free(u->key);
	free(u->path);
	free(u->tmp);
	free(u);
}

/* A key must be the only spelling of its path. */
static int check_path(const char *key, struct err *e)
{
	if (strstr(key, "//") || str_ends(key, "/") || is_tmp(key))
		return err_set(e, ERR_INVALID, "\"%.80s\" cannot be a key in a directory: an empty part, or a name that "
			       "begins with " TMP_PREFIX, key);
	return 0;
}

static int up_begin(void **up, void *impl, const struct upload_opts *o, struct err *e)
{
	struct dir_upload *u;

	if (check_path(o->key, e) || check_room(impl, o->estimate, e))
		return -1;
	u = xcalloc(1, sizeof(*u));
	*u = (struct dir_upload){.d = impl, .key = xstrdup(o->key), .path = path_of(impl, o->key), .fd = -1};
	if (open_tmp(u, e)) {
		up_free(u);
		return -1;
	}
	*up = u;
	return 0;
}

static int up_write(void *up, const void *p, size_t n, struct err *e)
{
	struct dir_upload *u = up;

	for (const char *at = p; n > 0;) {
		ssize_t got = write(u->fd, at, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("write", u->path, e);
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

static int up_finish(void *up, struct err *e)
{
	struct dir_upload *u = up;

	if (fsync(u->fd) < 0)
		return fail("sync", u->path, e);
	if (rename(u->tmp, u->path) < 0)
		return fail("rename to", u->path, e);
	free(u->tmp);
	u->tmp = NULL;
	return sync_dirs(u->d, u->path, e);
}

/* Directories that have become empty go too, the base never. */
static void prune_dirs(const struct dir *d, const char *path)
{
	CLEANUP(freep) char *at = xstrdup(path);

	for (;;) {
		*strrchr(at, '/') = '\0';
		if (strlen(at) <= strlen(d->base) || rmdir(at) < 0)
			return;
	}
}

static void up_abort(void *up)
{
	struct dir_upload *u = up;

	unlink(u->tmp ? u->tmp : u->path);
	prune_dirs(u->d, u->path);
}

static int dir_put(void *impl, const char *key, const void *p, size_t n, struct err *e)
{
	struct upload_opts o = {.key = key, .estimate = n};
	void *up = NULL;
	int result;

	if (up_begin(&up, impl, &o, e))
		return -1;
	result = up_write(up, p, n, e) || up_finish(up, e) ? -1 : 0;
	if (result)
		up_abort(up);
	up_free(up);
	return result;
}

/* ---- reading */

static int open_key(const char *path, const char *key, int *fd, uint64_t *size, struct err *e)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(e, ERR_NOTFOUND, "there is no object \"%s\" (%s)", key, path);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return fail("open", path, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_NOTFOUND, "\"%s\" is not an object (%s)", key, path);
	*size = (uint64_t)st.st_size;
	return 0;
}

static int dir_get(void *impl, const struct store_range *r, struct err *e)
{
	CLEANUP(freep) char *path = path_of(impl, r->key);
	CLEANUP(freep) char *chunk = xmalloc(CHUNK);
	CLEANUP(closep) int fd = -1;
	uint64_t size = 0, at = r->offset, end;

	if (open_key(path, r->key, &fd, &size, e))
		return -1;
	end = r->n == UINT64_MAX ? size : r->offset + r->n;
	if (r->offset > size || end > size || end < r->offset)
		return err_set(e, ERR_DAMAGED, "object \"%s\" has %llu bytes, %llu were expected at least", r->key,
			       (unsigned long long)size, (unsigned long long)end);
	while (at < end) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t got = pread(fd, chunk, want, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("read", path, e);
		if (got == 0)
			return err_set(e, ERR_DAMAGED, "object \"%s\" became shorter while it was read", r->key);
		if (r->on_data(r->ctx, chunk, (size_t)got, e))
			return -1;
		at += (uint64_t)got;
	}
	return 0;
}

static int dir_head(void *impl, const char *key, uint64_t *size, struct err *e)
{
	CLEANUP(freep) char *path = path_of(impl, key);
	CLEANUP(closep) int fd = -1;

	return open_key(path, key, &fd, size, e);
}

static int dir_remove(void *impl, const char *key, struct err *e)
{
	CLEANUP(freep) char *path = path_of(impl, key);

	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return fail("remove", path, e);
	prune_dirs(impl, path);
	return 0;
}

/* ---- listing and sweeping: one walk in key order */

struct walk {
	struct dir *d;
	const char *prefix;
	int (*visit)(struct walk *w, const char *key, const char *path, const struct stat *st, struct err *e);
	store_list_fn *on_item;
	void *ctx;
	int64_t older_than_ms;
	unsigned swept;
};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in the directory at path, those of directories with "/" at the end, in
 * the order of whole keys ("a-b" stands before "a/"). */
static int read_names(struct strings *ret, const char *path, struct err *e)
{
	DIR *dp = opendir(path);
	struct dirent *de;
	int saved;

	if (!dp && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dp)
		return fail("read directory", path, e);
	for (errno = 0; (de = readdir(dp)); errno = 0) {
		struct stat st;
		bool is_dir;

		if (str_eq(de->d_name, ".") || str_eq(de->d_name, ".."))
			continue;
		if (fstatat(dirfd(dp), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		is_dir = S_ISDIR(st.st_mode);
		if (is_dir || S_ISREG(st.st_mode))
			*list_push(ret) = xasprintf("%s%s", de->d_name, is_dir ? "/" : "");
	}
	saved = errno;
	closedir(dp);
	errno = saved;
	if (saved)
		return fail("read directory", path, e);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_bytes);
	return 0;
}

/* key_dir: "" or "a/b/". Steps only into what can begin with the prefix. */
static int walk_dir(struct walk *w, const char *key_dir, unsigned depth, struct err *e)
{
	CLEANUP(freep) char *here = path_of(w->d, key_dir);
	CLEANUP(strings_done) struct strings names = {0};

	if (depth > DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: directories are nested deeper than %d", here, DEPTH_MAX);
	if (read_names(&names, here, e))
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *key = xasprintf("%s%s", key_dir, names.v[i]);
		CLEANUP(freep) char *path = NULL;
		size_t len = strlen(key), want = strlen(w->prefix);
		struct stat st;

		if (strncmp(key, w->prefix, len < want ? len : want) != 0)
			continue;
		if (key[len - 1] == '/') {
			if (walk_dir(w, key, depth + 1, e))
				return -1;
			continue;
		}
		path = path_of(w->d, key);
		if (lstat(path, &st) == 0 && w->visit(w, key, path, &st, e))
			return -1;
	}
	return 0;
}

static int list_one(struct walk *w, const char *key, const char *path, const struct stat *st, struct err *e)
{
	(void)path;
	if (is_tmp(key) || !str_starts(key, w->prefix))
		return 0;
	return w->on_item(w->ctx, key, (uint64_t)st->st_size, e);
}

/* The prefix names directories here: a temporary file has a name of its own. */
static int sweep_one(struct walk *w, const char *key, const char *path, const struct stat *st, struct err *e)
{
	if (!is_tmp(key) || (int64_t)st->st_mtim.tv_sec * 1000 > w->older_than_ms)
		return 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return fail("remove", path, e);
	prune_dirs(w->d, path);
	w->swept++;
	return 0;
}

static int dir_list(void *impl, const char *prefix, store_list_fn *on_item, void *ctx, struct err *e)
{
	struct walk w = {.d = impl, .prefix = prefix, .visit = list_one, .on_item = on_item, .ctx = ctx};

	return walk_dir(&w, "", 0, e);
}

static int dir_sweep(void *impl, const char *prefix, int64_t older_than_ms, unsigned *swept, struct err *e)
{
	const char *slash = strrchr(prefix, '/');
	CLEANUP(freep) char *dirs = slash ? xstrndup(prefix, (size_t)(slash + 1 - prefix)) : xstrdup("");
	struct walk w = {.d = impl, .prefix = dirs, .visit = sweep_one, .older_than_ms = older_than_ms};
	int result = walk_dir(&w, "", 0, e);

	*swept = w.swept;
	return result;
}

static const struct store_ops ops = {
	.type = "dir",
	.open = dir_open,
	.close = dir_close,
	.put = dir_put,
	.get = dir_get,
	.head = dir_head,
	.remove = dir_remove,
	.list = dir_list,
	.sweep = dir_sweep,
	.begin = up_begin,
	.write = up_write,
	.finish = up_finish,
	.abort = up_abort,
	.free = up_free,
};

const struct store_ops *store_dir(void)
{
	return &ops;
}
