/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/wizard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/keys.h"

static const struct wizard_step_ops *ops_of(enum wizard_step step)
{
	static const struct wizard_step_ops *(*const table[STEPS])(void) = {step_role,     step_master,   step_sites,
									    step_storages, step_schedule, step_review};

	return table[step]();
}

void wizard_say(struct wizard *w, unsigned style, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->message, sizeof(w->message), fmt, ap);
	va_end(ap);
	str_clean(w->message);
	w->message_style = style;
}

/* ---- jobs ------------------------------------------------------------------------ */

void wizard_drop_job(struct wizard *w)
{
	job_free(w->job);
	w->job = NULL;
}

bool wizard_run(struct wizard *w, const char *const *words, const char *input)
{
	const char *argv[24] = {"felloe-noded"};
	size_t n = 1;
	struct err e;
	struct job_opts o = {.argv = argv, .input = input, .input_len = input ? strlen(input) : 0};

	wizard_drop_job(w);
	while (*words && n < ARRAY_LEN(argv) - 3)
		argv[n++] = *words++;
	if (w->state_dir) {
		argv[n++] = "--state";
		argv[n++] = w->state_dir;
	}
	argv[n] = NULL;
	if (job_start(&w->job, &o, &e) == 0)
		return true;
	wizard_say(w, ST_FAIL, "✗ %s", e.msg);
	return false;
}

size_t wizard_fds(const struct wizard *w, int fds[static 3])
{
	size_t n = 0;

	if (w->job && job_running(w->job))
		fds[n++] = job_fd(w->job);
	if (w->review.apply && job_running(w->review.apply))
		fds[n++] = job_fd(w->review.apply);
	if (w->review.join && job_running(w->review.join))
		fds[n++] = job_fd(w->review.join);
	return n;
}

static bool busy_now(const struct wizard *w)
{
	int fds[3];

	return wizard_fds(w, fds) > 0;
}

bool wizard_poll(struct wizard *w)
{
	bool busy = busy_now(w);

	ops_of(w->step)->poll(w);
	/* the join goes on while another step is looked at */
	if (w->step != STEP_REVIEW && (w->review.apply || w->review.join))
		ops_of(STEP_REVIEW)->poll(w);
	return busy;
}

/* ---- lists --------------------------------------------------------------------------- */

bool wizard_list_key(size_t *row, size_t n, int key)
{
	size_t last = n ? n - 1 : 0;

	switch (key) {
	case K_UP:
	case 'k':
		*row -= *row > 0;
		return true;
	case K_DOWN:
	case 'j':
		*row += *row < last;
		return true;
	case K_HOME:
	case 'g':
		*row = 0;
		return true;
	case K_END:
	case 'G':
		*row = last;
		return true;
	case K_PGUP:
		*row = *row > 10 ? *row - 10 : 0;
		return true;
	case K_PGDN:
		*row = *row + 10 < last ? *row + 10 : last;
		return true;
	default:
		return false;
	}
}

size_t wizard_list_top(size_t row, size_t n, int height)
{
	size_t h = height > 0 ? (size_t)height : 1;

	if (n <= h || row < h / 2)
		return 0;
	return row - h / 2 < n - h ? row - h / 2 : n - h;
}

const char *wizard_size(char text[static 24], int64_t bytes)
{
	return bytes < 0 ? "-" : units_bytes_short(text, (uint64_t)bytes);
}

/* ---- start and end ---------------------------------------------------------------------- */

static void read_machine(struct wizard *w)
{
	struct buf os;
	struct utsname un;
	struct statvfs fs;
	char free_text[UNITS_TEXT] = "?", *at;

	buf_init(&os, 4096);
	if (fs_read(&os, "/etc/os-release", NULL) == 0 && (at = strstr(os.p, "PRETTY_NAME=\"")))
		snprintf(w->role.system, sizeof(w->role.system), "%.*s", (int)strcspn(at + 13, "\"\n"), at + 13);
	else if (uname(&un) == 0)
		snprintf(w->role.system, sizeof(w->role.system), "%.60s %.60s", un.sysname, un.release);
	buf_done(&os);
	if (gethostname(w->role.hostname, sizeof(w->role.hostname) - 1))
		str_cut(w->role.hostname, sizeof(w->role.hostname), "?");
	if (statvfs("/var/lib", &fs) == 0)
		units_bytes(free_text, (uint64_t)fs.f_bavail * fs.f_frsize);
	snprintf(w->role.clock, sizeof(w->role.clock), "%s free in /var/lib", free_text);
	str_clean(w->role.system);
	w->is_root = geteuid() == 0;
}

int wizard_init(struct wizard *w, const char *config_path, const char *state_dir, struct err *e)
{
	CLEANUP(freep) char *node_dir = NULL;
	CLEANUP(freep) char *kept = NULL;

	*w = (struct wizard){.state_dir = state_dir, .message_style = ST_TEXT};
	if (state_dir)
		fs_set_state(state_dir);
	node_dir = fs_state_dir("node");
	kept = xasprintf("%s/wizard.json", node_dir);
	if (answers_init(&w->a, config_path, kept, e))
		return -1;
	read_machine(w);
	w->seen[STEP_ROLE] = true;
	ops_of(w->step)->enter(w);
	if (!w->is_root)
		wizard_say(w, ST_WARN, "▲ Not root: the last step cannot write %s or install timers.", config_path);
	return 0;
}

void wizard_done(struct wizard *w)
{
	wizard_drop_job(w);
	job_free(w->review.apply);
	job_free(w->review.join);
	for (size_t i = 0; i < ARRAY_LEN(w->fields); i++)
		field_done(&w->fields[i]);
	dialog_close(&w->dialog);
	answers_done(&w->a);
}

/* ---- keys -------------------------------------------------------------------------------- */

static void keep(struct wizard *w)
{
	struct err e;

	w->not_kept = answers_keep(&w->a, &e) != 0;
	if (w->not_kept)
		wizard_say(w, ST_WARN, "▲ The answers could not be kept: %s", e.msg);
}

static void go_to(struct wizard *w, enum wizard_step step)
{
	if (!ops_of(w->step)->leave(w))
		return;
	wizard_drop_job(w);
	for (size_t i = 0; i < ARRAY_LEN(w->fields); i++)
		field_done(&w->fields[i]);
	w->message[0] = '\0';
	keep(w);
	w->step = step;
	w->seen[step] = true;
	w->editing = false;
	w->row = 0;
	ops_of(step)->enter(w);
}

static void next(struct wizard *w)
{
	char why[ANSWER_TEXT];

	if (w->step == STEP_REVIEW)
		return;
	if (!ops_of(w->step)->leave(w))
		return;
	if (answers_lack(&w->a, w->step, why, sizeof(why))) {
		wizard_say(w, ST_FAIL, "✗ %s", why);
		return;
	}
	/* a machine without a master has no step 2 */
	go_to(w, w->step == STEP_ROLE && !w->a.managed ? STEP_SITES : w->step + 1);
}

static void previous(struct wizard *w)
{
	if (w->step > STEP_ROLE)
		go_to(w, w->step == STEP_SITES && !w->a.managed ? STEP_ROLE : w->step - 1);
}

static void leave_wizard(struct wizard *w)
{
	(void)ops_of(w->step)->leave(w);
	keep(w);
	w->quit = true;
	w->exit_status = w->review.done && !w->review.failed ? 0 : 1;
}

static bool frame_key(struct wizard *w, int key)
{
	switch (key) {
	case 'n':
		next(w);
		return true;
	case 'p':
		previous(w);
		return true;
	case '?':
	case K_F1:
		w->help = true;
		return true;
	case K_ESC:
	case 'q':
		leave_wizard(w);
		return true;
	default:
		if (key >= '1' && key <= '6' && !(key == '2' && !w->a.managed)) {
			go_to(w, (enum wizard_step)(key - '1'));
			return true;
		}
		return false;
	}
}

void wizard_key(struct wizard *w, int key, const char *text)
{
	const struct wizard_step_ops *ops = ops_of(w->step);

	if (w->help) {
		w->help = false;
		return;
	}
	if (key == K_CTRL('c')) {
		leave_wizard(w);
		return;
	}
	if (key == K_F1) {
		w->help = true;
		return;
	}
	if (ops->key(w, key, text))
		return;
	if (ops->typing(w)) {
		/* letters are text: Esc leaves the field first */
		if (key == K_ESC)
			leave_wizard(w);
		return;
	}
	if (!frame_key(w, key) && key >= K_SPACE && key < 127)
		wizard_say(w, ST_TEXT, "%c does nothing here, F1 helps", key);
}

/* ---- painting --------------------------------------------------------------------------------- */

static void draw_steps(struct wizard *w, struct screen *s)
{
	int x = 1;

	for (unsigned i = 0; i < STEPS; i++) {
		char why[ANSWER_TEXT];
		bool done = w->seen[i] && i != w->step && !answers_lack(&w->a, i, why, sizeof(why));
		const char *mark = i == w->step ? "●" : done ? "✓" : "○";
		bool off = i == STEP_MASTER && !w->a.managed;

		if (off && i != w->step)
			mark = "-";
		x += screen_put(s, AT(1, x, s->cols - x), i == w->step ? ST_TAB : done ? ST_OK : ST_DIM, mark) + 1;
		x += screen_put(s, AT(1, x, s->cols - x), i == w->step ? ST_TAB : off ? ST_DIM : ST_TEXT,
				ops_of(i)->title) + (s->cols < 72 ? 1 : 3);
	}
}

static void draw_help(const struct wizard *w, struct screen *s)
{
	struct rect r = RECT(3, s->cols > 72 ? 4 : 0, s->rows - 5, s->cols > 72 ? s->cols - 8 : s->cols);
	int used;

	screen_fill(s, r, ST_TEXT);
	screen_box(s, r, ST_HEAD, ops_of(w->step)->title);
	r = RECT(r.y + 1, r.x + 2, r.h - 2, r.w - 4);
	used = screen_wrap(s, r, ST_TEXT, ops_of(w->step)->help);
	screen_wrap(s, RECT(r.y + used + 1, r.x, r.h - used - 1, r.w), ST_DIM,
		    "1-6 opens a step, n and p go on and back, Tab moves between fields, Esc leaves; the answers are "
		    "kept. Nothing is changed before the last step. Any key closes this.");
}

/* Keys by priority, never cut in a word. */
static void draw_footer(const struct wizard *w, struct screen *s)
{
	const char *at = w->editing ? "Tab Next field  Space Choose  Enter Press  Esc Close  F1 Help" : ops_of(w->step)->footer;
	int x = 1;

	while (*at) {
		const char *end = strstr(at, "  ");
		size_t n = end ? (size_t)(end - at) : strlen(at);
		char part[64];

		snprintf(part, sizeof(part), "%.*s", (int)n, at);
		if (x + text_width(part) > s->cols)
			break;
		x += screen_put(s, AT(s->rows - 1, x, s->cols - x), ST_TEXT, part) + 2;
		at += n + (end ? 2 : 0);
	}
}

void wizard_draw(struct wizard *w, struct screen *s)
{
	char title[320];

	screen_clear(s);
	screen_fill(s, RECT(0, 0, 1, s->cols), ST_TITLE);
	snprintf(title, sizeof(title), "%.200s   step %d of 6: %s ", w->role.hostname, (int)w->step + 1,
		 ops_of(w->step)->title);
	screen_put(s, AT(0, 1, s->cols - 1), ST_TITLE, "Configure this node");
	if (s->cols >= 60)
		screen_right(s, AT(0, 22, s->cols - 22), ST_TITLE, title);
	draw_steps(w, s);
	ops_of(w->step)->draw(w, s, RECT(3, 0, s->rows - 5, s->cols));
	if (w->message[0])
		screen_put(s, AT(s->rows - 2, 1, s->cols - 1), w->message_style, w->message);
	draw_footer(w, s);
	if (w->dialog.open)
		dialog_draw(s, &w->dialog);
	if (w->help)
		draw_help(w, s);
}
