/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/conn.c"

#include "tests/unit.h"

static void host_is(const char *text, const char *host, unsigned port, const char *socket)
{
	struct conn_addr a;
	struct err e = {0};

	assert_int_equal(conn_addr_parse(&a, text, &e), 0);
	assert_true(str_eq(a.host, host));
	assert_int_equal(a.port, port);
	assert_true(str_eq(a.socket, socket));
	conn_addr_done(&a);
}

static void each_form_of_a_host_is_read(void **state)
{
	(void)state;
	host_is("", NULL, 0, NULL);
	host_is("localhost", "localhost", 0, NULL);
	host_is("db.example.net:3307", "db.example.net", 3307, NULL);
	host_is("localhost:/run/mysqld/mysqld.sock", "localhost", 0, "/run/mysqld/mysqld.sock");
	host_is(":/run/mysqld/mysqld.sock", NULL, 0, "/run/mysqld/mysqld.sock");
	host_is("/run/mysqld/with:colon.sock", NULL, 0, "/run/mysqld/with:colon.sock");
	host_is("localhost:/run/a:b.sock", "localhost", 0, "/run/a:b.sock");
	host_is("[::1]", "::1", 0, NULL);
	host_is("[2001:db8::1]:3307", "2001:db8::1", 3307, NULL);
	host_is("2001:db8::1", "2001:db8::1", 0, NULL);
}

static void host_fails(const char *text, const char *message)
{
	struct conn_addr a;
	struct err e = {0};

	assert_int_equal(conn_addr_parse(&a, text, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.msg, message);
}

static void a_wrong_host_is_shown_with_what_is_wrong(void **state)
{
	(void)state;
	host_fails("db:port", "db_host \"db:port\": \"port\" is neither a port (1-65535) nor the path of a socket");
	host_fails("db:0", "db_host \"db:0\": \"0\" is neither a port (1-65535) nor the path of a socket");
	host_fails("db:", "db_host \"db:\": \"\" is neither a port (1-65535) nor the path of a socket");
	host_fails("[::1", "db_host \"[::1\": write an IPv6 address as [::1] or [::1]:3306");
	host_fails("[]:1", "db_host \"[]:1\": write an IPv6 address as [::1] or [::1]:3306");
	host_fails("[::1]x", "db_host \"[::1]x\": write an IPv6 address as [::1] or [::1]:3306");
}

static void an_error_number_becomes_a_kind(void **state)
{
	(void)state;
	assert_int_equal(conn_kind(1045), ERR_DENIED);
	assert_int_equal(conn_kind(1044), ERR_DENIED);
	assert_int_equal(conn_kind(1698), ERR_DENIED);
	assert_int_equal(conn_kind(1142), ERR_FORBIDDEN);
	assert_int_equal(conn_kind(2002), ERR_NET);
	assert_int_equal(conn_kind(2003), ERR_NET);
	assert_int_equal(conn_kind(2005), ERR_NET);
	assert_int_equal(conn_kind(2006), ERR_NET);
	assert_int_equal(conn_kind(2013), ERR_NET);
	assert_int_equal(conn_kind(1049), ERR_NOTFOUND);
	assert_int_equal(conn_kind(1146), ERR_CONFLICT);
	assert_int_equal(conn_kind(1412), ERR_CONFLICT);
	assert_int_equal(conn_kind(1064), ERR_DB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_a_host_is_read),
		cmocka_unit_test(a_wrong_host_is_shown_with_what_is_wrong),
		cmocka_unit_test(an_error_number_becomes_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
