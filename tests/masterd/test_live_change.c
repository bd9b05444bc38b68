/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/live_change.c"

#include <stdio.h>

#include "shared/str.h"
#include "tests/unit.h"

enum { NODES = 50 };

struct world {
	struct changes c;
	struct live_node n[NODES];
	uint64_t version;
};

static struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->version = 1000;
	changes_init(&w->c, w->version);
	for (int i = 0; i < NODES; i++) {
		w->n[i].n.id = i + 1;
		w->n[i].n.tags = xstrdup(i % 2 ? "[\"odd\"]" : "[]");
		w->n[i].has_sample = true;
		wire_sample_init(&w->n[i].last);
		w->n[i].last.cpu = w->n[i].last.disk = 10;
		changes_line(&w->c, &w->n[i], ++w->version);
	}
	return w;
}

static void world_free(struct world *w)
{
	for (int i = 0; i < NODES; i++)
		free(w->n[i].n.tags);
	changes_done(&w->c);
	free(w);
}

static void numbers(const struct json *list, const char *key, char *text, size_t size)
{
	text[0] = '\0';
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%lld", used ? " " : "",
			 key ? (long long)json_get_int(j, key, -1) : (long long)json_num(j));
	}
}

static int ask_as(const struct world *w, struct change_query *q, const char *tags, char *text, size_t size)
{
	CLEANUP(json_freep) struct json *j = NULL;
	char items[400], samples[400], gone[400];
	struct scope scope = {0};
	struct json_out o;
	struct buf b;
	struct err e;
	int rc;

	str_cut(scope.tags, sizeof(scope.tags), tags);
	q->scope = &scope;
	q->now = w->version;
	q->max = q->max ? q->max : 1 << 20;
	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	rc = changes_put(&w->c, q, &o);
	json_end_obj(&o);
	assert_int_equal(json_parse(&j, b.p, b.len, &e), 0);
	numbers(json_get(j, "items"), "id", items, sizeof(items));
	numbers(json_get(j, "samples"), "id", samples, sizeof(samples));
	numbers(json_get(j, "gone"), NULL, gone, sizeof(gone));
	snprintf(text, size, "%s/%s/%s", items, samples, gone);
	buf_done(&b);
	return rc;
}

static void only_what_changed_since_is_told_in_its_order(void **state)
{
	struct world *w = world_new();
	struct change_query q = {.since = w->version};
	char text[2000];

	(void)state;
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 0);
	assert_string_equal(text, "//");
	changes_line(&w->c, &w->n[4], ++w->version);
	changes_line(&w->c, &w->n[2], ++w->version);
	changes_line(&w->c, &w->n[4], ++w->version);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
	assert_string_equal(text, "3 5//");
	assert_true(q.since == w->version);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 0);
	world_free(w);
}

static void numbers_are_told_when_they_moved_by_a_point_together(void **state)
{
	struct world *w = world_new();
	struct change_query q;
	struct live_node *n = &w->n[0];
	char text[2000];

	(void)state;
	changes_look(&w->c, n, ++w->version, 1000); /* what was told of it is known from here on */
	q = (struct change_query){.since = w->version};
	n->last.cpu = 10.6;
	changes_look(&w->c, n, ++w->version, 2000);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 0);
	n->last.cpu = 11.2;
	changes_look(&w->c, n, ++w->version, 3000);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
	assert_string_equal(text, "/1/");
	changes_look(&w->c, n, ++w->version, 3000 + TOLD_EVERY_MS - 1);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 0);
	changes_look(&w->c, n, ++w->version, 3000 + TOLD_EVERY_MS);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
	n->last.active_backups = 1;
	changes_look(&w->c, n, ++w->version, 3000 + TOLD_EVERY_MS);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
	assert_string_equal(text, "/1/");
	world_free(w);
}

static void health_liveness_reasons_and_runs_are_told_as_a_line(void **state)
{
	struct world *w = world_new();
	struct change_query q;
	struct live_node *n = &w->n[0];
	char text[2000];

	(void)state;
	for (int i = 0; i < 4; i++) {
		changes_look(&w->c, n, ++w->version, 1000);
		q = (struct change_query){.since = w->version};
		if (i == 0)
			n->health = H_WARN;
		else if (i == 1)
			n->liveness = L_STALE;
		else if (i == 2)
			str_cut(n->reasons[n->n_reasons++], REASON_TEXT, "disk / is 91 % full");
		else
			str_cut(list_push(&n->last.runs)->phase, 16, "dump");
		n->last.cpu += 5;
		changes_look(&w->c, n, ++w->version, 1000);
		assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
		assert_string_equal(text, "1//");
	}
	list_done(&n->last.runs);
	world_free(w);
}

static void who_is_limited_to_tags_sees_only_those_and_loses_what_lost_the_tag(void **state)
{
	struct world *w = world_new();
	struct change_query q = {.since = w->version}, again = q;
	char text[2000];

	(void)state;
	changes_line(&w->c, &w->n[0], ++w->version);
	changes_line(&w->c, &w->n[1], ++w->version);
	changes_line(&w->c, &w->n[3], ++w->version);
	free(w->n[3].n.tags);
	w->n[3].n.tags = xstrdup("[]");
	w->n[3].tags_changed = w->version;
	assert_int_equal(ask_as(w, &q, "[\"odd\"]", text, sizeof(text)), 1);
	assert_string_equal(text, "2//4");
	assert_int_equal(ask_as(w, &again, "", text, sizeof(text)), 1);
	assert_string_equal(text, "1 2 4//");
	world_free(w);
}

static void what_went_is_told_as_long_as_it_is_known(void **state)
{
	struct world *w = world_new();
	struct change_query old = {.since = w->version}, q = old;
	char text[2000];

	(void)state;
	changes_drop(&w->c, &w->n[1], ++w->version);
	changes_drop(&w->c, &w->n[2], ++w->version);
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
	assert_string_equal(text, "//3 2");
	q = old;
	assert_int_equal(ask_as(w, &q, "[\"odd\"]", text, sizeof(text)), 1);
	assert_string_equal(text, "//2");
	for (int i = 0; i < GONE_KEPT; i++) {
		changes_line(&w->c, &w->n[5], ++w->version);
		changes_drop(&w->c, &w->n[5], ++w->version);
	}
	q = old;
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), -1);
	q.since = w->version + 1;
	assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), -1);
	world_free(w);
}

static void what_does_not_fit_is_told_with_the_next_questions(void **state)
{
	struct world *w = world_new();
	struct change_query q = {.since = 1000, .max = 2000};
	int64_t next = 1;
	unsigned asked = 0;
	char text[2000], *at;

	(void)state;
	for (; q.since < w->version; asked++) {
		assert_int_equal(ask_as(w, &q, "", text, sizeof(text)), 1);
		for (at = text; *at != '/'; next++)
			assert_int_equal(strtol(at, &at, 10), next);
	}
	assert_int_equal(next, NODES + 1);
	assert_in_range(asked, 5, NODES);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_changed_since_is_told_in_its_order),
		cmocka_unit_test(numbers_are_told_when_they_moved_by_a_point_together),
		cmocka_unit_test(health_liveness_reasons_and_runs_are_told_as_a_line),
		cmocka_unit_test(who_is_limited_to_tags_sees_only_those_and_loses_what_lost_the_tag),
		cmocka_unit_test(what_went_is_told_as_long_as_it_is_known),
		cmocka_unit_test(what_does_not_fit_is_told_with_the_next_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
