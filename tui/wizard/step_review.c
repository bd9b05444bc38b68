/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/wizard/wizard.h"

/* Step 6: everything once more, then `felloe-noded apply` and, on a managed node,
 * `felloe-noded join --wait`. What they say is shown as it comes. */

static void add_line(struct wizard *w, char mark, int64_t ms, const char *text)
{
	struct review_line *l;

	if (w->review.n == REVIEW_LINES) {
		memmove(w->review.lines, w->review.lines + 1, sizeof(w->review.lines[0]) * (REVIEW_LINES - 1));
		w->review.n--;
	}
	l = &w->review.lines[w->review.n++];
	*l = (struct review_line){.mark = mark, .ms = ms};
	str_cut(l->text, sizeof(l->text), text);
	str_clean(l->text);
}

/* ---- apply --------------------------------------------------------------------------- */

/* {"step":"configuration written","ok":true,"ms":100} or with "error" */
static void on_apply(void *ctx, const char *line)
{
	struct wizard *w = ctx;
	CLEANUP(json_freep) struct json *j = NULL;
	const char *error;

	if (json_parse(&j, line, strlen(line), NULL) || !json_get_str(j, "step", NULL))
		return;
	error = json_get_str(j, "error", NULL);
	if (json_get_bool(j, "ok", false)) {
		add_line(w, json_get_bool(j, "warning", false) ? 'w' : 'o', json_get_int(j, "ms", 0), json_get_str(j, "step", ""));
		return;
	}
	w->review.failed = true;
	{
		CLEANUP(freep) char *text = xasprintf("%s: %s", json_get_str(j, "step", ""), error ? error : "failed");

		add_line(w, '!', json_get_int(j, "ms", 0), text);
	}
}

static struct job *start(struct wizard *w, const char *const *argv, const char *input)
{
	struct job_opts o = {.argv = argv, .input = input, .input_len = input ? strlen(input) : 0};
	struct job *j = NULL;
	struct err e;

	if (job_start(&j, &o, &e)) {
		add_line(w, '!', -1, e.msg);
		w->review.failed = true;
	}
	return j;
}

static void apply(struct wizard *w)
{
	const char *argv[12] = {"felloe-noded", "apply", "-", "--json", "--config", w->a.config_path};
	char why[ANSWER_TEXT];
	size_t n = 6;
	struct buf b;

	if (answers_lack(&w->a, STEP_REVIEW, why, sizeof(why))) {
		wizard_say(w, ST_FAIL, "✗ %s", why);
		return;
	}
	if (w->state_dir) {
		argv[n++] = "--state";
		argv[n++] = w->state_dir;
	}
	if (w->unit_dir) {
		argv[n++] = "--unit-dir";
		argv[n++] = w->unit_dir;
	}
	w->review.n = 0;
	w->review.failed = w->review.done = false;
	w->review.code[0] = '\0';
	w->review.applied = true;
	w->message[0] = '\0';
	buf_init(&b, 1 << 20);
	answers_config(&w->a, &b);
	w->review.apply = start(w, argv, b.p);
	mem_wipe(b.p, b.len);
	buf_done(&b);
}

/* ---- join ------------------------------------------------------------------------------- */

/* {"event":"requested"|"code"|"active"|"blocked"|"expired"|"retry", "code":…, "message":…} */
static void on_join(void *ctx, const char *line)
{
	struct wizard *w = ctx;
	CLEANUP(json_freep) struct json *j = NULL;
	const char *event;

	if (json_parse(&j, line, strlen(line), NULL))
		return;
	event = json_get_str(j, "event", "");
	if (json_get_str(j, "code", NULL)) {
		if (!w->review.code[0])
			add_line(w, 'o', job_ms(w->review.join), "join request sent");
		str_cut(w->review.code, sizeof(w->review.code), json_get_str(j, "code", ""));
		str_clean(w->review.code);
	}
	if (str_eq(event, "active")) {
		add_line(w, 'o', job_ms(w->review.join), "approved: the key is saved and the agent reports");
		w->review.done = true;
	} else if (str_eq(event, "retry")) {
		wizard_say(w, ST_WARN, "▲ %s", json_get_str(j, "message", "the master does not answer; asking again"));
	} else if (str_eq(event, "blocked") || str_eq(event, "expired")) {
		w->review.failed = true;
		add_line(w, '!', job_ms(w->review.join), json_get_str(j, "message", event));
	}
}

static void join(struct wizard *w)
{
	const char *argv[16] = {"felloe-noded", "join", "--wait", "--json", "--config", w->a.config_path,
				"--master", w->a.master_url, "--name", w->a.node_name};
	size_t n = 10;

	if (w->a.pin_trusted) {
		argv[n++] = "--pin";
		argv[n++] = w->a.pin;
	}
	if (w->state_dir) {
		argv[n++] = "--state";
		argv[n++] = w->state_dir;
	}
	job_free(w->review.join);
	w->review.join = start(w, argv, NULL);
}

static void applied(struct wizard *w)
{
	int status = job_status(w->review.apply);

	if (status != 0 && status != 3) {
		if (!w->review.failed)
			add_line(w, '!', -1, job_errors(w->review.apply)[0] ? job_errors(w->review.apply) : "felloe-noded apply failed");
		w->review.failed = true;
		wizard_say(w, ST_FAIL, "✗ Not all of it was applied. Mend it and press A again; nothing is lost.");
	} else if (w->a.managed) {
		join(w);
	} else {
		w->review.done = true;
		wizard_say(w, ST_OK, "✓ Done. felloe-noded status shows this node; felloe-noded backup starts a run now.");
	}
	job_free(w->review.apply);
	w->review.apply = NULL;
}

static void joined(struct wizard *w)
{
	if (w->review.done) {
		wizard_say(w, ST_OK, "✓ Done. This node is managed now; its backups never depend on the master.");
	} else {
		if (!w->review.failed)
			add_line(w, '!', -1, job_errors(w->review.join)[0] ? job_errors(w->review.join) : "felloe-noded join ended");
		w->review.failed = true;
		wizard_say(w, ST_FAIL, "✗ Not joined yet. A asks again; the backups run on their timers meanwhile.");
	}
	job_free(w->review.join);
	w->review.join = NULL;
}

static void poll_jobs(struct wizard *w)
{
	if (w->review.apply && !job_poll(w->review.apply, on_apply, w))
		applied(w);
	if (w->review.join && !job_poll(w->review.join, on_join, w))
		joined(w);
}

/* ---- painting --------------------------------------------------------------------------------- */

static int row(struct screen *s, int y, const char *label, const char *text, const char *edit_key)
{
	int w = s->cols - 14 - 10;

	screen_put(s, AT(y, 3, 10), ST_HEAD, label);
	screen_put(s, AT(y, 14, w), ST_TEXT, text);
	screen_right(s, AT(y, s->cols - 9, 8), ST_DIM, edit_key);
	return y + 1;
}

static void names_of_sites(const struct wizard *w, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < w->a.sites.n && len < size; i++)
		if (w->a.sites.v[i].chosen)
			len += (size_t)snprintf(to + len, size - len, "%s%s", len ? ", " : "", w->a.sites.v[i].name);
}

static void names_of_storages(const struct wizard *w, char *to, size_t size)
{
	size_t len = 0;

	to[0] = '\0';
	for (size_t i = 0; i < w->a.storages.n && len < size; i++)
		len += (size_t)snprintf(to + len, size - len, "%s%s weight %s", len ? ", " : "", w->a.storages.v[i].name,
					w->a.storages.v[i].weight);
}

static void names_of_timers(const struct wizard *w, char *to, size_t size)
{
	char expr[ANSWER_TEXT];
	size_t len = 0;

	str_cut(to, size, "none: nothing runs by itself");
	for (size_t i = 0; i < w->a.timers.n && len < size; i++) {
		answers_on_calendar(&w->a.timers.v[i], expr, sizeof(expr));
		len += (size_t)snprintf(to + len, size - len, "%s%s %s", len ? ", " : "", w->a.timers.v[i].name, expr);
	}
}

/* "14d 8w 12m", with the timers' names when they differ. */
static void names_of_keeps(const struct wizard *w, char *to, size_t size)
{
	size_t len = 0, n = w->a.timers.n;
	bool same = true;

	for (size_t i = 1; i < n; i++)
		same = same && str_eq(w->a.timers.v[i].keep, w->a.timers.v[0].keep);
	str_cut(to, size, "-");
	for (size_t i = 0; i < (same && n ? 1 : n) && len < size; i++) {
		const struct answer_timer *t = &w->a.timers.v[i];

		len += (size_t)snprintf(to + len, size - len, "%s%s%s%s", len ? "; " : "", same ? "" : t->name, same ? "" : ": ",
					t->keep[0] ? t->keep : "every run");
	}
}

static int draw_summary(const struct wizard *w, struct screen *s, int y)
{
	char text[ANSWER_TEXT * 2];
	int gap = s->rows < 18 ? 0 : 1;

	if (w->a.managed)
		snprintf(text, sizeof(text), "managed by %s as %s", w->a.master_url, w->a.node_name);
	else
		str_cut(text, sizeof(text), "standalone: no master");
	y = row(s, y, "Role", text, w->a.managed ? "1,2 Edit" : "1 Edit");
	names_of_sites(w, text, sizeof(text));
	y = row(s, y, "Sites", text, "3 Edit");
	names_of_storages(w, text, sizeof(text));
	y = row(s, y, "Storages", text, "4 Edit");
	names_of_timers(w, text, sizeof(text));
	y = row(s, y, "Timers", text, "5 Edit");
	names_of_keeps(w, text, sizeof(text));
	y = row(s, y, "Retains", text, "5 Edit");
	screen_putf(s, AT(y + gap, 3, s->cols - 4), ST_TEXT, "Will write %s (0600)%s", w->a.config_path,
		    w->a.old ? "; the old one is kept beside it" : "");
	screen_putf(s, AT(y + gap + 1, 14, s->cols - 15), ST_TEXT, "%zu timer%s felloe-backup@NAME.timer with drop-ins", w->a.timers.n,
		    w->a.timers.n == 1 ? "" : "s");
	return y + 2 + 2 * gap;
}

static void draw_line(const struct review_line *l, struct screen *s, int y)
{
	static const struct { char mark; const char *glyph; enum style style; } marks[] = {
		{'o', "✓", ST_OK}, {'!', "✗", ST_FAIL}, {'>', "»", ST_RUN}, {'w', "▲", ST_WARN},
	};
	char took[24] = "";

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (marks[i].mark == l->mark)
			screen_put(s, AT(y, 3, 2), marks[i].style, marks[i].glyph);
	screen_put(s, AT(y, 5, s->cols - 16), l->mark == '!' ? ST_FAIL : ST_TEXT, l->text);
	if (l->ms >= 0)
		snprintf(took, sizeof(took), "%lld.%lld s", (long long)l->ms / 1000, (long long)l->ms % 1000 / 100);
	screen_right(s, AT(y, s->cols - 11, 9), ST_DIM, took);
}

/* "KELP-4821" with a blank between all characters, so that it is read out well */
static void draw_code(const struct wizard *w, struct screen *s, int y)
{
	char wide[128];
	size_t n = 0;

	for (const char *c = w->review.code; *c && n + 2 < sizeof(wide); c++) {
		wide[n++] = *c;
		wide[n++] = ' ';
	}
	wide[n] = '\0';
	screen_put(s, AT(y, 8, 45), ST_TEXT, "Read this code to the admin of the master:");
	screen_put(s, AT(y, 53, s->cols - 53), ST_BOLD, wide);
	screen_put(s, AT(y + 1, 5, s->cols - 6), ST_DIM,
		   "You may close this window: the agent keeps asking and starts when approved.");
}

static void draw_progress(const struct wizard *w, struct screen *s, struct rect r)
{
	int64_t ms = w->review.join ? job_ms(w->review.join) : 0;
	int room = r.h - (w->review.code[0] && !w->review.done ? 5 : 1), y = r.y + 1;
	size_t first = w->review.n > (size_t)(room > 0 ? room : 1) ? w->review.n - (size_t)(room > 0 ? room : 1) : 0;

	screen_rule(s, AT(r.y, 0, r.w), ST_HEAD, w->review.done ? "Applied" : "Applying");
	for (size_t i = first; i < w->review.n; i++)
		draw_line(&w->review.lines[i], s, y++);
	if (w->review.join) {
		struct review_line l = {.mark = '>', .ms = ms};

		str_cut(l.text, sizeof(l.text), w->review.code[0] ? "waiting for approval" : "asking to join");
		draw_line(&l, s, y++);
	}
	if (w->review.apply) {
		struct review_line l = {.mark = '>', .ms = job_ms(w->review.apply), .text = "at work"};

		draw_line(&l, s, y++);
	}
	if (w->review.code[0] && !w->review.done && w->review.join)
		draw_code(w, s, y + 1);
}

static void draw(struct wizard *w, struct screen *s, struct rect b)
{
	char why[ANSWER_TEXT];
	/* a low screen has room for one of the two */
	int y = w->review.applied && b.h < 16 ? b.y : draw_summary(w, s, b.y);

	if (w->review.applied)
		draw_progress(w, s, RECT(y, 0, b.y + b.h - 1 - y, b.w));
	else if (answers_lack(&w->a, STEP_REVIEW, why, sizeof(why)))
		screen_putf(s, AT(b.h < 13 ? y : y + 1, 3, b.w - 4), ST_FAIL, "✗ %s", why);
	else
		screen_put(s, AT(b.h < 13 ? y : y + 1, 3, b.w - 4), ST_BOLD, "A applies it. Until then nothing here has changed.");
	screen_putf(s, AT(b.y + b.h - 1, 1, b.w - 2), ST_DIM, "Same on the command line: felloe configure --apply FILE%s",
		    w->a.managed ? " --wait" : "");
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static void enter(struct wizard *w)
{
	(void)w;
}

static bool key(struct wizard *w, int k, const char *text)
{
	(void)text;
	if (k != 'A')
		return false;
	if (w->review.apply || w->review.join)
		wizard_say(w, ST_TEXT, "It is being applied already");
	else
		apply(w);
	return true;
}

static bool leave(struct wizard *w)
{
	(void)w;
	return true;
}

static bool typing(const struct wizard *w)
{
	(void)w;
	return false;
}

const struct wizard_step_ops *step_review(void)
{
	static const struct wizard_step_ops ops = {
		.title = "Review", .enter = enter, .draw = draw, .key = key, .poll = poll_jobs, .leave = leave, .typing = typing,
		.footer = "A Apply  1-5 Edit  p Back  F1 Help  Esc Leave",
		.help = "A writes the configuration (the old one is kept beside it), installs and enables the timers through "
			"systemd, then asks the master to take this node. Compare the code on this screen with the one the admin "
			"sees: they are equal only when nobody stands between.",
	};

	return &ops;
}
