/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/str.c"

#include "tests/unit.h"

static void a_copy_that_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
	char dst[4] = "old";

	(void)state;
	assert_int_equal(str_copy(dst, sizeof(dst), "four"), -1);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, sizeof(dst), "abc"), 0);
	assert_string_equal(dst, "abc");
}

static void a_cut_never_leaves_half_a_character(void **state)
{
	char dst[6];

	(void)state;
	str_cut(dst, sizeof(dst), "abc\xc3\xa9\xc3\xa9");
	assert_string_equal(dst, "abc\xc3\xa9");
	str_cut(dst, 5, "abc\xc3\xa9\xc3\xa9");
	assert_string_equal(dst, "abc");
}

static void what_is_shortened_for_people_says_so(void **state)
{
	char dst[9];

	(void)state;
	str_shorten(dst, sizeof(dst), "12345678");
	assert_string_equal(dst, "12345678");
	str_shorten(dst, sizeof(dst), "123456789");
	assert_string_equal(dst, "12345…");
	str_shorten(dst, sizeof(dst), "1234\xc3\xa9 89");
	assert_string_equal(dst, "1234…");
}

static void numbers_are_taken_whole_or_not_at_all(void **state)
{
	uint64_t u = 7;
	int64_t i = 7;

	(void)state;
	assert_int_equal(str_to_u64(&u, "42", 0, 100), 0);
	assert_int_equal(u, 42);
	assert_int_equal(str_to_u64(&u, "18446744073709551616", 0, UINT64_MAX), -1);
	assert_int_equal(str_to_u64(&u, "4x", 0, 100), -1);
	assert_int_equal(str_to_u64(&u, " 4", 0, 100), -1);
	assert_int_equal(str_to_u64(&u, "101", 0, 100), -1);
	assert_int_equal(u, 42);
	assert_int_equal(str_to_i64(&i, "-5", -10, 10), 0);
	assert_int_equal(i, -5);
	assert_int_equal(str_to_i64(&i, "-", -10, 10), -1);
}

static void names_keep_to_the_documented_alphabet(void **state)
{
	(void)state;
	assert_true(str_is_name("shop.example.net"));
	assert_false(str_is_name(".hidden"));
	assert_false(str_is_name("a/b"));
	assert_false(str_is_name(""));
	assert_false(str_is_name("a2345678901234567890123456789012345678901234567890123456789012345"));
}

static void a_typo_finds_its_nearest_word(void **state)
{
	static const char *const words[] = {"storage", "sites", "timers"};

	(void)state;
	assert_string_equal(str_nearest("storge", words, 3), "storage");
	assert_null(str_nearest("completely", words, 3));
	assert_string_equal(str_hint("storge", words, 3).text, "; did you mean \"storage\"?");
	assert_string_equal(str_hint("completely", words, 3).text, "");
}

static void foreign_text_cannot_steer_a_terminal(void **state)
{
	char esc[] = "a\x1b[2Jb";
	char bidi[] = "x\xe2\x80\xaey";
	char bad[] = "ok\xff\xc3";
	char fine[] = "\xe3\x83\x8e\xe3\x83\xbc";

	(void)state;
	str_clean(esc);
	assert_string_equal(esc, "a?[2Jb");
	str_clean(bidi);
	assert_string_equal(bidi, "x?y");
	str_clean(bad);
	assert_string_equal(bad, "ok??");
	str_clean(fine);
	assert_string_equal(fine, "\xe3\x83\x8e\xe3\x83\xbc");
	assert_true(str_is_clean(fine));
	assert_true(str_is_clean(""));
	assert_false(str_is_clean("\xc2\x9b" "31m")); /* CSI in one character */
	assert_false(str_is_clean("x\xe2\x80\x8b"));
	assert_false(str_is_clean("x\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_does_not_fit_is_refused_and_leaves_nothing),
		cmocka_unit_test(a_cut_never_leaves_half_a_character),
		cmocka_unit_test(what_is_shortened_for_people_says_so),
		cmocka_unit_test(numbers_are_taken_whole_or_not_at_all),
		cmocka_unit_test(names_keep_to_the_documented_alphabet),
		cmocka_unit_test(a_typo_finds_its_nearest_word),
		cmocka_unit_test(foreign_text_cannot_steer_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
