/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/progress.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noded/run/lock.h"
#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum {
	FILE_EVERY_MS = 500,
	BAR_EVERY_MS = 200,
	LINE_EVERY_MS = 30000,
	TELL_EVERY_MS = 2000,
	STATUS_MAX = 64 << 10,
	BAR_CELLS = 20,
	SWEEP_MS = 60000,
};

static const char definitions[] = "definitions";

struct progress {
	struct wire_progress *p;
	char *path;
	bool bar, lines;
	bool shown;             /* the bar is on the terminal */
	int64_t begun;          /* monotonic */
	int64_t file_at, bar_at, line_at, tell_at;
	void (*tell)(void *ctx, const struct wire_progress *p); /* NULL: nobody follows */
	void *tell_ctx;
	int64_t rate_at, rate_bytes;
};

/* The one that this thread shows, for progress_pulse. */
static _Thread_local struct progress *shown_here;

static char *status_dir(void)
{
	CLEANUP(freep) char *run = fs_run_dir("node");

	return xasprintf("%s/status", run);
}

struct progress *progress_new(struct wire_progress *p, bool quiet)
{
	struct progress *g = xcalloc(1, sizeof(*g));
	CLEANUP(freep) char *dir = status_dir();
	struct err e;

	g->p = p;
	g->begun = g->rate_at = clock_mono_ms();
	g->line_at = g->begun + LINE_EVERY_MS;
	g->bar = !quiet && isatty(STDERR_FILENO);
	g->lines = !quiet && !g->bar;
	if (fs_mkdirs(dir, 0755, &e))
		log_warn("no status file: %s", e.msg);
	else
		g->path = xasprintf("%s/%s.json", dir, p->uuid);
	shown_here = g;
	progress_tick(g);
	return g;
}

void progress_pulse(void)
{
	if (shown_here)
		progress_tick(shown_here);
}

bool progress_stop(void)
{
	progress_pulse();
	return daemon_stopping();
}

static void write_file(struct progress *g)
{
	CLEANUP(buf_done) struct buf text = {0};
	struct json_out o;
	struct err e;

	if (!g->path)
		return;
	buf_init(&text, STATUS_MAX);
	json_out_init(&o, &text);
	wire_progress_put(&o, NULL, g->p);
	/* whoever reads it asks whether this process lives */
	if (buf_check(&text, "the status", &e) == 0 && fs_write_unsynced(g->path, text.p, text.len, 0644, &e) == 0)
		return;
	log_warn("no status file: %s", e.msg);
	free(TAKE(g->path));
}

/* "shop  dump wp_posts  [#####.....] 48%  120 MiB of 250 MiB  35.0 MiB/s  ETA 4s" */
static void format_line(const struct progress *g, char *line, size_t size)
{
	const struct wire_progress *p = g->p;
	char done[UNITS_TEXT], total[UNITS_TEXT], rate[UNITS_TEXT], eta[UNITS_TEXT];
	char share[64] = "";
	const char *slash = strrchr(p->item, '/'), *item = slash && slash[1] ? slash + 1 : p->item;

	if (str_eq(p->phase, definitions)) {
		snprintf(line, size, "%s: %s %s", p->site, p->phase, p->item);
		return;
	}
	units_bytes(done, (uint64_t)p->bytes_done);
	units_rate(rate, p->rate);
	if (p->bytes_total > 0) {
		int64_t percent = p->bytes_done * 100 / p->bytes_total;
		int64_t left = p->bytes_total > p->bytes_done ? p->bytes_total - p->bytes_done : 0;

		if (percent > 99)
			percent = 99; /* the total is an estimate */
		units_span(eta, p->rate_avg > 0 ? (int64_t)((double)left * 1000 / p->rate_avg) : 0);
		snprintf(share, sizeof(share), " %lld%% of %s, ETA %s", (long long)percent,
			 units_bytes(total, (uint64_t)p->bytes_total), p->rate_avg > 0 ? eta : "-");
	}
	snprintf(line, size, "%s: %s%s%.60s: %s%s, %s", p->site, p->phase, *item ? " " : "", item, done, share,
		 rate);
}

static void show_bar(struct progress *g)
{
	char line[512], bar[BAR_CELLS + 1];
	int64_t full = 0;
	struct winsize w = {0};
	int width = 80;

	if (g->p->bytes_total > 0)
		full = g->p->bytes_done * BAR_CELLS / g->p->bytes_total;
	for (int i = 0; i < BAR_CELLS; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_CELLS] = '\0';
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
		width = w.ws_col;
	format_line(g, line, sizeof(line));
	str_clean(line); /* the item is a stranger's name */
	fprintf(stderr, "\r\033[K[%s] %.*s", bar, width - BAR_CELLS - 4, line);
	fflush(stderr);
	g->shown = true;
}

void progress_clear(struct progress *g)
{
	if (!g || !g->shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	g->shown = false;
}

static void count_rate(struct progress *g, int64_t now)
{
	int64_t ms = now - g->rate_at;
	double rate;

	if (now > g->begun)
		g->p->rate_avg = (double)g->p->bytes_done * 1000 / (double)(now - g->begun);
	if (ms < 1000)
		return;
	rate = (double)(g->p->bytes_done - g->rate_bytes) * 1000 / (double)ms;
	/* what is read goes in leaps of a part when the line is thin: so not the last second alone */
	g->p->rate = g->p->rate > 0 ? g->p->rate * .75 + rate * .25 : rate;
	if (g->p->rate < 0)
		g->p->rate = 0; /* the run started over */
	g->rate_at = now;
	g->rate_bytes = g->p->bytes_done;
}

void progress_tick(struct progress *g)
{
	int64_t now = clock_mono_ms();
	char line[512];

	count_rate(g, now);
	if (now >= g->file_at) {
		g->file_at = now + FILE_EVERY_MS;
		write_file(g);
	}
	if (g->bar && now >= g->bar_at) {
		g->bar_at = now + BAR_EVERY_MS;
		show_bar(g);
	}
	if (g->tell && now >= g->tell_at) {
		g->tell_at = now + TELL_EVERY_MS;
		g->tell(g->tell_ctx, g->p);
	}
	if (g->lines && now >= g->line_at) {
		g->line_at = now + LINE_EVERY_MS;
		format_line(g, line, sizeof(line));
		str_clean(line);
		log_info("%s", line);
	}
}

void progress_follow(struct progress *g, void (*fn)(void *ctx, const struct wire_progress *p), void *ctx)
{
	g->tell = fn;
	g->tell_ctx = ctx;
}

void progress_definitions(struct wire_progress *p, uint64_t done, uint64_t of)
{
	char n[UNITS_TEXT], all[UNITS_TEXT];

	str_cut(p->phase, sizeof(p->phase), definitions);
	snprintf(p->item, sizeof(p->item), "%s of %s", units_thousands(n, done), units_thousands(all, of));
}

void progress_phase(struct progress *g, const char *phase, const char *item)
{
	str_cut(g->p->phase, sizeof(g->p->phase), phase);
	str_cut(g->p->item, sizeof(g->p->item), item);
	g->file_at = g->bar_at = g->tell_at = 0;
	progress_tick(g);
}

void progress_free(struct progress *g)
{
	if (!g)
		return;
	progress_clear(g);
	if (shown_here == g)
		shown_here = NULL;
	if (g->path)
		unlink(g->path);
	free(g->path);
	free(g);
}

void progress_freep(struct progress **g)
{
	progress_free(*g);
}

static void add_status(struct wire_progresses *ret, const char *path, const struct lock_holders *holders)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct problems problems = {0};
	struct wire_progress p = {0};
	struct err ignored;

	if (json_parse_file(&j, path, STATUS_MAX, &ignored))
		return; /* gone since, or half a file of a full disk */
	wire_progress_get(&p, j, "", &problems);
	if (!problems.n && lock_among(holders, p.uuid))
		*list_push(ret) = p;
	problems_done(&problems);
}

int progress_list(struct wire_progresses *ret, size_t *dead, struct err *e)
{
	CLEANUP(freep) char *dir = status_dir();
	struct lock_holders holders;
	struct dirent **entries = NULL;
	size_t files = 0;
	int n;

	*ret = (struct wire_progresses){0};
	if (lock_living(&holders, e))
		return -1;
	n = scandir(dir, &entries, NULL, alphasort);
	if (n < 0 && errno != ENOENT) {
		list_done(&holders);
		return err_sys(e, ERR_IO, "read the directory %s", dir);
	}
	for (int i = 0; i < n; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

		if (str_ends(entries[i]->d_name, ".json")) {
			add_status(ret, path, &holders);
			files++;
		}
		free(entries[i]);
	}
	*dead = files - ret->n;
	free(entries);
	list_done(&holders);
	return 0;
}

void progress_forget(const char *uuid)
{
	CLEANUP(freep) char *dir = status_dir();
	CLEANUP(freep) char *path = xasprintf("%s/%s.json", dir, uuid);
	CLEANUP(freep) char *temps = xasprintf("%s.*", path);
	glob_t found;

	unlink(path);
	/* and what was not renamed yet when the process was killed */
	if (glob(temps, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			unlink(found.gl_pathv[i]);
		globfree(&found);
	}
}

void progress_sweep(const struct lock_holders *l)
{
	CLEANUP(freep) char *dir = status_dir();
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
		CLEANUP(freep) char *uuid = xstrndup(entries[i]->d_name, UUID_TEXT - 1);
		struct stat st;

		/* a living process writes its file again and again */
		if (strstr(entries[i]->d_name, ".json") && !lock_among(l, uuid) && stat(path, &st) == 0 &&
		    (int64_t)st.st_mtim.tv_sec * 1000 < clock_ms() - SWEEP_MS)
			unlink(path);
		free(entries[i]);
	}
	free(entries);
}
