/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "shared/wire.h"
#include "tui/cmd.h"
#include "tui/fmt.h"

struct sink {
	struct grid *grid;
	bool json, first;
};

static void comma(struct sink *s)
{
	if (!s->first)
		puts(",");
	s->first = false;
}

static int run_row(void *ctx, const struct json *item, struct err *e)
{
	struct sink *s = ctx;
	struct problems p = {0};
	struct wire_run r;
	char text[FMT_TEXT], bytes[UNITS_TEXT], state[32];

	(void)e;
	if (s->json) {
		comma(s);
		cmd_print_json(item);
		return 0;
	}
	wire_run_init(&r);
	wire_run_get(&r, item, "", &p);
	grid_cell(s->grid, fmt_day(text, wire_run_began(&r), false));
	grid_cell(s->grid, r.node);
	grid_cell(s->grid, r.site);
	grid_cell(s->grid, r.timer[0] ? r.timer : "by hand");
	snprintf(state, sizeof(state), "%s%s", run_state_name(r.state), r.pruned ? ", pruned" : r.held ? ", held" : "");
	grid_cell(s->grid, state);
	grid_cell(s->grid, fmt_age(text, (r.finished ? r.finished : clock_ms()) - r.started));
	grid_cell(s->grid, r.bytes_stored > 0 && (!r.pruned || r.archives.n) ? units_bytes(bytes, (uint64_t)r.bytes_stored) : "-");
	grid_cell(s->grid, r.uuid);
	wire_run_done(&r);
	problems_done(&p);
	return 0;
}

static int list_runs(struct cmd *c, const char *path, uint64_t most, struct err *e)
{
	static const char *const titles[] = {"STARTED", "NODE", "SITE", "TIMER", "STATE", "TOOK", "STORED", "RUN"};
	CLEANUP(grid_freep) struct grid *g = grid_new(titles, ARRAY_LEN(titles));
	struct sink s = {g, c->json, true};

	if (c->json)
		puts("[");
	if (cmd_list(c, path, &(struct cmd_each){run_row, &s, most}, e))
		return -1;
	if (c->json)
		puts("]");
	else
		grid_print(g);
	return 0;
}

int cmd_runs(int argc, char **argv)
{
	uint64_t node = 0, limit = 100;
	const char *site = NULL, *state = NULL;
	const struct opt more[] = {
		{.name = "node", .type = OPT_U64, .to = &node, .arg = "ID", .help = "Only runs of this node.",
		 .min = 1, .max = 1ULL << 53},
		{.name = "site", .type = OPT_STR, .to = &site, .arg = "NAME", .help = "Only runs of this site."},
		{.name = "state", .type = OPT_STR, .to = &state, .arg = "STATE",
		 .help = "Only runs in this state: running, ok, warning, failed, aborted, skipped, suspect."},
		{.name = "limit", .type = OPT_U64, .to = &limit, .arg = "N", .help = "At most so many (100).",
		 .min = 1, .max = 100000},
		{0}};
	const struct cmd_spec spec = {"[--node ID] [--site NAME] [--state STATE] [--limit N]",
				      "List runs, the newest first.", more, 0, 0};
	enum run_state known;
	char path[256], part[64] = "";
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0 && state && run_state_from(&known, state))
		rc = err_set(&e, ERR_USAGE, "--state: no run is ever \"%s\"; see felloe runs --help", state);
	if (rc == 0 && site && !str_is_name(site))
		rc = err_set(&e, ERR_USAGE, "--site: \"%s\" is no name of a site", site);
	if (rc == 0) {
		if (node)
			snprintf(part, sizeof(part), "&node=%" PRIu64, node);
		snprintf(path, sizeof(path), "/runs?x=1%s%s%s%s%s", part, site ? "&site=" : "", site ? site : "",
			 state ? "&state=" : "", state ? state : "");
		rc = cmd_connect(&c, &e) || list_runs(&c, path, limit, &e) ? -1 : 0;
	}
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

static void show_run(const struct json *j)
{
	struct problems p = {0};
	struct wire_run r;
	char text[FMT_TEXT], bytes[UNITS_TEXT];

	wire_run_init(&r);
	wire_run_get(&r, j, "", &p);
	printf("Run       %s\nNode      %s\nSite      %s (%s)\n", r.uuid, r.node, r.site, r.what);
	printf("State     %s\n", run_state_name(r.state));
	printf("Started   %s\n", fmt_day(text, r.started, false));
	if (r.clock_ahead_s >= 0)
		printf("          by a clock that was %s ahead: it counts as begun %s\n", units_span(bytes, r.clock_ahead_s * 1000),
		       fmt_day(text, r.began, false));
	printf("Finished  %s\n", fmt_day(text, r.finished, false));
	if (r.bytes_in > 0)
		printf("Read      %s", units_bytes(bytes, (uint64_t)r.bytes_in));
	if (r.bytes_in > 0)
		printf(", stored %s\n", r.bytes_stored > 0 ? units_bytes(bytes, (uint64_t)r.bytes_stored) : "nothing");
	for (size_t i = 0; i < r.archives.n; i++) {
		printf("%s %s:%s\n", i ? "         " : "Archive  ", r.archives.v[i].storage, r.archives.v[i].key);
		if (r.archives.v[i].damage[0])
			printf("          DAMAGED %s%s%s\n", r.archives.v[i].damage, r.archives.v[i].damage_at ? ", found " : "",
			       r.archives.v[i].damage_at ? fmt_date(text, r.archives.v[i].damage_at, false) : "");
	}
	if (r.snapshot[0])
		printf("Snapshot  %s\n", r.snapshot);
	if (r.proven)
		printf("Proven    restorable, %s\n", fmt_date(text, r.proven, false));
	if (r.held)
		puts("Held      by hand: never deleted");
	if (r.pruned)
		printf("Pruned    %s: %s\n", fmt_day(text, r.pruned, false),
		       r.archives.n ? "deleted when its storage answers" : "nothing of it is stored any more");
	if (r.error[0])
		printf("Error     %s\n", r.error);
	if (r.log)
		printf("\n%s\n", r.log);
	wire_run_done(&r);
	problems_done(&p);
}

int cmd_run(int argc, char **argv)
{
	static const struct cmd_spec spec = {"UUID [--json]", "Show one run, with the end of its log.", NULL, 1, 1};
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0 && !str_is_name(argv[1]))
		rc = err_set(&e, ERR_USAGE, "\"%s\" is no run; felloe runs lists them", argv[1]);
	if (rc == 0) {
		snprintf(path, sizeof(path), "/runs/%.40s", argv[1]);
		rc = cmd_connect(&c, &e) || cmd_call(&c, &(struct session_call){.method = "GET", .path = path}, &j, &e)
			     ? -1
			     : 0;
	}
	if (rc == 0 && c.json)
		cmd_print_json(j);
	else if (rc == 0)
		show_run(j);
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

static int timer_row(void *ctx, const struct json *item, struct err *e)
{
	struct sink *s = ctx;
	struct problems p = {0};
	struct wire_timer t = {0};
	char text[FMT_TEXT], when[FMT_TEXT];

	(void)e;
	if (s->json) {
		comma(s);
		cmd_print_json(item);
		return 0;
	}
	wire_timer_get(&t, json_get(item, "timer"), "timer", &p);
	problems_done(&p);
	grid_cell(s->grid, json_get_str(item, "node", "?"));
	grid_cell(s->grid, t.name);
	grid_cell(s->grid, t.running ? "running" : t.enabled ? "on" : "off");
	grid_cell(s->grid, fmt_day(when, t.next, false));
	grid_cell(s->grid, fmt_next(text, t.next, clock_ms()));
	grid_cell(s->grid, fmt_day(when, t.last, false));
	grid_cell(s->grid, t.result);
	return 0;
}

int cmd_timers(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--json]", "List the timers of all nodes with their next and last run.",
					     NULL, 0, 0};
	static const char *const titles[] = {"NODE", "TIMER", "STATE", "NEXT RUN", "IN", "LAST RUN", "RESULT"};
	CLEANUP(grid_freep) struct grid *g = grid_new(titles, ARRAY_LEN(titles));
	struct sink s = {g, false, true};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	s.json = c.json;
	if (rc == 0) {
		if (c.json)
			puts("[");
		rc = cmd_connect(&c, &e) || cmd_list(&c, "/timers", &(struct cmd_each){timer_row, &s, 0}, &e) ? -1 : 0;
		if (rc == 0 && c.json)
			puts("]");
		else if (rc == 0)
			grid_print(g);
	}
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}
