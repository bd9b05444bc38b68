/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/lost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/run/expire.h"
#include "noded/run/lock.h"
#include "noded/run/report.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum { PRUNE_WAIT_S = 60 };

int lost_storages(const struct config *config, struct catalogue *c, struct storage_uses *ret, struct err *e)
{
	size_t n = 0;

	if (catalogue_uses(c, ret, e))
		return -1;
	for (size_t i = 0; i < ret->n; i++)
		if (!config_storage(config, ret->v[i].name))
			ret->v[n++] = ret->v[i];
	ret->n = n;
	return 0;
}

void lost_text(const struct storage_use *u, char ret[static ERR_MSG_MAX])
{
	char size[UNITS_TEXT];

	snprintf(ret, ERR_MSG_MAX, "%lld run%s, %s, lie%s on storage %s, which is not in the configuration any more: out of reach "
		 "until it is put back under this name; felloe-noded forget %s gives up what is known of %s",
		 (long long)u->runs, u->runs == 1 ? "" : "s", units_bytes(size, (uint64_t)u->bytes), u->runs == 1 ? "s" : "", u->name,
		 u->name, u->runs == 1 ? "it" : "them");
}

void lost_report_done(struct lost_report *r)
{
	list_done(&r->bare);
	list_done(r);
}

/* ---- one run */

/* The archives of the run that lie elsewhere stay in the list; bytes of the others, -1 there are none. */
static int64_t leave_rest(struct wire_run *run, const char *storage)
{
	int64_t lost = -1;
	size_t n = 0;

	for (size_t i = 0; i < run->archives.n; i++) {
		if (str_eq(run->archives.v[i].storage, storage))
			lost = (lost < 0 ? 0 : lost) + run->archives.v[i].size;
		else
			run->archives.v[n++] = run->archives.v[i];
	}
	run->archives.n = n;
	return lost;
}

static enum lost_fate fate_of(const struct wire_run *run, bool lost, const struct lock_holders *holders)
{
	if (lock_among(holders, run->uuid))
		return LOST_RUNNING;
	if (run->held && lost)
		return LOST_HELD;
	/* what an aborted run has stored is no archive, either */
	if (run->state == RUN_ABORTED || run->state == RUN_RUNNING || (!lost && !run->pruned))
		return LOST_TRACES;
	return run->archives.n ? LOST_FAILED : LOST_FORGOTTEN;
}

/* A run that lost a part is not what was backed up: no rule counts it, no restore takes it by itself. */
static int fail(const struct lost_opts *o, struct wire_run *run, struct err *e)
{
	struct err later;

	if (run_state_good(run->state) || run->state == RUN_SUSPECT) {
		run->state = RUN_FAILED;
		str_cut(run->error_kind, sizeof(run->error_kind), err_name(ERR_STORAGE));
		snprintf(run->error, sizeof(run->error), "a part of it was on storage %s, which was forgotten", o->storage);
		run->rev++;
		if (catalogue_save(o->catalogue, run, e))
			return -1;
	}
	if (catalogue_drop(o->catalogue, run->uuid, o->storage, e))
		return -1;
	if (report_run(o->config, o->catalogue, run, &later))
		log_warn("%s; tried again later", later.msg);
	return 0;
}

static int forget(const struct lost_opts *o, struct wire_run *run, struct err *e)
{
	bool ignored;

	/* given up first: from then on prune would end what is begun here */
	if (catalogue_expire(o->catalogue, run->uuid, clock_ms(), &ignored, e) ||
	    catalogue_drop(o->catalogue, run->uuid, o->storage, e))
		return -1;
	return expire_forget(o->config, o->catalogue, run, e);
}

static struct lost_line *add_line(struct lost_report *ret, const struct wire_run *run, int64_t lost)
{
	struct lost_line *line = list_push(ret);

	str_cut(line->run.uuid, sizeof(line->run.uuid), run->uuid);
	str_cut(line->run.timer, sizeof(line->run.timer), run->timer);
	str_cut(line->run.what, sizeof(line->run.what), run->what);
	str_cut(line->site, sizeof(line->site), run->site);
	line->run.state = run->state;
	line->run.started = run->started;
	line->run.held = run->held;
	line->run.expiring = run->pruned;
	line->run.size = lost < 0 ? 0 : lost;
	return line;
}

static int forget_run(const struct lost_opts *o, struct wire_run *run, const struct lock_holders *holders,
		      struct lost_report *ret, struct err *e)
{
	int64_t lost = leave_rest(run, o->storage);
	struct lost_line *line = add_line(ret, run, lost);

	line->fate = fate_of(run, lost >= 0, holders);
	ret->forgotten += line->fate == LOST_FORGOTTEN;
	ret->failed += line->fate == LOST_FAILED;
	ret->traces += line->fate == LOST_TRACES;
	ret->left += line->fate == LOST_HELD || line->fate == LOST_RUNNING;
	if (o->dry_run)
		return 0;
	if (line->fate == LOST_FORGOTTEN)
		return forget(o, run, e);
	if (line->fate == LOST_TRACES)
		return catalogue_drop(o->catalogue, run->uuid, o->storage, e);
	return line->fate == LOST_FAILED ? fail(o, run, e) : 0;
}

/* While a prune of the site is at work nothing is changed behind its back. */
static int forget_uuid(const struct lost_opts *o, const char *uuid, const struct lock_holders *holders,
		       struct lost_report *ret, struct err *e)
{
	const struct run_query q = {.uuid = uuid, .limit = 1};
	CLEANUP(lock_releasep) struct lock *lock = NULL;
	CLEANUP(runs_done) struct wire_runs before = {0}, runs = {0};
	char own[UUID_TEXT];
	struct lock_opts hold = {.parts = LOCK_PRUNE, .uuid = own, .wait_s = PRUNE_WAIT_S};

	if (catalogue_runs(o->catalogue, &q, &before, e))
		return -1;
	if (!before.n)
		return 0;
	random_uuid(own);
	hold.site = before.v[0].site;
	if ((!o->dry_run && lock_take(&lock, &hold, e)) || catalogue_runs(o->catalogue, &q, &runs, e))
		return -1;
	return runs.n ? forget_run(o, &runs.v[0], holders, ret, e) : 0;
}

/* ---- all of them */

static int is_lost(const struct lost_opts *o, struct err *e)
{
	struct storage_uses lost;
	const char *names[64];
	size_t n = 0;
	bool found = false;

	if (config_storage(o->config, o->storage))
		return err_set(e, ERR_CONFLICT, "storage %s is in %s: felloe-noded prune deletes what is old there; only what lies on a "
			       "storage that the configuration does not have any more is forgotten", o->storage, o->config->path);
	if (lost_storages(o->config, o->catalogue, &lost, e))
		return -1;
	for (size_t i = 0; i < lost.n; i++) {
		found = found || str_eq(lost.v[i].name, o->storage);
		if (n < ARRAY_LEN(names))
			names[n++] = lost.v[i].name;
	}
	if (!found)
		err_fill(e, ERR_NOTFOUND, 0, "no run of this node lies on a storage \"%s\"%s", o->storage,
			 str_hint(o->storage, names, n).text);
	list_done(&lost);
	return found ? 0 : -1;
}

/* Sites of the report that have no good run any more. */
static int find_bare(const struct lost_opts *o, struct lost_report *ret, struct err *e)
{
	for (size_t i = 0; i < ret->n; i++) {
		const struct run_query q = {.site = ret->v[i].site, .good = true, .limit = 1};
		CLEANUP(runs_done) struct wire_runs runs = {0};
		bool told = false;

		for (size_t k = 0; k < ret->bare.n; k++)
			told = told || str_eq(ret->bare.v[k].site, ret->v[i].site);
		if (told)
			continue;
		if (catalogue_runs(o->catalogue, &q, &runs, e))
			return -1;
		if (!runs.n)
			str_cut(list_push(&ret->bare)->site, WIRE_NAME, ret->v[i].site);
	}
	return 0;
}

int lost_forget(const struct lost_opts *o, struct lost_report *ret, struct err *e)
{
	struct lock_holders holders = {0};
	struct strings uuids = {0};
	int rc;

	*ret = (struct lost_report){0};
	if (is_lost(o, e))
		return -1;
	/* first the runs, then who is alive: one that begins in between is not in the list */
	rc = catalogue_runs_on(o->catalogue, o->storage, &uuids, e);
	if (rc == 0)
		rc = lock_living(&holders, e);
	for (size_t i = 0; i < uuids.n && rc == 0; i++)
		rc = forget_uuid(o, uuids.v[i], &holders, ret, e);
	if (rc == 0)
		rc = find_bare(o, ret, e);
	strings_done(&uuids);
	list_done(&holders);
	return rc;
}
