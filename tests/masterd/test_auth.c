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

	assert_int_equal(auth_who(f->auth, token, f->now, &w, &e), 0);
	assert_string_equal(w.name, "mia");
	assert_int_equal(w.role, ROLE_NODE_ADMIN);
	assert_int_equal(db_exec(f->db, "UPDATE account SET role='viewer'", &e), 0);
	assert_int_equal(db_exec(f->db, "UPDATE meta SET value=value+1 WHERE name='auth_rev'", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(auth_who(f->auth, token, f->now, &w, &e), 0);
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

	auth_session_drop(f->auth, a.sid);
	assert_int_equal(auth_who(f->auth, one, f->now, &w, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(auth_who(f->auth, two, f->now, &w, &e), 0);
	assert_int_equal(tbl_user_set_password(f->db, 1, "y", &e), 0);
	assert_int_equal(auth_poll(f->auth, &e), 0);
	assert_int_equal(auth_who(f->auth, two, f->now, &w, &e), -1);
}

static void a_session_ends_by_itself_after_thirty_days(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f);
	CLEANUP(freep) char *token = auth_refresh_token(f->auth, s.sid, 1);
	enum refresh what;
	struct err e = {0};
	struct who w;

	assert_int_equal(auth_refresh(f->auth, token, f->now + SESSION_MS - 1, &what, &s, &w, &e), 0);
	assert_int_equal(auth_refresh(f->auth, token, f->now + SESSION_MS, &what, &s, &w, &e), -1);
}

static enum refresh worth(struct fixture *f, const char *sid, int64_t turn, int64_t now)
{
	CLEANUP(freep) char *token = auth_refresh_token(f->auth, sid, turn);
	enum refresh what = REFRESH_REUSED;
	struct session s;
	struct err e = {0};
	struct who w;

	assert_int_equal(auth_refresh(f->auth, token, now, &what, &s, &w, &e), 0);
	return what;
}

static void the_predecessor_is_served_for_a_minute_and_an_older_one_is_theft(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f);

	assert_int_equal(worth(f, s.sid, 1, f->now), REFRESH_ROTATE);
	s.turn = 3;
	s.rotated = f->now;
	auth_session_put(f->auth, &s);
	assert_int_equal(worth(f, s.sid, 3, f->now), REFRESH_ROTATE);
	assert_int_equal(worth(f, s.sid, 2, f->now + 60000), REFRESH_REPEAT);
	assert_int_equal(worth(f, s.sid, 2, f->now + 60001), REFRESH_REUSED);
	assert_int_equal(worth(f, s.sid, 1, f->now), REFRESH_REUSED);
}

static void a_refresh_token_cannot_be_made_without_the_secret(void **state)
{
	struct fixture *f = *state;
	struct session s = begin(f);
	CLEANUP(freep) char *good = auth_refresh_token(f->auth, s.sid, 1);
	CLEANUP(freep) char *raised = xstrdup(good);
	CLEANUP(freep) char *cut = xstrndup(good, strlen(good) - 1);
	const char *const bad[] = {"", ".", "..", "a.b.c", "x.1.00", raised, cut};
	enum refresh what;
	struct err e = {0};
	struct who w;

	strchr(raised, '.')[1] = '2';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(auth_refresh(f->auth, bad[i], f->now, &what, &s, &w, &e), -1);
		assert_int_equal(e.kind, ERR_DENIED);
	}
}

#define with_db(t) cmocka_unit_test_setup_teardown(t, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_db(the_role_is_the_users_not_the_tokens),
		with_db(log_out_disabling_and_a_new_password_count_at_once),
		with_db(a_session_ends_by_itself_after_thirty_days),
		with_db(the_predecessor_is_served_for_a_minute_and_an_older_one_is_theft),
		with_db(a_refresh_token_cannot_be_made_without_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
