/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_NODED_CMD_H
#define FELLOE_NODED_CMD_H

#include <stdbool.h>

#include "noded/config.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/opt.h"

/* What all verbs of felloe-noded share. */

struct catalogue;

struct cmd {
	const char *config_path; /* default FELLOE_CONFIG, else the one of the system */
	const char *state, *log_format;
	bool verbose, help;
	/* what the verb works with, NULL until it is asked for */
	struct config *config;
	struct catalogue *catalogue;
};
void cmd_done(struct cmd *c);

/* The options that every verb takes, to stand in its table. c is a struct cmd. */
#define CMD_OPTS(c) \
	{.name = "config", .letter = 'c', .type = OPT_STR, .to = &(c).config_path, .arg = "FILE", \
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

/* Load the configuration into c->config; unknown keys are logged as warnings. -1: all problems were logged, e has the first. */
int cmd_config(struct cmd *c, struct err *e) MUSTCHECK;
/* The same for a verb that can do without: nothing is logged, c->config stays NULL when it cannot be read. */
void cmd_config_if_any(struct cmd *c);
/* cmd_config, and the records of this node into c->catalogue. */
int cmd_open(struct cmd *c, struct err *e) MUSTCHECK;
/* ERR_USAGE, with the nearest name, when neither the configuration nor a run knows the site. After cmd_open. */
int cmd_known_site(const struct cmd *c, const char *site, struct err *e) MUSTCHECK;

/* ---- ends: each gives the exit code */

/* Log e. */
int cmd_fail(const struct err *e);
/* Log what is wrong with the words of the command, as the rest of a sentence after the verb's name. */
int cmd_misused(char **argv, const char *fmt, ...) PRINTF(2, 3);
/* For verbs without operands: true, and the first of n is named, when there are any; the exit code is then that of ERR_USAGE. */
bool cmd_too_many(int n, char **argv);
/* Of two things that were done, the exit code that is more of a failure. */
int cmd_worse(int a, int b);

/* ---- --json: one object, indented, on stdout */

struct cmd_json {
	struct buf b;
	struct json_out o;
};
/* The object is open: members go into j->o. Nothing is printed before the end. */
void cmd_json_begin(struct cmd_json *j);
/* Close and print it, and free j. 0; or, when it became too large, what (such as "the list") is logged and the exit code given. */
int cmd_json_end(struct cmd_json *j, const char *what) MUSTCHECK;

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
