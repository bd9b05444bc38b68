/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/find.c"

#include "noded/run/account.c"
#include "tests/unit.h"

static void keys_are_told_apart_by_site_and_time(void **state)
{
	int64_t at = 0;

	(void)state;
	assert_true(parse_key("p/s/2026/11/23/shop-backup-20261123-031007.tar.zst", "shop", &at));
	assert_int_equal(at, 1795403407000);
	assert_true(parse_key("shop-db-1-backup-20261123-031007.tar.zst", "shop", &at));
	assert_true(parse_key("a-backup-1-backup-20261123-031007.tar.zst", NULL, &at));
	assert_false(parse_key("p/shop2-backup-20261123-031007.tar.zst", "shop", &at));
	assert_false(parse_key("p/shop-backup-20261123-031007.tar.zst.idx", "shop", &at));
	assert_false(parse_key("p/shop-backup-20261323-031007.tar.zst", "shop", &at));
	assert_false(parse_key("p/shop-backup-2026112-3031007.tar.zst", "shop", &at));
	assert_false(parse_key("shop", "shop", &at));
	assert_false(parse_key("", "shop", &at));
}

static void times_are_read_as_people_write_them(void **state)
{
	struct wanted w;
	struct err e;

	(void)state;
	assert_int_equal(parse_at(&w, "2026-11-23 03:10", &e), 0);
	assert_int_equal(w.until, 1795403400999);
	assert_int_equal(parse_at(&w, "2026-11-23T04:10:00+01:00", &e), 0);
	assert_int_equal(w.until, 1795403400999);
	assert_int_equal(parse_at(&w, "2026-11-22", &e), 0);
	assert_int_equal(w.until, 1795391999999);
	assert_int_equal(parse_at(&w, "latest", &e), 0);
	assert_int_equal(w.until, INT64_MAX);
	assert_null(w.uuid);
	assert_int_equal(parse_at(&w, "34cc14ba", &e), 0);
	assert_string_equal(w.uuid, "34cc14ba");
	assert_int_equal(parse_at(&w, "yesterday", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(parse_at(&w, "2026-13-23", &e), 0); /* eight digits and hyphens may begin an id */
}

static void an_option_file_gives_an_account(void **state)
{
	struct db_access a;
	struct err e;

	(void)state;
	assert_int_equal(account_from_text(&a, "# c\n[mysqld]\nuser=no\n[client]\nuser = rig # x\npassword=\"a b#\\\\c\"\n"
					       "host=h\nport=3307\n[mysqldump]\nuser=no\n", "f", &e), 0);
	assert_string_equal(a.user, "rig");
	assert_string_equal(a.password, "a b#\\c");
	assert_string_equal(a.host, "h:3307");
	assert_string_equal(a.ssl, "prefer");
	db_access_done(&a);
	assert_int_equal(account_from_text(&a, "[client]\nuser=u\nsocket=/run/x.sock", "f", &e), 0);
	assert_string_equal(a.host, "localhost:/run/x.sock");
	db_access_done(&a);
	assert_int_equal(account_from_text(&a, "[client\nuser=u", "f", &e), -1);
	assert_string_equal(e.msg, "f: line 1: a group without \"]\"");
	assert_int_equal(account_from_text(&a, "", "f", &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_told_apart_by_site_and_time),
		cmocka_unit_test(times_are_read_as_people_write_them),
		cmocka_unit_test(an_option_file_gives_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
