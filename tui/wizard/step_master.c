/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/wizard.h"

/* Step 2: the master's address, this node's name there, its key. The test runs
 * `felloe-noded check --only master` on a configuration with nothing else in it. */

enum { FIELD_URL, FIELD_NAME };
enum { ID_URL = 1, ID_NAME, ID_TRUST, ID_TEST, ID_BACK, ID_NEXT };

static void take(struct wizard *w)
{
	if (strcmp(w->a.master_url, w->fields[FIELD_URL].v) != 0) {
		/* another server has another key */
		w->a.pin[0] = '\0';
		w->a.pin_trusted = false;
		w->master.seen_pin[0] = '\0';
		w->master.state = LOOK_NEVER;
	}
	str_cut(w->a.master_url, sizeof(w->a.master_url), w->fields[FIELD_URL].v);
	str_cut(w->a.node_name, sizeof(w->a.node_name), w->fields[FIELD_NAME].v);
}

/* The field begins with https://; a whole URL that is pasted behind it counts alone. */
static void one_scheme(struct field *f)
{
	struct field rest = {0};

	if (!str_starts(f->v, "https://https://") && !str_starts(f->v, "https://http://"))
		return;
	field_set(&rest, f->v + strlen("https://"));
	*f = rest;
}

static void build(struct wizard *w, int focus)
{
	struct form_item *it;

	form_reset(&w->form);
	w->form.label_width = 13;
	it = form_add(&w->form, ITEM_FIELD, "Master URL", ID_URL);
	it->field = &w->fields[FIELD_URL];
	it->width = 44;
	it = form_add(&w->form, ITEM_FIELD, "Node name", ID_NAME);
	it->field = &w->fields[FIELD_NAME];
	it->width = 44;
	if (w->master.seen_pin[0]) {
		w->checks[0] = w->a.pin_trusted;
		form_add(&w->form, ITEM_TEXT, "", 0);
		it = form_add(&w->form, ITEM_CHECK, "trust this key from now on (compare it with the master's)", ID_TRUST);
		it->check = &w->checks[0];
	}
	form_add(&w->form, ITEM_BUTTON, "Test", ID_TEST);
	form_add(&w->form, ITEM_BUTTON, "Back", ID_BACK);
	form_add(&w->form, ITEM_BUTTON, "Next", ID_NEXT);
	form_focus(&w->form, focus);
}

static void enter(struct wizard *w)
{
	field_set(&w->fields[FIELD_URL], w->a.master_url[0] ? w->a.master_url : "https://");
	field_set(&w->fields[FIELD_NAME], w->a.node_name);
	build(w, ID_URL);
}

static void test(struct wizard *w)
{
	static const char *const words[] = {"check", "--only", "master", "--json", "--config", "-", NULL};
	struct buf b;
	struct json_out o;

	take(w);
	buf_init(&b, 65536);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "server_id", w->a.node_name);
	json_obj(&o, "master");
	json_put_str(&o, "url", w->a.master_url);
	if (w->a.pin_trusted)
		json_put_str(&o, "pin_sha256", w->a.pin);
	json_end_obj(&o);
	json_arr(&o, "sites");
	json_end_arr(&o);
	json_arr(&o, "storage");
	json_end_arr(&o);
	json_end_obj(&o);
	w->master.state = wizard_run(w, words, b.p) ? LOOK_RUNNING : LOOK_FAILED;
	w->master.error[0] = w->master.result[0] = '\0';
	w->master.good = false;
	buf_done(&b);
}

/* {"master":{"ok":…,"ms":…,"pin":…,"clock_ms":…,"error":…}} */
static void result(struct wizard *w, const struct json *j)
{
	const struct json *m = json_get(j, "master");
	bool https = str_starts(w->a.master_url, "https://");
	const char *error = json_get_str(m, "error", NULL);

	w->master.state = LOOK_DONE;
	w->master.good = json_get_bool(m, "ok", false);
	if (https)
		str_cut(w->master.seen_pin, sizeof(w->master.seen_pin), json_get_str(m, "pin", ""));
	if (w->master.good)
		snprintf(w->master.result, sizeof(w->master.result), "answers ✓ %.0f ms   clock ✓ %.1f s off%s",
			 json_get_num(m, "ms", 0), json_get_num(m, "clock_ms", 0) / 1000,
			 https ? "   TLS ✓" : "   no TLS: what is sent can be read on the way");
	else
		str_cut(w->master.error, sizeof(w->master.error), error ? error : "the test said nothing");
	str_clean(w->master.error);
	wizard_say(w, w->master.good ? ST_OK : ST_FAIL, "%s %s", w->master.good ? "✓" : "✗",
		   w->master.good ? w->master.result : w->master.error);
}

static void poll_jobs(struct wizard *w)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (!w->job || w->master.state != LOOK_RUNNING || job_poll(w->job, NULL, NULL))
		return;
	if (job_json(w->job, &j, &e)) {
		w->master.state = LOOK_FAILED;
		str_cut(w->master.error, sizeof(w->master.error), e.msg);
	} else {
		result(w, j);
	}
	wizard_drop_job(w);
	build(w, w->form.items[w->form.focus].id);
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	int y = b.y;

	form_draw(s, RECT(y, 3, w->master.seen_pin[0] ? 7 : 5, b.w - 4), &w->form);
	y += w->master.seen_pin[0] ? 8 : 6;
	if (w->master.seen_pin[0]) {
		/* a key that is cut cannot be compared */
		screen_put(s, AT(y, 3, b.w - 4), ST_TEXT, "The server's key is");
		screen_put(s, b.w >= 76 ? AT(y, 24, b.w - 25) : AT(++y, 3, b.w - 4), ST_BOLD, w->master.seen_pin);
		y += 2;
	}
	/* no room: the message line says it, too */
	if (y >= b.y + b.h)
		return;
	if (w->master.state == LOOK_RUNNING)
		screen_putf(s, AT(y, 3, b.w - 4), ST_RUN, "» testing, %lld s", (long long)(job_ms(w->job) / 1000));
	else if (w->master.good)
		screen_putf(s, AT(y, 3, b.w - 4), ST_OK, "Test: %s", w->master.result);
	else if (w->master.error[0])
		screen_wrap(s, RECT(y, 3, 4, b.w - 4), ST_FAIL, w->master.error);
	else
		screen_put(s, AT(y, 3, b.w - 4), ST_DIM, "The test asks the master for its state and compares the clocks.");
}

static bool key(struct wizard *w, int k, const char *text)
{
	enum form_result r = form_key(&w->form, k, text);
	int id = w->form.items[w->form.focus].id;

	if (r == FORM_CHANGED && id == ID_URL)
		one_scheme(&w->fields[FIELD_URL]);
	if (r == FORM_CHANGED && id == ID_TRUST) {
		w->a.pin_trusted = w->checks[0];
		str_cut(w->a.pin, sizeof(w->a.pin), w->checks[0] ? w->master.seen_pin : "");
		return true;
	}
	if (r == FORM_PRESSED) {
		if (id == ID_TEST)
			test(w);
		else /* the two ways out are the frame's */
			wizard_key(w, id == ID_NEXT ? 'n' : 'p', NULL);
		return true;
	}
	if (r == FORM_IGNORED && k == 'T' && w->form.items[w->form.focus].type != ITEM_FIELD) {
		test(w);
		return true;
	}
	return r != FORM_IGNORED;
}

static bool leave(struct wizard *w)
{
	take(w);
	if (w->master.state == LOOK_RUNNING)
		w->master.state = LOOK_NEVER;
	return true;
}

static bool typing(const struct wizard *w)
{
	return w->form.items[w->form.focus].type == ITEM_FIELD;
}

const struct wizard_step_ops *step_master(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Master", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "Tab Next field  Enter Press  n Next  p Back  F1 Help  Esc Leave",
		.help = "The URL is what felloe-masterd listens on, as this machine sees it. With https and a certificate that "
			"no authority has signed, the server's key is shown: compare it with what felloe-masterd init printed, "
			"then trust it. In a field letters are text; Tab leaves it.",
	};

	return &ops;
}
