/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shared/mem.h"
#include "shared/str.h"

enum {
	WHOLE = 1 << 20,        /* files up to this are read before their header is written */
	PIECE = 256 << 10,
	XATTR_LIST = 64 << 10,
	XATTRS_MAX = 1 << 20,
};

struct content {
	const struct tar_sink *sink;
	uint64_t *bytes;
	char *room;             /* WHOLE + 1 */
	char *value;            /* XATTR_LIST */
};

static const char changed[] = "changed while it was read";

struct content *content_new(const struct tar_sink *sink, uint64_t *bytes)
{
	struct content *c = xcalloc(1, sizeof(*c));

	c->sink = sink;
	c->bytes = bytes;
	c->room = xmalloc(WHOLE + 1);
	c->value = xmalloc(XATTR_LIST);
	return c;
}

void content_free(struct content *c)
{
	if (!c)
		return;
	free(c->room);
	free(c->value);
	free(c);
}

/* ---- extended attributes */

static bool xattr_wanted(const char *name)
{
	return str_starts(name, "user.") || str_starts(name, "trusted.") || str_eq(name, "security.capability") ||
	       str_starts(name, "system.posix_acl_");
}

void content_xattrs(struct content *c, int fd, struct tar_entry *t)
{
	CLEANUP(freep) char *list = NULL;
	size_t total = 0;
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len <= 0)
		return;
	list = xmalloc(XATTR_LIST);
	len = flistxattr(fd, list, XATTR_LIST);
	for (const char *name = list; name < list + (len > 0 ? len : 0); name += strlen(name) + 1) {
		struct tar_xattr *x;
		ssize_t n;

		if (!xattr_wanted(name))
			continue;
		n = fgetxattr(fd, name, c->value, XATTR_LIST);
		if (n < 0 || (total += (size_t)n) > XATTRS_MAX)
			continue;
		x = list_push(&t->xattrs);
		*x = (struct tar_xattr){xstrdup(name), xmemdup(c->value, (size_t)n), (size_t)n};
	}
}

/* ---- small files: known whole before the header goes out */

static int64_t mtime_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && mtime_ns(a) == mtime_ns(b);
}

/* Up to n bytes at offset; -1 with errno. */
static ssize_t read_piece(int fd, char *p, size_t n, uint64_t offset)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, p + have, n - have, (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int put_whole(struct content *c, int fd, struct tar_entry *t, const char **why, struct err *e)
{
	struct stat before, after;
	ssize_t n = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (fstat(fd, &before) || (n = read_piece(fd, c->room, WHOLE + 1, 0)) < 0 || fstat(fd, &after)) {
			*why = "read error";
			return 0;
		}
		*why = same(&before, &after) && n == before.st_size ? NULL : changed;
		if (!*why)
			break;
	}
	if (n > WHOLE)
		n = WHOLE;
	t->size = (uint64_t)n;
	t->mtime_ns = mtime_ns(&before);
	*c->bytes += (uint64_t)n;
	if (c->sink->begin(c->sink->ctx, t, e) || (n && c->sink->write(c->sink->ctx, c->room, (size_t)n, e)) ||
	    c->sink->end(c->sink->ctx, e))
		return -1;
	return 1;
}

/* ---- long files: streamed, cut or filled to the size in the header */

/* Where the data is. false: store it plain (no holes, not known, too many runs). */
static bool find_runs(int fd, uint64_t size, struct tar_map *map)
{
	uint64_t at = 0, data = 0;

	while (at < size) {
		off_t start = lseek(fd, (off_t)at, SEEK_DATA), end;

		if (start < 0 && errno == ENXIO) /* a hole to the end */
			break;
		if (start < 0 || (end = lseek(fd, start, SEEK_HOLE)) < 0 || map->n == TAR_RUNS_MAX - 1)
			return false;
		if ((uint64_t)start >= size)
			break;
		if ((uint64_t)end > size)
			end = (off_t)size;
		*list_push(map) = (struct tar_run){(uint64_t)start, (uint64_t)(end - start)};
		data += (uint64_t)(end - start);
		at = (uint64_t)end;
	}
	if (data == size)
		return false;
	if (map->n == 0 || map->v[map->n - 1].offset + map->v[map->n - 1].len < size)
		*list_push(map) = (struct tar_run){size, 0}; /* stock readers take the size from the last run */
	return true;
}

/* One run to the sink; what is missing becomes zeros. */
static int put_run(struct content *c, int fd, struct tar_run run, const char **why, struct err *e)
{
	while (run.len) {
		size_t n = run.len < PIECE ? (size_t)run.len : PIECE;
		ssize_t got = *why ? 0 : read_piece(fd, c->room, n, run.offset);
		size_t have = got > 0 ? (size_t)got : 0;

		if (have < n) {
			if (!*why)
				*why = got < 0 ? "read error: the rest is zeros" :
						 "shrank while it was read: the rest is zeros";
			memset(c->room + have, 0, n - have);
		}
		if (c->sink->write(c->sink->ctx, c->room, n, e))
			return -1;
		run.offset += n;
		run.len -= n;
	}
	return 0;
}

/* The file as it was at first: stat, and where its data is. */
struct shape {
	int fd;
	struct stat st;
	struct tar_map map;
};

static void find_shape(struct shape *f, struct tar_entry *t)
{
	uint64_t size = (uint64_t)f->st.st_size;

	t->mtime_ns = mtime_ns(&f->st);
	t->sparse = (uint64_t)f->st.st_blocks * 512 < size && find_runs(f->fd, size, &f->map);
	t->real_size = t->sparse ? size : 0;
	if (!t->sparse) {
		list_done(&f->map);
		*list_push(&f->map) = (struct tar_run){0, size};
	}
}

static int put_runs(struct content *c, const struct shape *f, struct tar_entry *t, const char **why, struct err *e)
{
	struct buf head;
	int failed;

	buf_init(&head, (size_t)TAR_RUNS_MAX * 42);
	if (t->sparse)
		tar_put_map(&head, f->map.v, f->map.n);
	t->size = head.len;
	for (size_t i = 0; i < f->map.n; i++)
		t->size += f->map.v[i].len;
	*c->bytes += t->size - head.len;
	failed = c->sink->begin(c->sink->ctx, t, e) ||
		 (head.len && c->sink->write(c->sink->ctx, head.p, head.len, e));
	buf_done(&head);
	for (size_t i = 0; !failed && i < f->map.n; i++)
		failed = put_run(c, f->fd, f->map.v[i], why, e);
	return failed || c->sink->end(c->sink->ctx, e) ? -1 : 1;
}

static int put_long(struct content *c, struct shape *f, struct tar_entry *t, const char **why, struct err *e)
{
	struct stat after;
	int got;

	posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	find_shape(f, t);
	got = put_runs(c, f, t, why, e);
	list_done(&f->map);
	if (got == 1 && !*why && (fstat(f->fd, &after) || !same(&f->st, &after)))
		*why = changed;
	return got;
}

int content_put(struct content *c, int fd, struct tar_entry *t, const char **why, struct err *e)
{
	struct shape f = {.fd = fd};

	if (fstat(fd, &f.st)) {
		*why = "read error";
		return 0;
	}
	return f.st.st_size <= WHOLE ? put_whole(c, fd, t, why, e) : put_long(c, &f, t, why, e);
}
