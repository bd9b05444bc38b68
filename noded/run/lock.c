/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LOCK_TEXT_MAX = 4096, POLL_MS = 200 };

static const struct { unsigned bit; const char *name; } parts[] = {
	{LOCK_DB, "db"}, {LOCK_FILES, "files"}, {LOCK_RESTORE, "restore"}, {LOCK_PRUNE, "prune"},
};

struct lock {
	char *dir;
	char *paths[ARRAY_LEN(parts)]; /* NULL: not ours */
};

struct holder {
	char uuid[UUID_TEXT];
	int64_t pid, start;
	char boot[64];
};

static char *lock_dir(void)
{
	CLEANUP(freep) char *run = fs_run_dir("node");

	return xasprintf("%s/lock", run);
}

/* The 22nd field of /proc/PID/stat: clock ticks after boot at which the process
 * began (proc(5)). 0 when there is no such process. */
static int64_t process_start(int64_t pid)
{
	CLEANUP(freep) char *path = xasprintf("/proc/%lld/stat", (long long)pid);
	CLEANUP(buf_done) struct buf text;
	struct err ignored;
	const char *p;
	int64_t start = 0;
	char *field;

	buf_init(&text, LOCK_TEXT_MAX);
	if (fs_read(&text, path, &ignored))
		return 0;
	p = strrchr(text.p, ')'); /* the command's name may hold blanks and brackets */
	for (int i = 2; p && i < 22; i++)
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	field = xstrndup(p + 1, strcspn(p + 1, " \n"));
	if (str_to_i64(&start, field, 0, INT64_MAX))
		start = 0;
	free(field);
	return start;
}

static void boot_id(char ret[static 64])
{
	CLEANUP(buf_done) struct buf text;
	struct err ignored;

	buf_init(&text, LOCK_TEXT_MAX);
	*ret = '\0';
	if (fs_read(&text, "/proc/sys/kernel/random/boot_id", &ignored) == 0)
		str_cut(ret, 64, text.p);
	ret[strcspn(ret, "\n")] = '\0';
}

static bool alive(const struct holder *h)
{
	char boot[64];

	boot_id(boot);
	return str_eq(boot, h->boot) && h->pid > 0 && h->start > 0 && process_start(h->pid) == h->start;
}

static bool read_holder(struct holder *ret, const char *path)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err ignored;

	*ret = (struct holder){0};
	if (json_parse_file(&j, path, LOCK_TEXT_MAX, &ignored))
		return false;
	str_cut(ret->uuid, sizeof(ret->uuid), json_get_str(j, "run", ""));
	str_cut(ret->boot, sizeof(ret->boot), json_get_str(j, "boot_id", ""));
	ret->pid = json_get_int(j, "pid", 0);
	ret->start = json_get_int(j, "start", 0);
	return true;
}

static int write_holder(const char *path, const char *uuid, struct err *e)
{
	CLEANUP(buf_done) struct buf text;
	struct json_out o;
	char boot[64];

	buf_init(&text, LOCK_TEXT_MAX);
	boot_id(boot);
	json_out_init(&o, &text);
	json_obj(&o, NULL);
	json_put_str(&o, "run", uuid);
	json_put_int(&o, "pid", getpid());
	json_put_int(&o, "start", process_start(getpid()));
	json_put_str(&o, "boot_id", boot);
	json_end_obj(&o);
	return fs_write(path, text.p, text.len, 0600, e);
}

/* All changes in the directory happen under this flock(2): it goes with the
 * process, so nobody can leave it behind. */
static int guard(const char *dir, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s/.guard", dir);
	int fd;

	if (fs_mkdirs(dir, 0700, e))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, ERR_IO, "open %s", path);
	while (flock(fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		err_fill(e, ERR_IO, 1, "lock %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static char *part_path(const char *dir, const char *site, size_t part)
{
	return xasprintf("%s/%s:%s", dir, site, parts[part].name);
}

/* What fs_write had not renamed yet when its process was killed. Whoever writes
 * here holds the guard, so do we: nobody is at it. */
static void sweep(const char *dir)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, NULL);

	for (int i = 0; i < n; i++) {
		const char *part = strrchr(entries[i]->d_name, ':');

		if (part && strchr(part, '.')) {
			CLEANUP(freep) char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

			unlink(path);
		}
		free(entries[i]);
	}
	free(entries);
}

/* 1 taken, 0 held by somebody (in *holder), -1 failed. */
static int try_take(struct lock *l, const struct lock_opts *o, struct holder *holder, struct err *e)
{
	CLEANUP(closep) int fd = guard(l->dir, e);

	if (fd < 0)
		return -1;
	sweep(l->dir);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		CLEANUP(freep) char *path = part_path(l->dir, o->site, i);
		char dead[UUID_TEXT];

		if (!(o->parts & parts[i].bit) || !read_holder(holder, path))
			continue;
		if (alive(holder))
			return 0;
		str_cut(dead, sizeof(dead), holder->uuid);
		if (o->dead && *dead && o->dead(o->ctx, dead, e))
			return -1;
		unlink(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		CLEANUP(freep) char *path = part_path(l->dir, o->site, i);

		if (!(o->parts & parts[i].bit))
			continue;
		if (write_holder(path, o->uuid, e))
			return -1;
		l->paths[i] = TAKE(path);
	}
	return 1;
}

int lock_take(struct lock **ret, const struct lock_opts *o, struct err *e)
{
	CLEANUP(lock_releasep) struct lock *l = xcalloc(1, sizeof(*l));
	int64_t deadline = clock_mono_ms() + o->wait_s * 1000;
	struct holder holder = {0};

	l->dir = lock_dir();
	for (;;) {
		int taken = try_take(l, o, &holder, e);

		if (taken < 0)
			return -1;
		if (taken)
			break;
		if (o->stop && o->stop())
			return err_set(e, ERR_ABORTED, "ended while waiting for the lock of site %s", o->site);
		if (clock_mono_ms() >= deadline)
			return err_set(e, ERR_LOCKED, "site %s: run %s (process %lld) holds the lock; waited %lld s; felloe-noded "
				       "status tells how far it is", o->site, holder.uuid, (long long)holder.pid, (long long)o->wait_s);
		clock_sleep_ms(POLL_MS);
	}
	*ret = TAKE(l);
	return 0;
}

void lock_release(struct lock *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (l->paths[i])
			unlink(l->paths[i]);
		free(l->paths[i]);
	}
	free(l->dir);
	free(l);
}

void lock_releasep(struct lock **l)
{
	lock_release(*l);
}

bool lock_held(const char *site, enum lock_part part)
{
	CLEANUP(freep) char *dir = lock_dir();

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		CLEANUP(freep) char *path = part_path(dir, site, i);
		struct holder holder;

		if (parts[i].bit == (unsigned)part)
			return read_holder(&holder, path) && alive(&holder);
	}
	return false;
}

/* Each lock of a process that is alive. */
static int each_living(void (*each)(void *ctx, const struct holder *h), void *ctx, struct err *e)
{
	CLEANUP(freep) char *dir = lock_dir();
	struct dirent **entries = NULL;
	int n;

	n = scandir(dir, &entries, NULL, alphasort);
	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0)
		return err_sys(e, ERR_IO, "read the directory %s", dir);
	for (int i = 0; i < n; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
		struct holder holder;

		if (strchr(entries[i]->d_name, ':') && read_holder(&holder, path) && alive(&holder))
			each(ctx, &holder);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void add_holder(void *ctx, const struct holder *h)
{
	struct lock_holders *l = ctx;

	str_cut(list_push(l)->uuid, UUID_TEXT, h->uuid);
}

int lock_living(struct lock_holders *ret, struct err *e)
{
	*ret = (struct lock_holders){0};
	return each_living(add_holder, ret, e);
}

bool lock_among(const struct lock_holders *l, const char *uuid)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->v[i].uuid, uuid))
			return true;
	return false;
}

struct wanted {
	const char *uuid;
	int64_t pid;
};

static void compare_holder(void *ctx, const struct holder *h)
{
	struct wanted *w = ctx;

	if (str_starts(h->uuid, w->uuid))
		w->pid = h->pid;
}

int lock_stop(const char *uuid, struct err *e)
{
	struct wanted w = {.uuid = uuid};

	if (strlen(uuid) < 4)
		return err_set(e, ERR_INVALID, "\"%s\" is too short for the id of a run", uuid);
	if (each_living(compare_holder, &w, e))
		return -1;
	if (!w.pid)
		return err_set(e, ERR_NOTFOUND, "no run %s is in progress on this node", uuid);
	if (kill((pid_t)w.pid, SIGTERM))
		return err_sys(e, ERR_IO, "end process %lld of run %s", (long long)w.pid, uuid);
	return 0;
}
