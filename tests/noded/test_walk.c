/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/files/walk.c"

#include <stdio.h>

#include "shared/fs.h"
#include "tests/unit.h"

/* A sink that writes down what it gets: "5 files/x;0 files/x/a=5;" */
struct log {
	struct buf b;
	size_t fail_at; /* refuse the member when so much is written; 0 never */
	uint64_t size;
	unsigned stop_after;
	void (*at_begin)(struct log *l, const struct tar_entry *t);
	char notes[1024];
	char *dir;
};

static int log_begin(void *ctx, const struct tar_entry *t, struct err *e)
{
	struct log *l = ctx;

	if (l->fail_at && l->b.len >= l->fail_at)
		return err_set(e, ERR_SPACE, "no room");
	buf_addf(&l->b, "%c %s", t->type, strstr(t->name, "/T") ? strstr(t->name, "/T") + 2 : t->name);
	if (t->link)
		buf_addf(&l->b, ">%s", strstr(t->link, "/T") ? strstr(t->link, "/T") + 2 : t->link);
	l->size = 0;
	if (l->at_begin)
		l->at_begin(l, t);
	return 0;
}

static int log_write(void *ctx, const void *p UNUSED, size_t n, struct err *e UNUSED)
{
	((struct log *)ctx)->size += n;
	return 0;
}

static int log_end(void *ctx, struct err *e UNUSED)
{
	struct log *l = ctx;

	buf_addf(&l->b, "=%llu;", (unsigned long long)l->size);
	return 0;
}

static void log_note(void *ctx, enum walk_note kind, const char *path, const char *why)
{
	struct log *l = ctx;
	size_t n = strlen(l->notes);

	snprintf(l->notes + n, sizeof(l->notes) - n, "%d %s %s;", kind, strrchr(path, '/'), why);
}

static bool log_stop(void *ctx)
{
	struct log *l = ctx;

	return l->stop_after && l->stop_after-- == 1;
}

/* Walk roots (below the directory of the test) into l. */
static int walk_into(struct log *l, const char *const *roots, size_t n, struct walk_result *res, struct err *e)
{
	const struct tar_sink sink = {log_begin, log_write, log_end, NULL, l};
	CLEANUP(freep) char *a = xasprintf("%s%s", l->dir, roots[0]), *b = n > 1 ? xasprintf("%s%s", l->dir, roots[1]) : NULL;
	const char *const full[] = {a, b};
	struct walk_opts o = {.roots = full, .n_roots = n, .note = log_note, .stop = log_stop, .ctx = l};

	buf_init(&l->b, 1 << 20);
	return files_archive(&o, &sink, res, e);
}

static void put(const char *dir, const char *name, size_t n)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", dir, name), *p = xcalloc(1, n + 1);
	struct err e;

	assert_int_equal(fs_write(path, p, n, 0644, &e), 0);
}

static int setup(void **state)
{
	char *dir = xstrdup("/tmp/felloe-unit-T.XXXXXX"), *sub, *link;

	if (!mkdtemp(dir))
		return -1;
	sub = xasprintf("%s/sub", dir);
	link = xasprintf("%s/link", dir);
	*state = dir;
	if (mkdir(sub, 0755) || symlink("sub", link))
		return -1;
	put(dir, "b", 3);
	put(dir, "sub/a", 5);
	put(dir, "sub/big", 3 << 20);
	free(sub);
	free(link);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"/sub/a", "/sub/big", "/sub", "/b", "/link", ""};
	char *dir = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *path = xasprintf("%s%s", dir, names[i]);

		if (remove(path))
			return -1;
	}
	free(dir);
	return 0;
}

/* the random end of the directory's name out of the log */
static char *clean_log(struct log *l)
{
	const char *random = strstr(l->dir, "-T") + 2;
	char *at;

	while ((at = strstr(l->b.p, random))) {
		memmove(at, at + strlen(random), strlen(at + strlen(random)) + 1);
	}
	l->b.len = strlen(l->b.p);
	return l->b.p;
}

static void names_come_in_order_and_links_are_not_followed(void **state)
{
	struct log l = {.dir = *state};
	struct walk_result res;
	struct err e = {0};

	assert_int_equal(walk_into(&l, (const char *[]){""}, 1, &res, &e), 0);
	(void)clean_log(&l);
	assert_non_null(strstr(l.b.p, "/b=3;2 "));
	assert_non_null(strstr(l.b.p, "/link>sub=0;5 "));
	assert_non_null(strstr(l.b.p, "/sub/a=5;0 "));
	assert_int_equal(res.files, 6);
	assert_int_equal(res.bytes, 8 + (3 << 20));
	assert_string_equal(l.notes, "");
	buf_done(&l.b);
}

static void a_root_that_is_a_link_is_followed(void **state)
{
	struct log l = {.dir = *state};
	struct walk_result res;
	struct err e = {0};

	assert_int_equal(walk_into(&l, (const char *[]){"/link"}, 1, &res, &e), 0);
	assert_non_null(strstr(l.b.p, "/link/a=5;"));
	buf_done(&l.b);
}

static void a_root_in_another_root_is_walked_once(void **state)
{
	static const char *const both[][2] = {{"", "/sub/"}, {"/sub", "/."}, {"//sub", "/sub"}};
	static const unsigned files[] = {6, 6, 3};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		struct log l = {.dir = *state};
		struct walk_result res;
		struct err e = {0};

		assert_int_equal(walk_into(&l, both[i], 2, &res, &e), 0);
		assert_int_equal(res.files, files[i]);
		buf_done(&l.b);
	}
}

static void roots_must_be_absolute_and_clean(void **state UNUSED)
{
	static const char *const bad[] = {"etc", "/etc/../root", ""};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct walk_opts o = {.roots = &bad[i], .n_roots = 1};
		struct walk_result res;
		struct err e = {0};

		assert_int_equal(files_estimate(&o, &res, &e), -1);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

static void the_estimate_is_what_the_walk_gives(void **state)
{
	const char *root = *state;
	struct walk_opts o = {.roots = &root, .n_roots = 1};
	struct walk_result res;
	struct err e = {0};

	assert_int_equal(files_estimate(&o, &res, &e), 0);
	assert_int_equal(res.files, 6);
	assert_true(res.bytes <= 8 + (3 << 20));
}

static void a_sink_that_fails_and_a_stop_end_the_walk(void **state)
{
	struct log l = {.dir = *state, .fail_at = 20};
	struct walk_result res;
	struct err e = {0};

	assert_int_equal(walk_into(&l, (const char *[]){""}, 1, &res, &e), -1);
	assert_int_equal(e.kind, ERR_SPACE);
	assert_string_equal(e.msg, "no room");
	buf_done(&l.b);
	l = (struct log){.dir = *state, .stop_after = 2};
	assert_int_equal(walk_into(&l, (const char *[]){""}, 1, &res, &e), -1);
	assert_int_equal(e.kind, ERR_ABORTED);
	buf_done(&l.b);
}

static void cut_big(struct log *l, const struct tar_entry *t)
{
	CLEANUP(freep) char *path = xasprintf("%s/sub/big", l->dir);

	if (t->size > 1 << 20)
		assert_int_equal(truncate(path, 1 << 20), 0);
}

static void a_file_that_shrinks_is_filled_and_marked(void **state)
{
	struct log l = {.dir = *state, .at_begin = cut_big};
	struct walk_result res;
	struct err e = {0};

	assert_int_equal(walk_into(&l, (const char *[]){"/sub"}, 1, &res, &e), 0);
	assert_non_null(strstr(l.b.p, "/sub/big=3145728;"));
	assert_int_equal(res.changed, 1);
	assert_string_equal(l.notes, "1 /big shrank while it was read: the rest is zeros;");
	buf_done(&l.b);
	put(*state, "sub/big", 3 << 20);
}

static void remove_a(struct log *l, const struct tar_entry *t UNUSED)
{
	CLEANUP(freep) char *path = xasprintf("%s/sub/a", l->dir);

	unlink(path);
}

static void a_file_that_vanishes_is_no_loss(void **state)
{
	struct log l = {.dir = *state, .at_begin = remove_a};
	struct walk_result res;
	struct err e = {0};

	/* it goes when its directory has been read; a missing root is a loss */
	assert_int_equal(walk_into(&l, (const char *[]){"/b", "/sub/a"}, 2, &res, &e), 0);
	assert_int_equal(res.skipped, 1);
	put(*state, "sub/a", 5);
	buf_done(&l.b);
	memset(l.notes, 0, sizeof(l.notes));
	assert_int_equal(walk_into(&l, (const char *[]){""}, 1, &res, &e), 0);
	assert_int_equal(res.skipped, 0);
	put(*state, "sub/a", 5);
	buf_done(&l.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_in_order_and_links_are_not_followed),
		cmocka_unit_test(a_root_that_is_a_link_is_followed),
		cmocka_unit_test(a_root_in_another_root_is_walked_once),
		cmocka_unit_test(roots_must_be_absolute_and_clean),
		cmocka_unit_test(the_estimate_is_what_the_walk_gives),
		cmocka_unit_test(a_sink_that_fails_and_a_stop_end_the_walk),
		cmocka_unit_test(a_file_that_shrinks_is_filled_and_marked),
		cmocka_unit_test(a_file_that_vanishes_is_no_loss),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
