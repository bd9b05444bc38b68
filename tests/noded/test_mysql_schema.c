/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/schema.c"

#include "tests/unit.h"

static uint64_t mark(const char *text)
{
	return mark_of(text, strlen(text));
}

#define COLUMNS "CREATE TABLE `t` (\n  `a` int(11) NOT NULL AUTO_INCREMENT,\n  `b` text DEFAULT 'x AUTO_INCREMENT=9',\n  PRIMARY KEY (`a`)"
#define OTHERS "CREATE TABLE `t` (\n  `a` int(11) NOT NULL AUTO_INCREMENT,\n  `b` text DEFAULT 'x AUTO_INCREMENT=8',\n  PRIMARY KEY (`a`)"

static void the_counter_of_rows_is_no_part_of_a_definition(void **state)
{
	(void)state;
	assert_int_equal(mark(COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4"),
			 mark(COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=123456 DEFAULT CHARSET=utf8mb4"));
	/* the first row brings it */
	assert_int_equal(mark(COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4"),
			 mark(COLUMNS "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"));
	/* MySQL names the tablespace first */
	assert_int_equal(mark(COLUMNS "\n) /*!50100 TABLESPACE `x` */ ENGINE=InnoDB AUTO_INCREMENT=5"),
			 mark(COLUMNS "\n) /*!50100 TABLESPACE `x` */ ENGINE=InnoDB AUTO_INCREMENT=6"));
}

static void all_else_is(void **state)
{
	static const char *const differ[] = {
		COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4",
		COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=latin1",
		COLUMNS "\n) ENGINE=MyISAM AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4",
		COLUMNS ",\n  KEY `b` (`b`(9))\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4",
		COLUMNS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4\n PARTITION BY HASH (`a`)\nPARTITIONS 2",
		OTHERS "\n) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(differ); i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(mark(differ[i]), mark(differ[j]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counter_of_rows_is_no_part_of_a_definition),
		cmocka_unit_test(all_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
