/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/agent/calendar.h"
#include "noded/cmd.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mem.h"

/* felloe-noded calendar EXPR: when a timer would fire, as systemd reads it. */

static void print_json(const char *expr, const struct calendar *c, const struct err *failed)
{
	CLEANUP(buf_done) struct buf b;
	struct json_out o;

	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "expression", expr);
	if (failed) {
		json_put_str(&o, "error", failed->msg);
	} else {
		json_put_str(&o, "normalized", c->normalized);
		json_arr(&o, "next");
		for (size_t i = 0; i < c->next.n; i++)
			json_put_time(&o, NULL, c->next.v[i]);
		json_end_arr(&o);
		json_arr(&o, "warnings");
		if (c->warning[0])
			json_put_str(&o, NULL, c->warning);
		json_end_arr(&o);
	}
	json_end_obj(&o);
	fputs(b.p, stdout);
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
	if (n != 1) {
		fputs("felloe-noded calendar: give one expression, in quotes, such as \"*-*-* 03:10\"\n", stderr);
		return err_exit_code(ERR_USAGE);
	}
	if (calendar_ask(&cal, argv[1], (unsigned)next, &e)) {
		if (json)
			print_json(argv[1], &cal, &e);
		return cmd_fail(&e);
	}
	if (json)
		print_json(argv[1], &cal, NULL);
	else
		print_text(&cal);
	return 0;
}
