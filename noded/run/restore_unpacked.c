/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noded/run/restore_priv.h"
#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

/* Files that an unfinished restore has unpacked already. While one is at work its
 * directory holds MARK with what is restored: the same command finds it and goes on. */

#define MARK ".felloe-restore-unfinished"
enum { MARK_MAX = 16 << 20, PIECE = 256 << 10 };

/* What two commands must have in common to be the same. */
static int mark_text(const struct restore *r, bool done, struct buf *b, struct err *e)
{
	struct json_out j;

	buf_init(b, MARK_MAX);
	json_out_init(&j, b);
	json_obj(&j, NULL);
	json_put_str(&j, "archive", r->opened.key);
	json_put_str(&j, "run", json_get_str(r->opened.manifest, "run", ""));
	json_arr(&j, "paths");
	for (size_t i = 0; i < r->o->paths.n; i++)
		json_put_strn(&j, NULL, r->o->paths.v[i], strlen(r->o->paths.v[i]));
	json_end_arr(&j);
	json_put_bool(&j, "done", done);
	json_end_obj(&j);
	return buf_check(b, "the mark of a restore", e);
}

static char *mark_path(const char *dir)
{
	return xasprintf("%s/" MARK, dir);
}

/* Is the directory one of the same restore? */
static int read_mark(struct restore *r, const char *dir, bool *same, struct err *e)
{
	CLEANUP(freep) char *path = mark_path(dir);
	CLEANUP(buf_done) struct buf open = {0}, done = {0}, has = {0};
	struct err ignored;

	*same = false;
	if (mark_text(r, false, &open, e) || mark_text(r, true, &done, e))
		return -1;
	buf_init(&has, MARK_MAX);
	if (fs_read(&has, path, &ignored))
		return 0;
	*same = str_eq(has.p, done.p) || str_eq(has.p, open.p);
	r->unpacked = str_eq(has.p, done.p) && !r->o->fresh;
	return 0;
}

static int refuse_other(const char *dir, struct err *e)
{
	CLEANUP(freep) char *path = mark_path(dir);

	if (access(path, F_OK) == 0)
		return err_set(e, ERR_CONFLICT, "%s holds an unfinished restore of another archive, or with other options: give the same "
			       "ones to go on with it, or another --to-dir", dir);
	return err_set(e, ERR_CONFLICT, "directory %s is not empty: give another one, or an empty one", dir);
}

/* Nothing that is there is touched, but for what the same command began. */
static int look_into(struct restore *r, struct err *e)
{
	bool empty = true;
	struct dirent *d;
	DIR *dir;

	if (read_mark(r, r->target_dir, &r->unpacking, e))
		return -1;
	dir = r->unpacking ? NULL : opendir(r->target_dir);
	if (!dir) /* what it is, whoever makes it finds out */
		return 0;
	while (empty && (d = readdir(dir)))
		empty = str_eq(d->d_name, ".") || str_eq(d->d_name, "..") || str_starts(d->d_name, MARK ".");
	closedir(dir);
	return empty ? 0 : refuse_other(r->target_dir, e);
}

/* The default name has the time in it: look for one that was begun. */
static int find_begun(struct restore *r, struct err *e)
{
	CLEANUP(freep) char *pattern = xasprintf("./%s-restored-*/" MARK, json_get_str(r->opened.manifest, "site", "site"));
	glob_t found;
	int rc = 0;

	if (glob(pattern, 0, NULL, &found)) {
		globfree(&found);
		return 0;
	}
	for (size_t i = 0; rc == 0 && !r->unpacking && i < found.gl_pathc; i++) {
		CLEANUP(freep) char *dir = xstrndup(found.gl_pathv[i], strlen(found.gl_pathv[i]) - strlen("/" MARK));

		rc = read_mark(r, dir, &r->unpacking, e);
		if (rc == 0 && r->unpacking) {
			free(r->target_dir);
			r->target_dir = TAKE(dir);
		}
	}
	globfree(&found);
	return rc;
}

int restore_unpacked_look(struct restore *r, struct err *e)
{
	if (r->unpacking)
		return 0;
	if (!r->o->to_dir && !r->o->salvage && !r->o->fresh && find_begun(r, e))
		return -1;
	return r->unpacking ? 0 : look_into(r, e);
}

/* Once the mark says that all is done nobody compares again: what it speaks for has to outlive a power cut as well. */
static int keep_all(const char *dir, struct err *e)
{
	CLEANUP(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || syncfs(fd) ? err_sys(e, ERR_IO, "sync %s", dir) : 0;
}

int restore_unpacked_mark(struct restore *r, bool done, struct err *e)
{
	CLEANUP(freep) char *path = mark_path(r->target_dir);
	CLEANUP(buf_done) struct buf text = {0};

	if (r->o->salvage)
		return 0; /* begins anew */
	if (mkdir(r->target_dir, 0755) && errno != EEXIST)
		return err_sys(e, ERR_IO, "make the directory %s", r->target_dir);
	if (done && keep_all(r->target_dir, e))
		return -1;
	return mark_text(r, done, &text, e) || fs_write(path, text.p, text.len, 0600, e) ? -1 : 0;
}

/* Also what was not renamed yet when a process was killed. */
void restore_unpacked_end(const struct restore *r)
{
	DIR *dir = opendir(r->target_dir);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (str_eq(d->d_name, MARK) || str_starts(d->d_name, MARK "."))
			unlinkat(dirfd(dir), d->d_name, 0);
	if (dir)
		closedir(dir);
}

/* ---- which are whole */

static bool same_digest(int fd, const char *hex)
{
	CLEANUP(freep) char *piece = xmalloc(PIECE);
	struct sha256 *hash = sha256_new();
	uint8_t want[SHA256_LEN], got[SHA256_LEN];
	ssize_t n;

	while ((n = read(fd, piece, PIECE)) > 0 && !restore_stopping(NULL))
		sha256_add(hash, piece, (size_t)n);
	sha256_end(hash, got);
	sha256_free(hash);
	return n == 0 && hex_decode(want, sizeof(want), hex) == 0 && hash_equal(want, got, sizeof(got));
}

struct looking {
	struct restore *r;
	const char *prefix;
};

/* The time is set last of all, when content and attributes are. A sparse file's digest is that of its form in the tar. */
static int look_at_file(void *ctx, const struct archive_entry *entry, struct err *e)
{
	const struct looking *l = ctx;
	struct restore *r = l->r;
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (restore_stopping(NULL))
		return err_set(e, ERR_ABORTED, "stopped on request");
	if (entry->type != '0' || entry->real_size || !str_starts(entry->name, "files/") ||
	    !restore_fits(l->prefix, entry->name))
		return 0;
	path = xasprintf("%s/%s", r->target_dir, entry->name + strlen("files/"));
	if (lstat(path, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != entry->size ||
	    (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != entry->mtime_ns)
		return 0;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !same_digest(fd, entry->sha256))
		return 0;
	strings_add(&r->whole, entry->name);
	r->done += entry->size;
	progress_tick(r->o->job->bar);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool restore_unpacked_whole(const struct restore *r, const char *name)
{
	return r->whole.n && bsearch(&name, r->whole.v, r->whole.n, sizeof(*r->whole.v), by_text);
}

int restore_unpacked_find(struct restore *r, const struct strings *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->v[i]);
		struct looking l = {r, p->v[i]};
		CLEANUP(freep) char *prefix = xstrndup(p->v[i], n - (p->v[i][n - 1] == '*'));

		if (archive_list(r->opened.reader, prefix, look_at_file, &l, e))
			return -1;
	}
	if (r->whole.n)
		qsort(r->whole.v, r->whole.n, sizeof(*r->whole.v), by_text);
	return 0;
}
