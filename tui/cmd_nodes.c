/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd.h"
#include "tui/fmt.h"
#include "tui/model.h"

/* Where the items of a list go: a table, or one JSON array. */
struct sink {
	struct grid *grid;
	void (*row)(struct grid *g, const struct node *n);
	bool json, first;
};

static int take(void *ctx, const struct json *item, struct err *e)
{
	struct sink *s = ctx;
	struct detail *d;

	if (s->json) {
		if (!s->first)
			puts(",");
		s->first = false;
		cmd_print_json(item);
		return 0;
	}
	if (detail_from(&d, item, 0, e))
		return -1;
	s->row(s->grid, &d->node);
	detail_free(d);
	return 0;
}

static int list(struct cmd *c, const char *path, struct sink *s, struct err *e)
{
	struct cmd_each each = {.fn = take, .ctx = s};

	s->json = c->json;
	s->first = true;
	if (c->json)
		puts("[");
	if (cmd_list(c, path, &each, e))
		return -1;
	if (c->json)
		puts("]");
	else
		grid_print(s->grid);
	return 0;
}

static void percent_cell(struct grid *g, double percent)
{
	char text[16];

	snprintf(text, sizeof(text), "%.0f%%", percent);
	grid_cell(g, isnan(percent) ? "-" : text);
}

/* Of the site where it is oldest; a site without any weighs more. */
static void good_cell(struct grid *g, const struct node *n, int64_t now)
{
	char text[FMT_TEXT];

	if (n->never_good > 0) {
		snprintf(text, sizeof(text), "never (%" PRId64 " site%s)", n->never_good, n->never_good == 1 ? "" : "s");
		grid_cell(g, text);
		return;
	}
	fmt_ago(text, now - n->good_age, now);
	grid_cell(g, n->good_age < 0 ? "-" : text + (text[0] == ' '));
}

static void node_row(struct grid *g, const struct node *n)
{
	char text[FMT_TEXT];
	int64_t now = clock_ms();

	snprintf(text, sizeof(text), "%" PRIu64, n->id);
	grid_cell(g, text);
	grid_cell(g, n->name);
	grid_cell(g, health_name(n->health));
	percent_cell(g, n->cpu);
	percent_cell(g, n->mem);
	percent_cell(g, n->disk);
	fmt_ago(text, n->last_at, now);
	grid_cell(g, text[0] == ' ' ? text + 1 : text);
	good_cell(g, n, now);
	grid_cell(g, n->running ? "running" : fmt_next(text, n->next_at, now));
	grid_cell(g, n->agent);
}

static void pending_row(struct grid *g, const struct node *n)
{
	char text[FMT_TEXT];

	snprintf(text, sizeof(text), "%" PRIu64, n->id);
	grid_cell(g, text);
	grid_cell(g, n->name);
	grid_cell(g, n->peer);
	grid_cell(g, n->created ? fmt_age(text, clock_ms() - n->created) : "-");
	grid_cell(g, n->code);
	grid_cell(g, n->name_in_use ? "name already used" : n->code_open ? "code not protected" : "");
}

static int run_list(const struct cmd_spec *spec, const char *path, struct sink *s, int argc, char **argv)
{
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || list(&c, path, s, &e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

int cmd_nodes(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--json]", "List the nodes.", NULL, 0, 0};
	static const char *const titles[] = {"ID",   "NODE",        "STATE", "CPU",  "MEM",
					     "DISK", "LAST BACKUP", "LAST GOOD", "NEXT",  "AGENT"};
	CLEANUP(grid_freep) struct grid *g = grid_new(titles, ARRAY_LEN(titles));

	return run_list(&spec, "/nodes/", &(struct sink){.grid = g, .row = node_row}, argc, argv);
}

int cmd_pending(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--json]", "List the nodes that wait to be approved.", NULL, 0, 0};
	static const char *const titles[] = {"ID", "NODE", "FROM", "WAITING", "CODE", "NOTE"};
	CLEANUP(grid_freep) struct grid *g = grid_new(titles, ARRAY_LEN(titles));

	return run_list(&spec, "/nodes/?state=pending", &(struct sink){.grid = g, .row = pending_row}, argc, argv);
}

static void fact(const char *label, const char *text)
{
	if (!str_empty(text))
		printf("%-12s %s\n", label, text);
}

static int show(const struct json *j, struct err *e)
{
	struct detail *d;
	char text[FMT_TEXT], of[FMT_TEXT], when[FMT_TEXT], day[FMT_TEXT], damaged[FMT_TEXT];
	const struct node *n;

	if (detail_from(&d, j, clock_ms(), e))
		return -1;
	n = &d->node;
	printf("%-12s %s (%" PRIu64 ")\n", "Node", n->name, n->id);
	fact("State", health_name(n->health));
	fact("Reason", n->reason);
	fact("Address", n->peer);
	fact("System", n->os);
	fact("Agent", n->agent);
	if (!isnan(n->cpu))
		printf("%-12s %.0f%%\n", "CPU", n->cpu);
	if (d->sample.mem_total > 0)
		fact("Memory", fmt_of(of, d->sample.mem_used, d->sample.mem_total));
	for (size_t i = 0; i < d->sample.disks.n; i++)
		printf("%-12s %s %.0f%% %s\n", i ? "" : "Disk", d->sample.disks.v[i].mount,
		       d->sample.disks.v[i].percent, fmt_of(of, d->sample.disks.v[i].used, d->sample.disks.v[i].total));
	for (size_t i = 0; i < d->sample.runs.n; i++)
		printf("%-12s %s %s\n", i ? "" : "Running", d->sample.runs.v[i].site, d->sample.runs.v[i].phase);
	for (size_t i = 0; i < d->n_sites; i++)
		printf("%-12s %s, last good %s%s%s%s\n", i ? "" : "Sites", d->sites[i].name,
		       fmt_day(when, d->sites[i].last_good, true), d->sites[i].proven ? ", proven restorable " : "",
		       d->sites[i].proven ? fmt_date(day, d->sites[i].proven, true) : "",
		       fmt_damaged(damaged, d->sites[i].damaged));
	for (size_t i = 0; i < d->sample.timers.n; i++)
		printf("%-12s %s, next %s (%s)\n", i ? "" : "Timers", d->sample.timers.v[i].name,
		       fmt_day(when, d->sample.timers.v[i].next, true),
		       fmt_next(text, d->sample.timers.v[i].next, clock_ms()));
	detail_free(d);
	return 0;
}

int cmd_node(int argc, char **argv)
{
	static const struct cmd_spec spec = {"ID [--json]", "Show one node.", NULL, 1, 1};
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];
	struct err e = {0};
	struct cmd c;
	uint64_t id;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0 && str_to_u64(&id, argv[1], 1, 1ULL << 53))
		rc = err_set(&e, ERR_USAGE, "the ID of a node is a number (felloe nodes lists them), not \"%s\"",
			     argv[1]);
	if (rc == 0) {
		snprintf(path, sizeof(path), "/nodes/%" PRIu64, id);
		rc = cmd_connect(&c, &e) || cmd_call(&c, &(struct session_call){.method = "GET", .path = path}, &j, &e)
			     ? -1
			     : 0;
	}
	if (rc == 0 && c.json)
		cmd_print_json(j);
	else if (rc == 0)
		rc = show(j, &e);
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}
