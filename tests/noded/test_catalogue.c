/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/catalogue.c"

#include <stdio.h>

#include "tests/noded/scratch.h"
#include "tests/unit.h"

static struct catalogue *c;

static int open_catalogue(void **state)
{
	struct err e;

	return scratch_make(state) || catalogue_open(&c, &e) ? -1 : 0;
}

static int close_catalogue(void **state)
{
	catalogue_close(c);
	return scratch_remove(state);
}

static void save(const char *uuid, const char *site, int64_t started, enum run_state state)
{
	struct wire_run run;
	struct err e;

	wire_run_init(&run);
	str_cut(run.uuid, sizeof(run.uuid), uuid);
	str_cut(run.site, sizeof(run.site), site);
	str_cut(run.what, sizeof(run.what), "db");
	run.rev = 1;
	run.started = started;
	run.state = state;
	run.log = xstrdup("12:00:00 x\n");
	str_cut(list_push(&run.phases)->name, sizeof(run.phases.v[0].name), "dump");
	run.phases.v[0].ms = 7;
	if (catalogue_save(c, &run, &e))
		fail_msg("%s", e.msg);
	wire_run_done(&run);
}

static struct wire_archive archive(const char *storage, const char *key, int64_t size)
{
	struct wire_archive a = {.size = size};

	str_cut(a.storage, sizeof(a.storage), storage);
	str_cut(a.key, sizeof(a.key), key);
	str_cut(a.db, sizeof(a.db), "shop");
	return a;
}

static size_t count(const struct run_query *q, char first[static UUID_TEXT])
{
	struct wire_runs runs;
	struct err e;
	size_t n;

	if (catalogue_runs(c, q, &runs, &e))
		fail_msg("%s", e.msg);
	n = runs.n;
	str_cut(first, UUID_TEXT, n ? runs.v[0].uuid : "");
	runs_done(&runs);
	return n;
}

static void runs_are_found_by_site_id_state_and_time(void **state)
{
	char first[UUID_TEXT];

	(void)state;
	save("aaaa-1", "q", 1000, RUN_OK);
	save("aaaa-2", "q", 2000, RUN_FAILED);
	save("bbbb-3", "q", 3000, RUN_WARNING);
	save("bbbb-4", "q", 4000, RUN_RUNNING);
	save("cccc-5", "other'; DROP TABLE runs; --", 5000, RUN_OK);
	assert_int_equal(count(&(struct run_query){.site = "q"}, first), 4);
	assert_string_equal(first, "bbbb-4");
	assert_int_equal(count(&(struct run_query){.site = "q", .good = true}, first), 2);
	assert_string_equal(first, "bbbb-3");
	assert_int_equal(count(&(struct run_query){.site = "q", .good = true, .until = 2999}, first), 1);
	assert_string_equal(first, "aaaa-1");
	assert_int_equal(count(&(struct run_query){.uuid = "aaaa"}, first), 2);
	assert_int_equal(count(&(struct run_query){.uuid = "%"}, first), 0);
	assert_int_equal(count(&(struct run_query){.running = true}, first), 1);
	assert_int_equal(count(&(struct run_query){.site = "q", .limit = 1}, first), 1);
	assert_int_equal(count(&(struct run_query){.site = "other'; DROP TABLE runs; --"}, first), 1);
}

static void a_run_comes_back_as_it_was_saved(void **state)
{
	const struct run_query q = {.uuid = "dddd"};
	struct wire_archive a = archive("disk", "k/1", 100);
	struct wire_runs runs;
	struct err e;

	(void)state;
	save("dddd-1", "r", 1000, RUN_OK);
	assert_int_equal(catalogue_upload(c, "dddd-1", &a, &e), 0);
	assert_int_equal(catalogue_runs(c, &q, &runs, &e), 0);
	assert_int_equal(runs.v[0].archives.n, 0); /* not stored yet */
	runs_done(&runs);
	str_cut(a.sha256, sizeof(a.sha256), "ab");
	assert_int_equal(catalogue_stored(c, "dddd-1", &a, &e), 0);
	save("dddd-1", "r", 1000, RUN_WARNING); /* saving again keeps the archives */
	assert_int_equal(catalogue_runs(c, &q, &runs, &e), 0);
	assert_int_equal(runs.n, 1);
	assert_int_equal(runs.v[0].state, RUN_WARNING);
	assert_int_equal(runs.v[0].archives.n, 1);
	assert_string_equal(runs.v[0].archives.v[0].key, "k/1");
	assert_string_equal(runs.v[0].archives.v[0].sha256, "ab");
	assert_int_equal(runs.v[0].phases.n, 1);
	assert_int_equal(runs.v[0].phases.v[0].ms, 7);
	assert_string_equal(runs.v[0].log, "12:00:00 x\n");
	runs_done(&runs);
}

static void only_stored_archives_count_and_unfinished_ones_are_found(void **state)
{
	struct wire_archive a = archive("s", "k/a", 1000), b = archive("s", "k/b", 500), d = archive("s", "k/c", 50);
	struct unfinished_list list;
	int64_t n;
	bool taken;
	struct err e;

	(void)state;
	save("eeee-1", "used", 1000, RUN_OK);
	assert_int_equal(catalogue_upload(c, "eeee-1", &a, &e) + catalogue_upload(c, "eeee-1", &b, &e) +
			 catalogue_upload(c, "eeee-1", &d, &e), 0);
	assert_int_equal(catalogue_upload(c, "eeee-1", &a, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_int_equal(catalogue_stored(c, "eeee-1", &a, &e) + catalogue_stored(c, "eeee-1", &d, &e), 0);
	assert_int_equal(catalogue_used(c, "s", &n, &e), 0);
	assert_int_equal(n, 1050);
	assert_int_equal(catalogue_discard(c, "eeee-1", &d, &e), 0);
	assert_int_equal(catalogue_used(c, "s", &n, &e), 0);
	assert_int_equal(n, 1000);
	assert_int_equal(catalogue_estimate(c, "used", "shop", &n, &e), 0);
	assert_int_equal(n, 1200);
	assert_int_equal(catalogue_estimate(c, "used", "none", &n, &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(catalogue_unfinished(c, &list, &e), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.v[0].run, "eeee-1");
	list_done(&list);
	assert_int_equal(catalogue_key_taken(c, "k/b", &taken, &e), 0);
	assert_true(taken);
	assert_int_equal(catalogue_gone(c, "eeee-1", &b, &e) + catalogue_gone(c, "eeee-1", &d, &e), 0);
	assert_int_equal(catalogue_key_taken(c, "k/b", &taken, &e), 0);
	assert_false(taken);
	assert_int_equal(catalogue_unfinished(c, &list, &e), 0);
	assert_int_equal(list.n, 0);
	list_done(&list);
}

static void an_aborted_run_leaves_nothing(void **state)
{
	struct wire_archive a = archive("s", "y/a", 1000);
	struct unfinished_list list;
	struct err e;

	(void)state;
	save("5555-1", "stopped", 1000, RUN_RUNNING);
	assert_int_equal(catalogue_upload(c, "5555-1", &a, &e) + catalogue_stored(c, "5555-1", &a, &e), 0);
	assert_int_equal(catalogue_unfinished(c, &list, &e), 0);
	assert_int_equal(list.n, 0);
	save("5555-1", "stopped", 1000, RUN_ABORTED);
	assert_int_equal(catalogue_unfinished(c, &list, &e), 0);
	assert_int_equal(list.n, 1);
	assert_string_equal(list.v[0].archive.key, "y/a");
	list_done(&list);
	assert_int_equal(catalogue_gone(c, "5555-1", &a, &e), 0);
}

static void a_run_that_ended_by_itself_is_not_aborted_behind_its_back(void **state)
{
	struct wire_run run;
	bool changed;
	struct err e;

	(void)state;
	wire_run_init(&run);
	save("ffff-1", "x", 1000, RUN_RUNNING);
	save("ffff-2", "x", 1000, RUN_OK);
	str_cut(run.uuid, sizeof(run.uuid), "ffff-1");
	assert_int_equal(catalogue_abort(c, &run, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(catalogue_abort(c, &run, &changed, &e), 0);
	assert_false(changed);
	str_cut(run.uuid, sizeof(run.uuid), "ffff-2");
	assert_int_equal(catalogue_abort(c, &run, &changed, &e), 0);
	assert_false(changed);
}

static void prove(const char *uuid, int64_t at, const char *failure)
{
	const struct catalogue_proof proof = {at, failure};
	struct err e;

	assert_int_equal(catalogue_proof(c, uuid, &proof, &e), 0);
}

static void expect_proof(const char *uuid, enum run_state state, int64_t proven, const char *error)
{
	const struct run_query q = {.uuid = uuid};
	struct wire_runs runs;
	struct err e;

	assert_int_equal(catalogue_runs(c, &q, &runs, &e), 0);
	assert_int_equal(runs.n, 1);
	assert_string_equal(run_state_name(runs.v[0].state), run_state_name(state));
	assert_int_equal(runs.v[0].proven, proven);
	assert_string_equal(runs.v[0].error, error);
	runs_done(&runs);
}

static void a_failed_proof_takes_the_green_and_a_later_one_gives_it_back(void **state)
{
	(void)state;
	save("aaaa-9", "p", 1000, RUN_OK);
	prove("aaaa-9", 5000, NULL);
	expect_proof("aaaa-9", RUN_OK, 5000, "");
	prove("aaaa-9", 6000, "table t: rows are missing");
	expect_proof("aaaa-9", RUN_SUSPECT, 0, "proof failed: table t: rows are missing");
	prove("aaaa-9", 7000, "table u: other content");
	expect_proof("aaaa-9", RUN_SUSPECT, 0, "proof failed: table u: other content");
	prove("aaaa-9", 8000, NULL);
	expect_proof("aaaa-9", RUN_WARNING, 8000, "");
}

static void a_run_suspect_for_another_reason_stays_so_whatever_the_proof_says(void **state)
{
	(void)state;
	save("bbbb-9", "p", 1000, RUN_SUSPECT);
	prove("bbbb-9", 5000, NULL);
	expect_proof("bbbb-9", RUN_SUSPECT, 5000, "");
	prove("bbbb-9", 6000, "table t: rows are missing");
	expect_proof("bbbb-9", RUN_SUSPECT, 0, "");
	prove("bbbb-9", 7000, NULL);
	expect_proof("bbbb-9", RUN_SUSPECT, 7000, "");
}

static struct catalogue_seen look(const char *key, int depth, const char *damage)
{
	const struct catalogue_look l = {.storage = "disk", .key = key, .depth = depth, .damage = damage, .at = 9000};
	struct catalogue_seen seen;
	struct err e;

	if (catalogue_look(c, &l, &seen, &e))
		fail_msg("%s", e.msg);
	return seen;
}

static void store(const char *uuid, const char *key)
{
	struct wire_archive a = archive("disk", key, 100);
	struct err e;

	assert_int_equal(catalogue_upload(c, uuid, &a, &e) + catalogue_stored(c, uuid, &a, &e), 0);
}

static void damage_takes_the_green_until_every_archive_is_sound_again(void **state)
{
	const struct run_query damaged = {.uuid = "dddd-9"};
	struct catalogue_seen seen;
	char first[UUID_TEXT];
	struct wire_runs runs;
	struct err e;

	(void)state;
	save("dddd-9", "damage", 1000, RUN_OK);
	store("dddd-9", "d/1");
	store("dddd-9", "d/2");
	prove("dddd-9", 5000, NULL);
	assert_false(look("d/1", 0, NULL).changed);
	expect_proof("dddd-9", RUN_OK, 5000, "");
	seen = look("d/2", 0, "db/x: frame");
	assert_true(seen.changed);
	assert_string_equal(seen.run, "dddd-9");
	expect_proof("dddd-9", RUN_SUSPECT, 0, "damaged: db/x: frame");
	assert_int_equal(count(&(struct run_query){.site = "damage", .good = true}, first), 0);
	assert_int_equal(count(&(struct run_query){.site = "damage", .was_good = true}, first), 1);
	assert_int_equal(catalogue_runs(c, &damaged, &runs, &e), 0);
	assert_string_equal(runs.v[0].archives.v[0].damage, "");
	assert_string_equal(runs.v[0].archives.v[1].damage, "db/x: frame");
	runs_done(&runs);
	assert_true(look("d/1", 0, "db/a: gone").changed);
	expect_proof("dddd-9", RUN_SUSPECT, 0, "damaged: db/a: gone");
	assert_true(look("d/1", 0, NULL).changed);
	expect_proof("dddd-9", RUN_SUSPECT, 0, "damaged: db/x: frame");
	assert_false(look("d/2", 0, "db/x: frame").changed); /* the same again is no news */
	assert_true(look("d/2", 0, NULL).changed);
	expect_proof("dddd-9", RUN_WARNING, 0, "");
}

static void a_shallow_look_does_not_undo_what_a_deep_one_found(void **state)
{
	struct catalogue_seen seen;

	(void)state;
	save("eeee-9", "deep", 1000, RUN_WARNING);
	store("eeee-9", "e/1");
	assert_true(look("e/1", 2, "db/x: its SHA-256").changed);
	seen = look("e/1", 0, NULL);
	assert_false(seen.changed);
	assert_true(seen.stays);
	expect_proof("eeee-9", RUN_SUSPECT, 0, "damaged: db/x: its SHA-256");
	seen = look("e/1", 2, NULL);
	assert_true(seen.changed);
	assert_false(seen.stays);
	expect_proof("eeee-9", RUN_WARNING, 0, "");
	assert_true(look("e/1", 2, "db/x: its SHA-256").changed);
	prove("eeee-9", 7000, NULL); /* all of it was read, and loaded */
	expect_proof("eeee-9", RUN_WARNING, 7000, "");
	assert_false(look("e/1", 0, NULL).stays);
}

static void what_a_restore_meets_does_not_replace_what_is_known(void **state)
{
	struct catalogue_look l = {.storage = "disk", .key = "g/1", .depth = 2, .damage = "db/y: frame", .once = true, .at = 9000};
	struct catalogue_seen seen;
	struct err e;

	(void)state;
	save("gggg-9", "once", 1000, RUN_OK);
	store("gggg-9", "g/1");
	assert_int_equal(catalogue_look(c, &l, &seen, &e), 0);
	assert_true(seen.changed);
	expect_proof("gggg-9", RUN_SUSPECT, 0, "damaged: db/y: frame");
	assert_true(look("g/1", 0, "db/x: frame").changed); /* a verification says it as it finds it */
	assert_int_equal(catalogue_look(c, &l, &seen, &e), 0);
	assert_false(seen.changed);
	assert_string_equal(seen.run, "gggg-9");
	expect_proof("gggg-9", RUN_SUSPECT, 0, "damaged: db/x: frame");
	assert_true(look("g/1", 0, NULL).changed);
	expect_proof("gggg-9", RUN_WARNING, 0, "");
}

static void damage_and_other_reasons_do_not_undo_each_other(void **state)
{
	(void)state;
	save("ffff-9", "both", 1000, RUN_SUSPECT);
	store("ffff-9", "f/1");
	assert_true(look("f/1", 0, "db/x: frame").changed);
	expect_proof("ffff-9", RUN_SUSPECT, 0, ""); /* its own reason stands */
	assert_true(look("f/1", 0, NULL).changed);
	expect_proof("ffff-9", RUN_SUSPECT, 0, "");
	save("ffff-8", "both", 2000, RUN_OK);
	store("ffff-8", "f/2");
	prove("ffff-8", 5000, "table t: other content");
	assert_false(look("f/2", 0, "db/x: frame").changed);
	assert_false(look("f/2", 0, NULL).changed); /* sound bytes prove nothing about the copy */
	expect_proof("ffff-8", RUN_SUSPECT, 0, "proof failed: table t: other content");
	assert_string_equal(look("f/none", 0, "gone").run, "");
}

static void the_grid_of_a_table_is_remembered(void **state)
{
	const struct catalogue_grid g = {"shop", "db", "t"}, other = {"shop", "db", "u"};
	int shift = -1;
	struct err e;

	(void)state;
	assert_int_equal(catalogue_grid(c, &g, &shift, &e), 0);
	assert_int_equal(shift, -1);
	assert_int_equal(catalogue_keep_grid(c, &g, 17, &e), 0);
	assert_int_equal(catalogue_keep_grid(c, &g, 18, &e), 0);
	assert_int_equal(catalogue_grid(c, &g, &shift, &e), 0);
	assert_int_equal(shift, 18);
	assert_int_equal(catalogue_grid(c, &other, &shift, &e), 0);
	assert_int_equal(shift, 18);
}

static void the_newest_run_is_the_one_made_last_whatever_the_clock_said(void **state)
{
	char first[UUID_TEXT];
	struct run_briefs list;
	struct err e;

	(void)state;
	save("5522-1", "clock", 1000, RUN_OK);
	save("5522-2", "clock", 9000, RUN_OK); /* the clock was wrong */
	save("5522-3", "clock", 2000, RUN_OK);
	save("5522-2", "clock", 9000, RUN_WARNING); /* written again, it stays where it was */
	assert_int_equal(count(&(struct run_query){.site = "clock", .good = true}, first), 3);
	assert_string_equal(first, "5522-3");
	assert_int_equal(count(&(struct run_query){.site = "clock", .until = 9500}, first), 3);
	assert_string_equal(first, "5522-2");
	assert_int_equal(catalogue_briefs(c, "clock", &list, &e), 0);
	assert_string_equal(list.v[0].uuid, "5522-3");
	assert_string_equal(list.v[1].uuid, "5522-2");
	list_done(&list);
}

static void what_the_master_is_to_be_told_comes_in_the_order_of_making(void **state)
{
	char first[UUID_TEXT];
	struct err e;

	(void)state;
	save("5523-1", "told", 9000, RUN_OK); /* the clock was wrong */
	save("5523-2", "told", 1000, RUN_OK);
	assert_int_equal(count(&(struct run_query){.site = "told", .unreported = true, .limit = 1}, first), 1);
	assert_string_equal(first, "5523-1");
	assert_int_equal(catalogue_reported(c, "5523-1", INT64_MAX, &e), 0);
	assert_int_equal(count(&(struct run_query){.site = "told", .unreported = true, .limit = 1}, first), 1);
	assert_string_equal(first, "5523-2");
	assert_int_equal(count(&(struct run_query){.site = "told"}, first), 2);
	assert_string_equal(first, "5523-2");
}

static struct run_brief brief(const char *site, size_t at, size_t n)
{
	struct run_briefs list;
	struct run_brief b;
	struct err e;

	assert_int_equal(catalogue_briefs(c, site, &list, &e), 0);
	assert_int_equal(list.n, n);
	b = list.v[at];
	list_done(&list);
	return b;
}

static void a_run_is_forgotten_only_when_it_was_given_up_and_nothing_is_left(void **state)
{
	struct wire_archive a = archive("s", "z/a", 1000), b = archive("t", "z/a", 500);
	char first[UUID_TEXT];
	bool changed;
	struct err e;

	(void)state;
	save("1111-1", "old", 1000, RUN_OK);
	save("1111-2", "old", 2000, RUN_RUNNING);
	assert_int_equal(catalogue_upload(c, "1111-1", &a, &e) + catalogue_stored(c, "1111-1", &a, &e), 0);
	assert_int_equal(catalogue_upload(c, "1111-1", &b, &e) + catalogue_stored(c, "1111-1", &b, &e), 0);
	assert_int_equal(brief("old", 1, 2).archives, 2);
	assert_int_equal(brief("old", 1, 2).size, 1500);
	assert_int_equal(catalogue_forget(c, "1111-1", &e), 0); /* nobody gave it up */
	assert_int_equal(brief("old", 1, 2).archives, 2);
	assert_int_equal(catalogue_expire(c, "1111-2", 77, &changed, &e), 0);
	assert_false(changed); /* it is in progress */
	assert_int_equal(count(&(struct run_query){.site = "old", .good = true}, first), 1);
	assert_int_equal(catalogue_expire(c, "1111-1", 77, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(brief("old", 1, 2).expiring, 77);
	assert_int_equal(count(&(struct run_query){.site = "old", .good = true}, first), 0);
	assert_int_equal(catalogue_expire(c, "1111-1", 88, &changed, &e), 0);
	assert_false(changed);
	assert_int_equal(catalogue_gone(c, "1111-1", &a, &e), 0);
	assert_int_equal(catalogue_forget(c, "1111-1", &e), 0); /* one storage has not confirmed */
	assert_int_equal(brief("old", 1, 2).archives, 1);
	assert_int_equal(catalogue_gone(c, "1111-1", &b, &e), 0);
	assert_int_equal(catalogue_forget(c, "1111-1", &e), 0);
	assert_string_equal(brief("old", 0, 1).uuid, "1111-2");
}

static void a_held_run_is_not_given_up_and_one_that_goes_is_not_held(void **state)
{
	struct run_marks m;
	bool changed;
	struct err e;

	(void)state;
	save("2222-1", "held", 1000, RUN_OK);
	assert_int_equal(catalogue_hold(c, "2222-1", true, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(catalogue_expire(c, "2222-1", 5, &changed, &e), 0);
	assert_false(changed);
	assert_int_equal(catalogue_marks(c, "2222-1", &m, &e), 0);
	assert_true(m.held);
	save("2222-1", "held", 1000, RUN_WARNING); /* saving again keeps the marks */
	assert_true(brief("held", 0, 1).held);
	assert_int_equal(catalogue_hold(c, "2222-1", false, &changed, &e), 0);
	assert_int_equal(catalogue_expire(c, "2222-1", 5, &changed, &e), 0);
	assert_true(changed);
	assert_int_equal(catalogue_hold(c, "2222-1", true, &changed, &e), 0);
	assert_false(changed);
	assert_int_equal(catalogue_marks(c, "nobody", &m, &e), 0);
	assert_false(m.held);
}

static void add_name(void *ctx, const struct catalogue_table *t)
{
	char *names = ctx;

	names[strlen(names)] = t->name[0]; /* of one letter each */
}

static void tables_of_a_second_attempt_take_the_place_of_the_first(void **state)
{
	static const uint8_t digest[16];
	struct catalogue_table v[] = {{"b", 1, 2, digest, true}, {"a", 3, 4, digest, true}};
	struct catalogue_tables both = {.v = v, .n = 2}, one = {.v = v, .n = 1};
	char names[50] = "";
	struct err e;

	(void)state;
	save("3333-1", "tables", 1000, RUN_OK);
	assert_int_equal(catalogue_set_tables(c, "3333-1", "db", &both, &e), 0);
	assert_int_equal(catalogue_each_table(c, "3333-1", "db", add_name, names, &e), 0);
	assert_string_equal(names, "ab");
	assert_int_equal(catalogue_set_tables(c, "3333-1", "db", &one, &e), 0);
	memset(names, 0, sizeof(names));
	assert_int_equal(catalogue_each_table(c, "3333-1", "db", add_name, names, &e), 0);
	assert_string_equal(names, "b");
	v[1].name = "b"; /* twice the same: nothing of it is kept, what was there stays */
	assert_int_equal(catalogue_set_tables(c, "3333-1", "db", &both, &e), -1);
	memset(names, 0, sizeof(names));
	assert_int_equal(catalogue_each_table(c, "3333-1", "db", add_name, names, &e), 0);
	assert_string_equal(names, "b");
}

static void growth_is_what_was_stored_since(void **state)
{
	struct wire_archive a = archive("g", "g/a", 1000), b = archive("g", "g/b", 500);
	struct storage_growth g;
	struct err e;

	(void)state;
	save("4444-1", "grows", 1000, RUN_OK);
	save("4444-2", "grows", 5000, RUN_OK);
	assert_int_equal(catalogue_upload(c, "4444-1", &a, &e) + catalogue_stored(c, "4444-1", &a, &e), 0);
	assert_int_equal(catalogue_upload(c, "4444-2", &b, &e) + catalogue_stored(c, "4444-2", &b, &e), 0);
	assert_int_equal(catalogue_growth(c, "g", 0, &g, &e), 0);
	assert_int_equal(g.bytes, 1500);
	assert_int_equal(g.first, 1000);
	assert_int_equal(catalogue_growth(c, "g", 2000, &g, &e), 0);
	assert_int_equal(g.bytes, 500);
	assert_int_equal(g.runs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_are_found_by_site_id_state_and_time),
		cmocka_unit_test(a_run_comes_back_as_it_was_saved),
		cmocka_unit_test(only_stored_archives_count_and_unfinished_ones_are_found),
		cmocka_unit_test(the_grid_of_a_table_is_remembered),
		cmocka_unit_test(the_newest_run_is_the_one_made_last_whatever_the_clock_said),
		cmocka_unit_test(what_the_master_is_to_be_told_comes_in_the_order_of_making),
		cmocka_unit_test(a_run_is_forgotten_only_when_it_was_given_up_and_nothing_is_left),
		cmocka_unit_test(a_held_run_is_not_given_up_and_one_that_goes_is_not_held),
		cmocka_unit_test(tables_of_a_second_attempt_take_the_place_of_the_first),
		cmocka_unit_test(growth_is_what_was_stored_since),
		cmocka_unit_test(an_aborted_run_leaves_nothing),
		cmocka_unit_test(a_run_that_ended_by_itself_is_not_aborted_behind_its_back),
		cmocka_unit_test(a_failed_proof_takes_the_green_and_a_later_one_gives_it_back),
		cmocka_unit_test(damage_takes_the_green_until_every_archive_is_sound_again),
		cmocka_unit_test(a_shallow_look_does_not_undo_what_a_deep_one_found),
		cmocka_unit_test(what_a_restore_meets_does_not_replace_what_is_known),
		cmocka_unit_test(damage_and_other_reasons_do_not_undo_each_other),
		cmocka_unit_test(a_run_suspect_for_another_reason_stays_so_whatever_the_proof_says),
	};

	return cmocka_run_group_tests(tests, open_catalogue, close_catalogue);
}
