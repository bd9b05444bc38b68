/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

/* felloe alerts: what is wrong, and who looks after it. */

struct options {
	const char *state, *kind, *span;
	uint64_t node;
};

static const struct cmd_column columns[] = {
	{"ID", "id", CMD_TEXT},       {"SINCE", "first", CMD_DAY},   {"SEVERITY", "severity", CMD_TEXT},
	{"STATE", "state", CMD_TEXT}, {"NODE", "node", CMD_TEXT},    {"KIND", "kind", CMD_TEXT},
	{"OF", "ref", CMD_TEXT},      {"COUNT", "count", CMD_TEXT},  {"WHAT", "cause", CMD_TEXT},
};

static int list(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const char *const states[] = {"open", "closed", "all"};
	const struct options *o = opts;
	char path[256], node[48] = "";
	bool known = !o->state;

	(void)argv;
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		known |= str_eq(o->state, states[i]);
	if (!known)
		return err_set(e, ERR_USAGE, "--state takes open, closed or all, not \"%s\"", o->state);
	if (o->kind && !str_is_name(o->kind))
		return err_set(e, ERR_USAGE, "--kind: \"%s\" is no kind of alert", o->kind);
	if (o->node)
		snprintf(node, sizeof(node), "&node=%" PRIu64, o->node);
	snprintf(path, sizeof(path), "/alerts?state=%s%s%.100s%s", str_or(o->state, "open"), o->kind ? "&kind=" : "",
		 str_or(o->kind, ""), node);
	return cmd_show(c, &(struct cmd_table){path, columns, ARRAY_LEN(columns), 0, "All quiet: no alert."}, e);
}

static int show(struct cmd *c, char **argv, void *opts, struct err *e)
{
	static const struct cmd_column facts[] = {
		{"Alert", "id", CMD_TEXT},
		{"Kind", "kind", CMD_TEXT},
		{"Severity", "severity", CMD_TEXT},
		{"State", "state", CMD_TEXT},
		{"Node", "node", CMD_TEXT},
		{"Of", "ref", CMD_TEXT},
		{"Run", "run", CMD_TEXT},
		{"First", "first", CMD_DAY},
		{"Last", "last", CMD_DAY},
		{"Count", "count", CMD_TEXT},
		{"Cause", "cause", CMD_TEXT},
		{"What to do", "next_step", CMD_TEXT},
		{"Acknowledged", "acked_by", CMD_TEXT},
		{"Snoozed by", "snoozed_by", CMD_TEXT},
		{"Snoozed until", "snoozed_until", CMD_DAY},
		{"Closed", "closed_at", CMD_DAY},
		{"Closed why", "closed_why", CMD_TEXT},
	};
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];
	uint64_t id;

	(void)opts;
	if (cmd_number(&id, argv[1], "an alert", "felloe alerts", e))
		return -1;
	snprintf(path, sizeof(path), "/alerts/%" PRIu64, id);
	if (cmd_send(c, "GET", path, NULL, &j, e))
		return -1;
	if (c->json)
		cmd_print_json(j);
	else
		cmd_show_one(j, facts, ARRAY_LEN(facts));
	return 0;
}

/* ack, unack, snooze, unsnooze: METHOD /alerts/ID/WORD. */
static int change(struct cmd *c, const char *id_text, const char *method, const char *word, struct cmd_body *body,
		  struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	char path[64];
	uint64_t id;

	if (cmd_number(&id, id_text, "an alert", "felloe alerts", e)) {
		if (body)
			buf_done(&body->b);
		return -1;
	}
	snprintf(path, sizeof(path), "/alerts/%" PRIu64 "/%s", id, word);
	if (cmd_send(c, method, path, body, &j, e))
		return -1;
	if (c->json)
		cmd_print_json(j);
	else
		printf("Alert %" PRIu64 " is %s.\n", id, json_get_str(j, "state", "changed"));
	return 0;
}

static int ack(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return change(c, argv[1], "POST", "ack", NULL, e);
}

static int unack(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return change(c, argv[1], "DELETE", "ack", NULL, e);
}

static int snooze(struct cmd *c, char **argv, void *opts, struct err *e)
{
	const struct options *o = opts;
	struct cmd_body body;
	int64_t ms;

	if (cmd_span(&ms, str_or(o->span, "4h"), "--for", e))
		return -1;
	cmd_body_begin(&body);
	json_put_int(&body.o, "for_s", ms / 1000);
	return change(c, argv[1], "POST", "snooze", &body, e);
}

static int unsnooze(struct cmd *c, char **argv, void *opts, struct err *e)
{
	(void)opts;
	return change(c, argv[1], "DELETE", "snooze", NULL, e);
}

int cmd_alerts(int argc, char **argv)
{
	struct options o = {0};
	const struct opt more[] = {
		{.name = "state", .type = OPT_STR, .to = &o.state, .arg = "STATE",
		 .help = "open (also what is acknowledged or snoozed; the default), closed or all."},
		{.name = "kind", .type = OPT_STR, .to = &o.kind, .arg = "KIND", .help = "Only alerts of this kind."},
		{.name = "node", .type = OPT_U64, .to = &o.node, .arg = "ID", .help = "Only alerts of this node.", .min = 1,
		 .max = 1ULL << 53},
		{.name = "for", .type = OPT_STR, .to = &o.span, .arg = "SPAN",
		 .help = "With snooze: no notices for so long (4h; at most 30d)."},
		{0}};
	const struct cmd_spec spec = {"[show|ack|unack|snooze|unsnooze ID] [--state STATE] [--node ID]",
				      "List what is wrong; look after one (ack), or keep it quiet for a time (snooze).", more, 0,
				      2};
	static const struct cmd_sub subs[] = {{"", "", 0, list},	{"show", "ID", 1, show},
					      {"ack", "ID", 1, ack},	{"unack", "ID", 1, unack},
					      {"snooze", "ID", 1, snooze}, {"unsnooze", "ID", 1, unsnooze},
					      {0}};

	return cmd_subs(argc, argv, &spec, subs, &o);
}
