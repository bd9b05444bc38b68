/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/fmt.h"
#include "tui/keys.h"
#include "tui/node_lists.h"
#include "tui/panels.h"
#include "tui/request.h"
#include "tui/views.h"

enum { CMD_OVERVIEW = 1, CMD_TIMERS, CMD_RUNS, CMD_NEXT_TAB, CMD_WIDER, CMD_NARROWER, CMD_BACKUP, CMD_PAUSE, CMD_STOP,
       CMD_VERIFY };
enum { TAB_OVERVIEW, TAB_TIMERS, TAB_RUNS, TABS };
static const char *const tab_names[TABS] = {"1 Overview", "2 Timers", "3 Runs"};

static const struct {
	int64_t ms;
	const char *name;
} spans[] = {{24 * 60000LL, "24 min"}, {6 * 3600000LL, "6 h"}, {24 * 3600000LL, "24 h"}};

struct node_view {
	int tab;
	size_t span;
	uint64_t node;         /* whose data the rest is */
	struct series *series;
	size_t values;         /* that the chart has room for */
	bool series_out;
	int64_t series_at;     /* monotonic */
	struct node_lists lists;
	struct request request;
};

static const struct binding keys[] = {
	{K_TAB, CMD_NEXT_TAB, "Tab", "Panel", "next page of this node", false},
	{'+', CMD_WIDER, "+/-", "Span", "more or less time in the chart: 24 min, 6 h, 24 h", false},
	{'-', CMD_NARROWER, "-", NULL, NULL, false},
	{'1', CMD_OVERVIEW, "1", NULL, "Overview", false},
	{'2', CMD_TIMERS, "2", NULL, "Timers", false},
	{'3', CMD_RUNS, "3", NULL, "Runs", false},
	{'B', CMD_BACKUP, "B", "Back up", "ask the node to back up now; on Timers: what the timer says", true},
	{'P', CMD_PAUSE, "P", "Pause", "ask it to pause its timers, or to go on; on Timers: this one", true},
	{'X', CMD_STOP, "X", "Stop", "ask it to stop the run that goes on", true},
	{'V', CMD_VERIFY, "V", NULL, "ask it to check what is stored; on Runs: of this run", true},
	{'?', CMD_HELP, "?", "Help", "this list", false},
	{K_ESC, CMD_BACK, "Esc", "Back", "to the list of nodes", false},
	{'q', CMD_BACK, "q", NULL, "to the list of nodes", false},
	{0, 0, NULL, NULL, NULL, false},
};

static void *make(void)
{
	struct node_view *v = xcalloc(1, sizeof(*v));

	node_lists_init(&v->lists);
	return v;
}

static void drop(void *p)
{
	struct node_view *v = p;

	node_lists_done(&v->lists);
	series_free(v->series);
	free(v);
}

static const struct detail *shown(const struct app *a)
{
	return a->detail && a->detail->node.id == a->want.node ? a->detail : NULL;
}

static void forget(struct node_view *v)
{
	series_free(v->series);
	v->series = NULL;
	v->series_at = 0;
}

static int64_t step_ms(const struct node_view *v)
{
	int64_t step = v->values ? spans[v->span].ms / (int64_t)v->values / 1000 * 1000 : 0;

	return step < 1000 ? 1000 : step;
}

/* Asks for the chart when it is a third of a step old: it moves when there is something new to see. */
static void tick(struct app *a, void *p)
{
	struct node_view *v = p;
	struct net_ask ask = {.tag = TAG_SERIES, .id = a->want.node, .method = "GET"};
	char from[CLOCK_TEXT];
	int64_t every = step_ms(v) / 3;

	request_tick(&v->request, a);
	if (v->node != a->want.node)
		forget(v);
	v->node = a->want.node;
	if (v->series_out || !v->values || app_stale(a) || a->frozen ||
	    (v->series_at && a->mono - v->series_at < every))
		return;
	v->series_at = a->mono;
	v->series_out = true;
	clock_rfc3339(from, (a->now - spans[v->span].ms) / 1000 * 1000);
	snprintf(ask.path, sizeof(ask.path), "/nodes/%" PRIu64 "/stats?from=%s&step=%d", ask.id, from,
		 (int)(step_ms(v) / 1000));
	app_ask(a, &ask);
}

static void answer(struct app *a, void *p, const struct net_answer *ans)
{
	struct node_view *v = p;

	request_answer(&v->request, a, ans);
	if (ans->tag != TAG_SERIES)
		return;
	v->series_out = false;
	if (ans->id != v->node || ans->err.kind != ERR_NONE)
		return;
	series_free(v->series);
	v->series = series_from(ans->json, a->now, step_ms(v), v->values);
}

static void data(struct app *a, void *p)
{
	struct node_view *v = p;

	if (a->view == VIEW_NODE)
		node_lists_data(&v->lists, shown(a), a->runs);
}

/* "Debian GNU/Linux 12 (bookworm)" as "Debian 12". */
static void short_os(char *text, size_t size, const char *os)
{
	char *gnu, *code;

	str_cut(text, size, os);
	code = strstr(text, " (");
	if (code)
		*code = '\0';
	gnu = strstr(text, " GNU/Linux ");
	if (gnu)
		memmove(gnu, gnu + strlen(" GNU/Linux"), strlen(gnu + strlen(" GNU/Linux")) + 1);
}

static void facts_text(char *facts, size_t size, const struct node *n, const struct detail *d)
{
	char up[FMT_TEXT], os[32];
	size_t len = 0;

	facts[0] = '\0';
	short_os(os, sizeof(os), n->os);
	if (n->agent[0])
		len = (size_t)snprintf(facts, size, "agent %.16s  ", n->agent);
	if (d && d->sample.uptime_s > 0)
		len += (size_t)snprintf(facts + len, size - len, "up %s  ", fmt_age(up, d->sample.uptime_s * 1000));
	if (os[0])
		len += (size_t)snprintf(facts + len, size - len, "%s  ", os);
	if (n->cores > 0)
		snprintf(facts + len, size - len, "%d core%s", (int)n->cores, n->cores == 1 ? "" : "s");
}

static void draw_head(const struct app *a, const struct node_view *v, struct screen *s, const struct node *n)
{
	char facts[160];
	int x = 1;

	facts_text(facts, sizeof(facts), n, shown(a));
	x += screen_putf(s, AT(1, x, s->cols / 2), ST_BOLD, "Nodes > %s", n->name) + 3;
	x += screen_put(s, AT(1, x, s->cols - x), n->running ? ST_RUN : ST_TEXT,
			n->running ? "» backing up" : health_text(n->health)) + 2;
	if (x + text_width(facts) < s->cols)
		screen_right(s, AT(1, x, s->cols - x - 1), ST_TEXT, facts);
	x = 1;
	for (int i = 0; i < TABS; i++)
		x += screen_put(s, AT(2, x, s->cols - x), i == v->tab ? ST_TAB : ST_TEXT, tab_names[i]) + 2;
	if (n->reason[0] && n->health <= H_OFFLINE && x + 4 < s->cols)
		screen_putf(s, AT(2, x + 1, s->cols - x - 2), ST_WARN, "▲ %s", n->reason);
}

static void draw_small(const struct app *a, struct screen *s, const struct detail *d)
{
	char text[FMT_TEXT];
	int y = 1;

	screen_putf(s, AT(y++, 1, s->cols - 2), ST_BOLD, "%s  %s", d->node.name, health_text(d->node.health));
	screen_putf(s, AT(y++, 1, s->cols - 2), ST_TEXT, "CPU  %s", fmt_percent(text, d->sample.cpu, app_stale(a)));
	screen_putf(s, AT(y++, 1, s->cols - 2), ST_TEXT, "disk %s", fmt_percent(text, d->sample.disk, app_stale(a)));
	screen_putf(s, AT(y, 1, s->cols - 2), ST_TEXT, "last backup %s", fmt_ago(text, d->node.last_at, a->now));
}

static void draw(struct app *a, void *p, struct screen *s)
{
	struct node_view *v = p;
	const struct detail *d = shown(a);
	const struct node *n = d ? &d->node : nodes_find(a->nodes, a->want.node);
	struct rect r = app_body(s);
	char span[64], step[FMT_TEXT];

	v->values = panels_values(s->cols);
	if (!n || !d) {
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_DIM,
			   n ? "Asking the master …" : "This node is gone: Esc goes back.");
		screen_cursor(s, r.y + 2, 1, false);
		return;
	}
	if (app_size(s) != SIZE_FULL) {
		draw_small(a, s, d);
		return;
	}
	draw_head(a, v, s, n);
	if (step_ms(v) < 60000)
		snprintf(span, sizeof(span), "%s, %d s", spans[v->span].name, (int)(step_ms(v) / 1000));
	else
		snprintf(span, sizeof(span), "%s, %s", spans[v->span].name, fmt_age(step, step_ms(v)));
	if (v->tab == TAB_OVERVIEW)
		panels_draw(s, r, &(struct panels){a, d, v->series, span});
	else
		node_lists_draw(&v->lists, s, r, v->tab == TAB_TIMERS ? LIST_TIMERS : LIST_RUNS, a);
}

static bool key(struct app *a, void *p, int k, const char *text)
{
	struct node_view *v = p;

	(void)a;
	(void)text;
	if (v->tab == TAB_OVERVIEW || k == '+' || k == '-' || k == K_SPACE || k == '*' || k == '[' || k == ']')
		return false;
	return node_lists_key(&v->lists, v->tab == TAB_TIMERS ? LIST_TIMERS : LIST_RUNS, k);
}

/* The run that goes on, as the node reports it; NULL none. */
static const char *running(const struct app *a)
{
	const struct detail *d = shown(a);

	return d && d->has_sample && d->sample.runs.n ? d->sample.runs.v[0].uuid : NULL;
}

static void ask_node(struct app *a, struct node_view *v, int command)
{
	const struct detail *d = shown(a);
	const struct wire_timer *timer = v->tab == TAB_TIMERS ? node_lists_timer(&v->lists) : NULL;
	const struct wire_run *run = v->tab == TAB_RUNS ? node_lists_run(&v->lists) : NULL;

	if (!d || d->node.state != 'a') {
		app_say(a, ST_TEXT, "Only an active node can be asked.");
		return;
	}
	if (command == CMD_STOP && !running(a))
		app_say(a, ST_TEXT, "No run goes on.");
	else if (command == CMD_STOP)
		request_ask(&v->request, a, ASK_STOP, running(a));
	else if (command == CMD_BACKUP)
		request_ask(&v->request, a, ASK_BACKUP, timer ? timer->name : NULL);
	else if (command == CMD_VERIFY && run && run->pruned)
		app_say(a, ST_TEXT, "This run was pruned: nothing of it is left to verify.");
	else if (command == CMD_VERIFY)
		request_ask(&v->request, a, ASK_VERIFY, run ? run->uuid : NULL);
	else
		request_ask(&v->request, a, (timer ? timer->paused : d->node.health == H_PAUSED) ? ASK_RESUME : ASK_PAUSE,
			    timer ? timer->name : NULL);
}

static void confirmed(struct app *a, void *p, struct dialog *d)
{
	request_confirmed(&((struct node_view *)p)->request, a, d);
}

static void act(struct app *a, void *p, int command)
{
	struct node_view *v = p;

	switch (command) {
	case CMD_OVERVIEW:
	case CMD_TIMERS:
	case CMD_RUNS:
		v->tab = command - CMD_OVERVIEW;
		break;
	case CMD_NEXT_TAB:
		v->tab = (v->tab + 1) % TABS;
		break;
	case CMD_WIDER:
	case CMD_NARROWER:
		if (command == CMD_WIDER && v->span + 1 < ARRAY_LEN(spans))
			v->span++;
		else if (command == CMD_NARROWER && v->span > 0)
			v->span--;
		forget(v);
		break;
	case CMD_BACKUP:
	case CMD_PAUSE:
	case CMD_STOP:
	case CMD_VERIFY:
		ask_node(a, v, command);
		break;
	default:
		break;
	}
	data(a, v);
}

static const struct view_ops ops = {
	.name = "Node", .keys = keys, .make = make, .drop = drop, .draw = draw, .key = key, .act = act, .tick = tick,
	.data = data, .answer = answer, .confirmed = confirmed,
};

const struct view_ops *view_node(void)
{
	return &ops;
}
