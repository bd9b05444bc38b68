/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/wizard.c"

#include <locale.h>
#include <time.h>

#include "tests/tui/golden.h"

/* The wizard without a terminal and without a node: fixed answers, painted. */

enum { F_KEEP_AT = 4 }; /* of the schedule's fields */

static struct wizard w;
static struct screen s;
static char dir[] = "/tmp/felloe-wizard-XXXXXX";

static void fixed_answers(void)
{
	struct answer_site *site;
	struct answer_storage *st;

	w = (struct wizard){.a = {.managed = true}, .is_root = true};
	str_cut(w.role.hostname, sizeof(w.role.hostname), "web-04.fra");
	str_cut(w.role.system, sizeof(w.role.system), "Debian 12, systemd 252");
	str_cut(w.role.clock, sizeof(w.role.clock), "58.0 GiB free in /var/lib");
	str_cut(w.a.master_url, sizeof(w.a.master_url), "https://master.example.net:8443");
	str_cut(w.a.node_name, sizeof(w.a.node_name), "web-04.fra");
	str_cut(w.a.config_path, sizeof(w.a.config_path), "/etc/felloe/config.json");
	snprintf(w.a.kept_path, sizeof(w.a.kept_path), "%s/wizard.json", dir);

	site = list_push(&w.a.sites);
	*site = (struct answer_site){.name = "shop.example.net", .dir = "/var/www/shop", .kind = "WordPress 6.4",
				     .wp_config = "/var/www/shop/wp-config.php", .db_name = "shop", .db_user = "shop",
				     .bytes = 12900000000, .db_bytes = 1100000000, .has_db = true, .db_ok = true, .chosen = true};
	site = list_push(&w.a.sites);
	*site = (struct answer_site){.name = "old.example.net", .dir = "/var/www/old", .kind = "WordPress 4.9",
				     .wp_config = "/var/www/old/wp-config.php", .db_name = "old", .db_user = "old",
				     .bytes = 801000000, .db_bytes = -1, .has_db = true,
				     .db_error = "access denied for old@localhost: correct the password with E"};
	site = list_push(&w.a.sites);
	*site = (struct answer_site){.name = "docs", .dir = "/srv/docs", .kind = "files only", .bytes = -1, .db_bytes = -1};
	w.sites.state = LOOK_DONE;
	w.sites.ms = 4000;

	st = list_push(&w.a.storages);
	*st = (struct answer_storage){.name = "s3-ams", .s3 = true, .endpoint = "s3.ams.example", .bucket = "bk-ams",
				      .region = "ams-1", .access_key = "AKIAEXAMPLE", .secret_key = "not to be seen",
				      .path_style = true, .weight = "50", .limit_gb = "100", .test = TEST_OK, .test_ms = 38,
				      .test_text = "list ✓ 9 ms  write ✓ 12 ms  read ✓ 8 ms  delete ✓ 9 ms"};
	st = list_push(&w.a.storages);
	*st = (struct answer_storage){.name = "s3-fra", .s3 = true, .endpoint = "s3.fra.example", .bucket = "bk-main",
				      .region = "fra-1", .access_key = "AKIAOTHER", .path_style = true, .weight = "100",
				      .limit_gb = "100", .test = TEST_FAILED,
				      .test_text = "list ✓ 9 ms  write ✗ 403 AccessDenied  read -  delete -"};
	{
		struct answer_timer *t = list_push(&w.a.timers);

		*t = (struct answer_timer){.name = "nightly", .every = EVERY_DAY, .at = "03:10", .days = 0x7f, .spread_min = "5",
					   .keep = "14d 8w 12m", .db = true, .files = true};
	}
	str_cut(w.calendar.expr, sizeof(w.calendar.expr), "*-*-* 03:10:00");
	str_cut(w.calendar.next[0], 64, "Tue 24 Nov 03:10");
	str_cut(w.calendar.next[1], 64, "Wed 25 Nov 03:10");
	w.calendar.n_next = 2;
	w.calendar.state = LOOK_DONE;
}

static int set_up(void **state)
{
	(void)state;
	fixed_answers();
	screen_init(&s, GLYPHS_FULL);
	screen_resize(&s, 24, 80);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(w.a.kept_path);
	wizard_done(&w);
	screen_done(&s);
	return 0;
}

/* Opens the step as a key would, without starting its programs. */
static void open_step(enum wizard_step step)
{
	w.step = step;
	w.seen[step] = true;
	if (step == STEP_ROLE || step == STEP_MASTER)
		ops_of(step)->enter(&w);
}

static void paint_both(const char *name)
{
	static const struct { int rows, cols; } sizes[] = {{24, 80}, {15, 60}};
	char golden[128];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		screen_resize(&s, sizes[i].rows, sizes[i].cols);
		wizard_draw(&w, &s);
		snprintf(golden, sizeof(golden), "wizard-%s-%dx%d", name, sizes[i].cols, sizes[i].rows);
		golden_check(&s, golden);
	}
}

static void the_role_says_that_nothing_changes_yet(void **state)
{
	(void)state;
	/* only shown here: nothing is kept in this test */
	str_cut(w.a.kept_path, sizeof(w.a.kept_path), "/var/lib/felloe/node/wizard.json");
	open_step(STEP_ROLE);
	paint_both("role");
}

static void the_master_step_shows_the_key_before_it_is_trusted(void **state)
{
	(void)state;
	str_cut(w.master.seen_pin, sizeof(w.master.seen_pin), "sha256//P5oHwa8mZ0JZt6k1Vb7r0a4V7s0wYw3Oq1hN9xkq2cQ=");
	w.master.good = true;
	str_cut(w.master.result, sizeof(w.master.result), "answers ✓ 12 ms   clock ✓ 0.2 s off   TLS ✓");
	open_step(STEP_MASTER);
	paint_both("master");
}

static void a_whole_address_may_be_typed_behind_the_scheme_that_is_there(void **state)
{
	(void)state;
	w.a.master_url[0] = '\0';
	open_step(STEP_MASTER);
	wizard_key(&w, K_PASTE, "https://m.example:8443");
	assert_string_equal(w.fields[0].v, "https://m.example:8443");
	wizard_key(&w, K_CTRL('u'), NULL);
	for (const char *p = "https://http://10.0.0.1"; *p; p++)
		wizard_key(&w, *p, NULL);
	assert_string_equal(w.fields[0].v, "http://10.0.0.1");
	wizard_key(&w, K_CTRL('u'), NULL);
	for (const char *p = "https://httpd.example"; *p; p++)
		wizard_key(&w, *p, NULL);
	assert_string_equal(w.fields[0].v, "https://httpd.example");
}

static void sites_show_what_is_wrong_with_a_database(void **state)
{
	(void)state;
	open_step(STEP_SITES);
	wizard_key(&w, K_DOWN, NULL);
	paint_both("sites");
}

static void storages_show_their_order_and_the_failed_step_of_a_test(void **state)
{
	(void)state;
	open_step(STEP_STORAGES);
	wizard_key(&w, 'j', NULL);
	paint_both("storages");
}

static void the_editor_of_a_storage_never_shows_the_secret(void **state)
{
	struct buf b;

	(void)state;
	open_step(STEP_STORAGES);
	wizard_key(&w, 'E', NULL);
	paint_both("storage-edit");
	buf_init(&b, 1 << 20);
	screen_dump(&s, &b, false);
	assert_null(strstr(b.p, "not to be seen"));
	buf_done(&b);
}

static void the_schedule_shows_what_systemd_said(void **state)
{
	(void)state;
	open_step(STEP_SCHEDULE);
	paint_both("schedule");
}

static void the_editor_of_a_timer_explains_what_stays(void **state)
{
	(void)state;
	open_step(STEP_SCHEDULE);
	wizard_key(&w, 'E', NULL);
	wizard_key(&w, K_BACKTAB, NULL); /* the last button, */
	wizard_key(&w, K_BACKTAB, NULL); /* the other one, */
	wizard_key(&w, K_BACKTAB, NULL); /* the field above */
	paint_both("schedule-edit");
	wizard_key(&w, K_PASTE, " 5x");
	wizard_key(&w, K_ENTER, NULL);
	wizard_key(&w, K_ENTER, NULL);
	assert_true(w.editing);
	assert_non_null(strstr(w.message, "\"5x\""));
}

static void an_hourly_timer_keeps_hours_unless_somebody_wrote_what(void **state)
{
	(void)state;
	open_step(STEP_SCHEDULE);
	wizard_key(&w, 'C', NULL);
	assert_string_equal(w.fields[F_KEEP_AT].v, "14d 8w 12m");
	for (int i = 0; i < 4; i++)
		wizard_key(&w, K_TAB, NULL);
	wizard_key(&w, ' ', NULL); /* every hour */
	assert_int_equal(w.choice, EVERY_HOUR);
	assert_string_equal(w.fields[F_KEEP_AT].v, "48h 14d 8w 12m");
	field_set(&w.fields[F_KEEP_AT], "7d");
	wizard_key(&w, K_UP, NULL);
	wizard_key(&w, ' ', NULL);
	assert_string_equal(w.fields[F_KEEP_AT].v, "7d");
}

static void review_names_all_that_will_be_written(void **state)
{
	(void)state;
	open_step(STEP_REVIEW);
	paint_both("review");
}

static void waiting_for_approval_shows_the_code_large(void **state)
{
	(void)state;
	open_step(STEP_REVIEW);
	w.review.applied = true;
	w.review.lines[0] = (struct review_line){.mark = 'o', .ms = 100, .text = "configuration written"};
	w.review.lines[1] = (struct review_line){.mark = 'o', .ms = 400, .text = "timers installed and enabled"};
	w.review.lines[2] = (struct review_line){.mark = '!', .ms = -1, .text = "blocked by the admin: wrong network"};
	w.review.n = 3;
	paint_both("applied");
}

static void going_on_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < w.a.sites.n; i++)
		w.a.sites.v[i].chosen = false;
	open_step(STEP_SITES);
	wizard_key(&w, 'n', NULL);
	assert_int_equal(w.step, STEP_SITES);
	assert_non_null(strstr(w.message, "Mark at least one site"));
}

static void a_letter_in_a_field_is_text_and_no_command(void **state)
{
	(void)state;
	open_step(STEP_MASTER);
	wizard_key(&w, 'n', NULL);
	assert_int_equal(w.step, STEP_MASTER);
	assert_non_null(strstr(w.fields[0].v, "8443n"));
}

static void a_removed_storage_is_asked_about_first(void **state)
{
	(void)state;
	open_step(STEP_STORAGES);
	wizard_key(&w, 'D', NULL);
	assert_true(w.dialog.open);
	wizard_key(&w, K_ENTER, NULL); /* the default is Cancel */
	assert_false(w.dialog.open);
	assert_int_equal(w.a.storages.n, 2);
}

static void a_node_without_a_master_skips_its_step(void **state)
{
	(void)state;
	w.a.managed = false;
	w.sites.state = LOOK_DONE;
	for (size_t i = 0; i < w.a.sites.n; i++)
		w.a.sites.v[i].chosen = false; /* nothing to try, no program is started */
	w.choice = 1;
	open_step(STEP_ROLE);
	wizard_key(&w, 'n', NULL);
	assert_int_equal(w.step, STEP_SITES);
	wizard_key(&w, 'p', NULL);
	assert_int_equal(w.step, STEP_ROLE);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define WIZARD_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIZARD_TEST(the_role_says_that_nothing_changes_yet),
		WIZARD_TEST(the_master_step_shows_the_key_before_it_is_trusted),
		WIZARD_TEST(a_whole_address_may_be_typed_behind_the_scheme_that_is_there),
		WIZARD_TEST(sites_show_what_is_wrong_with_a_database),
		WIZARD_TEST(storages_show_their_order_and_the_failed_step_of_a_test),
		WIZARD_TEST(the_editor_of_a_storage_never_shows_the_secret),
		WIZARD_TEST(the_schedule_shows_what_systemd_said),
		WIZARD_TEST(the_editor_of_a_timer_explains_what_stays),
		WIZARD_TEST(an_hourly_timer_keeps_hours_unless_somebody_wrote_what),
		WIZARD_TEST(review_names_all_that_will_be_written),
		WIZARD_TEST(waiting_for_approval_shows_the_code_large),
		WIZARD_TEST(going_on_is_refused_with_the_reason),
		WIZARD_TEST(a_letter_in_a_field_is_text_and_no_command),
		WIZARD_TEST(a_removed_storage_is_asked_about_first),
		WIZARD_TEST(a_node_without_a_master_skips_its_step),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	setenv("FELLOE_NOW", "2026-11-23T14:03:22Z", 1);
	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
