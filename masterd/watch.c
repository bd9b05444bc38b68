/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/watch.h"

#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/str.h"
#include "shared/units.h"

enum { DISK_CRITICAL = 95, INODES_FULL = 90, HOUR_MS = 3600 * 1000, MINUTE_MS = 60 * 1000, WHEN = 24, DAY_H = 24 };

bool watch_opens_late(enum alert_kind k)
{
	return k == ALERT_DISK_FULL || k == ALERT_CLOCK_OFF;
}

bool watch_closes_late(enum alert_kind k)
{
	return k == ALERT_DISK_FULL || k == ALERT_CLOCK_OFF || k == ALERT_NODE_SILENT || k == ALERT_DISK_FORECAST ||
	       k == ALERT_STORAGE_REFUSING;
}

static const char *when(char text[static WHEN], int64_t ms)
{
	return clock_format(text, WHEN, "%Y-%m-%d %H:%M UTC", ms);
}

/* A text of the database must stay valid where it was cut. */
static void mend(char *text)
{
	size_t n = strlen(text);

	while (n && !str_utf8_valid(text, n))
		text[--n] = '\0';
}

static struct condition *found(struct conditions *l, enum alert_kind kind, enum severity severity, const char *ref)
{
	struct condition *c = list_push(l);

	c->kind = kind;
	c->severity = severity;
	str_cut(c->ref, sizeof(c->ref), ref);
	mend(c->ref);
	return c;
}

static void PRINTF(2, 3) because(struct condition *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->cause, sizeof(c->cause), fmt, ap);
	va_end(ap);
	mend(c->cause);
}

static void PRINTF(2, 3) then(struct condition *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->next_step, sizeof(c->next_step), fmt, ap);
	va_end(ap);
	mend(c->next_step);
}

static void stamp(struct condition *c, int64_t ms)
{
	snprintf(c->stamp, sizeof(c->stamp), "%lld", (long long)ms);
}

/* ---- runs and timers */

static void look_missed(const struct watch *w, struct conditions *l)
{
	for (size_t i = 0; i < w->n_expected; i++) {
		const struct expected *x = &w->expected[i];
		struct condition *c;
		char at[WHEN];

		if (!x->missed)
			continue;
		c = found(l, ALERT_MISSED_RUN, SEVERITY_CRITICAL, x->timer);
		stamp(c, x->missed);
		if (x->times > 1)
			because(c, "timer %s should have fired at %s and did not, %lld times in a row", x->timer,
				when(at, x->missed), (long long)x->times);
		else
			because(c, "timer %s should have fired at %s and did not", x->timer, when(at, x->missed));
		then(c, "On the node: systemctl status felloe-backup@%s.timer; was the machine off then? Run one now: "
			"felloe-noded backup", x->timer);
	}
}

static const char *advice(const char *error_kind)
{
	static const struct {
		const char *kind, *text;
	} table[] = {
		{"storage", "Check the storage from the node: felloe-noded check"},
		{"denied", "Check the passwords and keys that the node uses: felloe-noded check"},
		{"forbidden", "Check the rights of the keys that the node uses: felloe-noded check"},
		{"space", "Make room on the disk or the storage, then run it again: felloe-noded backup"},
		{"net", "Check names, routes and firewalls from the node: felloe-noded check"},
		{"db", "Check the database server of the site, then run it again: felloe-noded backup"},
		{"config", "Mend the node's configuration: felloe-noded check tells where"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (str_eq(table[i].kind, error_kind))
			return table[i].text;
	return "Read the run's log";
}

static void look_site(const struct live_site *s, struct conditions *l)
{
	bool suspect = s->state == RUN_SUSPECT, aborted = s->state == RUN_ABORTED;
	struct condition *c;
	char at[WHEN];

	if (!s->began || (s->state != RUN_FAILED && !aborted && !suspect))
		return;
	c = found(l, suspect ? ALERT_SUSPECT_RUN : ALERT_FAILED_RUN, aborted ? SEVERITY_WARNING : SEVERITY_CRITICAL, s->name);
	str_cut(c->stamp, sizeof(c->stamp), s->uuid);
	str_cut(c->run, sizeof(c->run), s->uuid);
	because(c, "the backup of %s %s at %s%s%s", s->name,
		suspect ? "ended and cannot be relied on" : aborted ? "was aborted" : "failed", when(at, s->ended),
		s->error[0] ? ": " : "", s->error);
	if (suspect && str_eq(s->error_kind, "damaged"))
		then(c, "The older backups stand; make a new one on the node: felloe-noded backup %s. To look at this one again: felloe-noded "
			"verify %s --run %.8s", s->name, s->name, s->uuid);
	else if (suspect)
		then(c, "Look at what changed on the site; when that is right, on the node: felloe-noded accept %s", s->name);
	else
		then(c, "%s; details: felloe run %s", advice(s->error_kind), s->uuid);
}

/* Who needs one of that day would find it useless only then. */
static void look_damaged(const struct live_site *s, struct conditions *l)
{
	size_t n, held;
	const struct live_damaged *last = health_damaged(s, &n, &held);
	struct condition *c;
	char at[WHEN], by_hand[64] = "";

	if (!last)
		return;
	c = found(l, ALERT_DAMAGED_RUN, held ? SEVERITY_CRITICAL : SEVERITY_WARNING, s->name);
	str_cut(c->stamp, sizeof(c->stamp), last->uuid);
	str_cut(c->run, sizeof(c->run), last->uuid);
	if (held)
		snprintf(by_hand, sizeof(by_hand), ", %zu of them held by hand", held);
	if (n == 1)
		because(c, "the backup of %s of %s is kept%s and is damaged", s->name, when(at, last->began),
			held ? ", held by hand," : "");
	else
		because(c, "%zu older backups of %s are kept%s, and are damaged: that of %s was found last", n, s->name, by_hand,
			when(at, last->began));
	then(c, "Put the archive back from a copy, then on the node: felloe-noded verify %s --run %.8s. It ends, too, when the rules do "
		"not keep the run any more", s->name, last->uuid);
}

/* Storages that the node says refuse it; others may have taken the backups meanwhile. */
static void look_storages(const struct live_node *n, struct conditions *l)
{
	bool other = false;
	char at[WHEN];

	for (size_t i = 0; i < n->last.storages.n; i++)
		other |= str_eq(n->last.storages.v[i].state, "ok");
	for (size_t i = 0; i < n->last.storages.n; i++) {
		const struct wire_storage *s = &n->last.storages.v[i];
		struct condition *c;

		if (!str_eq(s->state, "failing"))
			continue;
		c = found(l, ALERT_STORAGE_REFUSING, other ? SEVERITY_WARNING : SEVERITY_CRITICAL, s->name);
		stamp(c, s->last_failed);
		because(c, "storage %s refused at %s%s%s", s->name, when(at, s->last_failed), s->error[0] ? ": " : "", s->error);
		then(c, "%s", advice("storage"));
	}
}

/* What the storage of a node that does not tell of its storages said, once, whatever number of sites it hit. */
static void look_storage(const struct live_node *n, struct conditions *l)
{
	const struct live_site *newest = NULL;
	struct condition *c;
	size_t hit = 0;

	for (size_t i = 0; i < n->sites.n; i++) {
		const struct live_site *s = &n->sites.v[i];

		if (s->state != RUN_FAILED || !s->began || !str_eq(s->error_kind, "storage"))
			continue;
		hit++;
		if (!newest || s->ended > newest->ended)
			newest = s;
	}
	if (!hit)
		return;
	c = found(l, ALERT_STORAGE_REFUSING, SEVERITY_CRITICAL, "");
	str_cut(c->stamp, sizeof(c->stamp), newest->uuid);
	str_cut(c->run, sizeof(c->run), newest->uuid);
	because(c, "a storage refused the backup of %zu site%s, of %s last: %s", hit, hit > 1 ? "s" : "", newest->name,
		newest->error);
	then(c, "%s", advice("storage"));
}

/* A timer whose service ended badly without a run that tells why. */
static void look_timer(const struct live_node *n, const struct wire_timer *t, struct conditions *l)
{
	struct condition *c;
	char at[WHEN];

	if (!t->last || !t->result[0] || str_eq(t->result, "success") || t->running)
		return;
	for (size_t i = 0; i < n->sites.n; i++)
		if (str_eq(n->sites.v[i].timer, t->name) && n->sites.v[i].started >= t->last - MINUTE_MS)
			return;
	c = found(l, ALERT_FAILED_RUN, SEVERITY_CRITICAL, t->name);
	snprintf(c->ref, sizeof(c->ref), "%s.timer", t->name);
	stamp(c, t->last);
	because(c, "timer %s fired at %s and its service ended with %s before a backup began", t->name, when(at, t->last),
		t->result);
	then(c, "On the node: journalctl -u felloe-backup@%s.service", t->name);
}

/* ---- the age of backups */

static const struct expected *expected_of(const struct watch *w, const char *timer)
{
	for (size_t i = 0; i < w->n_expected; i++)
		if (str_eq(w->expected[i].timer, timer))
			return &w->expected[i];
	return NULL;
}

static void tell_old(struct conditions *l, const char *site, int64_t good_at, const char *why)
{
	struct condition *c = found(l, ALERT_BACKUP_OLD, SEVERITY_CRITICAL, site);
	char at[WHEN];

	stamp(c, good_at);
	if (good_at)
		because(c, "the last good backup of %s is of %s, %s", site, when(at, good_at), why);
	else
		because(c, "%s has never had a good backup, %s", site, why);
	then(c, "See why (felloe runs), then run one: felloe-noded backup %s", site);
}

/* Beyond the schedule of its timer: the last two firings brought none. Without
 * one that is known: older than the limit. */
static void look_age(const struct watch *w, const struct live_node *n, const struct live_site *s, struct conditions *l)
{
	const struct expected *x = s->timer[0] ? expected_of(w, s->timer) : NULL;
	int64_t base = s->good_at ? s->good_at : n->n.approved, limit = w->limits->backup_old_h * HOUR_MS;
	char span[UNITS_TEXT], why[128];

	if (x && x->due && x->before && x->period) {
		if (base >= x->before - x->period - MINUTE_MS)
			return;
		snprintf(why, sizeof(why), "though timer %s is to make one every %s", s->timer, units_span(span, x->period));
		tell_old(l, s->name, s->good_at, why);
	} else if (w->now - base > limit) {
		snprintf(why, sizeof(why), "more than %lld h ago", (long long)w->limits->backup_old_h);
		tell_old(l, s->name, s->good_at, s->good_at ? why : "though it was tried");
	}
}

/* Sites that the node named when it joined and that never had a run. */
static void look_named(const struct watch *w, const struct live_node *n, struct conditions *l)
{
	if (w->now - n->n.approved <= w->limits->backup_old_h * HOUR_MS)
		return;
	for (const struct json *c = json_first(json_get(n->facts, "sites")); c; c = json_next(c)) {
		const char *name = json_str(c) ? json_str(c) : json_get_str(c, "name", NULL);
		bool known = !str_is_name(str_or(name, ""));

		for (size_t i = 0; i < n->sites.n && !known; i++)
			known = str_eq(n->sites.v[i].name, name);
		if (!known)
			tell_old(l, name, 0, "since it joined");
	}
}

/* ---- the machine */

static void look_disk(const struct watch *w, const struct wire_disk *d, struct conditions *l)
{
	bool space = d->percent >= (double)w->limits->disk_percent, inodes = d->inodes_percent >= INODES_FULL;
	bool critical = d->percent >= DISK_CRITICAL || d->inodes_percent >= DISK_CRITICAL;
	struct condition *c;
	char left[UNITS_TEXT];

	if (!space && !inodes)
		return;
	c = found(l, ALERT_DISK_FULL, critical ? SEVERITY_CRITICAL : SEVERITY_WARNING, d->mount);
	if (space && d->total > d->used && d->used >= 0)
		because(c, "%s is %.0f %% full, %s left", d->mount, d->percent,
			units_bytes(left, (uint64_t)(d->total - d->used)));
	else if (space)
		because(c, "%s is %.0f %% full", d->mount, d->percent);
	else
		because(c, "%s has used %.0f %% of its inodes", d->mount, d->inodes_percent);
	then(c, "Make room below %s, or a larger disk; a backup needs room for what it is about to send", d->mount);
}

static void look_disks(const struct watch *w, const struct live_node *n, struct conditions *l)
{
	for (size_t i = 0; i < n->last.disks.n; i++)
		look_disk(w, &n->last.disks.v[i], l);
	if (!n->last.disks.n && n->last.disk >= (double)w->limits->disk_percent) {
		struct condition *c = found(l, ALERT_DISK_FULL,
					    n->last.disk >= DISK_CRITICAL ? SEVERITY_CRITICAL : SEVERITY_WARNING, "");

		because(c, "a disk is %.0f %% full", n->last.disk);
		then(c, "See which: df -h on the node");
	}
}

static bool is_full(const struct watch *w, const struct live_node *n, const char *mount)
{
	for (size_t i = 0; i < n->last.disks.n; i++)
		if (str_eq(n->last.disks.v[i].mount, mount))
			return n->last.disks.v[i].percent >= (double)w->limits->disk_percent;
	return true; /* it is gone */
}

static void look_filling(const struct watch *w, const struct live_node *n, struct conditions *l)
{
	for (size_t i = 0; i < w->n_filling; i++) {
		const struct filling *f = &w->filling[i];
		struct condition *c;

		if (f->days >= (double)w->limits->forecast_days || is_full(w, n, f->mount))
			continue;
		c = found(l, ALERT_DISK_FORECAST, SEVERITY_WARNING, f->mount);
		because(c, "%s will be full in about %.0f day%s: it grew by %.1f %% a day over the last %lld days", f->mount,
			f->days < 1 ? 1 : f->days, f->days < 1.5 ? "" : "s", f->per_day,
			(long long)(f->span / HOUR_MS / DAY_H));
		then(c, "Find what grows below %s, make room, or a larger disk", f->mount);
	}
}

static void look_presence(const struct watch *w, const struct live_node *n, struct conditions *l)
{
	int64_t from = w->silent || n->seen > w->since ? n->seen : w->since;
	struct condition *c;
	char at[WHEN];

	if (!n->seen && n->n.approved && w->now - n->n.approved > w->limits->key_unused_h * HOUR_MS) {
		c = found(l, ALERT_KEY_UNUSED, SEVERITY_WARNING, "");
		because(c, "approved at %s, and it has never reported", when(at, n->n.approved));
		then(c, "On the node: systemctl status felloe-noded. If nobody knows it any more: block it");
	}
	if (n->seen && w->now - from > w->limits->silent_after_s * 1000) {
		c = found(l, ALERT_NODE_SILENT, SEVERITY_CRITICAL, "");
		because(c, "no report since %s", when(at, n->seen));
		then(c, "Is the machine on, and can it reach the master? On the node: felloe-noded status");
	}
	if (n->n.clone) {
		c = found(l, ALERT_CLONE, SEVERITY_CRITICAL, "");
		stamp(c, n->n.clone->since);
		because(c, "two machines use one key since %s: %.63s, which is believed, and %.63s", when(at, n->n.clone->since),
			n->n.clone->owner_peer, n->n.clone->other_peer);
		then(c, "Give one of them an identity of its own: felloe-noded join there; or a new key for this one");
	}
	if (n->skewed) {
		c = found(l, ALERT_CLOCK_OFF, SEVERITY_WARNING, "");
		because(c, "its clock is off by more than 5 min");
		then(c, "Turn time synchronization on: timedatectl set-ntp true");
	}
}

void watch_node(const struct watch *w, const struct live_node *n, struct conditions *ret)
{
	if (n->n.state != NODE_ACTIVE)
		return;
	look_presence(w, n, ret);
	if (!n->seen)
		return;
	look_missed(w, ret);
	for (size_t i = 0; i < n->sites.n; i++) {
		look_site(&n->sites.v[i], ret);
		look_damaged(&n->sites.v[i], ret);
		look_age(w, n, &n->sites.v[i], ret);
	}
	look_named(w, n, ret);
	look_storages(n, ret);
	if (!n->last.storages.n)
		look_storage(n, ret);
	for (size_t i = 0; i < n->last.timers.n; i++)
		look_timer(n, &n->last.timers.v[i], ret);
	look_disks(w, n, ret);
	look_filling(w, n, ret);
}
