/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/screen.c"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "tests/tui/dump.h"
#include "tests/unit.h"
#include "tui/chart.h"

static char *dump(const struct screen *s)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	screen_dump(s, &b, false);
	return buf_take(&b);
}

static void expect(struct screen *s, const char *text)
{
	char *got = dump(s);

	assert_string_equal(got, text);
	free(got);
	screen_done(s);
}

static struct screen made(int rows, int cols, enum glyphs glyphs)
{
	struct screen s;

	screen_init(&s, glyphs);
	screen_resize(&s, rows, cols);
	return s;
}

static void text_that_does_not_fit_ends_with_an_ellipsis(void **state)
{
	struct screen s = made(2, 10, GLYPHS_FULL);

	(void)state;
	assert_int_equal(screen_put(&s, AT(0, 0, 5), ST_TEXT, "web-01.fra"), 5);
	assert_int_equal(screen_put(&s, AT(1, 0, 10), ST_TEXT, "web-01.fra"), 10);
	expect(&s, "web-…\nweb-01.fra\n");
}

static void text_never_leaves_its_row_or_the_screen(void **state)
{
	struct screen s = made(2, 6, GLYPHS_FULL);

	(void)state;
	assert_int_equal(screen_put(&s, AT(0, 4, 20), ST_TEXT, "abcdef"), 2);
	assert_int_equal(screen_put(&s, AT(0, 6, 20), ST_TEXT, "x"), 0);
	assert_int_equal(screen_put(&s, AT(5, 0, 20), ST_TEXT, "x"), 0);
	assert_int_equal(screen_put(&s, AT(-1, 0, 20), ST_TEXT, "x"), 0);
	expect(&s, "    a…\n\n");
}

static void wide_characters_are_cut_by_cells_not_by_bytes(void **state)
{
	struct screen s = made(3, 10, GLYPHS_FULL);

	(void)state;
	assert_int_equal(text_width("ノード東京"), 10);
	assert_int_equal(screen_put(&s, AT(0, 0, 10), ST_TEXT, "ノード東京"), 10);
	assert_int_equal(screen_put(&s, AT(1, 0, 6), ST_TEXT, "ノード東京"), 5);
	screen_put(&s, AT(2, 0, 10), ST_TEXT, "東京");
	screen_put(&s, AT(2, 1, 1), ST_TEXT, "x"); /* over the right half of the first */
	expect(&s, "ノード東京\nノー…\n x京\n");
}

static void combining_marks_stay_with_their_letter(void **state)
{
	struct screen s = made(1, 4, GLYPHS_FULL);

	(void)state;
	assert_int_equal(screen_put(&s, AT(0, 0, 4), ST_TEXT, "e\xCC\x81x"), 2);
	expect(&s, "e\xCC\x81x\n");
}

static void controls_and_broken_bytes_are_never_sent_on(void **state)
{
	struct screen s = made(1, 12, GLYPHS_FULL);

	(void)state;
	screen_put(&s, AT(0, 0, 12), ST_TEXT, "a\033[2Jb\x9b\xff");
	expect(&s, "a?[2Jb\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

static void seven_bit_terminals_get_seven_bit_glyphs(void **state)
{
	struct screen s = made(5, 24, GLYPHS_ASCII);
	const double v[] = {0, 30, 60, 99, NAN};

	(void)state;
	screen_box(&s, RECT(0, 0, 3, 12), ST_TEXT, "DISK");
	screen_put(&s, AT(1, 1, 10), ST_TEXT, "● ▲ ✗ ○ »");
	screen_put(&s, AT(3, 0, 24), ST_TEXT, "‖ paused … waiting é");
	spark_draw(&s, AT(4, 0, 5), ST_TEXT, v, 5);
	expect(&s, "+ DISK ----+\n|* ! x o > |\n+----------+\n= paused ? waiting ?\n_.-#.\n");
}

static void a_paragraph_is_broken_at_blanks(void **state)
{
	struct screen s = made(3, 12, GLYPHS_FULL);

	(void)state;
	assert_int_equal(screen_wrap(&s, RECT(0, 0, 3, 12), ST_TEXT, "permission denied: see o\nend and more of it"), 3);
	expect(&s, "permission\ndenied: see\no\n");
	s = made(2, 8, GLYPHS_FULL);
	screen_wrap(&s, RECT(0, 0, 2, 8), ST_TEXT, "0123456789012345");
	expect(&s, "01234567\n89012345\n");
}

static void a_meter_shows_the_share_and_never_hides_a_small_one(void **state)
{
	struct screen s = made(6, 20, GLYPHS_FULL);

	(void)state;
	meter_draw(&s, AT(0, 0, 5), ST_TEXT, 91, NULL);
	meter_draw(&s, AT(1, 0, 5), ST_TEXT, 1, NULL);
	meter_draw(&s, AT(2, 0, 5), ST_TEXT, 0, NULL);
	meter_draw(&s, AT(3, 0, 10), ST_TEXT, 41, NULL);
	meter_draw(&s, AT(4, 0, 10), ST_TEXT, 140, NULL);
	meter_draw(&s, AT(5, 0, 4), ST_TEXT, 50, "░");
	expect(&s, "▇▇▇▇▇\n▇\n\n▇▇▇▇▏\n▇▇▇▇▇▇▇▇▇▇\n▇▇░░\n");
}

static void a_chart_fills_from_below_and_keeps_gaps(void **state)
{
	struct screen s = made(2, 4, GLYPHS_FULL);
	const double v[] = {100, 100, 50, 50, NAN, NAN, 0, 0};

	(void)state;
	chart_draw(&s, RECT(0, 0, 2, 4), ST_TEXT, v, 8);
	expect(&s, "⣿⣀\n⣿⣿ ⣀\n");
}

static void a_dump_with_styles_shows_them_as_letters(void **state)
{
	struct screen s = made(1, 6, GLYPHS_FULL);
	struct buf b;

	(void)state;
	screen_put(&s, AT(0, 0, 6), ST_FAIL, "ab");
	screen_put(&s, AT(0, 3, 6), ST_TEXT, "c");
	screen_select(&s, AT(0, 1, 3));
	buf_init(&b, 1024);
	screen_dump(&s, &b, true);
	assert_string_equal(b.p, "ab c\n--\nfF##\n");
	buf_done(&b);
	screen_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_does_not_fit_ends_with_an_ellipsis),
		cmocka_unit_test(text_never_leaves_its_row_or_the_screen),
		cmocka_unit_test(wide_characters_are_cut_by_cells_not_by_bytes),
		cmocka_unit_test(combining_marks_stay_with_their_letter),
		cmocka_unit_test(controls_and_broken_bytes_are_never_sent_on),
		cmocka_unit_test(seven_bit_terminals_get_seven_bit_glyphs),
		cmocka_unit_test(a_paragraph_is_broken_at_blanks),
		cmocka_unit_test(a_meter_shows_the_share_and_never_hides_a_small_one),
		cmocka_unit_test(a_chart_fills_from_below_and_keeps_gaps),
		cmocka_unit_test(a_dump_with_styles_shows_them_as_letters),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
