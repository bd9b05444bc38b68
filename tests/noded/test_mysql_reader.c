/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/reader.c"

#include "shared/str.h"
#include "tests/unit.h"

/* The statements of text, read in pieces, each ended by a bar. */
static char *split(const char *text, size_t piece, bool no_backslash)
{
	static char out[4096];
	struct reader r;
	struct err e = {0};
	const char *sql;
	size_t n, len = strlen(text), used = 0;

	reader_init(&r, 65536);
	r.no_backslash = no_backslash;
	for (size_t at = 0; at <= len; at += piece) {
		size_t take = len - at < piece ? len - at : piece;

		assert_int_equal(reader_feed(&r, text + at, take, &e), 0);
		while (reader_next(&r, at + piece > len, &sql, &n)) {
			memcpy(out + used, sql, n);
			used += n;
			out[used++] = '|';
		}
	}
	if (reader_rest(&r, &n))
		out[used++] = '!';
	out[used] = '\0';
	reader_done(&r);
	return out;
}

static void splits(const char *text, const char *want)
{
	static const size_t pieces[] = {1, 2, 3, 7, 31, 4096};

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		assert_string_equal(split(text, pieces[i], false), want);
}

static void statements_end_at_the_delimiter(void **state)
{
	(void)state;
	splits("a; b;c;\n", "a|b|c|");
	splits("", "");
	splits("  \n\t;;; ;", "");
	splits("SELECT 1", "!");
	splits("SELECT 1;\nSELECT", "SELECT 1|!");
}

static void a_delimiter_inside_quotes_is_text(void **state)
{
	(void)state;
	splits("a ';' b;", "a ';' b|");
	splits("'a'';b';x;", "'a'';b'|x|");
	splits("'a\\';b';x;", "'a\\';b'|x|");
	splits("'a\\\\';x;", "'a\\\\'|x|");
	splits("\"a;'\";`b;\\`;c;", "\"a;'\"|`b;\\`|c|");
	splits("'never closed;", "!");
	splits("'ends in \\", "!");
}

static void backslashes_are_text_when_the_session_says_so(void **state)
{
	(void)state;
	assert_string_equal(split("'a\\';x;", 3, true), "'a\\'|x|");
}

static void comments_hide_delimiters_and_quotes(void **state)
{
	(void)state;
	splits("a -- it's; \n b;", "a -- it's; \n b|");
	splits("a # it's; \n b;", "a # it's; \n b|");
	splits("a /* it's; */ b;", "a /* it's; */ b|");
	splits("a--b;", "a--b|");
	splits("5--'x';", "5--'x'|");
	splits("-- only a comment;\n# another;\n/* third; */ ;", "");
	splits("-- at the end", "");
	splits("/**/a;", "/**/a|");
	splits("/*/ ; */a;", "/*/ ; */a|");
	splits("/* not closed ; ", "!");
}

static void versioned_comments_are_statements(void **state)
{
	(void)state;
	splits("/*!40101 SET a=';' */;", "/*!40101 SET a=';' */|");
	splits("/*M!100201 SET a=1; */; b;", "/*M!100201 SET a=1; */|b|");
	splits("SELECT /*!40001 SQL_NO_CACHE */ 1;", "SELECT /*!40001 SQL_NO_CACHE */ 1|");
}

static void delimiter_lines_change_the_delimiter(void **state)
{
	(void)state;
	splits("DELIMITER ;;\na; b;\n;;\nDELIMITER ;\nc;", "a; b;|c|");
	splits("x;\ndelimiter $$4$$ \na;;$$ '$$4$$' $$4$$\n  DELIMITER ;\r\nc;", "x|a;;$$ '$$4$$'|c|");
	splits("select\ndelimiter from t;", "select\ndelimiter from t|");
	splits("DELIMITER //\nend", "!");
	splits("-- first\nDELIMITER //\na//\nDELIMITER ;", "a|");
	splits("DELIMITER '$\n\nabcdefghijklmnopqrstuvwxyz012345'$b'$\n", "abcdefghijklmnopqrstuvwxyz012345|b|");
}

static void a_statement_that_never_ends_meets_its_limit(void **state)
{
	struct reader r;
	struct err e = {0};
	const char *sql;
	size_t n;

	(void)state;
	reader_init(&r, 16);
	assert_int_equal(reader_feed(&r, "0123456789", 10, &e), 0);
	assert_false(reader_next(&r, false, &sql, &n));
	assert_int_equal(reader_feed(&r, "0123456789", 10, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	reader_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_end_at_the_delimiter),
		cmocka_unit_test(a_delimiter_inside_quotes_is_text),
		cmocka_unit_test(backslashes_are_text_when_the_session_says_so),
		cmocka_unit_test(comments_hide_delimiters_and_quotes),
		cmocka_unit_test(versioned_comments_are_statements),
		cmocka_unit_test(delimiter_lines_change_the_delimiter),
		cmocka_unit_test(a_statement_that_never_ends_meets_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
