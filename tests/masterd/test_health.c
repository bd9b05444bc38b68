/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/health.c"

#include <string.h>

#include "tests/unit.h"

static const int64_t now = 1795436135000;
enum { BEAT = 10000 };

static struct live_node node(void)
{
	struct live_node n = {.has_sample = true, .seen = 1795436135000 - 1000};

	n.n.state = NODE_ACTIVE;
	wire_sample_init(&n.last);
	n.last.cpu = n.last.disk = 10;
	n.last.active_backups = 0;
	return n;
}

static struct live_site *site(struct live_node *n, enum run_state state, const char *error)
{
	struct live_site *s = list_push(&n->sites);

	str_cut(s->name, sizeof(s->name), "shop");
	s->began = s->started = now - 60000;
	s->ended = now - 30000;
	s->state = state;
	str_cut(s->error, sizeof(s->error), error);
	return s;
}

static void judged(struct live_node *n, enum health want, const char *reason)
{
	health_judge(n, now, BEAT);
	assert_string_equal(health_name(n->health), health_name(want));
	if (!reason) {
		assert_int_equal(n->n_reasons, 0);
	} else {
		assert_int_equal(n->n_reasons, 1);
		assert_string_equal(n->reasons[0], reason);
	}
	list_done(&n->sites);
	wire_sample_done(&n->last);
}

static void a_quiet_node_is_ok(void **state)
{
	struct live_node n = node();

	(void)state;
	site(&n, RUN_OK, "");
	judged(&n, H_OK, NULL);
	assert_int_equal(n.liveness, L_ONLINE);
}

static void the_last_run_decides(void **state)
{
	struct live_node failed = node(), warned = node(), aborted = node(), suspect = node();

	(void)state;
	site(&failed, RUN_FAILED, "403 AccessDenied");
	judged(&failed, H_FAILED, "last backup of shop failed: 403 AccessDenied");
	site(&warned, RUN_WARNING, "");
	judged(&warned, H_WARN, "last backup of shop ended with warnings");
	site(&aborted, RUN_ABORTED, "");
	judged(&aborted, H_WARN, "last backup of shop was aborted");
	site(&suspect, RUN_SUSPECT, "");
	judged(&suspect, H_FAILED, "last backup of shop is suspect");
}

static void a_full_disk_is_told_by_its_mount(void **state)
{
	struct live_node n = node(), full = node();
	struct wire_disk *d = list_push(&n.last.disks);

	(void)state;
	str_cut(d->mount, sizeof(d->mount), "/srv");
	d->percent = 88;
	judged(&n, H_WARN, "/srv is 88 % full");
	full.last.disk = 97;
	judged(&full, H_FAILED, "a disk is 97 % full");
}

static void a_missed_run_is_as_bad_as_a_failed_one(void **state)
{
	struct live_node n = node();
	struct live_told *t = list_push(&n.told);

	(void)state;
	t->kind = ALERT_MISSED_RUN;
	t->severity = SEVERITY_CRITICAL;
	str_cut(t->cause, sizeof(t->cause), "timer nightly did not fire");
	judged(&n, H_FAILED, "timer nightly did not fire");
	list_done(&n.told);
}

static void the_oldest_good_backup_gives_the_age(void **state)
{
	static const char facts[] = "{\"sites\":[\"shop\",{\"name\":\"blog\"}]}";
	struct live_node n = node();
	unsigned never;

	(void)state;
	assert_int_equal(health_good_age(&n, now, &never), -1);
	site(&n, RUN_FAILED, "")->good_at = now - 5000;
	str_cut(site(&n, RUN_OK, "")->name, WIRE_NAME, "other");
	n.sites.v[1].good_at = now - 9000;
	assert_int_equal(json_parse(&n.facts, facts, sizeof(facts) - 1, NULL), 0);
	assert_int_equal(health_good_age(&n, now, &never), 9000);
	assert_int_equal(never, 1);
	json_free(n.facts);
	list_done(&n.sites);
	wire_sample_done(&n.last);
}

static void silence_counts_in_heartbeats(void **state)
{
	struct live_node n = node();

	(void)state;
	n.seen = now - 3 * BEAT;
	health_judge(&n, now, BEAT);
	assert_int_equal(n.liveness, L_ONLINE);
	assert_true(health_judge(&n, now + 1, BEAT));
	assert_int_equal(n.liveness, L_STALE);
	assert_int_equal(n.health, H_OK);
	assert_false(health_judge(&n, now + 1, BEAT));
	assert_true(health_judge(&n, now + 3 * BEAT + 1, BEAT));
	assert_int_equal(n.liveness, L_OFFLINE);
	assert_int_equal(n.health, H_OFFLINE);
}

static void a_reason_is_whole_as_far_as_an_error_is_kept_and_valid_beyond(void **state)
{
	struct live_node n = node();
	char error[SITE_ERROR], whole[2 * REASON_TEXT];
	struct live_site *s = site(&n, RUN_FAILED, "");

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(error); i++)
		error[i] = "\xc3\xa9"[i % 2];
	error[sizeof(error) - 2] = '\0';
	str_cut(s->error, sizeof(s->error), error);
	health_judge(&n, now, BEAT);
	snprintf(whole, sizeof(whole), "last backup of %s failed: %s", s->name, error);
	assert_string_equal(n.reasons[0], whole);
	because(&n, H_FAILED, "x%s%s", error, error);
	assert_in_range(strlen(n.reasons[1]), REASON_TEXT - 3, REASON_TEXT - 1);
	assert_true(str_utf8_valid(n.reasons[1], strlen(n.reasons[1])));
	list_done(&n.sites);
}

static void the_worst_wins_and_all_reasons_stay(void **state)
{
	struct live_node n = node();

	(void)state;
	site(&n, RUN_FAILED, "");
	n.last.disk = 90;
	n.last.active_backups = 1;
	n.skewed = true;
	health_judge(&n, now, BEAT);
	assert_int_equal(n.health, H_FAILED);
	assert_int_equal(n.n_reasons, 3);
	list_done(&n.sites);
}

static void who_waits_and_who_is_blocked_says_so(void **state)
{
	struct live_node pending = node(), blocked = node(), fresh = node();

	(void)state;
	pending.n.state = NODE_PENDING;
	pending.join.name_in_use = true;
	judged(&pending, H_WAITING, "waits for approval; its name is in use");
	blocked.n.state = NODE_BLOCKED;
	str_cut(blocked.n.reason, sizeof(blocked.n.reason), "stolen");
	judged(&blocked, H_OFFLINE, "stolen");
	fresh.seen = 0;
	judged(&fresh, H_WAITING, "approved, has not reported yet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_node_is_ok),
		cmocka_unit_test(the_last_run_decides),
		cmocka_unit_test(a_full_disk_is_told_by_its_mount),
		cmocka_unit_test(a_missed_run_is_as_bad_as_a_failed_one),
		cmocka_unit_test(the_oldest_good_backup_gives_the_age),
		cmocka_unit_test(silence_counts_in_heartbeats),
		cmocka_unit_test(a_reason_is_whole_as_far_as_an_error_is_kept_and_valid_beyond),
		cmocka_unit_test(the_worst_wins_and_all_reasons_stay),
		cmocka_unit_test(who_waits_and_who_is_blocked_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
