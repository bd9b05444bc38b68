/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/lost.c"

#include "tests/noded/scratch.h"
#include "tests/unit.h"

static const char *const text = "{\"server_id\":\"web-01\",\"sites\":[],\"storage\":[{\"name\":\"here\",\"type\":\"dir\",\"path\":\"/srv\"}]}";
static struct config *config;
static struct catalogue *c;

static int begin(void **state)
{
	struct problems problems = {0}, unknown = {0};
	struct err e;
	int rc = scratch_make(state) || catalogue_open(&c, &e) ||
		 config_parse(&config, text, strlen(text), "test", &problems, &unknown, &e);

	problems_done(&problems);
	problems_done(&unknown);
	return rc ? -1 : 0;
}

static int end(void **state)
{
	catalogue_close(c);
	config_free(config);
	return scratch_remove(state);
}

/* A run with an archive on each of the storages; "-" before one: never finished. */
static void save(const char *uuid, enum run_state run_state, const char *const *storages)
{
	struct wire_run run;
	struct err e;

	wire_run_init(&run);
	str_cut(run.uuid, sizeof(run.uuid), uuid);
	snprintf(run.site, sizeof(run.site), "%.4s", uuid); /* a site for each test */
	str_cut(run.what, sizeof(run.what), "db+files");
	run.started = 1000;
	run.state = run_state;
	assert_int_equal(catalogue_save(c, &run, &e), 0);
	for (; *storages; storages++) {
		struct wire_archive a = {.size = 10};
		bool half = **storages == '-';

		str_cut(a.storage, sizeof(a.storage), *storages + half);
		snprintf(a.key, sizeof(a.key), "%s-%s", uuid, *storages);
		assert_int_equal(catalogue_upload(c, uuid, &a, &e), 0);
		if (!half)
			assert_int_equal(catalogue_stored(c, uuid, &a, &e), 0);
	}
	wire_run_done(&run);
}
#define SAVE(uuid, state, ...) save(uuid, state, (const char *const[]){__VA_ARGS__, NULL})

static struct wire_runs load(const char *uuid)
{
	struct wire_runs runs;
	struct err e;

	assert_int_equal(catalogue_runs(c, &(struct run_query){.uuid = uuid}, &runs, &e), 0);
	return runs;
}

static void forget_old(struct lost_report *ret)
{
	const struct lost_opts o = {.config = config, .catalogue = c, .storage = "old"};
	struct err e;

	if (lost_forget(&o, ret, &e))
		fail_msg("%s", e.msg);
}

static void a_run_that_lies_partly_elsewhere_is_no_good_run_any_more(void **state)
{
	struct lost_report r;
	struct wire_runs runs;

	(void)state;
	SAVE("aaaa-1", RUN_OK, "old", "here");
	SAVE("aaaa-2", RUN_OK, "here");
	SAVE("aaaa-3", RUN_FAILED, "old", "here");
	forget_old(&r);
	assert_int_equal(r.failed, 2);
	assert_int_equal(r.forgotten, 0);
	assert_int_equal(r.bare.n, 0);
	lost_report_done(&r);
	runs = load("aaaa-1");
	assert_int_equal(runs.n, 1);
	assert_int_equal(runs.v[0].state, RUN_FAILED);
	assert_int_equal(runs.v[0].archives.n, 1);
	assert_string_equal(runs.v[0].archives.v[0].storage, "here");
	assert_string_equal(runs.v[0].error, "a part of it was on storage old, which was forgotten");
	assert_int_equal(runs.v[0].rev, 1);
	runs_done(&runs);
	runs = load("aaaa-3");
	assert_string_equal(runs.v[0].error, "");
	runs_done(&runs);
}

static void an_upload_without_an_end_goes_with_the_rest(void **state)
{
	struct unfinished_list list;
	struct lost_report r;
	struct wire_runs runs;
	struct err e;

	(void)state;
	SAVE("bbbb-1", RUN_ABORTED, "-old");
	SAVE("bbbb-2", RUN_OK, "-old", "here");
	forget_old(&r);
	lost_report_done(&r);
	assert_int_equal(catalogue_unfinished(c, &list, &e), 0);
	assert_int_equal(list.n, 0);
	list_done(&list);
	runs = load("bbbb-2");
	assert_int_equal(runs.v[0].state, RUN_OK); /* nothing of it was lost: a part was tried there, and went elsewhere */
	runs_done(&runs);
}

static void one_that_was_begun_is_ended_by_the_next_call(void **state)
{
	struct lost_report r;
	struct wire_runs runs;
	struct err e;
	bool changed;

	(void)state;
	SAVE("cccc-1", RUN_OK, "old");
	assert_int_equal(catalogue_expire(c, "cccc-1", 5, &changed, &e), 0);
	forget_old(&r);
	assert_int_equal(r.forgotten, 1);
	assert_int_equal(r.bare.n, 1);
	assert_string_equal(r.bare.v[0].site, "cccc");
	lost_report_done(&r);
	runs = load("cccc-1");
	assert_int_equal(runs.n, 0);
	runs_done(&runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_that_lies_partly_elsewhere_is_no_good_run_any_more),
		cmocka_unit_test(an_upload_without_an_end_goes_with_the_rest),
		cmocka_unit_test(one_that_was_begun_is_ended_by_the_next_call),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
