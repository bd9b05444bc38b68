/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/chart.h"
#include "tui/decide.h"
#include "tui/fmt.h"
#include "tui/keys.h"
#include "tui/panels.h"
#include "tui/views.h"

enum { CMD_OPEN = 1, CMD_FILTER, CMD_SORT, CMD_BLOCK };
enum { SORT_STATE, SORT_NAME, SORT_CPU, SORT_DISK, SORT_LAST, SORT_NEXT };
static const char *const sort_names[] = {"state, name", "name", "CPU", "disk", "last backup", "next backup"};
static const char sort_keys[] = "snpdlx";

struct nodes_view {
	struct table table;
	struct field filter;
	bool typing, sorting;
	const struct app *app;  /* while drawing */
};

static const struct binding keys[] = {
	{K_ENTER, CMD_OPEN, "Enter", "Open", "open the node under the cursor", false},
	{'/', CMD_FILTER, "/", "Filter", "show only rows with these words; !word: without; state:failed", false},
	{'s', CMD_SORT, "s", "Sort", "sort by another column; the same again reverses", false},
	{K_SPACE, 0, "Space", "Mark", "mark; + all shown, - none, * the others", false},
	{'X', CMD_BLOCK, "X", "Block", "block the node under the cursor, with a reason, after a question", true},
	{']', 0, "] [", NULL, "next, previous node with a problem", false},
	{K_DOWN, 0, "arrows", NULL, "move; also j k g G, PgUp PgDn, Home End", false},
	{0, 0, NULL, NULL, NULL, false},
};

static const struct node *node_at(const void *rows, size_t i)
{
	return ((const struct nodes *)rows)->v[i];
}

static uint64_t row_id(const void *rows, size_t i)
{
	return node_at(rows, i)->id;
}

static int by_number(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return a > b ? -1 : a < b;
}

static int by_time(int64_t a, int64_t b)
{
	if (!a || !b)
		return (a == 0) - (b == 0);
	return a < b ? -1 : a > b;
}

static int compare(const void *rows, size_t ia, size_t ib, int sort)
{
	const struct node *a = node_at(rows, ia), *b = node_at(rows, ib);
	int c = 0;

	if (sort == SORT_STATE)
		c = (int)a->health - (int)b->health;
	else if (sort == SORT_CPU)
		c = by_number(a->cpu, b->cpu);
	else if (sort == SORT_DISK)
		c = by_number(a->disk, b->disk);
	else if (sort == SORT_LAST)
		c = by_time(b->last_at, a->last_at);
	else if (sort == SORT_NEXT)
		c = by_time(a->next_at, b->next_at);
	if (c == 0)
		c = strcmp(a->name, b->name);
	return c ? c : a->id < b->id ? -1 : a->id > b->id;
}

static bool match(const void *rows, size_t i, const char *word)
{
	const struct node *n = node_at(rows, i);

	if (str_starts(word, "state:"))
		return str_starts(health_name(n->health), word + 6);
	if (str_starts(word, "node:"))
		return strcasestr(n->name, word + 5);
	return strcasestr(n->name, word) || strcasestr(health_name(n->health), word) || strcasestr(n->peer, word) ||
	       strcasestr(n->agent, word);
}

static bool problem(const void *rows, size_t i)
{
	return node_at(rows, i)->health <= H_OFFLINE;
}

static const struct table_ops table_ops = {row_id, compare, match, problem};

static void *make(void)
{
	struct nodes_view *v = xcalloc(1, sizeof(*v));

	table_init(&v->table, &table_ops);
	return v;
}

static void drop(void *p)
{
	struct nodes_view *v = p;

	table_done(&v->table);
	free(v);
}

/* ---- cells */

/* 24 minutes in w bars: the mean of what is there; the newest is what the node said last. */
static void draw_spark(struct screen *s, struct span at, enum style style, const struct node *n)
{
	size_t bars = (size_t)at.w, per = TREND / bars;
	double values[TREND];

	for (size_t b = 0; b < bars; b++) {
		double sum = 0;
		int have = 0;

		for (size_t i = b * per; i < (b + 1) * per; i++)
			if (n->trend[i] != TREND_GAP) {
				sum += n->trend[i];
				have++;
			}
		values[b] = have ? sum / have : NAN;
	}
	if (n->health != H_OFFLINE && isnan(values[bars - 1]))
		values[bars - 1] = n->cpu;
	spark_draw(s, at, style, values, bars);
}

enum { COL_NODE, COL_STATE, COL_CPU, COL_MEM, COL_DISK, COL_LAST, COL_SIZE, COL_NEXT, COL_AGENT };

static enum style health_style(enum health h)
{
	static const enum style styles[] = {
		[H_FAILED] = ST_FAIL, [H_WARN] = ST_WARN, [H_OFFLINE] = ST_DIM,	 [H_RUNNING] = ST_RUN,
		[H_PAUSED] = ST_TEXT, [H_WAITING] = ST_WAIT, [H_BLOCKED] = ST_DIM, [H_OK] = ST_OK,
	};

	return styles[h];
}

static bool old_values(const struct nodes_view *v, const struct node *n)
{
	return app_stale(v->app) || n->health == H_OFFLINE;
}

static void cell_state(struct screen *s, struct span at, const struct nodes_view *v, const struct node *n)
{
	if (app_stale(v->app))
		screen_put(s, AT(at.y, at.x - 1, 1), ST_DIM, "~");
	if (n->health == H_RUNNING && !isnan(n->run_percent))
		screen_putf(s, at, ST_RUN, "» %.0f%%", n->run_percent);
	else
		screen_put(s, at, health_style(n->health), health_text(n->health));
}

static void cell_meter(struct screen *s, struct span at, double percent, bool old)
{
	char text[FMT_TEXT];

	screen_put(s, AT(at.y, at.x, 4),
		   old             ? ST_DIM
		   : percent >= 90 ? ST_WARN
				   : ST_TEXT,
		   fmt_percent(text, percent, old));
	if (at.w > 5)
		meter_draw(s, AT(at.y, at.x + 5, at.w - 5),
			   old             ? ST_DIM
			   : percent >= 90 ? ST_WARN
					   : ST_RUN,
			   percent, NULL);
}

static void cell_last(struct screen *s, struct span at, const struct nodes_view *v, const struct node *n)
{
	char text[FMT_TEXT];
	enum style style;

	if (n->running && n->run_left >= 0) {
		screen_putf(s, at, ST_RUN, "» ~%s left",
			    fmt_age(text, n->run_left < 60000 ? n->run_left : (n->run_left + 30000) / 60000 * 60000));
	} else if (n->running) {
		screen_put(s, at, ST_RUN, "» running");
	} else if (n->last_at == 0) {
		screen_put(s, at, ST_DIM, " never");
	} else {
		const char *glyph = run_glyph(n->last_state, &style);

		screen_put(s, AT(at.y, at.x, 1), style, glyph);
		screen_put(s, AT(at.y, at.x + 2, at.w - 2), ST_TEXT, fmt_ago(text, n->last_at, v->app->now));
	}
}

static void cell_next(struct screen *s, struct span at, const struct nodes_view *v, const struct node *n)
{
	char text[FMT_TEXT];

	if (n->health == H_PAUSED)
		screen_put(s, at, ST_TEXT, "paused");
	else if (n->running)
		screen_put(s, at, ST_RUN, "running");
	else
		screen_put(s, at, n->next_at && n->next_at < v->app->now - 60000 ? ST_WARN : ST_TEXT,
			   n->next_at ? fmt_next(text, n->next_at, v->app->now) : " -");
}

static void cell(struct screen *s, struct span at, const void *ctx, size_t i, int column)
{
	const struct nodes_view *v = ctx;
	const struct node *n = node_at(v->app->nodes, i);
	bool old = old_values(v, n);
	char text[FMT_TEXT], bytes[UNITS_TEXT];

	switch (column) {
	case COL_NODE:
		screen_put(s, at, ST_TEXT, n->name);
		break;
	case COL_STATE:
		cell_state(s, at, v, n);
		break;
	case COL_CPU:
		if (isnan(n->cpu)) {
			screen_put(s, AT(at.y, at.x + 3, 1), ST_DIM, "-");
			break;
		}
		screen_put(s, AT(at.y, at.x, 4), old ? ST_DIM : ST_TEXT, fmt_percent(text, n->cpu, old));
		draw_spark(s, AT(at.y, at.x + 5, at.w > 13 ? 12 : 8), old ? ST_DIM : ST_RUN, n);
		break;
	case COL_MEM:
		cell_meter(s, AT(at.y, at.x, 4), n->mem, old);
		break;
	case COL_DISK:
		cell_meter(s, at, n->disk, old);
		break;
	case COL_LAST:
		cell_last(s, at, v, n);
		break;
	case COL_SIZE:
		screen_right(s, at, ST_TEXT, n->last_size > 0 ? units_bytes_short(bytes, (uint64_t)n->last_size) : "-");
		break;
	case COL_NEXT:
		cell_next(s, at, v, n);
		break;
	default:
		screen_put(s, at, ST_TEXT, n->agent);
		break;
	}
}

static const struct column wide[] = {
	{COL_NODE, "NODE", 3, 20},	  {COL_STATE, "STATE", 24, 10}, {COL_CPU, " CPU 24 min", 35, 18},
	{COL_MEM, " MEM", 54, 4},	  {COL_DISK, "DISK", 60, 15},	{COL_LAST, "LAST BACKUP", 76, 11},
	{COL_SIZE, " SIZE", 90, 5},	  {COL_NEXT, "NEXT", 97, 8},	{COL_AGENT, "AGENT", 106, 10},
};
static const struct column normal[] = {
	{COL_NODE, "NODE", 3, 19},   {COL_STATE, "STATE", 23, 9},	   {COL_CPU, "CPU  24 min", 33, 13},
	{COL_DISK, " DISK", 48, 10}, {COL_LAST, "LAST BACKUP", 60, 11}, {COL_NEXT, "NEXT", 73, 7},
};
static const struct column narrow[] = {
	{COL_NODE, "NODE", 3, 19},
	{COL_STATE, "STATE", 23, 9},
	{COL_DISK, " DISK", 33, 10},
	{COL_LAST, "LAST BACKUP", 46, 11},
};
static const struct column tiny[] = {
	{COL_NODE, "NODE", 3, 20},
	{COL_STATE, "STATE", 24, 9},
	{COL_DISK, " DISK", 34, 4},
};
static const struct layout layouts[] = {
	{118, wide, ARRAY_LEN(wide)},
	{80, normal, ARRAY_LEN(normal)},
	{58, narrow, ARRAY_LEN(narrow)},
	{0, tiny, ARRAY_LEN(tiny)},
};

static void draw_info(const struct app *a, const struct nodes_view *v, struct screen *s)
{
	char left[64], middle[TABLE_FILTER + 16];

	snprintf(left, sizeof(left), "sort: %s%s", sort_names[v->table.sort], v->table.reverse ? " ↑" : "");
	snprintf(middle, sizeof(middle), "filter: %s", v->table.filter[0] ? v->table.filter : "(none)");
	app_info(a, s, &(struct app_info){left, middle, &v->table, v->typing ? &v->filter : NULL});
}

static void draw_empty(const struct app *a, const struct nodes_view *v, struct screen *s, struct rect r)
{
	if (!a->nodes)
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_DIM, app_stale(a) ? "No data yet: the master does not answer."
									   : "Asking the master …");
	else if (v->table.total == 0)
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_TEXT, "No nodes yet. On a node run: felloe configure");
	else
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_TEXT, "No node matches: Esc empties the filter.");
	screen_cursor(s, r.y + 2, 1, false);
}

static void draw(struct app *a, void *p, struct screen *s)
{
	struct nodes_view *v = p;
	struct rect r = app_body(s);
	struct list_view lv = {.layout = list_layout(layouts, ARRAY_LEN(layouts), s->cols), .cell = cell, .ctx = v,
			       .stale = app_stale(a)};

	v->app = a;
	list_draw(s, r, &v->table, &lv);
	if (v->table.n == 0)
		draw_empty(a, v, s, r);
	if (app_size(s) == SIZE_FULL)
		draw_info(a, v, s);
}

/* ---- keys */

static void data(struct app *a, void *p)
{
	struct nodes_view *v = p;

	if (a->nodes && table_update(&v->table, a->nodes, a->nodes->n) && a->view == VIEW_NODES && !v->table.filter[0])
		app_say(a, ST_WARN, "The node under the cursor is gone.");
}

static void numbers(struct app *a, void *p)
{
	struct nodes_view *v = p;

	if (v->table.sort == SORT_CPU || v->table.sort == SORT_DISK)
		(void)table_update(&v->table, a->nodes, a->nodes->n);
}

static bool key(struct app *a, void *p, int k, const char *text)
{
	struct nodes_view *v = p;

	if (v->typing)
		return list_filter_key(&v->table, &v->filter, &v->typing, k, text);
	if (v->sorting) {
		const char *at = k > 0 && k < 127 ? strchr(sort_keys, k) : NULL;

		v->sorting = false;
		if (at)
			table_sort(&v->table, (int)(at - sort_keys));
		app_say(a, ST_TEXT, at ? "Sorted by %s%s." : "The order stays: %s%s.", sort_names[v->table.sort],
			v->table.reverse ? ", reversed" : "");
		return true;
	}
	if (k == K_ESC && v->table.filter[0]) {
		field_set(&v->filter, "");
		table_filter(&v->table, "");
		return true;
	}
	if ((k == ']' || k == '[') && !table_key(&v->table, k)) {
		app_say(a, ST_OK, "No node has a problem.");
		return true;
	}
	return k == ']' || k == '[' || table_key(&v->table, k);
}

static void act(struct app *a, void *p, int command)
{
	struct nodes_view *v = p;
	size_t i;

	if (command == CMD_FILTER) {
		v->typing = true;
	} else if (command == CMD_SORT) {
		v->sorting = true;
		app_say(a, ST_BOLD, "Sort by: s state  n name  p CPU  d disk  l last backup  x next backup");
	} else if (command == CMD_BLOCK && table_current(&v->table, &i)) {
		if (node_at(a->nodes, i)->state == 'b')
			app_say(a, ST_TEXT, "%s is blocked already.", node_at(a->nodes, i)->name);
		else
			decide_block(a, node_at(a->nodes, i));
	} else if (command == CMD_OPEN && table_current(&v->table, &i)) {
		const struct node *n = node_at(a->nodes, i);

		if (n->state == 'p') {
			app_show(a, VIEW_APPROVALS);
			return;
		}
		app_open_node(a, n->id);
	}
}

static void confirmed(struct app *a, void *p, struct dialog *d)
{
	(void)p;
	decide_confirmed(a, d);
}

static bool typing(void *p)
{
	return ((struct nodes_view *)p)->typing;
}

static const struct view_ops ops = {
	.name = "Nodes", .keys = keys, .tab = true, .make = make, .drop = drop, .draw = draw, .key = key, .act = act,
	.data = data, .numbers = numbers, .confirmed = confirmed, .typing = typing,
};

const struct view_ops *view_nodes(void)
{
	return &ops;
}
