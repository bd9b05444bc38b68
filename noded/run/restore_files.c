/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <string.h>

#include "noded/files/extract.h"
#include "shared/mem.h"
#include "shared/str.h"

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

int restore_files(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	CLEANUP(extract_freep) struct extract *x = NULL;
	const struct extract_opts xo = {.dir = r->target_dir, .strip = "files/", .note = extract_note, .ctx = r};
	struct unpacking work = {.r = r};
	struct archive_read_opts o = {.progress = on_progress, .stop = restore_stopping, .ctx = &work,
				      .damaged = r->o->salvage ? on_lost : NULL};
	struct extract_result result;

	if (restore_files_prefixes(r, &p, e))
		return -1;
	o.prefixes = (const char *const *)p.v;
	o.n_prefixes = p.n;
	if (extract_new(&x, &xo, e))
		return -1;
	str_cut(r->out->dir, sizeof(r->out->dir), r->target_dir);
	job_say(r->o->job, "unpacking into %s", r->target_dir);
	if (archive_read(r->opened.reader, &o, extract_sink(x), &work.read, e) || extract_finish(x, &result, e))
		return err_wrap(e, "files into %s", r->target_dir);
	r->out->files += result.members;
	r->out->bytes += result.bytes;
	return 0;
}
