/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/check_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "noded/run/catalogue.h"
#include "noded/run/keep.h"
#include "noded/run/lost.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum {
	ROUNDS_FREE = 3,          /* a storage with less room than for so many runs of all sites is nearly full */
	FEW_BYTES = 64 << 20,     /* too little for any directory that runs write to */
	WHATS = 3,                /* "db", "files", "db+files" */
};

/* ---- what a run takes */

struct room {
	struct check *r;
	const struct config *c;
	struct catalogue *catalogue;
	bool forever;         /* there are timers that never delete, or none at all */
	int64_t most, round;  /* bytes: what the next run needs that needs most, what all sites need */
	char site[WIRE_NAME]; /* whose run that is, "" nothing was stored yet */
};

/* Of the newest good run of each kind ("db", "files", "db+files") the largest; 0 there is none. */
static int64_t last_size(struct catalogue *c, const char *site)
{
	struct run_briefs runs = {0};
	char seen[WHATS][sizeof(runs.v->what)] = {{0}};
	size_t n = 0;
	int64_t most = 0;
	struct err ignored; /* the records are another check's */

	if (catalogue_briefs(c, site, &runs, &ignored))
		return 0;
	for (size_t i = 0; i < runs.n && n < WHATS; i++) {
		const struct run_brief *b = &runs.v[i];
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known = known || str_eq(seen[k], b->what);
		if (known || !run_state_good(b->state) || !b->archives)
			continue;
		str_cut(seen[n++], sizeof(seen[0]), b->what);
		most = b->size > most ? b->size : most;
	}
	list_done(&runs);
	return most;
}

/* A run asks for a fifth more than its last one took. */
static void size_up(struct room *m)
{
	for (size_t i = 0; i < m->c->sites.n; i++) {
		int64_t need = last_size(m->catalogue, m->c->sites.v[i].name);

		need += need / 5;
		m->round += need;
		if (need <= m->most)
			continue;
		m->most = need;
		str_cut(m->site, sizeof(m->site), m->c->sites.v[i].name);
	}
}

static bool free_in(const char *dir, int64_t *ret)
{
	struct statvfs v;

	if (statvfs(dir, &v))
		return false;
	*ret = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
	return true;
}

/* ---- disks */

static void check_disk(const struct room *m, const struct storage *s, size_t at)
{
	char path[60], text[3][UNITS_TEXT];
	int64_t room;

	if (!str_eq(s->type, "dir") || s->weight <= 0 || !free_in(s->path, &room))
		return;
	snprintf(path, sizeof(path), "storage[%zu].path", at);
	units_bytes(text[0], (uint64_t)room);
	units_bytes(text[1], (uint64_t)m->most);
	if (*m->site && room < m->most)
		check_add(&m->r->failures, path, "storage %s: %s are free in %s, the next backup of %s needs about %s and will be "
			  "refused; felloe-noded prune --dry-run shows what is kept", s->name, text[0], s->path, m->site, text[1]);
	else if (*m->site && room / ROUNDS_FREE < m->round)
		check_add(&m->r->warnings, path, "storage %s is nearly full: %s are free in %s, one backup of each site needs about %s; "
			  "felloe-noded prune --dry-run shows what is kept", s->name, text[0], s->path,
			  units_bytes(text[2], (uint64_t)m->round));
	else if (!*m->site && room < FEW_BYTES)
		check_add(&m->r->warnings, path, "storage %s: only %s are free in %s", s->name, text[0], s->path);
}

/* What it holds while a run goes on: purpose. */
static void check_few(struct check *r, const char *dir, const char *purpose)
{
	char text[UNITS_TEXT];
	int64_t room;

	if (free_in(dir, &room) && room < FEW_BYTES)
		check_add(&r->warnings, dir, "only %s are free: %s", units_bytes(text, (uint64_t)room), purpose);
}

void check_own_room(struct check *r, const struct config *c)
{
	CLEANUP(freep) char *state = fs_state_dir("node");
	char purpose[200] = "records of runs are kept here";
	bool spool = false;

	for (size_t i = 0; i < c->storages.n; i++)
		spool = spool || (str_eq(c->storages.v[i].type, "s3") && c->storages.v[i].weight > 0 && c->spool_gb > 0);
	if (spool)
		snprintf(purpose, sizeof(purpose), "records of runs are kept here, and up to %" PRId64 " GB of a backup wait here for a "
			 "slow upload (limits.spool_gb)", c->spool_gb);
	check_few(r, state, purpose);
	check_few(r, str_or(getenv("TMPDIR"), "/var/tmp"), "the index of a large backup is sorted here (TMPDIR)");
}


/* ---- limits and growth */

/* Where timers never delete: when will the storage be full, as the last 30 days went? */
static void check_growth(struct check *r, const struct storage *s, const char *path, int64_t used, struct catalogue *catalogue)
{
	static const int64_t day = 24 * 3600 * 1000LL;
	struct storage_growth g;
	char date[32];
	int64_t span;
	struct err e;
	double days;

	if (catalogue_growth(catalogue, s->name, clock_ms() - 30 * day, &g, &e) || g.runs < 2 || g.bytes <= 0)
		return;
	span = clock_ms() - g.first > day ? clock_ms() - g.first : day;
	days = used < s->limit_bytes ? (double)(s->limit_bytes - used) * (double)span / (double)g.bytes / (double)day : 0;
	if (days > 365)
		return;
	clock_format(date, sizeof(date), "%Y-%m-%d", clock_ms() + (int64_t)(days * (double)day));
	check_add(&r->warnings, path, "storage %s reaches its limit about %s as it grows now: there are timers that never delete",
		  s->name, date);
}

static void check_storage_room(const struct room *m, const struct storage *s, size_t at)
{
	char path[60], text[2][UNITS_TEXT];
	int64_t used;
	struct err e;

	snprintf(path, sizeof(path), "storage[%zu].storage_limit_gb", at);
	if (catalogue_used(m->catalogue, s->name, &used, &e))
		return;
	if (used / 4 >= s->limit_bytes / 5)
		check_add(&m->r->warnings, path, "storage %s is almost full, %s of %s are used; felloe-noded prune --dry-run shows what is kept",
			  s->name, units_bytes(text[0], (uint64_t)used), units_bytes(text[1], (uint64_t)s->limit_bytes));
	else if (m->forever)
		check_growth(m->r, s, path, used, m->catalogue);
}

static void check_lost(struct check *r, const struct config *c, struct catalogue *catalogue)
{
	struct storage_uses lost;
	char text[ERR_MSG_MAX];
	struct err e;

	if (lost_storages(c, catalogue, &lost, &e)) {
		check_add(&r->warnings, "storage", "%s", e.msg);
		return;
	}
	for (size_t i = 0; i < lost.n; i++) {
		lost_text(&lost.v[i], text);
		check_add(&r->warnings, "storage", "%s", text);
	}
	list_done(&lost);
}

void check_room(struct check *r, const struct config *c)
{
	CLEANUP(catalogue_closep) struct catalogue *catalogue = NULL;
	struct room m = {.r = r, .c = c, .forever = !c->timers.n};
	struct err e;

	for (size_t i = 0; i < c->timers.n; i++)
		m.forever = m.forever || !keep_any(&c->timers.v[i].keep);
	if (catalogue_open(&catalogue, &e)) /* its directory is told by check_local */
		return;
	m.catalogue = catalogue;
	size_up(&m);
	for (size_t i = 0; i < c->storages.n; i++) {
		check_storage_room(&m, &c->storages.v[i], i);
		check_disk(&m, &c->storages.v[i], i);
	}
	check_lost(r, c, catalogue);
}
