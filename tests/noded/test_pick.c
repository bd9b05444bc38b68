/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/pick.c"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

static char dir[] = "/tmp/felloe-pick.XXXXXX";

static struct config *config_of(const char *weights)
{
	static const char *const names[] = {"a", "b", "c"};
	CLEANUP(buf_done) struct buf b = {0};
	struct problems problems = {0}, unknown = {0};
	struct config *c = NULL;
	struct err e;

	buf_init(&b, 65536);
	buf_adds(&b, "{\"storage\":[");
	for (int i = 0; weights[i]; i++)
		buf_addf(&b, "%s{\"name\":\"%s\",\"type\":\"dir\",\"path\":\"/x\",\"weight\":%c}", i ? "," : "", names[i],
			 weights[i]);
	buf_adds(&b, "],\"sites\":[]}");
	if (config_parse(&c, b.p, b.len, "test", &problems, &unknown, &e))
		fail_msg("%s", e.msg);
	problems_done(&problems);
	problems_done(&unknown);
	return c;
}

/* The names in the order of pick_next: "bac". */
static void assert_order(const struct config *c, const char *expected)
{
	struct pick *p = pick_new(c);
	const struct storage *s;
	char got[8] = "";

	for (size_t i = 0; (s = pick_next(p)) && i < sizeof(got) - 1; i++)
		got[i] = s->name[0];
	assert_string_equal(got, expected);
	pick_free(p);
}

static void report(const struct config *c, const char *name, enum err_kind kind)
{
	struct pick *p = pick_new(c);
	struct err failure = {.kind = kind, .msg = "no"}, e;

	assert_int_equal(pick_report(p, config_storage(c, name), kind ? &failure : NULL, &e), 0);
	pick_free(p);
}

static void forget_all(void)
{
	CLEANUP(freep) char *state = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/storages.json", state);

	unlink(path);
}

static void the_highest_weight_comes_first_and_zero_never(void **state)
{
	struct config *c = config_of("192");

	(void)state;
	forget_all();
	assert_order(c, "bca");
	config_free(c);
	c = config_of("101");
	assert_order(c, "ac");
	config_free(c);
}

static void one_that_refused_comes_last_until_it_works_again(void **state)
{
	struct config *c = config_of("192");

	(void)state;
	forget_all();
	report(c, "b", ERR_NET);
	assert_order(c, "cab");
	report(c, "c", ERR_DENIED);
	assert_order(c, "abc");
	report(c, "b", ERR_NONE);
	assert_order(c, "bac");
	config_free(c);
}

static void what_is_not_the_storages_fault_does_not_count(void **state)
{
	struct config *c = config_of("192");

	(void)state;
	forget_all();
	report(c, "b", ERR_ABORTED);
	report(c, "b", ERR_DB);
	report(c, "b", ERR_IO);
	assert_order(c, "bca");
	config_free(c);
}

static void the_rest_doubles_up_to_an_hour_and_passes(void **state)
{
	struct pick_health h = {.failures = 1, .failed_at = clock_ms()};

	(void)state;
	assert_true(rests_until(&h) == h.failed_at + 60000);
	h.failures = 3;
	assert_true(rests_until(&h) == h.failed_at + 240000);
	h.failures = 500;
	assert_true(rests_until(&h) == h.failed_at + 3600000);
	h.failed_at -= 3600001;
	assert_true(rests_until(&h) == 0);
}

static void a_damaged_memory_counts_as_empty(void **state)
{
	struct config *c = config_of("192");
	CLEANUP(freep) char *node = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/storages.json", node);
	struct pick_health h;
	struct pick *p;
	struct err e;

	(void)state;
	forget_all();
	report(c, "b", ERR_NET);
	p = pick_new(c);
	pick_health(p, "b", &h);
	assert_int_equal(h.failures, 1);
	assert_string_equal(h.error, "no");
	assert_true(h.rests_until > clock_ms());
	pick_health(p, "nobody", &h);
	assert_int_equal(h.failures, 0);
	pick_free(p);
	assert_int_equal(fs_write(path, "{\"storages\":[{", 14, 0600, &e), 0);
	assert_order(c, "bca");
	forget_all();
	rmdir(node);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_weight_comes_first_and_zero_never),
		cmocka_unit_test(one_that_refused_comes_last_until_it_works_again),
		cmocka_unit_test(what_is_not_the_storages_fault_does_not_count),
		cmocka_unit_test(the_rest_doubles_up_to_an_hour_and_passes),
		cmocka_unit_test(a_damaged_memory_counts_as_empty),
	};
	int failed;

	/* the clock stands: a minute that a machine stood still is no minute of rest */
	setenv("FELLOE_NOW", "2026-11-23T03:10:00Z", 1);
	if (!mkdtemp(dir))
		return 1;
	fs_set_state(dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
