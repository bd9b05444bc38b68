/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/request.c"

#include "noded/agent/identity.h"
#include "shared/crypt.h"
#include "tests/noded/scratch.h"
#include "tests/unit.h"

static struct config *config_of(const char *text)
{
	struct problems problems = {0}, unknown = {0};
	struct config *c = NULL;
	struct err e;

	if (config_parse(&c, text, strlen(text), "/scratch/config.json", &problems, &unknown, &e))
		fail_msg("%s", e.msg);
	problems_done(&problems);
	problems_done(&unknown);
	return c;
}

static const char config_text[] =
	"{\"server_id\":\"web-01\",\"sites\":[{\"name\":\"shop\",\"paths\":[\"/srv/shop\"]}],"
	"\"storage\":[{\"name\":\"disk\",\"type\":\"dir\",\"path\":\"/srv/backup\"}],"
	"\"timers\":[{\"name\":\"nightly\",\"sites\":[\"*\"],\"on_calendar\":\"*-*-* 03:10\"},"
	"{\"name\":\"weekly\",\"sites\":[\"*\"],\"on_calendar\":\"Sun 04:00\"}],"
	"\"allow_requests\":[\"backup\",\"pause\",\"stop\"]}";

#define ID "3b241101-e2bb-4255-8caf-4136c566a96"
enum { NOW = 1000000 };

static void take(struct requests *q, const struct config *c, const char *list)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (json_parse(&j, list, strlen(list), &e))
		fail_msg("%s", e.msg);
	requests_take(q, c, j, NOW);
}

static void only_what_the_configuration_allows_is_accepted(void **state)
{
	static const struct { const char *members; enum state becomes; } cases[] = {
		{"\"verb\":\"backup\",\"site\":\"shop\"", ACCEPTED},
		{"\"verb\":\"backup\",\"timer\":\"nightly\"", ACCEPTED},
		{"\"verb\":\"backup\",\"site\":\"blog\"", REFUSED},
		{"\"verb\":\"backup\",\"timer\":\"hourly\"", REFUSED},
		{"\"verb\":\"verify\"", REFUSED},
		{"\"verb\":\"format\"", REFUSED},
		{"\"verb\":\"stop\"", REFUSED},
		{"\"verb\":\"stop\",\"run\":\"deadbeef\"", ACCEPTED},
	};
	struct config *c = config_of(config_text);
	struct requests *q = requests_open();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *list = xasprintf("[{\"id\":\"" ID "%zu\",%s,\"expires\":\"2026-01-01T00:00:00Z\"}]", i,
						      cases[i].members);

		take(q, c, list);
		assert_int_equal(q->n, i + 1);
		if (q->v[i]->state != cases[i].becomes)
			fail_msg("%s became %s: %s", cases[i].members, states[q->v[i]->state], q->v[i]->reason);
		assert_int_equal(q->v[i]->state == REFUSED, q->v[i]->reason[0] != '\0');
	}
	requests_free(q);
	config_free(c);
}

static void one_that_was_taken_is_known_after_a_restart_and_not_taken_again(void **state)
{
	static const char list[] = "[{\"id\":\"" ID "a\",\"verb\":\"backup\",\"expires\":\"2026-01-01T00:00:00Z\"}]";
	struct config *c = config_of(config_text);
	struct requests *q = requests_open();
	size_t before = q->n;

	(void)state;
	take(q, c, list);
	take(q, c, list);
	assert_int_equal(q->n, before + 1);
	requests_free(q);
	q = requests_open();
	assert_int_equal(q->n, before + 1);
	take(q, c, list);
	assert_int_equal(q->n, before + 1);
	assert_false(is_told(q->v[before]));
	requests_free(q);
	config_free(c);
}

static void one_that_has_expired_or_has_no_proper_id_is_not_done(void **state)
{
	struct config *c = config_of(config_text);
	struct requests *q = requests_open();
	size_t before = q->n;

	(void)state;
	take(q, c, "[{\"id\":\"" ID "b\",\"verb\":\"backup\",\"expires\":\"1970-01-01T00:00:01Z\"}]");
	assert_int_equal(q->v[before]->state, REFUSED);
	assert_string_equal(q->v[before]->reason, "it has expired");
	take(q, c, "[{\"id\":\"../../../etc/cron.d/evil-0123456789a\",\"verb\":\"backup\"},{\"verb\":\"backup\"},7]");
	assert_int_equal(q->n, before + 1);
	requests_free(q);
	config_free(c);
}

static void the_outcome_of_a_program_is_told_also_by_the_next_agent(void **state)
{
	static const char list[] = "[{\"id\":\"" ID "c\",\"verb\":\"backup\",\"expires\":\"2026-01-01T00:00:00Z\"}]";
	struct config *c = config_of(config_text);
	struct requests *q = requests_open();
	CLEANUP(freep) char *out = request_file(ID "c", "out");
	struct order *r;
	struct err e;

	(void)state;
	take(q, c, list);
	r = q->v[q->n - 1];
	r->state = RUNNING;
	r->started = clock_ms();
	keep(r);
	requests_work(q, c);
	assert_int_equal(r->state, RUNNING); /* it may be about to start */
	requests_free(q);
	assert_int_equal(request_outcome(ID "c", 3, "2 files were skipped", ID "9", &e), 0);
	q = requests_open();
	requests_work(q, c);
	r = NULL;
	for (size_t i = 0; i < q->n; i++)
		if (str_eq(q->v[i]->id, ID "c"))
			r = q->v[i];
	assert_non_null(r);
	assert_int_equal(r->state, DONE);
	assert_string_equal(r->reason, "2 files were skipped");
	assert_string_equal(r->result, ID "9");
	/* another one whose program is gone without a word */
	r->state = RUNNING;
	r->started = clock_ms() - START_MS - 1;
	unlink(out);
	requests_work(q, c);
	assert_int_equal(r->state, FAILED);
	requests_free(q);
	config_free(c);
}

static void a_pause_holds_for_one_timer_or_all_until_it_is_resumed(void **state)
{
	struct config *c = config_of(config_text);
	struct paused p;
	struct err e;

	(void)state;
	assert_int_equal(pause_set(c, "hourly", "anna", &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(pause_set(c, "nightly", "anna", &e), 0);
	assert_true(pause_of("nightly", &p));
	assert_string_equal(p.by, "anna");
	assert_false(pause_of("weekly", &p));
	assert_int_equal(pause_set(c, NULL, "bob", &e), 0);
	assert_true(pause_of("weekly", &p));
	assert_true(pause_of("nightly", &p));
	assert_string_equal(p.by, "anna"); /* who was first */
	assert_int_equal(pause_clear("nightly", &e), 0);
	assert_false(pause_of("nightly", &p));
	assert_int_equal(pause_clear("nightly", &e), -1);
	assert_int_equal(pause_clear(NULL, &e), 0);
	assert_false(pause_of("weekly", &p));
	config_free(c);
}

static void a_new_key_opens_only_with_the_pair_that_was_kept(void **state)
{
	CLEANUP(freep) char *path = xasprintf("%s/key/api.key", scratch_dir);
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY], other[CRYPT_KEY], none[CRYPT_KEY], sealed[4 + CRYPT_SEAL];
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *key = NULL;
	char a[INSTANCE_TEXT], b[INSTANCE_TEXT];
	struct err e;

	(void)state;
	assert_int_equal(crypt_init(&e), 0);
	crypt_keypair(pub, secret);
	crypt_keypair(other, none);
	assert_int_equal(crypt_seal(sealed, "abcd", 4, pub, &e), 0);
	text = base64_encode(sealed, sizeof(sealed));
	assert_int_equal(identity_renew_key(path, text, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(identity_keep(other, none, &e), 0);
	assert_int_equal(identity_renew_key(path, text, &e), -1);
	assert_false(fs_exists(path));
	assert_int_equal(identity_keep(pub, secret, &e), 0);
	assert_int_equal(identity_renew_key(path, text, &e), 0);
	assert_int_equal(fs_read_secret(&key, path, &e), 0);
	assert_string_equal(key, "abcd");
	assert_int_equal(identity_renew_key(path, "AAAA", &e), -1);
	identity_instance(a);
	identity_instance(b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), INSTANCE_TEXT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_configuration_allows_is_accepted),
		cmocka_unit_test(one_that_was_taken_is_known_after_a_restart_and_not_taken_again),
		cmocka_unit_test(one_that_has_expired_or_has_no_proper_id_is_not_done),
		cmocka_unit_test(the_outcome_of_a_program_is_told_also_by_the_next_agent),
		cmocka_unit_test(a_pause_holds_for_one_timer_or_all_until_it_is_resumed),
		cmocka_unit_test(a_new_key_opens_only_with_the_pair_that_was_kept),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
