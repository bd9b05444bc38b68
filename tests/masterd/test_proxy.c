/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/proxy.c"

#include "tests/unit.h"

static struct nets trusted(void)
{
	struct nets v = {0};

	assert_int_equal(net_parse(list_push(&v), "10.0.0.0/8"), 0);
	assert_int_equal(net_parse(list_push(&v), "127.0.0.1"), 0);
	assert_int_equal(net_parse(list_push(&v), "2001:db8::/33"), 0);
	return v;
}

static void a_net_holds_its_addresses_and_no_others(void **state)
{
	static const char *const in[] = {"10.0.0.1", "10.255.255.255", "127.0.0.1", "2001:db8::1", "::ffff:10.1.1.1",
					 "2001:db8:7fff::1"};
	static const char *const out[] = {"11.0.0.1", "127.0.0.2", "2001:db8:8000::1", "::a00:1", "nonsense", ""};
	struct nets v = trusted();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_true(nets_hold(&v, in[i]));
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_false(nets_hold(&v, out[i]));
	list_done(&v);
}

static void what_is_no_net_is_refused(void **state)
{
	static const char *const bad[] = {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "proxy.example",
					  "::1/129", "10.0.0.0/8 ", "[::1]"};
	struct net n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(net_parse(&n, bad[i]), -1);
}

static void a_net_of_everybody_is_too_wide(void **state)
{
	static const struct {
		const char *text;
		bool wide;
	} nets[] = {{"0.0.0.0/0", true}, {"::/0", true}, {"128.0.0.0/1", true}, {"10.0.0.0/7", true}, {"10.0.0.0/8", false},
		    {"fd00::/8", true}, {"2001:db8::/32", false}, {"192.0.2.1", false}, {"::ffff:0:0/96", true}};
	struct net n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		assert_int_equal(net_parse(&n, nets[i].text), 0);
		assert_int_equal(net_is_too_wide(&n), nets[i].wide);
	}
}

static void a_header_is_believed_from_trusted_proxies_alone(void **state)
{
	static const struct {
		const char *connection, *header;
		bool rfc7239;
		const char *want;
	} cases[] = {
		{"192.0.2.9", "198.51.100.1", false, "192.0.2.9"},
		{"10.0.0.1", NULL, false, "10.0.0.1"},
		{"10.0.0.1", "", false, "10.0.0.1"},
		{"10.0.0.1", "198.51.100.1", false, "198.51.100.1"},
		{"10.0.0.1", "1.1.1.1, 198.51.100.1", false, "198.51.100.1"},
		{"10.0.0.1", "1.1.1.1,198.51.100.1 , 10.0.0.2", false, "198.51.100.1"},
		{"10.0.0.1", "10.0.0.3, 10.0.0.2", false, "10.0.0.3"},
		{"10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", false, "10.0.0.2"},
		{"10.0.0.1", "198.51.100.1:4711", false, "198.51.100.1"},
		{"10.0.0.1", "[2001:db9::1]:4711", false, "2001:db9::1"},
		{"10.0.0.1", "2001:db9::1", false, "2001:db9::1"},
		{"10.0.0.1", "::ffff:198.51.100.1", false, "198.51.100.1"},
		{"10.0.0.1", ",,,", false, "10.0.0.1"},
		{"10.0.0.1", "for=198.51.100.1", false, "10.0.0.1"},
		{"10.0.0.1", "for=198.51.100.1", true, "198.51.100.1"},
		{"10.0.0.1", "for=1.1.1.1, proto=https; For=\"[2001:db9::7]:99\";by=10.0.0.1", true, "2001:db9::7"},
		{"10.0.0.1", "for=unknown", true, "10.0.0.1"},
		{"10.0.0.1", "for=_hidden, for=10.0.0.9", true, "10.0.0.9"},
		{"10.0.0.1", "for=", true, "10.0.0.1"},
		{"10.0.0.1", "for=\"", true, "10.0.0.1"},
	};
	struct nets v = trusted();
	char got[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		proxy_client(got, cases[i].connection, &v, cases[i].header, cases[i].rfc7239);
		assert_string_equal(got, cases[i].want);
	}
	list_done(&v);
}

static void loopback_is_this_machine(void **state)
{
	(void)state;
	assert_true(address_is_loopback("127.0.0.1"));
	assert_true(address_is_loopback("127.9.9.9"));
	assert_true(address_is_loopback("::1"));
	assert_true(address_is_loopback("::ffff:127.0.0.1"));
	assert_false(address_is_loopback("128.0.0.1"));
	assert_false(address_is_loopback("unknown"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_net_holds_its_addresses_and_no_others),
		cmocka_unit_test(what_is_no_net_is_refused),
		cmocka_unit_test(a_net_of_everybody_is_too_wide),
		cmocka_unit_test(a_header_is_believed_from_trusted_proxies_alone),
		cmocka_unit_test(loopback_is_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
