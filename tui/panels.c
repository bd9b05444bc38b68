/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/chart.h"
#include "tui/fmt.h"

enum { MEMORY_W = 26, CPU_H = 7, AXIS = 5, FULL_PERCENT = 85 };

const char *run_glyph(enum run_state state, enum style *style)
{
	static const struct {
		const char *glyph;
		enum style style;
	} marks[RUN_STATES] = {
		[RUN_RUNNING] = {"»", ST_RUN},	 [RUN_OK] = {"✓", ST_OK},	  [RUN_WARNING] = {"▲", ST_WARN},
		[RUN_FAILED] = {"✗", ST_FAIL},	 [RUN_ABORTED] = {"✗", ST_FAIL}, [RUN_SKIPPED] = {"·", ST_DIM},
		[RUN_SUSPECT] = {"▲", ST_WARN},
	};

	*style = marks[state].style;
	return marks[state].glyph;
}

size_t panels_values(int cols)
{
	int w = (cols >= 80 ? cols - MEMORY_W : cols) - AXIS - 1;

	return w > 0 ? (size_t)w * 2 : 2;
}

static enum style value_style(const struct panels *p, enum style style)
{
	return app_stale(p->app) || p->detail->node.health == H_OFFLINE ? ST_DIM : style;
}

static void cpu_axis(struct screen *s, struct rect r, const struct series *v, bool utc)
{
	int w = r.w - AXIS - 1, bottom = r.y + r.h - 2;
	char text[FMT_TEXT];

	screen_put(s, AT(r.y + 1, r.x + 1, 4), ST_DIM, "100┤");
	for (int y = r.y + 2; y < bottom; y++)
		screen_put(s, AT(y, r.x + 1, 4), ST_DIM, "   │");
	if (r.h >= 7)
		screen_put(s, AT(r.y + 1 + (r.h - 3) / 2, r.x + 1, 4), ST_DIM, " 50┤");
	screen_put(s, AT(bottom, r.x + 1, 4), ST_DIM, "  0┴");
	screen_repeat(s, AT(bottom, r.x + AXIS, w), ST_DIM, "─");
	for (int i = 0; v && i + 6 < w; i += w / 4 > 8 ? w / 4 : 8) {
		int64_t at = v->from + v->step * 2 * i;

		if (utc)
			clock_format(text, sizeof(text), "%H:%M", at);
		else
			clock_format_local(text, sizeof(text), "%H:%M", at);
		screen_put(s, AT(bottom, r.x + AXIS + i, 5), ST_DIM, text);
	}
}

static void cpu_panel(struct screen *s, struct rect r, const struct panels *p)
{
	const struct wire_sample *now = &p->detail->sample;
	char title[128];
	size_t n = 0;

	if (isnan(now->cpu))
		n = (size_t)snprintf(title, sizeof(title), "CPU -");
	else
		n = (size_t)snprintf(title, sizeof(title), "CPU %s%.0f%%", app_stale(p->app) ? "~" : "", now->cpu);
	if (!isnan(now->load[0]))
		snprintf(title + n, sizeof(title) - n, "  load %.1f %.1f %.1f", now->load[0], now->load[1],
			 now->load[2]);
	screen_box(s, r, ST_TEXT, title);
	screen_putf(s, AT(r.y, r.x + r.w - 3 - text_width(p->span), text_width(p->span) + 2), ST_TEXT, " %s ", p->span);
	cpu_axis(s, r, p->series, p->app->utc);
	if (p->series)
		chart_draw(s, RECT(r.y + 1, r.x + AXIS, r.h - 3, r.w - AXIS - 1), value_style(p, ST_RUN),
			   p->series->cpu, p->series->n);
	else
		screen_put(s, AT(r.y + r.h / 2, r.x + AXIS + 1, r.w - AXIS - 2), ST_DIM, "· · ·");
}

static double share(int64_t part, int64_t whole)
{
	return part >= 0 && whole > 0 ? (double)part * 100 / (double)whole : NAN;
}

static void labelled_meter(struct screen *s, struct span at, const struct panels *p, double percent)
{
	char text[FMT_TEXT];

	meter_draw(s, AT(at.y, at.x, at.w - 5), value_style(p, percent >= 90 ? ST_WARN : ST_RUN), percent, NULL);
	screen_right(s, AT(at.y, at.x + at.w - 5, 5), value_style(p, ST_TEXT),
		     fmt_percent(text, percent, app_stale(p->app)));
}

static void memory_panel(struct screen *s, struct rect r, const struct panels *p)
{
	const struct wire_sample *now = &p->detail->sample;
	char text[FMT_TEXT];

	screen_box(s, r, ST_TEXT, "MEMORY");
	if (now->mem_total > 0) {
		screen_putf(s, AT(r.y + 1, r.x + 2, r.w - 4), ST_TEXT, "used   %s",
			    fmt_of(text, now->mem_used, now->mem_total));
		labelled_meter(s, AT(r.y + 2, r.x + 2, r.w - 4), p, share(now->mem_used, now->mem_total));
	} else {
		screen_put(s, AT(r.y + 1, r.x + 2, r.w - 4), ST_DIM, "used   n/a");
	}
	if (now->swap_total > 0) {
		screen_putf(s, AT(r.y + 3, r.x + 2, r.w - 4), ST_TEXT, "swap   %s",
			    fmt_of(text, now->swap_used, now->swap_total));
		labelled_meter(s, AT(r.y + 4, r.x + 2, r.w - 4), p, share(now->swap_used, now->swap_total));
	} else {
		screen_put(s, AT(r.y + 3, r.x + 2, r.w - 4), ST_DIM, now->swap_total == 0 ? "no swap" : "swap   n/a");
	}
	if (!isnan(now->io_read) && !isnan(now->io_write))
		screen_putf(s, AT(r.y + 5, r.x + 2, r.w - 4), ST_TEXT, "io r %.1f  w %.1f MiB/s",
			    now->io_read / 1048576, now->io_write / 1048576);
}

static void disk_line(struct screen *s, struct span at, const struct panels *p, const struct wire_disk *d)
{
	bool full = d->percent >= FULL_PERCENT;
	char text[FMT_TEXT], percent[FMT_TEXT];
	int bar = at.w - 11 - 6 - 20;

	screen_put(s, AT(at.y, at.x, 11), ST_TEXT, d->mount);
	meter_draw(s, AT(at.y, at.x + 12, bar), value_style(p, full ? ST_WARN : ST_RUN), d->percent, NULL);
	snprintf(percent, sizeof(percent), "%s%.0f%%", full ? "▲" : "", d->percent);
	screen_right(s, AT(at.y, at.x + 12 + bar, 6), full ? ST_WARN : ST_TEXT, isnan(d->percent) ? "-" : percent);
	screen_right(s, AT(at.y, at.x + at.w - 18, 18), value_style(p, ST_TEXT), fmt_of(text, d->used, d->total));
}

/* Fullest first is what matters when not all fit. */
static int disk_panel(struct screen *s, struct rect r, const struct panels *p)
{
	const struct wire_sample *now = &p->detail->sample;
	int room = r.h - 2, n = (int)now->disks.n < room ? (int)now->disks.n : room;
	char title[64];

	snprintf(title, sizeof(title), (int)now->disks.n > n ? "DISK  %d of %zu" : "DISK", n, now->disks.n);
	screen_box(s, RECT(r.y, r.x, (n ? n : 1) + 2, r.w), ST_TEXT, title);
	if (n == 0)
		screen_put(s, AT(r.y + 1, r.x + 2, r.w - 4), ST_DIM, "the node has not reported its disks yet");
	for (int i = 0; i < n; i++)
		disk_line(s, AT(r.y + 1 + i, r.x + 2, r.w - 4), p, &now->disks.v[i]);
	return (n ? n : 1) + 2;
}

/* "last 14 runs  ✓✓✓✗" */
static void history(struct screen *s, struct span at, const struct panels *p)
{
	const struct runs *runs = p->app->runs;
	size_t n = runs ? runs->n : 0;
	int x;

	n = n > 14 ? 14 : n;
	if (n == 0) {
		screen_put(s, at, ST_DIM, runs ? "no run yet" : "");
		return;
	}
	x = at.x + screen_putf(s, at, ST_TEXT, "last %zu run%s  ", n, n == 1 ? "" : "s");
	for (size_t i = n; i > 0; i--) {
		enum style style;
		const char *glyph = run_glyph(runs->v[i - 1].state, &style);

		x += screen_put(s, AT(at.y, x, at.x + at.w - x), style, glyph);
	}
	if ((runs->v[0].state == RUN_FAILED || runs->v[0].state == RUN_SUSPECT) && runs->v[0].error[0])
		screen_putf(s, AT(at.y, x + 2, at.x + at.w - x - 2), runs->v[0].state == RUN_FAILED ? ST_FAIL : ST_WARN, "%s",
			    runs->v[0].error);
}

static void progress_numbers(struct screen *s, struct span at, const struct panels *p, const struct wire_progress *run)
{
	char text[FMT_TEXT], now[UNITS_TEXT], left[UNITS_TEXT], files[FMT_TEXT];
	double rest = run->bytes_total > 0 ? (double)(run->bytes_total - run->bytes_done) : 0;
	int x = at.x;

	if (run->bytes_total > 0) {
		fmt_of(text, run->bytes_done, run->bytes_total);
		char *slash = strchr(text, '/');

		if (slash)
			x += screen_putf(s, AT(at.y, x, at.w), ST_TEXT, "%.*sof%s", (int)(slash - text), text,
					 slash + 1) +
			     3;
	} else {
		units_bytes(now, (uint64_t)(run->bytes_done > 0 ? run->bytes_done : 0));
		x += screen_put(s, AT(at.y, x, at.w), ST_TEXT, now) + 3;
	}
	if (run->rate > 0) {
		units_rate(now, run->rate);
		x += screen_putf(s, AT(at.y, x, at.x + at.w - x), ST_TEXT, "%s", now) + 3;
	}
	/* no estimate before there is something to estimate from */
	if (run->rate_avg > 0 && rest > 0 && p->app->now - run->started > 10000 &&
	    rest < .99 * (double)run->bytes_total)
		x += screen_putf(s, AT(at.y, x, at.x + at.w - x), ST_TEXT, "%s left",
				 units_about(left, (int64_t)(rest / run->rate_avg * 1000))) + 3;
	if (run->files > 0)
		screen_putf(s, AT(at.y, x, at.x + at.w - x), ST_TEXT, "%s files", fmt_count(files, run->files));
}

/* Of a long path its end tells more than its beginning. */
static void put_end(struct screen *s, struct span at, enum style style, const char *text)
{
	const char *p = text;

	if (text_width(text) <= at.w) {
		screen_put(s, at, style, text);
		return;
	}
	while (*p && text_width(p) > at.w - 1)
		do
			p++;
		while ((*p & 0xc0) == 0x80);
	screen_putf(s, at, style, "…%s", p);
}

static void running_panel(struct screen *s, struct rect r, const struct panels *p, const struct wire_progress *run)
{
	double percent =
		run->bytes_total > 0 ? fmin((double)run->bytes_done * 100 / (double)run->bytes_total, 100) : NAN;
	char title[256], when[FMT_TEXT];
	int w = r.w - 20;

	snprintf(title, sizeof(title), "BACKUP  %s (%s)%s%s", run->site, run->what[0] ? run->what : "backup",
		 run->timer[0] ? ", " : "", run->timer);
	screen_box(s, r, ST_TEXT, title);
	snprintf(title, sizeof(title), " started %s, by %s ", fmt_seconds(when, run->started, p->app->utc),
		 run->timer[0] ? "timer" : "hand");
	if (run->started && r.w >= 80)
		screen_put(s, AT(r.y, r.x + r.w - 2 - text_width(title), text_width(title)), ST_TEXT, title);
	if (isnan(percent)) {
		screen_putf(s, AT(r.y + 1, r.x + 2, r.w - 4), ST_RUN, "» %s", run->phase);
	} else {
		meter_draw(s, AT(r.y + 1, r.x + 2, w), value_style(p, ST_RUN), percent, "░");
		screen_putf(s, AT(r.y + 1, r.x + 2 + w + 2, 6), ST_TEXT, "%3.0f%%", percent);
		screen_put(s, AT(r.y + 1, r.x + 2 + w + 8, r.w - w - 12), ST_DIM, run->phase);
	}
	progress_numbers(s, AT(r.y + 2, r.x + 2, r.w - 4), p, run);
	if (r.h > 4) {
		if (run->storage[0])
			screen_putf(s, AT(r.y + 3, r.x + 2, r.w - 24), ST_TEXT, "to %s", run->storage);
		put_end(s, AT(r.y + 3, r.x + 24, run->skipped > 0 ? r.w - 45 : r.w - 26), ST_DIM, run->item);
		if (run->skipped > 0)
			screen_putf(s, AT(r.y + 3, r.x + r.w - 20, 18), ST_WARN, "%d files skipped", (int)run->skipped);
	}
	if (r.h > 5)
		history(s, AT(r.y + 4, r.x + 2, r.w - 4), p);
}

static void last_line(struct screen *s, struct span at, const struct panels *p, const struct wire_run *run)
{
	char ago[FMT_TEXT], took[FMT_TEXT], bytes[UNITS_TEXT];
	enum style style;
	const char *glyph = run_glyph(run->state, &style);
	int64_t end = run->ended ? run->ended : run->finished ? run->finished : wire_run_began(run);

	screen_putf(s, at, style, "%s %s", glyph, run->site);
	if (!run_state_good(run->state))
		screen_putf(s, AT(at.y, at.x + 24, 10), style, "%s", run_state_name(run->state));
	screen_putf(s, AT(at.y, at.x + 34, at.w - 34), ST_TEXT, "%s  %s  took %s", fmt_ago(ago, end, p->app->now),
		    units_bytes(bytes, (uint64_t)(run->bytes_stored > 0 ? run->bytes_stored : 0)),
		    fmt_age(took, run->finished ? run->finished - run->started : 0));
}

static void missing_line(struct screen *s, struct span at, const struct panels *p, const struct missing *m)
{
	char due[FMT_TEXT], times[48] = "";

	if (m->count > 1)
		snprintf(times, sizeof(times), ", %d times in a row", (int)m->count);
	screen_putf(s, at, ST_WARN, "▲ %s did not fire, due %s%s", m->timer, fmt_day(due, m->due, p->app->utc), times);
}

/* Nothing runs: what is missing, the last runs and the next firing. */
static void idle_panel(struct screen *s, struct rect r, const struct panels *p)
{
	const struct runs *runs = p->app->runs;
	int y = r.y + 1, end = r.y + r.h - 1;
	char next[FMT_TEXT], day[FMT_TEXT], damaged[FMT_TEXT];

	screen_box(s, r, ST_TEXT, "BACKUP");
	if (p->detail->node.next_at) {
		fmt_next(next, p->detail->node.next_at, p->app->now);
		screen_putf(s, AT(r.y, r.x + r.w - 10 - text_width(next), 40), ST_TEXT, " next %s ", next);
	}
	for (size_t i = 0; i < p->detail->n_missing && y < end - 1; i++)
		missing_line(s, AT(y++, r.x + 2, r.w - 4), p, &p->detail->missing[i]);
	for (size_t i = 0; runs && i < runs->n && i < 2 && y < end - 1; i++)
		last_line(s, AT(y++, r.x + 2, r.w - 4), p, &runs->v[i]);
	for (size_t i = 0; i < p->detail->n_sites && y < end - 1; i++) {
		const struct site *site = &p->detail->sites[i];

		screen_putf(s, AT(y++, r.x + 2, r.w - 4), site->damaged ? ST_WARN : site->last_good ? ST_TEXT : ST_DIM, "last good of %s: %s%s%s%s",
			    site->name, fmt_ago(next, site->last_good, p->app->now), site->proven ? ", proven restorable " : "",
			    site->proven ? fmt_date(day, site->proven, p->app->utc) : "",
			    fmt_damaged(damaged, site->damaged));
	}
	if (y < end)
		history(s, AT(y, r.x + 2, r.w - 4), p);
}

static void backup_panel(struct screen *s, struct rect r, const struct panels *p)
{
	if (r.h < 4)
		return;
	if (r.h > 6)
		r.h = 6;
	if (p->detail->sample.runs.n)
		running_panel(s, r, p, &p->detail->sample.runs.v[0]);
	else
		idle_panel(s, r, p);
}

/* 60x15 and the like: the same facts, in fewer lines. */
static void draw_compact(struct screen *s, struct rect r, const struct panels *p)
{
	const struct wire_sample *now = &p->detail->sample;
	int y = r.y + 5;
	char text[FMT_TEXT];

	cpu_panel(s, RECT(r.y, r.x, 5, r.w), p);
	if (now->mem_total > 0) {
		screen_put(s, AT(y, r.x + 1, 11), ST_TEXT, "memory");
		labelled_meter(s, AT(y, r.x + 13, r.w - 33), p, share(now->mem_used, now->mem_total));
		screen_right(s, AT(y++, r.x + r.w - 19, 18), ST_TEXT, fmt_of(text, now->mem_used, now->mem_total));
	}
	for (size_t i = 0; i < now->disks.n && y < r.y + r.h - 4; i++)
		disk_line(s, AT(y++, r.x + 1, r.w - 2), p, &now->disks.v[i]);
	backup_panel(s, RECT(r.y + r.h - 4, r.x, 4, r.w), p);
}

void panels_draw(struct screen *s, struct rect r, const struct panels *p)
{
	int y = r.y, disks = (int)p->detail->sample.disks.n;

	if (r.w < 80 || r.h < 17) {
		draw_compact(s, r, p);
		return;
	}
	cpu_panel(s, RECT(y, r.x, CPU_H, r.w - MEMORY_W), p);
	memory_panel(s, RECT(y, r.x + r.w - MEMORY_W, CPU_H, MEMORY_W), p);
	y += CPU_H;
	y += disk_panel(s, RECT(y, r.x, disks > r.h - CPU_H - 8 ? r.h - CPU_H - 6 : disks + 2, r.w), p);
	backup_panel(s, RECT(y, r.x, r.y + r.h - y, r.w), p);
}
