/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/log.c"

#include <fcntl.h>

#include "shared/json.h"
#include "tests/unit.h"

static char said[16384];
static FILE *into;
static int before;

/* stderr goes to a file from here to heard() */
static void listen_to_stderr(void)
{
	into = tmpfile();
	assert_non_null(into);
	before = dup(STDERR_FILENO);
	assert_true(dup2(fileno(into), STDERR_FILENO) >= 0);
}

static const char *heard(void)
{
	ssize_t n = pread(fileno(into), said, sizeof(said) - 1, 0);

	assert_true(n >= 0);
	said[n] = '\0';
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	fclose(into);
	return said;
}

static void a_line_for_people_names_time_program_and_level(void **state)
{
	(void)state;
	listen_to_stderr();
	log_init("felloe-noded", 0, LOG_INFO);
	log_warn("%d files skipped", 3);
	assert_string_equal(heard(), "2026-11-23T03:10:00Z felloe-noded: warning: 3 files skipped\n");
}

static void lesser_levels_are_not_written(void **state)
{
	(void)state;
	listen_to_stderr();
	log_init("p", 0, LOG_WARN);
	log_info("nobody hears this");
	log_debug("nor this");
	assert_string_equal(heard(), "");
}

static void foreign_text_cannot_make_a_second_line(void **state)
{
	(void)state;
	listen_to_stderr();
	log_init("p", 0, LOG_INFO);
	log_error("login of %s", "x\n2026-11-23T03:10:00Z p: info: all is well\x1b[2J");
	assert_string_equal(heard(), "2026-11-23T03:10:00Z p: error: login of "
				     "x?2026-11-23T03:10:00Z p: info: all is well?[2J\n");
}

static void the_machine_form_is_one_json_object_a_line(void **state)
{
	struct json *j = NULL;
	struct err e;
	const char *line;

	(void)state;
	listen_to_stderr();
	log_init("p", 1, LOG_INFO);
	log_info("path \"C:\\x\" \t and é");
	line = heard();
	assert_int_equal(json_parse(&j, line, strlen(line), &e), 0);
	assert_string_equal(json_get_str(j, "ts", ""), "2026-11-23T03:10:00Z");
	assert_string_equal(json_get_str(j, "level", ""), "info");
	assert_string_equal(json_get_str(j, "msg", ""), "path \"C:\\x\" ? and é");
	json_free(j);
}

static void the_journal_gets_its_priority_only_on_its_own_stream(void **state)
{
	struct stat st;
	char stream[64];

	(void)state;
	listen_to_stderr();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("p", 0, LOG_INFO);
	log_warn("w");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_init("p", 0, LOG_INFO);
	log_warn("w");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(heard(), "<4>w\n2026-11-23T03:10:00Z p: warning: w\n");
}

static void a_very_long_event_is_cut_not_lost(void **state)
{
	char *text = xmalloc(9001);

	(void)state;
	memset(text, 'a', 9000);
	text[9000] = '\0';
	listen_to_stderr();
	log_init("p", 0, LOG_INFO);
	log_info("%s", text);
	assert_int_equal(strlen(heard()), strlen("2026-11-23T03:10:00Z p: info: \n") + TEXT_MAX - 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_for_people_names_time_program_and_level),
		cmocka_unit_test(lesser_levels_are_not_written),
		cmocka_unit_test(foreign_text_cannot_make_a_second_line),
		cmocka_unit_test(the_machine_form_is_one_json_object_a_line),
		cmocka_unit_test(the_journal_gets_its_priority_only_on_its_own_stream),
		cmocka_unit_test(a_very_long_event_is_cut_not_lost),
	};

	setenv("FELLOE_NOW", "2026-11-23T03:10:00Z", 1);
	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
