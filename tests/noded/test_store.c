/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/store.c"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/fs.h"
#include "tests/unit.h"

static char base[] = "/tmp/felloe-store.XXXXXX";

#define CONFIG(where)                                                                              \
	(struct storage)                                                                           \
	{                                                                                          \
		.name = (char[]){"disk"}, .type = (char[]){"dir"}, .path = (where), .prefix = (char[]){""} \
	}

static struct store *opened(void)
{
	struct storage cfg = CONFIG(base);
	struct store *s = NULL;
	struct err e;

	if (store_open(&s, &cfg, &e))
		fail_msg("%s", e.msg);
	return s;
}

static bool base_is_empty(void)
{
	DIR *d = opendir(base);
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n == 2;
}

static void put(struct store *s, const char *key, const char *text)
{
	struct err e;

	if (store_put(s, key, text, strlen(text), &e))
		fail_msg("%s", e.msg);
}

static int collect(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(ctx, p, n);
	return 0;
}

static int collect_key(void *ctx, const char *key, uint64_t size, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s:%u ", key, (unsigned)size);
	return 0;
}

static void assert_listed(struct store *s, const char *prefix, const char *expected)
{
	struct buf b;
	struct err e;

	buf_init(&b, 65536);
	if (store_list(s, prefix, collect_key, &b, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(b.p, expected);
	buf_done(&b);
}

static void delete_all(struct store *s, const char *const *keys)
{
	struct err e;

	for (; *keys; keys++)
		assert_int_equal(store_delete(s, *keys, &e), 0);
}

static void an_object_is_seen_only_when_it_is_whole(void **state)
{
	struct store *s = opened();
	struct upload *u = NULL;
	struct upload_result r;
	struct err e;
	uint64_t size = 0;

	(void)state;
	assert_int_equal(upload_begin(&u, s, &(struct upload_opts){.key = "a/b/c"}, &e), 0);
	assert_int_equal(upload_write(u, "hel", 3, &e), 0);
	assert_int_equal(upload_write(u, "lo", 2, &e), 0);
	assert_int_equal(store_head(s, "a/b/c", &size, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_listed(s, "", "");
	assert_int_equal(upload_finish(u, &r, &e), 0);
	assert_int_equal(r.size, 5);
	assert_string_equal(r.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	assert_listed(s, "", "a/b/c:5 ");
	assert_int_equal(store_delete(s, "a/b/c", &e), 0);
	assert_true(base_is_empty());
	store_close(s);
}

static void an_abort_leaves_neither_file_nor_directory(void **state)
{
	struct store *s = opened();
	struct upload *u = NULL;
	struct err e;

	(void)state;
	assert_int_equal(upload_begin(&u, s, &(struct upload_opts){.key = "a/b/c"}, &e), 0);
	assert_int_equal(upload_write(u, "hel", 3, &e), 0);
	assert_false(base_is_empty());
	upload_abort(u);
	assert_true(base_is_empty());
	store_close(s);
}

static void ranges_are_exact_and_a_short_object_is_damage(void **state)
{
	struct store *s = opened();
	struct buf b;
	struct err e;

	(void)state;
	put(s, "k", "0123456789");
	buf_init(&b, 100);
	assert_int_equal(store_get(s, "k", 2, 3, collect, &b, &e), 0);
	assert_string_equal(b.p, "234");
	assert_int_equal(store_get(s, "k", 8, UINT64_MAX, collect, &b, &e), 0);
	assert_string_equal(b.p, "23489");
	assert_int_equal(store_get(s, "k", 10, UINT64_MAX, collect, &b, &e), 0);
	assert_int_equal(store_get(s, "k", 0, 0, collect, &b, &e), 0);
	assert_int_equal(store_get(s, "k", 8, 3, collect, &b, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_string_equal(e.msg, "storage \"disk\": object \"k\" has 10 bytes, 11 were expected at least");
	assert_int_equal(store_get(s, "k", 1, UINT64_MAX - 1, collect, &b, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_string_equal(b.p, "23489");
	assert_int_equal(store_get(s, "none", 0, 1, collect, &b, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	buf_done(&b);
	delete_all(s, (const char *const[]){"k", NULL});
	store_close(s);
}

static void a_listing_is_in_the_order_of_whole_keys(void **state)
{
	struct store *s = opened();
	static const char *const keys[] = {"a/x", "a-b", "a/b/c", "ab", "b", NULL};

	(void)state;
	for (size_t i = 0; keys[i]; i++)
		put(s, keys[i], "1");
	assert_listed(s, "", "a-b:1 a/b/c:1 a/x:1 ab:1 b:1 ");
	assert_listed(s, "a", "a-b:1 a/b/c:1 a/x:1 ab:1 ");
	assert_listed(s, "a/", "a/b/c:1 a/x:1 ");
	assert_listed(s, "a/b", "a/b/c:1 ");
	assert_listed(s, "none/", "");
	delete_all(s, keys);
	assert_true(base_is_empty());
	store_close(s);
}

static void a_key_cannot_leave_the_directory_nor_have_two_spellings(void **state)
{
	static const char *const bad[] = {"", "/etc/x", "../x", "a/../../x", "a/..", ".", "a//b", "a/",
					  ".felloe-tmp.x", "a/.felloe-tmp.x", "\xff"};
	struct store *s = opened();
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(store_put(s, bad[i], "x", 1, &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
	}
	put(s, "a..b/...", "x");
	assert_int_equal(store_delete(s, "a..b/...", &e), 0);
	assert_true(base_is_empty());
	store_close(s);
}

static void only_old_temporary_files_are_swept(void **state)
{
	CLEANUP(freep) char *old = xasprintf("%s/x/.felloe-tmp.1", base);
	CLEANUP(freep) char *young = xasprintf("%s/x/.felloe-tmp.2", base);
	struct store *s = opened();
	struct timespec at[2] = {{0}, {0}};
	unsigned swept = 9;
	struct err e;

	(void)state;
	put(s, "x/keep", "1");
	assert_int_equal(fs_write(old, "1", 1, 0600, &e), 0);
	assert_int_equal(fs_write(young, "1", 1, 0600, &e), 0);
	/* the clock of the file system may be another */
	at[0].tv_sec = at[1].tv_sec = (time_t)(clock_ms() / 1000);
	assert_int_equal(utimensat(AT_FDCWD, young, at, 0), 0);
	at[0].tv_sec = at[1].tv_sec -= 3600;
	assert_int_equal(utimensat(AT_FDCWD, old, at, 0), 0);
	assert_listed(s, "", "x/keep:1 ");
	assert_int_equal(store_sweep(s, "y/", 600, &swept, &e), 0);
	assert_int_equal(swept, 0);
	assert_int_equal(store_sweep(s, "x/", 600, &swept, &e), 0);
	assert_int_equal(swept, 1);
	assert_false(fs_exists(old));
	assert_true(fs_exists(young));
	unlink(young);
	delete_all(s, (const char *const[]){"x/keep", NULL});
	assert_true(base_is_empty());
	store_close(s);
}

static void assert_not_opened(char *path, enum err_kind kind, const char *before, const char *after)
{
	struct storage cfg = CONFIG(path);
	CLEANUP(freep) char *expected = xasprintf("storage \"disk\": %s%s%s", before, path, after);
	struct store *s = NULL;
	struct err e;

	assert_int_equal(store_open(&s, &cfg, &e), -1);
	assert_string_equal(e.msg, expected);
	assert_int_equal(e.kind, kind);
}

static void a_place_that_cannot_be_used_is_said_at_once(void **state)
{
	CLEANUP(freep) char *file = xasprintf("%s/file", base);
	CLEANUP(freep) char *none = xasprintf("%s/none", base);
	struct storage cfg = CONFIG(base);
	struct store *s = NULL;
	struct err e;

	(void)state;
	assert_int_equal(fs_write(file, "1", 1, 0600, &e), 0);
	assert_not_opened(file, ERR_STORAGE, "", " is not a directory; correct storage[].path");
	assert_not_opened(none, ERR_NOTFOUND, "directory ",
			  " does not exist; create it (or mount it) or correct storage[].path");
	assert_not_opened((char[]){"backup"}, ERR_CONFIG, "storage[].path \"", "\" is not an absolute path");
	unlink(file);
	cfg.type = (char[]){"ftp"};
	assert_int_equal(store_open(&s, &cfg, &e), -1);
	assert_string_equal(e.msg, "storage \"disk\": type \"ftp\" is not known; there are \"s3\" and \"dir\"");
}

static void what_is_not_allowed_is_forbidden(void **state)
{
	struct store *s = opened();
	uid_t me = geteuid();
	struct err e;

	(void)state;
	assert_int_equal(chmod(base, 0555), 0);
	if (me == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(store_put(s, "k", "1", 1, &e), -1);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	assert_non_null(strstr(e.msg, "Permission denied"));
	assert_int_equal(store_put(s, "a/k", "1", 1, &e), -1);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	if (me == 0)
		assert_int_equal(seteuid(me), 0);
	assert_int_equal(chmod(base, 0700), 0);
	assert_true(base_is_empty());
	store_close(s);
}

static void an_estimate_over_the_free_space_is_refused_before_the_first_byte(void **state)
{
	struct store *s = opened();
	struct upload *u = NULL;
	struct err e;

	(void)state;
	assert_int_equal(upload_begin(&u, s, &(struct upload_opts){.key = "k", .estimate = (uint64_t)1 << 60}, &e), -1);
	assert_int_equal(e.kind, ERR_SPACE);
	assert_non_null(strstr(e.msg, "are needed"));
	assert_true(base_is_empty());
	store_close(s);
}

static void a_test_does_all_four_steps_and_leaves_nothing(void **state)
{
	struct storage cfg = CONFIG(base);
	struct store_test t;
	struct err e;

	(void)state;
	cfg.prefix = (char[]){"/pre//fix/"};
	assert_int_equal(store_try(&cfg, &t, &e), 0);
	assert_true(t.list.ok && t.write.ok && t.read.ok && t.remove.ok);
	assert_true(base_is_empty());
	cfg.path = (char[]){"/nonexistent-felloe"};
	assert_int_equal(store_try(&cfg, &t, &e), -1);
	assert_true(t.list.tried && !t.list.ok && !t.write.tried);
	assert_string_equal(t.list.error, e.msg);
}

static void assert_key(char *prefix, const char *rest, const char *expected)
{
	struct storage cfg = {.prefix = prefix};
	CLEANUP(freep) char *key = store_key(&cfg, rest);

	assert_string_equal(key, expected);
}

static void keys_have_no_doubled_or_leading_slashes(void **state)
{
	(void)state;
	assert_key((char[]){""}, "a/b", "a/b");
	assert_key((char[]){"/p/"}, "/a//b", "p/a/b");
	assert_key((char[]){"p"}, "a", "p/a");
	assert_key(NULL, "a", "a");
	assert_key((char[]){"p"}, "", "p/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_seen_only_when_it_is_whole),
		cmocka_unit_test(an_abort_leaves_neither_file_nor_directory),
		cmocka_unit_test(ranges_are_exact_and_a_short_object_is_damage),
		cmocka_unit_test(a_listing_is_in_the_order_of_whole_keys),
		cmocka_unit_test(a_key_cannot_leave_the_directory_nor_have_two_spellings),
		cmocka_unit_test(only_old_temporary_files_are_swept),
		cmocka_unit_test(a_place_that_cannot_be_used_is_said_at_once),
		cmocka_unit_test(what_is_not_allowed_is_forbidden),
		cmocka_unit_test(an_estimate_over_the_free_space_is_refused_before_the_first_byte),
		cmocka_unit_test(a_test_does_all_four_steps_and_leaves_nothing),
		cmocka_unit_test(keys_have_no_doubled_or_leading_slashes),
	};
	int failed;

	if (!mkdtemp(base))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(base);
	return failed;
}
