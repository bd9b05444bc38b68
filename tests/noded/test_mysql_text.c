/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/sqltext.c"

#include "tests/unit.h"

static char *escaped(const char *p, size_t n)
{
	static char out[4096];

	*sql_escape(out, p, n) = '\0';
	return out;
}

static void each_special_byte_is_escaped_and_no_other(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char one = (char)c, *got = escaped(&one, 1);

		if (strchr("\n\r\\'\x1a", c) || !c) {
			assert_int_equal(got[0], '\\');
			assert_int_not_equal(got[1], '\0');
		} else {
			assert_int_equal(got[0], one);
			assert_int_equal(got[1], '\0');
		}
	}
	assert_string_equal(escaped("a'b\\c\n\r\x1a\0d\"", 11), "a\\'b\\\\c\\n\\r\\Z\\0d\"");
}

/* The block-wise ways have to agree with the plain one at every length and place. */
static void a_special_byte_is_found_at_any_place_of_any_length(void **state)
{
	char text[80];

	(void)state;
	for (size_t n = 1; n < 70; n++)
		for (size_t at = 0; at < n; at++) {
			const char *got;

			memset(text, 'x', sizeof(text));
			text[at] = '\'';
			got = escaped(text, n);
			assert_int_equal(strlen(got), n + 1);
			assert_int_equal(strcspn(got, "\\"), at);
			assert_int_equal(got[at + 1], '\'');
			text[at] = 'x';
			assert_int_equal(strspn(escaped(text, n), "x"), n);
		}
}

static void many_special_bytes_are_escaped_wherever_they_stand(void **state)
{
	static const char letters[] = "xxxxxxx\t'\n\\\x1f\x1a\0\x80";
	uint32_t seed = 1;

	(void)state;
	for (int run = 0; run < 20000; run++) {
		char text[100], want[256], *to = want;
		/* from one special byte in two to one in thirty */
		size_t n = (size_t)run % sizeof(text), plain = (size_t)run % 7 * 5;

		for (size_t i = 0; i < n; i++) {
			uint32_t dice;

			seed = seed * 1664525 + 1013904223;
			dice = (seed >> 8) % (uint32_t)(sizeof(letters) - 1 + plain);
			text[i] = letters[dice < sizeof(letters) - 1 ? dice : 0];
			if (strchr("\n\\'\x1a", text[i])) /* finds the NUL too */
				*to++ = '\\';
			*to++ = text[i] == '\n' ? 'n' : text[i] == '\x1a' ? 'Z' : text[i] ? text[i] : '0';
		}
		*to = '\0';
		assert_string_equal(escaped(text, n), want);
	}
}

static void hex_is_right_for_every_byte_and_length(void **state)
{
	unsigned char all[256];
	char got[513], want[513];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		all[i] = (unsigned char)i;
		snprintf(want + 2UL * i, 3, "%02X", i);
	}
	for (size_t n = 0; n <= 256; n++) {
		*sql_hex(got, all, n) = '\0';
		assert_int_equal(strlen(got), 2 * n);
		assert_memory_equal(got, want, 2 * n);
	}
}

static void copies_of_any_length_are_whole(void **state)
{
	char from[64], to[64];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i + 1);
	for (size_t n = 0; n < sizeof(from); n++) {
		memset(to, 0, sizeof(to));
		assert_ptr_equal(sql_copy(to, from, n), to + n);
		assert_memory_equal(to, from, n);
		assert_int_equal(to[n], 0);
	}
}

static void names_are_quoted_and_coded(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	sql_ident(&b, "a`b'c");
	assert_string_equal(b.p, "`a``b'c`");
	buf_reset(&b);
	sql_string(&b, "it's", 4);
	assert_string_equal(b.p, "'it\\'s'");
	buf_reset(&b);
	member_name(&b, "wp_posts-1");
	assert_string_equal(b.p, "wp_posts-1");
	buf_reset(&b);
	member_name(&b, "a b/..%\n\xc3\xa9");
	assert_string_equal(b.p, "a%20b%2F%2E%2E%25%0A%C3%A9");
	buf_done(&b);
}

static void a_delimiter_never_occurs_in_the_body(void **state)
{
	char d[24];

	(void)state;
	sql_delimiter(d, "BEGIN x; END", 12);
	assert_string_equal(d, ";;");
	sql_delimiter(d, "a;; $$", 6);
	assert_string_equal(d, "//");
	sql_delimiter(d, "a;; $$ // $$3$$", 15);
	assert_string_equal(d, "$$4$$");
	sql_delimiter(d, "ends with ;", 11);
	assert_string_equal(d, ";;");
}

static void unqualified(const char *text, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	sql_unqualify(&b, text, strlen(text), "shop");
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void our_own_schema_is_taken_out_of_definitions(void **state)
{
	(void)state;
	unqualified("`id` int DEFAULT nextval(`shop`.`seq`)", "`id` int DEFAULT nextval(`seq`)");
	unqualified("`id` int DEFAULT nextval(`other`.`seq`)", "`id` int DEFAULT nextval(`other`.`seq`)");
	unqualified("select `shop`.`f`(1), lastval(`shop`.`s`)", "select `f`(1), lastval(`s`)");
	unqualified("select `shop`.`t`.`a` from `t`", "select `t`.`a` from `t`");
	unqualified("select `shop`.`a` from `shop`", "select `shop`.`a` from `shop`");
	unqualified("COMMENT 'nextval(`shop`.`seq`)'", "COMMENT 'nextval(`shop`.`seq`)'");
	unqualified("COMMENT 'it''s \\' nextval(`shop`.`s`)'", "COMMENT 'it''s \\' nextval(`shop`.`s`)'");
	unqualified("select `x``shop`.`a`.`b`", "select `x``shop`.`a`.`b`");
}

static void found(const char *text, const char *word, const char *want)
{
	const char *at = sql_find_word(text, strlen(text), word);

	assert_string_equal(at ? at : "(nothing)", want);
}

static void words_are_found_outside_of_quotes_only(void **state)
{
	const char *text = "`a `` b`@'x y'z end";

	(void)state;
	found("GRANT SELECT (`a TO b`) ON `x``TO `.* TO `u`@`h`", "TO", "TO `u`@`h`");
	found("IDENTIFIED BY 'it''s \\' ON ' ON x", "on", "ON x");
	found("\"ON\" onx xon _ON ON", "ON", "ON");
	found("ONE", "ON", "(nothing)");
	found("", "ON", "(nothing)");
	assert_string_equal(sql_name_end(text, text + strlen(text)), " end");
	text = "`open";
	assert_string_equal(sql_name_end(text, text + strlen(text)), "");
}

static void period(const char *text, const char *want)
{
	struct buf a, b;

	buf_init(&a, 100);
	buf_init(&b, 100);
	assert_int_equal(sql_period_columns(text, strlen(text), &a, &b), *want != 0);
	assert_string_equal(a.p, want);
	assert_string_equal(b.p, *want ? "`b, c`" : "");
	buf_done(&a);
	buf_done(&b);
}

static void columns_of_past_rows_are_read_from_the_text_of_a_table(void **state)
{
	(void)state;
	period("CREATE TABLE `x` (\n  `PERIOD` int,\n  PERIOD FOR SYSTEM_TIME (`a``)`, `b, c`)\n)", "`a``)`");
	period("CREATE TABLE `x` (\n  PERIOD FOR `p` (`x`, `y`),\n  PERIOD FOR SYSTEM_TIME (`r`, `b, c`)\n)", "`r`");
	period("CREATE TABLE `x` (`a` int COMMENT 'PERIOD FOR SYSTEM_TIME (`a`, `b`)')", "");
	period("PERIOD FOR SYSTEM_TIME (", "");
	period("", "");
	assert_string_equal(sql_history_of("`a`,`row_end`" SQL_HISTORY), " FOR SYSTEM_TIME ALL");
	assert_string_equal(sql_history_of("`a`"), "");
}

static void trigger(const char *db, const char *text, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	sql_unqualify_trigger(&b, text, strlen(text), db);
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void a_triggers_head_loses_the_schema_and_its_body_keeps_it(void **state)
{
	(void)state;
	trigger("shop", "CREATE DEFINER=`shop`@`%` TRIGGER shop.t BEFORE INSERT ON `shop`.`x` FOR EACH ROW SET @a = shop.f()",
		"CREATE DEFINER=`shop`@`%` TRIGGER t BEFORE INSERT ON `x` FOR EACH ROW SET @a = shop.f()");
	trigger("shop", "CREATE trigger `shop` . t after update on myshop.x for each row begin end",
		"CREATE trigger  t after update on myshop.x for each row begin end");
	trigger("shop", "CREATE TRIGGER \"shop\".t BEFORE INSERT ON shop FOR EACH ROW x",
		"CREATE TRIGGER t BEFORE INSERT ON shop FOR EACH ROW x");
}

static void columns(const char *text, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	sql_view_columns(&b, text, strlen(text));
	assert_string_equal(b.p, want);
	buf_done(&b);
}

static void the_columns_of_a_view_are_read_from_its_text(void **state)
{
	(void)state;
	columns("CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW `v` AS select `t`.`id` AS `id`,"
		"cast(`t`.`x` as char) AS `a,b`,if(1,'from',2) AS `co``l` from `t` where 1 AS `no`",
		" 1 AS `id`,\n 1 AS `a,b`,\n 1 AS `co``l`");
	columns("CREATE VIEW `v` AS with recursive r as (select 1 AS `n` union all select 2 AS `m`) "
		"select `r`.`n` AS `n` from `r`",
		" 1 AS `n`");
	columns("CREATE VIEW `view` (`a`,`b`) AS select 1 AS `x`,2 AS `y`", " 1 AS `a`,\n 1 AS `b`");
	columns("CREATE VIEW `v` AS select 1 AS `one` union select 2 AS `two`", " 1 AS `one`");
	columns("CREATE VIEW `v` AS select (select 1 AS `in` from dual) AS `out`", " 1 AS `out`");
	columns("no view", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_special_byte_is_escaped_and_no_other),
		cmocka_unit_test(a_special_byte_is_found_at_any_place_of_any_length),
		cmocka_unit_test(many_special_bytes_are_escaped_wherever_they_stand),
		cmocka_unit_test(hex_is_right_for_every_byte_and_length),
		cmocka_unit_test(copies_of_any_length_are_whole),
		cmocka_unit_test(names_are_quoted_and_coded),
		cmocka_unit_test(a_delimiter_never_occurs_in_the_body),
		cmocka_unit_test(columns_of_past_rows_are_read_from_the_text_of_a_table),
		cmocka_unit_test(words_are_found_outside_of_quotes_only),
		cmocka_unit_test(our_own_schema_is_taken_out_of_definitions),
		cmocka_unit_test(a_triggers_head_loses_the_schema_and_its_body_keeps_it),
		cmocka_unit_test(the_columns_of_a_view_are_read_from_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
