/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/fmt.h"
#include "tui/keys.h"

enum { SLOW_MS = 500, SILENT_MS = 25000, SHORT_MESSAGE_MS = 10000 };

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

/* True when nothing may change now; why in *why (lent). */
static bool app_locked(const struct app *a, const char **why)
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

/* ---- the frame */

enum app_size app_size(const struct screen *s)
{
	if (s->cols < 40 || s->rows < 8)
		return SIZE_NONE;
	return s->cols < 60 || s->rows < 15 ? SIZE_LIST : SIZE_FULL;
}

struct rect app_body(const struct screen *s)
{
	if (app_size(s) == SIZE_FULL)
		return RECT(3, 0, s->rows - 5, s->cols);
	return RECT(1, 0, s->rows - 2, s->cols);
}

static void host_of(char *host, size_t size, const char *url)
{
	const char *p = strstr(url, "://");

	str_cut(host, size, p ? p + 3 : url);
	host[strcspn(host, "/")] = '\0';
}

static void link_text(const struct app *a, char *text, size_t size)
{
	char since[FMT_TEXT];
	int64_t wait = (a->link.retry_at - a->mono + 999) / 1000,
		every = a->link.every_ms > 1000 ? a->link.every_ms : 1000;

	if (a->link.link == NET_OUT)
		str_cut(text, size, "");
	else if (a->link.link == NET_EXPIRED)
		str_cut(text, size, "○ signed out");
	else if (a->link.link == NET_LOST)
		snprintf(text, size, "○ OFFLINE %s, retry in %ds (r now)", fmt_watch(since, a->now - a->link.lost_at),
			 (int)(wait < 0 ? 0 : wait));
	else if (a->frozen)
		str_cut(text, size, "‖ frozen");
	else if (a->link.events && a->now - a->link.last_ok > SILENT_MS)
		snprintf(text, size, "◐ silent %s", fmt_age(since, a->now - a->link.last_ok));
	else if (a->link.events)
		str_cut(text, size, "● live");
	else if (a->link.last_ok && a->now - a->link.last_ok > 3 * every + SLOW_MS)
		snprintf(text, size, "◐ slow %s", fmt_age(since, a->now - a->link.last_ok));
	else
		snprintf(text, size, "● every %ds", (int)((every + 500) / 1000));
}

static void counts_text(const struct app *a, char *text, size_t size, bool wide)
{
	const size_t *by = a->nodes ? a->nodes->by_health : NULL;
	size_t open = alerts_open(a->alerts);
	size_t len;

	text[0] = '\0';
	if (!by)
		return;
	snprintf(text, size, "%zu node%s%s", a->nodes->n, a->nodes->n == 1 ? "" : "s", wide && a->nodes->n ? ":" : "");
	for (int h = H_OK; wide && h >= 0; h--) {
		len = strlen(text);
		if (by[h] && h != H_WAITING)
			snprintf(text + len, size - len, "%s%zu %s", h == H_OK ? " " : "  ", by[h],
				 health_name((enum health)h));
	}
	len = strlen(text);
	if (a->nodes->pending)
		snprintf(text + len, size - len, "  %zu wait", a->nodes->pending);
	len = strlen(text);
	if (open)
		snprintf(text + len, size - len, "  %zu alert%s", open, open == 1 ? "" : "s");
}

static void draw_title(const struct app *a, struct screen *s)
{
	char host[128], link[128], counts[160] = "", clock[FMT_TEXT], right[256];
	int x, w;

	screen_fill(s, RECT(0, 0, 1, s->cols), ST_TITLE);
	host_of(host, sizeof(host), a->link.master);
	link_text(a, link, sizeof(link));
	if (a->view == VIEW_LOGIN) {
		screen_put(s, AT(0, 1, s->cols - 1), ST_TITLE, "Felloe");
		screen_right(s, AT(0, 8, s->cols - 8), ST_TITLE, "not signed in");
		return;
	}
	if (a->link.link != NET_LOST)
		counts_text(a, counts, sizeof(counts), s->cols >= 110);
	snprintf(right, sizeof(right), "%s  %s", a->link.user, fmt_clock(clock, a->now, a->utc));
	if (s->cols < 60)
		str_cut(right, sizeof(right), clock);
	w = text_width(right);
	x = 1 + screen_put(s, AT(0, 1, s->cols / 3), ST_TITLE, host) + 2;
	x += screen_put(s, AT(0, x, s->cols - x), ST_TITLE, link) + 4;
	if (x + text_width(counts) + 2 + w > s->cols)
		counts_text(a, counts, sizeof(counts), false);
	if (a->link.link != NET_LOST && x + text_width(counts) + 2 + w <= s->cols)
		screen_put(s, AT(0, x, s->cols - x), ST_TITLE, counts);
	if (x - 3 + w <= s->cols)
		screen_right(s, AT(0, s->cols - w, w), ST_TITLE, right);
}

static void draw_tabs(const struct app *a, struct screen *s)
{
	char text[64];
	size_t open;
	int x = 1, number = 0;

	if (!a->ops[a->view]->tab)
		return;
	for (int i = 0; i < VIEWS; i++) {
		if (!a->ops[i] || !a->ops[i]->tab)
			continue;
		snprintf(text, sizeof(text), "%d %s", ++number, a->ops[i]->name);
		if (i == VIEW_APPROVALS && a->nodes && a->nodes->pending)
			snprintf(text, sizeof(text), "%d %s·%zu", number, a->ops[i]->name, a->nodes->pending);
		open = i == VIEW_ALERTS ? alerts_open(a->alerts) : 0;
		if (open)
			snprintf(text, sizeof(text), "%d %s·%zu", number, a->ops[i]->name, open);
		x += screen_put(s, AT(1, x, s->cols - x), (int)a->view == i ? ST_TAB : ST_TEXT, text) + 2;
	}
}

void app_info(const struct app *a, struct screen *s, const struct app_info *i)
{
	char range[LIST_RANGE], when[FMT_TEXT], age[FMT_TEXT], marked[32] = "";
	int right;

	list_range(range, i->table);
	right = s->cols - text_width(range);
	if (app_stale(a)) {
		screen_putf(s, AT(2, 1, right - 2), ST_WARN, "shown: data of %s (%s old)",
			    fmt_seconds(when, a->link.last_ok, a->utc), fmt_age(age, a->now - a->link.last_ok));
	} else {
		screen_put(s, AT(2, 1, 23), ST_DIM, i->left);
		if (i->table->n_marks)
			snprintf(marked, sizeof(marked), "%zu marked", i->table->n_marks);
		if (i->filter) {
			screen_put(s, AT(2, 25, 8), ST_TEXT, "filter:");
			field_draw(s, AT(2, 33, right - 35), i->filter, true);
		} else {
			if (46 + text_width(marked) < right)
				screen_put(s, AT(2, 46, right - 47), ST_BOLD, marked);
			screen_put(s, AT(2, 25, marked[0] && right > 57 ? 20 : right - 26), ST_DIM, i->middle);
		}
	}
	screen_right(s, AT(2, right, s->cols - right), ST_DIM, range);
}

static const struct message *last_message(const struct app *a)
{
	return a->log_n ? &a->log[(a->log_n - 1) % LOG_LINES] : NULL;
}

static void draw_bottom(const struct app *a, struct screen *s)
{
	const struct message *m = last_message(a);
	const struct view_ops *ops = a->ops[a->view];
	const char *why;
	bool full = app_size(s) == SIZE_FULL, off = app_locked(a, &why);

	if (m && full && ops->hint && a->log_n == a->log_seen && a->now - m->at >= SHORT_MESSAGE_MS)
		m = NULL;
	if (!m && full && ops->hint && text_width(ops->hint) < s->cols)
		screen_put(s, AT(s->rows - 2, 1, s->cols - 2), ST_TEXT, ops->hint);
	if (m && (full || a->now - m->at < SHORT_MESSAGE_MS)) {
		screen_put(s, AT(full ? s->rows - 2 : s->rows - 1, 1, s->cols - 2), m->style, m->text);
		if (!full)
			return;
	}
	if (a->dialog.open)
		screen_put(s, AT(s->rows - 1, 1, s->cols - 1), ST_TEXT,
			   s->cols < 80
				   ? "Tab Next  Esc Cancel"
				   : "Tab Next  Esc Cancel        Enter in a text field only moves to the next field");
	else if (ops->typing && ops->typing(a->views[a->view]) && a->view != VIEW_LOGIN)
		screen_put(s, AT(s->rows - 1, 1, s->cols - 2), ST_TEXT, "Enter Keep the filter  Esc Empty it");
	else
		keymap_footer(s, s->rows - 1, ops->keys, a->view == VIEW_LOGIN ? NULL : common_keys, off);
}

static void draw_log(struct app *a, struct screen *s)
{
	size_t have = a->log_n < LOG_LINES ? a->log_n : LOG_LINES;
	int lines = s->rows - 6, most = (int)have - lines;
	struct rect r = RECT(2, 1, s->rows - 4, s->cols - 2);
	char when[FMT_TEXT];

	a->log_top = a->log_top > most ? most : a->log_top;
	a->log_top = a->log_top < 0 ? 0 : a->log_top;
	screen_window(s, r, "Messages of this session, newest first");
	for (int i = 0; i < lines && i + a->log_top < (int)have; i++) {
		const struct message *m = &a->log[(a->log_n - 1 - (size_t)(i + a->log_top)) % LOG_LINES];

		screen_put(s, AT(r.y + 1 + i, 3, 14), ST_DIM, fmt_seconds(when, m->at, a->utc));
		screen_put(s, AT(r.y + 1 + i, 18, s->cols - 21), m->style, m->text);
	}
	screen_cursor(s, r.y + 1, 3, false);
}

void app_draw(struct app *a, struct screen *s)
{
	const struct view_ops *ops = a->ops[a->view];
	const char *why = "";

	screen_clear(s);
	if (app_size(s) == SIZE_NONE) {
		screen_putf(s, AT(0, 0, s->cols), ST_TEXT, "Need 40x8, have %dx%d", s->cols, s->rows);
		return;
	}
	draw_title(a, s);
	if (app_size(s) == SIZE_FULL)
		draw_tabs(a, s);
	ops->draw(a, a->views[a->view], s);
	draw_bottom(a, s);
	if (a->dialog.open) {
		str_cut(a->dialog.off, sizeof(a->dialog.off), a->view != VIEW_LOGIN && app_locked(a, &why) ? why : "");
		dialog_draw(s, &a->dialog);
	}
	if (a->help)
		keymap_help(s, ops->name, ops->keys, a->view == VIEW_LOGIN ? NULL : common_keys, &a->help_top);
	if (a->log_open)
		draw_log(a, s);
}
