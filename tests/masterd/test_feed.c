/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/feed.c"

#include "tests/unit.h"

enum { READ_MAX = 1 << 22 };
static const char instance[] = "11112222-3333-4444-8555-666677778888";

/* What the next tick says of each topic; NULL nothing. */
struct script {
	const char *data[TOPICS];
	enum feed_say said[TOPICS];
	bool revoked;
	unsigned encoded;
	uint64_t version, left_at; /* left_at: TOPIC_NODE stops there; 0 not */
};

static enum feed_say encode_script(void *ctx, struct channel *c, const struct news_list *news)
{
	struct script *s = ctx;

	s->encoded++;
	c->version = c->topic == TOPIC_NODE && s->left_at ? s->left_at : s->version;
	if (s->said[c->topic])
		return s->said[c->topic];
	for (size_t i = 0; i < news->n; i++)
		if (news->v[i].topic == c->topic)
			buf_adds(&c->data, news->v[i].text);
	buf_adds(&c->data, s->data[c->topic] ? s->data[c->topic] : "");
	return c->data.len ? SAY_DATA : SAY_NOTHING;
}

static bool script_good(void *ctx, const char *token, const struct scope *scope, const char *peer)
{
	(void)scope;
	assert_string_equal(peer, "127.0.0.9");
	return !(((struct script *)ctx)->revoked && str_eq(token, "ada's"));
}

static void tick(struct feed *f, struct script *s, int64_t mono)
{
	struct feed_tick t = {.ctx = s, .version = s->version, .mono = mono, .encode = encode_script, .good = script_good};

	feed_run(f, &t);
}

static struct feed *make(size_t max)
{
	return feed_new(instance, max, &(struct feed_at){7, 100});
}

static struct listener *join_as(struct feed *f, unsigned topics, const char *tags, struct ticket *t)
{
	struct feed_want w = {.topics = topics, .token = "ada's", .peer = "127.0.0.9"};
	struct listener *l = NULL;
	struct feed_at at;
	struct err e;

	str_cut(w.scope.tags, sizeof(w.scope.tags), tags);
	assert_int_equal(feed_join(f, &l, &w, t, &at, &e), 0);
	return l;
}

/* All there is to read now. */
static char *all(struct listener *l)
{
	char *text = xmalloc(READ_MAX);
	size_t got = 0;
	long n;

	while ((n = feed_read(l, text + got, 1000)) > 0)
		got += (size_t)n;
	text[got] = '\0';
	return text;
}

static void assert_reads(struct listener *l, const char *expected)
{
	char *text = all(l);

	assert_string_equal(text, expected);
	free(text);
}

static void a_stream_begins_with_its_place_and_frames_come_before_the_next_one(void **state)
{
	struct script s = {.version = 101, .data = {[TOPIC_NODE] = "{\"items\":[]}", [TOPIC_RUN] = "{}"}};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_NODE | 1u << TOPIC_RUN, "", NULL);

	(void)state;
	assert_reads(l, ": felloe\nid: 7-11112222-100\n\n");
	feed_read_to(f, 9);
	tick(f, &s, 0);
	assert_reads(l, "event: node\ndata: {\"items\":[]}\n\nevent: run\ndata: {}\n\n: felloe\nid: 9-11112222-101\n\n");
	feed_leave(l);
	feed_free(f);
}

static void a_frame_is_made_once_for_all_who_want_the_same(void **state)
{
	struct script s = {.version = 101, .data = {[TOPIC_NODE] = "{}"}};
	struct feed *f = make(10);
	struct listener *l[4];

	(void)state;
	for (int i = 0; i < 3; i++)
		l[i] = join_as(f, 1u << TOPIC_NODE, "", NULL);
	l[3] = join_as(f, 1u << TOPIC_NODE, "[\"shop\"]", NULL);
	tick(f, &s, 0);
	assert_int_equal(s.encoded, 2);
	assert_ptr_equal(l[0]->queue[1], l[1]->queue[1]);
	assert_int_equal(l[0]->queue[1]->refs, 3);
	assert_ptr_not_equal(l[0]->queue[1], l[3]->queue[1]);
	feed_leave(l[0]);
	feed_leave(l[1]);
	assert_int_equal(l[2]->queue[1]->refs, 1);
	feed_leave(l[2]);
	feed_leave(l[3]);
	s.encoded = 0;
	tick(f, &s, 0);
	assert_int_equal(s.encoded, 0);
	feed_free(f);
}

static void samples_are_shared_by_those_who_name_the_same_machines(void **state)
{
	int64_t few[] = {1, 7}, others[] = {1, 8};
	struct feed *f = make(10);
	struct feed_want w = {.topics = 1u << TOPIC_SAMPLE, .token = "", .peer = "", .nodes = few, .n_nodes = 2};
	struct listener *a, *b, *c;
	struct feed_at at;
	struct err e;

	(void)state;
	assert_int_equal(feed_join(f, &a, &w, NULL, &at, &e), 0);
	assert_int_equal(feed_join(f, &b, &w, NULL, &at, &e), 0);
	w.nodes = others;
	assert_int_equal(feed_join(f, &c, &w, NULL, &at, &e), 0);
	assert_ptr_equal(a->channels[TOPIC_SAMPLE], b->channels[TOPIC_SAMPLE]);
	assert_ptr_not_equal(a->channels[TOPIC_SAMPLE], c->channels[TOPIC_SAMPLE]);
	assert_true(feed_wanted(f, TOPIC_SAMPLE));
	assert_false(feed_wanted(f, TOPIC_RUN));
	feed_leave(a);
	feed_leave(b);
	feed_leave(c);
	assert_false(feed_wanted(f, TOPIC_SAMPLE));
	feed_free(f);
}

static void who_is_too_far_behind_gets_a_reset_for_all_that_waited(void **state)
{
	char *big = xcalloc(1, 400001);
	struct script s = {.version = 101};
	struct feed *f = make(10);
	struct listener *slow = join_as(f, 1u << TOPIC_NODE, "", NULL), *quick = join_as(f, 1u << TOPIC_NODE, "", NULL);
	char first[40], *text;

	(void)state;
	memset(big, 'x', 400000);
	s.data[TOPIC_NODE] = big;
	assert_int_equal(feed_read(slow, first, 36), 29); /* the place where it starts */
	tick(f, &s, 0);
	assert_int_equal(feed_read(slow, first, 20), 20); /* the first frame is half read */
	for (int i = 0; i < 5; i++) {
		text = all(quick);
		assert_null(strstr(text, "reset"));
		free(text);
		tick(f, &s, 0);
	}
	assert_in_range(slow->behind, 400000, FEED_BEHIND_MAX + 1000);
	text = all(slow);
	assert_true(strlen(text) > 400000 - 20);
	assert_non_null(strstr(text, "xxx\n\nevent: reset\ndata: {}\n\n"));
	free(text);
	feed_leave(slow);
	feed_leave(quick);
	feed_free(f);
	free(big);
}

static unsigned woken;
static void count_wake(struct ticket *t)
{
	(void)t;
	woken++;
}

static void a_reader_that_found_nothing_is_woken_by_the_next_frame(void **state)
{
	struct script s = {.version = 101, .data = {[TOPIC_RUN] = "{}"}};
	struct ticket t = {.wake = count_wake};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", &t);

	(void)state;
	woken = 0;
	free(all(l));
	ticket_open(&t);
	assert_true(ticket_park(&t));
	s.data[TOPIC_RUN] = NULL;
	tick(f, &s, 1);
	assert_int_equal(woken, 0);
	s.data[TOPIC_RUN] = "{}";
	tick(f, &s, 2);
	tick(f, &s, 3);
	assert_int_equal(woken, 1);
	/* what comes before it sleeps keeps it awake */
	ticket_open(&t);
	tick(f, &s, 4);
	assert_false(ticket_park(&t));
	feed_leave(l);
	feed_free(f);
}

static void silence_is_broken_every_fifteen_seconds(void **state)
{
	struct script s = {.version = 101};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", NULL);
	int64_t start = l->told;

	(void)state;
	free(all(l));
	tick(f, &s, start + FEED_ALIVE_MS - 1);
	assert_reads(l, "");
	tick(f, &s, start + FEED_ALIVE_MS);
	assert_reads(l, ": felloe\nid: 7-11112222-101\n\n");
	tick(f, &s, start + FEED_ALIVE_MS + 1000);
	assert_reads(l, "");
	feed_leave(l);
	feed_free(f);
}

static void who_lost_the_right_reads_what_waited_and_then_the_end(void **state)
{
	struct script s = {.version = 101, .data = {[TOPIC_RUN] = "{}"}};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", NULL);
	char p[100];

	(void)state;
	s.revoked = true;
	tick(f, &s, 0);
	assert_reads(l, ": felloe\nid: 7-11112222-100\n\n");
	assert_int_equal(feed_read(l, p, sizeof(p)), -1);
	tick(f, &s, 0);
	assert_int_equal(feed_read(l, p, sizeof(p)), -1);
	feed_leave(l);
	feed_free(f);
}

static void the_end_of_the_feed_ends_all_and_those_who_come_later(void **state)
{
	struct ticket t = {.wake = count_wake};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", &t), *late;
	char p[100];

	(void)state;
	woken = 0;
	free(all(l));
	ticket_open(&t);
	assert_true(ticket_park(&t));
	feed_end(f);
	assert_int_equal(woken, 1);
	assert_int_equal(feed_read(l, p, sizeof(p)), -1);
	late = join_as(f, 1u << TOPIC_RUN, "", NULL);
	assert_true(feed_read(late, p, sizeof(p)) > 0);
	assert_int_equal(feed_read(late, p, sizeof(p)), -1);
	feed_leave(l);
	feed_leave(late);
	assert_int_equal(feed_listeners(f), 0);
	feed_free(f);
}

static void there_are_only_so_many_streams(void **state)
{
	struct feed *f = make(1);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", NULL), *second;
	struct feed_want w = {.topics = 1u << TOPIC_RUN, .token = "", .peer = ""};
	struct feed_at at;
	struct err e;

	(void)state;
	assert_int_equal(feed_join(f, &second, &w, NULL, &at, &e), -1);
	assert_int_equal(e.kind, ERR_BUSY);
	assert_string_equal(e.msg, "1 streams of events are open, more are not served: limits.event_streams");
	feed_leave(l);
	second = join_as(f, 1u << TOPIC_RUN, "", NULL);
	feed_leave(second);
	feed_free(f);
}

static void an_id_is_read_back_only_by_the_life_that_gave_it(void **state)
{
	static const char *const bad[] = {"", "-", "--", "1-11112222-", "-11112222-1", "1-1111222-1", "1-11112223-1",
					  "x-11112222-1", "1-11112222-x", "1-11112222-1-1", "-1-11112222-1",
					  "99999999999999999999-11112222-1"};
	struct feed_at at = {INT64_MAX, UINT64_MAX}, back;
	char id[FEED_ID];

	(void)state;
	at_text(id, &at, instance);
	assert_true(feed_at_from(&back, id, instance));
	assert_true(back.event == at.event && back.version == at.version);
	assert_false(feed_at_from(&back, id, "99992222-3333-4444-8555-666677778888"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(feed_at_from(&back, bad[i], instance));
}

static void of_news_about_the_same_thing_the_newest_is_told(void **state)
{
	struct script s = {.version = 101};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", NULL);

	(void)state;
	free(all(l));
	feed_add(f, TOPIC_RUN, 1, "a", xstrdup("[old]"));
	feed_add(f, TOPIC_RUN, 1, "b", xstrdup("[b]"));
	feed_add(f, TOPIC_RUN, 1, "a", xstrdup("[new]"));
	feed_add(f, TOPIC_ALERT, 1, "a", xstrdup("[another topic]"));
	tick(f, &s, 0);
	assert_reads(l, "event: run\ndata: [new][b]\n\n: felloe\nid: 7-11112222-101\n\n");
	tick(f, &s, 0);
	assert_reads(l, "");
	feed_leave(l);
	feed_free(f);
}

static void too_much_news_is_a_reset(void **state)
{
	struct script s = {.version = 101, .data = {[TOPIC_NODE] = "{}"}};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN | 1u << TOPIC_NODE, "", NULL);
	char key[32];

	(void)state;
	free(all(l));
	for (int i = 0; i <= FEED_NEWS_MAX; i++) {
		snprintf(key, sizeof(key), "%d", i);
		feed_add(f, TOPIC_RUN, 1, key, xstrdup("x"));
	}
	tick(f, &s, 0);
	assert_reads(l, "event: node\ndata: {}\n\nevent: reset\ndata: {}\n\n: felloe\nid: 7-11112222-101\n\n");
	s.said[TOPIC_NODE] = SAY_RESET;
	tick(f, &s, 0);
	assert_reads(l, "event: reset\ndata: {}\n\n: felloe\nid: 7-11112222-101\n\n");
	feed_leave(l);
	feed_free(f);
}

static void the_place_waits_for_a_channel_that_still_owes(void **state)
{
	struct script s = {.version = 200, .left_at = 150, .data = {[TOPIC_NODE] = "{}", [TOPIC_RUN] = "{}"}};
	struct feed *f = make(10);
	struct listener *l = join_as(f, 1u << TOPIC_RUN, "", NULL), *other = join_as(f, 1u << TOPIC_NODE, "", NULL);

	(void)state;
	free(all(l));
	tick(f, &s, 0);
	assert_reads(l, "event: run\ndata: {}\n\n: felloe\nid: 7-11112222-150\n\n");
	feed_leave(l);
	feed_leave(other);
	feed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_begins_with_its_place_and_frames_come_before_the_next_one),
		cmocka_unit_test(a_frame_is_made_once_for_all_who_want_the_same),
		cmocka_unit_test(samples_are_shared_by_those_who_name_the_same_machines),
		cmocka_unit_test(who_is_too_far_behind_gets_a_reset_for_all_that_waited),
		cmocka_unit_test(a_reader_that_found_nothing_is_woken_by_the_next_frame),
		cmocka_unit_test(silence_is_broken_every_fifteen_seconds),
		cmocka_unit_test(who_lost_the_right_reads_what_waited_and_then_the_end),
		cmocka_unit_test(the_end_of_the_feed_ends_all_and_those_who_come_later),
		cmocka_unit_test(there_are_only_so_many_streams),
		cmocka_unit_test(an_id_is_read_back_only_by_the_life_that_gave_it),
		cmocka_unit_test(of_news_about_the_same_thing_the_newest_is_told),
		cmocka_unit_test(too_much_news_is_a_reset),
		cmocka_unit_test(the_place_waits_for_a_channel_that_still_owes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
