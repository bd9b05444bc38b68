/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/private_server.c"
#include "noded/run/prove.c"
#include "noded/run/server_program.c"

#include <dirent.h>

#include "tests/noded/scratch.h"
#include "tests/unit.h"

static void hear(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void a_program_is_found_by_name_then_by_place(void **state)
{
	static const char *const both[] = {"no-such-server", "sh", NULL}, *const none[] = {"no-such-server", NULL};
	static const char *const dirs[] = {"/nonexistent", "/bin", NULL}, *const nowhere[] = {NULL};
	CLEANUP(freep) char *by_dir = find(&(struct places){both, dirs, NULL});
	CLEANUP(freep) char *by_path = find(&(struct places){both, nowhere, "/nonexistent::/bin"});

	(void)state;
	assert_string_equal(by_dir, "/bin/sh");
	assert_string_equal(by_path, "/bin/sh");
	assert_null(find(&(struct places){none, dirs, "/bin"}));
	/* what lies in the working directory is not the system's */
	assert_null(find(&(struct places){both, nowhere, "bin:."}));
}

static void a_machine_without_a_server_says_what_to_install(void **state)
{
	CLEANUP(freep) char *server = NULL, *installer = NULL;
	struct err e;

	(void)state;
	assert_int_equal(server_program_find("/bin", &server, &installer, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "--server: /bin"));
	assert_int_equal(no_program(NULL, &e), -1);
	assert_non_null(strstr(e.msg, "install mariadb-server"));
	assert_non_null(strstr(e.msg, "verify without --full"));
	assert_int_equal(server_program_find("/bin/sh", &server, &installer, &e), 0);
	assert_string_equal(server, "/bin/sh");
}

/* MariaDB's program for the system tables must not be used for MySQL, though it lies where programs usually do. */
static void who_makes_the_system_tables_depends_on_the_kind_of_server(void **state)
{
	CLEANUP(freep) char *dir = xasprintf("%s/kinds", scratch_dir);
	CLEANUP(freep) char *server = xasprintf("%s/mysqld", dir), *installer = xasprintf("%s/mysql_install_db", dir);
	CLEANUP(freep) char *found = NULL;
	struct err e;

	(void)state;
	assert_int_equal(fs_mkdirs(dir, 0700, &e), 0);
	assert_int_equal(fs_write(server, "", 0, 0700, &e), 0);
	assert_int_equal(fs_write(installer, "", 0, 0700, &e), 0);
	assert_int_equal(choose_installer(server, "8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)", &found, &e), 0);
	assert_null(found);
	assert_int_equal(choose_installer(server, "10.3.39-MariaDB for Linux", &found, &e), 0);
	assert_non_null(found);
	free(found);
	assert_int_equal(choose_installer(server, "", &found, &e), 0);
	assert_non_null(found);
	free(found);
	assert_int_equal(choose_installer("/opt/mysqld", "5.6.24 for linux-glibc2.5 on x86_64", &found, &e), -1);
	assert_null(found);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_string_equal(e.msg, "/opt/mysqld is MySQL 5.6: a private server takes MySQL 5.7 or newer, or MariaDB; name another with "
				   "--server");
}

static void a_program_is_asked_for_its_version_without_its_configuration(void **state)
{
	static const char chatty[] = "#!/bin/sh\necho \"mysqld  Ver 8.0.36 ($1 $2)\"\n", mute[] = "#!/bin/sh\nexit 1\n";
	CLEANUP(freep) char *program = xasprintf("%s/asked", scratch_dir);
	char text[ANSWER];
	struct err e;

	(void)state;
	assert_int_equal(fs_write(program, chatty, sizeof(chatty) - 1, 0700, &e), 0);
	ask_version(program, text);
	assert_string_equal(text, "8.0.36 (--no-defaults --version)\n");
	assert_int_equal(fs_write(program, mute, sizeof(mute) - 1, 0700, &e), 0);
	ask_version(program, text);
	assert_string_equal(text, "");
	ask_version("/nonexistent", text);
	assert_string_equal(text, "");
}

/* It goes no further: a keeper would be this test again. */
static void no_room(const char *base, uint64_t need, uint64_t tables)
{
	const struct private_server_opts o = {.program = "/bin/sh", .base = base, .need = need, .tables = tables, .say = hear};
	struct private_server *s;
	struct err e;

	assert_int_equal(private_server_start(&s, &o, &e), -1);
	assert_int_equal(e.kind, ERR_SPACE);
	assert_non_null(strstr(e.msg, "--dir"));
}

static void a_server_that_has_no_room_is_not_started(void **state)
{
	CLEANUP(freep) char *base = xasprintf("%s/base", scratch_dir);
	DIR *d;
	unsigned n = 0;

	(void)state;
	if (chmod(scratch_dir, 0755))
		fail();
	no_room(base, (uint64_t)1 << 60, 1);
	no_room(base, 1, (uint64_t)1 << 40);
	/* . .. .lock */
	d = opendir(base);
	while (readdir(d))
		n++;
	closedir(d);
	assert_int_equal(n, 3);
}

static int judge(const char *dumped, const char *here, struct err *e)
{
	const struct exhibit x = {.db = (char *)(uintptr_t)"shop", .version = (char *)(uintptr_t)dumped};

	return may_judge(&x, here, e);
}

static void an_older_server_or_one_of_the_other_kind_does_not_judge(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(judge("10.11.19-MariaDB-log", "10.11.3-MariaDB", &e), 0);
	assert_int_equal(judge("10.6.1-MariaDB", "11.4.2-MariaDB", &e), 0);
	assert_int_equal(judge("8.0.36", "8.4.0", &e), 0);
	assert_int_equal(judge("", "10.11.3-MariaDB", &e), 0);
	assert_int_equal(judge("11.4.2-MariaDB", "10.11.19-MariaDB", &e), -1);
	assert_non_null(strstr(e.msg, "11.4.2-MariaDB"));
	assert_non_null(strstr(e.msg, "--server"));
	assert_int_equal(judge("10.11.1-MariaDB", "10.6.1-MariaDB", &e), -1);
	assert_int_equal(judge("8.0.36", "10.11.19-MariaDB", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_int_equal(judge("10.11.19-MariaDB", "8.0.36", &e), -1);
}

static void what_lies_with_the_place_is_no_failure_of_the_backup(void **state)
{
	(void)state;
	assert_true(tells_nothing(ERR_STORAGE, "the storage is away"));
	assert_true(tells_nothing(ERR_ABORTED, "ended by a signal"));
	assert_true(tells_nothing(ERR_DB, "db/10-schema/2-tables/t.sql: Unknown storage engine 'ROCKSDB' (1286)"));
	assert_false(tells_nothing(ERR_DB, "db/30-post/1-functions/f.sql: You have an error in your SQL syntax (1064)"));
	assert_false(tells_nothing(ERR_DAMAGED, "1 tables are not what was dumped"));
}

static void the_first_wrong_table_is_named(void **state)
{
	struct job job;
	char text[200] = "";
	size_t from;

	(void)state;
	job_init(&job, "shop", "db");
	job_warn(&job, "table old: of the database before");
	from = job.log.len;
	assert_false(first_wrong_table(&job, from, text, sizeof(text)));
	job_say(&job, "table a: 3 rows, digest agrees");
	job_warn(&job, "a view is not restored: v");
	job_warn(&job, "table b: 2 rows (3 were dumped), rows are missing or too many");
	job_warn(&job, "table c: other");
	assert_true(first_wrong_table(&job, from, text, sizeof(text)));
	assert_string_equal(text, "table b: 2 rows (3 were dumped), rows are missing or too many");
	job_done(&job);
}

static void an_object_that_is_missing_is_a_failure_unless_it_could_not_be_made(void **state)
{
	const struct exhibit x = {.db = (char *)(uintptr_t)"shop", .objects = {.views = 3, .triggers = 2, .events = 1}};
	struct server_objects is = {.views = 2, .triggers = 2, .events = 1};
	struct proved p = {0};

	(void)state;
	compare_objects(&x, &is, 1, &p);
	assert_string_equal(p.failure, "");
	compare_objects(&x, &is, 0, &p);
	assert_string_equal(p.failure, "database shop: 2 views of 3 were restored");
	p.failure[0] = '\0';
	is = (struct server_objects){.views = 3, .triggers = 2};
	compare_objects(&x, &is, 0, &p);
	assert_string_equal(p.failure, "database shop: 0 events of 1 were restored");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_found_by_name_then_by_place),
		cmocka_unit_test(a_machine_without_a_server_says_what_to_install),
		cmocka_unit_test(who_makes_the_system_tables_depends_on_the_kind_of_server),
		cmocka_unit_test(a_program_is_asked_for_its_version_without_its_configuration),
		cmocka_unit_test(a_server_that_has_no_room_is_not_started),
		cmocka_unit_test(an_older_server_or_one_of_the_other_kind_does_not_judge),
		cmocka_unit_test(what_lies_with_the_place_is_no_failure_of_the_backup),
		cmocka_unit_test(the_first_wrong_table_is_named),
		cmocka_unit_test(an_object_that_is_missing_is_a_failure_unless_it_could_not_be_made),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
