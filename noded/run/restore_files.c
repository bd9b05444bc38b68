/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <string.h>

#include "noded/files/extract.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

static void extract_note(void *ctx, const char *path, const char *why)
{
	struct restore *r = ctx;

	job_warn(r->o->job, "%s: %s", path, why);
}

struct unpacking {
	struct restore *r;
	struct archive_read_result read;
};

static void on_progress(void *ctx, uint64_t fetched)
{
	const struct unpacking *u = ctx;
	struct job *job = u->r->o->job;

	job->progress.bytes_done = (int64_t)(u->r->done + u->read.bytes);
	job->progress.bytes_stored = (int64_t)fetched;
	progress_tick(job->bar);
}

static void on_lost(void *ctx, const char *member, const char *why)
{
	const struct unpacking *u = ctx;

	restore_on_lost(u->r, member, why);
}

static bool leave(void *ctx, const char *name)
{
	const struct unpacking *u = ctx;

	return restore_unpacked_whole(u->r, name);
}

/* What an earlier run has unpacked whole is not fetched again. */
static int resume(struct restore *r, const struct strings *p, struct err *e)
{
	char files[UNITS_COUNT];

	if (!r->unpacking || r->o->fresh)
		return 0;
	job_say(r->o->job, "resuming the restore into %s: comparing what is there", r->target_dir);
	if (restore_unpacked_find(r, p, e))
		return -1;
	job_say(r->o->job, "%s in %s already", units_count(files, r->whole.n, "file is", "files are"), r->target_dir);
	return 0;
}

static int unpack(struct restore *r, const struct strings *p, struct extract_result *result, struct err *e)
{
	/* it was empty, or begun by the same command */
	const struct extract_opts xo = {.dir = r->target_dir, .strip = "files/", .overwrite = true,
					.note = extract_note, .ctx = r};
	struct unpacking work = {.r = r};
	const struct archive_read_opts o = {.prefixes = (const char *const *)p->v, .n_prefixes = p->n, .leave = leave,
					    .progress = on_progress, .stop = restore_stopping, .ctx = &work,
					    .damaged = r->o->salvage ? on_lost : NULL};
	CLEANUP(extract_freep) struct extract *x = NULL;
	int rc;

	if (extract_new(&x, &xo, e))
		return -1;
	rc = archive_read(r->opened.reader, &o, extract_sink(x), &work.read, e) || extract_finish(x, result, e) ? -1 : 0;
	r->done += work.read.bytes;
	return rc;
}

int restore_files(struct restore *r, struct err *e)
{
	CLEANUP(strings_done) struct strings p = {0};
	struct extract_result result = {0};

	str_cut(r->out->dir, sizeof(r->out->dir), r->target_dir);
	if (r->unpacked) {
		job_say(r->o->job, "all files are in %s already", r->target_dir);
		return 0;
	}
	if (restore_files_prefixes(r, &p, e) || restore_unpacked_mark(r, false, e) || resume(r, &p, e))
		return -1;
	job_say(r->o->job, "unpacking into %s", r->target_dir);
	if (unpack(r, &p, &result, e)) {
		if (e->kind != ERR_DAMAGED && !r->o->salvage)
			job_say(r->o->job, "%s is not complete: the same command goes on with it", r->target_dir);
		return err_wrap(e, "files into %s", r->target_dir);
	}
	r->out->files += result.members + r->whole.n;
	r->out->bytes += result.bytes;
	return r->o->db ? restore_unpacked_mark(r, true, e) : 0;
}
