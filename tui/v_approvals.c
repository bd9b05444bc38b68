/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/decide.h"
#include "tui/fmt.h"
#include "tui/keys.h"
#include "tui/views.h"

enum { CMD_APPROVE = 1, CMD_BLOCK, CMD_UNBLOCK, CMD_WHICH };

struct approvals_view {
	struct table table;
	bool blocked;            /* shows the blocked nodes instead of the waiting ones */
	const struct node **rows; /* of the app's nodes that are shown */
	size_t n;
	const struct app *app;   /* while drawing */
};

static const struct binding keys[] = {
	{'A', CMD_APPROVE, "A", "Approve", "approve the node under the cursor, after a question", true},
	{'X', CMD_BLOCK, "X", "Block", "block it, with a reason, after a question", true},
	{'U', CMD_UNBLOCK, "U", NULL, "let a blocked node (b) report again, after a question", true},
	{'b', CMD_WHICH, "b", "Blocked", "show the blocked nodes, or those that wait", false},
	{K_DOWN, 0, "arrows", NULL, "move; also j k g G, PgUp PgDn, Home End", false},
	{0, 0, NULL, NULL, NULL, false},
};

static const struct node *row(const void *rows, size_t i)
{
	return ((const struct approvals_view *)rows)->rows[i];
}

static uint64_t row_id(const void *rows, size_t i)
{
	return row(rows, i)->id;
}

static int compare(const void *rows, size_t ia, size_t ib, int sort)
{
	const struct node *a = row(rows, ia), *b = row(rows, ib);

	(void)sort;
	if (a->created != b->created) /* the newest first: that is who somebody is waiting for */
		return a->created > b->created ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static bool match(const void *rows, size_t i, const char *word)
{
	return strcasestr(row(rows, i)->name, word);
}

static const struct table_ops table_ops = {row_id, compare, match, NULL};

static void *make(void)
{
	struct approvals_view *v = xcalloc(1, sizeof(*v));

	table_init(&v->table, &table_ops);
	return v;
}

static void drop(void *p)
{
	struct approvals_view *v = p;

	table_done(&v->table);
	free(v->rows);
	free(v);
}

static void data(struct app *a, void *p)
{
	struct approvals_view *v = p;

	if (!a->nodes)
		return;
	v->rows = xrealloc(v->rows, (a->nodes->n + 1) * sizeof(*v->rows));
	v->n = 0;
	for (size_t i = 0; i < a->nodes->n; i++)
		if (a->nodes->v[i]->state == (v->blocked ? 'b' : 'p'))
			v->rows[v->n++] = a->nodes->v[i];
	(void)table_update(&v->table, v, v->n);
}

enum { COL_NODE, COL_FROM, COL_WAIT, COL_CODE, COL_NOTE };
static const struct column normal[] = {
	{COL_NODE, "NODE", 3, 18},	  {COL_FROM, "FROM ADDRESS", 22, 17}, {COL_WAIT, "WAITING", 40, 8},
	{COL_CODE, "CODE", 50, 10}, {COL_NOTE, "NOTE", 61, 200},
};
static const struct column narrow[] = {
	{COL_NODE, "NODE", 3, 15},  {COL_FROM, "FROM ADDRESS", 19, 15}, {COL_WAIT, "WAITING", 35, 7},
	{COL_CODE, "CODE", 44, 10}, {COL_NOTE, "NOTE", 55, 200},
};
static const struct column tiny[] = {{COL_NODE, "NODE", 3, 20}, {COL_CODE, "CODE", 25, 12}};
static const struct layout layouts[] = {
	{80, normal, ARRAY_LEN(normal)}, {58, narrow, ARRAY_LEN(narrow)}, {0, tiny, ARRAY_LEN(tiny)}};

static void cell_note(struct screen *s, struct span at, const struct node *n)
{
	if (n->state == 'b')
		screen_put(s, at, ST_TEXT, n->reason);
	else if (n->name_in_use)
		screen_put(s, at, ST_WARN, "▲ name already used");
	else if (n->code_open)
		screen_put(s, at, ST_WARN, "▲ open code");
}

static void cell(struct screen *s, struct span at, const void *ctx, size_t i, int column)
{
	const struct approvals_view *v = ctx;
	const struct node *n = v->rows[i];
	int64_t since = n->state == 'b' && n->blocked_at ? n->blocked_at : n->created;
	char age[FMT_TEXT];

	if (column == COL_NODE) {
		screen_put(s, at, ST_TEXT, n->name);
	} else if (column == COL_FROM) {
		screen_put(s, at, ST_TEXT, n->peer);
	} else if (column == COL_WAIT && since) {
		fmt_age(age, v->app->now - since);
		screen_putf(s, at, ST_TEXT, "%s%s", strspn(age, "0123456789") < 2 ? "  " : " ", age);
	} else if (column == COL_CODE) {
		screen_put(s, at, ST_BOLD, n->code);
	} else if (column == COL_NOTE) {
		cell_note(s, at, n);
	}
}

static int fact(struct screen *s, struct span at, const char *label, const char *text)
{
	if (str_empty(text))
		return 0;
	screen_put(s, AT(at.y, 3, 10), ST_DIM, label);
	screen_put(s, AT(at.y, 14, at.w - 14), ST_TEXT, text);
	return 1;
}

static void system_text(char *text, size_t size, const struct node *n)
{
	char memory[UNITS_TEXT];
	size_t len;

	snprintf(text, size, "%.60s", n->os);
	len = strlen(text);
	if (n->cores > 0)
		snprintf(text + len, size - len, "%s%d core%s", len ? ", " : "", (int)n->cores,
			 n->cores == 1 ? "" : "s");
	len = strlen(text);
	if (n->memory > 0)
		snprintf(text + len, size - len, "%s%s", len ? ", " : "", units_bytes(memory, (uint64_t)n->memory));
	len = strlen(text);
	if (n->agent[0])
		snprintf(text + len, size - len, "%sagent %.20s", len ? ", " : "", n->agent);
}

static void asked_text(char *text, size_t size, const struct app *a, const struct node *n)
{
	char when[FMT_TEXT];

	snprintf(text, size, "%s%sat %s", n->asked_by[0] ? n->asked_by : "", n->asked_by[0] ? " " : "",
		 fmt_seconds(when, n->created, a->utc));
}

/* What is known of the node under the cursor, below the list. */
static void draw_facts(const struct app *a, struct screen *s, struct rect r, const struct node *n)
{
	int y = r.y, end = r.y + r.h;
	char text[640]; /* a reason has up to 512 bytes */

	screen_rule(s, AT(y, 1, r.w - 1), ST_HEAD, n->name);
	if (n->code[0] && n->state == 'p' && ++y < end) {
		screen_put(s, AT(y, 3, 60), ST_TEXT,
			   r.w >= 80 ? "Compare this code with the one on the node's own screen:"
				     : "Compare with the node's screen:");
		screen_put(s, AT(y, r.w >= 80 ? 65 : 36, 14), ST_BOLD, n->code);
	}
	if (!n->code[0] && n->state == 'p' && ++y < end)
		screen_put(s, AT(y, 3, r.w - 4), ST_DIM, "The node has not shown its code yet: it cannot be approved.");
	y += r.h > 8 ? 2 : 1;
	system_text(text, sizeof(text), n);
	y += y < end ? fact(s, AT(y, 0, r.w), "Key", n->key) : 0;
	y += y < end ? fact(s, AT(y, 0, r.w), "System", text) : 0;
	asked_text(text, sizeof(text), a, n);
	y += y < end ? fact(s, AT(y, 0, r.w), n->asked_by[0] ? "Asked by" : "Asked", text) : 0;
	y += y < end ? fact(s, AT(y, 0, r.w), "Sites", n->sites) : 0;
	y += y < end ? fact(s, AT(y, 0, r.w), "Timers", n->timers) : 0;
	y += y < end ? fact(s, AT(y, 0, r.w), "Storages", n->storages) : 0;
	if (n->name_in_use && y < end)
		y += fact(s, AT(y, 0, r.w), "Checks", "▲ another node has this name: approving asks for a new one");
	if (n->state == 'b' && y < end) {
		snprintf(text, sizeof(text), "%s%s%s", n->reason, n->blocked_by[0] ? ", by " : "", n->blocked_by);
		screen_put(s, AT(y, 3, 10), ST_DIM, "Blocked");
		screen_wrap(s, RECT(y, 14, end - y, r.w - 14), ST_TEXT, text);
	}
}

static void draw(struct app *a, void *p, struct screen *s)
{
	struct approvals_view *v = p;
	struct rect r = app_body(s);
	int list_h = app_size(s) == SIZE_FULL ? (r.h - 13 > 4 ? r.h - 13 : 4) : r.h;
	struct list_view lv = {.layout = list_layout(layouts, ARRAY_LEN(layouts), s->cols), .cell = cell, .ctx = v,
			       .stale = app_stale(a)};
	char middle[96];
	size_t i;

	v->app = a;
	list_draw(s, RECT(r.y, r.x, list_h, r.w), &v->table, &lv);
	if (app_size(s) == SIZE_FULL) {
		snprintf(middle, sizeof(middle),
			 v->blocked ? "show: blocked (b: waiting %zu)" : "show: waiting (b: blocked %zu)",
			 !a->nodes    ? 0
			 : v->blocked ? a->nodes->pending
				      : a->nodes->blocked);
		app_info(a, s,
			 &(struct app_info){v->blocked ? "sort: asked last" : "sort: waiting since", middle, &v->table,
					    NULL});
	}
	if (!table_current(&v->table, &i)) {
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_TEXT,
			   !a->nodes    ? "Asking the master …"
			   : v->blocked ? "No node is blocked."
					: "Nobody waits. On a node run: felloe configure");
		screen_cursor(s, r.y + 2, 1, false);
	} else if (app_size(s) == SIZE_FULL) {
		draw_facts(a, s, RECT(r.y + list_h, 0, r.h - list_h, r.w), v->rows[i]);
	}
}

static bool key(struct app *a, void *p, int k, const char *text)
{
	struct approvals_view *v = p;

	(void)a;
	(void)text;
	if (k == K_SPACE || k == '+' || k == '-' || k == '*' || k == ']' || k == '[')
		return true; /* each node is compared and decided by itself: no marks */
	return table_key(&v->table, k);
}

static void act(struct app *a, void *p, int command)
{
	struct approvals_view *v = p;
	const struct node *n;
	size_t i;

	if (command == CMD_WHICH) {
		v->blocked = !v->blocked;
		data(a, v);
		return;
	}
	if (!table_current(&v->table, &i))
		return;
	n = v->rows[i];
	if (command == CMD_APPROVE && n->state == 'p')
		decide_approve(a, n);
	else if (command == CMD_BLOCK && n->state == 'p')
		decide_block(a, n);
	else if (command == CMD_UNBLOCK && n->state == 'b')
		decide_unblock(a, n);
	else if (command == CMD_UNBLOCK)
		app_say(a, ST_TEXT, "U is for blocked nodes: b shows them.");
	else if (command == CMD_APPROVE || command == CMD_BLOCK)
		app_say(a, ST_TEXT, "%s is blocked already: U unblocks it.", n->name);
}

static void confirmed(struct app *a, void *p, struct dialog *d)
{
	(void)p;
	decide_confirmed(a, d);
}

static void answer(struct app *a, void *p, const struct net_answer *ans)
{
	(void)p;
	decide_answer(a, ans);
}

static const struct view_ops ops = {
	.name = "Approvals",
	.keys = keys,
	.tab = true,
	.make = make,
	.drop = drop,
	.draw = draw,
	.key = key,
	.act = act,
	.data = data,
	.answer = answer,
	.confirmed = confirmed,
	.hint = "Approving lets this node report here. Its storages are set on the node itself.",
};

const struct view_ops *view_approvals(void)
{
	return &ops;
}
