/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "noded/cmd.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded: one verb a file. */
static const struct verb verbs[] = {
	{"backup", "[--timer NAME] [SITE...] [--dry-run]", "Back up sites now.", cmd_backup},
	{"list", "[SITE] [--json] [--from STORAGE]", "List runs, or the archives on a storage.", cmd_list},
	{"restore", "SITE [--at WHEN] [--db NAME[:TABLE,...]] [--files PATH] [...]",
	 "Restore a database, tables or files.", cmd_restore},
	{"verify", "[SITE...] [--run ID|--at WHEN] [--full] [--json]", "Check what is stored, or prove that it restores.",
	 cmd_verify},
	{"accept", "SITE [RUN]", "Say that a suspect run is right: the next ones are compared with it.", cmd_accept},
	{"prune", "[SITE] [--dry-run] [--json]", "Delete the runs that no rule of their timer keeps.", cmd_prune},
	{"hold", "RUN", "Never delete this run.", cmd_hold},
	{"release", "RUN", "The end of it.", cmd_release},
	{"forget", "STORAGE [--dry-run] [--json]", "Forget the runs on a storage that is gone for good.", cmd_forget},
	{"check", "[--json] [--only PART]", "Check configuration, databases, storages, clock and rights.", cmd_check},
	{"status", "[--json]", "Show runs in progress, last runs and storages.", cmd_status},
	{"sites", "[DIR...] [--json]", "Find WordPress sites on this server.", cmd_sites},
	{"join", "[--master URL] [--token-file FILE] [--wait[=SECONDS]] [...]", "Ask a master to take this node.",
	 cmd_join},
	{"agent", "", "Report to the master: the daemon of this node.", cmd_agent},
	{"apply", "FILE|- [--dry-run] [--json]", "Make FILE this node's configuration and set its timers.", cmd_apply},
	{"timers", "[--json]", "Show this node's timers as systemd has them.", cmd_timers},
	{"pause", "[TIMER]", "Let a timer, or all, do nothing for now.", cmd_pause},
	{"resume", "[TIMER]", "The end of it.", cmd_resume},
	{"request", "ID", "Carry out what the master asked for (started by the agent).", cmd_request},
	{"keeper", "...", "Look after a private server (started by verify --full).", cmd_keeper},
	{"calendar", "EXPR [--next N] [--json]", "Show when a calendar expression fires.", cmd_calendar},
	{0},
};

const struct verb *cmd_verbs(void)
{
	return verbs;
}

/* Options of every verb may stand before it: "felloe-noded -c FILE backup". How
 * many words of argv[1..] they take. */
static int leading_options(int argc, char **argv)
{
	static const char *const with_value[] = {"-c", "--config", "--state", "--log-format"};
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		for (size_t k = 0; k < ARRAY_LEN(with_value); k++)
			if (str_eq(argv[i], with_value[k])) {
				i++;
				break;
			}
		i++;
	}
	return i - 1;
}

static int usage(const char *unknown)
{
	const char *nearest = NULL;

	if (!verb_find(verbs, unknown, &nearest) && nearest)
		fprintf(stderr, "felloe-noded: there is no verb \"%s\"; did you mean \"%s\"?\n", unknown, nearest);
	else
		fprintf(stderr, "felloe-noded: there is no verb \"%s\"; see felloe-noded --help\n", unknown);
	return err_exit_code(ERR_USAGE);
}

int main(int argc, char **argv)
{
	int skip = leading_options(argc, argv);
	const struct verb *v;
	const char *nearest;
	char *name;

	for (int i = 1; i <= skip && i < argc; i++) {
		if (str_eq(argv[i], "--version")) {
			puts("felloe-noded " PACKAGE_VERSION);
			return 0;
		}
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h")) {
			verb_help(verbs, "felloe-noded", "The node of Felloe: backs up the sites of this server.");
			return 0;
		}
	}
	if (skip + 1 >= argc) {
		fputs("felloe-noded: which verb? See felloe-noded --help\n", stderr);
		return err_exit_code(ERR_USAGE);
	}
	name = argv[skip + 1];
	v = verb_find(verbs, name, &nearest);
	if (!v)
		return usage(name);
	memmove(argv + 2, argv + 1, (size_t)skip * sizeof(*argv));
	argv[1] = name;
	return verb_end("felloe-noded", v->run(argc - 1, argv + 1));
}
