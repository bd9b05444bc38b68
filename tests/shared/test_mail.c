/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/mail.c"

#include "tests/unit.h"

static const char *const to[] = {"ops@example.com", "boss@example.com", NULL};

static struct mail letter(void)
{
	return (struct mail){.host = "127.0.0.1", .port = 1, .tls = MAIL_PLAIN, .from = "felloe@example.com", .to = to,
			     .subject = "all is well", .text = "text\n", .id = "42", .date = 1795436135000, .timeout_s = 5};
}

static char *composed(const struct mail *m)
{
	struct sending s = {.m = m};

	buf_init(&s.text, MAIL_MAX);
	compose(&s);
	return buf_take(&s.text);
}

static void a_mail_has_what_rfc_5322_wants(void **state)
{
	struct mail m = letter();
	CLEANUP(freep) char *text = composed(&m);

	(void)state;
	assert_string_equal(text, "From: felloe@example.com\r\nTo: ops@example.com,\r\n\tboss@example.com\r\n"
				  "Subject: all is well\r\nDate: Mon, 23 Nov 2026 12:15:35 +0000\r\n"
				  "Message-ID: <42@example.com>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
				  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
				  "dGV4dAo=\r\n");
}

static void a_subject_of_other_letters_is_encoded_in_whole_ones(void **state)
{
	struct mail m = letter();
	CLEANUP(freep) char *text = NULL;
	const char *line;

	(void)state;
	m.subject = "ääääääääääääääääääääääääääääää";
	text = composed(&m);
	line = strstr(text, "Subject: =?UTF-8?B?");
	assert_non_null(line);
	for (int words = 0; words < 2; words++) {
		const char *from = strstr(line, "?B?") + 3, *end = strstr(from, "?=");
		CLEANUP(freep) char *word = xstrndup(from, (size_t)(end - from));
		uint8_t *plain;
		size_t n;

		assert_int_equal(base64_decode(&plain, &n, word), 0);
		assert_true(str_utf8_valid((char *)plain, n));
		free(plain);
		line = end;
	}
}

static void a_line_break_is_no_way_into_the_head(void **state)
{
	struct mail m = letter(), n = letter();
	const char *const bad[] = {"a@example.com\r\nBcc: x@example.com", NULL};
	struct err e;

	(void)state;
	m.subject = "x\r\nBcc: y@example.com";
	assert_int_equal(mail_send(&m, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	n.to = bad;
	assert_int_equal(mail_send(&n, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
}

static void a_server_that_is_not_there_is_named(void **state)
{
	struct mail m = letter();
	struct err e;

	(void)state;
	m.password = "secret";
	assert_int_equal(mail_send(&m, &e), -1);
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "127.0.0.1:1"));
	assert_null(strstr(e.msg, "secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_has_what_rfc_5322_wants),
		cmocka_unit_test(a_subject_of_other_letters_is_encoded_in_whole_ones),
		cmocka_unit_test(a_line_break_is_no_way_into_the_head),
		cmocka_unit_test(a_server_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
