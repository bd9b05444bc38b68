/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/message.c"

#include "tests/unit.h"

static const char opened[] = "{\"event\":\"opened\",\"alert\":{\"kind\":\"failed_run\",\"node\":\"web-1\",\"ref\":\"shop\","
			     "\"cause\":\"gone\\naway\",\"next_step\":\"look\"}}";
static const char recovered[] = "{\"event\":\"recovered\",\"alert\":{\"kind\":\"node_silent\",\"node\":\"web-2\",\"ref\":\"\","
				"\"cause\":\"no report\",\"next_step\":\"look\"}}";

static void the_signature_is_what_the_manual_says(void **state)
{
	/* printf '1795436135.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef */
	CLEANUP(freep) char *text = signature_of("0123456789abcdef", 1795436135, "{\"a\":1}", 7);

	(void)state;
	assert_string_equal(text, "t=1795436135,v1=9c05c5ba3841c7348903e8ead5c1f5dcb9d77fed856a8a1d29085f3354131590");
}

static void a_mail_tells_all_and_its_subject_is_one_line(void **state)
{
	struct alert_channel c = {.name = "post", .kind = CHANNEL_MAIL};
	struct deliveries l = {0};
	struct message m = {.channel = &c, .notices = &l};
	CLEANUP(freep) char *test = subject_of(&m);
	CLEANUP(freep) char *one = NULL;
	CLEANUP(freep) char *two = NULL;
	CLEANUP(buf_done) struct buf text;

	(void)state;
	buf_init(&text, 4096);
	assert_string_equal(test, "[felloe] test of post");
	list_push(&l)->doc = xstrdup(opened);
	one = subject_of(&m);
	assert_string_equal(one, "[felloe] opened: web-1: failed_run shop: gone away");
	list_push(&l)->doc = xstrdup(recovered);
	two = subject_of(&m);
	assert_string_equal(two, "[felloe] 2 notices");
	add_text(&text, &m, 10, true);
	assert_string_equal(text.p, "opened: web-1: failed_run shop: gone\naway\n    look\n"
				    "recovered: web-2: node_silent: no report\n");
	buf_reset(&text);
	add_text(&text, &m, 1, false);
	assert_string_equal(text.p, "opened: web-1: failed_run shop: gone\naway\nand 1 more\n");
	deliveries_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_is_what_the_manual_says),
		cmocka_unit_test(a_mail_tells_all_and_its_subject_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
