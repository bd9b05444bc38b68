/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_CMD_H
#define FELLOE_NODED_CMD_H

#include <stdbool.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/opt.h"

/* What all verbs of felloe-noded share. */

struct cmd {
	const char *config;      /* default FELLOE_CONFIG, else the one of the system */
	const char *state, *log_format;
	bool verbose, help;
};

/* The options that every verb takes, to stand in its table. c is a struct cmd. */
#define CMD_OPTS(c) \
	{.name = "config", .letter = 'c', .type = OPT_STR, .to = &(c).config, .arg = "FILE", \
	 .help = "Read the configuration from FILE (default: $FELLOE_CONFIG or " FELLOE_SYSCONFDIR "/config.json)."}, \
	{.name = "state", .type = OPT_STR, .to = &(c).state, .arg = "DIR", \
	 .help = "Keep state and locks under DIR instead of /var/lib/felloe and /run/felloe."}, \
	{.name = "verbose", .letter = 'v', .type = OPT_FLAG, .to = &(c).verbose, .help = "Say more."}, \
	{.name = "log-format", .type = OPT_STR, .to = &(c).log_format, .arg = "FORMAT", \
	 .help = "Log as \"text\" (default) or \"json\"."}, \
	{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &(c).help, .help = "Show this help."}

/* Parse argv by opts (which contains CMD_OPTS of c), start the log, set the
 * state directory. Operands are then argv[1..*operands]. -1: go on; else the
 * exit code to end with (--help was shown: 0, wrong usage: 2). */
int cmd_start(struct cmd *c, const struct opt *opts, int argc, char **argv, int *operands) MUSTCHECK;

/* Load the configuration; unknown keys are logged as warnings. -1: all problems were logged. */
int cmd_config(const struct cmd *c, struct config **ret, struct err *e) MUSTCHECK;
struct catalogue;
/* ERR_USAGE, with the nearest name, when neither the configuration nor a run knows the site. */
int cmd_known_site(const struct config *config, struct catalogue *catalogue, const char *site, struct err *e) MUSTCHECK;
/* Log e and give its exit code. */
int cmd_fail(const struct err *e);
/* For verbs without operands: true, and the first of n is named on stderr, when
 * there are any; the exit code is then that of ERR_USAGE. */
bool cmd_too_many(int n, char **argv);

/* The table of verbs (main.c): one verb a file. */
int cmd_backup(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_accept(int argc, char **argv);
int cmd_prune(int argc, char **argv);
int cmd_hold(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_release(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_sites(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_join(int argc, char **argv);
int cmd_agent(int argc, char **argv);
int cmd_apply(int argc, char **argv);
int cmd_keeper(int argc, char **argv);
int cmd_calendar(int argc, char **argv);
int cmd_timers(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_request(int argc, char **argv);

/* Names for --help lines: the verbs are in main.c, cmd_start finds the usage there. */
const struct verb *cmd_verbs(void);

#endif
