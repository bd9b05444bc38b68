/* SPDX-License-Identifier: Apache-2.0 */
/* The same promises of masterd/db.h on every database; PostgreSQL by a server of the test's own. */
#include "masterd/db.c"

#include <arpa/inet.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/fs.h"
#include "tests/unit.h"

static char dir[64];
static char *pg_url;              /* NULL: no server */
static const char *url;           /* of the database of this test */

/* ---- the server */

static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0), port = 0;

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&a, n) && !getsockname(fd, (struct sockaddr *)&a, &n))
		port = ntohs(a.sin_port);
	close(fd);
	return port;
}

static int rig(const char *verb, const char *more)
{
	const char *src = getenv("srcdir");
	CLEANUP(freep) char *line = xasprintf("exec '%s/tests/rigs/postgres.sh' %s '%s/pg' %s >'%s/rig.log' 2>&1",
					      src ? src : "..", verb, dir, more, dir);
	int status = system(line);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *line_of(const char *path, const char *key)
{
	CLEANUP(buf_done) struct buf b = {0};
	const char *at;

	buf_init(&b, 1 << 16);
	if (fs_read(&b, path, NULL) || !(at = strstr(b.p, key)))
		return NULL;
	at += strlen(key);
	return xstrndup(at, strcspn(at, "\n"));
}

static int begin_all(void **state)
{
	CLEANUP(freep) char *env = NULL;

	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-db.XXXXXX");
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	env = xasprintf("%s/pg/env", dir);
	/* somebody may take the port before the server does */
	for (int i = 0; i < 3 && !pg_url && db_is_known_url("postgresql://"); i++) {
		CLEANUP(freep) char *port = xasprintf("%d", free_port());
		int rc = rig("start", port);

		if (rc == 77) /* not installed */
			break;
		if (rc == 0)
			pg_url = line_of(env, "PG_URI=");
		else
			rig("stop", "");
	}
	return 0;
}

static int end_all(void **state)
{
	CLEANUP(freep) char *line = xasprintf("rm -rf '%s'", dir);

	(void)state;
	if (pg_url)
		rig("stop", "");
	free(pg_url);
	return system(line);
}

static int begin_sqlite(void **state)
{
	static char text[128];
	static unsigned n;

	(void)state;
	snprintf(text, sizeof(text), "sqlite:%s/%u.db", dir, n++);
	url = text;
	return 0;
}

static int begin_pg(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct err e;

	(void)state;
	url = pg_url;
	if (!url)
		return 0;
	return db_open(&db, url, false, &e) || db_exec(db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", &e) ? -1 : 0;
}

static void need_url(void)
{
	if (!url)
		skip();
}

/* ---- what the tests share */

#define ok(call) do { struct err e = {0}; if (call) fail_msg("%s: %s", #call, e.msg); } while (0)

static struct db *writer(void)
{
	struct db *db = NULL;

	ok(db_open(&db, url, false, &e));
	return db;
}

static struct db *schema(void)
{
	struct db *db = writer();

	ok(db_migrate(db, &e));
	return db;
}

static int64_t number(struct db *db, const char *text)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	ok(db_prepare(db, &s, text, &e));
	ok(db_step(&s, &e) != 1);
	return db_int(&s, 0);
}

static enum err_kind kind(int rc, const struct err *e)
{
	assert_int_equal(rc, -1);
	return e->kind;
}

static enum err_kind refused(struct db *db, const char *text)
{
	struct err e = {0};

	return kind(db_exec(db, text, &e), &e);
}

/* ---- values */

static void numbers_and_texts_come_back_as_they_went(void **state)
{
	static const double nums[] = {0.1, -0.0, 1e300, DBL_MIN, 1.0 / 3, 123456789.123456789, -DBL_MAX};
	static const int64_t ints[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 53};
	static const char text[] = "it's \"quoted\", ?1 $1 %s \\ \xc3\xb6 \xf0\x9f\x9a\xb2";
	CLEANUP(db_closep) struct db *db = NULL;
	uint8_t bytes[256];
	size_t n;

	(void)state;
	need_url();
	db = schema();
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	ok(db_exec(db, "CREATE TABLE v(i BIGINT, d DOUBLE PRECISION, t TEXT)", &e));
	for (size_t i = 0; i < ARRAY_LEN(nums); i++) {
		CLEANUP(db_done) struct db_stmt s = {0};

		ok(db_prepare(db, &s, "INSERT INTO v(i,d,t) VALUES(?1,?2,?3) RETURNING i,d,t", &e));
		db_set_int(&s, 1, ints[i % ARRAY_LEN(ints)]);
		db_set_num(&s, 2, nums[i]);
		db_set_str(&s, 3, text);
		assert_int_equal(db_step(&s, NULL), 1);
		assert_true(db_int(&s, 0) == ints[i % ARRAY_LEN(ints)]);
		assert_true(db_num(&s, 1) == nums[i]);
		assert_string_equal(db_str(&s, 2), text);
		assert_int_equal(db_step(&s, NULL), 0);
	}
	{
		CLEANUP(db_done) struct db_stmt s = {0};

		ok(db_prepare(db, &s, "INSERT INTO audit(id,at,who,peer,action,object,detail,hash) "
			      "VALUES(1,1,'','','','','',?1) RETURNING hash", &e));
		db_set_blob(&s, 1, bytes, sizeof(bytes));
		assert_int_equal(db_step(&s, NULL), 1);
		assert_memory_equal(db_blob(&s, 0, &n), bytes, 256);
		assert_int_equal(n, 256);
	}
}

static void what_is_not_known_is_null(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_done) struct db_stmt s = {0};

	(void)state;
	need_url();
	db = writer();
	ok(db_exec(db, "CREATE TABLE v(i BIGINT, d DOUBLE PRECISION, t TEXT, u TEXT)", &e));
	ok(db_prepare(db, &s, "INSERT INTO v(i,d,t,u) VALUES(?1,?2,?3,?4) RETURNING i,d,t,u", &e));
	db_set_num(&s, 2, (double)NAN);
	db_set_str(&s, 3, NULL);
	db_set_str(&s, 4, "");
	assert_int_equal(db_step(&s, NULL), 1);
	for (int i = 0; i < 3; i++)
		assert_true(db_is_null(&s, i));
	assert_int_equal(db_int(&s, 0), 0);
	assert_true(isnan(db_num(&s, 1)));
	assert_null(db_str(&s, 2));
	assert_string_equal(db_str(&s, 3), "");
}

static void a_filter_that_is_null_filters_nothing(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;

	(void)state;
	need_url();
	db = writer();
	ok(db_exec(db, "CREATE TABLE v(i BIGINT, t VARCHAR(9)); INSERT INTO v VALUES(1,'a'),(2,'b')", &e));
	for (int i = 0; i < 2; i++) {
		CLEANUP(db_done) struct db_stmt s = {0};

		ok(db_prepare(db, &s, "SELECT count(*) FROM v WHERE (?1 IS NULL OR t=?1) AND (?2=0 OR i=?2)", &e));
		db_set_str(&s, 1, i ? "a" : NULL);
		db_set_int(&s, 2, 0);
		assert_int_equal(db_step(&s, NULL), 1);
		assert_int_equal(db_int(&s, 0), i ? 1 : 2);
	}
}

static void question_marks_in_quotes_are_text(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_done) struct db_stmt s = {0};

	(void)state;
	need_url();
	db = writer();
	ok(db_prepare(db, &s, "SELECT 'what?1 it''s ?2 ' || ?1 AS \"odd?3\"", &e));
	db_set_str(&s, 1, "then");
	assert_int_equal(db_step(&s, NULL), 1);
	assert_string_equal(db_str(&s, 0), "what?1 it's ?2 then");
}

static void more_statements_than_are_kept_prepared_all_work(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;

	(void)state;
	need_url();
	db = writer();
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 300; i++) {
			CLEANUP(freep) char *text = xasprintf("SELECT ?1+%d", i);
			CLEANUP(db_done) struct db_stmt s = {0};

			ok(db_prepare(db, &s, text, &e));
			db_set_int(&s, 1, 1000);
			assert_int_equal(db_step(&s, NULL), 1);
			assert_int_equal(db_int(&s, 0), 1000 + i);
		}
}

/* ---- errors and transactions */

static void a_constraint_is_a_conflict_and_undone_alone(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;

	(void)state;
	need_url();
	db = schema();
	ok(db_begin(db, &e));
	ok(db_rules(db, &e));
	ok(db_rules(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('a',1)", &e));
	ok(db_exec(db, "SAVEPOINT job", &e));
	assert_int_equal(refused(db, "INSERT INTO meta VALUES('a',2)"), ERR_CONFLICT);
	assert_true(db_in_transaction(db));
	ok(db_exec(db, "ROLLBACK TO job", &e));
	assert_int_equal(refused(db, "INSERT INTO session VALUES('s',99,1,1,1,1,'')"), ERR_CONFLICT);
	ok(db_exec(db, "ROLLBACK TO job", &e));
	ok(db_exec(db, "RELEASE job", &e));
	ok(db_commit(db, &e));
	assert_false(db_in_transaction(db));
	assert_int_equal(number(db, "SELECT value FROM meta WHERE name='a'"), 1);
}

static void what_is_rolled_back_was_never_there(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_closep) struct db *reader = NULL;

	(void)state;
	need_url();
	db = schema();
	ok(db_open(&reader, url, true, &e));
	ok(db_begin(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('a',1)", &e));
	assert_int_equal(number(reader, "SELECT count(*) FROM meta WHERE name='a'"), 0);
	db_rollback(db);
	assert_false(db_in_transaction(db));
	assert_int_equal(number(reader, "SELECT count(*) FROM meta WHERE name='a'"), 0);
	ok(db_begin(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('a',1)", &e));
	ok(db_commit(db, &e));
	assert_int_equal(number(reader, "SELECT count(*) FROM meta WHERE name='a'"), 1);
}

static void a_reader_changes_nothing(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_closep) struct db *reader = NULL;
	struct err why = {0};

	(void)state;
	need_url();
	db = schema();
	ok(db_open(&reader, url, true, &e));
	assert_int_equal(db_exec(reader, "INSERT INTO meta VALUES('a',1)", &why), -1);
	assert_int_equal(number(db, "SELECT count(*) FROM meta WHERE name='a'"), 0);
}

/* Another master: it counts what the rule before it has written. */
static void *second_master(void *arg)
{
	CLEANUP(db_closep) struct db *db = writer();
	int64_t *seen = arg;

	ok(db_begin(db, &e));
	ok(db_rules(db, &e));
	*seen = number(db, "SELECT count(*) FROM meta WHERE name LIKE 'rule%'");
	ok(db_exec(db, "INSERT INTO meta VALUES('rule 2',1)", &e));
	ok(db_commit(db, &e));
	return NULL;
}

static void rules_of_two_masters_run_one_after_the_other(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	pthread_t other;
	int64_t seen = -1;

	(void)state;
	need_url();
	db = schema();
	ok(db_begin(db, &e));
	ok(db_rules(db, &e));
	assert_int_equal(pthread_create(&other, NULL, second_master, &seen), 0);
	assert_int_equal(number(db, "SELECT count(*) FROM meta WHERE name LIKE 'rule%'"), 0);
	ok(db_exec(db, "INSERT INTO meta VALUES('rule 1',1)", &e));
	ok(db_commit(db, &e));
	pthread_join(other, NULL);
	assert_int_equal(seen, 1);
	assert_int_equal(number(db, "SELECT count(*) FROM meta WHERE name LIKE 'rule%'"), 2);
}

/* ---- schema */

static void *migrates(void *arg)
{
	CLEANUP(db_closep) struct db *db = writer();

	(void)arg;
	ok(db_migrate(db, &e));
	return NULL;
}

static void two_masters_that_start_together_migrate_once(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	char about[DB_ABOUT];
	pthread_t two[2];
	int pending = -1;

	(void)state;
	need_url();
	db = writer();
	ok(db_pending(db, &pending, &e));
	assert_true(pending > 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&two[i], NULL, migrates, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(two[i], NULL);
	ok(db_pending(db, &pending, &e));
	assert_int_equal(pending, 0);
	ok(db_judge(db, about, &e));
	assert_true(str_starts(about, url == pg_url ? "PostgreSQL " : "SQLite"));
	assert_int_equal(number(db, "SELECT value FROM meta WHERE name='auth_rev'"), 1);
}

static void a_day_is_dropped_at_once_or_by_its_rows(void **state)
{
	const struct db_days t = {"sample_raw", "start"};
	const int64_t day = 24 * 3600 * 1000, first = 20000 * day;
	CLEANUP(db_closep) struct db *db = NULL;
	bool done = false;

	(void)state;
	need_url();
	db = schema();
	ok(db_begin(db, &e));
	for (int i = 0; i < 3; i++) {
		CLEANUP(db_done) struct db_stmt s = {0};

		/* the first two lie in the rest when their day is made */
		if (i == 2)
			for (int k = 2; k >= 0; k--)
				ok(db_day_add(db, &t, first + k * day + 5, &e));
		ok(db_prepare(db, &s, "INSERT INTO sample_raw(node_id,start,doc) VALUES(1,?1,?2)", &e));
		db_set_int(&s, 1, first + i * day + (i == 1 ? day - 1 : 0));
		db_set_blob(&s, 2, "x", 1);
		ok(db_run(&s, &e));
	}
	ok(db_day_add(db, &t, first, &e));
	ok(db_commit(db, &e));
	assert_int_equal(number(db, "SELECT count(*) FROM sample_raw"), 3);
	ok(db_begin(db, &e));
	ok(db_days_drop(db, &t, first + 2 * day - 1, &done, &e));
	ok(db_commit(db, &e));
	assert_int_equal(done, url == pg_url);
	assert_int_equal(number(db, "SELECT count(*) FROM sample_raw"), done ? 2 : 3);
	if (done)
		assert_int_equal(number(db, "SELECT count(*) FROM sample_raw_rest"), 0);
	/* of a day that was never added, too, all goes when the day is over */
	for (int64_t at = first - day; done && at < first; at += day / 2) {
		CLEANUP(freep) char *text = xasprintf("INSERT INTO sample_raw(node_id,start,doc) VALUES(1,%lld,'x')", (long long)at);

		ok(db_exec(db, text, &e));
	}
	for (int i = 0; done && i < 2; i++) {
		ok(db_begin(db, &e));
		ok(db_days_drop(db, &t, first - 1 + i, &done, &e));
		ok(db_commit(db, &e));
		assert_int_equal(number(db, "SELECT count(*) FROM sample_raw_rest"), i ? 0 : 2);
	}
}

/* ---- PostgreSQL alone */

static void states_of_the_server_become_our_kinds(void **state)
{
	static const struct {
		const char *state;
		enum err_kind kind;
	} all[] = {
		{"40001", ERR_BUSY}, {"40P01", ERR_BUSY}, {"57P01", ERR_BUSY}, {"57014", ERR_BUSY}, {"53300", ERR_BUSY},
		{"55P03", ERR_BUSY}, {"08006", ERR_BUSY}, {"53100", ERR_SPACE}, {"23505", ERR_CONFLICT},
		{"23503", ERR_CONFLICT}, {"22001", ERR_LIMIT}, {"42501", ERR_DB}, {"42P01", ERR_DB}, {"XX001", ERR_DAMAGED},
	};
	CLEANUP(db_closep) struct db *db = NULL;

	(void)state;
	need_url();
	db = writer();
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP(freep) char *text = xasprintf("DO $$BEGIN RAISE SQLSTATE '%s'; END$$", all[i].state);

		if (refused(db, text) != all[i].kind)
			fail_msg("%s is another kind", all[i].state);
	}
}

static void the_right_that_is_missing_is_named(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	char about[DB_ABOUT];
	struct err why = {0};

	(void)state;
	need_url();
	db = schema();
	ok(db_exec(db, "DROP ROLE IF EXISTS weak; CREATE ROLE weak; GRANT SELECT,INSERT,UPDATE,DELETE ON ALL TABLES IN SCHEMA "
		   "public TO weak; GRANT USAGE,CREATE ON SCHEMA public TO weak; REVOKE DELETE ON session FROM weak; "
		   "SET ROLE weak", &e));
	assert_int_equal(db_judge(db, about, &why), -1);
	assert_non_null(strstr(why.msg, "the right to DELETE is missing for session"));
	ok(db_exec(db, "RESET ROLE; GRANT DELETE ON session TO weak; SET ROLE weak", &e));
	ok(db_judge(db, about, &e));
	ok(db_exec(db, "RESET ROLE; DROP OWNED BY weak; DROP ROLE weak", &e));
}

static void end_others(struct db *db)
{
	ok(db_exec(db, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid<>pg_backend_pid() "
		   "AND datname=current_database()", &e));
}

static void a_lost_connection_is_busy_and_made_anew(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	CLEANUP(db_closep) struct db *killer = NULL;

	(void)state;
	need_url();
	db = schema();
	killer = writer();
	ok(db_begin(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('a',1)", &e));
	end_others(killer);
	assert_int_equal(refused(db, "INSERT INTO meta VALUES('b',1)"), ERR_BUSY);
	assert_false(db_in_transaction(db));
	db_rollback(db);
	ok(db_begin(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('c',1)", &e));
	ok(db_commit(db, &e));
	/* while idle */
	end_others(killer);
	ok(db_begin(db, &e));
	ok(db_commit(db, &e));
	assert_int_equal(number(db, "SELECT count(*) FROM meta WHERE name IN('a','b','c')"), 1);
}

static void the_pool_throws_dead_connections_away(void **state)
{
	CLEANUP(db_closep) struct db *killer = NULL;
	struct db_pool *pool;
	struct db *two[2];

	(void)state;
	need_url();
	killer = schema();
	pool = db_pool_new(url);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2; i++)
			ok(db_pool_take(pool, &two[i], &e));
		for (int i = 0; i < 2; i++)
			assert_int_equal(number(two[i], "SELECT 7"), 7);
		/* once in use, once idle */
		if (round == 1)
			end_others(killer);
		for (int i = 0; i < 2; i++)
			db_pool_give(pool, two[i]);
		if (round == 0)
			end_others(killer);
	}
	db_pool_free(pool);
}

static void a_transaction_that_failed_cannot_be_committed(void **state)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct err why = {0};

	(void)state;
	need_url();
	db = schema();
	ok(db_begin(db, &e));
	ok(db_exec(db, "INSERT INTO meta VALUES('a',1)", &e));
	assert_int_equal(refused(db, "INSERT INTO meta VALUES('a',1)"), ERR_CONFLICT);
	assert_int_equal(db_commit(db, &why), -1);
	assert_false(db_in_transaction(db));
	assert_int_equal(number(db, "SELECT count(*) FROM meta WHERE name='a'"), 0);
}

/* ---- addresses */

static void an_address_is_shown_without_its_password(void **state)
{
	static const char *const all[][2] = {
		{"sqlite:/var/lib/m.db", "sqlite:/var/lib/m.db"},
		{"postgresql://u:hush@h:5433/d?sslmode=disable", "postgresql://u@h:5433/d"},
		{"postgresql://u:hush@a,b/d", "postgresql://u@a,b"},
		{"postgresql://h/d?password=hush&user=u", "postgresql://u@h"},
		{"postgresql://u:hu%sh@h/d", "postgresql://?"},
		{"mysql://u:hush@h/d", "mysql"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CLEANUP(freep) char *shown = db_shown(all[i][0]);

		if (!db_is_known_url(all[i][0]) && str_starts(all[i][0], "postgres"))
			continue;
		assert_null(strstr(shown, "hu"));
		if (!str_starts(shown, all[i][1]))
			fail_msg("%s, not %s", shown, all[i][1]);
	}
}

#define on_both(f) \
	cmocka_unit_test_setup(f, begin_sqlite), \
	{"on PostgreSQL: " #f, f, begin_pg, NULL, NULL}
#define on_pg(f) cmocka_unit_test_setup(f, begin_pg)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_both(numbers_and_texts_come_back_as_they_went),
		on_both(what_is_not_known_is_null),
		on_both(a_filter_that_is_null_filters_nothing),
		on_both(question_marks_in_quotes_are_text),
		on_both(more_statements_than_are_kept_prepared_all_work),
		on_both(a_constraint_is_a_conflict_and_undone_alone),
		on_both(what_is_rolled_back_was_never_there),
		on_both(a_reader_changes_nothing),
		on_both(rules_of_two_masters_run_one_after_the_other),
		on_both(two_masters_that_start_together_migrate_once),
		on_both(a_day_is_dropped_at_once_or_by_its_rows),
		on_pg(states_of_the_server_become_our_kinds),
		on_pg(the_right_that_is_missing_is_named),
		on_pg(a_lost_connection_is_busy_and_made_anew),
		on_pg(the_pool_throws_dead_connections_away),
		on_pg(a_transaction_that_failed_cannot_be_committed),
		cmocka_unit_test(an_address_is_shown_without_its_password),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
