/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/client.c"

#include "tests/unit.h"

static struct err answered(int status, const char *body)
{
	struct http_reply r = {.status = status};
	struct client_reply reply = {0};
	struct err e = {0};

	buf_init(&r.body, 1 << 16);
	buf_adds(&r.body, body);
	if (read_reply(&reply, &r, "https://m:1/api/v1/x", &e) == 0)
		e.kind = ERR_NONE;
	assert_int_equal(reply.status, status);
	client_reply_done(&reply);
	buf_done(&r.body);
	return e;
}

static void a_problem_document_becomes_one_line_with_its_hint(void **state)
{
	struct err e = answered(403, "{\"title\":\"Forbidden\",\"status\":403,\"detail\":\"this node is blocked: stolen\","
				     "\"hint\":\"ask an administrator\"}");

	(void)state;
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	assert_string_equal(e.msg, "this node is blocked: stolen; ask an administrator");
}

static void bad_fields_are_named(void **state)
{
	struct err e = answered(422, "{\"title\":\"Unprocessable\",\"errors\":[{\"path\":\"cpu_usage\",\"message\":\"must be a "
				     "number\"},{\"path\":\"ts\",\"message\":\"no\"}]}");

	(void)state;
	assert_int_equal(e.kind, ERR_INVALID);
	assert_string_equal(e.msg, "Unprocessable: cpu_usage: must be a number (and 1 more)");
	e = answered(422, "{\"title\":\"Not acceptable values\",\"detail\":\"reason: is missing\","
			  "\"errors\":[{\"path\":\"reason\",\"message\":\"is missing\"}]}");
	assert_string_equal(e.msg, "reason: is missing");
}

static void a_stranger_that_is_no_master_is_told_so(void **state)
{
	struct err e = answered(404, "<html>not found</html>");

	(void)state;
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_string_equal(e.msg, "https://m:1/api/v1/x answered with HTTP status 404; is this the address of a Felloe "
				   "master?");
	e = answered(200, "<html>hello</html>");
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "did not answer with JSON"));
	e = answered(302, "");
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "redirect (HTTP status 302)"));
	assert_int_equal(answered(204, "").kind, ERR_NONE);
	assert_int_equal(answered(304, "").kind, ERR_NONE);
}

static void foreign_text_in_a_problem_cannot_steer_a_terminal(void **state)
{
	struct err e = answered(500, "{\"title\":\"a\\u001b[2Jb\"}");

	(void)state;
	assert_string_equal(e.msg, "a?[2Jb");
}

static void a_problem_longer_than_a_message_is_cut_not_lost(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	buf_adds(&b, "{\"title\":\"t\",\"detail\":\"");
	for (unsigned i = 0; i < 3000; i++)
		buf_addc(&b, 'd');
	buf_adds(&b, "\",\"hint\":\"the way out\"}");
	assert_non_null(strstr(answered(500, b.p).msg, "; the way out"));
	buf_done(&b);
}

static void the_date_of_an_answer_is_read_strictly(void **state)
{
	(void)state;
	assert_int_equal(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
	assert_int_equal(http_date("Sun, 06 Nov 1994 08:49:37 UTC"), 0);
	assert_int_equal(http_date("Sun, 06 Xxx 1994 08:49:37 GMT"), 0);
	assert_int_equal(http_date("Sun, 06 anF 1994 08:49:37 GMT"), 0);
	assert_int_equal(http_date(""), 0);
	assert_int_equal(http_date("Sun, x6 Nov 1994 08:49:37 GMT"), 0);
}

static void an_address_that_cannot_be_a_master_is_refused_at_once(void **state)
{
	static const char *const bad[] = {"", "master:8443", "ftp://m", "https://", "https://u:p@m", "https://m/?a=b",
					  "https:///x", "http://a b"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct client *c = NULL;

		assert_int_equal(client_new(&c, &(struct client_opts){.url = bad[i]}, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_null(strstr(e.msg, "u:p"));
	}
}

static void a_pin_that_no_key_can_have_is_refused_at_once(void **state)
{
	static const char good[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static const char *const bad[] = {"garbage", "sha256//", "sha256//AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	CLEANUP(client_freep) struct client *c = NULL;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(client_new(&c, &(struct client_opts){.url = "https://m", .pin = bad[i]}, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_non_null(strstr(e.msg, bad[i]));
	}
	assert_int_equal(client_new(&c, &(struct client_opts){.url = "https://m", .pin = good}, &e), 0);
}

static void an_address_may_end_with_slashes_or_the_base_path(void **state)
{
	static const char *const same[] = {"http://127.0.0.1:1", "http://127.0.0.1:1///", "http://127.0.0.1:1/api/v1/"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		CLEANUP(client_freep) struct client *c = NULL;

		assert_int_equal(client_new(&c, &(struct client_opts){.url = same[i]}, &e), 0);
		assert_string_equal(c->base, "http://127.0.0.1:1");
	}
}

static void a_credential_with_a_line_break_is_never_sent(void **state)
{
	CLEANUP(client_freep) struct client *c = NULL;
	struct err e;

	(void)state;
	assert_int_equal(client_new(&c, &(struct client_opts){.url = "http://127.0.0.1:1"}, &e), 0);
	client_set_api_key(c, "abc");
	assert_string_equal(c->credential, "X-API-KEY: abc");
	client_set_token(c, "a\r\nX-Other: 1");
	assert_null(c->credential);
	client_set_token(c, "t");
	assert_string_equal(c->credential, "Authorization: Bearer t");
	client_set_token(c, NULL);
	assert_null(c->credential);
}

static void a_master_that_is_down_is_a_net_error_that_names_it(void **state)
{
	CLEANUP(client_freep) struct client *c = NULL;
	struct client_reply r;
	struct err e;

	(void)state;
	assert_int_equal(client_new(&c, &(struct client_opts){.url = "http://127.0.0.1:1"}, &e), 0);
	assert_int_equal(client_do(c, &(struct client_call){.method = "GET", .path = "//health"}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "127.0.0.1"));
	client_reply_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_document_becomes_one_line_with_its_hint),
		cmocka_unit_test(bad_fields_are_named),
		cmocka_unit_test(a_stranger_that_is_no_master_is_told_so),
		cmocka_unit_test(foreign_text_in_a_problem_cannot_steer_a_terminal),
		cmocka_unit_test(a_problem_longer_than_a_message_is_cut_not_lost),
		cmocka_unit_test(the_date_of_an_answer_is_read_strictly),
		cmocka_unit_test(an_address_that_cannot_be_a_master_is_refused_at_once),
		cmocka_unit_test(a_pin_that_no_key_can_have_is_refused_at_once),
		cmocka_unit_test(an_address_may_end_with_slashes_or_the_base_path),
		cmocka_unit_test(a_credential_with_a_line_break_is_never_sent),
		cmocka_unit_test(a_master_that_is_down_is_a_net_error_that_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
