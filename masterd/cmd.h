/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MASTER_CMD_H
#define FELLOE_MASTER_CMD_H

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

/* Where master.json lies when no option says it: FELLOE_MASTER_CONFIG, else
 * "DIR/master.json" under --state DIR, else /etc/felloe/master.json. Yours. */
char *cmd_config_path(const char *given, const char *state);
/* Parse as opt_parse does; more than most operands are ERR_USAGE. */
int cmd_parse(const struct opt *opts, int argc, char **argv, int most, struct err *e) MUSTCHECK;
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
