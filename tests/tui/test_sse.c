/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/sse.c"

#include <stdio.h>

#include "tests/unit.h"

/* What came, as "type|id|data;" one after the other. */
static struct buf got;

static void note(void *ctx, const struct sse_event *ev)
{
	(void)ctx;
	assert_int_equal(strlen(ev->data), ev->len);
	buf_addf(&got, "%s|%s|%s;", ev->type, ev->id, ev->data);
}

static void start(struct sse *s)
{
	buf_init(&got, 1 << 16);
	sse_init(s, 1 << 12, note, NULL);
}

static void stop(struct sse *s)
{
	sse_done(s);
	buf_done(&got);
}

static void expect_in_pieces(const char *stream, size_t len, const char *events)
{
	for (size_t piece = 1; piece <= len; piece++) {
		struct sse s;

		start(&s);
		for (size_t i = 0; i < len; i += piece)
			assert_int_equal(sse_feed(&s, stream + i, piece < len - i ? piece : len - i), 0);
		assert_string_equal(got.p, events);
		stop(&s);
	}
}

static void expect(const char *stream, const char *events)
{
	expect_in_pieces(stream, strlen(stream), events);
}

static void an_event_has_a_type_an_id_and_data(void **state)
{
	(void)state;
	expect("event: node\nid: 17\ndata: {\"a\":1}\n\n", "node|17|{\"a\":1};");
}

static void the_three_ends_of_a_line_mean_the_same_wherever_the_pieces_are_cut(void **state)
{
	(void)state;
	expect("event: node\r\nid: 1\r\ndata: x\r\n\r\ndata: y\r\n\r\n", "node|1|x;message|1|y;");
	expect("event: node\rid: 1\rdata: x\r\rdata: y\r\r", "node|1|x;message|1|y;");
	expect("event: node\r\nid: 1\rdata: x\n\ndata: y\n\r\n", "node|1|x;message|1|y;");
}

static void data_lines_are_joined(void **state)
{
	(void)state;
	expect("data: YHOO\ndata: +2\ndata: 10\n\n", "message||YHOO\n+2\n10;");
	expect("data\ndata\n\ndata:\n\n", "message||\n;message||;");
}

static void only_one_space_behind_the_colon_goes(void **state)
{
	(void)state;
	expect("data:test\n\ndata: test\n\ndata:  test\n\n", "message||test;message||test;message|| test;");
}

static void comments_and_fields_of_other_names_are_passed_over(void **state)
{
	(void)state;
	expect(": hello\n\nfoo: 1\nData: no\ndata : no\ndata: x: y\n:data: no\n\n", "message||x: y;");
}

static void an_event_without_data_is_none_but_its_id_counts(void **state)
{
	(void)state;
	expect("event: reset\nid: 5\n\ndata: x\n\n", "message|5|x;");
	expect("id: 5\ndata: x\n\nid\ndata: y\n\n", "message|5|x;message||y;");
}

static void what_no_empty_line_ends_did_not_happen(void **state)
{
	(void)state;
	expect("data: x\n\nid: 9\ndata: y\n", "message||x;");
}

static void a_byte_order_mark_may_stand_in_front(void **state)
{
	(void)state;
	expect("\xef\xbb\xbf" "data: x\n\n", "message||x;");
	expect("data: \xef\xbb\xbf\n\n\xef\xbb\xbf" "data: y\n\n", "message||\xef\xbb\xbf;");
}

static void an_id_with_a_nul_is_ignored(void **state)
{
	static const char stream[] = "id: 3\n\nid: 4\0x\ndata: x\n\n";

	(void)state;
	expect_in_pieces(stream, sizeof(stream) - 1, "message|3|x;");
}

static void retry_takes_digits_only(void **state)
{
	struct sse s;

	(void)state;
	start(&s);
	assert_int_equal(sse_feed(&s, "retry: 2s\nretry: -1\nretry\n", 26), 0);
	assert_int_equal(s.retry_ms, -1);
	assert_int_equal(sse_feed(&s, "retry: 2500\n", 12), 0);
	assert_int_equal(s.retry_ms, 2500);
	stop(&s);
}

static void a_new_connection_drops_the_half_and_keeps_the_id(void **state)
{
	struct sse s;

	(void)state;
	start(&s);
	assert_int_equal(sse_feed(&s, "id: 7\ndata: x\n\nid: 8\nevent: node\ndata: half", 42), 0);
	sse_restart(&s);
	assert_string_equal(s.last_id, "7");
	assert_int_equal(sse_feed(&s, "data: y\n\n", 9), 0);
	assert_string_equal(got.p, "message|7|x;message|7|y;");
	stop(&s);
}

static void what_is_too_large_ends_the_stream(void **state)
{
	static char long_line[8192];
	struct sse s;

	(void)state;
	memset(long_line, 'x', sizeof(long_line));
	start(&s);
	assert_int_equal(sse_feed(&s, long_line, sizeof(long_line)), -1);
	stop(&s);
	start(&s);
	for (int i = 0; i < 5; i++) {
		char line[1024];
		int n = snprintf(line, sizeof(line), "data: %.1000s\n", long_line);

		assert_int_equal(sse_feed(&s, line, (size_t)n), i < 4 ? 0 : -1);
	}
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_has_a_type_an_id_and_data),
		cmocka_unit_test(the_three_ends_of_a_line_mean_the_same_wherever_the_pieces_are_cut),
		cmocka_unit_test(data_lines_are_joined),
		cmocka_unit_test(only_one_space_behind_the_colon_goes),
		cmocka_unit_test(comments_and_fields_of_other_names_are_passed_over),
		cmocka_unit_test(an_event_without_data_is_none_but_its_id_counts),
		cmocka_unit_test(what_no_empty_line_ends_did_not_happen),
		cmocka_unit_test(a_byte_order_mark_may_stand_in_front),
		cmocka_unit_test(an_id_with_a_nul_is_ignored),
		cmocka_unit_test(retry_takes_digits_only),
		cmocka_unit_test(a_new_connection_drops_the_half_and_keeps_the_id),
		cmocka_unit_test(what_is_too_large_ends_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
