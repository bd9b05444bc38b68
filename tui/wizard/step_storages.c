/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/wizard.h"

/* Step 4: where archives go. The test is `felloe-noded check --only storages` on
 * a configuration with the one storage in it, given on standard input. */

enum { F_NAME, F_ENDPOINT, F_REGION, F_BUCKET, F_PREFIX, F_KEY, F_SECRET, F_PATH, F_WEIGHT, F_LIMIT };
enum { ID_S3 = 100, ID_DIR, ID_PATH_STYLE, ID_TEST, ID_KEEP, ID_CANCEL };

static void build(struct wizard *w, int focus);

static void add_field(struct wizard *w, int at, const char *label, const char *note)
{
	struct form_item *it = form_add(&w->form, ITEM_FIELD, label, at + 1);

	it->field = &w->fields[at];
	it->note = note;
	it->width = at == F_WEIGHT || at == F_LIMIT ? 8 : 44;
}

static void build(struct wizard *w, int focus)
{
	struct form_item *it;

	form_reset(&w->form);
	w->form.label_width = 10;
	add_field(w, F_NAME, "Name", NULL);
	it = form_add(&w->form, ITEM_CHOICE, "S3 bucket", ID_S3);
	it->choice = &w->choice;
	it->value = 0;
	it = form_add(&w->form, ITEM_CHOICE, "directory of this machine", ID_DIR);
	it->choice = &w->choice;
	it->value = 1;
	if (w->choice == 0) {
		add_field(w, F_ENDPOINT, "Endpoint", NULL);
		add_field(w, F_REGION, "Region", NULL);
		add_field(w, F_BUCKET, "Bucket", NULL);
		add_field(w, F_PREFIX, "Prefix", NULL);
		add_field(w, F_KEY, "Key ID", NULL);
		add_field(w, F_SECRET, "Secret", "^P shows");
		w->fields[F_SECRET].secret = true;
		it = form_add(&w->form, ITEM_CHECK, "path style (bucket in the path, not in the host name)", ID_PATH_STYLE);
		it->check = &w->checks[0];
	} else {
		add_field(w, F_PATH, "Path", NULL);
	}
	add_field(w, F_WEIGHT, "Weight", "highest first; 0 = drained");
	add_field(w, F_LIMIT, "Limit", "GB");
	form_add(&w->form, ITEM_BUTTON, "Test", ID_TEST);
	form_add(&w->form, ITEM_BUTTON, "Keep", ID_KEEP);
	form_add(&w->form, ITEM_BUTTON, "Cancel", ID_CANCEL)->is_default = true;
	form_focus(&w->form, focus);
}

static void edit(struct wizard *w, bool adding)
{
	static const struct answer_storage fresh = {.s3 = true, .path_style = true, .weight = "100", .limit_gb = "100"};
	const struct answer_storage *a = adding ? &fresh : &w->a.storages.v[w->row];

	field_set(&w->fields[F_NAME], a->name);
	field_set(&w->fields[F_ENDPOINT], a->endpoint);
	field_set(&w->fields[F_REGION], a->region);
	field_set(&w->fields[F_BUCKET], a->bucket);
	field_set(&w->fields[F_PREFIX], a->prefix);
	field_set(&w->fields[F_KEY], a->access_key);
	field_set(&w->fields[F_SECRET], a->secret_key);
	field_set(&w->fields[F_PATH], a->path);
	field_set(&w->fields[F_WEIGHT], a->weight);
	field_set(&w->fields[F_LIMIT], a->limit_gb);
	w->checks[0] = a->path_style;
	w->choice = a->s3 ? 0 : 1;
	w->storages.adding = adding;
	w->editing = true;
	build(w, F_NAME + 1);
}

static void enter(struct wizard *w)
{
	if (w->a.storages.n == 0)
		edit(w, true);
}

/* ---- the test --------------------------------------------------------------------------- */

static void test(struct wizard *w, size_t i)
{
	static const char *const words[] = {"check", "--only", "storages", "--json", "--config", "-", NULL};
	struct answer_storage *a = &w->a.storages.v[i];
	struct buf b;

	if (w->job && w->storages.testing < w->a.storages.n && w->a.storages.v[w->storages.testing].test == TEST_RUNNING)
		w->a.storages.v[w->storages.testing].test = TEST_NONE;
	buf_init(&b, 65536);
	answers_storage_config(&w->a, a, &b);
	w->storages.testing = i;
	a->test_text[0] = '\0';
	a->test = wizard_run(w, words, b.p) ? TEST_RUNNING : TEST_FAILED;
	mem_wipe(b.p, b.len);
	buf_done(&b);
}

static void one_step(struct answer_storage *a, const struct json *st, const char *name)
{
	const struct json *j = json_get(st, name);
	size_t len = strlen(a->test_text);
	const char *error = json_get_str(j, "error", "");

	if (json_type(j) != JSON_OBJECT) {
		snprintf(a->test_text + len, sizeof(a->test_text) - len, "%s -  ", name);
	} else if (json_get_bool(j, "ok", false)) {
		snprintf(a->test_text + len, sizeof(a->test_text) - len, "%s ✓ %.0f ms  ", name, json_get_num(j, "ms", 0));
		a->test_ms += json_get_int(j, "ms", 0);
	} else {
		snprintf(a->test_text + len, sizeof(a->test_text) - len, "%s ✗ %s  ", name, error);
	}
}

/* {"storages":[{"name":…,"ok":…,"error":…,"list":{ok,ms,error},"write":…,"read":…,"delete":…}]} */
static void result(struct wizard *w, struct answer_storage *a, const struct json *j)
{
	static const char *const names[] = {"list", "write", "read", "delete"};
	const struct json *st = json_first(json_get(j, "storages"));
	const struct json *problem = json_first(json_get(j, "problems"));

	a->test_ms = 0;
	a->test = json_get_bool(st, "ok", false) ? TEST_OK : TEST_FAILED;
	if (!st) {
		snprintf(a->test_text, sizeof(a->test_text), "%s: %s", json_get_str(problem, "path", "configuration"),
			 json_get_str(problem, "message", "the test said nothing"));
	} else {
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			one_step(a, st, names[i]);
		if (a->test == TEST_FAILED && !strstr(a->test_text, "✗"))
			str_cut(a->test_text, sizeof(a->test_text), json_get_str(st, "error", "not ok"));
	}
	str_clean(a->test_text);
	wizard_say(w, a->test == TEST_OK ? ST_OK : ST_FAIL, "%s %s: %s", a->test == TEST_OK ? "✓" : "✗", a->name, a->test_text);
}

static void poll_jobs(struct wizard *w)
{
	struct answer_storage *a = w->storages.testing < w->a.storages.n ? &w->a.storages.v[w->storages.testing] : NULL;
	CLEANUP(json_freep) struct json *j = NULL;
	struct err e;

	if (!w->job || job_poll(w->job, NULL, NULL))
		return;
	if (!a || a->test != TEST_RUNNING) {
		wizard_drop_job(w);
		return;
	}
	if (job_json(w->job, &j, &e)) {
		a->test = TEST_FAILED;
		str_cut(a->test_text, sizeof(a->test_text), e.msg);
		str_clean(a->test_text);
	} else {
		result(w, a, j);
	}
	wizard_drop_job(w);
}

/* ---- painting ------------------------------------------------------------------------------- */

static int64_t weight_of(const struct answer_storage *a)
{
	int64_t v = 0;

	return str_to_i64(&v, a->weight, 0, 1000000) ? 0 : v;
}

static const char *order_of(const struct wizard *w, size_t i)
{
	int64_t mine = weight_of(&w->a.storages.v[i]);
	size_t before = 0;

	for (size_t k = 0; k < w->a.storages.n; k++) {
		int64_t v = weight_of(&w->a.storages.v[k]);

		before += v > mine || (v == mine && k < i);
	}
	return mine == 0 ? "never" : before == 0 ? "first" : before == 1 ? "next" : "later";
}

static void draw_row(const struct wizard *w, struct screen *s, int y, size_t i)
{
	const struct answer_storage *a = &w->a.storages.v[i];
	int wide = s->cols >= 76 ? 38 : s->cols - 42;
	int x = 3;

	screen_put(s, AT(y, 1, 2), ST_TEXT, i == w->row ? ">" : " ");
	screen_put(s, AT(y, x, 10), ST_TEXT, a->name);
	x += 11;
	screen_putf(s, AT(y, x, wide), ST_TEXT, a->s3 ? "%s / %s" : "%s%s", a->s3 ? a->endpoint : a->path, a->s3 ? a->bucket : "");
	x += wide + 1;
	screen_right(s, AT(y, x, 6), ST_TEXT, a->weight);
	screen_put(s, AT(y, x + 8, 6), ST_TEXT, order_of(w, i));
	x += 15;
	switch (a->test) {
	case TEST_OK:
		screen_putf(s, AT(y, x, s->cols - x), ST_OK, "✓ %lld ms", (long long)a->test_ms);
		break;
	case TEST_FAILED:
		screen_put(s, AT(y, x, s->cols - x), ST_FAIL, "✗ failed");
		break;
	case TEST_RUNNING:
		screen_put(s, AT(y, x, s->cols - x), ST_RUN, "» testing");
		break;
	default:
		screen_put(s, AT(y, x, s->cols - x), ST_DIM, "T tests");
	}
	if (i == w->row)
		screen_select(s, AT(y, 1, s->cols - 1));
}

static void draw_editor(struct wizard *w, struct screen *s, struct rect b)
{
	struct answer_storage *a = w->row < w->a.storages.n ? &w->a.storages.v[w->row] : NULL;
	struct rect r = RECT(b.y, s->cols > 72 ? 3 : 0, b.h, s->cols > 72 ? s->cols - 6 : s->cols);
	const char *tested = a && !w->storages.adding ? a->test_text : "";
	int lines;

	screen_fill(s, r, ST_TEXT);
	screen_box(s, r, ST_HEAD, w->storages.adding ? "New storage" : w->fields[F_NAME].v);
	form_draw(s, RECT(r.y + 1, r.x + 2, r.h - 4, r.w - 4), &w->form);
	/* an error is told to its end where there is room for it */
	lines = r.h - 3 - form_height(&w->form);
	lines = lines < 1 || text_width(tested) <= r.w - 4 ? 1 : lines > 4 ? 4 : lines;
	if (a && !w->storages.adding && a->test == TEST_RUNNING)
		screen_put(s, AT(r.y + r.h - 2, r.x + 2, r.w - 4), ST_RUN, "» testing");
	else
		screen_wrap(s, RECT(r.y + r.h - 1 - lines, r.x + 2, lines, r.w - 4), a && a->test == TEST_OK ? ST_OK : ST_FAIL,
			    tested);
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	int wide = s->cols >= 76 ? 38 : s->cols - 42;
	const struct answer_storage *a = w->row < w->a.storages.n ? &w->a.storages.v[w->row] : NULL;

	if (w->editing) {
		draw_editor(w, s, b);
		return;
	}
	screen_put(s, AT(b.y, 3, 10), ST_HEAD, "NAME");
	screen_put(s, AT(b.y, 14, wide), ST_HEAD, "ENDPOINT / BUCKET");
	screen_put(s, AT(b.y, 15 + wide, b.w), ST_HEAD, "WEIGHT  ORDER  TEST");
	for (size_t i = 0; i < w->a.storages.n && (int)i < b.h - 8; i++)
		draw_row(w, s, b.y + 1 + (int)i, i);
	if (w->a.storages.n == 0)
		screen_put(s, AT(b.y + 2, 3, b.w - 4), ST_TEXT, "No storage: C creates one. An S3 bucket, or a directory of this machine.");
	if (a) {
		screen_rule(s, AT(b.y + b.h - 6, 0, b.w), ST_HEAD, a->name);
		if (a->s3)
			screen_putf(s, AT(b.y + b.h - 5, 3, b.w - 4), ST_TEXT, "Key %s (the secret is never shown)   region %s   %s style",
				    a->access_key, a->region[0] ? a->region : "-", a->path_style ? "path" : "virtual host");
		else
			screen_putf(s, AT(b.y + b.h - 5, 3, b.w - 4), ST_TEXT, "Directory %s", a->path);
		screen_putf(s, AT(b.y + b.h - 4, 3, b.w - 4), a->test == TEST_FAILED ? ST_FAIL : ST_TEXT, "Test  %s",
			    a->test_text[0] ? a->test_text : "not yet");
	}
	screen_wrap(s, RECT(b.y + b.h - 2, 1, 2, b.w - 2), ST_DIM,
		    "The highest weight that is healthy and has room takes the run; when it fails the next one does. "
		    "At least one storage has to pass its test before step 6.");
}

/* ---- keys --------------------------------------------------------------------------------------- */

static bool name_is_free(const struct wizard *w, const char *name)
{
	for (size_t i = 0; i < w->a.storages.n; i++)
		if (str_eq(w->a.storages.v[i].name, name) && (w->storages.adding || i != w->row))
			return false;
	return true;
}

/* What is wrong with the fields, or NULL. */
static const char *problem(const struct wizard *w)
{
	uint64_t v;

	if (!str_is_name(w->fields[F_NAME].v))
		return "Give it a name of letters, digits, . _ -";
	if (!name_is_free(w, w->fields[F_NAME].v))
		return "Another storage has this name already";
	if (w->choice == 0 && (!w->fields[F_ENDPOINT].v[0] || !w->fields[F_BUCKET].v[0]))
		return "An S3 storage needs an endpoint and a bucket";
	if (w->choice == 1 && w->fields[F_PATH].v[0] != '/')
		return "Give the whole path, such as /srv/backup";
	if (str_to_u64(&v, w->fields[F_WEIGHT].v, 0, 1000000) || str_to_u64(&v, w->fields[F_LIMIT].v, 1, 1000000000))
		return "Weight and limit are whole numbers";
	return NULL;
}

/* The fields into the list; false: something is wrong and the editor stays. */
static bool take(struct wizard *w)
{
	struct answer_storage *a;
	const char *wrong = problem(w);

	if (wrong) {
		wizard_say(w, ST_FAIL, "✗ %s", wrong);
		return false;
	}
	if (w->storages.adding) {
		a = list_push(&w->a.storages);
		w->row = w->a.storages.n - 1;
		w->storages.adding = false;
	}
	a = &w->a.storages.v[w->row];
	a->s3 = w->choice == 0;
	str_cut(a->name, sizeof(a->name), w->fields[F_NAME].v);
	str_cut(a->endpoint, sizeof(a->endpoint), w->fields[F_ENDPOINT].v);
	str_cut(a->region, sizeof(a->region), w->fields[F_REGION].v);
	str_cut(a->bucket, sizeof(a->bucket), w->fields[F_BUCKET].v);
	str_cut(a->prefix, sizeof(a->prefix), w->fields[F_PREFIX].v);
	str_cut(a->access_key, sizeof(a->access_key), w->fields[F_KEY].v);
	str_cut(a->secret_key, sizeof(a->secret_key), w->fields[F_SECRET].v);
	str_cut(a->path, sizeof(a->path), w->fields[F_PATH].v);
	str_cut(a->weight, sizeof(a->weight), w->fields[F_WEIGHT].v);
	str_cut(a->limit_gb, sizeof(a->limit_gb), w->fields[F_LIMIT].v);
	a->path_style = w->checks[0];
	return true;
}

static bool edit_key(struct wizard *w, int k, const char *text)
{
	enum form_result r;
	int id;

	if (k == K_ESC) {
		w->editing = w->storages.adding = false;
		return true;
	}
	if (k == K_CTRL('p')) {
		w->fields[F_SECRET].shown = !w->fields[F_SECRET].shown;
		return true;
	}
	r = form_key(&w->form, k, text);
	id = w->form.items[w->form.focus].id;
	if (r == FORM_CHANGED && (id == ID_S3 || id == ID_DIR))
		build(w, id);
	if (r != FORM_PRESSED)
		return r != FORM_IGNORED;
	if (id == ID_CANCEL) {
		w->editing = w->storages.adding = false;
	} else if (take(w)) {
		w->editing = id == ID_TEST;
		test(w, w->row);
	}
	return true;
}

static void ask_remove(struct wizard *w)
{
	const struct answer_storage *a = &w->a.storages.v[w->row];

	dialog_init(&w->dialog, "Remove storage", "Remove");
	dialog_line(&w->dialog, "Remove  %s  from this node's configuration", a->name);
	dialog_line(&w->dialog, "• what is stored there stays, but this node no longer lists it");
	dialog_line(&w->dialog, "• nothing changes before step 6");
	w->dialog.id = w->row;
	dialog_open(&w->dialog);
}

static void remove_storage(struct wizard *w, size_t i)
{
	if (i >= w->a.storages.n)
		return;
	wizard_drop_job(w);
	mem_wipe(&w->a.storages.v[i], sizeof(w->a.storages.v[i]));
	memmove(&w->a.storages.v[i], &w->a.storages.v[i + 1], (w->a.storages.n - i - 1) * sizeof(w->a.storages.v[i]));
	w->a.storages.n--;
	w->row -= w->row > 0 && w->row >= w->a.storages.n;
}

static bool dialog_input(struct wizard *w, int k, const char *text)
{
	switch (dialog_key(&w->dialog, k, text)) {
	case DIALOG_YES:
		remove_storage(w, (size_t)w->dialog.id);
		dialog_close(&w->dialog);
		break;
	case DIALOG_NO:
		dialog_close(&w->dialog);
		break;
	default:
		break;
	}
	return true;
}

static bool key(struct wizard *w, int k, const char *text)
{
	bool there = w->row < w->a.storages.n;

	if (w->dialog.open)
		return dialog_input(w, k, text);
	if (w->editing)
		return edit_key(w, k, text);
	if (wizard_list_key(&w->row, w->a.storages.n, k))
		return true;
	switch (k) {
	case 'C':
		edit(w, true);
		return true;
	case 'E':
	case K_ENTER:
		if (there)
			edit(w, false);
		return true;
	case 'T':
		if (there)
			test(w, w->row);
		return true;
	case 'D':
		if (there)
			ask_remove(w);
		return true;
	default:
		return false;
	}
}

static bool leave(struct wizard *w)
{
	if (w->editing && w->fields[F_NAME].v[0] && !take(w))
		return false;
	if (w->storages.testing < w->a.storages.n && w->a.storages.v[w->storages.testing].test == TEST_RUNNING)
		w->a.storages.v[w->storages.testing].test = TEST_NONE;
	w->editing = w->storages.adding = false;
	return true;
}

static bool typing(const struct wizard *w)
{
	return w->editing || w->dialog.open;
}

const struct wizard_step_ops *step_storages(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Storages", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "Enter Edit  T Test  C Add  D Remove  n Next  p Back  F1 Help",
		.help = "A storage is an S3 bucket or a directory. The test lists, writes, reads and deletes a small object, each "
			"with its time. The weight is a priority: the highest that is healthy and has room takes the run, the next "
			"one when it fails; 0 takes no new data.",
	};

	return &ops;
}
