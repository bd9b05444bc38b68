/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/audit_chain.c"

#include <stdlib.h>
#include <unistd.h>

#include "shared/str.h"
#include "tests/unit.h"

static char dir[64];
static struct db *db;

static int make(void **state)
{
	struct err e = {0};
	char url[128];

	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-audit.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/m.db", dir);
	if (db_open(&db, url, false, &e) || db_migrate(db, &e))
		return -1;
	for (int i = 1; i <= 10; i++) {
		struct audit a = {.at = 1000 * i, .who = i % 2 ? "anna" : "bert", .peer = "127.0.0.1",
				  .action = i % 3 ? "node.block" : "user.add", .object = "x", .detail = "{}"};

		if (tbl_audit_add(db, &a, &e))
			return -1;
	}
	return 0;
}

static int drop(void **state)
{
	static const char *const names_of[] = {"m.db", "m.db-wal", "m.db-shm"};
	char path[128];

	(void)state;
	db_close(db);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names_of[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void finds(const char *sql, enum chain_verdict verdict, int64_t bad, const char *text)
{
	struct chain c;
	struct err e = {0};

	assert_int_equal(db_exec(db, sql, &e), 0);
	assert_int_equal(audit_chain_verify(db, NULL, &c, &e), 0);
	assert_string_equal(c.text, text);
	assert_int_equal(c.verdict, verdict);
	assert_int_equal(c.bad, bad);
}

static void an_untouched_trail_is_good_and_has_a_head(void **state)
{
	struct chain c, again;
	struct err e = {0};

	(void)state;
	assert_int_equal(audit_chain_verify(db, NULL, &c, &e), 0);
	assert_int_equal(c.verdict, CHAIN_GOOD);
	assert_int_equal(c.records, 10);
	assert_string_equal(c.text, "the trail is as it was written; records: 10");
	assert_int_equal(audit_chain_verify(db, c.head, &again, &e), 0);
	assert_int_equal(again.kept_at, 10);
}

static void an_empty_trail_is_good(void **state)
{
	(void)state;
	finds("DELETE FROM audit", CHAIN_GOOD, 0, "the trail is as it was written; records: 0");
}

static void every_changed_member_is_seen(void **state)
{
	static const char *const sets[] = {"at=at+1", "who='eve'", "peer=''", "action='node.unblock'", "object='y'",
					   "detail='{\"a\":1}'", "hash=zeroblob(32)", "hash=zeroblob(3)",
					   "who=who||'x', peer='127.0.0.1'"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		CLEANUP(freep) char *sql = xasprintf("SAVEPOINT s; UPDATE audit SET %s WHERE id=4", sets[i]);

		finds(sql, CHAIN_CHANGED, 4, "record 4 was changed: it does not fit its hash and the record before");
		assert_int_equal(db_exec(db, "ROLLBACK TO s; RELEASE s", &e), 0);
	}
}

static void the_first_record_can_be_changed_too(void **state)
{
	(void)state;
	finds("UPDATE audit SET who='eve' WHERE id=1", CHAIN_CHANGED, 1, "record 1 was changed: it does not fit its hash");
}

static void a_record_rewritten_with_its_hash_is_seen_at_the_next(void **state)
{
	struct audit a = {.id = 5, .at = 1, .who = "eve", .peer = "", .action = "a", .object = "o", .detail = "{}"};
	CLEANUP(db_done) struct db_stmt s = {0};
	struct neighbours n = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(tbl_audit_each(db, 3, 1, take_neighbour, &n, &e), 0);
	audit_hash(a.hash, n.hashes[0], &a);
	assert_int_equal(db_prepare(db, &s, "UPDATE audit SET at=1,who='eve',peer='',action='a',object='o',hash=?1 "
				    "WHERE id=5", &e), 0);
	db_set_blob(&s, 1, a.hash, SHA256_LEN);
	assert_int_equal(db_run(&s, &e), 0);
	finds("SELECT 1", CHAIN_CHANGED, 6, "record 6 was changed: it does not fit its hash and the record before");
}

static void missing_records_are_counted(void **state)
{
	(void)state;
	finds("DELETE FROM audit WHERE id=7", CHAIN_MISSING, 7, "record 7 is missing");
	finds("DELETE FROM audit WHERE id IN (3,4,5)", CHAIN_MISSING, 3, "records 3 to 5 are missing");
	finds("DELETE FROM audit WHERE id=1", CHAIN_MISSING, 1, "record 1 is missing");
}

static void records_that_changed_places_are_named(void **state)
{
	(void)state;
	finds("UPDATE audit SET id=-1 WHERE id=3; UPDATE audit SET id=3 WHERE id=4; UPDATE audit SET id=4 WHERE id=-1",
	      CHAIN_REORDERED, 3, "record 3 is in a wrong place: it was written as record 4");
}

static void records_that_changed_places_far_apart_are_named(void **state)
{
	(void)state;
	finds("UPDATE audit SET id=-1 WHERE id=1; UPDATE audit SET id=1 WHERE id=10; UPDATE audit SET id=10 WHERE id=-1",
	      CHAIN_REORDERED, 1, "record 1 is in a wrong place: it was written as record 10");
}

static void a_gap_that_was_closed_is_seen(void **state)
{
	(void)state;
	finds("DELETE FROM audit WHERE id=9; UPDATE audit SET id=9 WHERE id=10", CHAIN_CHANGED, 9,
	      "record 9 was changed: it does not fit its hash and the record before");
}

static void a_cut_tail_is_seen_by_who_kept_the_head(void **state)
{
	struct chain c;
	uint8_t head[SHA256_LEN];
	struct err e = {0};

	(void)state;
	assert_int_equal(audit_chain_verify(db, NULL, &c, &e), 0);
	memcpy(head, c.head, sizeof(head));
	finds("DELETE FROM audit WHERE id=10", CHAIN_GOOD, 0, "the trail is as it was written; records: 9");
	assert_int_equal(audit_chain_verify(db, head, &c, &e), 0);
	assert_int_equal(c.verdict, CHAIN_CUT);
	assert_string_equal(c.text, "no record has the hash that was kept: records after number 9 were cut off, or the "
				    "trail was written anew");
}

struct seen {
	int64_t ids[16];
	size_t n;
};

static int take_id(void *ctx, const struct audit *a)
{
	struct seen *s = ctx;

	s->ids[s->n++] = a->id;
	return 0;
}

static void the_list_goes_down_and_is_filtered(void **state)
{
	const struct audit_query all = {.limit = 3}, before = {.before = 8, .limit = 2},
				 anna = {.who = "anna", .limit = 9}, kind = {.action = "user", .limit = 9},
				 none = {.action = "use", .limit = 9}, exact = {.action = "user.add", .since = 6000, .limit = 9};
	const struct {
		const struct audit_query *q;
		size_t n;
		int64_t first;
	} want[] = {{&all, 3, 10}, {&before, 2, 7}, {&anna, 5, 9}, {&kind, 3, 9}, {&none, 0, 0}, {&exact, 2, 9}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct seen s = {0};
		struct err e = {0};

		assert_int_equal(tbl_audit_list(db, want[i].q, take_id, &s, &e), 0);
		assert_int_equal(s.n, want[i].n);
		assert_int_equal(s.ids[0], want[i].first);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(an_untouched_trail_is_good_and_has_a_head),
		TEST(an_empty_trail_is_good),
		TEST(every_changed_member_is_seen),
		TEST(the_first_record_can_be_changed_too),
		TEST(a_record_rewritten_with_its_hash_is_seen_at_the_next),
		TEST(missing_records_are_counted),
		TEST(records_that_changed_places_are_named),
		TEST(records_that_changed_places_far_apart_are_named),
		TEST(a_gap_that_was_closed_is_seen),
		TEST(a_cut_tail_is_seen_by_who_kept_the_head),
		TEST(the_list_goes_down_and_is_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
