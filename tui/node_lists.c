/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/node_lists.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/str.h"
#include "shared/units.h"
#include "tui/fmt.h"
#include "tui/panels.h"

enum { FACTS = 6 };

/* FNV-1a: an id out of a name. */
static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037ULL;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return h | 1;
}

static const struct wire_timer *timer_at(const void *rows, size_t i)
{
	return &((const struct detail *)rows)->sample.timers.v[i];
}

static const struct wire_run *run_at(const void *rows, size_t i)
{
	return &((const struct runs *)rows)->v[i];
}

static uint64_t timer_id(const void *rows, size_t i)
{
	return hash(timer_at(rows, i)->name);
}

static uint64_t run_id(const void *rows, size_t i)
{
	return hash(run_at(rows, i)->uuid);
}

static int timer_compare(const void *rows, size_t a, size_t b, int sort)
{
	(void)sort;
	return strcmp(timer_at(rows, a)->name, timer_at(rows, b)->name);
}

static int run_compare(const void *rows, size_t a, size_t b, int sort)
{
	const struct wire_run *x = run_at(rows, a), *y = run_at(rows, b);
	int64_t at = wire_run_began(x), other = wire_run_began(y);

	(void)sort;
	if (at != other)
		return at > other ? -1 : 1;
	return strcmp(x->uuid, y->uuid);
}

static bool timer_match(const void *rows, size_t i, const char *word)
{
	return strcasestr(timer_at(rows, i)->name, word);
}

static bool run_match(const void *rows, size_t i, const char *word)
{
	return strcasestr(run_at(rows, i)->site, word);
}

static const struct table_ops timer_ops = {timer_id, timer_compare, timer_match, NULL};
static const struct table_ops run_ops = {run_id, run_compare, run_match, NULL};

void node_lists_init(struct node_lists *l)
{
	*l = (struct node_lists){0};
	table_init(&l->tables[LIST_TIMERS], &timer_ops);
	table_init(&l->tables[LIST_RUNS], &run_ops);
}

void node_lists_done(struct node_lists *l)
{
	for (int i = 0; i < NODE_LISTS; i++)
		table_done(&l->tables[i]);
}

void node_lists_data(struct node_lists *l, const struct detail *d, const struct runs *r)
{
	l->detail = d;
	l->runs = r;
	(void)table_update(&l->tables[LIST_TIMERS], d, d ? d->sample.timers.n : 0);
	(void)table_update(&l->tables[LIST_RUNS], r, r ? r->n : 0);
}

/* ---- timers */

enum { T_NAME, T_STATE, T_NEXT, T_LAST, T_TOOK, T_RESULT };
static const struct column timer_columns[] = {
	{T_NAME, "TIMER", 3, 20},	  {T_STATE, "STATE", 24, 10}, {T_NEXT, "NEXT RUN", 35, 9},
	{T_LAST, "LAST RUN", 45, 11}, {T_TOOK, "TOOK", 57, 6},	  {T_RESULT, "RESULT", 64, 60},
};
static const struct column timer_narrow[] = {
	{T_NAME, "TIMER", 3, 18},
	{T_NEXT, "NEXT RUN", 22, 9},
	{T_LAST, "LAST RUN", 32, 11},
	{T_RESULT, "RESULT", 44, 60},
};
static const struct layout timer_layouts[] = {{80, timer_columns, ARRAY_LEN(timer_columns)},
					      {0, timer_narrow, ARRAY_LEN(timer_narrow)}};

static bool late(const struct wire_timer *t, int64_t now)
{
	return t->enabled && t->next && t->next < now - 60000 && !t->running;
}

static const char *timer_state(const struct wire_timer *t, int64_t now, enum style *style)
{
	*style = t->running ? ST_RUN : !t->enabled ? ST_DIM : !t->active || late(t, now) ? ST_WARN : ST_OK;
	if (t->running)
		return "» running";
	if (!t->enabled)
		return "‖ disabled";
	return !t->active ? "▲ stopped" : late(t, now) ? "▲ late" : "● on";
}

static void timer_result(struct screen *s, struct span at, const struct wire_timer *t)
{
	if (!t->result[0] && !t->last)
		screen_put(s, at, ST_DIM, "no run yet");
	else if (str_eq(t->result, "success") && (t->exit_status == 0 || t->exit_status == -1))
		screen_put(s, at, ST_OK, "✓ success");
	else if (t->exit_status == 3)
		screen_put(s, at, ST_WARN, "▲ with warnings");
	else if (t->exit_status > 0)
		screen_putf(s, at, ST_FAIL, "✗ exit status %" PRId64, t->exit_status);
	else
		screen_putf(s, at, str_empty(t->result) ? ST_DIM : ST_FAIL, "✗ %s", str_or(t->result, "unknown"));
}

static void timer_cell(struct screen *s, struct span at, const void *ctx, size_t i, int column)
{
	const struct node_lists *l = ctx;
	const struct wire_timer *t = timer_at(l->detail, i);
	int64_t now = l->app->now;
	enum style style;
	char text[FMT_TEXT];
	const char *state;

	switch (column) {
	case T_NAME:
		screen_put(s, at, ST_TEXT, t->name);
		break;
	case T_STATE:
		state = timer_state(t, now, &style);
		screen_put(s, at, style, state);
		break;
	case T_NEXT:
		screen_put(s, at, late(t, now) ? ST_WARN : ST_TEXT, t->enabled ? fmt_next(text, t->next, now) : "-");
		break;
	case T_LAST:
		screen_put(s, at, ST_TEXT, fmt_ago(text, t->last, now));
		break;
	case T_TOOK:
		screen_put(s, at, ST_TEXT, t->took_ms < 0 ? "-" : fmt_age(text, t->took_ms));
		break;
	default:
		timer_result(s, at, t);
		break;
	}
}

static void line(struct screen *s, struct span at, const char *label, const char *text)
{
	screen_put(s, AT(at.y, at.x + 3, 10), ST_DIM, label);
	screen_put(s, AT(at.y, at.x + 14, at.w - 15), ST_TEXT, text);
}

static void timer_facts(const struct node_lists *l, struct screen *s, struct rect r, const struct wire_timer *t)
{
	char text[FMT_TEXT], when[128], ago[FMT_TEXT];

	screen_rule(s, AT(r.y, 1, r.w - 1), ST_HEAD, t->name);
	line(s, AT(r.y + 1, r.x, r.w), "When", t->on_calendar);
	snprintf(when, sizeof(when), "%s (%s)", fmt_day(text, t->next, l->app->utc),
		 fmt_next(ago, t->next, l->app->now));
	line(s, AT(r.y + 2, r.x, r.w), "Next run", t->next ? when : "-");
	fmt_ago(ago, t->last, l->app->now);
	snprintf(when, sizeof(when), "%s (%s)", fmt_day(text, t->last, l->app->utc), ago + strspn(ago, " "));
	line(s, AT(r.y + 3, r.x, r.w), "Last run", t->last ? when : "never");
	snprintf(when, sizeof(when), "%s%s", t->persistent ? "a missed run is made up for" : "a missed run is left out",
		 t->spread_s > 0 ? ", with a random delay" : "");
	line(s, AT(r.y + 4, r.x, r.w), "Misses", when);
}

/* ---- runs */

enum { R_STARTED, R_SITE, R_TIMER, R_STATE, R_TOOK, R_SIZE };
static const struct column run_columns[] = {
	{R_STARTED, "STARTED", 3, 22}, {R_SITE, "SITE", 26, 16},  {R_TIMER, "TIMER", 43, 10},
	{R_STATE, "STATE", 54, 12},	   {R_TOOK, "TOOK", 67, 5}, {R_SIZE, "STORED", 73, 6},
};
static const struct column run_narrow[] = {
	{R_STARTED, "STARTED", 3, 12}, {R_SITE, "SITE", 16, 15}, {R_STATE, "STATE", 32, 12}, {R_TOOK, "TOOK", 45, 5},
	{R_SIZE, "STORED", 51, 6},
};
static const struct layout run_layouts[] = {{80, run_columns, ARRAY_LEN(run_columns)},
					    {0, run_narrow, ARRAY_LEN(run_narrow)}};

/* A run that was pruned is nothing to get back, whatever it was. */
static void run_state(struct screen *s, struct span at, const struct wire_run *run)
{
	enum style style;
	const char *glyph = run_glyph(run->state, &style);

	if (run->pruned)
		screen_put(s, at, ST_DIM, run->archives.n ? "· deleting" : "· pruned");
	else
		screen_putf(s, at, style, "%s %s%s", glyph, run->held && run->state == RUN_WARNING ? "warn" : run_state_name(run->state),
			    run->held ? ", held" : "");
}

static void run_cell(struct screen *s, struct span at, const void *ctx, size_t i, int column)
{
	const struct node_lists *l = ctx;
	const struct wire_run *run = run_at(l->runs, i);
	char text[FMT_TEXT], bytes[UNITS_TEXT];

	switch (column) {
	case R_STARTED:
		if (at.w > 15)
			fmt_day(text, wire_run_began(run), l->app->utc);
		else
			fmt_ago(text, wire_run_began(run), l->app->now);
		screen_put(s, at, ST_TEXT, text);
		break;
	case R_SITE:
		screen_put(s, at, ST_TEXT, run->site);
		break;
	case R_TIMER:
		screen_put(s, at, ST_TEXT, run->timer[0] ? run->timer : "by hand");
		break;
	case R_STATE:
		run_state(s, at, run);
		break;
	case R_TOOK:
		screen_put(s, at, ST_TEXT, fmt_age(text, (run->finished ? run->finished : l->app->now) - run->started));
		break;
	default:
		screen_right(s, at, ST_TEXT,
			     run->bytes_stored > 0 && (!run->pruned || run->archives.n) ? units_bytes_short(bytes, (uint64_t)run->bytes_stored) : "-");
		break;
	}
}

/* Where it lies, or since when it does not. */
static void archive_fact(const struct node_lists *l, struct screen *s, struct span at, const struct wire_run *run)
{
	char text[512], day[FMT_TEXT];
	size_t len = 0;

	if (run->pruned) {
		snprintf(text, sizeof(text), "%s %s%s", run->archives.n ? "given up" : "none: pruned", fmt_day(day, run->pruned, l->app->utc),
			 run->archives.n ? ", deleted when its storage answers" : "");
		line(s, at, "Archive", text);
		return;
	}
	text[0] = '\0';
	for (size_t i = 0; i < run->archives.n && len < sizeof(text); i++) {
		int n = snprintf(text + len, sizeof(text) - len, "%s%s%s:%.200s", len ? ", " : "",
				 run->archives.v[i].damage[0] ? "DAMAGED " : "", run->archives.v[i].storage, run->archives.v[i].key);

		len += n > 0 ? (size_t)n : 0;
	}
	str_clean(text);
	line(s, at, "Archive", text[0] ? text : "-");
}

/* What can be said for it: proven, held. False: nothing. */
static bool trust_fact(const struct node_lists *l, struct screen *s, struct span at, const struct wire_run *run)
{
	char text[128], day[FMT_TEXT];

	if (!run->proven && !run->held)
		return false;
	if (run->proven)
		snprintf(text, sizeof(text), "restorable, %s%s", fmt_date(day, run->proven, l->app->utc),
			 run->held ? "; held by hand: never deleted" : "");
	line(s, at, run->proven ? "Proven" : "Held", run->proven ? text : "by hand: never deleted");
	return true;
}

/* The node's clock was wrong. False: it was not. */
static bool clock_fact(const struct node_lists *l, struct screen *s, struct span at, const struct wire_run *run)
{
	char text[128], day[FMT_TEXT], span[UNITS_TEXT];

	if (run->clock_ahead_s < 0)
		return false;
	snprintf(text, sizeof(text), "%s ahead: the node says that it began %s", units_span(span, run->clock_ahead_s * 1000),
		 fmt_date(day, run->started, l->app->utc));
	line(s, at, "Clock", text);
	return true;
}

static void run_facts(const struct node_lists *l, struct screen *s, struct rect r, const struct wire_run *run)
{
	char text[256], read[UNITS_TEXT], files[FMT_TEXT];
	int y = 4;

	screen_rule(s, AT(r.y, 1, r.w - 1), ST_HEAD, run->uuid);
	units_bytes(read, (uint64_t)(run->bytes_in > 0 ? run->bytes_in : 0));
	snprintf(text, sizeof(text), "%s, %s files%s", read, fmt_count(files, run->files > 0 ? run->files : 0),
		 run->skipped > 0 ? ", some skipped" : "");
	line(s, AT(r.y + 1, r.x, r.w), "Read", text);
	archive_fact(l, s, AT(r.y + 2, r.x, r.w), run);
	line(s, AT(r.y + 3, r.x, r.w), "Snapshot", run->snapshot[0] ? run->snapshot : "-");
	y += trust_fact(l, s, AT(r.y + y, r.x, r.w), run);
	y += clock_fact(l, s, AT(r.y + y, r.x, r.w), run);
	if (run->error[0]) {
		screen_put(s, AT(r.y + y, r.x + 3, 10), ST_DIM, run->state == RUN_SUSPECT ? "Suspect" : "Error");
		screen_wrap(s, RECT(r.y + y, r.x + 14, r.h - y, r.w - 15), run->state == RUN_SUSPECT ? ST_WARN : ST_FAIL, run->error);
	}
}

/* A low screen has room for the one that matters most. */
static void run_fact(const struct node_lists *l, struct screen *s, struct span at, const struct wire_run *run)
{
	char day[FMT_TEXT];

	if (run->pruned)
		screen_putf(s, at, ST_DIM, "pruned %s: nothing to restore", fmt_day(day, run->pruned, l->app->utc));
	else if (run->error[0])
		screen_put(s, at, run->state == RUN_SUSPECT ? ST_WARN : ST_FAIL, run->error);
	else if (run->proven)
		screen_putf(s, at, ST_TEXT, "proven restorable, %s", fmt_date(day, run->proven, l->app->utc));
	else if (run->held)
		screen_put(s, at, ST_TEXT, "held by hand: never deleted");
}

void node_lists_draw(struct node_lists *l, struct screen *s, struct rect r, enum node_list which, const struct app *a)
{
	bool timers = which == LIST_TIMERS;
	struct table *t = &l->tables[which];
	int list_h = r.h > FACTS + 5 ? r.h - FACTS : timers ? r.h : r.h - 1;
	struct list_view v = {.layout = list_layout(timers ? timer_layouts : run_layouts, 2, s->cols),
			      .cell = timers ? timer_cell : run_cell, .ctx = l, .stale = app_stale(a)};
	size_t i;

	l->app = a;
	list_draw(s, RECT(r.y, r.x, list_h, r.w), t, &v);
	if (!table_current(t, &i)) {
		screen_put(s, AT(r.y + 2, 3, r.w - 3), ST_TEXT,
			   timers ? "No timers: the node has not reported any. On it run: felloe configure"
				  : l->runs ? "No run yet." : "Asking the master …");
		screen_cursor(s, r.y + 2, 1, false);
	} else if (list_h < r.h && timers) {
		timer_facts(l, s, RECT(r.y + list_h, r.x, FACTS, r.w), timer_at(l->detail, i));
	} else if (list_h == r.h - 1) {
		run_fact(l, s, AT(r.y + list_h, r.x + 3, r.w - 4), run_at(l->runs, i));
	} else if (list_h < r.h) {
		run_facts(l, s, RECT(r.y + list_h, r.x, FACTS, r.w), run_at(l->runs, i));
	}
}

bool node_lists_key(struct node_lists *l, enum node_list which, int key)
{
	return table_key(&l->tables[which], key);
}

const struct wire_timer *node_lists_timer(const struct node_lists *l)
{
	size_t i;

	return l->detail && table_current(&l->tables[LIST_TIMERS], &i) ? timer_at(l->detail, i) : NULL;
}

const struct wire_run *node_lists_run(const struct node_lists *l)
{
	size_t i;

	return l->runs && table_current(&l->tables[LIST_RUNS], &i) ? run_at(l->runs, i) : NULL;
}
