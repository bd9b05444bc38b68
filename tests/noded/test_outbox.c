/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/outbox.c"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit.h"

static char dir[] = "/tmp/felloe-outbox.XXXXXX";

static struct outbox *fresh(void)
{
	static const char *const names[] = {"outbox.db", "outbox.db-wal", "outbox.db-shm"};
	struct outbox *o = NULL;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/node/%s", dir, names[i]);

		unlink(path);
	}
	if (outbox_open(&o, &e))
		fail_msg("%s", e.msg);
	return o;
}

static void put(struct outbox *o, int64_t ts)
{
	struct wire_sample s;
	struct err e = {0};

	wire_sample_init(&s);
	s.ts = ts;
	s.cpu = s.disk = 1;
	s.active_backups = 0;
	if (outbox_put_sample(o, &s, &e))
		fail_msg("%s", e.msg);
}

static void put_run(struct outbox *o, const char *uuid, int64_t rev, int64_t started)
{
	struct wire_run r;
	struct err e = {0};

	wire_run_init(&r);
	str_cut(r.uuid, sizeof(r.uuid), uuid);
	str_cut(r.site, sizeof(r.site), "shop");
	r.rev = rev;
	r.started = started;
	if (outbox_put_run(o, &r, &e))
		fail_msg("%s", e.msg);
	wire_run_done(&r);
}

static int64_t depth(struct outbox *o)
{
	struct err e = {0};
	int64_t n = -1;

	if (outbox_depth(o, &n, &e))
		fail_msg("%s", e.msg);
	return n;
}

static const char uuid_a[] = "3b241101-e2bb-4255-8caf-4136c566a962";
static const char uuid_b[] = "3b241101-e2bb-4255-8caf-4136c566a963";

static void runs_go_in_the_order_in_which_they_came_whatever_the_clock_said(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_run r;
	struct err e;

	(void)state;
	put_run(o, uuid_b, 1, 2000);
	put_run(o, uuid_a, 1, 1000);
	/* what comes of the first before it was handed over changes nothing */
	put_run(o, uuid_b, 2, 2000);
	assert_int_equal(outbox_run(o, 1000, &r, &e), 0);
	assert_string_equal(r.uuid, uuid_b);
	assert_int_equal(r.rev, 2);
	free(r.json);
	assert_int_equal(outbox_run_gone(o, uuid_b, 2, &e), 0);
	assert_int_equal(outbox_run(o, 1000, &r, &e), 0);
	assert_string_equal(r.uuid, uuid_a);
	free(r.json);
}

static void samples_come_newest_first_and_stay_until_acknowledged(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_batch b;
	struct err e = {0};

	(void)state;
	for (int64_t i = 1; i <= 1200; i++)
		put(o, i * 1000);
	assert_int_equal(outbox_samples(o, OUTBOX_BATCH, &b, &e), 0);
	assert_int_equal(b.ts.n, 500);
	assert_int_equal(b.ts.v[0], 1200000);
	assert_int_equal(b.ts.v[499], 701000);
	struct json *j = NULL;
	assert_int_equal(json_parse(&j, b.json.p, b.json.len, &e), 0);
	assert_int_equal(json_count(j), 500);
	json_free(j);
	assert_int_equal(depth(o), 1200);
	assert_int_equal(outbox_samples_gone(o, &b, &e), 0);
	outbox_batch_done(&b);
	assert_int_equal(depth(o), 700);
	assert_int_equal(outbox_samples(o, 1, &b, &e), 0);
	assert_int_equal(b.ts.n, 1);
	assert_int_equal(b.json.p[0], '{');
	outbox_batch_done(&b);
}

static void a_batch_stays_under_its_bytes(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct wire_sample s;
	struct outbox_batch b;
	struct err e = {0};

	(void)state;
	wire_sample_init(&s);
	s.cpu = s.disk = 1;
	s.active_backups = 0;
	for (unsigned i = 0; i < 40; i++)
		memset(list_push(&s.disks)->mount, 'd', 200);
	for (s.ts = 1; s.ts <= 60; s.ts++)
		assert_int_equal(outbox_put_sample(o, &s, &e), 0);
	assert_int_equal(outbox_samples(o, OUTBOX_BATCH, &b, &e), 0);
	assert_true(b.ts.n > 1 && b.ts.n < 60);
	assert_true(b.json.len <= OUTBOX_BATCH_BYTES);
	outbox_batch_done(&b);
	wire_sample_done(&s);
}

static void nothing_waiting_is_no_error(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_batch b;
	struct outbox_run r;
	struct err e = {0};

	(void)state;
	assert_int_equal(outbox_samples(o, OUTBOX_BATCH, &b, &e), 0);
	assert_int_equal(b.ts.n, 0);
	assert_string_equal(b.json.p, "[]");
	outbox_batch_done(&b);
	assert_int_equal(outbox_run(o, 1, &r, &e), 0);
	assert_string_equal(r.uuid, "");
}

static void only_a_higher_rev_replaces_a_run(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_run r;
	struct err e = {0};

	(void)state;
	put_run(o, uuid_a, 3, 1000);
	put_run(o, uuid_a, 2, 1000);
	assert_int_equal(outbox_run(o, 5000, &r, &e), 0);
	assert_int_equal(r.rev, 3);
	freep(&r.json);
	put_run(o, uuid_a, 4, 1000);
	assert_int_equal(outbox_run_gone(o, uuid_a, 3, &e), 0);
	assert_int_equal(depth(o), 1);
	assert_int_equal(outbox_run_gone(o, uuid_a, 4, &e), 0);
	assert_int_equal(depth(o), 0);
}

static void a_refused_run_waits_and_lets_the_next_pass(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_run r;
	struct err e = {0};

	(void)state;
	put_run(o, uuid_a, 1, 1000);
	put_run(o, uuid_b, 1, 2000);
	assert_int_equal(outbox_run(o, 5000, &r, &e), 0);
	assert_string_equal(r.uuid, uuid_a);
	assert_int_equal(outbox_run_refused(o, &r, 9000, "409", &e), 0);
	freep(&r.json);
	assert_int_equal(outbox_run(o, 5000, &r, &e), 0);
	assert_string_equal(r.uuid, uuid_b);
	freep(&r.json);
	assert_int_equal(outbox_run(o, 9000, &r, &e), 0);
	assert_string_equal(r.uuid, uuid_a);
	freep(&r.json);
	assert_int_equal(depth(o), 2);
}

static void old_samples_are_thinned_and_runs_never(void **state)
{
	CLEANUP(outbox_closep) struct outbox *o = fresh();
	struct outbox_batch b;
	struct err e = {0};

	(void)state;
	o->used_max = 512 << 10;
	put_run(o, uuid_a, 1, 1);
	for (int64_t i = 1; i <= 8000; i++)
		put(o, i * 1000);
	assert_int_equal(keep_limits(o, 8000000, &e), 0);
	assert_true(depth(o) < 8000 && depth(o) > 1000);
	assert_int_equal(outbox_samples(o, 2, &b, &e), 0);
	assert_int_equal(b.ts.v[0], 8000000); /* the newest are all there */
	assert_int_equal(b.ts.v[1], 7999000);
	outbox_batch_done(&b);
	o->used_max = 1;
	assert_int_equal(keep_limits(o, 8000000, &e), 0);
	assert_int_equal(depth(o), 2); /* one sample and the run */
	put(o, 8000000 + keep_ms + 1);
	assert_int_equal(keep_limits(o, 8000000 + keep_ms + 1, &e), 0);
	assert_int_equal(depth(o), 2);
}

static void two_may_write_at_once(void **state)
{
	CLEANUP(outbox_closep) struct outbox *a = fresh();
	CLEANUP(outbox_closep) struct outbox *b = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(outbox_open(&b, &e), 0);
	for (int64_t i = 1; i <= 50; i++) {
		put(a, i);
		put_run(b, uuid_a, i, 1);
	}
	assert_int_equal(depth(a), 51);
	assert_int_equal(depth(b), 51);
}

static void a_damaged_file_is_set_aside(void **state)
{
	CLEANUP(freep) char *path = xasprintf("%s/node/outbox.db", dir);
	CLEANUP(freep) char *aside = xasprintf("%s.damaged-*", path);
	struct outbox *o = fresh();
	struct err e = {0};
	glob_t found;

	(void)state;
	outbox_close(o);
	assert_int_equal(fs_write(path, "this is no database at all, but long enough to look like one", 60, 0600, &e), 0);
	assert_int_equal(outbox_open(&o, &e), 0);
	outbox_close(o);
	assert_int_equal(glob(aside, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	assert_int_equal(unlink(found.gl_pathv[0]), 0);
	globfree(&found);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	fs_set_state(dir);
	return 0;
}

static int tear_down(void **state)
{
	CLEANUP(freep) char *node = xasprintf("%s/node", dir);

	(void)state;
	outbox_close(fresh());
	for (const char *const *n = (const char *const[]){"", "-wal", "-shm", NULL}; *n; n++) {
		CLEANUP(freep) char *path = xasprintf("%s/outbox.db%s", node, *n);

		unlink(path);
	}
	rmdir(node);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_go_in_the_order_in_which_they_came_whatever_the_clock_said),
		cmocka_unit_test(samples_come_newest_first_and_stay_until_acknowledged),
		cmocka_unit_test(a_batch_stays_under_its_bytes),
		cmocka_unit_test(nothing_waiting_is_no_error),
		cmocka_unit_test(only_a_higher_rev_replaces_a_run),
		cmocka_unit_test(a_refused_run_waits_and_lets_the_next_pass),
		cmocka_unit_test(old_samples_are_thinned_and_runs_never),
		cmocka_unit_test(two_may_write_at_once),
		cmocka_unit_test(a_damaged_file_is_set_aside),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
