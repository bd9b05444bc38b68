/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/cmd_show.h"
#include "tui/fmt.h"
#include "tui/sse.h"

/* What goes on: felloe events, stats, storages. */

/* ---- events */

enum { FRAME_MAX = 32 << 20, SILENT_MS = 40000, RENEW_MS = 60000, AGAIN_MS = 1000, AGAIN_MAX_MS = 30000 };

struct events {
	struct sse sse;
	bool json;
	bool began;        /* something came */
	int64_t heard;     /* monotonic */
};

static bool has(const struct json *j, const char *key)
{
	return json_get_str(j, key, NULL) != NULL;
}

/* One line about one thing of a frame. */
static void print_item(const char *topic, const struct json *i)
{
	char when[FMT_TEXT], text[512];
	const struct json *sample = json_get(i, "sample");
	int len = 0;

	if (str_eq(topic, "run"))
		len = snprintf(text, sizeof(text), "%s  %s: %s", json_get_str(i, "node", "?"), json_get_str(i, "site", "?"),
			       json_get_str(i, "state", "?"));
	else if (str_eq(topic, "alert"))
		len = snprintf(text, sizeof(text), "%s  %s (%s): %s", json_get_str(i, "node", "-"),
			       json_get_str(i, "kind", "?"), json_get_str(i, "state", "?"), json_get_str(i, "cause", ""));
	else if (str_eq(topic, "join"))
		len = snprintf(text, sizeof(text), "%s  %s %s", json_get_str(i, "name", "?"), json_get_str(i, "state", "?"),
			       json_get_str(i, "code", ""));
	else if (has(i, "name"))
		len = snprintf(text, sizeof(text), "%s  %s", json_get_str(i, "name", "?"), json_get_str(i, "health", "?"));
	else
		len = snprintf(text, sizeof(text), "node %" PRId64, json_get_int(i, "id", json_get_int(i, "node_id", 0)));
	if (sample && len > 0 && (size_t)len < sizeof(text) && !isnan(json_get_num(sample, "cpu_usage", NAN)))
		snprintf(text + len, sizeof(text) - (size_t)len, "  CPU %.0f %%  disk %.0f %%",
			 json_get_num(sample, "cpu_usage", 0), json_get_num(sample, "disk_usage", 0));
	str_clean(text);
	printf("%s  %-6s  %s\n", fmt_seconds(when, clock_ms(), false), topic, text);
}

static void print_event(void *ctx, const struct sse_event *ev)
{
	struct events *s = ctx;
	CLEANUP(json_freep) struct json *frame = NULL;
	char when[FMT_TEXT];
	struct err e;

	if (json_parse(&frame, ev->data, ev->len, &e))
		return;
	if (s->json) {
		printf("{\"event\":\"%s\",\"data\":%s}\n", ev->type, ev->data); /* type: see print_known */
		return;
	}
	if (str_eq(ev->type, "reset"))
		printf("%s  reset   some events are missing\n", fmt_seconds(when, clock_ms(), false));
	for (const struct json *i = json_first(json_get(frame, "items")); i; i = json_next(i))
		print_item(ev->type, i);
	for (const struct json *i = json_first(json_get(frame, "samples")); i; i = json_next(i))
		print_item(ev->type, i);
	for (const struct json *i = json_first(json_get(frame, "gone")); i; i = json_next(i))
		printf("%s  %-6s  node %.0f is gone\n", fmt_seconds(when, clock_ms(), false), ev->type, json_num(i));
}

/* Types of a master that we do not know may hold anything. */
static void print_known(void *ctx, const struct sse_event *ev)
{
	static const char *const known[] = {"node", "sample", "run", "alert", "join", "reset"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(known[i], ev->type))
			print_event(ctx, ev);
}

static int take_data(void *ctx, const void *p, size_t n)
{
	struct events *s = ctx;

	s->heard = clock_mono_ms();
	s->began = true;
	return sse_feed(&s->sse, p, n);
}

/* One stream until it ends; 0: open it again, 1: over, -1 failed. */
static int one_stream(struct cmd *c, struct events *s, const char *path, struct err *e)
{
	struct client_stream_call call = {.path = path, .accept = "text/event-stream", .last_event_id = s->sse.last_id,
					  .on_data = take_data, .ctx = s};
	int64_t opened = clock_mono_ms();
	struct client_reply r;
	int rc;

	if (c->session.expires < clock_ms() + RENEW_MS && session_renew(&c->session, c->client, e))
		return -1;
	sse_restart(&s->sse);
	s->heard = opened;
	if (client_stream_open(c->client, &call, e))
		return -1;
	for (;;) {
		rc = client_stream_wait(c->client, 1000, daemon_wake_fd(), e);
		fflush(stdout);
		if (rc < 0)
			return -1;
		if (daemon_stopping() || ferror(stdout)) {
			client_stream_close(c->client);
			return 1;
		}
		if (rc == 1)
			break;
		if (clock_mono_ms() - s->heard > SILENT_MS ||
		    (c->session.expires < clock_ms() + RENEW_MS && clock_mono_ms() - opened > RENEW_MS)) {
			client_stream_close(c->client);
			return 0;
		}
	}
	rc = client_stream_end(c->client, &r, e);
	client_reply_done(&r);
	if (rc && r.status == 401)
		return session_renew(&c->session, c->client, e) ? -1 : 0;
	return rc ? -1 : 0;
}

struct events_options {
	const char *topics;
	const char *nodes;
	bool follow;
};

static int events(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct events_options *o = opts;
	struct events s = {.json = c->json};
	CLEANUP(freep) char *path = xasprintf("/events?topics=%s%s%s", str_or(o->topics, "node,run,alert,join"),
					      o->nodes ? "&nodes=" : "", str_or(o->nodes, ""));
	int64_t wait = AGAIN_MS;
	int rc;

	(void)argv;
	if (!c->session.access)
		return err_set(e, ERR_DENIED, "not signed in; run: felloe login");
	for (const char *p = path; *p; p++)
		if (!strchr("/?=&,abcdefghijklmnopqrstuvwxyz0123456789", *p))
			return err_set(e, ERR_USAGE, "--topics takes names and --nodes numbers, apart by commas");
	sse_init(&s.sse, FRAME_MAX, print_known, &s);
	daemon_signals();
	do {
		s.began = false;
		rc = one_stream(c, &s, path, e);
		if (rc < 0 && (e->kind != ERR_NET || !s.sse.last_id[0]))
			break; /* refused, or never reached: that is for the caller to know */
		wait = s.began ? AGAIN_MS : wait * 2 < AGAIN_MAX_MS ? wait * 2 : AGAIN_MAX_MS;
		if (!o->follow)
			break;
		if (rc < 0)
			fprintf(stderr, "felloe events: %s; trying again\n", e->msg);
		if (rc != 1 && !daemon_stopping())
			(void)poll(&(struct pollfd){.fd = daemon_wake_fd(), .events = POLLIN}, 1, (int)wait);
	} while (o->follow && rc != 1 && !daemon_stopping());
	sse_done(&s.sse);
	return rc < 0 && !daemon_stopping() ? -1 : 0;
}

int cmd_events(int argc, char **argv)
{
	struct events_options o = {0};
	const struct opt more[] = {
		{.name = "follow", .letter = 'f', .type = OPT_FLAG, .to = &o.follow,
		 .help = "Go on when the connection is lost or the token ends, until Ctrl-C."},
		{.name = "topics", .type = OPT_STR, .to = &o.topics, .arg = "A,B",
		 .help = "Of node, run, alert, join, sample (node,run,alert,join)."},
		{.name = "nodes", .type = OPT_STR, .to = &o.nodes, .arg = "1,7", .help = "With the topic sample: of these nodes."},
		{0}};
	const struct cmd_spec spec = {"[--follow] [--topics A,B] [--nodes 1,7]",
				      "Print what happens, as it happens; with --json a line each.", more, 0, 0};
	static const struct cmd_sub subs[] = {{"", "", 0, events}, {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}

/* ---- stats */

struct stats_options {
	const char *since, *step;
};

static void percent_cell(struct grid *g, double v)
{
	char text[32];

	snprintf(text, sizeof(text), isnan(v) ? "-" : "%.0f %%", v);
	grid_cell(g, text);
}

static void rate_cell(struct grid *g, double v)
{
	char text[UNITS_TEXT];

	grid_cell(g, isnan(v) || v < 0 ? "-" : units_rate(text, v));
}

static void print_points(const struct json *j)
{
	static const char *const titles[] = {"AT", "CPU", "MAX", "MEMORY", "DISK", "LOAD", "READ", "WRITE", "NET IN", "NET OUT"};
	CLEANUP(grid_freep) struct grid *g = grid_new(titles, ARRAY_LEN(titles));
	char when[FMT_TEXT], load[32];
	size_t n = 0;

	for (const struct json *p = json_first(json_get(j, "items")); p; p = json_next(p), n++) {
		double total = json_get_num(p, "memory_total", NAN), l = json_get_num(p, "load1", NAN);

		grid_cell(g, fmt_day(when, json_get_time(p, "ts"), false));
		percent_cell(g, json_get_num(p, "cpu_usage", NAN));
		percent_cell(g, json_get_num(p, "cpu_max", NAN));
		percent_cell(g, total > 0 ? json_get_num(p, "memory_used", NAN) * 100 / total : NAN);
		percent_cell(g, json_get_num(p, "disk_usage", NAN));
		snprintf(load, sizeof(load), isnan(l) ? "-" : "%.2f", l);
		grid_cell(g, load);
		rate_cell(g, json_get_num(p, "io_read", NAN));
		rate_cell(g, json_get_num(p, "io_write", NAN));
		rate_cell(g, json_get_num(p, "net_rx", NAN));
		rate_cell(g, json_get_num(p, "net_tx", NAN));
	}
	if (n)
		grid_print(g);
	else
		puts("No sample in that time.");
}

static int stats(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct stats_options *o = opts;
	CLEANUP(json_freep) struct json *j = NULL;
	char path[160], from[CLOCK_TEXT];
	int64_t since, step;
	uint64_t id;

	if (cmd_number(&id, argv[1], "a node", "felloe nodes", e) || cmd_span(&since, str_or(o->since, "1h"), "--since", e))
		return -1;
	step = since / 24 / 1000 * 1000; /* a screenful */
	if (o->step && cmd_span(&step, o->step, "--step", e))
		return -1;
	snprintf(path, sizeof(path), "/nodes/%" PRIu64 "/stats?from=%s&step=%" PRId64, id,
		 clock_rfc3339(from, (clock_ms() - since) / 1000 * 1000), step < 1000 ? 1 : step / 1000);
	if (cmd_send(c, "GET", path, NULL, &j, e))
		return -1;
	if (c->json)
		cmd_print_json(j);
	else
		print_points(j);
	return 0;
}

int cmd_stats(int argc, char **argv)
{
	struct stats_options o = {0};
	const struct opt more[] = {
		{.name = "since", .type = OPT_STR, .to = &o.since, .arg = "SPAN", .help = "Of the last 15m, 24h, 30d ... (1h)."},
		{.name = "step", .type = OPT_STR, .to = &o.step, .arg = "SPAN", .help = "One line for so long (a 24th of all)."},
		{0}};
	const struct cmd_spec spec = {"ID [--since SPAN] [--step SPAN]", "Show the numbers of a node over time.", more, 1, 1};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || stats(&c, argv, &o, &e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

/* ---- storages */

static int storages(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const struct cmd_column columns[] = {
		{"NODE", "node", CMD_TEXT},		  {"STORAGE", "storage.name", CMD_TEXT}, {"TYPE", "storage.type", CMD_TEXT},
		{"STATE", "storage.state", CMD_TEXT},	  {"USED", "storage.used", CMD_BYTES},	 {"FREE", "storage.free", CMD_BYTES},
		{"LAST OK", "storage.last_ok", CMD_AGO}, {"FAILURES", "storage.failures", CMD_TEXT}, {"ERROR", "storage.error", CMD_TEXT},
	};

	(void)argv;
	(void)opts;
	return cmd_show(c,
			&(struct cmd_table){"/storages", columns, ARRAY_LEN(columns), 0,
					    "No node has reported a storage."},
			e);
}

int cmd_storages(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--json]", "List the storages of all nodes, as their last reports say.", NULL, 0, 0};
	static const struct cmd_sub subs[] = {{"", "", 0, storages}, {0}};

	return cmd_subs(argc, argv, &spec, subs, NULL);
}
