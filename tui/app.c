/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/app_in.h"
#include "tui/fmt.h"
#include "tui/keys.h"

/* What every screen understands; the views' own keys go first. */
static const struct binding common_keys[] = {
	{'?', CMD_HELP, "?", "Help", "this list", false},
	{K_F1, CMD_HELP, "F1", NULL, NULL, false},
	{'q', CMD_QUIT, "q", "Quit", "back; on a first screen leave felloe", false},
	{K_ESC, CMD_BACK, "Esc", NULL, "one level back; empties a filter first", false},
	{'1', CMD_TAB1, "1", NULL, "Nodes", false},
	{'2', CMD_TAB2, "2", NULL, "Approvals", false},
	{'3', CMD_TAB3, "3", NULL, "Alerts", false},
	{'r', CMD_REFRESH, "r", NULL, "ask the master now", false},
	{'f', CMD_FREEZE, "f", NULL, "freeze the values, or let them go on", false},
	{'u', CMD_ZONE, "u", NULL, "times in my zone or in UTC", false},
	{'m', CMD_LOG, "m", NULL, "messages of this session", false},
	{K_CTRL('l'), CMD_REDRAW, "^L", NULL, "draw everything anew", false},
	{K_CTRL('z'), CMD_SUSPEND, "^Z", NULL, "back to the shell; fg returns", false},
	{K_CTRL('c'), CMD_CANCEL, "^C", NULL, "leave felloe", false},
	{0, 0, NULL, NULL, NULL, false},
};

const struct binding *app_common_keys(const struct app *a)
{
	return a->view == VIEW_LOGIN ? NULL : common_keys;
}

void app_init(struct app *a, const struct app_remote *remote)
{
	*a = (struct app){.remote = *remote};
}

void app_view(struct app *a, enum view_id id, const struct view_ops *ops)
{
	a->ops[id] = ops;
	a->views[id] = ops->make();
}

void app_done(struct app *a)
{
	for (int i = 0; i < VIEWS; i++)
		if (a->ops[i])
			a->ops[i]->drop(a->views[i]);
	nodes_unref(a->nodes);
	detail_free(a->detail);
	runs_free(a->runs);
	alerts_free(a->alerts);
	dialog_close(&a->dialog);
	*a = (struct app){0};
}

void app_clock(struct app *a, int64_t now, int64_t mono)
{
	a->now = now;
	a->mono = mono;
	if (a->ops[a->view]->tick)
		a->ops[a->view]->tick(a, a->views[a->view]);
}

void app_say(struct app *a, enum style style, const char *fmt, ...)
{
	struct message *m = &a->log[a->log_n++ % LOG_LINES];
	va_list ap;

	*m = (struct message){.at = a->now, .style = style};
	va_start(ap, fmt);
	vsnprintf(m->text, sizeof(m->text), fmt, ap);
	va_end(ap);
}

bool app_stale(const struct app *a)
{
	return a->link.link == NET_LOST || a->link.link == NET_EXPIRED;
}

bool app_locked(const struct app *a, const char **why)
{
	if (a->read_only)
		*why = "Off: felloe was started with --read-only.";
	else if (str_eq(a->link.role, "viewer"))
		*why = "Off: your role (viewer) may not change anything. Needs: node_admin";
	else if (app_stale(a))
		*why = "Off: no connection to the master (needs live data).";
	else
		return false;
	return true;
}

void app_ask(struct app *a, const struct net_ask *ask)
{
	a->remote.ask(a->remote.ctx, ask);
}

void app_show(struct app *a, enum view_id view)
{
	if (a->view != view)
		a->log_seen = a->log_n;
	a->view = view;
	if (a->ops[view]->data)
		a->ops[view]->data(a, a->views[view]);
}

void app_open_node(struct app *a, uint64_t id)
{
	if (id != a->want.node) {
		detail_free(a->detail);
		a->detail = NULL;
		runs_free(a->runs);
		a->runs = NULL;
	}
	a->want.node = a->want.runs_of = id;
	a->from = a->ops[a->view]->tab ? a->view : VIEW_NODES;
	app_show(a, VIEW_NODE);
}

static void tell_views(struct app *a)
{
	for (int i = 0; i < VIEWS; i++)
		if (a->ops[i] && a->ops[i]->data)
			a->ops[i]->data(a, a->views[i]);
}

void app_data(struct app *a, struct nodes *n, struct detail *d, struct runs *r)
{
	struct nodes *old = n ? a->nodes : NULL;

	if (d && d->node.id != a->want.node) { /* late: another node is open */
		detail_free(d);
		d = NULL;
	}
	if (r && r->of != a->want.runs_of) {
		runs_free(r);
		r = NULL;
	}
	if (n)
		a->nodes = n;
	if (d) {
		detail_free(a->detail);
		a->detail = d;
	}
	if (r) {
		runs_free(a->runs);
		a->runs = r;
	}
	if (n || d || r)
		tell_views(a);
	nodes_unref(old); /* the tables pointed into it until now */
}

void app_alerts(struct app *a, struct alerts *alerts)
{
	struct alerts *old = a->alerts;

	if (!alerts)
		return;
	a->alerts = alerts;
	tell_views(a);
	alerts_free(old);
}

void app_change(struct app *a, struct change *c)
{
	if (a->nodes && change_apply(a->nodes, c))
		tell_views(a);
	else if (a->nodes)
		for (int i = 0; i < VIEWS; i++)
			if (a->ops[i] && a->ops[i]->numbers)
				a->ops[i]->numbers(a, a->views[i]);
	change_free(c);
}

void app_link(struct app *a, const struct net_state *s)
{
	enum net_link before = a->link.link;
	char when[FMT_TEXT];

	a->link = *s;
	if (s->link == before && (s->link != NET_LOST || s->tries <= 1))
		return;
	if (s->link == NET_LOST && before != NET_LOST)
		app_say(a, ST_FAIL, "Lost the master at %s: %.160s.", fmt_seconds(when, s->lost_at, a->utc), s->why);
	else if (s->link == NET_LIVE && before == NET_LOST)
		app_say(a, ST_OK, "The master is back.");
	else if (s->link == NET_EXPIRED && before != NET_EXPIRED) {
		/* its question was about data of the session that ended; and yes would go to the sign-in */
		if (a->dialog.open)
			dialog_close(&a->dialog);
		app_say(a, ST_WARN, "The session has ended. Sign in again.");
		a->behind = a->view;
		app_show(a, VIEW_LOGIN);
	}
}

void app_answer(struct app *a, struct net_answer *ans)
{
	for (int i = 0; i < VIEWS; i++)
		if (a->ops[i] && a->ops[i]->answer)
			a->ops[i]->answer(a, a->views[i], ans);
	net_answer_done(ans);
}

/* ---- keys */

static bool overlay_key(struct app *a, int key)
{
	int *top = a->help ? &a->help_top : &a->log_top;

	if (!a->help && !a->log_open)
		return false;
	if (key == K_DOWN || key == 'j' || key == K_PGDN)
		*top += key == K_PGDN ? 10 : 1;
	else if (key == K_UP || key == 'k' || key == K_PGUP)
		*top -= key == K_PGUP ? 10 : 1;
	else
		a->help = a->log_open = false;
	return true;
}

static void dialog_input(struct app *a, int key, const char *text)
{
	const char *why = "";

	str_cut(a->dialog.off, sizeof(a->dialog.off), a->view != VIEW_LOGIN && app_locked(a, &why) ? why : "");
	switch (dialog_key(&a->dialog, key, text)) {
	case DIALOG_OPEN:
		break;
	case DIALOG_NO:
		dialog_close(&a->dialog);
		app_say(a, ST_TEXT, "Nothing was changed.");
		break;
	case DIALOG_YES:
		a->ops[a->view]->confirmed(a, a->views[a->view], &a->dialog);
		dialog_close(&a->dialog);
		break;
	}
}

static void back(struct app *a)
{
	if (a->view == VIEW_LOGIN)
		a->quit = true;
	else if (a->ops[a->view]->tab)
		app_say(a, ST_TEXT, "q leaves felloe.");
	else
		app_show(a, a->from ? a->from : VIEW_NODES);
}

static void common(struct app *a, int command)
{
	switch (command) {
	case CMD_HELP:
		a->help = true;
		a->help_top = 0;
		break;
	case CMD_LOG:
		a->log_open = true;
		a->log_top = 0;
		break;
	case CMD_FREEZE:
		a->frozen = !a->frozen;
		a->want.frozen = a->frozen;
		app_say(a, ST_TEXT, a->frozen ? "Frozen: f goes on." : "Live again.");
		break;
	case CMD_ZONE:
		a->utc = !a->utc;
		app_say(a, ST_TEXT, a->utc ? "Times are in UTC." : "Times are in your zone.");
		break;
	case CMD_REFRESH:
		a->remote.retry(a->remote.ctx);
		break;
	case CMD_REDRAW:
		a->redraw = true;
		break;
	case CMD_SUSPEND:
		a->suspend = true;
		break;
	case CMD_QUIT:
		if (a->ops[a->view]->tab || a->view == VIEW_LOGIN)
			a->quit = true;
		else
			back(a);
		break;
	case CMD_BACK:
		back(a);
		break;
	case CMD_CANCEL:
		a->quit = true;
		break;
	case CMD_TAB1:
	case CMD_TAB2:
	case CMD_TAB3:
		if (a->view != VIEW_LOGIN)
			app_show(a, VIEW_NODES + (enum view_id)(command - CMD_TAB1));
		break;
	default:
		break;
	}
}

static void run_binding(struct app *a, const struct binding *b)
{
	const char *why = "";

	if (b->changes && app_locked(a, &why)) {
		app_say(a, ST_WARN, "%s", why);
		return;
	}
	if (b->command > CMD_COMMON)
		common(a, b->command);
	else
		a->ops[a->view]->act(a, a->views[a->view], b->command);
	if (a->dialog.open)
		a->drop_keys = true; /* typed for what stood there before */
}

void app_key(struct app *a, int key, const char *text)
{
	const struct view_ops *ops = a->ops[a->view];
	const struct binding *b;
	bool control = key < K_SPACE && key != K_ENTER && key != K_TAB && key != K_ESC;

	if (key == K_FOCUS_IN || key == K_FOCUS_OUT) {
		a->want.every_ms = key == K_FOCUS_IN ? 1000 : 10000;
		return;
	}
	if (!control && overlay_key(a, key))
		return;
	if (a->dialog.open && key != K_CTRL('c') && key != K_CTRL('l')) {
		dialog_input(a, key, text);
		return;
	}
	if (ops->key && ops->key(a, a->views[a->view], key, text))
		return;
	if (key == K_PASTE) {
		app_say(a, ST_WARN, "What was pasted is ignored: no text field here.");
		return;
	}
	b = keymap_find(ops->keys, common_keys, key);
	if (b)
		run_binding(a, b);
	else if (key > K_SPACE && key < 127)
		app_say(a, ST_TEXT, "%c does nothing here, ? lists keys.", key);
}
