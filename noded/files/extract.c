/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/extract.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { NAME_BYTES_MAX = 1 << 20, MAP_MAX = TAR_RUNS_MAX * 42 + TAR_BLOCK };

/* A directory that may still get content: its mode and times are set when the
 * archive has left it. */
struct open_dir {
	char *name;             /* below the root, "a/b" */
	struct tar_entry t;
};

struct extract {
	int root;
	bool owners;            /* we are root */
	struct extract_opts o;
	char *strip;
	struct extract_result res;
	struct tar_sink sink;
	/* the parent directory of the last member */
	int parent;
	char *parent_name;
	struct { LIST_OF(struct open_dir); } dirs;
	/* the file that is being written */
	int fd;
	char *name, *base;
	struct tar_entry t;
	struct buf head;        /* map of a sparse file, until it is whole */
	struct tar_map map;
	size_t run;             /* at work, and how much of it is written */
	uint64_t in_run, at;
	bool mapped;
};

/* ---- opening */

static int is_empty(int fd, bool *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!d) {
		closep(&copy);
		return -1;
	}
	*ret = true;
	while ((entry = readdir(d)))
		*ret = *ret && (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."));
	closedir(d);
	return 0;
}

static int open_root(struct extract *x, const struct extract_opts *o, struct err *e)
{
	bool empty = false;

	if (mkdir(o->dir, 0755) && errno != EEXIST)
		return err_sys(e, ERR_IO, "make the directory %s", o->dir);
	x->root = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->root < 0)
		return err_sys(e, ERR_IO, "open the directory %s", o->dir);
	if (!o->overwrite && is_empty(x->root, &empty))
		return err_sys(e, ERR_IO, "read the directory %s", o->dir);
	if (!o->overwrite && !empty)
		return err_set(e, ERR_CONFLICT, "directory %s is not empty: give another one, or an empty one", o->dir);
	return 0;
}

static int on_begin(void *ctx, const struct tar_entry *t, struct err *e);
static int on_write(void *ctx, const void *p, size_t n, struct err *e);
static int on_end(void *ctx, struct err *e);
static void on_fail(void *ctx);

int extract_new(struct extract **ret, const struct extract_opts *o, struct err *e)
{
	CLEANUP(extract_freep) struct extract *x = xcalloc(1, sizeof(*x));

	x->root = x->parent = x->fd = -1;
	x->o = *o;
	x->strip = xstrdup(str_or(o->strip, ""));
	x->owners = geteuid() == 0;
	x->sink = (struct tar_sink){on_begin, on_write, on_end, on_fail, x};
	buf_init(&x->head, MAP_MAX);
	if (open_root(x, o, e))
		return -1;
	*ret = TAKE(x);
	return 0;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	closep(&x->fd);
	closep(&x->parent);
	closep(&x->root);
	for (size_t i = 0; i < x->dirs.n; i++) {
		free(x->dirs.v[i].name);
		tar_entry_done(&x->dirs.v[i].t);
	}
	list_done(&x->dirs);
	list_done(&x->map);
	buf_done(&x->head);
	tar_entry_done(&x->t);
	free(x->parent_name);
	free(x->name);
	free(x->base);
	free(x->strip);
	free(x);
}

void extract_freep(struct extract **x)
{
	extract_free(*x);
}

const struct tar_sink *extract_sink(struct extract *x)
{
	return &x->sink;
}

static void note(struct extract *x, const char *name, const char *what, int errnum)
{
	CLEANUP(freep) char *why = errnum ? xasprintf("%s: %s", what, strerror(errnum)) : xstrdup(what);

	x->res.notes++;
	if (x->o.note)
		x->o.note(x->o.ctx, name, why);
}

/* ---- names */

/* The name below the root, or -1 when it would lead out of it. */
static int safe_name(const struct extract *x, const char *name, const char **ret, struct err *e)
{
	if (!str_starts(name, x->strip))
		return err_set(e, ERR_DAMAGED, "member \"%.300s\" does not begin with \"%s\"", name, x->strip);
	name += strlen(x->strip);
	if (strlen(name) > NAME_BYTES_MAX)
		return err_set(e, ERR_LIMIT, "a name of %zu bytes", strlen(name));
	for (const char *p = name;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return err_set(e, ERR_DAMAGED, "member \"%.300s\" refused: its name leads out of the directory or "
				       "is not clean", name);
		if (!p[n])
			break;
		p += n + 1;
	}
	*ret = name;
	return 0;
}

/* The directory dir ("" the root) below the root, made when missing and wanted,
 * never through a link. ERR_NOTFOUND when it is missing. */
static int open_below(struct extract *x, const char *dir, bool make, struct err *e)
{
	CLEANUP(closep) int at = fcntl(x->root, F_DUPFD_CLOEXEC, 3);
	int ret;

	for (const char *p = dir; *p && at >= 0;) {
		size_t n = strcspn(p, "/");
		CLEANUP(freep) char *part = xstrndup(p, n);
		int next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0 && errno == ENOENT && make && mkdirat(at, part, 0755) == 0)
			next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && (errno == ELOOP || errno == ENOTDIR))
			return err_set(e, ERR_CONFLICT, "\"%.300s\" is not a directory (or a link): nothing is written "
				       "through it", dir);
		if (next < 0)
			return err_sys(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "open \"%.300s\"", dir);
		close(at);
		at = next;
		p += n + (p[n] == '/');
	}
	if (at < 0)
		return err_sys(e, ERR_IO, "open the target directory");
	ret = at;
	at = -1;
	return ret;
}

/* x->parent becomes the directory that holds name; *base its last part. */
static int enter_parent(struct extract *x, const char *name, const char **base, struct err *e)
{
	const char *slash = strrchr(name, '/');
	CLEANUP(freep) char *dir = xstrndup(name, slash ? (size_t)(slash - name) : 0);

	*base = slash ? slash + 1 : name;
	if (x->parent >= 0 && str_eq(dir, x->parent_name))
		return 0;
	closep(&x->parent);
	x->parent = open_below(x, dir, true, e);
	if (x->parent < 0)
		return -1;
	free(x->parent_name);
	x->parent_name = TAKE(dir);
	return 0;
}

/* ---- attributes */

static struct timespec mtime_of(const struct tar_entry *t)
{
	struct timespec ts = {.tv_sec = t->mtime_ns / 1000000000, .tv_nsec = t->mtime_ns % 1000000000};

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += 1000000000;
	}
	return ts;
}

/* Owner, mode, attributes, times, in the order in which none undoes another. */
static void set_attributes(struct extract *x, int fd, const struct tar_entry *t, const char *name)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(t)};

	if (x->owners && fchown(fd, t->uid, t->gid))
		note(x, name, "set the owner", errno);
	if (fchmod(fd, t->mode & 07777))
		note(x, name, "set the mode", errno);
	for (size_t i = 0; i < t->xattrs.n; i++)
		if (fsetxattr(fd, t->xattrs.v[i].name, t->xattrs.v[i].value, t->xattrs.v[i].len, 0))
			note(x, name, t->xattrs.v[i].name, errno);
	if (futimens(fd, times))
		note(x, name, "set the time", errno);
}

/* The same for what cannot be opened: links, fifos, devices. */
static void set_attributes_at(struct extract *x, const char *base, const struct tar_entry *t, const char *name)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(t)};

	if (x->owners && fchownat(x->parent, base, t->uid, t->gid, AT_SYMLINK_NOFOLLOW))
		note(x, name, "set the owner", errno);
	if (t->type != '2' && fchmodat(x->parent, base, t->mode & 07777, 0))
		note(x, name, "set the mode", errno);
	if (utimensat(x->parent, base, times, AT_SYMLINK_NOFOLLOW))
		note(x, name, "set the time", errno);
}

static void copy_attributes(struct tar_entry *to, const struct tar_entry *from)
{
	*to = (struct tar_entry){.type = from->type, .mode = from->mode, .uid = from->uid, .gid = from->gid,
				 .size = from->size, .mtime_ns = from->mtime_ns, .sparse = from->sparse,
				 .real_size = from->real_size};
	for (size_t i = 0; i < from->xattrs.n; i++) {
		struct tar_xattr *a = list_push(&to->xattrs);

		*a = (struct tar_xattr){xstrdup(from->xattrs.v[i].name),
					xmemdup(from->xattrs.v[i].value, from->xattrs.v[i].len), from->xattrs.v[i].len};
	}
}

/* ---- directories */

static void close_dir(struct extract *x, struct open_dir *d)
{
	CLEANUP(closep) int fd = open_below(x, d->name, false, NULL);

	if (fd >= 0)
		set_attributes(x, fd, &d->t, d->name);
	else
		note(x, d->name, "open again for its attributes", errno);
	tar_entry_done(&d->t);
	free(d->name);
}

/* Finish the open directories that name (NULL: the end) does not lie in. */
static void leave_dirs(struct extract *x, const char *name)
{
	while (x->dirs.n) {
		struct open_dir *d = &x->dirs.v[x->dirs.n - 1];
		size_t n = strlen(d->name);

		if (name && strncmp(name, d->name, n) == 0 && name[n] == '/')
			return;
		close_dir(x, d);
		x->dirs.n--;
	}
}

static int put_dir(struct extract *x, const char *name, const struct tar_entry *t, struct err *e)
{
	CLEANUP(closep) int fd = -1;
	struct open_dir *d;
	const char *base;
	struct stat st;

	if (enter_parent(x, name, &base, e))
		return -1;
	if (mkdirat(x->parent, base, 0700) && errno != EEXIST)
		return err_sys(e, ERR_IO, "make the directory \"%.300s\"", name);
	fd = open_below(x, name, false, e);
	if (fd < 0)
		return -1;
	/* its owner needs to write into it; root does not, and its mode may be in use */
	if (!x->owners && fstat(fd, &st) == 0 && fchmod(fd, (st.st_mode & 07777) | 0700))
		note(x, name, "set the mode", errno);
	d = list_push(&x->dirs);
	d->name = xstrdup(name);
	copy_attributes(&d->t, t);
	return 0;
}

/* ---- other types */

static int clear_place(const struct extract *x, const char *base, const char *name, struct err *e)
{
	if (unlinkat(x->parent, base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR || errno == EPERM)
		return err_set(e, ERR_CONFLICT, "\"%.300s\" is a directory where the archive has a file", name);
	return err_sys(e, ERR_IO, "replace \"%.300s\"", name);
}

static int put_hard_link(struct extract *x, const char *base, const char *name, const struct tar_entry *t,
			 struct err *e)
{
	CLEANUP(closep) int dir = -1;
	CLEANUP(freep) char *dir_name = NULL, *text = NULL;
	const char *target, *slash;
	struct err why = {0};

	if (safe_name(x, t->link, &target, e))
		return err_wrap(e, "link \"%.200s\"", name);
	slash = strrchr(target, '/');
	dir_name = xstrndup(target, slash ? (size_t)(slash - target) : 0);
	dir = open_below(x, dir_name, false, &why);
	if (dir < 0 && why.kind != ERR_NOTFOUND)
		return err_set(e, why.kind, "link \"%.200s\": %.250s", name, why.msg);
	if (dir >= 0 && linkat(dir, slash ? slash + 1 : target, x->parent, base, 0) == 0)
		return 0;
	if (dir >= 0 && errno != ENOENT)
		return err_sys(e, ERR_IO, "link \"%.200s\" to \"%.200s\"", name, target);
	text = xasprintf("is a hard link to %s, which was not restored: restore that too", t->link);
	note(x, name, text, 0);
	return 0;
}

static int put_special(struct extract *x, const char *base, const char *name, const struct tar_entry *t, struct err *e)
{
	mode_t type = t->type == '3' ? S_IFCHR : t->type == '4' ? S_IFBLK : S_IFIFO;

	if (t->type == '2') {
		if (symlinkat(t->link, x->parent, base))
			return err_sys(e, ERR_IO, "make the link \"%.300s\"", name);
	} else if (mknodat(x->parent, base, type | 0600, makedev(t->dev_major, t->dev_minor))) {
		note(x, name, "make the device or fifo", errno);
		return 0;
	}
	set_attributes_at(x, base, t, name);
	return 0;
}

/* ---- regular files */

static int begin_file(struct extract *x, const char *base, const char *name, const struct tar_entry *t, struct err *e)
{
	x->fd = openat(x->parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->fd < 0)
		return err_sys(e, ERR_IO, "make \"%.300s\"", name);
	free(x->name);
	free(x->base);
	x->name = xstrdup(name);
	x->base = xstrdup(base);
	tar_entry_done(&x->t);
	copy_attributes(&x->t, t);
	x->at = x->in_run = 0;
	x->run = 0;
	x->mapped = false;
	list_done(&x->map);
	buf_reset(&x->head);
	return 0;
}

static int write_at(struct extract *x, const char *p, size_t n, uint64_t at, struct err *e)
{
	while (n) {
		ssize_t got = pwrite(x->fd, p, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "write \"%.300s\"", x->name);
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return 0;
}

/* Bytes of the runs, one after the other, each to its place. */
static int write_runs(struct extract *x, const char *p, size_t n, struct err *e)
{
	while (n) {
		const struct tar_run *r = x->run < x->map.n ? &x->map.v[x->run] : NULL;
		size_t part;

		if (!r)
			return err_set(e, ERR_DAMAGED, "\"%.300s\" has more data than its map", x->name);
		part = r->len - x->in_run < n ? (size_t)(r->len - x->in_run) : n;
		if (write_at(x, p, part, r->offset + x->in_run, e))
			return -1;
		p += part;
		n -= part;
		x->in_run += part;
		if (x->in_run == r->len) {
			x->run++;
			x->in_run = 0;
		}
	}
	return 0;
}

/* Collect the map; what follows it in the same piece is data. */
static int take_map(struct extract *x, const char *p, size_t n, struct err *e)
{
	size_t used;
	int got;

	buf_add(&x->head, p, n);
	if (buf_check(&x->head, "the map of a sparse file", e))
		return -1;
	list_done(&x->map);
	got = tar_get_map(&x->map, x->t.real_size, x->head.p, x->head.len, &used, e);
	if (got < 0)
		return err_wrap(e, "\"%.300s\"", x->name);
	if (got == 0)
		return 0;
	x->mapped = true;
	return write_runs(x, x->head.p + used, x->head.len - used, e);
}

static int on_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct extract *x = ctx;

	if (x->fd < 0)
		return err_set(e, ERR_DAMAGED, "content where there can be none");
	x->res.bytes += n;
	if (x->t.sparse)
		return x->mapped ? write_runs(x, p, n, e) : take_map(x, p, n, e);
	if (write_at(x, p, n, x->at, e))
		return -1;
	x->at += n;
	return 0;
}

static int on_end(void *ctx, struct err *e)
{
	struct extract *x = ctx;

	x->res.members++;
	if (x->fd < 0)
		return 0;
	if (x->t.sparse && !x->mapped)
		return err_set(e, ERR_DAMAGED, "\"%.300s\" has no whole map", x->name);
	if (x->t.sparse && ftruncate(x->fd, (off_t)x->t.real_size))
		return err_sys(e, ERR_IO, "set the size of \"%.300s\"", x->name);
	set_attributes(x, x->fd, &x->t, x->name);
	if (close(x->fd)) {
		x->fd = -1;
		return err_sys(e, ERR_IO, "close \"%.300s\"", x->name);
	}
	x->fd = -1;
	return 0;
}

static void on_fail(void *ctx)
{
	struct extract *x = ctx;

	if (x->fd < 0)
		return;
	closep(&x->fd);
	x->fd = -1;
	unlinkat(x->parent, x->base, 0);
}

static int on_begin(void *ctx, const struct tar_entry *t, struct err *e)
{
	struct extract *x = ctx;
	const char *name, *base;

	closep(&x->fd);
	x->fd = -1;
	if (safe_name(x, t->name, &name, e))
		return -1;
	leave_dirs(x, name);
	if (t->type == '5')
		return put_dir(x, name, t, e);
	if (enter_parent(x, name, &base, e) || clear_place(x, base, name, e))
		return -1;
	if (t->type == '0')
		return begin_file(x, base, name, t, e);
	if (t->type == '1')
		return put_hard_link(x, base, name, t, e);
	return put_special(x, base, name, t, e);
}

int extract_finish(struct extract *x, struct extract_result *ret, struct err *e)
{
	if (x->fd >= 0)
		return err_set(e, ERR_INTERNAL, "\"%.300s\" has no end", x->name);
	leave_dirs(x, NULL);
	*ret = x->res;
	return 0;
}
