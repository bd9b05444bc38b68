/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/columns.c"
#include "noded/mysql/digest.c"
#include "noded/mysql/rows.c"

#include "tests/unit.h"

static void a_type_decides_how_its_values_are_written(void **state)
{
	(void)state;
	assert_int_equal(form_of("int(11) unsigned"), FORM_NUMBER);
	assert_int_equal(form_of("decimal(10,2)"), FORM_NUMBER);
	assert_int_equal(form_of("double(9,2) unsigned"), FORM_REAL);
	assert_int_equal(form_of("bit(1)"), FORM_HEX);
	assert_int_equal(form_of("longblob"), FORM_HEX);
	assert_int_equal(form_of("varbinary(20)"), FORM_HEX);
	assert_int_equal(form_of("point"), FORM_HEX);
	assert_int_equal(form_of("datetime(6)"), FORM_PLAIN);
	assert_int_equal(form_of("enum('int','bit')"), FORM_TEXT);
	assert_int_equal(form_of("uuid"), FORM_TEXT);
	assert_int_equal(form_of("json"), FORM_TEXT);
	assert_int_equal(form_of("something new"), FORM_TEXT);
}

static void selected_by(bool maria, const char *type, const char *collation, const char *want, enum column_form form)
{
	char *row[] = {(char *)(uintptr_t)"a", (char *)(uintptr_t)type, (char *)(uintptr_t)collation};
	struct buf b;

	buf_init(&b, 200);
	assert_int_equal(add_column(&b, row, maria), form);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void selected(const char *type, const char *collation, const char *want, enum column_form form)
{
	selected_by(true, type, collation, want, form);
	selected_by(false, type, collation, want, form);
}

/* MariaDB has no other 0, and a DOUBLE(9,2) of it has its digits in the archives that there are. */
static void the_sign_of_a_zero_is_left_with_mysql(void **state)
{
	(void)state;
	selected_by(true, "double(9,2)", NULL, "`a`", FORM_REAL);
	selected_by(false, "double(9,2)", NULL, "`a`+0e0", FORM_REAL);
}

static void what_text_would_change_is_selected_otherwise(void **state)
{
	(void)state;
	selected("float(7,3) unsigned", NULL, "`a`+0e0", FORM_REAL);
	selected("varchar(20)", "utf8mb4_bin", "`a`", FORM_TEXT);
	selected("text", "latin1_swedish_ci", "`a`", FORM_TEXT);
	selected("char(3)", "cp932_japanese_ci", "CAST(`a` AS BINARY)", FORM_HEX);
	selected("enum('','x')", "cp1250_bin", "`a`+0", FORM_NUMBER);
	selected("enum('it''s','a,','')", "utf8mb4_bin", "`a`+0", FORM_NUMBER);
	selected("set('',' ')", "utf8mb4_bin", "`a`+0", FORM_NUMBER);
	selected("enum('it''s,'' ','''','b')", "cp1250_bin", "`a`", FORM_TEXT);
	selected("uuid", NULL, "`a`", FORM_TEXT);
}

static void generated_columns_are_told_from_generated_defaults(void **state)
{
	(void)state;
	assert_true(is_generated("VIRTUAL GENERATED"));
	assert_true(is_generated("STORED GENERATED, INVISIBLE"));
	assert_false(is_generated("DEFAULT_GENERATED on update CURRENT_TIMESTAMP"));
	assert_false(is_generated("auto_increment"));
}

static void a_row_is_written_as_values(void **state)
{
	unsigned char forms[] = {FORM_NUMBER, FORM_REAL, FORM_TEXT, FORM_HEX, FORM_HEX, FORM_PLAIN, FORM_TEXT};
	struct columns k = {.n = 7, .form = {.v = forms, .n = 7}};
	char minus[] = "-0", number[] = "1.5", text[] = "it's", bin[] = "\x00\xff", none[] = "", date[] = "2026-11-23";
	char *row[] = {number, minus, text, bin, none, date, NULL};
	unsigned long len[] = {3, 2, 4, 2, 0, 10, 0};
	char out[200];
	char *end = rows_write(out, &k, row, len);

	(void)state;
	*end = '\0';
	assert_true((size_t)(end - out) <= rows_room(&k, len));
	assert_string_equal(out, "(1.5,-0e0,'it\\'s',0x00FF,'','2026-11-23',NULL)");
}

static void a_number_of_many_digits_is_no_decimal(void **state)
{
	unsigned char forms[] = {FORM_REAL, FORM_NUMBER};
	struct columns k = {.n = 2, .form = {.v = forms, .n = 2}};
	char digits[] = "1000000000000000000000000000000000000000000000000000000000000.5", *row[] = {digits, digits};
	unsigned long len[] = {63, 63};
	char out[200];

	(void)state;
	*rows_write(out, &k, row, len) = '\0';
	assert_string_equal(out, "(1000000000000000000000000000000000000000000000000000000000000.5e0,"
				 "1000000000000000000000000000000000000000000000000000000000000.5)");
}

static void digest_of(struct digest *d, const char *a, const char *b)
{
	char *row[2] = {a ? xstrdup(a) : NULL, b ? xstrdup(b) : NULL};
	unsigned long len[2] = {a ? strlen(a) : 0, b ? strlen(b) : 0};

	digest_row(d, row, len, 2);
	free(row[0]);
	free(row[1]);
}

static void a_digest_does_not_depend_on_order_but_on_all_else(void **state)
{
	struct digest one, two;
	uint8_t x[16], y[16];

	(void)state;
	digest_init(&one);
	digest_init(&two);
	digest_of(&one, "a", "b");
	digest_of(&one, NULL, "");
	digest_of(&two, NULL, "");
	digest_of(&two, "a", "b");
	digest_get(&one, x);
	digest_get(&two, y);
	assert_memory_equal(x, y, 16);
	assert_int_equal(one.rows, 2);
	digest_of(&one, "ab", "");
	digest_of(&two, "a", "b");
	digest_get(&one, x);
	digest_get(&two, y);
	assert_memory_not_equal(x, y, 16);
	digest_done(&one);
	digest_done(&two);
}

static void null_is_not_the_empty_string(void **state)
{
	struct digest one, two;

	(void)state;
	digest_init(&one);
	digest_init(&two);
	digest_of(&one, NULL, "x");
	digest_of(&two, "", "x");
	assert_true(one.low != two.low);
	digest_done(&one);
	digest_done(&two);
}

static void a_long_row_is_hashed_in_pieces_to_the_same_value(void **state)
{
	struct digest d;
	size_t n = COPY_MAX;
	CLEANUP(freep) char *text = xmalloc(n), *flat = xmalloc(n + 8);
	char *row[2] = {text, NULL};
	unsigned long len[2] = {n, 0};
	XXH128_hash_t h;

	(void)state;
	memset(text, 'z', n);
	digest_init(&d);
	digest_row(&d, row, len, 2);
	memcpy(flat, "\x00\x00\x01\x00", 4); /* 65536 little-endian */
	memcpy(flat + 4, text, n);
	memset(flat + 4 + n, 0xff, 4);
	h = XXH3_128bits(flat, n + 8);
	assert_true(d.low == h.low64 && d.high == h.high64);
	digest_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_decides_how_its_values_are_written),
		cmocka_unit_test(what_text_would_change_is_selected_otherwise),
		cmocka_unit_test(the_sign_of_a_zero_is_left_with_mysql),
		cmocka_unit_test(generated_columns_are_told_from_generated_defaults),
		cmocka_unit_test(a_number_of_many_digits_is_no_decimal),
		cmocka_unit_test(a_row_is_written_as_values),
		cmocka_unit_test(a_digest_does_not_depend_on_order_but_on_all_else),
		cmocka_unit_test(null_is_not_the_empty_string),
		cmocka_unit_test(a_long_row_is_hashed_in_pieces_to_the_same_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
