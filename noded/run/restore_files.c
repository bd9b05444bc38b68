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

int restore_files(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	CLEANUP(extract_freep) struct extract *x = NULL;
	const struct extract_opts xo = {.dir = r->target_dir, .strip = "files/", .note = extract_note, .ctx = r};
	struct archive_read_opts o = {.progress = restore_on_progress, .stop = restore_stopping, .ctx = r};
	struct archive_read_result read;
	struct extract_result result;

	if (restore_files_prefixes(r, &p, e))
		return -1;
	o.prefixes = (const char *const *)p.v;
	o.n_prefixes = p.n;
	if (extract_new(&x, &xo, e))
		return -1;
	str_cut(r->out->dir, sizeof(r->out->dir), r->target_dir);
	job_say(r->o->job, "unpacking into %s", r->target_dir);
	if (archive_read(r->opened.reader, &o, extract_sink(x), &read, e) || extract_finish(x, &result, e))
		return err_wrap(e, "files into %s", r->target_dir);
	r->out->files += result.members;
	r->out->bytes += result.bytes;
	return 0;
}
