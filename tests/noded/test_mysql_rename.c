/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/rename.c"

#include "tests/unit.h"

static struct rename_found found;

static const char *renamed(const char *sql, bool ansi, bool no_backslash)
{
	static struct buf b;
	const struct rename r = {"src", "new", false};
	const struct sql_text text = {sql, strlen(sql), no_backslash, ansi};

	buf_done(&b);
	buf_init(&b, 65536);
	rename_schema(&b, &r, &text, &found);
	return b.p ? b.p : "";
}

static void becomes(const char *sql, const char *want)
{
	assert_string_equal(renamed(sql, false, false), want);
}

static void stays(const char *sql)
{
	becomes(sql, sql);
	assert_int_equal(found.qualifiers, 0);
}

static void every_spelling_of_a_qualifier_is_rewritten(void **state)
{
	(void)state;
	becomes("SELECT * FROM `src`.`x`", "SELECT * FROM `new`.`x`");
	becomes("SELECT * FROM src.x, src . y JOIN src./*c*/z", "SELECT * FROM `new`.x, `new` . y JOIN `new`./*c*/z");
	becomes("SELECT src.t.c, src.t.* FROM src.t", "SELECT `new`.t.c, `new`.t.* FROM `new`.t");
	becomes("SELECT src.f(1), `src`.`g`()", "SELECT `new`.f(1), `new`.`g`()");
	assert_string_equal(renamed("SELECT * FROM \"src\".\"x\"", true, false), "SELECT * FROM `new`.\"x\"");
	becomes("CREATE TABLE t (a int DEFAULT nextval(`src`.`s`), FOREIGN KEY (a) REFERENCES `src`.`p` (`a`))",
		"CREATE TABLE t (a int DEFAULT nextval(`new`.`s`), FOREIGN KEY (a) REFERENCES `new`.`p` (`a`))");
	becomes("SELECT NEXT VALUE FOR src.s, src.s.nextval", "SELECT NEXT VALUE FOR `new`.s, `new`.s.nextval");
	becomes("/*!50001 CREATE VIEW `v` AS select `src`.`t`.`a` from (`src`.`t` join `src`.`u` on(`t`.`a` = `u`.`a`)) */",
		"/*!50001 CREATE VIEW `v` AS select `new`.`t`.`a` from (`new`.`t` join `new`.`u` on(`t`.`a` = `u`.`a`)) */");
	becomes("`a`src.f()", "`a` `new`.f()");
}

static void bodies_are_rewritten_where_a_table_or_routine_stands(void **state)
{
	(void)state;
	becomes("BEGIN INSERT src.a VALUES (1); INSERT IGNORE INTO src.b SELECT * FROM src.c; CALL src.p; REPLACE INTO src.d SET x=1; END",
		"BEGIN INSERT `new`.a VALUES (1); INSERT IGNORE INTO `new`.b SELECT * FROM `new`.c; CALL `new`.p; REPLACE INTO `new`.d SET x=1; END");
	becomes("UPDATE src.a, src.b SET src.a.x = 1", "UPDATE `new`.a, `new`.b SET `new`.a.x = 1");
	becomes("DELETE src.a FROM src.a JOIN b USING (id), src.c", "DELETE `new`.a FROM `new`.a JOIN b USING (id), `new`.c");
	becomes("CREATE TRIGGER x AFTER INSERT ON src.t FOR EACH ROW UPDATE src.u SET a = NEW.b",
		"CREATE TRIGGER x AFTER INSERT ON `new`.t FOR EACH ROW UPDATE `new`.u SET a = NEW.b");
	becomes("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM src.t", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM `new`.t");
	becomes("BEGIN DROP TABLE IF EXISTS src.a, src.b; TRUNCATE src.c; CREATE TABLE src.d LIKE src.e; GRANT SELECT ON src.* TO x; END",
		"BEGIN DROP TABLE IF EXISTS `new`.a, `new`.b; TRUNCATE `new`.c; CREATE TABLE `new`.d LIKE `new`.e; GRANT SELECT ON `new`.* TO x; END");
	becomes("DECLARE r ROW TYPE OF src.t; DECLARE q src.t%ROWTYPE", "DECLARE r ROW TYPE OF `new`.t; DECLARE q `new`.t%ROWTYPE");
	becomes("SELECT a FROM t WHERE b IN (SELECT b FROM src.u) AND EXISTS (SELECT 1 FROM (src.v, src.w))",
		"SELECT a FROM t WHERE b IN (SELECT b FROM `new`.u) AND EXISTS (SELECT 1 FROM (`new`.v, `new`.w))");
	becomes("SELECT 1 FROM a JOIN b ON f(a.x, b.y) = 1, src.c", "SELECT 1 FROM a JOIN b ON f(a.x, b.y) = 1, `new`.c");
}

static void a_table_or_alias_called_like_the_schema_stays(void **state)
{
	(void)state;
	stays("SELECT src.a, src.* FROM t AS src WHERE src.b = 1 ORDER BY src.c");
	stays("SELECT * FROM t src JOIN u ON src.a = u.a WHERE x LIKE src.b");
	stays("INSERT INTO t SELECT a FROM src ON DUPLICATE KEY UPDATE src.a = 1, src.b = 2");
	stays("SELECT TRIM(BOTH 'x' FROM src.a), EXTRACT(DAY FROM src.b) FROM src");
	stays("SELECT a INTO src.field FROM t");
	stays("UPDATE src SET src.a = 1, src.b = src.c");
	stays("DELETE src FROM src WHERE src.a IS DISTINCT FROM src.b");
	stays("DECLARE a src.b%TYPE");
	stays("SET src.a = 1");
	stays("SELECT src.nextval, @src.x, @@src.y, u@src.example");
	stays("SELECT x.src.a, x.src(1) FROM other.src");
}

static void other_schemas_stay(void **state)
{
	(void)state;
	stays("SELECT * FROM srcs.x, `src `.y, Src.z, other.src, _src.a");
}

static void strings_and_comments_stay_and_are_told(void **state)
{
	(void)state;
	stays("SELECT 'FROM src.x', \"FROM src.y\" -- FROM src.z\n /* FROM src.t */ # src.f()");
	assert_int_equal(found.texts, 2);
	stays("SELECT 'it\\'s FROM src.x', 'a'' FROM src.x'");
	assert_int_equal(found.texts, 2);
	stays("SELECT 'src', '`src`', 'srcs.a', 'a src b'");
	assert_int_equal(found.texts, 1);
	stays("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'src'");
	assert_int_equal(found.texts, 0);
	assert_int_equal(found.compared, 1);
	assert_string_equal(renamed("SELECT 'a\\' FROM src.x", false, true), "SELECT 'a\\' FROM `new`.x");
	stays("SELECT 'never ends FROM src.x");
	stays("SELECT `never ends FROM src.x");
	stays("SELECT /* never ends FROM src.x");
}

static void case_matters_only_where_the_server_says_so(void **state)
{
	const struct rename r = {"src", NULL, true};
	const struct sql_text text = {"SELECT * FROM SRC.x", 19, false, false};

	(void)state;
	stays("SELECT * FROM SRC.x");
	rename_schema(NULL, &r, &text, &found);
	assert_int_equal(found.qualifiers, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_a_qualifier_is_rewritten),
		cmocka_unit_test(bodies_are_rewritten_where_a_table_or_routine_stands),
		cmocka_unit_test(a_table_or_alias_called_like_the_schema_stays),
		cmocka_unit_test(other_schemas_stay),
		cmocka_unit_test(strings_and_comments_stay_and_are_told),
		cmocka_unit_test(case_matters_only_where_the_server_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
