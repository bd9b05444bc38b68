/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/agent/calendar.h"
#include "noded/cmd.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mem.h"

/* felloe-noded calendar EXPR: when a timer would fire, as systemd reads it. */

static int print_json(const char *expr, const struct calendar *c, const struct err *failed)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_put_str(&j.o, "expression", expr);
	if (failed) {
		json_put_str(&j.o, "error", failed->msg);
	} else {
		json_put_str(&j.o, "normalized", c->normalized);
		json_arr(&j.o, "next");
		for (size_t i = 0; i < c->next.n; i++)
			json_put_time(&j.o, NULL, c->next.v[i]);
		json_end_arr(&j.o);
		json_arr(&j.o, "warnings");
		if (c->warning[0])
			json_put_str(&j.o, NULL, c->warning);
		json_end_arr(&j.o);
	}
	return cmd_json_end(&j, "the list");
}

static void print_text(const struct calendar *c)
{
	printf("Normalized: %s\n", c->normalized);
	if (!c->next.n)
		puts("Never again.");
	for (size_t i = 0; i < c->next.n; i++) {
		char local[64], utc[CLOCK_TEXT];

		printf("%s  (%s)\n", clock_format_local(local, sizeof(local), "%a %Y-%m-%d %H:%M:%S %Z", c->next.v[i]),
		       clock_rfc3339(utc, c->next.v[i]));
	}
	if (c->warning[0])
		printf("Warning: %s\n", c->warning);
}

int cmd_calendar(int argc, char **argv)
{
	CLEANUP(calendar_done) struct calendar cal = {0};
	struct cmd c = {0};
	uint64_t next = 5;
	bool json = false;
	const struct opt opts[] = {
		{.name = "next",
		 .type = OPT_U64,
		 .to = &next,
		 .arg = "N",
		 .help = "Show N times (default 5).",
		 .min = 1,
		 .max = 1000},
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (n != 1)
		return cmd_misused(argv, "give one expression, in quotes, such as \"*-*-* 03:10\"");
	if (calendar_ask(&cal, argv[1], (unsigned)next, &e)) {
		rc = json ? print_json(argv[1], &cal, &e) : 0;
		return cmd_worse(rc, cmd_fail(&e));
	}
	if (json)
		return print_json(argv[1], &cal, NULL);
	print_text(&cal);
	return 0;
}
