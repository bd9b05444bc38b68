/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_CMD_H
#define FELLOE_TUI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/client.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/opt.h"
#include "tui/session.h"

/* What the verbs for scripts share: options, the session, tables, errors. */
struct cmd {
	const char *verb;
	const char *master, *user, *pin; /* options, NULL */
	bool json, help;
	int n;                           /* operands: argv[1..n] */
	struct session session;
	struct client *client;
};

enum { CMD_OPTS = 20 };
/* The verb as `felloe --help` lists it; the rest of its options. cmd_begin
 * parses argv; 1: help was asked for and printed, -1 failed. */
struct cmd_spec {
	const char *usage, *help;
	const struct opt *more;          /* ended by a zeroed entry; NULL */
	int least, most;                 /* operands */
};
int cmd_begin(struct cmd *c, const struct cmd_spec *spec, int argc, char **argv, struct err *e) MUSTCHECK;
/* Reads the session, applies --master, --user, FELLOE_MASTER, and connects. */
int cmd_connect(struct cmd *c, struct err *e) MUSTCHECK;
/* One exchange. *ret is yours; NULL when the answer had no body. */
int cmd_call(struct cmd *c, const struct session_call *call, struct json **ret, struct err *e) MUSTCHECK;
void cmd_end(struct cmd *c);
/* "felloe nodes: ..." to stderr; the exit code. */
int cmd_fail(const struct cmd *c, const struct err *e);

/* All items of a paged list, page by page; each is lent to fn. path has its query already ("?x=y" or ""). */
struct cmd_each {
	int (*fn)(void *ctx, const struct json *item, struct err *e);
	void *ctx;
	size_t most; /* stop behind so many; 0: all */
};
int cmd_list(struct cmd *c, const char *path, const struct cmd_each *each, struct err *e) MUSTCHECK;

/* A table for people: cells are copied and cleaned; printed with the columns as wide as needed. */
struct grid;
struct grid *grid_new(const char *const *titles, size_t columns);
void grid_freep(struct grid **g);
void grid_cell(struct grid *g, const char *text);
void grid_print(const struct grid *g);
/* Writes a value to stdout as JSON, indented. */
void cmd_print_json(const struct json *value);

/* A line from the terminal; without echo for a secret. Yours. */
int cmd_ask(char **ret, const char *question, bool secret, struct err *e) MUSTCHECK;
/* From file (mode 600; "-": the next line of standard input), else asked for, twice
 * when it is a new one. Yours, to be wiped. */
int cmd_secret(char **ret, const char *file, const char *question, bool twice, struct err *e) MUSTCHECK;

int cmd_login(int argc, char **argv);
int cmd_logout(int argc, char **argv);
int cmd_whoami(int argc, char **argv);
int cmd_nodes(int argc, char **argv);
int cmd_node(int argc, char **argv);
int cmd_pending(int argc, char **argv);
int cmd_approve(int argc, char **argv);
int cmd_block(int argc, char **argv);
int cmd_unblock(int argc, char **argv);
int cmd_runs(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_timers(int argc, char **argv);
int cmd_alerts(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_storages(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_channels(int argc, char **argv);
int cmd_users(int argc, char **argv);
int cmd_tokens(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_password(int argc, char **argv);
int cmd_totp(int argc, char **argv);
int cmd_rename(int argc, char **argv);
int cmd_tags(int argc, char **argv);
int cmd_note(int argc, char **argv);
int cmd_delete(int argc, char **argv);
int cmd_rotate_key(int argc, char **argv);
int cmd_request(int argc, char **argv);

#endif
