/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/health.h"

#include <stdio.h>

#include "shared/str.h"

enum { DISK_WARN = 85, DISK_FAIL = 95, INODES_WARN = 90, ONLINE_BEATS = 3, STALE_BEATS = 6 };

static const char *const names[HEALTHS] = {"failed", "warn", "offline", "running", "paused", "waiting", "ok"};
static const char *const live_names[] = {"online", "stale", "offline"};

const char *health_name(enum health h)
{
	return names[h];
}

int health_from(enum health *ret, const char *name)
{
	for (size_t i = 0; i < HEALTHS; i++)
		if (str_eq(names[i], name)) {
			*ret = (enum health)i;
			return 0;
		}
	return -1;
}

const char *liveness_name(enum liveness l)
{
	return live_names[l];
}

static void PRINTF(3, 4) because(struct live_node *n, enum health h, const char *fmt, ...)
{
	char whole[2 * REASON_TEXT];
	va_list ap;

	if (h < n->health)
		n->health = h;
	if (n->n_reasons >= REASONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	str_shorten(n->reasons[n->n_reasons++], REASON_TEXT, whole);
}

const struct live_damaged *health_damaged(const struct live_site *s, size_t *n, size_t *held)
{
	const struct live_damaged *last = NULL;

	*n = *held = 0;
	for (size_t i = 0; i < s->damaged.n; i++) {
		const struct live_damaged *d = &s->damaged.v[i];

		if (str_eq(d->uuid, s->uuid))
			continue;
		(*n)++;
		*held += d->held;
		if (!last || d->found > last->found || (d->found == last->found && d->began > last->began))
			last = d;
	}
	return last;
}

static void judge_damaged(struct live_node *n, const struct live_site *s)
{
	size_t many, held;

	if (!health_damaged(s, &many, &held))
		return;
	because(n, held ? H_FAILED : H_WARN, "%zu older backup%s of %s that %s kept %s damaged%s", many, many > 1 ? "s" : "", s->name,
		many > 1 ? "are" : "is", many > 1 ? "are" : "is", held ? "; held by hand" : "");
}

static void judge_sites(struct live_node *n)
{
	for (size_t i = 0; i < n->sites.n; i++) {
		const struct live_site *s = &n->sites.v[i];

		judge_damaged(n, s);
		if (s->running_since)
			because(n, H_RUNNING, "%s is being backed up", s->name);
		if (!s->began || s->state == RUN_OK)
			continue;
		if (s->state == RUN_WARNING)
			because(n, H_WARN, "last backup of %s ended with warnings", s->name);
		else
			because(n, s->state == RUN_ABORTED ? H_WARN : H_FAILED, "last backup of %s %s%s%s", s->name,
				s->state == RUN_FAILED ? "failed" : s->state == RUN_ABORTED ? "was aborted" : "is suspect",
				s->error[0] ? ": " : "", s->error);
	}
}

static void judge_told(struct live_node *n)
{
	for (size_t i = 0; i < n->told.n; i++) {
		const struct live_told *t = &n->told.v[i];

		because(n, t->severity == SEVERITY_CRITICAL ? H_FAILED : H_WARN, "%s", t->cause);
	}
}

/* Of those that the node named when it joined: has it never had a run? */
static bool never_ran(const struct live_node *n, const char *name)
{
	for (size_t i = 0; i < n->sites.n; i++)
		if (str_eq(n->sites.v[i].name, name))
			return false;
	return name != NULL;
}

int64_t health_good_age(const struct live_node *n, int64_t now, unsigned *never)
{
	int64_t age = -1;

	*never = 0;
	for (size_t i = 0; i < n->sites.n; i++) {
		const struct live_site *s = &n->sites.v[i];

		if (!s->good_at)
			(*never)++;
		else if (now - s->good_at > age)
			age = now > s->good_at ? now - s->good_at : 0;
	}
	for (const struct json *c = json_first(json_get(n->facts, "sites")); c; c = json_next(c))
		*never += never_ran(n, json_str(c) ? json_str(c) : json_get_str(c, "name", NULL));
	return age;
}

static void judge_sample(struct live_node *n)
{
	for (size_t i = 0; i < n->last.disks.n; i++) {
		const struct wire_disk *d = &n->last.disks.v[i];

		if (d->percent >= DISK_WARN)
			because(n, d->percent >= DISK_FAIL ? H_FAILED : H_WARN, "%.80s is %.0f %% full", d->mount,
				d->percent);
		else if (d->inodes_percent >= INODES_WARN)
			because(n, H_WARN, "%.80s has used %.0f %% of its inodes", d->mount, d->inodes_percent);
	}
	if (!n->last.disks.n && n->last.disk >= DISK_WARN)
		because(n, n->last.disk >= DISK_FAIL ? H_FAILED : H_WARN, "a disk is %.0f %% full", n->last.disk);
	for (size_t i = 0; i < n->last.timers.n; i++) {
		const struct wire_timer *t = &n->last.timers.v[i];

		if (t->paused)
			because(n, H_PAUSED, "timer %s is paused", t->name);
		if (t->result[0] && !str_eq(t->result, "success") && !t->running)
			because(n, H_WARN, "timer %s ended with %s", t->name, t->result);
	}
	if (n->n.clone)
		because(n, H_WARN, "two machines use this key: %s and %s", n->n.clone->owner_peer, n->n.clone->other_peer);
	if (n->skewed)
		because(n, H_WARN, "its clock is off by more than 5 min: is time synchronization on?");
	if (n->last.active_backups > 0 && n->health > H_RUNNING)
		because(n, H_RUNNING, "a backup is running");
}

bool health_judge(struct live_node *n, int64_t now, int64_t heartbeat_ms)
{
	enum health health = n->health;
	enum liveness liveness = n->liveness;
	unsigned n_reasons = n->n_reasons;
	int64_t age = now - n->seen;

	n->health = H_OK;
	n->n_reasons = 0;
	n->liveness = age <= ONLINE_BEATS * heartbeat_ms ? L_ONLINE
		      : age <= STALE_BEATS * heartbeat_ms ? L_STALE : L_OFFLINE;
	if (n->n.state == NODE_BLOCKED) {
		because(n, H_OFFLINE, "%s", n->n.reason[0] ? n->n.reason : "blocked");
	} else if (n->n.state == NODE_PENDING) {
		because(n, H_WAITING, n->join.name_in_use ? "waits for approval; its name is in use" : "waits for approval");
	} else if (!n->seen) {
		n->health = H_WAITING;
		because(n, H_WAITING, "approved, has not reported yet");
	} else {
		if (n->liveness == L_OFFLINE)
			because(n, H_OFFLINE, "silent since its last report");
		judge_sites(n);
		judge_told(n);
		judge_sample(n);
	}
	return health != n->health || liveness != n->liveness || n_reasons != n->n_reasons;
}
