/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/sigv4.c"

#include <stdio.h>

#include "shared/fs.h"
#include "tests/unit.h"

/* The worked examples of the S3 API reference ("Signature Calculations for the
 * Authorization Header: Transferring Payload in a Single Chunk"), one file each. */

static const char secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct example {
	char *text;
	struct sigv4_request r;
	char *canonical, *to_sign, *authorization;
};

/* The text after the "--- title" line, which ends what stands above it: take the last section first. */
static char *section(char *text, const char *title)
{
	CLEANUP(freep) char *line = xasprintf("--- %s\n", title);
	char *at = strstr(text, line);

	assert_non_null(at);
	*at = '\0';
	at += strlen(line);
	at[strlen(at) - 1] = '\0'; /* the last newline */
	return at;
}

static void pair(struct sigv4_pair *to, char *words)
{
	char *blank = strchr(words, ' ');

	while (to->name)
		to++;
	to->name = words;
	to->value = "";
	if (blank) {
		*blank = '\0';
		to->value = blank + 1;
	}
}

static void read_example(struct example *x, const char *name)
{
	const char *src = getenv("srcdir");
	CLEANUP(freep) char *path = xasprintf("%s/tests/golden/sigv4/%s.txt", src ? src : "..", name);
	struct buf b;
	struct err e;
	char *next;

	buf_init(&b, 65536);
	if (fs_read(&b, path, &e))
		fail_msg("%s", e.msg);
	*x = (struct example){.text = buf_take(&b), .r = {.host = "examplebucket.s3.amazonaws.com"}};
	x->authorization = section(x->text, "authorization");
	x->to_sign = section(x->text, "string to sign");
	x->canonical = section(x->text, "canonical request");
	assert_int_equal(clock_parse(&x->r.at_ms, "2013-05-24T00:00:00Z"), 0);
	for (char *line = x->text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (strncmp(line, "method ", 7) == 0)
			x->r.method = line + 7;
		else if (strncmp(line, "path ", 5) == 0)
			x->r.path = line + 5;
		else if (strncmp(line, "query ", 6) == 0)
			pair(x->r.query, line + 6);
		else if (strncmp(line, "header ", 7) == 0)
			pair(x->r.headers, line + 7);
		else if (strncmp(line, "payload ", 8) == 0)
			x->r.payload_sha256 = line + 8;
	}
}

static struct sigv4 *example_signer(const char *token)
{
	return sigv4_new(&(struct sigv4_keys){"AKIAIOSFODNN7EXAMPLE", secret, token, "us-east-1"});
}

static void check_example(const char *name)
{
	struct sigv4 *s = example_signer(NULL);
	struct header_set set = {0};
	struct buf canonical, to_sign;
	struct sigv4_signed got;
	struct example x;
	char expected[1024];
	size_t last = 0;

	read_example(&x, name);
	buf_init(&canonical, 65536);
	buf_init(&to_sign, 65536);
	collect_headers(&set, s, &x.r, "20130524T000000Z");
	canonical_request(&canonical, &x.r, &set);
	assert_string_equal(canonical.p, x.canonical);
	string_to_sign(&to_sign, s, "20130524T000000Z", &canonical);
	assert_string_equal(to_sign.p, x.to_sign);
	sigv4_sign(s, &x.r, &got);
	while (got.headers[last + 1])
		last++;
	snprintf(expected, sizeof(expected), "Authorization: %s", x.authorization);
	assert_string_equal(got.headers[last], expected);
	sigv4_signed_done(&got);
	buf_done(&canonical);
	buf_done(&to_sign);
	free(x.text);
	sigv4_free(s);
}

static void the_published_get_object_with_a_range_is_signed_alike(void **state)
{
	(void)state;
	check_example("get-object");
}

static void the_published_put_object_is_signed_alike(void **state)
{
	(void)state;
	check_example("put-object");
}

static void the_published_get_lifecycle_is_signed_alike(void **state)
{
	(void)state;
	check_example("get-lifecycle");
}

static void the_published_list_objects_is_signed_alike(void **state)
{
	(void)state;
	check_example("list-objects");
}

static void paths_and_queries_are_encoded_once_and_sorted_after(void **state)
{
	struct sigv4 *s = example_signer(NULL);
	struct sigv4_signed got;

	(void)state;
	sigv4_sign(s, &(struct sigv4_request){.method = "GET", .host = "h", .path = "/b//a b+c%41/\xc3\xbc~(x)",
		   .query = {{"uploads", ""}, {"b+", "/=&"}, {"a", "2"}, {"a", "1"}, {"a-b", NULL}},
		   .payload_sha256 = "x"}, &got);
	assert_string_equal(got.target, "/b//a%20b%2Bc%2541/%C3%BC~%28x%29?a-b=&a=1&a=2&b%2B=%2F%3D%26&uploads=");
	sigv4_signed_done(&got);
	sigv4_free(s);
}

static void a_session_token_is_sent_and_signed(void **state)
{
	struct sigv4 *s = example_signer("tok/en==");
	struct sigv4_signed got;
	bool sent = false, is_signed = false;

	(void)state;
	sigv4_sign(s, &(struct sigv4_request){.method = "GET", .host = "h", .path = "/", .payload_sha256 = "x"}, &got);
	for (size_t i = 0; got.headers[i]; i++) {
		sent |= str_eq(got.headers[i], "x-amz-security-token: tok/en==");
		is_signed |= strstr(got.headers[i], "x-amz-date;x-amz-security-token,") != NULL;
	}
	assert_true(sent);
	assert_true(is_signed);
	sigv4_signed_done(&got);
	sigv4_free(s);
}

static void the_key_is_derived_anew_when_the_day_changes(void **state)
{
	struct sigv4 *s = example_signer(NULL), *fresh = example_signer(NULL);
	uint8_t first[SHA256_LEN];

	(void)state;
	key_of_day(s, "20130524T235959Z");
	memcpy(first, s->key, sizeof(first));
	key_of_day(s, "20130524T000000Z");
	assert_memory_equal(first, s->key, sizeof(first));
	key_of_day(s, "20130525T000000Z");
	key_of_day(fresh, "20130525T000000Z");
	assert_memory_equal(fresh->key, s->key, sizeof(first));
	assert_memory_not_equal(first, s->key, sizeof(first));
	sigv4_free(s);
	sigv4_free(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_get_object_with_a_range_is_signed_alike),
		cmocka_unit_test(the_published_put_object_is_signed_alike),
		cmocka_unit_test(the_published_get_lifecycle_is_signed_alike),
		cmocka_unit_test(the_published_list_objects_is_signed_alike),
		cmocka_unit_test(paths_and_queries_are_encoded_once_and_sorted_after),
		cmocka_unit_test(a_session_token_is_sent_and_signed),
		cmocka_unit_test(the_key_is_derived_anew_when_the_day_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
