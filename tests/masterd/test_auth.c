/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/auth.c"

#include <unistd.h>

#include "tests/unit.h"

static char dir[64], url[128];
static const char secret[] = "0123456789abcdef0123456789abcdef";

struct fixture {
	struct db *db;
	struct db_pool *pool;
	struct auth *auth;
	int64_t now;
};

static int make(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct user u = {.role = ROLE_NODE_ADMIN, .created = 1};
	struct err e = {0};

	snprintf(dir, sizeof(dir), "%s", "/tmp/felloe-auth.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/m.db", dir);
	str_cut(u.name, sizeof(u.name), "mia");
	str_cut(u.password, sizeof(u.password), "x");
	if (crypt_init(&e) || db_open(&f->db, url, false, &e) || db_migrate(f->db, &e) || tbl_user_add(f->db, &u, &e))
		return -1;
	f->pool = db_pool_new(url);
	f->now = clock_ms();
	*state = f;
	return auth_new(&f->auth, f->pool, secret, &e);
}

static int drop(void **state)
{
	static const char *const names[] = {"m.db", "m.db-wal", "m.db-shm"};
	struct fixture *f = *state;
	char path[128];

	auth_free(f->auth);
	db_pool_free(f->pool);
	db_close(f->db);
	free(f);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static struct session begin(struct fixture *f)
{
	struct session s;
	struct err e = {0};

	auth_session_init(&s, 1, "127.0.0.1", f->now);
	assert_int_equal(tbl_session_add(f->db, &s, &e), 0);
	auth_session_put(f->auth, &s);
	return s;
}

static char *access_of(struct fixture *f, const struct session *s)
{
	struct who w = {.role = ROLE_NODE_ADMIN};

	str_cut(w.name, sizeof(w.name), "mia");
	str_cut(w.sid, sizeof(w.sid), s->sid);
	return auth_access_token(f->auth, &w, f->now);
}

static void the_role_is_the_users_not_the_tokens(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f);
	CLEANUP(freep) char *token = access_of(f, &s);
	struct err e = {0};
	struct who w;

	assert_int_equal(who_by_session(f->auth, token, f->now, &w, &e), 0);
	assert_string_equal(w.name, "mia");
	assert_int_equal(w.role, ROLE_NODE_ADMIN);
	assert_int_equal(db_exec(f->db, "UPDATE account SET role='viewer'", &e), 0);
	assert_int_equal(db_exec(f->db, "UPDATE meta SET value=value+1 WHERE name='auth_rev'", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_session(f->auth, token, f->now, &w, &e), 0);
	assert_int_equal(w.role, ROLE_VIEWER);
}

static void log_out_disabling_and_a_new_password_count_at_once(void **state)
{
	struct fixture *f = *state;
	struct session a = begin(f), b = begin(f);
	CLEANUP(freep) char *one = access_of(f, &a);
	CLEANUP(freep) char *two = access_of(f, &b);
	struct err e = {0};
	struct who w;

	assert_int_equal(tbl_session_drop(f->db, a.sid, &e), 0);
	auth_session_drop(f->auth, a.sid);
	assert_int_equal(who_by_session(f->auth, one, f->now, &w, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(who_by_session(f->auth, two, f->now, &w, &e), 0);
	assert_int_equal(tbl_user_set_password(f->db, 1, "y", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_session(f->auth, two, f->now, &w, &e), -1);
}

static void a_session_ends_by_itself_after_thirty_days(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f), got;
	struct err e = {0};

	assert_int_equal(tbl_session_get(f->db, s.sid, f->now + SESSION_MS - 1, &got, &e), 0);
	assert_int_equal(got.account_id, 1);
	assert_int_equal(tbl_session_get(f->db, s.sid, f->now + SESSION_MS, &got, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void of_many_sessions_the_newest_stay(void **state)
{
	struct fixture *f = *state;
	struct sessions left = {0};
	struct session s;
	struct err e = {0};
	int64_t before, after;

	for (int i = 0; i < SESSIONS_MAX + 3; i++) {
		auth_session_init(&s, 1, "127.0.0.1", f->now + i);
		assert_int_equal(tbl_session_add(f->db, &s, &e), 0);
	}
	assert_int_equal(tbl_auth_rev(f->db, &before, &e), 0);
	assert_int_equal(tbl_session_trim(f->db, 1, &e), 0);
	assert_int_equal(tbl_auth_rev(f->db, &after, &e), 0);
	assert_true(after > before);
	assert_int_equal(tbl_session_list(f->db, f->now, &left, &e), 0);
	assert_int_equal(left.n, SESSIONS_MAX);
	for (size_t i = 0; i < left.n; i++)
		assert_true(left.v[i].rotated >= f->now + 3);
	list_done(&left);
	assert_int_equal(tbl_session_trim(f->db, 1, &e), 0);
	assert_int_equal(tbl_auth_rev(f->db, &before, &e), 0);
	assert_int_equal(before, after);
}

static void a_session_that_another_master_began_is_found_at_once(void **state)
{
	struct fixture *f = *state;
	struct session s;
	CLEANUP(freep) char *token = NULL;
	struct err e = {0};
	struct who w;

	auth_session_init(&s, 1, "127.0.0.1", f->now);
	token = access_of(f, &s);
	assert_int_equal(who_by_session(f->auth, token, f->now, &w, &e), -1);
	assert_int_equal(tbl_session_add(f->db, &s, &e), 0);
	/* asked for in vain a moment ago: not again for 2 s */
	assert_int_equal(who_by_session(f->auth, token, f->now + 1999, &w, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(who_by_session(f->auth, token, f->now + 2000, &w, &e), 0);
	assert_string_equal(w.name, "mia");
}

static void a_user_that_another_master_made_is_found_at_once(void **state)
{
	struct user u = {.role = ROLE_VIEWER, .created = 1, .name = "new", .password = "x"};
	struct fixture *f = *state;
	struct session s;
	CLEANUP(freep) char *token = NULL;
	struct err e = {0};
	struct who w;

	assert_int_equal(tbl_user_add(f->db, &u, &e), 0);
	auth_session_init(&s, u.id, "127.0.0.1", f->now);
	assert_int_equal(tbl_session_add(f->db, &s, &e), 0);
	token = access_of(f, &s);
	assert_int_equal(who_by_session(f->auth, token, f->now, &w, &e), 0);
	assert_string_equal(w.name, "new");
}

static void the_predecessor_is_served_for_a_minute_and_an_older_one_is_theft(void **state)
{
	const struct session s = {.turn = 3, .rotated = 1000000};
	const struct session first = {.turn = 1, .rotated = 1000000};

	(void)state;
	assert_int_equal(auth_refresh_worth(&first, 1, 99999999), REFRESH_ROTATE);
	assert_int_equal(auth_refresh_worth(&s, 3, 99999999), REFRESH_ROTATE);
	assert_int_equal(auth_refresh_worth(&s, 2, 1060000), REFRESH_REPEAT);
	assert_int_equal(auth_refresh_worth(&s, 2, 1060001), REFRESH_REUSED);
	assert_int_equal(auth_refresh_worth(&s, 1, 1000000), REFRESH_REUSED);
	assert_int_equal(auth_refresh_worth(&s, 4, 1000000), REFRESH_REUSED);
}

static void a_refresh_token_cannot_be_made_without_the_secret(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f);
	CLEANUP(freep) char *good = auth_refresh_token(f->auth, s.sid, 1);
	CLEANUP(freep) char *raised = xstrdup(good);
	CLEANUP(freep) char *cut = xstrndup(good, strlen(good) - 1);
	const char *const bad[] = {"", ".", "..", "a.b.c", "x.1.00", raised, cut};
	char sid[JWT_SID];
	struct err e = {0};
	int64_t turn;

	assert_int_equal(auth_refresh_read(f->auth, good, sid, &turn, &e), 0);
	assert_string_equal(sid, s.sid);
	assert_int_equal(turn, 1);
	strchr(raised, '.')[1] = '2';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(auth_refresh_read(f->auth, bad[i], sid, &turn, &e), -1);
		assert_int_equal(e.kind, ERR_DENIED);
	}
}

/* ---- API tokens */

static void add_token(struct fixture *f, const char *text, enum role role, const char *tags, int64_t expires)
{
	struct token t = {.account_id = 1, .role = role, .may = TOKEN_READ, .created = f->now, .expires = expires};
	struct err e = {0};

	str_cut(t.name, sizeof(t.name), text);
	str_cut(t.scope.tags, sizeof(t.scope.tags), tags);
	sha256(t.hash, text, strlen(text));
	assert_int_equal(tbl_token_add(f->db, &t, &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
}

static void a_token_may_what_it_says_but_not_more_than_its_maker(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct who w;
	bool use;

	add_token(f, "flt_a", ROLE_VIEWER, "[\"eu\"]", f->now + 1000);
	add_token(f, "flt_b", ROLE_SUPER_ADMIN, "[]", f->now + 1000);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), 0);
	assert_string_equal(w.name, "token:flt_a");
	assert_int_equal(w.role, ROLE_VIEWER);
	assert_int_equal(w.may, TOKEN_READ);
	assert_string_equal(w.scope.tags, "[\"eu\"]");
	assert_int_equal(who_by_token(f->auth, "flt_b", f->now, &w, &use, &e), 0);
	assert_int_equal(w.role, ROLE_NODE_ADMIN);
	assert_int_equal(db_exec(f->db, "UPDATE account SET tags='[\"us\",\"eu\"]'; UPDATE meta SET value=value+1", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), 0);
	assert_string_equal(w.scope.tags, "[\"eu\"]");
	assert_int_equal(who_by_token(f->auth, "flt_b", f->now, &w, &use, &e), 0);
	assert_string_equal(w.scope.tags, "[\"us\",\"eu\"]");
	assert_int_equal(db_exec(f->db, "UPDATE account SET tags='[\"us\"]'; UPDATE meta SET value=value+1", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), 0);
	assert_false(scope_is_all(&w.scope));
	assert_false(scope_sees(&w.scope, "[\"eu\",\"us\"]"));
}

static void a_token_ends_with_its_time_its_row_and_its_maker(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct who w;
	bool use;

	add_token(f, "flt_a", ROLE_VIEWER, "[]", f->now + 1000);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now + 999, &w, &use, &e), 0);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now + 1000, &w, &use, &e), -1);
	assert_string_equal(e.msg, "the API token has expired");
	assert_int_equal(who_by_token(f->auth, "flt_A", f->now, &w, &use, &e), -1);
	assert_string_equal(e.msg, "the API token is not known");
	assert_int_equal(db_exec(f->db, "UPDATE account SET disabled=1; UPDATE meta SET value=value+1", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), -1);
	assert_string_equal(e.msg, "the user who made this API token is disabled");
	assert_int_equal(tbl_token_drop(f->db, 1, &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), -1);
	assert_string_equal(e.msg, "the API token is not known");
}

static void its_use_is_noted_once_a_minute(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct who w;
	bool use;

	add_token(f, "flt_a", ROLE_VIEWER, "[]", f->now + 1000000);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now, &w, &use, &e), 0);
	assert_true(use);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now + 59999, &w, &use, &e), 0);
	assert_false(use);
	assert_int_equal(who_by_token(f->auth, "flt_a", f->now + 60000, &w, &use, &e), 0);
	assert_true(use);
}

static void a_limited_administrator_moves_machines_within_the_own_tags(void **state)
{
	const struct scope s = {.tags = "[\"eu\",\"shop\"]"}, all = {.tags = "[]"};

	(void)state;
	assert_true(scope_may_retag(&s, "[]", "[\"eu\"]"));
	assert_true(scope_may_retag(&s, NULL, "[\"shop\",\"eu\"]"));
	assert_false(scope_may_retag(&s, "[]", "[\"eu\",\"us\"]"));
	assert_false(scope_may_retag(&s, "[]", "[]"));
	assert_false(scope_may_retag(&s, "[]", NULL));
	assert_true(scope_may_retag(&s, "[\"eu\",\"us\"]", "[\"us\",\"shop\"]"));
	assert_false(scope_may_retag(&s, "[\"eu\",\"us\"]", "[\"eu\"]"));
	assert_false(scope_may_retag(&s, "[\"eu\",\"us\"]", "[\"us\"]"));
	assert_true(scope_may_retag(&all, "[\"us\"]", "[]"));
}

static void who_waits_without_tags_is_seen_by_administrators(void **state)
{
	const struct scope admin = {.tags = "[\"eu\"]", .untagged = true}, viewer = {.tags = "[\"eu\"]"};

	(void)state;
	assert_true(scope_sees_waiting(&admin, "[]", true));
	assert_true(scope_sees_waiting(&admin, NULL, true));
	assert_false(scope_sees_waiting(&admin, "[]", false));
	assert_false(scope_sees_waiting(&admin, "[\"us\"]", true));
	assert_false(scope_sees_waiting(&viewer, "[]", true));
}

#define with_db(t) cmocka_unit_test_setup_teardown(t, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_db(the_role_is_the_users_not_the_tokens),
		with_db(log_out_disabling_and_a_new_password_count_at_once),
		with_db(a_session_ends_by_itself_after_thirty_days),
		with_db(the_predecessor_is_served_for_a_minute_and_an_older_one_is_theft),
		with_db(of_many_sessions_the_newest_stay),
		with_db(a_session_that_another_master_began_is_found_at_once),
		with_db(a_user_that_another_master_made_is_found_at_once),
		with_db(a_token_may_what_it_says_but_not_more_than_its_maker),
		with_db(a_token_ends_with_its_time_its_row_and_its_maker),
		with_db(its_use_is_noted_once_a_minute),
		cmocka_unit_test(who_waits_without_tags_is_seen_by_administrators),
		cmocka_unit_test(a_limited_administrator_moves_machines_within_the_own_tags),
		with_db(a_refresh_token_cannot_be_made_without_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
