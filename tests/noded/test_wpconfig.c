/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/wpconfig.c"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/php.c"
#include "noded/site.c"
#include "tests/unit.h"

static struct wp_config read_text(const char *text)
{
	struct wp_config w = {0};
	struct err e = {0};

	if (wp_config_parse(&w, text, strlen(text), "wp-config.php", &e))
		fail_msg("%s", e.msg);
	return w;
}

/* DB_NAME of a source, or "?" and why. */
static char *db_name(const char *text)
{
	struct wp_config w = read_text(text);
	const struct php_value *v = &w.constants[WP_DB_NAME];
	char *ret = v->text ? xstrdup(v->text) : xasprintf("?%s", v->why ? v->why : "");

	wp_config_done(&w);
	return ret;
}

#define expect_name(text, name)                       \
	do {                                          \
		char *got_ = db_name(text);           \
		assert_string_equal(got_, name);      \
		free(got_);                           \
	} while (0)

static void an_ordinary_file_is_read(void **state)
{
	struct wp_config w = read_text("<?php\n/** Base */\ndefine( 'DB_NAME', 'shop' );\ndefine('DB_USER', \"shop_u\");\n"
				       "define( 'DB_PASSWORD', 'a\\'b\\\\c$d' );\ndefine('DB_HOST','localhost:/run/my.sock');\n"
				       "define('DB_CHARSET', 'utf8mb4');\n$table_prefix = 'wp7_';\n"
				       "if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }\n"
				       "require_once ABSPATH . 'wp-settings.php';\n");

	(void)state;
	assert_string_equal(w.constants[WP_DB_NAME].text, "shop");
	assert_int_equal(w.constants[WP_DB_NAME].line, 3);
	assert_string_equal(w.constants[WP_DB_USER].text, "shop_u");
	assert_string_equal(w.constants[WP_DB_PASSWORD].text, "a'b\\c$d");
	assert_string_equal(w.constants[WP_DB_HOST].text, "localhost:/run/my.sock");
	assert_string_equal(w.table_prefix.text, "wp7_");
	assert_int_equal(w.include_line, 0);
	wp_config_done(&w);
}

static void comments_and_page_text_are_no_code(void **state)
{
	(void)state;
	expect_name("define('DB_NAME','page'); <?php // define('DB_NAME','a');\n# define('DB_NAME','b');\n"
		    "/* define('DB_NAME','c'); */ define('DB_NAME','right');", "right");
	expect_name("<?php // end ?> define('DB_NAME','page') <?php define('DB_NAME', 'right');", "right");
	expect_name("<?php #[Attribute]\ndefine('DB_NAME', 'right');", "right");
	expect_name("<?php define/* x */( // y\n 'DB_NAME' # z\n , 'right' );", "right");
	expect_name("<?php $s = \"define('DB_NAME', 'text');\"; define('DB_NAME','right'); ?>", "right");
	expect_name("<?php define('DB_NAME','right'); __halt_compiler(); define('DB_NAME','data');'", "right");
}

static void quotes_have_their_own_escapes(void **state)
{
	(void)state;
	expect_name("<?php define('DB_NAME', 'a\\nb\\\\\\'');", "a\\nb\\'");
	expect_name("<?php define('DB_NAME', \"a\\tb\\x41\\101\\u{e9}\\$\\\"\\q\");", "a\tbAA\303\251$\"\\q");
	expect_name("<?php define(\"DB_NAME\", \"$ 5 {x}\");", "$ 5 {x}");
	expect_name("<?php define('DB_NAME', \"a$x\");", "?has a variable or command in it");
	expect_name("<?php define('DB_NAME', \"a{$x}\");", "?has a variable or command in it");
	expect_name("<?php define('DB_NAME', `hostname`);", "?has a variable or command in it");
}

static void heredoc_and_nowdoc_are_tolerated(void **state)
{
	(void)state;
	expect_name("<?php $x = <<<EOT\ndefine('DB_NAME', 'text');\nEOTX\n EOT;\ndefine('DB_NAME','right');", "right");
	expect_name("<?php define('DB_NAME', <<<'EOT'\nright$x\nEOT\n);", "right$x");
	expect_name("<?php define('DB_NAME', <<<\"EOT\"\nright\nEOT);", "right");
	expect_name("<?php $a = 1 <<< 2; define('DB_NAME','right');", "right");
}

static void the_environment_gives_a_value_or_its_default(void **state)
{
	(void)state;
	setenv("FELLOE_TEST_DB", "fromenv", 1);
	unsetenv("FELLOE_TEST_NONE");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_DB'));", "fromenv");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_NONE') ?: 'dflt');", "dflt");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_DB') ?: 'dflt');", "fromenv");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_NONE', true) ?: ('a' . 'b'));", "ab");
	expect_name("<?php define('DB_NAME', getenv_docker('FELLOE_TEST_NONE', 'wordpress'));", "wordpress");
	expect_name("<?php define('DB_NAME', $_ENV['FELLOE_TEST_NONE'] ?? 'dflt');", "dflt");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_NONE') ? getenv('FELLOE_TEST_NONE') : 'dflt');", "dflt");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_DB') ? getenv('FELLOE_TEST_DB') : 'dflt');", "fromenv");
	expect_name("<?php define('DB_NAME', (string) getenv('FELLOE_TEST_DB'));", "fromenv");
	expect_name("<?php define('DB_NAME', getenv('FELLOE_TEST_NONE'));",
		    "?is read from the environment variable FELLOE_TEST_NONE, which is not set here");
}

static void what_would_have_to_run_is_said_and_never_guessed(void **state)
{
	(void)state;
	expect_name("<?php define('DB_NAME', trim(file_get_contents('/x')));", "?is made by the function trim()");
	expect_name("<?php define('DB_NAME', $config['db']);", "?is made from the variable $config");
	expect_name("<?php define('DB_NAME', PREFIX . 'db');", "?is made from PREFIX");
	expect_name("<?php if ($stage) { define('DB_NAME','stage'); } else {\ndefine('DB_NAME','live'); }",
		    "?has different values in lines 1 and 2");
	expect_name("<?php if (!defined('DB_NAME')) define('DB_NAME','a'); define('DB_NAME','a');", "a");
	expect_name("<?php $x->define('DB_NAME', 'method'); X::define('DB_NAME', 'static'); define('DB_NAME','a');", "a");
	expect_name("<?php $x = array('define' => 1, \"DB_NAME\" => 'no'); my_define('DB_NAME','no');", "?");
}

static void other_spellings_of_php_are_understood(void **state)
{
	(void)state;
	expect_name("<?php const DB_NAME = 'c';", "c");
	expect_name("<?php const A = 1, DB_NAME = 'c' . 'd';", "cd");
	expect_name("<?PHP DEFINE('DB_NAME', 'upper', TRUE);", "upper");
	expect_name("<?php \\define('DB_NAME', 'rooted');", "rooted");
	expect_name("\xef\xbb\xbf<?php define('DB_NAME', 'bom');", "bom");
	expect_name("<?php\r\ndefine('DB_NAME',\r\n'crlf');\r\n", "crlf");
	expect_name("<?php define('DB_USER','u'); define('DB_NAME', DB_USER . '_db');", "u_db");
	expect_name("<?php define('DB_NAME', 7);", "7");
	expect_name("<?= 1 ?><?php define('DB_NAME', '\303\251');", "\303\251");
}

static void files_that_are_no_php_are_refused(void **state)
{
	static const struct { const char *text, *msg; } bad[] = {
		{"", "no PHP"}, {"hello", "no PHP"}, {"<?php 'x", "line 1: the text that begins here with '"},
		{"<?php\n\n/* x", "line 3: the comment"}, {"<?php \"x", "has no end"}, {"<?php <<<A\nx", "heredoc"},
	};
	char binary[4096];
	struct wp_config w = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(wp_config_parse(&w, bad[i].text, strlen(bad[i].text), "f", &e), -1);
		assert_int_equal(e.kind, ERR_INVALID);
		if (!strstr(e.msg, bad[i].msg))
			fail_msg("%s: %s", bad[i].text, e.msg);
	}
	for (size_t i = 0; i < sizeof(binary); i++)
		binary[i] = (char)(i * 7 + i / 256);
	assert_int_equal(wp_config_parse(&w, binary, sizeof(binary), "f", &e), -1);
}

static void depth_and_size_have_limits(void **state)
{
	size_t n = 900000;
	char *text = xmalloc(n + 64);
	struct wp_config w = {0};
	struct err e;

	(void)state;
	memcpy(text, "<?php define('DB_NAME', ", 24);
	memset(text + 24, '(', n);
	assert_int_equal(wp_config_parse(&w, text, n + 24, "f", &e), 0);
	assert_null(w.constants[WP_DB_NAME].text);
	wp_config_done(&w);
	memset(text + 24, 'x', n);
	text[24] = '\'';
	text[n + 23] = '\'';
	assert_int_equal(wp_config_parse(&w, text, n + 24, "f", &e), -1);
	assert_non_null(strstr(e.msg, "64 KiB"));
	free(text);
}

/* All cuts and many damaged forms of a nasty file: no crash, no hang. */
static void no_damage_does_harm(void **state)
{
	static const char source[] =
		"\xef\xbb\xbf<html><?php /* c */ define( 'DB_NAME' , (string)(getenv(\"A\\x41\") ?: ('a' . \"b\\u{e9}\")) );\n"
		"const X = <<<E\n $y {$z}\n E;\n$table_prefix = $_ENV['P'] ?? 'wp_'; include __DIR__ . '/x.php';"
		"if (1): define('DB_HOST', true ? 'a' : 'b'); endif; #end\n?>";
	char text[sizeof(source)];
	struct err e;

	(void)state;
	for (size_t n = 0; n < sizeof(source); n++) {
		struct wp_config w = {0};

		if (wp_config_parse(&w, source, n, "f", &e) == 0)
			wp_config_done(&w);
		for (int c = 0; c < 256; c += 5) {
			memcpy(text, source, sizeof(source));
			text[n] = (char)c;
			w = (struct wp_config){0};
			if (wp_config_parse(&w, text, sizeof(text), "f", &e) == 0)
				wp_config_done(&w);
		}
	}
}

/* ---- site_db and site_find, with real files */

static char dir[] = "/tmp/felloe-test-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char *argv[] = {(char *)(uintptr_t)"rm", (char *)(uintptr_t)"-rf", dir, NULL};
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		execv("/bin/rm", argv);
		_exit(127);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static char *put_file(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name), *parent = xstrdup(path);
	struct err e;

	*strrchr(parent, '/') = '\0';
	if (fs_mkdirs(parent, 0755, &e) || fs_write(path, text, strlen(text), 0600, &e))
		fail_msg("%s", e.msg);
	free(parent);
	return path;
}

static struct site site_with(char *wp_config)
{
	static char empty[] = "", name[] = "shop", prefer[] = "prefer";

	return (struct site){.name = name, .wp_config_path = wp_config, .wp_content_path = empty, .db_name = empty,
			     .db = {.host = empty, .user = empty, .password = empty, .ssl = prefer, .ssl_ca = empty}};
}

static void empty_fields_of_a_site_come_from_its_wp_config(void **state)
{
	char *path = put_file("a/wp-config.php", "<?php define('DB_NAME','n');define('DB_USER','u');"
						 "define('DB_PASSWORD','p');define('DB_HOST','h:3307');");
	struct site s = site_with(path);
	struct db_access a;
	char *db, other[] = "other", given[] = "given";
	struct err e;

	(void)state;
	assert_int_equal(site_db(&a, &db, &s, &e), 0);
	assert_string_equal(db, "n");
	assert_string_equal(a.host, "h:3307");
	assert_string_equal(a.user, "u");
	assert_string_equal(a.password, "p");
	db_access_done(&a);
	free(db);

	/* the password of the file belongs to the user of the file */
	s.db.user = other;
	s.db_name = given;
	assert_int_equal(site_db(&a, &db, &s, &e), 0);
	assert_string_equal(db, "given");
	assert_string_equal(a.user, "other");
	assert_string_equal(a.password, "");
	db_access_done(&a);
	free(db);
	free(path);
}

static void a_constant_that_cannot_be_read_is_named_with_the_way_out(void **state)
{
	char *path = put_file("b/wp-config.php", "<?php\ndefine('DB_NAME','n');\ndefine('DB_USER','u');\n"
						 "define('DB_PASSWORD', get_secret('x'));");
	char *path2 = put_file("c/wp-config.php", "<?php\nrequire 'local.php';\nrequire 'wp-settings.php';");
	struct site s = site_with(path);
	struct db_access a;
	char *db;
	struct err e;

	(void)state;
	assert_int_equal(site_db(&a, &db, &s, &e), -1);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.msg, "DB_PASSWORD"));
	assert_non_null(strstr(e.msg, "line 4) is made by the function get_secret(); give db_password in the configuration"));
	s.wp_config_path = path2;
	assert_int_equal(site_db(&a, &db, &s, &e), -1);
	assert_non_null(strstr(e.msg, "does not define DB_NAME; line 2 reads another file"));
	free(path);
	free(path2);
}

static void a_site_of_files_only_has_no_database(void **state)
{
	static char empty[] = "";
	struct site s = site_with(empty);
	struct db_access a;
	char *db;
	struct err e;

	(void)state;
	assert_int_equal(site_db(&a, &db, &s, &e), 0);
	assert_string_equal(db, "");
	db_access_done(&a);
	free(db);
}

static void sites_are_found_with_telling_unique_names(void **state)
{
	char *files[] = {put_file("w/shop.example/public_html/wp-config.php", "<?php define('DB_NAME','shop');"),
			 put_file("w/shop.example/public_html/wp-content/x.php", ""),
			 put_file("w/shop.example/public_html/wp-content/plugins/p/wp-config.php", "<?php "),
			 put_file("w/other/htdocs/wp-config.php", "<?php define('DB_NAME', f());"),
			 put_file("w/z/other/wp-config.php", "no php")};
	char *root = xasprintf("%s/w", dir), *names[] = {root};
	struct strings dirs = {.v = names, .n = 1};
	struct found_sites found;
	struct err e;

	(void)state;
	assert_int_equal(site_find(&found, &dirs, &e), 0);
	assert_int_equal(found.n, 3);
	assert_string_equal(found.v[0].name, "other");
	assert_string_equal(found.v[0].problem, "DB_NAME is made by the function f()");
	assert_string_equal(found.v[1].name, "shop.example");
	assert_string_equal(found.v[1].db_name, "shop");
	assert_true(str_ends(found.v[1].wp_content_path, "public_html/wp-content"));
	assert_string_equal(found.v[1].problem, "");
	assert_string_equal(found.v[2].name, "other-2");
	assert_non_null(strstr(found.v[2].problem, "no PHP"));
	found_sites_done(&found);
	names[0] = files[0];
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		free(files[i]);
	names[0] = (char *)(uintptr_t)"/nonexistent";
	assert_int_equal(site_find(&found, &dirs, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_file_is_read),
		cmocka_unit_test(comments_and_page_text_are_no_code),
		cmocka_unit_test(quotes_have_their_own_escapes),
		cmocka_unit_test(heredoc_and_nowdoc_are_tolerated),
		cmocka_unit_test(the_environment_gives_a_value_or_its_default),
		cmocka_unit_test(what_would_have_to_run_is_said_and_never_guessed),
		cmocka_unit_test(other_spellings_of_php_are_understood),
		cmocka_unit_test(files_that_are_no_php_are_refused),
		cmocka_unit_test(depth_and_size_have_limits),
		cmocka_unit_test(no_damage_does_harm),
		cmocka_unit_test(empty_fields_of_a_site_come_from_its_wp_config),
		cmocka_unit_test(a_constant_that_cannot_be_read_is_named_with_the_way_out),
		cmocka_unit_test(a_site_of_files_only_has_no_database),
		cmocka_unit_test(sites_are_found_with_telling_unique_names),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
