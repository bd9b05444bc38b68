/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/reap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "noded/run/lock.h"
#include "noded/run/notify.h"
#include "noded/run/progress.h"
#include "noded/run/report.h"
#include "noded/store/store.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

struct reaper {
	const struct config *config;
	struct catalogue *catalogue;
	void (*say)(void *ctx, const char *text);
	void *ctx;
	struct reaped *out;
};

PRINTF(2, 3) static void tell(const struct reaper *r, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	if (r->say)
		r->say(r->ctx, text);
}

/* Half an upload, and an object that was complete when the run died without its
 * sidecar or its record: neither counts as an archive. */
static int remove_upload(const struct storage *storage, const char *key, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(freep) char *idx = xasprintf("%s.idx", key);
	const char *const keys[] = {idx, key};
	unsigned swept;

	if (store_open(&s, storage, e) || store_sweep(s, key, 0, &swept, e))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (store_delete(s, keys[i], e) && e->kind != ERR_NOTFOUND)
			return -1;
	return 0;
}

static int sweep_uploads(const struct reaper *r, const struct lock_holders *holders, struct err *e)
{
	struct unfinished_list list;
	int rc = catalogue_unfinished(r->catalogue, &list, e);

	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		const struct unfinished *u = &list.v[i];
		const struct storage *storage = config_storage(r->config, u->archive.storage);
		struct err why;

		if (lock_among(holders, u->run))
			continue;
		if (!storage) {
			r->out->left++;
			tell(r, "storage %s is not in the configuration any more: what run %s left of %s stays there (felloe-noded "
			     "forget %s ends this message)", u->archive.storage, u->run, u->archive.key, u->archive.storage);
		} else if (remove_upload(storage, u->archive.key, &why)) {
			r->out->left++;
			tell(r, "what run %s left of %s cannot be removed now: %s", u->run, u->archive.key, why.msg);
		} else {
			r->out->uploads++;
			rc = catalogue_gone(r->catalogue, u->run, &u->archive, e);
		}
	}
	list_done(&list);
	return rc;
}

static int abort_run(const struct reaper *r, struct wire_run *run, struct err *e)
{
	bool changed;

	str_cut(run->error_kind, sizeof(run->error_kind), err_name(ERR_ABORTED));
	str_cut(run->error, sizeof(run->error), "the process of this run was gone without ending it "
						"(killed, out of memory, or the machine stopped)");
	run->state = RUN_ABORTED;
	run->finished = clock_ms();
	run->rev++;
	if (catalogue_abort(r->catalogue, run, &changed, e))
		return -1;
	if (!changed)
		return 0; /* it ended by itself just now */
	r->out->runs++;
	progress_forget(run->uuid);
	/* what was complete already goes with the rest: nobody finished it */
	for (size_t i = 0; i < run->archives.n; i++)
		if (catalogue_discard(r->catalogue, run->uuid, &run->archives.v[i], e))
			return -1;
	list_done(&run->archives);
	tell(r, "run %s of site %s was left unfinished and is now aborted", run->uuid, run->site);
	notify_run(r->config, run, r->say, r->ctx); /* it could not do that itself */
	return 0;
}

int reap(const struct config *c, struct catalogue *catalogue, void (*say)(void *ctx, const char *text), void *ctx,
	 struct reaped *ret, struct err *e)
{
	const struct reaper r = {.config = c, .catalogue = catalogue, .say = say, .ctx = ctx, .out = ret};
	const struct run_query q = {.running = true};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct lock_holders holders;
	struct err why;
	int rc = 0;

	*ret = (struct reaped){0};
	/* first the runs, then who is alive: a run that begins in between is not in the first list */
	if (catalogue_runs(catalogue, &q, &runs, e) || lock_living(&holders, e))
		return -1;
	for (size_t i = 0; i < runs.n && rc == 0; i++)
		if (!lock_among(&holders, runs.v[i].uuid))
			rc = abort_run(&r, &runs.v[i], e);
	if (rc == 0)
		rc = sweep_uploads(&r, &holders, e);
	progress_sweep(&holders);
	list_done(&holders);
	/* the outbox may lie on a full disk: no reason to keep a backup from running */
	if (rc == 0 && report_rest(c, catalogue, &why))
		tell(&r, "%s; tried again later", why.msg);
	return rc;
}
