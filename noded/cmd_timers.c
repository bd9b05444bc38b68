/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/agent/timers.h"
#include "noded/cmd.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded timers: what systemd knows of this node's timers. */

static int print_json(const struct wire_timers *l)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_arr(&j.o, "timers");
	for (size_t i = 0; i < l->n; i++)
		wire_timer_put(&j.o, NULL, &l->v[i]);
	json_end_arr(&j.o);
	return cmd_json_end(&j, "the list");
}

static void print_table(const struct wire_timers *l)
{
	if (!l->n)
		puts("No timers. Write them into \"timers\" of config.json, then run felloe-noded apply.");
	else
		printf("%-16s %-18s %-18s %-12s %-7s %s\n", "TIMER", "NEXT", "LAST", "RESULT", "TOOK", "CALENDAR");
	for (size_t i = 0; i < l->n; i++) {
		const struct wire_timer *t = &l->v[i];
		char next[64] = "-", last[64] = "-", took[UNITS_TEXT] = "-";
		const char *result = t->running ? "running" : t->result[0] ? t->result : "never ran";

		if (t->next)
			clock_format_local(next, sizeof(next), "%a %m-%d %H:%M:%S", t->next);
		if (t->last)
			clock_format_local(last, sizeof(last), "%a %m-%d %H:%M:%S", t->last);
		if (t->took_ms >= 0)
			units_span(took, t->took_ms);
		printf("%-16s %-18s %-18s %-12s %-7s %s%s\n", t->name, t->enabled && t->active ? next : "not enabled",
		       last, result, took, t->on_calendar, t->enabled && t->active ? "" : " (run felloe-noded apply)");
	}
}

int cmd_timers(int argc, char **argv)
{
	CLEANUP(timers_closep) struct timers *timers = NULL;
	struct wire_timers list = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
	bool json = false;
	const struct opt opts[] = {
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (cmd_too_many(n, argv))
		return err_exit_code(ERR_USAGE);
	if (cmd_config(&c, &e) || timers_open(&timers, &e) || timers_list(timers, c.config, &list, &e))
		return cmd_fail(&e);
	if (json)
		rc = print_json(&list);
	else
		print_table(&list);
	list_done(&list);
	return rc > 0 ? rc : 0;
}
