/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/relay.c"

#include <sched.h>
#include <stdatomic.h>

#include "tests/unit.h"

/* What came out of the other end; the relay's until relay_end. */
struct taken {
	struct buf names;
	size_t bytes;
	unsigned n, fail_at;     /* the member that fails, counted from 1 */
	bool here;               /* the last one came on the thread of the test */
	pthread_t test;
	atomic_bool hold;        /* keep the member until it is false */
	atomic_uint begun;
};

static int take(void *ctx, const char *name, const void *p, size_t n, struct err *e)
{
	struct taken *t = ctx;

	atomic_fetch_add(&t->begun, 1);
	while (atomic_load(&t->hold))
		sched_yield();
	if (++t->n == t->fail_at)
		return err_set(e, ERR_SPACE, "%s does not fit", name);
	t->here = pthread_equal(pthread_self(), t->test);
	t->bytes += n;
	buf_addf(&t->names, "%s=%c ", name, n ? *(const char *)p : '-');
	return 0;
}

static int start(void **state)
{
	struct taken *t = xcalloc(1, sizeof(*t));

	t->test = pthread_self();
	buf_init(&t->names, 4096);
	*state = t;
	return 0;
}

static int end(void **state)
{
	struct taken *t = *state;

	buf_done(&t->names);
	free(t);
	return 0;
}

static void members_come_out_whole_and_in_order(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	struct taken *t = *state;
	char bytes[3] = "a";
	struct err e;

	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "one", bytes, 3, &e), 0);
	bytes[0] = 'b'; /* the reader's buffer is its own again */
	assert_int_equal(relay_member(r, "two", bytes, 2, &e), 0);
	assert_int_equal(relay_member(r, "three", "", 0, &e), 0);
	assert_int_equal(relay_end(r, &e), 0);
	assert_string_equal(t->names.p, "one=a two=b three=- ");
	assert_int_equal(t->bytes, 5);
	assert_false(t->here);
}

static void the_reader_goes_on_while_a_member_is_under_way(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	struct taken *t = *state;
	struct err e;

	assert_int_equal(relay_new(&r, take, t, &e), 0);
	atomic_store(&t->hold, true);
	assert_int_equal(relay_member(r, "one", "x", 1, &e), 0);
	while (!atomic_load(&t->begun))
		sched_yield();
	/* one is held over there and we are here */
	atomic_store(&t->hold, false);
	assert_int_equal(relay_end(r, &e), 0);
	assert_int_equal(t->n, 1);
}

static void a_failure_is_told_once_and_ends_it(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	struct taken *t = *state;
	struct err e;

	t->fail_at = 2;
	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "one", "x", 1, &e), 0);
	assert_int_equal(relay_member(r, "two", "x", 1, &e), 0);
	assert_int_equal(relay_member(r, "three", "x", 1, &e), -1);
	assert_int_equal(e.kind, ERR_SPACE);
	assert_string_equal(e.msg, "two does not fit");
	assert_int_equal(relay_end(r, &e), -1);
	assert_string_equal(e.msg, "two does not fit");
	assert_string_equal(t->names.p, "one=x ");
	assert_int_equal(t->n, 2);
}

static void a_failure_of_the_last_member_is_seen_at_the_end(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	struct taken *t = *state;
	struct err e;

	t->fail_at = 1;
	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "one", "x", 1, &e), 0);
	assert_int_equal(relay_end(r, &e), -1);
	assert_string_equal(e.msg, "one does not fit");
}

static void a_huge_member_is_not_copied(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	CLEANUP(freep) char *huge = xcalloc(1, COPY_MAX);
	struct taken *t = *state;
	struct err e;

	huge[0] = 'h';
	t->fail_at = 3;
	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "one", "x", 1, &e), 0);
	assert_int_equal(relay_member(r, "huge", huge, COPY_MAX, &e), 0);
	assert_true(t->here);
	assert_string_equal(t->names.p, "one=x huge=h ");
	assert_true(r->bytes.cap < COPY_MAX);
	assert_int_equal(relay_member(r, "more", huge, COPY_MAX, &e), -1);
	assert_string_equal(e.msg, "more does not fit");
	assert_int_equal(relay_end(r, &e), -1);
}

static void a_buffer_is_kept_and_another_comes_back(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	struct taken *t = *state;
	const char *first;
	struct err e;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "first");
	first = b.p;
	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_swap(r, "one", &b, &e), 0);
	assert_int_equal(b.len, 0);
	assert_ptr_not_equal(b.p, first);
	assert_int_equal(b.max, 1 << 20);
	buf_adds(&b, "second");
	assert_int_equal(relay_swap(r, "two", &b, &e), 0);
	assert_ptr_equal(b.p, first);
	assert_int_equal(relay_member(r, "three", "x", 1, &e), 0);
	assert_int_equal(relay_end(r, &e), 0);
	assert_string_equal(t->names.p, "one=f two=s three=x ");
	assert_int_equal(t->bytes, 12);
}

static void a_huge_buffer_stays_with_its_owner(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	struct taken *t = *state;
	const char *huge;
	struct err e;

	buf_init(&b, 2 * COPY_MAX);
	memset(buf_room(&b, COPY_MAX), 'h', COPY_MAX);
	buf_grew(&b, COPY_MAX);
	huge = b.p;
	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_swap(r, "huge", &b, &e), 0);
	assert_true(t->here);
	assert_ptr_equal(b.p, huge);
	assert_int_equal(b.len, 0);
	assert_int_equal(t->bytes, COPY_MAX);
}

static void a_member_of_just_under_the_limit_is_copied_whole(void **state)
{
	CLEANUP(relay_freep) struct relay *r = NULL;
	CLEANUP(freep) char *large = xcalloc(1, COPY_MAX);
	struct taken *t = *state;
	struct err e;

	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "large", large, COPY_MAX - 1, &e), 0);
	assert_int_equal(relay_end(r, &e), 0);
	assert_int_equal(t->bytes, COPY_MAX - 1);
	assert_false(t->here);
}

static void given_up_in_the_middle_it_waits_for_the_member(void **state)
{
	struct relay *r = NULL;
	struct taken *t = *state;
	struct err e;

	assert_int_equal(relay_new(&r, take, t, &e), 0);
	assert_int_equal(relay_member(r, "one", "x", 1, &e), 0);
	relay_free(r);
	assert_string_equal(t->names.p, "one=x ");
	relay_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(members_come_out_whole_and_in_order, start, end),
		cmocka_unit_test_setup_teardown(the_reader_goes_on_while_a_member_is_under_way, start, end),
		cmocka_unit_test_setup_teardown(a_failure_is_told_once_and_ends_it, start, end),
		cmocka_unit_test_setup_teardown(a_failure_of_the_last_member_is_seen_at_the_end, start, end),
		cmocka_unit_test_setup_teardown(a_huge_member_is_not_copied, start, end),
		cmocka_unit_test_setup_teardown(a_buffer_is_kept_and_another_comes_back, start, end),
		cmocka_unit_test_setup_teardown(a_huge_buffer_stays_with_its_owner, start, end),
		cmocka_unit_test_setup_teardown(a_member_of_just_under_the_limit_is_copied_whole, start, end),
		cmocka_unit_test_setup_teardown(given_up_in_the_middle_it_waits_for_the_member, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
