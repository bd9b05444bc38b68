/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/form.c"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tui/dump.h"
#include "tests/unit.h"
#include "tui/dialog.h"

static void type(struct field *f, const char *text)
{
	for (const char *p = text; *p;)
		assert_true(field_key(f, (int)utf8_next(&p)));
}

static void a_field_edits_by_characters_not_bytes(void **state)
{
	struct field f = {0};

	(void)state;
	type(&f, "née東");
	assert_true(field_key(&f, K_BACKSPACE));
	assert_string_equal(f.v, "née");
	field_key(&f, K_LEFT);
	field_key(&f, K_LEFT);
	field_key(&f, K_DELETE);
	assert_string_equal(f.v, "ne");
	field_key(&f, K_HOME);
	field_key(&f, K_BACKSPACE);
	type(&f, "one ");
	assert_string_equal(f.v, "one ne");
	field_key(&f, K_CTRL('w'));
	assert_string_equal(f.v, "ne");
	field_key(&f, K_CTRL('u'));
	assert_string_equal(f.v, "");
	assert_false(field_key(&f, K_TAB));
	assert_false(field_key(&f, K_ESC));
}

static void a_full_field_takes_no_more_and_leaves_no_trace_when_done(void **state)
{
	struct field f = {0}, zero = {0};

	(void)state;
	for (int i = 0; i < FIELD_MAX + 20; i++)
		field_key(&f, 'x');
	assert_int_equal(strlen(f.v), FIELD_MAX - 1);
	field_done(&f);
	assert_memory_equal(f.v, zero.v, FIELD_MAX);
}

static void pasted_line_breaks_and_controls_are_dropped(void **state)
{
	struct field f = {0};

	(void)state;
	field_paste(&f, "pass\nword\x03\t!\r");
	assert_string_equal(f.v, "password!");
}

static char *painted(struct form *f, int h, int w)
{
	struct screen s;
	struct buf b;

	screen_init(&s, GLYPHS_FULL);
	screen_resize(&s, h, w);
	form_draw(&s, RECT(0, 0, h, w), f);
	buf_init(&b, 65536);
	screen_dump(&s, &b, false);
	screen_done(&s);
	return buf_take(&b);
}

struct sample {
	struct form form;
	struct field user, password;
	bool remember;
};

static void make(struct sample *m)
{
	*m = (struct sample){.password.secret = true};
	form_add(&m->form, ITEM_TEXT, "Who are you?", 0);
	form_add(&m->form, ITEM_FIELD, "User", 1)->field = &m->user;
	form_add(&m->form, ITEM_FIELD, "Password", 2)->field = &m->password;
	form_add(&m->form, ITEM_CHECK, "Remember", 3)->check = &m->remember;
	form_add(&m->form, ITEM_BUTTON, "Sign in", 4);
	form_add(&m->form, ITEM_BUTTON, "Cancel", 5)->is_default = true;
}

static void a_form_shows_fields_stars_and_buttons(void **state)
{
	struct sample m;
	char *text;

	(void)state;
	make(&m);
	type(&m.user, "admin");
	type(&m.password, "secret");
	m.form.items[2].error = "wrong";
	text = painted(&m.form, 8, 32);
	assert_string_equal(text, "Who are you?\n"
				  "User     [admin                ]\n"
				  "Password [******               ]\n"
				  "  ✗ wrong\n"
				  "[ ] Remember\n"
				  "\n"
				  "   < Sign in >    [ Cancel ]\n"
				  "\n");
	free(text);
}

static void a_low_form_scrolls_and_keeps_its_buttons(void **state)
{
	struct sample m;
	char *text;

	(void)state;
	make(&m);
	form_focus(&m.form, 3);
	text = painted(&m.form, 3, 32);
	assert_string_equal(text, "Password [                     ]\n"
				  "[ ] Remember\n"
				  "   < Sign in >    [ Cancel ]\n");
	free(text);
	form_key(&m.form, K_UP, NULL);
	form_key(&m.form, K_UP, NULL);
	text = painted(&m.form, 3, 32);
	assert_non_null(strstr(text, "User     ["));
	free(text);
}

static void keys_walk_the_form_and_press_its_buttons(void **state)
{
	struct sample m;

	(void)state;
	make(&m);
	assert_int_equal(form_key(&m.form, 'q', NULL), FORM_CHANGED);
	assert_string_equal(m.user.v, "q");
	assert_int_equal(form_key(&m.form, K_ENTER, NULL), FORM_USED);
	assert_int_equal(form_key(&m.form, K_PASTE, "a\nb"), FORM_CHANGED);
	assert_string_equal(m.password.v, "ab");
	assert_int_equal(form_key(&m.form, K_TAB, NULL), FORM_USED);
	assert_int_equal(form_key(&m.form, K_SPACE, NULL), FORM_CHANGED);
	assert_true(m.remember);
	form_key(&m.form, K_TAB, NULL);
	assert_int_equal(form_key(&m.form, K_ENTER, NULL), FORM_PRESSED);
	assert_int_equal(m.form.items[m.form.focus].id, 4);
	assert_int_equal(form_key(&m.form, 'x', NULL), FORM_IGNORED);
	m.form.enter_presses = true;
	form_focus(&m.form, 2);
	assert_int_equal(form_key(&m.form, K_ENTER, NULL), FORM_PRESSED);
}

static void a_question_defaults_to_cancel_and_wants_its_demands(void **state)
{
	static struct dialog d;

	(void)state;
	dialog_init(&d, "Block node", "Block");
	dialog_line(&d, "Block  %s", "stage-01");
	str_cut(d.ask, sizeof(d.ask), "Reason");
	str_cut(d.type_this, sizeof(d.type_this), "stage-01");
	dialog_open(&d);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_OPEN); /* only to the next field */
	type(&d.typed, "stage-0");
	dialog_key(&d, K_TAB, NULL);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_OPEN);
	assert_string_equal(d.problem, "Reason is needed.");
	type(&d.answer, "wrong network");
	dialog_key(&d, K_TAB, NULL);
	dialog_key(&d, K_TAB, NULL);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_OPEN);
	assert_string_equal(d.problem, "That is not \"stage-01\".");
	type(&d.typed, "1");
	dialog_key(&d, K_TAB, NULL);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_YES);
	assert_string_equal(d.answer.v, "wrong network");
	dialog_close(&d);
	assert_string_equal(d.answer.v, "");
}

static void enter_on_a_fresh_question_is_no(void **state)
{
	static struct dialog d;

	(void)state;
	dialog_init(&d, "Approve node", "Approve");
	dialog_line(&d, "Approve  stage-01");
	dialog_open(&d);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_NO);
	dialog_open(&d);
	assert_int_equal(dialog_key(&d, K_ESC, NULL), DIALOG_NO);
	dialog_open(&d);
	str_cut(d.off, sizeof(d.off), "no connection");
	dialog_key(&d, K_TAB, NULL);
	assert_int_equal(dialog_key(&d, K_ENTER, NULL), DIALOG_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_edits_by_characters_not_bytes),
		cmocka_unit_test(a_full_field_takes_no_more_and_leaves_no_trace_when_done),
		cmocka_unit_test(pasted_line_breaks_and_controls_are_dropped),
		cmocka_unit_test(a_form_shows_fields_stars_and_buttons),
		cmocka_unit_test(a_low_form_scrolls_and_keeps_its_buttons),
		cmocka_unit_test(keys_walk_the_form_and_press_its_buttons),
		cmocka_unit_test(a_question_defaults_to_cancel_and_wants_its_demands),
		cmocka_unit_test(enter_on_a_fresh_question_is_no),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
