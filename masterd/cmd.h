/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MASTER_CMD_H
#define FELLOE_MASTER_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/opt.h"

/* The verbs of felloe-masterd; each returns the exit code of its process. */
int cmd_run(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_routes(int argc, char **argv);

/* What all of them share. The first three are set before cmd_start, the last two by it. */
struct cmd {
	const char *usage;          /* "backup FILE [options]" */
	void (*describe)(void);     /* prints more of --help in front of the options; may be NULL */
	int least, most;            /* operands */
	const char *config, *state; /* options as they were given, else NULL */
	bool help;
	char *path;                 /* where master.json lies: --config, FELLOE_MASTER_CONFIG, --state DIR, /etc/felloe */
};
/* The options that every verb takes, to stand in its table. c is a struct cmd. */
#define CMD_OPTS(c) \
	{.name = "config", .letter = 'c', .type = OPT_STR, .to = &(c).config, .arg = "FILE", .help = "master.json"}, \
	{.name = "state", .type = OPT_STR, .to = &(c).state, .arg = "DIR", .help = "state directory (/var/lib/felloe)"}, \
	{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &(c).help, .help = "this text"}

/* Parse argv by opts (which contains CMD_OPTS of c) and set the state directory.
 * Operands are then argv[1..*operands], if anybody wants to know. -1: go on; else
 * the exit code to end with (help was shown: 0; wrong usage: 2). */
int cmd_start(struct cmd *c, const struct opt *opts, int argc, char **argv, int *operands) MUSTCHECK;
void cmd_done(struct cmd *c);
/* Log e and give its exit code. */
int cmd_failed(const struct err *e);
/* As root: give the database's file to the user that run becomes. */
int cmd_give_database(const char *user, const char *url, struct err *e) MUSTCHECK;
/* "sqlite:PATH" with the whole path, any other address as it is; "-": the first
 * line of standard input, for an address with a password in it. Yours. */
char *cmd_whole_url(const char *url);
/* Store a new user: password from the file, or a random one (18 letters and
 * digits) given in *made (yours), when the file is NULL. */
int cmd_add_user(struct db *db, const char *name, const char *role, const char *password_file, char **made,
		 struct err *e) MUSTCHECK;

#endif
