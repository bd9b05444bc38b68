/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "noded/files/content.h"
#include "noded/files/owner.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	DEPTH_MAX = 400,        /* directories held open: below the usual limit of 1,024 files */
	PATH_BYTES_MAX = 1 << 20,
	DIR_BYTES_MAX = 1 << 30,
	LINKS_BYTES_MAX = 16 << 20, /* names of files with several links; past it they are stored whole */
};

struct walk {
	const struct walk_opts *o;
	const struct tar_sink *sink;    /* NULL: estimate */
	struct walk_result *res;
	struct content *content;
	struct owners *owners;
	struct links *links;
	struct buf path;                /* absolute path of the entry */
	size_t root_len;                /* of the root in it, with its "/" */
	dev_t dev;
	unsigned depth;
};

static void note(struct walk *w, enum walk_note kind, const char *why)
{
	switch (kind) {
	case WALK_SKIPPED:
		w->res->skipped++;
		break;
	case WALK_CHANGED:
		w->res->changed++;
		break;
	case WALK_SOCKET:
		w->res->sockets++;
		break;
	case WALK_MOUNT:
		w->res->mounts++;
		break;
	case WALK_VANISHED:
		break;
	}
	if (w->sink && w->o->note)
		w->o->note(w->o->ctx, kind, w->path.p, why);
}

/* What errno says about an entry that could not be opened or read. */
static void note_errno(struct walk *w, const char *what)
{
	CLEANUP(freep) char *why = xasprintf("%s: %s", what, strerror(errno));

	note(w, errno == ENOENT || errno == ESTALE ? WALK_VANISHED : WALK_SKIPPED, why);
}

static int stopped(const struct walk *w, struct err *e)
{
	if (w->o->stop && w->o->stop(w->o->ctx))
		return err_set(e, ERR_ABORTED, "stopped at %s", w->path.p);
	return 0;
}

/* ---- hard links: inode -> name of its first member */

struct link {
	dev_t dev;
	ino_t ino;
	char *name;
	struct link *next;
};
struct links {
	struct link *bucket[4096];
	size_t bytes;
};

static void links_free(struct links *l)
{
	for (size_t i = 0; l && i < ARRAY_LEN(l->bucket); i++)
		while (l->bucket[i]) {
			struct link *first = l->bucket[i];

			l->bucket[i] = first->next;
			free(first->name);
			free(first);
		}
	free(l);
}

/* The name under which the inode is in the archive already; NULL the first time. */
static const char *links_seen(struct links *l, const struct stat *st)
{
	struct link **at = &l->bucket[(st->st_ino ^ st->st_dev) % ARRAY_LEN(l->bucket)];

	for (struct link *k = *at; k; k = k->next)
		if (k->ino == st->st_ino && k->dev == st->st_dev)
			return k->name;
	return NULL;
}

static void links_add(struct links *l, const struct stat *st, const char *name)
{
	struct link **at = &l->bucket[(st->st_ino ^ st->st_dev) % ARRAY_LEN(l->bucket)], *k;
	size_t size = sizeof(*k) + strlen(name) + 1;

	if (l->bytes + size > LINKS_BYTES_MAX)
		return;
	l->bytes += size;
	k = xmalloc(sizeof(*k));
	*k = (struct link){st->st_dev, st->st_ino, xstrdup(name), *at};
	*at = k;
}

/* ---- one entry */

/* Where an entry is: its directory, its name in it, what stat said. */
struct place {
	int dir;
	const char *name;
	const struct stat *st;
};

static void fill(struct walk *w, struct tar_entry *t, const struct stat *st)
{
	*t = (struct tar_entry){.name = xasprintf("files/%s", w->path.p + 1), .mode = st->st_mode & 07777,
				.uid = st->st_uid, .gid = st->st_gid};
	t->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	t->uname = xstrdup(owners_user(w->owners, st->st_uid));
	t->gname = xstrdup(owners_group(w->owners, st->st_gid));
	t->dev_major = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? major(st->st_rdev) : 0;
	t->dev_minor = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? minor(st->st_rdev) : 0;
}

/* A member without content. */
static int put_plain(struct walk *w, const struct tar_entry *t, struct err *e)
{
	w->res->files++;
	if (!w->sink)
		return 0;
	return w->sink->begin(w->sink->ctx, t, e) ? -1 : w->sink->end(w->sink->ctx, e);
}

static int put_symlink(struct walk *w, const struct place *at, struct tar_entry *t, struct err *e)
{
	char target[4096 + 1]; /* PATH_MAX of Linux holds for the target of a link */
	ssize_t n = readlinkat(at->dir, at->name, target, sizeof(target) - 1);

	if (n < 0) {
		note_errno(w, "read the link");
		return 0;
	}
	t->type = '2';
	t->link = xstrndup(target, (size_t)n);
	return put_plain(w, t, e);
}

/* Another name of a file that is in the archive: 1 done, 0 not so, -1. */
static int put_hard_link(struct walk *w, struct tar_entry *t, const struct stat *st, struct err *e)
{
	const char *first = st->st_nlink > 1 ? links_seen(w->links, st) : NULL;

	if (!first)
		return 0;
	t->type = '1';
	t->link = xstrdup(first);
	return put_plain(w, t, e) ? -1 : 1;
}

static int open_entry(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOATIME);

	if (fd < 0 && errno == EPERM) /* O_NOATIME is for the owner */
		fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd;
}

static int put_file(struct walk *w, const struct place *at, struct tar_entry *t, struct err *e)
{
	CLEANUP(closep) int fd = open_entry(at->dir, at->name, O_RDONLY);
	const char *why = NULL;
	struct stat st;
	int got;

	if (fd < 0 || fstat(fd, &st)) {
		note_errno(w, "open");
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		note(w, WALK_CHANGED, "is no longer a regular file");
		return 0;
	}
	t->type = '0';
	content_xattrs(w->content, fd, t);
	got = content_put(w->content, fd, t, &why, e);
	if (got < 0)
		return -1;
	if (why)
		note(w, got == 0 ? WALK_SKIPPED : WALK_CHANGED, why);
	if (got == 0)
		return 0;
	w->res->files++;
	if (st.st_nlink > 1)
		links_add(w->links, &st, t->name);
	return 0;
}

/* An estimate opens no file. */
static void count_file(struct walk *w, const struct tar_entry *t, const struct stat *st)
{
	uint64_t stored = (uint64_t)st->st_blocks * 512;

	w->res->files++;
	w->res->bytes += stored < (uint64_t)st->st_size ? stored : (uint64_t)st->st_size;
	if (st->st_nlink > 1)
		links_add(w->links, st, t->name);
}

static int put_dir(struct walk *w, const struct place *at, struct err *e);

static int put_type(struct walk *w, const struct place *at, struct tar_entry *t, struct err *e)
{
	const struct stat *st = at->st;
	int linked = S_ISDIR(st->st_mode) ? 0 : put_hard_link(w, t, st, e);

	if (linked)
		return linked < 0 ? -1 : 0;
	if (S_ISREG(st->st_mode)) {
		if (w->sink)
			return put_file(w, at, t, e);
		count_file(w, t, st);
		return 0;
	}
	if (st->st_nlink > 1)
		links_add(w->links, st, t->name);
	if (S_ISLNK(st->st_mode))
		return put_symlink(w, at, t, e);
	t->type = S_ISCHR(st->st_mode) ? '3' : S_ISBLK(st->st_mode) ? '4' : '6';
	return put_plain(w, t, e);
}

/* The entry at a place; w->path is its path. */
static int put_entry(struct walk *w, const struct place *at, struct err *e)
{
	const struct stat *st = at->st;
	struct tar_entry t;
	int failed;

	if (stopped(w, e))
		return -1;
	if (w->path.len > w->root_len &&
	    globs_match(w->o->exclude, w->path.p + w->root_len, S_ISDIR(st->st_mode))) {
		w->res->excluded++;
		return 0;
	}
	if (S_ISSOCK(st->st_mode)) {
		note(w, WALK_SOCKET, "is a socket");
		return 0;
	}
	if (S_ISDIR(st->st_mode))
		return put_dir(w, at, e);
	fill(w, &t, st);
	failed = put_type(w, at, &t, e);
	tar_entry_done(&t);
	return failed;
}

/* ---- directories */

/* All names of one directory: the one thing that grows with its size. */
struct names {
	struct buf bytes;
	struct { LIST_OF(uint32_t); } at;
};

static void names_done(struct names *n)
{
	buf_done(&n->bytes);
	list_done(&n->at);
}

static int by_name(const void *a, const void *b, void *bytes)
{
	const uint32_t *x = a, *y = b;
	const char *base = bytes;

	return strcmp(base + *x, base + *y);
}

/* 0, or -1 with errno. */
static int names_read(struct names *n, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int failed;

	if (!d) {
		closep(&copy);
		return -1;
	}
	while ((errno = 0, entry = readdir(d))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		*list_push(&n->at) = (uint32_t)n->bytes.len;
		buf_add(&n->bytes, entry->d_name, strlen(entry->d_name) + 1);
	}
	failed = errno;
	closedir(d);
	if (n->bytes.over)
		failed = EFBIG;
	if (n->at.n && !failed)
		qsort_r(n->at.v, n->at.n, sizeof(*n->at.v), by_name, n->bytes.p);
	errno = failed;
	return failed ? -1 : 0;
}

static int put_names(struct walk *w, int fd, const struct names *n, const char *only, struct err *e)
{
	size_t len = w->path.len;

	for (size_t i = 0; i < n->at.n; i++) {
		const char *name = n->bytes.p + n->at.v[i];
		struct stat st;
		int failed = 0;

		if (only && !str_eq(name, only))
			continue;
		buf_addf(&w->path, "%s%s", len > 1 ? "/" : "", name);
		if (w->path.over)
			return err_set(e, ERR_LIMIT, "a path of over %d bytes: %.200s...", PATH_BYTES_MAX, w->path.p);
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
			note_errno(w, "stat");
		else
			failed = put_entry(w, &(struct place){fd, name, &st}, e);
		w->path.len = len;
		w->path.p[len] = '\0';
		if (failed)
			return -1;
	}
	return 0;
}

/* https://bford.info/cachedir/ */
static bool is_cachedir(int dir)
{
	static const char signature[] = "Signature: 8a477f597d28d172789f06886806bc55";
	CLEANUP(closep) int fd = open_entry(dir, "CACHEDIR.TAG", O_RDONLY);
	char text[sizeof(signature)] = "";
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       read(fd, text, sizeof(signature) - 1) == sizeof(signature) - 1 && str_eq(text, signature);
}

/* What is in the open directory; w->path is its path. */
static int put_below(struct walk *w, int fd, const struct stat *st, struct err *e)
{
	const char *only = NULL;
	struct names names = {0};
	int failed = 0;

	if (!w->o->cross_devices && st->st_dev != w->dev) {
		note(w, WALK_MOUNT, "is another file system");
		return 0;
	}
	if (w->depth >= DEPTH_MAX) {
		note(w, WALK_SKIPPED, "lies too deep: its content is left out");
		return 0;
	}
	if (!w->o->keep_cachedirs && w->path.len > w->root_len && is_cachedir(fd)) {
		w->res->excluded++;
		only = "CACHEDIR.TAG";
	}
	buf_init(&names.bytes, DIR_BYTES_MAX);
	if (names_read(&names, fd))
		note_errno(w, "read the directory");
	w->depth++;
	failed = put_names(w, fd, &names, only, e);
	w->depth--;
	names_done(&names);
	return failed;
}

static int put_dir_fd(struct walk *w, int fd, const struct stat *st, struct err *e)
{
	struct tar_entry t;
	int failed = 0;

	fill(w, &t, st);
	t.type = '5';
	if (fd >= 0 && w->sink)
		content_xattrs(w->content, fd, &t);
	if (w->path.len > 1)
		failed = put_plain(w, &t, e);
	tar_entry_done(&t);
	return failed || fd < 0 ? failed : put_below(w, fd, st, e);
}

static int put_dir(struct walk *w, const struct place *at, struct err *e)
{
	CLEANUP(closep) int fd = open_entry(at->dir, at->name, O_RDONLY | O_DIRECTORY);
	struct stat now;

	if (fd < 0) { /* its own member can still be written: owner and mode count */
		bool gone = errno == ENOENT;

		note_errno(w, "open");
		return gone ? 0 : put_dir_fd(w, -1, at->st, e);
	}
	if (fstat(fd, &now)) {
		note_errno(w, "stat");
		return 0;
	}
	return put_dir_fd(w, fd, &now, e);
}

/* ---- roots */

/* path without doubled and last "/" and without "." parts. */
static int clean_root(char **ret, const char *path, struct err *e)
{
	struct buf b;

	if (path[0] != '/')
		return err_set(e, ERR_CONFIG, "path \"%s\" is not absolute", path);
	buf_init(&b, PATH_BYTES_MAX);
	for (const char *p = path; *p;) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			buf_done(&b);
			return err_set(e, ERR_CONFIG, "path \"%s\" holds \"..\": write it out", path);
		}
		if (n && !(n == 1 && p[0] == '.')) {
			buf_addc(&b, '/');
			buf_add(&b, p, n);
		}
		p += n;
	}
	if (b.len == 0)
		buf_addc(&b, '/');
	*ret = buf_take(&b);
	return 0;
}

static int put_root(struct walk *w, const char *root, struct err *e)
{
	CLEANUP(closep) int fd = -1;
	struct stat st;

	buf_reset(&w->path);
	buf_adds(&w->path, root);
	w->root_len = w->path.len + (w->path.len > 1);
	if (stat(root, &st)) {
		int saved = errno;
		CLEANUP(freep) char *why = xasprintf("root: %s", strerror(saved));

		note(w, WALK_SKIPPED, why); /* somebody asked for it: not there is a loss */
		return 0;
	}
	w->dev = st.st_dev;
	if (!S_ISDIR(st.st_mode)) {
		CLEANUP(freep) char *real = realpath(root, NULL); /* a root may be a link, its target is not */

		return put_entry(w, &(struct place){AT_FDCWD, real ? real : root, &st}, e);
	}
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		note_errno(w, "open");
		return 0;
	}
	return put_dir_fd(w, fd, &st, e);
}

static bool lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return str_starts(path, dir) && (path[n] == '/' || path[n] == '\0' || n == 1);
}

/* Roots that lie in another one are left to that. */
static int put_roots(struct walk *w, char **roots, struct err *e)
{
	for (size_t i = 0; i < w->o->n_roots; i++) {
		bool covered = false;

		for (size_t k = 0; k < w->o->n_roots; k++)
			covered = covered || (k != i && lies_in(roots[i], roots[k]) &&
					      (k < i || !str_eq(roots[i], roots[k])));
		if (!covered && put_root(w, roots[i], e))
			return -1;
	}
	return 0;
}

static int walk(struct walk *w, struct err *e)
{
	char **roots = xcalloc(w->o->n_roots + 1, sizeof(*roots));
	int failed = 0;

	*w->res = (struct walk_result){0};
	buf_init(&w->path, PATH_BYTES_MAX);
	w->owners = owners_new();
	w->links = xcalloc(1, sizeof(*w->links));
	if (w->sink)
		w->content = content_new(w->sink, &w->res->bytes);
	for (size_t i = 0; !failed && i < w->o->n_roots; i++)
		failed = clean_root(&roots[i], w->o->roots[i], e);
	if (!failed)
		failed = put_roots(w, roots, e);
	content_free(w->content);
	links_free(w->links);
	owners_free(w->owners);
	buf_done(&w->path);
	for (size_t i = 0; i < w->o->n_roots; i++)
		free(roots[i]);
	free(roots);
	return failed;
}

int files_archive(const struct walk_opts *o, const struct tar_sink *sink, struct walk_result *ret, struct err *e)
{
	struct walk w = {.o = o, .sink = sink, .res = ret};

	return walk(&w, e);
}

int files_estimate(const struct walk_opts *o, struct walk_result *ret, struct err *e)
{
	struct walk w = {.o = o, .res = ret};

	return walk(&w, e);
}
