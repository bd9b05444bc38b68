/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/expire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/run/keep.h"
#include "noded/run/lock.h"
#include "noded/run/report.h"
#include "noded/store/store.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

const char *expire_fate_name(enum expire_fate f)
{
	static const char *const names[] = {"keep", "delete", "deleted", "delete pending"};

	return names[f];
}

void expire_report_done(struct expire_report *r)
{
	list_done(r);
}

/* ---- frozen */

/* While the newest word about a part of the site is bad, what is older may be all
 * there is: nothing is deleted until somebody has looked. */
static void look_frozen(const struct run_briefs *runs, const char *site, char ret[static ERR_MSG_MAX])
{
	static const char *const parts[] = {"db", "files"};

	*ret = '\0';
	for (size_t part = 0; part < ARRAY_LEN(parts) && !*ret; part++) {
		const struct run_brief *newest = NULL;
		char day[32];

		for (size_t i = 0; i < runs->n && !newest; i++) {
			const struct run_brief *r = &runs->v[i];
			bool says = r->state != RUN_RUNNING && r->state != RUN_SKIPPED && r->state != RUN_ABORTED;

			if (says && strstr(r->what, parts[part]))
				newest = r;
		}
		if (!newest || run_state_good(newest->state))
			continue;
		clock_format(day, sizeof(day), "%Y-%m-%d %H:%M", newest->started);
		if (newest->state == RUN_SUSPECT && newest->broken)
			snprintf(ret, ERR_MSG_MAX, "nothing is deleted: the last run of %s is damaged or does not restore (%.8s, %s UTC), until a "
				 "good one follows or felloe-noded verify %s --run %.8s finds it sound", newest->what, newest->uuid, day, site,
				 newest->uuid);
		else if (newest->state == RUN_SUSPECT)
			snprintf(ret, ERR_MSG_MAX, "nothing is deleted: the last run of %s is suspect (%.8s, %s UTC), until a good one follows "
				 "or felloe-noded accept %s says that it is right", newest->what, newest->uuid, day, site);
		else
			snprintf(ret, ERR_MSG_MAX, "nothing is deleted: the last run of %s failed (%.8s, %s UTC), until a good one follows",
				 newest->what, newest->uuid, day);
	}
}

int expire_look(struct catalogue *c, const char *site, struct expire_state *ret, struct err *e)
{
	struct run_briefs runs;

	*ret = (struct expire_state){0};
	if (catalogue_briefs(c, site, &runs, e))
		return -1;
	look_frozen(&runs, site, ret->frozen);
	for (size_t i = 0; i < runs.n; i++) {
		if (!runs.v[i].expiring)
			continue;
		ret->pending++;
		ret->pending_bytes += runs.v[i].size;
	}
	list_done(&runs);
	return 0;
}

/* ---- decide */

static void decide(struct expire_report *ret, const struct run_brief *run, enum expire_fate fate, const char *why)
{
	struct expire_line *line = list_push(ret);

	line->run = *run;
	line->fate = fate;
	str_cut(line->why, sizeof(line->why), why);
}

/* A storage of the run that nobody can ask any more, since the configuration does
 * not have it; false: there is none. */
static bool lost_storage(const struct config *config, const struct run_brief *r, char name[static WIRE_NAME])
{
	for (const char *at = r->storages; *at; at += strspn(at, ",")) {
		size_t n = strcspn(at, ",");

		snprintf(name, WIRE_NAME, "%.*s", (int)n, at);
		if (!config_storage(config, name))
			return true;
		at += n;
	}
	return false;
}

/* What the rules may count on: it has its archives, where they can be had. */
static bool is_at_hand(const struct config *config, const struct run_brief *r)
{
	char name[WIRE_NAME];

	return r->archives && !r->expiring && !lost_storage(config, r, name);
}

/* The runs of one timer, newest first, by its rules. */
static void judge_series(const struct expire_opts *o, const struct run_briefs *runs, const struct timer *timer,
			 struct keep_verdict *verdicts)
{
	CLEANUP(freep) struct keep_run *series = xcalloc(runs->n + 1, sizeof(*series));
	CLEANUP(freep) struct keep_verdict *of = xcalloc(runs->n + 1, sizeof(*of));
	CLEANUP(freep) size_t *at = xcalloc(runs->n + 1, sizeof(*at));
	size_t n = 0;

	for (size_t i = 0; i < runs->n; i++) {
		const struct run_brief *r = &runs->v[i];

		if (!str_eq(r->timer, timer->name) || !is_at_hand(o->config, r))
			continue;
		str_cut(series[n].uuid, sizeof(series[n].uuid), r->uuid);
		series[n].at = r->started;
		series[n].good = run_state_good(r->state);
		series[n].held = r->held;
		at[n++] = i;
	}
	keep_judge(&timer->keep, series, n, of);
	for (size_t i = 0; i < n; i++)
		verdicts[at[i]] = of[i];
}

/* Whatever its timer says: without this one the site would have no good run with
 * these parts. */
static bool last_of_its_kind(const struct config *config, const struct run_briefs *runs, size_t at)
{
	const struct run_brief *r = &runs->v[at];

	for (size_t i = 0; i < at; i++)
		if (run_state_good(runs->v[i].state) && is_at_hand(config, &runs->v[i]) && str_eq(runs->v[i].what, r->what))
			return false;
	return run_state_good(r->state);
}

static void decide_all(const struct expire_opts *o, const struct run_briefs *runs, struct expire_report *ret)
{
	CLEANUP(freep) struct keep_verdict *verdicts = xcalloc(runs->n + 1, sizeof(*verdicts));

	for (size_t i = 0; i < o->config->timers.n; i++)
		judge_series(o, runs, &o->config->timers.v[i], verdicts);
	for (size_t i = 0; i < runs->n; i++) {
		const struct run_brief *r = &runs->v[i];
		const struct timer *timer = config_timer(o->config, r->timer);
		char name[WIRE_NAME], why[ERR_MSG_MAX];

		if (r->expiring)
			decide(ret, r, FATE_PENDING, "given up before");
		else if (!r->archives || r->state == RUN_RUNNING)
			continue;
		else if (lost_storage(o->config, r, name)) {
			snprintf(why, sizeof(why), "out of reach, and counted by no rule: storage %s is not in the configuration any more",
				 name);
			decide(ret, r, FATE_KEPT, why);
		} else if (!*r->timer)
			decide(ret, r, FATE_KEPT, r->held ? "held by hand" : "no timer: never deleted");
		else if (!timer)
			decide(ret, r, FATE_KEPT, "its timer is not in the configuration any more: never deleted");
		else if (!keep_any(&timer->keep))
			decide(ret, r, FATE_KEPT, r->held ? "held by hand" : "its timer has no keep: never deleted");
		else if (!verdicts[i].keep && last_of_its_kind(o->config, runs, i))
			decide(ret, r, FATE_KEPT, "the newest good run of the site");
		else
			decide(ret, r, verdicts[i].keep ? FATE_KEPT : FATE_DUE, verdicts[i].why);
	}
}

/* ---- delete */

/* Storages that did not answer in this pass are not asked again. */
struct pass {
	const struct expire_opts *o;
	struct { LIST_OF(struct { char name[WIRE_NAME]; char why[ERR_MSG_MAX]; }); } away;
};

static const char *is_away(const struct pass *p, const char *storage)
{
	for (size_t i = 0; i < p->away.n; i++)
		if (str_eq(p->away.v[i].name, storage))
			return p->away.v[i].why;
	return NULL;
}

/* The sidecar first: an archive without one can still be restored, one that is
 * gone cannot. What is not there any more counts as deleted. */
static int delete_objects(const struct storage *storage, const char *key, bool (*stop)(void), struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(freep) char *idx = xasprintf("%s.idx", key);
	const char *const keys[] = {idx, key};
	uint64_t size;

	if (store_bare(storage))
		return err_set(e, ERR_STORAGE, "storage %s: %s is empty, is its disk mounted? (If it is, put any file there.)",
			       storage->name, storage->path);
	if (store_open(&s, storage, e))
		return -1;
	if (stop)
		store_set_stop(s, stop);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (store_delete(s, keys[i], e) && e->kind != ERR_NOTFOUND)
			return -1;
		if (store_head(s, keys[i], &size, e) == 0)
			return err_set(e, ERR_STORAGE, "storage %s: %s is still there after it was deleted", storage->name, keys[i]);
		if (e->kind != ERR_NOTFOUND)
			return -1;
	}
	return 0;
}

/* 0 gone, 1 not yet (why), -1. */
static int delete_archive(struct pass *p, const char *uuid, const struct wire_archive *a, char why[static ERR_MSG_MAX],
			  struct err *e)
{
	const struct storage *storage = config_storage(p->o->config, a->storage);
	const char *away = is_away(p, a->storage);
	struct err failure;

	if (!storage) {
		snprintf(why, ERR_MSG_MAX, "storage %s is not in the configuration any more", a->storage);
		return 1;
	}
	if (away) {
		str_cut(why, ERR_MSG_MAX, away);
		return 1;
	}
	if (delete_objects(storage, a->key, p->o->stop, &failure)) {
		str_cut(why, ERR_MSG_MAX, failure.msg);
		str_cut(list_push(&p->away)->name, WIRE_NAME, a->storage);
		str_cut(p->away.v[p->away.n - 1].why, ERR_MSG_MAX, failure.msg);
		return 1;
	}
	return catalogue_gone(p->o->catalogue, uuid, a, e);
}

int expire_forget(const struct config *config, struct catalogue *c, struct wire_run *run, struct err *e)
{
	list_done(&run->archives);
	run->rev++;
	run->pruned = run->pruned ? run->pruned : clock_ms();
	if (catalogue_save(c, run, e) || report_run(config, c, run, e))
		return -1;
	return catalogue_forget(c, run->uuid, e);
}

/* Given up, and still there: the master hears of it once. */
static int tell_pending(struct pass *p, const char *uuid, struct err *e)
{
	const struct run_query q = {.uuid = uuid, .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};

	if (catalogue_runs(p->o->catalogue, &q, &runs, e))
		return -1;
	if (!runs.n)
		return 0;
	runs.v[0].rev++;
	return catalogue_save(p->o->catalogue, &runs.v[0], e) || report_run(p->o->config, p->o->catalogue, &runs.v[0], e) ? -1 : 0;
}

/* 1 it is given up and may go; 0 not now, line says why; -1. */
static int give_up(struct pass *p, const struct wire_run *run, struct expire_line *line, struct err *e)
{
	bool changed;

	/* with its storage away it is as well left as it is: it may be wanted by then */
	for (size_t i = 0; line->fate == FATE_DUE && i < run->archives.n; i++) {
		const char *away = is_away(p, run->archives.v[i].storage);

		if (away) {
			snprintf(line->why, sizeof(line->why), "not now, storage %s did not do it: %.400s", run->archives.v[i].storage, away);
			return 0;
		}
	}
	if (line->fate == FATE_DUE) {
		if (catalogue_expire(p->o->catalogue, line->run.uuid, clock_ms(), &changed, e))
			return -1;
		if (!changed) { /* held since we looked */
			line->fate = FATE_KEPT;
			return 0;
		}
	}
	line->fate = FATE_PENDING;
	return 1;
}

static int try_run(struct pass *p, struct expire_line *line, struct err *e)
{
	const struct run_query q = {.site = p->o->site, .uuid = line->run.uuid, .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	char why[ERR_MSG_MAX] = "";
	bool left = false;
	int rc;

	if (catalogue_runs(p->o->catalogue, &q, &runs, e))
		return -1;
	if (!runs.n)
		return 0;
	rc = give_up(p, &runs.v[0], line, e);
	if (rc <= 0)
		return rc;
	/* a restore that began before the run was given up may be reading it; one that begins now does not find it */
	if (lock_held(p->o->site, LOCK_RESTORE)) {
		str_cut(line->why, sizeof(line->why), "a restore of the site is in progress");
		return 0;
	}
	for (size_t i = 0; i < runs.v[0].archives.n; i++) {
		rc = delete_archive(p, line->run.uuid, &runs.v[0].archives.v[i], why, e);
		if (rc < 0)
			return -1;
		left = left || rc > 0;
	}
	if (left) {
		str_cut(line->why, sizeof(line->why), why);
		return 0;
	}
	if (expire_forget(p->o->config, p->o->catalogue, &runs.v[0], e))
		return -1;
	line->fate = FATE_DELETED;
	return 0;
}

static int delete_run(struct pass *p, struct expire_line *line, struct err *e)
{
	bool fresh = line->fate == FATE_DUE;

	if (try_run(p, line, e))
		return -1;
	return fresh && line->fate == FATE_PENDING ? tell_pending(p, line->run.uuid, e) : 0;
}

static int delete_all(const struct expire_opts *o, struct expire_report *ret, struct err *e)
{
	struct pass p = {.o = o};
	int rc = 0;

	/* the oldest first: whatever ends this in the middle, the newer are there */
	for (size_t i = ret->n; i > 0 && rc == 0 && !(o->stop && o->stop()); i--)
		if (ret->v[i - 1].fate == FATE_DUE || ret->v[i - 1].fate == FATE_PENDING)
			rc = delete_run(&p, &ret->v[i - 1], e);
	list_done(&p.away);
	return rc;
}

static void sum_up(struct expire_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct expire_line *line = &r->v[i];

		r->kept += line->fate == FATE_KEPT;
		r->due += line->fate == FATE_DUE;
		r->deleted += line->fate == FATE_DELETED;
		r->pending += line->fate == FATE_PENDING;
		if (line->fate == FATE_DELETED)
			r->freed += line->run.size;
	}
}

int expire_site(const struct expire_opts *o, struct expire_report *ret, struct err *e)
{
	CLEANUP(lock_releasep) struct lock *lock = NULL;
	char uuid[UUID_TEXT];
	const struct lock_opts hold = {.site = o->site, .parts = LOCK_PRUNE, .uuid = uuid};
	struct run_briefs runs = {0};
	int rc = 0;

	*ret = (struct expire_report){0};
	random_uuid(uuid);
	if (!o->dry_run && lock_take(&lock, &hold, e))
		return -1;
	if (catalogue_briefs(o->catalogue, o->site, &runs, e))
		return -1;
	look_frozen(&runs, o->site, ret->frozen);
	decide_all(o, &runs, ret);
	list_done(&runs);
	if (!o->dry_run && !*ret->frozen)
		rc = delete_all(o, ret, e);
	sum_up(ret);
	return rc;
}
