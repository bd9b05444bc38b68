/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/fs.c"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/unit.h"

static char root[] = "/tmp/felloe-test-fs.XXXXXX";
static struct err e;

static char *in_root(const char *name)
{
	return xasprintf("%s/%s", root, name);
}

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void what_was_written_is_read_again_with_its_mode(void **state)
{
	CLEANUP(freep) char *path = in_root("a");
	CLEANUP(buf_done) struct buf b;
	struct stat st;

	(void)state;
	assert_int_equal(fs_write(path, "one\0two", 7, 0640, &e), 0);
	assert_int_equal(fs_write_unsynced(path, "three\0four", 10, 0600, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_init(&b, 10);
	assert_int_equal(fs_read(&b, path, &e), 0);
	assert_int_equal(b.len, 10);
	assert_memory_equal(b.p, "three\0four", 10);
	assert_int_equal(entries(root), 1);
}

static void a_file_over_the_cap_is_refused(void **state)
{
	CLEANUP(freep) char *path = in_root("a");
	CLEANUP(freep) char *text = xasprintf("%s/a is larger than 9 bytes", root);
	CLEANUP(buf_done) struct buf b;

	(void)state;
	assert_int_equal(fs_write(path, "0123456789", 10, 0600, &e), 0);
	buf_init(&b, 9);
	assert_int_equal(fs_read(&b, path, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	assert_string_equal(e.msg, text);
}

static void a_file_that_is_not_there_is_told_from_one_that_fails(void **state)
{
	CLEANUP(freep) char *path = in_root("none");
	CLEANUP(buf_done) struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(fs_read(&b, path, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(fs_read(&b, root, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_non_null(strstr(e.msg, "Is a directory"));
}

static void a_failed_write_leaves_the_old_file_and_no_debris(void **state)
{
	CLEANUP(freep) char *path = in_root("a");
	CLEANUP(freep) char *folder = in_root("folder");
	CLEANUP(freep) char *below = in_root("folder/x");
	CLEANUP(freep) char *nowhere = in_root("no/such/file");
	CLEANUP(buf_done) struct buf b;
	struct rlimit old, none = {0};
	size_t had;

	(void)state;
	assert_int_equal(fs_write(path, "old", 3, 0600, &e), 0);
	had = entries(root);
	/* no byte may be written: the kernel answers EFBIG */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(fs_write(path, "new", 3, 0600, &e), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(e.kind, ERR_IO);
	assert_non_null(strstr(e.msg, path));
	buf_init(&b, 100);
	assert_int_equal(fs_read(&b, path, &e), 0);
	assert_string_equal(b.p, "old");
	assert_int_equal(entries(root), had);

	/* the name belongs to a folder that is not empty: the rename fails */
	assert_int_equal(fs_mkdirs(below, 0700, &e), 0);
	had = entries(root);
	assert_int_equal(fs_write(folder, "new", 3, 0600, &e), -1);
	assert_int_equal(entries(root), had);

	assert_int_equal(fs_write(nowhere, "new", 3, 0600, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void what_is_no_regular_file_is_not_replaced(void **state)
{
	CLEANUP(freep) char *path = in_root("device");
	struct stat st;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fs_write(path, "new", 3, 0600, &e), -1);
	assert_non_null(strstr(e.msg, "it is no regular file"));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(unlink(path), 0);
}

static void folders_are_made_with_all_their_parents(void **state)
{
	CLEANUP(freep) char *path = in_root("p/q//r/");
	CLEANUP(freep) char *file = in_root("p/file");
	CLEANUP(freep) char *below = in_root("p/file/x");

	(void)state;
	assert_int_equal(fs_mkdirs(path, 0700, &e), 0);
	assert_int_equal(fs_mkdirs(path, 0700, &e), 0);
	assert_true(fs_exists(path));
	assert_int_equal(fs_write(file, "", 0, 0600, &e), 0);
	assert_int_equal(fs_mkdirs(below, 0700, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_non_null(strstr(e.msg, "Not a directory"));
}

static void a_secret_is_its_first_line_and_for_its_owner_alone(void **state)
{
	CLEANUP(freep) char *path = in_root("secret");
	CLEANUP(freep) char *want = xasprintf(
		"%s/secret holds a secret, but others may read it (mode 640); run: chmod 600 %s/secret", root, root);
	CLEANUP(freep) char *secret = NULL;
	char *untouched = NULL;

	(void)state;
	assert_int_equal(fs_write(path, "s3cret\r\nnote\n", 13, 0600, &e), 0);
	assert_int_equal(fs_read_secret(&secret, path, &e), 0);
	assert_string_equal(secret, "s3cret");

	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(fs_read_secret(&untouched, path, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.msg, want);
	assert_null(untouched);

	assert_int_equal(fs_write(path, "\n", 1, 0600, &e), 0);
	assert_int_equal(fs_read_secret(&untouched, path, &e), -1);
	assert_null(untouched);
}

static void a_credential_of_systemd_may_have_any_mode(void **state)
{
	CLEANUP(freep) char *path = in_root("secret");
	CLEANUP(freep) char *around = in_root("p/../secret");
	CLEANUP(freep) char *other = in_root("p");
	CLEANUP(freep) char *secret = NULL;
	char *untouched = NULL;

	(void)state;
	assert_int_equal(fs_write(path, "s3cret", 6, 0444, &e), 0);
	setenv("CREDENTIALS_DIRECTORY", root, 1);
	assert_int_equal(fs_read_secret(&secret, path, &e), 0);
	assert_string_equal(secret, "s3cret");
	setenv("CREDENTIALS_DIRECTORY", other, 1);
	assert_int_equal(fs_read_secret(&untouched, path, &e), -1);
	assert_int_equal(fs_read_secret(&untouched, around, &e), -1);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void state_goes_where_the_option_then_the_variable_says(void **state)
{
	char *text;

	(void)state;
	unsetenv("FELLOE_STATE");
	assert_string_equal(text = fs_state_dir("node"), "/var/lib/felloe/node");
	free(text);
	assert_string_equal(text = fs_run_dir("node"), "/run/felloe/node");
	free(text);
	setenv("FELLOE_STATE", "/tmp/s", 1);
	assert_string_equal(text = fs_state_dir("master"), "/tmp/s/master");
	free(text);
	fs_set_state("/tmp/t");
	assert_string_equal(text = fs_run_dir("node"), "/tmp/t/run/node");
	free(text);
	fs_set_state(NULL);
	unsetenv("FELLOE_STATE");
}

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int drop_root(void **state)
{
	static const char *const names[] = {"a", "folder/x", "folder", "p/q/r", "p/q", "p/file", "p", "secret"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *path = in_root(names[i]);

		if (remove(path) && errno != ENOENT)
			return -1;
	}
	return rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_again_with_its_mode),
		cmocka_unit_test(a_file_over_the_cap_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_told_from_one_that_fails),
		cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_debris),
		cmocka_unit_test(what_is_no_regular_file_is_not_replaced),
		cmocka_unit_test(folders_are_made_with_all_their_parents),
		cmocka_unit_test(a_secret_is_its_first_line_and_for_its_owner_alone),
		cmocka_unit_test(a_credential_of_systemd_may_have_any_mode),
		cmocka_unit_test(state_goes_where_the_option_then_the_variable_says),
	};

	return cmocka_run_group_tests(tests, make_root, drop_root);
}
