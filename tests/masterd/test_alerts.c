/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_alerts.c"

#include <unistd.h>

#include "masterd/svc_ack.h"
#include "masterd/tbl_channel.h"
#include "tests/unit.h"

/* A master with one node, and a clock that the test turns. */

enum { HOLD_S = 30, REPEAT_S = 1000, SECOND = 1000 };

static char dir[64], url[128];
static struct config config;
static struct master m;
static int64_t now;

static void node_of(const char *tags)
{
	struct node n = {.id = 1, .name = "web-1", .hostname = "web-1", .state = NODE_ACTIVE, .created = 1, .approved = now - 3600 * SECOND};

	n.tags = xstrdup(tags);
	n.facts = xstrdup("{}");
	live_put_node(m.live, &n, NULL);
	node_done(&n);
}

/* What the node reports: how full its disk is. */
static void reports(double percent)
{
	struct wire_sample s;
	struct wire_disk *d;

	wire_sample_init(&s);
	s.ts = now;
	s.cpu = s.disk = 1;
	s.active_backups = 0;
	s.outbox_depth = 1;
	d = list_push(&s.disks);
	str_cut(d->mount, sizeof(d->mount), "/srv");
	d->percent = percent;
	d->total = d->used = -1;
	live_sample(m.live, 1, &s, false, now);
	wire_sample_done(&s);
}

static void ran(const char *uuid, enum run_state state)
{
	struct wire_run r;

	wire_run_init(&r);
	str_cut(r.uuid, sizeof(r.uuid), uuid);
	str_cut(r.site, sizeof(r.site), "shop");
	r.state = state;
	r.started = r.finished = r.began = r.ended = now;
	live_run(m.live, 1, &r);
	wire_run_done(&r);
}

/* Time goes on, in small steps; the master looks at each. */
static void pass(int seconds)
{
	for (int i = 0; i < seconds; i += 2) {
		now += 2 * SECOND;
		alerts_tick(&m, now);
		while (atomic_load(&m.alerting->state) == ROUND_AT_WORK)
			usleep(200);
	}
}

static struct db *reader(void)
{
	struct db *db;
	struct err e;

	assert_int_equal(db_pool_take(m.pool, &db, &e), 0);
	return db;
}

/* The newest alert of a kind; id 0 when there is none. */
static int take_first(void *ctx, const struct alert *a)
{
	*(struct alert *)ctx = *a;
	return 1;
}

static struct alert newest(enum alert_kind kind)
{
	struct alert_query q = {.open = true, .closed = true, .kind = alert_kind_name(kind)};
	struct alert a = {0};
	struct db *db = reader();
	struct err e;

	assert_int_equal(tbl_alert_list(db, &q, take_first, &a, &e), 0);
	db_pool_give(m.pool, db);
	return a;
}

/* Notices of an event that wait for the channel. */
static int notices(const char *event)
{
	struct deliveries l = {0};
	struct db *db = reader();
	struct err e;
	int n = 0;

	assert_int_equal(tbl_delivery_next(db, 1, 1000, &l, &e), 0);
	db_pool_give(m.pool, db);
	for (size_t i = 0; i < l.n; i++)
		n += strstr(l.v[i].doc, event) != NULL;
	deliveries_done(&l);
	return n;
}

static void acks(int64_t id, enum ack_what what, int64_t until)
{
	struct ack v = {.m = &m, .id = id, .what = what, .until = until, .actor = {.name = "anna", .peer = "", .at = now}};
	struct ticket t;
	struct err e;

	ticket_open(&t);
	v.job.ticket = &t;
	assert_int_equal(ack_queue(&v, &e), 0);
	while (!ticket_is_done(&t))
		usleep(200);
	assert_int_equal(v.job.rc, 0);
}

static int add_channel(struct job *job, struct db *db, struct err *e)
{
	struct alert_channel c = {.name = "hook", .kind = CHANNEL_WEBHOOK, .enabled = true};
	char nothing[] = "{}", empty[] = "";

	(void)job;
	c.settings = c.filter = nothing;
	c.sealed = empty;
	return tbl_channel_add(db, &c, e);
}

static void run_job_now(int (*run)(struct job *, struct db *, struct err *))
{
	struct job j = {.run = run};
	struct ticket t;
	struct err e;

	ticket_open(&t);
	j.ticket = &t;
	assert_int_equal(writer_put(m.writer, &j, &e), 0);
	while (!ticket_is_done(&t))
		usleep(200);
	assert_int_equal(j.rc, 0);
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	str_cut(dir, sizeof(dir), "/tmp/felloe-alerts.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/m.db", dir);
	memset(&m, 0, sizeof(m));
	config = (struct config){.heartbeat_default_s = 10};
	config.alerts = (struct config_alerts){.missed_grace_s = 900, .silent_after_s = 300, .hold_s = HOLD_S, .repeat_s = REPEAT_S,
					       .disk_percent = 90, .forecast_days = 7, .key_unused_h = 24,
					       .backup_old_h = 8760, .keep_days = 400};
	m.config = &config;
	str_cut(m.instance, sizeof(m.instance), "me");
	now = clock_ms() / SECOND * SECOND;
	if (writer_new(&m.writer, url, 100, &e))
		return -1;
	m.pool = db_pool_new(url);
	if (live_new(&m.live, m.pool, 10, &e))
		return -1;
	m.hot = hot_new();
	m.alerting = alerting_new();
	run_job_now(add_channel);
	node_of("[]");
	return 0;
}

static int end(void **state)
{
	static const char *const names[] = {"m.db", "m.db-wal", "m.db-shm"};
	char path[128];

	(void)state;
	writer_stop(m.writer);
	alerting_free(m.alerting);
	live_free(m.live);
	hot_free(m.hot);
	db_pool_free(m.pool);
	writer_free(m.writer);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

/* ---- the tests */

static void a_failed_run_opens_counts_and_recovers(void **state)
{
	(void)state;
	reports(10);
	ran("run-1", RUN_FAILED);
	pass(4);
	assert_string_equal(newest(ALERT_FAILED_RUN).run, "run-1");
	assert_int_equal(newest(ALERT_FAILED_RUN).count, 1);
	ran("run-2", RUN_FAILED);
	pass(4);
	assert_int_equal(newest(ALERT_FAILED_RUN).count, 2);
	assert_int_equal(newest(ALERT_FAILED_RUN).id, 1);
	ran("run-3", RUN_OK);
	pass(4);
	assert_true(newest(ALERT_FAILED_RUN).closed > 0);
	assert_string_equal(newest(ALERT_FAILED_RUN).closed_why, "recovered");
	/* the repetition was too soon after the opening to be told */
	assert_int_equal(notices("\"opened\""), 1);
	assert_int_equal(notices("\"repeated\""), 0);
	assert_int_equal(notices("\"recovered\""), 1);
	ran("run-4", RUN_FAILED);
	pass(4);
	assert_int_equal(newest(ALERT_FAILED_RUN).id, 2);
}

static void what_comes_and_goes_is_damped(void **state)
{
	(void)state;
	reports(95);
	pass(HOLD_S - 10);
	assert_int_equal(newest(ALERT_DISK_FULL).id, 0);
	reports(80);
	pass(HOLD_S + 4);
	assert_int_equal(newest(ALERT_DISK_FULL).id, 0);
	reports(95);
	pass(HOLD_S + 4);
	assert_int_equal(newest(ALERT_DISK_FULL).id, 1);
	for (int i = 0; i < 3; i++) { /* it flaps */
		reports(80);
		pass(10);
		reports(95);
		pass(10);
	}
	assert_int_equal(newest(ALERT_DISK_FULL).id, 1);
	assert_int_equal(newest(ALERT_DISK_FULL).count, 4);
	assert_int_equal(newest(ALERT_DISK_FULL).closed, 0);
	assert_int_equal(notices("disk_full"), 1);
	reports(80);
	pass(HOLD_S + 4);
	assert_true(newest(ALERT_DISK_FULL).closed > 0);
}

static void reminders_stop_when_somebody_looks(void **state)
{
	(void)state;
	reports(10);
	ran("run-1", RUN_FAILED);
	pass(4);
	reports(10);
	for (int i = 0; i < REPEAT_S / 100 + 1; i++, reports(10))
		pass(100);
	assert_int_equal(notices("\"reminder\""), 1);
	acks(1, ACK_SET, 0);
	for (int i = 0; i < REPEAT_S / 100 + 1; i++, reports(10))
		pass(100);
	assert_int_equal(notices("\"reminder\""), 1);
	acks(1, ACK_UNSET, 0);
	for (int i = 0; i < REPEAT_S / 100 + 1; i++, reports(10))
		pass(100);
	assert_int_equal(notices("\"reminder\""), 2);
	assert_int_equal(newest(ALERT_FAILED_RUN).count, 1);
}

static void a_snooze_is_quiet_until_its_time(void **state)
{
	(void)state;
	reports(10);
	ran("run-1", RUN_FAILED);
	pass(4);
	acks(1, SNOOZE_SET, now + 3 * REPEAT_S * SECOND);
	for (int i = 0; i < 2 * REPEAT_S / 100; i++, reports(10))
		pass(100);
	ran("run-2", RUN_FAILED);
	pass(4);
	assert_int_equal(newest(ALERT_FAILED_RUN).count, 2);
	assert_int_equal(notices("\"reminder\"") + notices("\"repeated\""), 0);
	for (int i = 0; i < REPEAT_S / 100 + 1; i++, reports(10))
		pass(100);
	assert_int_equal(notices("\"reminder\""), 1);
}

static void silence_opens_and_a_new_master_keeps_it(void **state)
{
	int64_t seen;

	(void)state;
	reports(10);
	pass(290);
	assert_int_equal(newest(ALERT_NODE_SILENT).id, 0);
	pass(20);
	assert_int_equal(newest(ALERT_NODE_SILENT).id, 1);
	seen = now;
	alerting_free(m.alerting);
	m.alerting = alerting_new();
	pass(100);
	assert_int_equal(newest(ALERT_NODE_SILENT).closed, 0);
	assert_int_equal(newest(ALERT_NODE_SILENT).count, 1);
	assert_true(now > seen);
	for (int i = 0; i < HOLD_S / 2 + 2; i++, reports(10))
		pass(2);
	assert_true(newest(ALERT_NODE_SILENT).closed > 0);
}

static void a_master_that_slept_does_not_blame_the_nodes(void **state)
{
	(void)state;
	reports(10);
	pass(10);
	now += 4000 * SECOND;
	pass(290);
	assert_int_equal(newest(ALERT_NODE_SILENT).id, 0);
	pass(30);
	assert_int_equal(newest(ALERT_NODE_SILENT).id, 1);
}

static void a_node_that_goes_takes_its_alerts_along(void **state)
{
	(void)state;
	reports(10);
	ran("run-1", RUN_FAILED);
	pass(4);
	live_drop_node(m.live, 1);
	pass(4);
	assert_string_equal(newest(ALERT_FAILED_RUN).closed_why, "the node was deleted");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_run_opens_counts_and_recovers),
		TEST(what_comes_and_goes_is_damped),
		TEST(reminders_stop_when_somebody_looks),
		TEST(a_snooze_is_quiet_until_its_time),
		TEST(silence_opens_and_a_new_master_keeps_it),
		TEST(a_master_that_slept_does_not_blame_the_nodes),
		TEST(a_node_that_goes_takes_its_alerts_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
