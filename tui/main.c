/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/err.h"
#include "shared/log.h"
#include "shared/opt.h"
#include "shared/str.h"
#include "tui/cmd.h"
#include "tui/cmd_configure.h"
#include "tui/session.h"
#include "tui/theme.h"
#include "tui/ui.h"

/* felloe: a verb, or without one the console. */
static const struct verb verbs[] = {
	{"login", "[--master URL] [--user NAME]", "Sign in for the verbs below.", cmd_login},
	{"logout", "", "Sign out.", cmd_logout},
	{"whoami", "[--json]", "Who is signed in where.", cmd_whoami},
	{"nodes", "[--json]", "List the nodes.", cmd_nodes},
	{"node", "ID [--json]", "Show one node.", cmd_node},
	{"pending", "[--json]", "List the nodes that wait for approval.", cmd_pending},
	{"approve", "ID|CODE [--name N]", "Approve a node.", cmd_approve},
	{"block", "ID --reason R", "Block a node.", cmd_block},
	{"unblock", "ID", "Let a blocked node report again.", cmd_unblock},
	{"runs", "[--json]", "List runs.", cmd_runs},
	{"run", "UUID [--json]", "Show one run.", cmd_run},
	{"timers", "[--json]", "List the timers of all nodes.", cmd_timers},
	{"storages", "[--json]", "List the storages of all nodes.", cmd_storages},
	{"stats", "ID [--since SPAN] [--step SPAN]", "Show the numbers of a node over time.", cmd_stats},
	{"alerts", "[show|ack|snooze ...] [--json]", "List what is wrong, or look after it.", cmd_alerts},
	{"channels", "[add|test|delete NAME]", "Where alerts are told.", cmd_channels},
	{"events", "[--follow] [--topics A,B]", "Print what happens, as it happens.", cmd_events},
	{"request", "ID [VERB [SITE]] [--wait]", "Ask a node to back up, verify, pause ...", cmd_request},
	{"rename", "ID NAME", "Give a node another name.", cmd_rename},
	{"tags", "ID A,B", "Give a node tags.", cmd_tags},
	{"note", "ID TEXT", "Write a note about a node.", cmd_note},
	{"delete", "ID [--yes]", "Delete a node.", cmd_delete},
	{"rotate-key", "ID", "Give a node a new key.", cmd_rotate_key},
	{"users", "[add|role|tags|... NAME]", "List or change the users.", cmd_users},
	{"tokens", "[add|revoke NAME] [--join]", "List, make or revoke tokens.", cmd_tokens},
	{"audit", "[--who NAME] [--since SPAN]", "Show who did what.", cmd_audit},
	{"password", "[--new-file FILE]", "Change your password.", cmd_password},
	{"totp", "on|off", "One-time codes when you sign in.", cmd_totp},
	{"configure", "[--apply FILE [--wait[=SECONDS]]]", "Set this node up: the wizard.", cmd_configure},
	{0},
};

struct options {
	const char *master, *user, *pin, *colour;
	bool read_only, ascii, help, version;
};

static int fail(const struct err *e)
{
	fprintf(stderr, "felloe: %s\n", e->msg);
	return err_exit_code(e->kind);
}

static int parse(struct options *o, const struct opt *opts, int argc, char **argv, struct err *e)
{
	int operands;

	if (opt_parse(opts, argc, argv, &operands, e))
		return -1;
	if (operands && !o->help && !o->version) {
		const char *nearest = NULL;

		(void)verb_find(verbs, argv[1], &nearest);
		if (nearest)
			return err_set(e, ERR_USAGE, "there is no verb \"%s\"; did you mean \"%s\"?", argv[1], nearest);
		return err_set(e, ERR_USAGE, "there is no verb \"%s\"; felloe --help lists them", argv[1]);
	}
	return 0;
}

static int help(const struct opt *opts)
{
	verb_help(verbs, "felloe", "The console of a fleet, and verbs for scripts. Without a verb: the console.");
	puts("\nOptions of the console:");
	opt_help(opts);
	return 0;
}

/* The last session, but for another master or user only what fits them. */
static void apply(struct session *s, const struct options *o)
{
	const char *master = str_or(o->master, getenv("FELLOE_MASTER"));

	if (!str_empty(master) && !str_eq(master, s->master))
		session_replace(s, master, NULL, NULL);
	if (o->user && !str_eq(o->user, s->user))
		session_replace(s, NULL, o->user, NULL);
	if (o->pin && !str_eq(o->pin, s->pin))
		session_replace(s, NULL, NULL, o->pin);
}

static int console(const struct options *o)
{
	struct ui_opts ui = {.read_only = o->read_only, .ascii = o->ascii};
	struct session s = {0};
	struct err e = {0};
	int rc = 0;

	if (theme_colour(o->colour, &ui.colour))
		rc = err_set(&e, ERR_USAGE, "--color takes auto, always or never, not \"%s\"", o->colour);
	if (rc == 0 && session_load(&s, &e) == 0) {
		apply(&s, o);
		rc = ui_run(&s, &ui, &e);
	} else {
		rc = -1;
	}
	session_done(&s);
	return rc ? fail(&e) : 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	const struct opt opts[] = {
		{.name = "master", .type = OPT_STR, .to = &o.master, .arg = "URL", .help = "The master to sign in to."},
		{.name = "user", .type = OPT_STR, .to = &o.user, .arg = "NAME", .help = "Who signs in."},
		{.name = "pin",
		 .type = OPT_STR,
		 .to = &o.pin,
		 .arg = "sha256//B64",
		 .help = "The public key that the master must have; no CA is asked then."},
		{.name = "read-only",
		 .type = OPT_FLAG,
		 .to = &o.read_only,
		 .help = "Change nothing: keys that would are off."},
		{.name = "ascii", .type = OPT_FLAG, .to = &o.ascii, .help = "Draw with 7-bit characters only."},
		{.name = "color",
		 .type = OPT_STR,
		 .to = &o.colour,
		 .arg = "WHEN",
		 .help = "auto (colours unless NO_COLOR is set), always or never."},
		{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &o.help, .help = "Show this help."},
		{.name = "version", .type = OPT_FLAG, .to = &o.version, .help = "Show the version."},
		{0},
	};
	const struct verb *v = argc > 1 ? verb_find(verbs, argv[1], &(const char *){NULL}) : NULL;
	struct err e = {0};

	setlocale(LC_ALL, "");
	log_init("felloe", 0, LOG_WARN);
	if (v)
		return verb_end("felloe", v->run(argc - 1, argv + 1));
	if (parse(&o, opts, argc, argv, &e))
		return fail(&e);
	if (o.version)
		puts("felloe " PACKAGE_VERSION);
	else if (o.help)
		return help(opts);
	else
		return console(&o);
	return 0;
}
