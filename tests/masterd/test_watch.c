/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/watch.c"

#include <stdlib.h>

#include "tests/unit.h"

enum { DAY_MS = 24 * HOUR_MS };
static const int64_t now = 1795436135000; /* 2026-11-23 12:15:35 */
static const struct config_alerts limits = {.missed_grace_s = 900, .silent_after_s = 300, .disk_percent = 90, .forecast_days = 7,
					    .key_unused_h = 24, .backup_old_h = 192};

static struct live_node node(void)
{
	struct live_node n = {.has_sample = true, .seen = now - 1000};

	n.n.state = NODE_ACTIVE;
	n.n.approved = now - 100 * (int64_t)DAY_MS;
	wire_sample_init(&n.last);
	n.last.cpu = n.last.disk = 10;
	return n;
}

static struct live_site *site(struct live_node *n, enum run_state state, const char *error_kind, const char *error)
{
	struct live_site *s = list_push(&n->sites);

	str_cut(s->name, sizeof(s->name), "shop");
	str_cut(s->uuid, sizeof(s->uuid), "u-1");
	s->began = s->started = now - 60000;
	s->ended = s->good_at = now - 30000;
	s->state = state;
	str_cut(s->error, sizeof(s->error), error);
	str_cut(s->error_kind, sizeof(s->error_kind), error_kind);
	return s;
}

/* Exactly these kinds, in this order, the first with this cause. */
static void finds(struct watch *w, struct live_node *n, const char *kinds, const char *cause)
{
	struct conditions l = {0};
	char got[256] = "";

	w->limits = &limits;
	w->now = now;
	watch_node(w, n, &l);
	for (size_t i = 0; i < l.n; i++) {
		size_t len = strlen(got);

		snprintf(got + len, sizeof(got) - len, "%s%s:%s", i ? " " : "", alert_kind_name(l.v[i].kind), l.v[i].ref);
		assert_true(l.v[i].cause[0] && l.v[i].next_step[0]);
	}
	assert_string_equal(got, kinds);
	if (cause)
		assert_string_equal(l.v[0].cause, cause);
	list_done(&l);
	list_done(&n->sites);
	json_free(n->facts);
	wire_sample_done(&n->last);
}

static void nothing_is_wrong_with_a_good_node(void **state)
{
	struct live_node n = node();
	struct watch w = {0};

	(void)state;
	site(&n, RUN_OK, "", "");
	finds(&w, &n, "", NULL);
}

static void bad_runs_are_told_by_their_site(void **state)
{
	struct live_node failed = node(), aborted = node(), suspect = node(), refused = node();
	struct watch w = {0};

	(void)state;
	site(&failed, RUN_FAILED, "db", "shop: server has gone away");
	finds(&w, &failed, "failed_run:shop", "the backup of shop failed at 2026-11-23 12:15 UTC: shop: server has gone away");
	site(&aborted, RUN_ABORTED, "", "");
	finds(&w, &aborted, "failed_run:shop", "the backup of shop was aborted at 2026-11-23 12:15 UTC");
	site(&suspect, RUN_SUSPECT, "", "");
	finds(&w, &suspect, "suspect_run:shop", NULL);
	site(&refused, RUN_FAILED, "storage", "s3-a: 403 AccessDenied");
	finds(&w, &refused, "failed_run:shop storage_refusing:", NULL);
}

static void damaged(struct live_site *s, const char *uuid, int64_t began, bool held)
{
	struct live_damaged *d = list_push(&s->damaged);

	*d = (struct live_damaged){.began = began, .found = began, .held = held};
	str_cut(d->uuid, sizeof(d->uuid), uuid);
}

static void older_runs_that_are_damaged_are_told_once(void **state)
{
	struct live_node one = node(), more = node(), last = node();
	struct watch w = {0};
	struct live_damaged *lists[3];

	(void)state;
	site(&one, RUN_OK, "", "");
	damaged(&one.sites.v[0], "u-0", now - DAY_MS, false);
	lists[0] = one.sites.v[0].damaged.v;
	finds(&w, &one, "damaged_run:shop", "the backup of shop of 2026-11-22 12:15 UTC is kept and is damaged");
	site(&more, RUN_OK, "", "");
	damaged(&more.sites.v[0], "u-0", now - DAY_MS, false);
	damaged(&more.sites.v[0], "u-9", now - 2 * DAY_MS, true);
	lists[1] = more.sites.v[0].damaged.v;
	finds(&w, &more, "damaged_run:shop", "2 older backups of shop are kept, 1 of them held by hand, and are damaged: that of "
		"2026-11-22 12:15 UTC was found last");
	/* the last one has a condition of its own */
	site(&last, RUN_SUSPECT, "damaged", "damaged: x");
	damaged(&last.sites.v[0], "u-1", now - 60000, false);
	lists[2] = last.sites.v[0].damaged.v;
	finds(&w, &last, "suspect_run:shop", NULL);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		free(lists[i]);
}

static struct wire_storage *storage(struct live_node *n, const char *name, const char *state)
{
	struct wire_storage *s = list_push(&n->last.storages);

	str_cut(s->name, sizeof(s->name), name);
	str_cut(s->state, sizeof(s->state), state);
	return s;
}

static void a_storage_that_refuses_is_told_by_its_name(void **state)
{
	struct live_node all = node(), one = node(), was = node();
	struct watch w = {0};
	struct wire_storage *s;

	(void)state;
	s = storage(&one, "s3-a", "failing");
	s->last_failed = now - 60000;
	str_cut(s->error, sizeof(s->error), "403 AccessDenied");
	storage(&one, "s3-b", "ok");
	site(&one, RUN_OK, "", "");
	finds(&w, &one, "storage_refusing:s3-a", "storage s3-a refused at 2026-11-23 12:14 UTC: 403 AccessDenied");
	storage(&all, "s3-a", "failing");
	storage(&all, "s3-b", "failing");
	site(&all, RUN_FAILED, "storage", "s3-b: 403 AccessDenied");
	finds(&w, &all, "failed_run:shop storage_refusing:s3-a storage_refusing:s3-b", NULL);
	storage(&was, "s3-a", "ok");
	storage(&was, "s3-b", "drained");
	site(&was, RUN_FAILED, "storage", "s3-b: 403 AccessDenied");
	finds(&w, &was, "failed_run:shop", NULL);
}

static void a_service_that_dies_before_its_run_is_told(void **state)
{
	struct live_node n = node(), told = node();
	struct wire_timer *t = list_push(&n.last.timers);
	struct watch w = {0};

	(void)state;
	str_cut(t->name, sizeof(t->name), "nightly");
	str_cut(t->result, sizeof(t->result), "exit-code");
	t->last = now - 60000;
	*list_push(&told.last.timers) = *t;
	finds(&w, &n, "failed_run:nightly.timer",
	      "timer nightly fired at 2026-11-23 12:14 UTC and its service ended with exit-code before a backup began");
	str_cut(site(&told, RUN_FAILED, "", "")->timer, WIRE_NAME, "nightly");
	finds(&w, &told, "failed_run:shop", NULL);
}

static void a_backup_is_old_when_two_firings_brought_none(void **state)
{
	struct expected x = {.timer = "nightly", .due = now + HOUR_MS, .before = now - 23 * HOUR_MS, .period = DAY_MS};
	struct watch w = {.expected = &x, .n_expected = 1};
	struct live_node fine = node(), old = node(), weekly = node();

	(void)state;
	str_cut(site(&fine, RUN_OK, "", "")->timer, WIRE_NAME, "nightly");
	fine.sites.v[0].good_at = now - 46 * HOUR_MS;
	finds(&w, &fine, "", NULL);
	str_cut(site(&old, RUN_OK, "", "")->timer, WIRE_NAME, "nightly");
	old.sites.v[0].good_at = now - 48 * HOUR_MS;
	finds(&w, &old, "backup_old:shop",
	      "the last good backup of shop is of 2026-11-21 12:15 UTC, though timer nightly is to make one every 24h00");
	x.period = 7 * (int64_t)DAY_MS;
	str_cut(site(&weekly, RUN_OK, "", "")->timer, WIRE_NAME, "nightly");
	weekly.sites.v[0].good_at = now - 7 * (int64_t)DAY_MS;
	finds(&w, &weekly, "", NULL);
}

static void without_a_timer_the_limit_counts(void **state)
{
	struct live_node n = node(), named = node();
	static const char facts[] = "{\"sites\":[\"blog\"]}";
	struct watch w = {0};

	(void)state;
	site(&n, RUN_OK, "", "")->good_at = now - 9 * (int64_t)DAY_MS;
	finds(&w, &n, "backup_old:shop", "the last good backup of shop is of 2026-11-14 12:15 UTC, more than 192 h ago");
	assert_int_equal(json_parse(&named.facts, facts, sizeof(facts) - 1, NULL), 0);
	finds(&w, &named, "backup_old:blog", "blog has never had a good backup, since it joined");
}

static void a_missed_run_is_told_with_its_time(void **state)
{
	struct expected x = {.timer = "nightly", .missed = now - HOUR_MS, .times = 1};
	struct watch w = {.expected = &x, .n_expected = 1};
	struct live_node n = node(), again = node();

	(void)state;
	finds(&w, &n, "missed_run:nightly", "timer nightly should have fired at 2026-11-23 11:15 UTC and did not");
	x.times = 3;
	finds(&w, &again, "missed_run:nightly",
	      "timer nightly should have fired at 2026-11-23 11:15 UTC and did not, 3 times in a row");
}

static void full_disks_are_told_by_their_mount(void **state)
{
	struct filling f = {.mount = "/srv", .days = 3.2, .per_day = 4, .span = 12 * (int64_t)DAY_MS};
	struct watch w = {.filling = &f, .n_filling = 1};
	struct live_node n = node(), filling = node();
	struct wire_disk *d = list_push(&n.last.disks);

	(void)state;
	str_cut(d->mount, sizeof(d->mount), "/srv");
	d->percent = 92;
	d->total = 100 << 20;
	d->used = 92 << 20;
	finds(&w, &n, "disk_full:/srv", "/srv is 92 % full, 8.00 MiB left");
	d = list_push(&filling.last.disks);
	str_cut(d->mount, sizeof(d->mount), "/srv");
	d->percent = 80;
	finds(&w, &filling, "disk_forecast:/srv",
	      "/srv will be full in about 3 days: it grew by 4.0 % a day over the last 12 days");
}

static void silence_counts_from_when_the_master_listens(void **state)
{
	struct live_node n = node(), fresh = node(), unused = node(), blocked = node(), clone = node();
	struct node_clone two = {.since = now, .owner_peer = "10.0.0.3", .other_peer = "10.0.0.4"};
	struct watch w = {.since = now - 299000};

	(void)state;
	n.seen = fresh.seen = blocked.seen = now - 3600000;
	finds(&w, &n, "", NULL);
	w.since = now - 301000;
	finds(&w, &fresh, "node_silent:", "no report since 2026-11-23 11:15 UTC");
	blocked.n.state = NODE_BLOCKED;
	finds(&w, &blocked, "", NULL);
	unused.seen = 0;
	finds(&w, &unused, "key_unused:", NULL);
	clone.n.clone = &two;
	clone.skewed = true;
	finds(&w, &clone, "clone: clock_off:",
	      "two machines use one key since 2026-11-23 12:15 UTC: 10.0.0.3, which is believed, and 10.0.0.4");
}

static void a_cut_text_stays_valid(void **state)
{
	struct live_node n = node();
	struct watch w = {0};
	char error[REASON_TEXT];
	struct conditions l = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(error) - 1; i++)
		error[i] = i % 2 ? (char)0xa4 : (char)0xc3;
	error[sizeof(error) - 1] = '\0';
	site(&n, RUN_FAILED, "", error);
	w.limits = &limits;
	w.now = now;
	watch_node(&w, &n, &l);
	assert_true(str_utf8_valid(l.v[0].cause, strlen(l.v[0].cause)));
	list_done(&l);
	list_done(&n.sites);
	wire_sample_done(&n.last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_a_good_node),
		cmocka_unit_test(bad_runs_are_told_by_their_site),
		cmocka_unit_test(older_runs_that_are_damaged_are_told_once),
		cmocka_unit_test(a_storage_that_refuses_is_told_by_its_name),
		cmocka_unit_test(a_service_that_dies_before_its_run_is_told),
		cmocka_unit_test(a_backup_is_old_when_two_firings_brought_none),
		cmocka_unit_test(without_a_timer_the_limit_counts),
		cmocka_unit_test(a_missed_run_is_told_with_its_time),
		cmocka_unit_test(full_disks_are_told_by_their_mount),
		cmocka_unit_test(silence_counts_from_when_the_master_listens),
		cmocka_unit_test(a_cut_text_stays_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
