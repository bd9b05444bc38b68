/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cmd_configure.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/opt.h"
#include "shared/str.h"
#include "tui/keys.h"
#include "tui/term.h"
#include "tui/wizard/wizard.h"

struct options {
	const char *config, *state, *unit_dir, *apply, *color;
	uint64_t wait_s;
	bool wait, ascii, help;
};

static int usage(const struct opt *opts)
{
	puts("Usage: felloe configure [OPTION...]\n\n"
	     "The wizard that makes this machine a node: role, master, sites, storages,\n"
	     "schedule, review. Nothing is changed before its last step.\n");
	opt_help(opts);
	return 0;
}

/* ---- on a terminal -------------------------------------------------------------------- */

/* Keys first, all of them, then one picture. False: the terminal is gone. */
static bool take_keys(struct tty *t, struct wizard *w)
{
	const char *text = NULL;
	int key, r;

	while ((r = tty_key(t, &key, &text)) == 1) {
		if (key == K_CTRL('l'))
			tty_redraw(t);
		else if (key == K_CTRL('z'))
			tty_suspend(t);
		else
			wizard_key(w, key, text);
	}
	return r == 0;
}

static void wait_for_news(struct tty *t, const struct wizard *w)
{
	struct pollfd p[5] = {{.fd = tty_fd(t), .events = POLLIN}, {.fd = daemon_wake_fd(), .events = POLLIN}};
	int fds[3];
	size_t n = wizard_fds(w, fds);

	for (size_t i = 0; i < n; i++)
		p[2 + i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	/* seconds are shown while something is at work */
	(void)poll(p, (nfds_t)(2 + n), n ? 250 : 1000);
	daemon_drain_wake();
}

static void paint(struct tty *t, struct wizard *w, struct screen *s)
{
	int rows, cols;

	tty_size(t, &rows, &cols);
	if (rows != s->rows || cols != s->cols)
		screen_resize(s, rows, cols);
	if (rows < 15 || cols < 60) {
		screen_clear(s);
		screen_putf(s, AT(0, 0, cols), ST_TEXT, "Need 60x15, have %dx%d", cols, rows);
	} else {
		wizard_draw(w, s);
	}
	tty_draw(t, s);
}

static int run_wizard(const struct options *o, struct wizard *w, struct err *e)
{
	CLEANUP(tty_closep) struct tty *t = NULL;
	struct screen s;
	bool colour;

	if (theme_colour(o->color, &colour))
		return err_set(e, ERR_USAGE, "--color takes auto, always or never, not \"%s\"", o->color);
	if (tty_open(&t, colour, e))
		return err_wrap(e, "the wizard needs a terminal (without one: felloe configure --apply FILE)");
	screen_init(&s, o->ascii ? GLYPHS_ASCII : tty_glyphs());
	while (!w->quit && !daemon_stopping()) {
		paint(t, w, &s);
		wait_for_news(t, w);
		(void)wizard_poll(w);
		if (!take_keys(t, w))
			break;
	}
	screen_done(&s);
	return 0;
}

static void on_resize(int sig)
{
	(void)sig; /* that poll(2) ends is all that is wanted */
}

static int interactive(const struct options *o)
{
	const struct sigaction resize = {.sa_handler = on_resize};
	struct wizard w;
	struct err e;
	int status;

	if (wizard_init(&w, o->config, o->state, &e)) {
		wizard_done(&w);
		fprintf(stderr, "felloe configure: %s\n", e.msg);
		return err_exit_code(e.kind);
	}
	w.unit_dir = o->unit_dir;
	sigaction(SIGWINCH, &resize, NULL);
	if (run_wizard(o, &w, &e)) {
		fprintf(stderr, "felloe configure: %s\n", e.msg);
		status = err_exit_code(e.kind);
	} else {
		status = w.exit_status;
		if (!w.review.done && w.not_kept)
			printf("Left before the end: the answers could not be kept in %s.\n", w.a.kept_path);
		else if (!w.review.done)
			printf("Left before the end: the answers are kept in %s (without secrets).\n", w.a.kept_path);
	}
	wizard_done(&w);
	return status;
}

/* ---- without a terminal -------------------------------------------------------------------- */


/* Runs one felloe-noded to its end, showing what it says as it comes. */
static int run_node(const char *const *argv)
{
	struct job_opts o = {.argv = argv};
	CLEANUP(job_freep) struct job *j = NULL;
	struct err e;
	size_t shown = 0;

	if (job_start(&j, &o, &e)) {
		fprintf(stderr, "felloe configure: %s\n", e.msg);
		return err_exit_code(e.kind);
	}
	while (job_poll(j, NULL, NULL) && !daemon_stopping()) {
		struct pollfd p[2] = {{.fd = job_fd(j), .events = POLLIN}, {.fd = daemon_wake_fd(), .events = POLLIN}};

		fwrite(job_output(j) + shown, 1, strlen(job_output(j)) - shown, stdout);
		fflush(stdout);
		shown = strlen(job_output(j));
		(void)poll(p, 2, 1000);
	}
	fputs(job_output(j) + shown, stdout);
	fputs(job_errors(j), stderr);
	return job_running(j) ? 1 : job_status(j);
}

static bool has_master(const char *path)
{
	CLEANUP(json_freep) struct json *j = NULL;

	return json_parse_file(&j, path, 1 << 20, NULL) == 0 && json_get_str(json_get(j, "master"), "url", NULL);
}

static int apply_file(const struct options *o)
{
	const char *apply[12] = {"felloe-noded", "apply", o->apply, "--config", o->config};
	const char *join[12] = {"felloe-noded", "join", "--config", o->config};
	char wait[32] = "--wait";
	size_t a = 5, n = 4;
	int status;

	if (o->state) {
		apply[a++] = join[n++] = "--state";
		apply[a++] = join[n++] = o->state;
	}
	if (o->unit_dir) {
		apply[a++] = "--unit-dir";
		apply[a++] = o->unit_dir;
	}
	status = run_node(apply);
	if (status != 0 && status != 3)
		return status;
	if (!o->wait || !has_master(o->config))
		return status;
	if (o->wait_s)
		snprintf(wait, sizeof(wait), "--wait=%llu", (unsigned long long)o->wait_s);
	join[n++] = wait;
	return run_node(join);
}

int cmd_configure(int argc, char **argv)
{
	struct options o = {.config = FELLOE_SYSCONFDIR "/config.json"};
	const struct opt opts[] = {
		{"config", 'c', OPT_STR, &o.config, "FILE", "the node's configuration", 0, 0, NULL},
		{"state", 0, OPT_STR, &o.state, "DIR", "state and locks below DIR instead of the system's places", 0, 0, NULL},
		{"apply", 0, OPT_STR, &o.apply, "FILE", "no questions: check FILE and apply it", 0, 0, NULL},
		{"wait", 0, OPT_WAIT, &o.wait_s, "SECONDS", "with --apply: join the master and wait for the approval", 1, 604800,
		 &o.wait},
		{"unit-dir", 0, OPT_STR, &o.unit_dir, "DIR", "where systemd units go", 0, 0, NULL},
		{"color", 0, OPT_STR, &o.color, "WHEN", "auto, always or never", 0, 0, NULL},
		{"ascii", 0, OPT_FLAG, &o.ascii, NULL, "7-bit characters only", 0, 0, NULL},
		{"help", 'h', OPT_FLAG, &o.help, NULL, "show this help", 0, 0, NULL},
		{0},
	};
	struct err e;
	int operands;

	if (opt_parse(opts, argc, argv, &operands, &e)) {
		fprintf(stderr, "felloe configure: %s\n", e.msg);
		return err_exit_code(e.kind);
	}
	if (o.help)
		return usage(opts);
	if (operands > 0) {
		fprintf(stderr, "felloe configure: \"%s\" is not an option; --help lists them\n", argv[1]);
		return 2;
	}
	if (!o.state)
		o.state = getenv("FELLOE_STATE");
	daemon_signals();
	return o.apply ? apply_file(&o) : interactive(&o);
}
