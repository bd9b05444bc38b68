/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/keep.c"

#include <stdlib.h>
#include <time.h>

#include "tests/unit.h"

enum { MANY = 60 };

static const int64_t hour = 3600 * 1000, day = 24 * 3600 * 1000LL;
/* Monday, 2026-11-23 03:10 UTC */
static const int64_t start = 1795403400LL * 1000;

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static size_t series(struct keep_run *runs, size_t n, int64_t apart)
{
	for (size_t i = 0; i < n; i++) {
		runs[i] = (struct keep_run){.at = start - (int64_t)i * apart, .good = true};
		snprintf(runs[i].uuid, sizeof(runs[i].uuid), "%08zx", i);
	}
	return n;
}

/* "KKdK": K kept, d deleted, newest first. */
static void becomes(struct keep k, const struct keep_run *runs, size_t n, const char *want)
{
	struct keep_verdict v[MANY];
	char got[MANY + 1] = "";

	k.given = true;
	keep_judge(&k, runs, n, v);
	for (size_t i = 0; i < n; i++)
		got[i] = v[i].keep ? 'K' : 'd';
	assert_string_equal(got, want);
	for (size_t i = 0; i < n; i++)
		assert_true(v[i].why[0]);
}

static void the_last_ones_are_kept(void **state)
{
	struct keep_run r[6];

	(void)state;
	becomes((struct keep){.last = 2, .within = text("")}, r, series(r, 5, day), "KKddd");
	becomes((struct keep){.last = 9, .within = text("")}, r, series(r, 5, day), "KKKKK");
}

static void one_of_each_day_is_kept_the_newest(void **state)
{
	struct keep_run r[10];

	(void)state;
	/* 03:10, then 19:10, 11:10, 03:10 of the day before ... */
	becomes((struct keep){.daily = 2, .within = text("")}, r, series(r, 8, 8 * hour), "KKdddddd");
	becomes((struct keep){.daily = 3, .within = text("")}, r, series(r, 8, 8 * hour), "KKddKddd");
}

static void weeks_are_those_of_iso_8601(void **state)
{
	struct keep_run r[12];

	(void)state;
	/* the 23rd is a Monday: the 22nd belongs to the week before */
	becomes((struct keep){.weekly = 2, .within = text("")}, r, series(r, 10, day), "KKdddddddd");
	becomes((struct keep){.weekly = 3, .within = text("")}, r, series(r, 10, day), "KKddddddKd");
}

static void a_pause_deletes_nothing(void **state)
{
	struct keep_run r[4];
	size_t n = series(r, 4, 40 * day);

	(void)state;
	becomes((struct keep){.daily = 4, .within = text("")}, r, n, "KKKK");
}

static void the_hour_that_comes_twice_is_two(void **state)
{
	/* 2026-10-25 00:30 and 01:30 UTC, both 02:30 in Berlin */
	const struct keep_run r[] = {{.uuid = "2", .at = 1792891800000LL, .good = true}, {.uuid = "1", .at = 1792888200000LL, .good = true}};

	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	becomes((struct keep){.hourly = 5, .within = text("")}, r, 2, "KK");
	becomes((struct keep){.daily = 5, .within = text("")}, r, 2, "Kd");
	setenv("TZ", "UTC", 1);
	tzset();
}

static void a_clock_that_was_set_back_pushes_nothing_out(void **state)
{
	/* newest first, as they were made: two days ahead for two runs */
	const int64_t ahead[] = {0, 1, 3, 3, 0, -1};
	struct keep_run r[6];

	(void)state;
	(void)series(r, 6, day);
	for (size_t i = 0; i < 6; i++)
		r[i].at = start + ahead[i] * day - (int64_t)i * hour;
	becomes((struct keep){.last = 2, .within = text("")}, r, 6, "KKdddd");
	becomes((struct keep){.daily = 3, .within = text("")}, r, 6, "KKKddd");
}

static void months_and_years_are_counted(void **state)
{
	struct keep_run r[30];

	(void)state;
	becomes((struct keep){.monthly = 2, .yearly = 2, .within = text("")}, r, series(r, 6, 61 * day), "KKddd" "d");
	becomes((struct keep){.yearly = 3, .within = text("")}, r, series(r, 6, 183 * day), "KdKdKd");
}

static void a_span_counts_from_the_newest_good_run(void **state)
{
	struct keep_run r[6];
	size_t n = series(r, 6, day);

	(void)state;
	becomes((struct keep){.within = text("2d")}, r, n, "KKKddd");
	r[0].good = false;
	becomes((struct keep){.within = text("2d")}, r, n, "KKKKdd");
}

static void suspect_runs_do_not_count_and_stay_as_long_as_if_they_did(void **state)
{
	struct keep_run r[6];
	size_t n = series(r, 6, day);

	(void)state;
	r[0].good = r[1].good = r[3].good = false;
	becomes((struct keep){.last = 2, .within = text("")}, r, n, "KKKKKd");
	r[5].good = false;
	becomes((struct keep){.last = 2, .within = text("")}, r, n, "KKKKKd");
}

static void the_newest_good_run_is_never_deleted(void **state)
{
	struct keep_run r[3];
	struct keep_verdict v;

	(void)state;
	becomes((struct keep){.within = text("1s")}, r, series(r, 3, day), "Kdd");
	/* whatever the rules say */
	series(r, 1, day);
	keep_judge(&(struct keep){.given = true, .daily = 0, .within = text("x")}, r, 1, &v);
	assert_true(v.keep);
}

static void held_runs_stay_and_count(void **state)
{
	struct keep_run r[4];
	size_t n = series(r, 4, day);

	(void)state;
	r[3].held = true;
	becomes((struct keep){.last = 1, .within = text("")}, r, n, "KddK");
	r[1].held = true;
	becomes((struct keep){.last = 2, .within = text("")}, r, n, "KKdK");
}

static void without_a_rule_nothing_goes(void **state)
{
	struct keep_run r[3];

	(void)state;
	becomes((struct keep){.within = text("")}, r, series(r, 3, day), "KKK");
	assert_false(keep_any(&(struct keep){.given = true, .within = text("")}));
	assert_false(keep_any(&(struct keep){.last = 3, .within = text("")}));
	assert_true(keep_any(&(struct keep){.given = true, .within = text("3d")}));
}

static void each_verdict_names_its_rule(void **state)
{
	struct keep_run r[6];
	struct keep_verdict v[6];
	size_t n = series(r, 5, 12 * hour);

	(void)state;
	keep_judge(&(struct keep){.given = true, .last = 1, .daily = 2, .weekly = 1, .within = text("12h")}, r, n, v);
	assert_string_equal(v[0].why, "last 1 of 1, daily 1 of 2 (2026-11-23), weekly 1 of 1 (2026-W48), within 12h of the newest");
	assert_string_equal(v[1].why, "daily 2 of 2 (2026-11-22), within 12h of the newest");
	assert_string_equal(v[2].why, "last: 1 are newer, daily: 00000001 is newer that day, weekly: 1 weeks are newer, "
				      "within: older than 12h");
	assert_string_equal(v[4].why, "last: 1 are newer, daily: 2 days are newer, weekly: 1 weeks are newer, within: older than 12h");
}

/* ---- against a model that works the other way round: for each rule all pieces
 * of the calendar, then the newest run of the newest ones of them */

static uint32_t roll(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static int64_t piece_number(int rule, int64_t at)
{
	time_t t = (time_t)(at / 1000);
	struct tm tm;
	int64_t days = at / day;

	gmtime_r(&t, &tm);
	switch (rule) {
	case 0:
		return at / hour;
	case 1:
		return days;
	case 2:
		return (days + 3) / 7; /* 1970-01-01 was a Thursday */
	case 3:
		return tm.tm_year * 12 + tm.tm_mon;
	default:
		return tm.tm_year;
	}
}

static bool model_keeps(const struct keep *k, int64_t within, const struct keep_run *runs, size_t n, size_t at)
{
	const int64_t counts[] = {k->hourly, k->daily, k->weekly, k->monthly, k->yearly};
	int64_t newer = 0, newest = 0;

	for (size_t i = 0; i < n; i++)
		if (runs[i].good && runs[i].at > newest)
			newest = runs[i].at;
	for (size_t i = 0; i < n; i++)
		newer += runs[i].good && i < at;
	if (runs[at].held || newer < k->last || (within && runs[at].at >= newest - within) || (runs[at].good && !newer))
		return true;
	for (int rule = 0; rule < 5; rule++) {
		int64_t mine = piece_number(rule, runs[at].at), last = INT64_MAX, pieces = 0;
		bool first = true;

		for (size_t i = 0; i < at; i++) {
			int64_t piece = piece_number(rule, runs[i].at);

			if (!runs[i].good)
				continue;
			pieces += piece != last;
			last = piece;
			first = first && piece != mine;
		}
		if (first && pieces < counts[rule])
			return true;
	}
	return false;
}

static void random_series_agree_with_the_model(void **state)
{
	uint64_t seed = 4711;
	struct keep_run runs[MANY];
	struct keep_verdict v[MANY];

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct keep k = {.given = true, .last = roll(&seed) % 4, .hourly = roll(&seed) % 5, .daily = roll(&seed) % 6,
				 .weekly = roll(&seed) % 4, .monthly = roll(&seed) % 4, .yearly = roll(&seed) % 3};
		int64_t days = roll(&seed) % 3 ? 0 : 1 + roll(&seed) % 20, step = (roll(&seed) % 4 ? 2 : 60) * day;
		size_t n = roll(&seed) % MANY;
		char within[32] = "";

		if (days)
			snprintf(within, sizeof(within), "%dd", (int)days);
		k.within = within;
		if (!keep_any(&k))
			continue;
		series(runs, n, 0);
		for (size_t i = 0; i < n; i++) {
			runs[i].at = (i ? runs[i - 1].at : start) - 1000 - (int64_t)roll(&seed) % step;
			runs[i].good = roll(&seed) % 5 != 0;
			runs[i].held = roll(&seed) % 20 == 0;
		}
		keep_judge(&k, runs, n, v);
		for (size_t i = 0; i < n; i++)
			if (v[i].keep != model_keeps(&k, days * day, runs, n, i))
				fail_msg("round %d: run %zu of %zu: %s", round, i, n, v[i].why);
	}
}

/* Deleting what may go and judging what is left deletes nothing more, and a run
 * that comes on top never brings one back to life that has to go. */
static void what_was_kept_stays_kept(void **state)
{
	uint64_t seed = 99;
	struct keep_run runs[MANY], left[MANY];
	struct keep_verdict v[MANY];

	(void)state;
	for (int round = 0; round < 1000; round++) {
		const struct keep k = {.given = true, .last = 1 + roll(&seed) % 3, .daily = roll(&seed) % 6, .weekly = roll(&seed) % 4,
				       .monthly = roll(&seed) % 3, .within = text("")};
		size_t n = series(runs, roll(&seed) % MANY, (1 + roll(&seed) % 40) * hour), m = 0;

		keep_judge(&k, runs, n, v);
		for (size_t i = 0; i < n; i++)
			if (v[i].keep)
				left[m++] = runs[i];
		keep_judge(&k, left, m, v);
		for (size_t i = 0; i < m; i++)
			assert_true(v[i].keep);
		assert_true(!n || m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ones_are_kept),
		cmocka_unit_test(one_of_each_day_is_kept_the_newest),
		cmocka_unit_test(weeks_are_those_of_iso_8601),
		cmocka_unit_test(a_pause_deletes_nothing),
		cmocka_unit_test(the_hour_that_comes_twice_is_two),
		cmocka_unit_test(a_clock_that_was_set_back_pushes_nothing_out),
		cmocka_unit_test(months_and_years_are_counted),
		cmocka_unit_test(a_span_counts_from_the_newest_good_run),
		cmocka_unit_test(suspect_runs_do_not_count_and_stay_as_long_as_if_they_did),
		cmocka_unit_test(the_newest_good_run_is_never_deleted),
		cmocka_unit_test(held_runs_stay_and_count),
		cmocka_unit_test(without_a_rule_nothing_goes),
		cmocka_unit_test(each_verdict_names_its_rule),
		cmocka_unit_test(random_series_agree_with_the_model),
		cmocka_unit_test(what_was_kept_stays_kept),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
