/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_call.c"
#include "noded/store/s3_parts.c"

#include "tests/unit.h"

#define A_STORAGE                                                                                         \
	(struct storage)                                                                                  \
	{                                                                                                 \
		.name = (char[]){"s"}, .type = (char[]){"s3"}, .endpoint = (char[]){"s3.example.net"},    \
		.region = (char[]){"eu-west-3"}, .bucket = (char[]){"b"}, .access_key = (char[]){"A"},    \
		.secret_key = (char[]){"S"}, .path_style = true                                           \
	}

static void assert_origin(const char *endpoint, bool path_style, const char *origin, const char *host)
{
	struct storage cfg = A_STORAGE;
	struct s3 *s = NULL;
	struct err e;
	CLEANUP(freep) char *copy = xstrdup(endpoint);

	cfg.endpoint = copy;
	cfg.path_style = path_style;
	if (s3_new(&s, &cfg, true, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(s->origin, origin);
	assert_string_equal(s->host, host);
	s3_free(s);
}

static void an_endpoint_without_a_scheme_is_https(void **state)
{
	(void)state;
	assert_origin("s3.example.net", true, "https://s3.example.net", "s3.example.net");
	assert_origin("s3.example.net:443", true, "https://s3.example.net", "s3.example.net");
	assert_origin("s3.example.net:9000", true, "https://s3.example.net:9000", "s3.example.net:9000");
	assert_origin("http://127.0.0.1:80/", true, "http://127.0.0.1", "127.0.0.1");
	assert_origin("https://s3.example.net/", false, "https://b.s3.example.net", "b.s3.example.net");
}

static void assert_not_opened(const struct storage *cfg, enum err_kind kind, const char *message)
{
	struct s3 *s = NULL;
	struct err e;

	assert_int_equal(s3_new(&s, cfg, true, &e), -1);
	assert_int_equal(e.kind, kind);
	assert_string_equal(e.msg, message);
}

static void an_unusable_configuration_names_the_member(void **state)
{
	struct storage cfg = A_STORAGE;

	(void)state;
	cfg.endpoint = (char[]){"https://h/path"};
	assert_not_opened(&cfg, ERR_CONFIG,
			  "storage[].endpoint \"https://h/path\" is not host[:port] or a URL without a path");
	cfg.endpoint = (char[]){"ftp://h"};
	assert_not_opened(&cfg, ERR_CONFIG, "storage[].endpoint \"ftp://h\" is not host[:port] or a URL without a path");
	cfg = A_STORAGE;
	cfg.bucket = (char[]){""};
	assert_not_opened(&cfg, ERR_CONFIG, "storage[].bucket is missing");
	cfg = A_STORAGE;
	cfg.secret_key = (char[]){""};
	assert_not_opened(&cfg, ERR_CONFIG, "storage[].access_key and secret_key (or secret_key_file) are needed");
}

static void parts_are_equal_powers_of_two_that_keep_under_nine_thousand(void **state)
{
	const uint64_t mib = 1 << 20, gib = mib << 10;

	(void)state;
	assert_true(part_size_for(0) == 8 * mib);
	assert_true(part_size_for(9000 * 8 * mib) == 8 * mib);
	assert_true(part_size_for(9000 * 8 * mib + 1) == 16 * mib);
	assert_true(part_size_for(500 * gib) == 64 * mib);
	assert_true(part_size_for(UINT64_MAX) == 4 * gib);
}

static void room_is_9900_parts(void **state)
{
	struct s3_parts *p = s3_parts_new(NULL, &(struct s3_parts_opts){.key = "k"});

	(void)state;
	assert_true(p->part_size == (uint64_t)1 << 23);
	s3_parts_free(p);
}

static void big_parts_are_never_held_in_memory_when_there_is_a_spool(void **state)
{
	struct s3_parts u = {.part_size = 64 << 20};

	(void)state;
	plan_slots(&u, 1 << 30);
	assert_int_equal(u.n_slots, 16);
	for (size_t i = 0; i < u.n_slots; i++)
		assert_true(u.slots[i].in_spool && u.slots[i].at == i * u.part_size);
	free(u.slots);
	plan_slots(&u, 1); /* too small a spool still takes what is under way */
	assert_int_equal(u.n_slots, MIN_SLOTS);
	free(u.slots);
	u.part_size = 8 << 20;
	plan_slots(&u, 1 << 30);
	assert_false(u.slots[MEM_SLOTS - 1].in_spool);
	assert_true(u.slots[MEM_SLOTS].in_spool);
	assert_int_equal(u.n_slots, MEM_SLOTS + 128);
	free(u.slots);
}

static void pauses_grow_with_jitter_and_end_at_a_minute(void **state)
{
	struct s3 s = {.retry_ms = 500};
	unsigned most = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_true(s3_backoff_ms(&s, 0, 0) <= 500);
		assert_true(s3_backoff_ms(&s, 60, 0) <= 60000);

		unsigned ms = s3_backoff_ms(&s, 3, 0);

		assert_true(ms <= 4000);
		most = ms > most ? ms : most;
	}
	/* all 200 at or below 1000 of 4000: once in 4^200 runs */
	assert_true(most > 1000);
	assert_int_equal(s3_backoff_ms(&s, 0, 3), 3000);
	assert_int_equal(s3_backoff_ms(&s, 0, 100000), 60000);
}

static void dates_of_a_server_are_read(void **state)
{
	int64_t expected;

	(void)state;
	assert_int_equal(clock_parse(&expected, "2026-11-03T10:20:30Z"), 0);
	assert_true(http_date("Tue, 03 Nov 2026 10:20:30 GMT") == expected);
	assert_true(http_date("Tue, 03 Foo 2026 10:20:30 GMT") == 0);
	assert_true(http_date("Tue, xx Nov 2026 10:20:30 GMT") == 0);
	assert_true(http_date("2026-11-03T10:20:30Z") == 0);
	assert_true(http_date("") == 0);
}

static void a_list_of_parts_is_escaped(void **state)
{
	struct s3_parts u = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	str_cut(list_push(&u.etags)->text, 128, "\"a1\"");
	str_cut(list_push(&u.etags)->text, 128, "<b&c>");
	s3_parts_list(&u, &b);
	assert_string_equal(b.p, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;a1&quot;</ETag></Part>"
				 "<Part><PartNumber>2</PartNumber><ETag>&lt;b&amp;c></ETag></Part></CompleteMultipartUpload>");
	buf_done(&b);
	list_done(&u.etags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_without_a_scheme_is_https),
		cmocka_unit_test(an_unusable_configuration_names_the_member),
		cmocka_unit_test(parts_are_equal_powers_of_two_that_keep_under_nine_thousand),
		cmocka_unit_test(room_is_9900_parts),
		cmocka_unit_test(big_parts_are_never_held_in_memory_when_there_is_a_spool),
		cmocka_unit_test(pauses_grow_with_jitter_and_end_at_a_minute),
		cmocka_unit_test(dates_of_a_server_are_read),
		cmocka_unit_test(a_list_of_parts_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
