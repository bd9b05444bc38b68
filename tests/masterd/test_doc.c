/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc.c"
#include "masterd/openapi.c"

#include "shared/json.h"
#include "tests/unit.h"

static void each_row_of_the_route_table_is_described(void **state)
{
	const struct route *t;
	size_t n;

	(void)state;
	t = route_table(&n);
	for (size_t i = 0; i < n; i++) {
		if (!doc_find(t[i].method, t[i].path))
			fail_msg("%s %s has no entry in masterd/doc_*.c", t[i].method, t[i].path);
	}
}

static void what_is_described_is_in_the_table_and_whole(void **state)
{
	const struct route_doc *d;
	const struct route *t;
	size_t n;

	(void)state;
	t = route_table(&n);
	for (size_t i = 0; (d = doc_at(i)); i++) {
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found = found || doc_find(t[k].method, t[k].path) == d;
		if (!found)
			fail_msg("%s is in no route table, or stands twice in masterd/doc_*.c", d->route);
		assert_int_equal(d->body_kind != BODY_NONE, d->body != NULL);
		assert_int_equal(d->answer_kind >= ANSWER_OBJECT && d->answer_kind <= ANSWER_LIST_OR_PAGE, d->answer != NULL);
	}
}

/* "GET /nodes": its responses in the document j. */
static const struct json *responses_of(const struct json *j, const struct route *t)
{
	CLEANUP(freep) char *path = xasprintf("%s%s", t->root ? "" : "/api/v1", t->path);
	char method[8] = "";

	for (size_t i = 0; t->method[i]; i++)
		method[i] = (char)tolower((unsigned char)t->method[i]);
	return json_get(json_get(json_get(json_get(j, "paths"), path), method), "responses");
}

static void each_problem_that_a_row_names_is_in_the_document(void **state)
{
	CLEANUP(json_freep) struct json *j = NULL;
	const struct route *t;
	struct buf b;
	struct err e;
	size_t n;

	(void)state;
	buf_init(&b, DOCUMENT_MAX);
	write_document(&b);
	assert_int_equal(json_parse(&j, b.p, b.len, &e), 0);
	t = route_table(&n);
	for (size_t i = 0; i < n; i++) {
		const struct route_doc *d = doc_find(t[i].method, t[i].path);

		for (size_t k = 0; d && k < ARRAY_LEN(d->also) && d->also[k]; k++) {
			CLEANUP(freep) char *number = xasprintf("%d", d->also[k]);

			if (!json_get(responses_of(j, &t[i]), number))
				fail_msg("%s: nobody knows what %s means", d->route, number);
		}
	}
	buf_done(&b);
}

static void the_document_is_json_and_every_reference_leads_somewhere(void **state)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct buf b;
	struct err e;
	const char *p;
	size_t n;

	(void)state;
	buf_init(&b, DOCUMENT_MAX);
	write_document(&b);
	assert_false(b.over);
	if (json_parse(&j, b.p, b.len, &e)) /* refuses a shape that stands there twice */
		fail_msg("%s", e.msg);
	assert_string_equal(json_get_str(j, "openapi", ""), "3.1.0");
	for (p = b.p; (p = strstr(p, "#/components/schemas/")); p++) {
		CLEANUP(freep) char *name = xstrndup(p + 21, strcspn(p + 21, "\""));

		assert_non_null(json_get(json_get(json_get(j, "components"), "schemas"), name));
	}
	route_table(&n);
	assert_in_range(json_count(json_get(j, "paths")), 2, n);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_the_route_table_is_described),
		cmocka_unit_test(what_is_described_is_in_the_table_and_whole),
		cmocka_unit_test(each_problem_that_a_row_names_is_in_the_document),
		cmocka_unit_test(the_document_is_json_and_every_reference_leads_somewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
