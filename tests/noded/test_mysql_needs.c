/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/grants.c"
#include "noded/mysql/needs.c"

#include "tests/unit.h"

static struct needs needs;

static void read_all(const char *const *sql, bool ansi)
{
	const struct rename rename = {"src", NULL, false};

	needs_done(&needs);
	needs = (struct needs){0};
	for (; *sql; sql++) {
		const struct sql_text text = {*sql, strlen(*sql), false, ansi};

		needs_add(&needs, &text, &rename);
	}
}

static void a_table_names_its_engine_collations_and_features(void **state)
{
	static const char *const sql[] = {
		"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
		"CREATE TABLE `t` (`a` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'COLLATE nonsense', `uuid` int, `b` uuid,"
		" CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `p` (`a`)) ENGINE=Aria DEFAULT CHARSET=koi8r WITH SYSTEM VERSIONING",
		"CREATE TABLE `u` (`a` int, FULLTEXT KEY `x` (`a`) /*!50100 WITH PARSER `ngram` */) ENGINE=Aria `ENCRYPTED`=YES", "CREATE SEQUENCE `s` ENGINE=InnoDB", NULL};

	(void)state;
	read_all(sql, false);
	assert_non_null(needs_find(&needs, NEED_ENGINE, "aria"));
	assert_int_equal(needs_find(&needs, NEED_ENGINE, "Aria")->count, 2);
	assert_string_equal(needs_find(&needs, NEED_ENGINE, "Aria")->first, "table `t`");
	assert_non_null(needs_find(&needs, NEED_COLLATION, "utf8mb4_unicode_ci"));
	assert_non_null(needs_find(&needs, NEED_COLLATION, "latin1_bin"));
	assert_non_null(needs_find(&needs, NEED_CHARSET, "koi8r"));
	assert_non_null(needs_find(&needs, NEED_CHARSET, "latin1"));
	assert_null(needs_find(&needs, NEED_COLLATION, "nonsense"));
	assert_non_null(needs_find(&needs, NEED_FEATURE, "type uuid"));
	assert_int_equal(needs_find(&needs, NEED_FEATURE, "type uuid")->count, 1);
	assert_non_null(needs_find(&needs, NEED_FEATURE, "system versioning"));
	assert_non_null(needs_find(&needs, NEED_FEATURE, "sequences"));
	assert_string_equal(needs_find(&needs, NEED_PARSER, "ngram")->first, "table `u`");
	assert_non_null(needs_find(&needs, NEED_FEATURE, "encryption"));
	assert_int_equal(needs.tables, 2);
	assert_int_equal(needs.names.n, 3);
	assert_string_equal(needs.names.v[2].name, "s");
	assert_int_equal(needs.foreign_keys, 1);
	needs_done(&needs);
}

static void a_program_has_a_definer_in_any_spelling(void **state)
{
	static const char *const sql[] = {
		"CREATE ALGORITHM=MERGE DEFINER=`ro``ot`@`local host` SQL SECURITY DEFINER VIEW `v` AS select 1",
		"CREATE DEFINER='a'@'%' EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE DO SELECT src.f()",
		"CREATE OR REPLACE DEFINER=a@b.example AGGREGATE FUNCTION src.f() RETURNS int RETURN 1",
		"CREATE DEFINER=CURRENT_USER TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @DEFINER = 1",
		"CREATE EVENT g ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 1", "CREATE INDEX i ON t (a)",
		"CREATE PACKAGE BODY \"p\" AS END", NULL};
	static const char *const names[] = {"v", "e", "f", "t", "g", "p"};
	static const char *const definers[] = {"ro`ot@local host", "a@%", "a@b.example", "CURRENT_USER", "", ""};

	(void)state;
	read_all(sql, true);
	assert_int_equal(needs.programs.n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(needs.programs.v[i].name, names[i]);
		assert_string_equal(needs.programs.v[i].definer, definers[i]);
	}
	assert_false(needs.programs.v[1].enabled);
	assert_int_equal(needs.programs.v[1].found.qualifiers, 1);
	assert_true(needs.programs.v[4].enabled);
	assert_string_equal(needs.programs.v[5].kind, "PACKAGE BODY");
	needs_done(&needs);
}

static const char *changed(const char *sql, const char *definer, bool invoker, bool disable)
{
	static struct buf b;
	const struct sql_text text = {sql, strlen(sql), false, false};
	const struct made_change change = {definer, invoker, disable};

	buf_done(&b);
	buf_init(&b, 65536);
	return made_change(&b, &text, &change) ? b.p : NULL;
}

static void the_head_of_a_definition_is_changed_and_nothing_else(void **state)
{
	(void)state;
	assert_string_equal(changed("CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW `v` AS select 'DEFINER=x'", "`n`@`h`",
				    true, false),
			    "CREATE ALGORITHM=UNDEFINED DEFINER=`n`@`h` SQL SECURITY INVOKER VIEW `v` AS select 'DEFINER=x'");
	assert_string_equal(changed("CREATE DEFINER=`a`@`b` PROCEDURE `p`(a enum('x\n','y'))\n    DETERMINISTIC\nSELECT 1", "CURRENT_USER", true, false),
			    "CREATE DEFINER=CURRENT_USER PROCEDURE `p`(a enum('x\n','y'))\n    SQL SECURITY INVOKER\n    DETERMINISTIC\nSELECT 1");
	assert_string_equal(changed("CREATE DEFINER=`a`@`b` FUNCTION `f`(a int) RETURNS enum('x\n') CHARSET utf8mb4\nRETURN 1", "CURRENT_USER", true, false),
			    "CREATE DEFINER=CURRENT_USER FUNCTION `f`(a int) RETURNS enum('x\n') CHARSET utf8mb4\n    SQL SECURITY INVOKER\nRETURN 1");
	assert_null(changed("CREATE FUNCTION `f`() RETURNS int\n    DETERMINISTIC\n    SQL SECURITY INVOKER\nRETURN 1", "x", true, false));
	assert_string_equal(changed("CREATE DEFINER=`a`@`b` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE COMMENT 'ENABLE' DO SELECT 'ENABLE'",
				    NULL, false, true),
			    "CREATE DEFINER=`a`@`b` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE COMMENT 'ENABLE' DO SELECT 'ENABLE'");
	assert_null(changed("CREATE TABLE t (`DEFINER` int)", "x", true, true));
	assert_null(changed("INSERT INTO t VALUES (1)", "x", true, true));
	assert_null(changed("CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET @a = 1", "x", true, true));
}

static void the_mode_of_the_session_is_followed(void **state)
{
	struct sql_text mode = {0};
	const struct sql_text on = {.p = "SET time_zone='+00:00', sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", .n = 67};
	const struct sql_text off = {.p = "SET sql_mode=@felloe_mode", .n = 25}, other = {.p = "SET NAMES utf8mb4", .n = 17};
	const struct sql_text oracle = {.p = "SET sql_mode='ORACLE'", .n = 21};

	(void)state;
	needs_follow_mode(&mode, &on);
	assert_true(mode.ansi_quotes && mode.no_backslash);
	needs_follow_mode(&mode, &other);
	assert_true(mode.ansi_quotes && mode.no_backslash);
	needs_follow_mode(&mode, &off);
	assert_false(mode.ansi_quotes || mode.no_backslash);
	needs_follow_mode(&mode, &oracle);
	assert_true(mode.ansi_quotes && !mode.no_backslash);
}

static void a_pattern_of_a_grant_is_matched_as_the_server_does(void **state)
{
	(void)state;
	assert_true(grants_match("shop", "shop"));
	assert_false(grants_match("shop", "shop2"));
	assert_false(grants_match("shop2", "shop"));
	assert_true(grants_match("sh%", "shop"));
	assert_true(grants_match("%p", "shop"));
	assert_true(grants_match("s%o%", "shop"));
	assert_true(grants_match("sh_p", "shop"));
	assert_false(grants_match("sh\\_p", "shop"));
	assert_true(grants_match("sh\\_p", "sh_p"));
	assert_true(grants_match("%", ""));
}

static void a_grant_counts_where_it_was_given(void **state)
{
	struct grants g = {0};

	(void)state;
	read_line(&g, "GRANT SELECT, CREATE VIEW ON `copy\\_%`.* TO `a`@`b`", "copy_1");
	read_line(&g, "GRANT SUPER, SET USER ON *.* TO `a`@`b` IDENTIFIED BY PASSWORD '*X' WITH GRANT OPTION", "copy_1");
	read_line(&g, "GRANT DROP ON `copy_1`.`t` TO `a`@`b`", "copy_1");
	read_line(&g, "GRANT ALL PRIVILEGES ON `other`.* TO `a`@`b`", "copy_1");
	read_line(&g, "GRANT `role` TO `a`@`b`", "copy_1");
	assert_true(grants_has(&g, "SELECT", false) && grants_has(&g, "CREATE VIEW", false) && grants_has(&g, "SUPER", false));
	assert_true(grants_has(&g, "SET USER", true));
	assert_false(grants_has(&g, "SELECT", true) || grants_has(&g, "DROP", false) || grants_has(&g, "INSERT", false));
	read_line(&g, "GRANT ALL PRIVILEGES ON `copy_1`.* TO `a`@`b`", "copy_1");
	assert_true(grants_has(&g, "INSERT", false));
	assert_false(grants_has(&g, "CREATE USER", true));
	grants_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_names_its_engine_collations_and_features),
		cmocka_unit_test(a_program_has_a_definer_in_any_spelling),
		cmocka_unit_test(the_head_of_a_definition_is_changed_and_nothing_else),
		cmocka_unit_test(the_mode_of_the_session_is_followed),
		cmocka_unit_test(a_pattern_of_a_grant_is_matched_as_the_server_does),
		cmocka_unit_test(a_grant_counts_where_it_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
