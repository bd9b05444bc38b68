/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/keys.c"

#include "shared/str.h"
#include "tests/unit.h"

static const char made[] =
	"CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `a` int(11) DEFAULT NULL COMMENT 'KEY `x` (`y`)), it''s',\n"
	"  `b``c` varchar(9) DEFAULT ',(',\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`a`,`id`),\n  KEY `k``1` (`b``c`(5)),\n"
	"  KEY `k2` (`a`) COMMENT 'a, (key)',\n  FULLTEXT KEY `f` (`b``c`),\n"
	"  CONSTRAINT `c``1` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON DELETE CASCADE,\n"
	"  CONSTRAINT `positive` CHECK (`a` > 0 and `b``c` <> ')')\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='PARTITION BY'";

static void indexes_and_foreign_keys_come_out_of_the_definition(void **state)
{
	CLEANUP(keys_done) struct keys k = {0};

	(void)state;
	assert_true(keys_defer(&k, made, sizeof(made) - 1, true));
	assert_string_equal(k.create.p,
		"CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `a` int(11) DEFAULT NULL COMMENT 'KEY `x` (`y`)), it''s',\n"
		"  `b``c` varchar(9) DEFAULT ',(',\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`a`,`id`),\n  FULLTEXT KEY `f` (`b``c`),\n"
		"  CONSTRAINT `positive` CHECK (`a` > 0 and `b``c` <> ')')\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "
		"COMMENT='PARTITION BY'");
	assert_string_equal(k.keys.p, "ALTER TABLE `t` ADD KEY `k``1` (`b``c`(5)), ADD KEY `k2` (`a`) COMMENT 'a, (key)'");
	assert_string_equal(k.constraints.p, "ALTER TABLE `t` ADD CONSTRAINT `c``1` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON "
					     "DELETE CASCADE");
}

static void of_a_small_table_only_the_foreign_keys(void **state)
{
	CLEANUP(keys_done) struct keys k = {0};

	(void)state;
	assert_true(keys_defer(&k, made, sizeof(made) - 1, false));
	assert_int_equal(k.keys.len, 0);
	assert_non_null(strstr(k.create.p, "KEY `k2`"));
	assert_true(k.constraints.len > 0);
}

/* The keys that come out, or "". */
static char *taken(const char *definition)
{
	static char out[512];
	CLEANUP(keys_done) struct keys k = {0};

	out[0] = '\0';
	if (keys_defer(&k, definition, strlen(definition), true))
		str_cut(out, sizeof(out), k.keys.p);
	return out;
}

static void a_key_that_a_counter_needs_stays_and_all_before_it(void **state)
{
	(void)state;
	assert_string_equal(taken("CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `a` int,\n  KEY `x` (`a`),\n  "
				  "KEY `id` (`id`,`a`),\n  KEY `y` (`a`),\n  KEY `z` (`id`)\n) ENGINE=InnoDB"),
			    "ALTER TABLE `t` ADD KEY `y` (`a`), ADD KEY `z` (`id`)");
	assert_string_equal(taken("CREATE TABLE `t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  UNIQUE KEY `u` (`id`),\n  KEY `z` "
				  "(`id`)\n) ENGINE=InnoDB"), "ALTER TABLE `t` ADD KEY `z` (`id`)");
}

static void keys_before_a_spatial_one_stay(void **state)
{
	(void)state;
	assert_string_equal(taken("CREATE TABLE `t` (\n  `p` point NOT NULL,\n  `a` int,\n  KEY `x` (`a`),\n  SPATIAL KEY `p` "
				  "(`p`),\n  KEY `y` (`a`)\n) ENGINE=InnoDB"), "ALTER TABLE `t` ADD KEY `y` (`a`)");
}

static void what_may_not_be_altered_is_left_alone(void **state)
{
	static const char *const bad[] = {
		"CREATE TABLE `t` (\n  `a` int,\n  KEY `x` (`a`)\n) ENGINE=MyISAM",
		"CREATE TABLE `t` (\n  `a` int,\n  KEY `x` (`a`)\n) ENGINE=InnoDB WITH SYSTEM VERSIONING",
		"CREATE TABLE `t` (\n  `a` int,\n  KEY `x` (`a`)\n) ENGINE=InnoDB\n PARTITION BY HASH (`a`)",
		"CREATE TABLE `t` (\n  `a` int GENERATED ALWAYS AS (1) VIRTUAL,\n  KEY `x` (`a`)\n) ENGINE=InnoDB",
		"CREATE TABLE `t` (\n  `a` int,\n  KEY `x` (`a`",
		"CREATE VIEW `t` (\n  KEY `x` (`a`)) ENGINE=InnoDB",
		"CREATE TABLE t (KEY `x` (`a`)) ENGINE=InnoDB",
		"CREATE TABLE `t",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_string_equal(taken(bad[i]), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(indexes_and_foreign_keys_come_out_of_the_definition),
		cmocka_unit_test(of_a_small_table_only_the_foreign_keys),
		cmocka_unit_test(a_key_that_a_counter_needs_stays_and_all_before_it),
		cmocka_unit_test(keys_before_a_spatial_one_stay),
		cmocka_unit_test(what_may_not_be_altered_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
