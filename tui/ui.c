/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/ui.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/app.h"
#include "tui/keys.h"
#include "tui/net.h"
#include "tui/term.h"
#include "tui/views.h"

/* At most one frame in so many ms, however many keys and values come. */
enum { FRAME_MS = 60, TICK_MS = 1000 };

struct ui {
	struct tty *tty;
	struct net *net;
	struct app app;
	struct screen screen;
	int signals;       /* signalfd */
	int frame_fd;      /* FELLOE_TEST_FD: "frame N" after each; -1 */
	unsigned frames;
	bool dirty, over;
	bool typed;        /* dirty because of a key */
	int64_t drawn_at, key_drawn_at; /* monotonic */
	int64_t minute;    /* of the clock that is shown */
};

static void remote_ask(void *ctx, const struct net_ask *ask)
{
	net_ask(((struct ui *)ctx)->net, ask);
}

static void remote_sign_in(void *ctx, const struct net_sign_in *s)
{
	net_sign_in(((struct ui *)ctx)->net, s);
}

static void remote_retry(void *ctx)
{
	net_retry(((struct ui *)ctx)->net);
}

/* A question has just come up: what was typed before it was meant for something else. */
static void drop_keys(struct ui *u)
{
	if (u->app.drop_keys)
		tty_drop_keys(u->tty);
	u->app.drop_keys = false;
}

static void take_keys(struct ui *u)
{
	const char *text;
	int key, rc = 0;

	while (!u->app.quit && (rc = tty_key(u->tty, &key, &text)) > 0) {
		app_key(&u->app, key, text);
		u->dirty = u->typed = true;
		drop_keys(u);
		if (u->app.redraw)
			tty_redraw(u->tty);
		u->app.redraw = false;
		if (u->app.suspend) {
			tty_suspend(u->tty);
			u->app.suspend = false;
		}
	}
	if (rc < 0)
		u->over = true; /* nobody is there any more */
}

static void take_news(struct ui *u)
{
	struct net_answer ans;
	struct net_state link;
	struct nodes *n;
	struct detail *d;
	struct runs *r;
	struct change *c;

	net_clear(u->net);
	net_state(u->net, &link);
	app_link(&u->app, &link);
	n = net_take_nodes(u->net);
	d = net_take_detail(u->net);
	r = net_take_runs(u->net);
	app_data(&u->app, n, d, r);
	app_alerts(&u->app, net_take_alerts(u->net));
	while ((c = net_take_change(u->net)))
		app_change(&u->app, c);
	while (net_take_answer(u->net, &ans))
		app_answer(&u->app, &ans);
	drop_keys(u);
	u->dirty = true;
}

static void take_signals(struct ui *u)
{
	struct signalfd_siginfo info;
	int rows, cols;

	while (read(u->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP || info.ssi_signo == SIGINT)
			u->over = true;
		if (info.ssi_signo == SIGWINCH || info.ssi_signo == SIGCONT) {
			tty_size(u->tty, &rows, &cols);
			screen_resize(&u->screen, rows, cols);
			u->dirty = true;
		}
	}
}

static void draw(struct ui *u)
{
	app_clock(&u->app, clock_ms(), clock_mono_ms());
	app_draw(&u->app, &u->screen);
	tty_draw(u->tty, &u->screen);
	u->drawn_at = u->app.mono;
	if (u->typed)
		u->key_drawn_at = u->app.mono;
	u->dirty = u->typed = false;
	u->minute = u->app.now / 60000;
	if (u->frame_fd >= 0)
		dprintf(u->frame_fd, "frame %u\n", ++u->frames);
}

/* Until the next frame is allowed. New values never delay the answer to a key. */
static int frame_in_ms(const struct ui *u)
{
	int64_t since = clock_mono_ms() - (u->typed ? u->key_drawn_at : u->drawn_at);

	return since >= FRAME_MS ? 0 : (int)(FRAME_MS - since);
}

/* One machine is read in full only while it is shown. */
static void want(struct ui *u)
{
	struct net_want w = u->app.want;

	if (u->app.view != VIEW_NODE)
		w.node = w.runs_of = 0;
	net_want(u->net, &w);
}

static void loop(struct ui *u)
{
	while (!u->over && !u->app.quit) {
		struct pollfd p[] = {{.fd = tty_fd(u->tty), .events = POLLIN},
				     {.fd = u->signals, .events = POLLIN},
				     {.fd = net_fd(u->net), .events = POLLIN}};
		int n = poll(p, ARRAY_LEN(p), u->dirty ? frame_in_ms(u) : TICK_MS);

		if (n < 0 && errno != EINTR)
			return;
		if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		app_clock(&u->app, clock_ms(), clock_mono_ms());
		if (p[0].revents & POLLIN)
			take_keys(u);
		if (p[1].revents & POLLIN)
			take_signals(u);
		if (p[2].revents & POLLIN)
			take_news(u);
		if (n == 0 && (app_stale(&u->app) || u->minute != u->app.now / 60000 || u->app.link.link == NET_LIVE))
			u->dirty = true;
		want(u);
		if (u->dirty && frame_in_ms(u) == 0)
			draw(u);
	}
}

static int open_signals(struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, ERR_INTERNAL, "signalfd") : fd;
}

static int frame_fd(void)
{
	uint64_t fd;

	return str_to_u64(&fd, str_or(getenv("FELLOE_TEST_FD"), ""), 3, 1000) ? -1 : (int)fd;
}

static void start_app(struct ui *u, const struct session *s, const struct ui_opts *o)
{
	struct app_remote remote = {u, remote_ask, remote_sign_in, remote_retry};

	app_init(&u->app, &remote);
	app_view(&u->app, VIEW_LOGIN, view_login());
	app_view(&u->app, VIEW_NODES, view_nodes());
	app_view(&u->app, VIEW_APPROVALS, view_approvals());
	app_view(&u->app, VIEW_ALERTS, view_alerts());
	app_view(&u->app, VIEW_NODE, view_node());
	view_login_set(u->app.views[VIEW_LOGIN], s->master, s->user, s->pin);
	u->app.read_only = o->read_only;
	u->app.view = s->access ? VIEW_NODES : VIEW_LOGIN;
	app_clock(&u->app, clock_ms(), clock_mono_ms());
}

int ui_run(struct session *s, const struct ui_opts *o, struct err *e)
{
	struct ui *u = xcalloc(1, sizeof(*u));
	int rows, cols;

	u->frame_fd = frame_fd();
	u->signals = open_signals(e);
	if (u->signals < 0 || tty_open(&u->tty, o->colour, e)) {
		free(u);
		return -1;
	}
	screen_init(&u->screen, o->ascii ? GLYPHS_ASCII : tty_glyphs());
	tty_size(u->tty, &rows, &cols);
	screen_resize(&u->screen, rows, cols);
	start_app(u, s, o);
	if (net_start(&u->net, s, e)) {
		tty_close(u->tty);
		return -1;
	}
	want(u);
	take_news(u);
	draw(u);
	loop(u);
	tty_close(u->tty);
	net_stop(u->net);
	app_done(&u->app);
	screen_done(&u->screen);
	close(u->signals);
	free(u);
	return 0;
}
