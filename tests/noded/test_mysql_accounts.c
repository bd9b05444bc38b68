/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/accounts.c"
#include "noded/mysql/version.h"

#include "tests/unit.h"

static void begin(struct reading *r)
{
	struct buf *const parts[] = {&r->users, &r->roles, &r->members, &r->broad, &r->defaults, &r->narrow};

	*r = (struct reading){0};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_init(parts[i], 1 << 16);
}

static char quoted[] = "`app`@`10.%`";
static const struct account app = {.quoted = quoted};

static void row_becomes(const char *const row[11], const char *want)
{
	CLEANUP(reading_done) struct reading r;
	char *values[11];

	begin(&r);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		values[i] = (char *)(uintptr_t)row[i];
	add_row(&r, &app, values);
	assert_string_equal(r.users.p, want);
}

/* plugin, authentication_string, Password, ssl_type, cipher, issuer, subject, four limits: as MySQL 5.6 and
 * MariaDB 10.1 answer */
static void an_old_server_has_its_accounts_with_their_hashes(void **state)
{
	(void)state;
	row_becomes((const char *const[]){"mysql_native_password", "", "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7", "", "", "", "",
					  "0", "0", "0", "0"},
		    "CREATE USER IF NOT EXISTS `app`@`10.%` IDENTIFIED WITH 'mysql_native_password' AS "
		    "'*14E65567ABDB5135D0CFD9A70B3032C179A49EE7';\n");
	row_becomes((const char *const[]){"", NULL, "606706156665cd86", "ANY", "", "", "", "5", "0", "0", "0"},
		    "CREATE USER IF NOT EXISTS `app`@`10.%` IDENTIFIED WITH 'mysql_old_password' AS '606706156665cd86' REQUIRE SSL "
		    "WITH MAX_QUERIES_PER_HOUR 5;\n");
	row_becomes((const char *const[]){"sha256_password", "$5$q'q", "", "X509", "", "", "", "0", "6", "7", "8"},
		    "CREATE USER IF NOT EXISTS `app`@`10.%` IDENTIFIED WITH 'sha256_password' AS '$5$q\\'q' REQUIRE X509 WITH "
		    "MAX_UPDATES_PER_HOUR 6 MAX_CONNECTIONS_PER_HOUR 7 MAX_USER_CONNECTIONS 8;\n");
	row_becomes((const char *const[]){"mysql_native_password", NULL, "", "SPECIFIED", "AES", "/C=x'y", "", "0", "0", "0", "0"},
		    "CREATE USER IF NOT EXISTS `app`@`10.%` REQUIRE CIPHER 'AES' AND ISSUER '/C=x\\'y';\n");
}

static void create_becomes(const char *text, const char *users, const char *defaults)
{
	CLEANUP(reading_done) struct reading r;

	begin(&r);
	add_create(&r, &app, text, strlen(text));
	assert_string_equal(r.users.p, users);
	assert_string_equal(r.defaults.p, defaults);
}

static void an_account_of_mysql_8_gets_its_default_roles_when_it_has_them(void **state)
{
	(void)state;
	create_becomes("CREATE USER `app`@`10.%` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441243030 DEFAULT ROLE `r1`@`%`,`r2`@`%` "
		       "REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT",
		       "CREATE USER IF NOT EXISTS `app`@`10.%` IDENTIFIED WITH 'caching_sha2_password' AS 0x2441243030 REQUIRE NONE "
		       "PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT;\n",
		       "SET DEFAULT ROLE `r1`@`%`,`r2`@`%`  TO `app`@`10.%`;\n");
	create_becomes("CREATE USER `app`@`10.%` IDENTIFIED WITH 'mysql_native_password' AS '*AB' REQUIRE NONE PASSWORD EXPIRE DEFAULT",
		       "CREATE USER IF NOT EXISTS `app`@`10.%` IDENTIFIED WITH 'mysql_native_password' AS '*AB' REQUIRE NONE PASSWORD "
		       "EXPIRE DEFAULT;\n", "");
}

static void grant_becomes(const char *text, const char *members, const char *broad, const char *narrow)
{
	CLEANUP(reading_done) struct reading r;

	begin(&r);
	add_grant(&r, &app, text, strlen(text));
	assert_string_equal(r.members.p, members);
	assert_string_equal(r.broad.p, broad);
	assert_string_equal(r.narrow.p, narrow);
}

/* Such a GRANT would make the account without a password where it is not there, and change it where it is. */
static void a_right_says_nothing_of_passwords_and_limits(void **state)
{
	(void)state;
	grant_becomes("GRANT USAGE ON *.* TO 'app'@'10.%' IDENTIFIED BY PASSWORD <secret> REQUIRE SSL", "", "", "");
	grant_becomes("GRANT USAGE ON *.* TO 'app'@'10.%' IDENTIFIED BY PASSWORD", "", "", "");
	grant_becomes("GRANT RELOAD ON *.* TO 'app'@'10.%' IDENTIFIED BY PASSWORD '*AB' REQUIRE SSL WITH GRANT OPTION "
		      "MAX_QUERIES_PER_HOUR 5", "", "GRANT RELOAD ON *.* TO 'app'@'10.%' WITH GRANT OPTION;\n", "");
	grant_becomes("GRANT SELECT (id) ON `shop`.`t` TO 'app'@'10.%'", "", "", "GRANT SELECT (id) ON `shop`.`t` TO 'app'@'10.%';\n");
	/* MySQL 8 */
	grant_becomes("GRANT `r1`@`%` TO `app`@`10.%` WITH ADMIN OPTION", "GRANT `r1`@`%` TO `app`@`10.%` WITH ADMIN OPTION;\n", "", "");
	grant_becomes("GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `app`@`10.%`", "",
		      "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `app`@`10.%`;\n", "");
	grant_becomes("REVOKE INSERT ON `mysql`.* FROM `app`@`10.%`", "", "REVOKE INSERT ON `mysql`.* FROM `app`@`10.%`;\n", "");
}

static void version_is(const char *text, bool maria, int number)
{
	const struct version v = version_of(text);

	assert_int_equal(v.maria, maria);
	assert_int_equal(v.number, number);
}

static void a_version_tells_the_kind_of_server(void **state)
{
	(void)state;
	version_is("5.6.24-log", false, 506);
	version_is("8.4.3", false, 804);
	version_is("8.0.36-28.1", false, 800);
	version_is("10.11.19-MariaDB-0+deb12u1-log", true, 1011);
	version_is("5.5.5-10.3.39-MariaDB", true, 1003);
	version_is("5.5.5-MariaDB", true, 0);
	version_is("", false, 0);
	version_is("main", false, 0);
	version_is("-1.5", false, 0);
	assert_true(version_before("5.5.62", VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST));
	assert_false(version_before("5.6.24-log", VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST));
	assert_true(version_before("10.1.48-MariaDB", VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST));
	assert_false(version_before("10.2.44-MariaDB", VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST));
	assert_false(version_before("who knows", VERSION_MYSQL_FIRST, VERSION_MARIA_FIRST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_server_has_its_accounts_with_their_hashes),
		cmocka_unit_test(an_account_of_mysql_8_gets_its_default_roles_when_it_has_them),
		cmocka_unit_test(a_right_says_nothing_of_passwords_and_limits),
		cmocka_unit_test(a_version_tells_the_kind_of_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
