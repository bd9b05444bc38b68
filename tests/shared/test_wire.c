/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/wire.c"

#include "tests/unit.h"

static struct json *parsed(const char *text)
{
	struct json *j = NULL;
	struct err e = {0};

	if (json_parse(&j, text, strlen(text), &e))
		fail_msg("%s", e.msg);
	return j;
}

static const char *problem_at(const struct problems *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->v[i].path, path))
			return p->v[i].msg;
	return "";
}

/* Values that differ on each call, the same in each test run. */
static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 11; /* 53 bits */
}

static void text_of(char *at, size_t size, uint64_t *seed)
{
	static const char *const letters[] = {"a", "Z", "/", " ", "\"", "\\", "\n", "\xc3\xa9", "\xe3\x83\x8e", "<"};
	size_t n = next(seed) % size;

	*at = '\0';
	while (strlen(at) + 3 < n) {
		const char *l = letters[next(seed) % ARRAY_LEN(letters)];

		memcpy(at + strlen(at), l, strlen(l) + 1);
	}
	if (!*at)
		memcpy(at, "x", 2);
}

static void randomize(void *to, const struct field *f, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++) {
		char *at = (char *)to + f[i].at;
		int64_t v = (int64_t)(next(seed) % (f[i].max > 0 && f[i].max < 1e15 ? (uint64_t)f[i].max + 1 : 1u << 30));
		double d = (double)next(seed) / 9007199254740992.0 * f[i].max;

		if (f[i].type == F_TEXT)
			text_of(at, f[i].size, seed);
		else if (f[i].type == F_UUID)
			random_uuid(at);
		else if (f[i].type == F_BOOL)
			*at = next(seed) & 1;
		else if (f[i].type == F_NUM)
			memcpy(at, &d, sizeof(d));
		else
			memcpy(at, &(int64_t){f[i].type == F_TIME ? v + 1 : v}, sizeof(v));
	}
}
#define RANDOM(to, fields, seed) randomize((to), (fields), ARRAY_LEN(fields), (seed))

static void a_sample_comes_back_as_it_was_sent(void **state)
{
	uint64_t seed = 20261123;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct wire_sample s, back;
		struct problems p = {0};
		struct json_out o;
		struct buf a, b;

		wire_sample_init(&s);
		RANDOM(&s, sample_fields, &seed);
		RANDOM(&s, memory_fields, &seed);
		RANDOM(&s, swap_fields, &seed);
		RANDOM(&s, io_fields, &seed);
		RANDOM(&s, net_fields, &seed);
		RANDOM(&s, pressure_fields, &seed);
		for (size_t i = 0; i < 3; i++)
			s.load[i] = (double)(next(&seed) % 10000) / 100;
		for (uint64_t n = next(&seed) % 4; n; n--)
			RANDOM(list_push(&s.disks), disk_fields, &seed);
		for (uint64_t n = next(&seed) % 4; n; n--)
			RANDOM(list_push(&s.runs), progress_fields, &seed);
		for (uint64_t n = next(&seed) % 4; n; n--)
			RANDOM(list_push(&s.timers), timer_fields, &seed);
		buf_init(&a, 1 << 20);
		json_out_init(&o, &a);
		wire_sample_put(&o, NULL, &s);
		struct json *j = parsed(a.p);
		wire_sample_get(&back, j, "", &p);
		if (p.n)
			fail_msg("%s: %s in %s", p.v[0].path, p.v[0].msg, a.p);
		buf_init(&b, 1 << 20);
		json_out_init(&o, &b);
		wire_sample_put(&o, NULL, &back);
		assert_string_equal(a.p, b.p);
		assert_int_equal(back.ts, s.ts);
		assert_int_equal(back.disks.n, s.disks.n);
		json_free(j);
		buf_done(&a);
		buf_done(&b);
		wire_sample_done(&s);
		wire_sample_done(&back);
	}
}

static void a_run_comes_back_as_it_was_sent(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct wire_run r, back;
		struct problems p = {0};
		struct json_out o;
		struct buf a, b;

		wire_run_init(&r);
		RANDOM(&r, run_fields, &seed);
		RANDOM(&r, error_fields, &seed);
		r.state = (enum run_state)(next(&seed) % RUN_STATES);
		r.log = xstrdup("line 1\nline 2\n");
		for (uint64_t n = next(&seed) % 4; n; n--)
			RANDOM(list_push(&r.phases), phase_fields, &seed);
		for (uint64_t n = next(&seed) % 4; n; n--)
			RANDOM(list_push(&r.archives), archive_fields, &seed);
		buf_init(&a, 1 << 20);
		json_out_init(&o, &a);
		wire_run_put(&o, NULL, &r);
		struct json *j = parsed(a.p);
		wire_run_get(&back, j, "", &p);
		if (p.n)
			fail_msg("%s: %s", p.v[0].path, p.v[0].msg);
		buf_init(&b, 1 << 20);
		json_out_init(&o, &b);
		wire_run_put(&o, NULL, &back);
		assert_string_equal(a.p, b.p);
		assert_int_equal(back.state, r.state);
		assert_string_equal(back.log, r.log);
		json_free(j);
		buf_done(&a);
		buf_done(&b);
		wire_run_done(&r);
		wire_run_done(&back);
	}
}

static void what_is_unknown_is_left_out_and_stays_unknown(void **state)
{
	struct wire_sample s, back;
	struct problems p = {0};
	struct json_out o;
	struct buf b;

	(void)state;
	wire_sample_init(&s);
	s.cpu = 1.5;
	s.disk = 80;
	s.active_backups = 0;
	buf_init(&b, 1 << 16);
	json_out_init(&o, &b);
	wire_sample_put(&o, NULL, &s);
	assert_string_equal(b.p, "{\"cpu_usage\":1.5,\"disk_usage\":80,\"active_backups\":0}");
	struct json *j = parsed(b.p);
	wire_sample_get(&back, j, "", &p);
	assert_int_equal(p.n, 0);
	assert_int_equal(back.mem_total, -1);
	assert_true(isnan(back.load[0]) && isnan(back.io_read) && isnan(back.pressure_mem));
	assert_int_equal(back.ts, 0);
	json_free(j);
	buf_done(&b);
}

static void every_problem_of_a_sample_is_named_with_its_path(void **state)
{
	static const char text[] =
		"{\"cpu_usage\":\"high\",\"disk_usage\":101,\"ts\":\"yesterday\",\"memory\":7,\"load\":[1,2],"
		"\"disks\":[{\"mount\":\"/\",\"total\":-5},3,{\"total\":1}],\"runs\":[{\"uuid\":\"x\",\"site\":\"a\"}],"
		"\"timers\":[{\"name\":\"n\",\"enabled\":1}],\"swap\":{\"total\":1.5}}";
	struct json *j = parsed(text);
	struct wire_sample s;
	struct problems p = {0};

	(void)state;
	wire_sample_get(&s, j, "", &p);
	assert_string_not_equal(problem_at(&p, "cpu_usage"), "");
	assert_string_not_equal(problem_at(&p, "disk_usage"), "");
	assert_string_not_equal(problem_at(&p, "active_backups"), "");
	assert_string_not_equal(problem_at(&p, "ts"), "");
	assert_string_not_equal(problem_at(&p, "memory"), "");
	assert_string_equal(problem_at(&p, "load"), "must be three numbers: the load of 1, 5 and 15 minutes");
	assert_string_not_equal(problem_at(&p, "disks[0].total"), "");
	assert_string_equal(problem_at(&p, "disks[1]"), "must be an object");
	assert_string_not_equal(problem_at(&p, "disks[2].mount"), "");
	assert_string_equal(problem_at(&p, "runs[0].uuid"),
			    "must be a UUID in lower case, such as 3b241101-e2bb-4255-8caf-4136c566a962");
	assert_string_not_equal(problem_at(&p, "timers[0].enabled"), "");
	assert_string_not_equal(problem_at(&p, "swap.total"), "");
	assert_int_equal(p.n, 12);
	problems_done(&p);
	wire_sample_done(&s);
	json_free(j);
}

static void a_text_that_is_too_long_is_a_problem_and_is_not_cut(void **state)
{
	char text[512], name[100];
	struct wire_timer t;
	struct problems p = {0};
	struct json *j;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[65] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\"}", name);
	j = parsed(text);
	wire_timer_get(&t, j, "timers[7]", &p);
	assert_string_equal(problem_at(&p, "timers[7].name"), "is 65 bytes long; at most 64 are accepted");
	assert_string_equal(t.name, "");
	problems_done(&p);
	json_free(j);
	name[64] = '\0';
	snprintf(text, sizeof(text), "{\"name\":\"%s\"}", name);
	j = parsed(text);
	wire_timer_get(&t, j, "", &p);
	assert_int_equal(p.n, 0);
	assert_string_equal(t.name, name);
	json_free(j);
}

static void a_list_without_end_is_refused(void **state)
{
	struct wire_sample s;
	struct problems p = {0};
	struct json *j;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_adds(&b, "{\"cpu_usage\":1,\"disk_usage\":1,\"active_backups\":0,\"disks\":[{\"mount\":\"/\"}");
	for (unsigned i = 0; i < LIST_MAX; i++)
		buf_adds(&b, ",{\"mount\":\"/\"}");
	buf_adds(&b, "]}");
	j = parsed(b.p);
	wire_sample_get(&s, j, "[2]", &p);
	assert_string_equal(problem_at(&p, "[2].disks"), "has 513 elements; at most 512 are accepted");
	assert_int_equal(s.disks.n, 0);
	problems_done(&p);
	json_free(j);
	buf_done(&b);
}

static void a_run_with_an_unknown_state_or_a_huge_log_is_refused(void **state)
{
	struct wire_run r;
	struct problems p = {0};
	struct json_out o;
	struct json *j;
	struct buf b;
	char *log = xmalloc(WIRE_LOG + 2);

	(void)state;
	memset(log, 'l', WIRE_LOG + 1);
	log[WIRE_LOG + 1] = '\0';
	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "uuid", "3b241101-e2bb-4255-8caf-4136c566a962");
	json_put_int(&o, "rev", 1);
	json_put_str(&o, "site", "shop");
	json_put_str(&o, "state", "great");
	json_put_str(&o, "log", log);
	json_end_obj(&o);
	j = parsed(b.p);
	wire_run_get(&r, j, "", &p);
	assert_int_equal(p.n, 2);
	assert_string_equal(problem_at(&p, "state"),
			    "\"great\" is not one of running, ok, warning, failed, aborted, skipped, suspect");
	assert_string_equal(problem_at(&p, "log"), "is 65537 bytes long; at most 65536 are accepted");
	problems_done(&p);
	wire_run_done(&r);
	json_free(j);
	buf_done(&b);
	freep(&log);
}

static void states_have_names_and_come_back(void **state)
{
	enum run_state s = RUN_OK;

	(void)state;
	for (unsigned i = 0; i < RUN_STATES; i++) {
		assert_int_equal(run_state_from(&s, run_state_name((enum run_state)i)), 0);
		assert_int_equal(s, i);
		assert_int_equal(run_state_good(s), i == RUN_OK || i == RUN_WARNING);
	}
	assert_int_equal(run_state_from(&s, "OK"), -1);
	assert_int_equal(run_state_from(&s, ""), -1);
}

static void pairing_words_are_all_different_and_of_four_letters(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		assert_int_equal(strlen(pair_words[i]), 4);
		if (i)
			assert_true(strcmp(pair_words[i - 1], pair_words[i]) < 0);
	}
}

/* The expected values were worked out with sha256sum(1) from the same bytes. */
static void pairing_gives_the_documented_vectors(void **state)
{
	uint8_t pub[32], nonce[32], master[32], spki[32] = {0}, d[SHA256_LEN];
	char hex[SHA256_HEX], code[PAIR_CODE];

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		pub[i] = (uint8_t)i;
		nonce[i] = (uint8_t)(32 + i);
		master[i] = (uint8_t)(64 + i);
	}
	pair_commitment(d, nonce, pub);
	assert_string_equal(hex_encode(hex, d, sizeof(d)), "62c035b9e42944218bf108e6347e3db41923d982c60ac521314b39cf93bee5bf");
	pair_code(code, pub, nonce, master, "req-1", spki);
	assert_string_equal(code, "ZEAL-0533");
	spki[31] = 1;
	pair_code(code, pub, nonce, master, "req-1", spki);
	assert_string_equal(code, "CLAY-9669");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_comes_back_as_it_was_sent),
		cmocka_unit_test(a_run_comes_back_as_it_was_sent),
		cmocka_unit_test(what_is_unknown_is_left_out_and_stays_unknown),
		cmocka_unit_test(every_problem_of_a_sample_is_named_with_its_path),
		cmocka_unit_test(a_text_that_is_too_long_is_a_problem_and_is_not_cut),
		cmocka_unit_test(a_list_without_end_is_refused),
		cmocka_unit_test(a_run_with_an_unknown_state_or_a_huge_log_is_refused),
		cmocka_unit_test(states_have_names_and_come_back),
		cmocka_unit_test(pairing_words_are_all_different_and_of_four_letters),
		cmocka_unit_test(pairing_gives_the_documented_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
