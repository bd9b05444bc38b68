/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_CMD_SHOW_H
#define FELLOE_TUI_CMD_SHOW_H

#include "shared/buf.h"
#include "tui/cmd.h"

/* Most verbs show a list of the master's or send one change: what is listed is
 * data, and so is what a sub-verb ("users add NAME") takes. */

enum cmd_kind {
	CMD_TEXT,  /* text or number as it is; "-" for none */
	CMD_DAY,   /* a time: "Sun 23 14:23 CET" */
	CMD_AGO,   /* a time: "3h10 ago" */
	CMD_YES,   /* "yes", or "-" */
	CMD_WORDS, /* an array of texts: "a, b" */
	CMD_BYTES,
	CMD_JSON,  /* any value on one line */
};
struct cmd_column {
	const char *title;
	const char *key;   /* "a.b": member b of member a */
	enum cmd_kind kind;
};
struct cmd_table {
	const char *path;  /* "/users", with its query */
	const struct cmd_column *columns;
	size_t n;
	uint64_t most;     /* 0: all */
	const char *empty; /* said instead of an empty table */
};
/* Prints the list as a table, or with --json as an array. */
int cmd_show(struct cmd *c, const struct cmd_table *t, struct err *e) MUSTCHECK;
/* The table's columns of one object, a line each. */
void cmd_show_one(const struct json *j, const struct cmd_column *columns, size_t n);

/* A body being written: cmd_body_begin, json_put_..., then cmd_send, which ends it
 * and wipes it (it may hold a password). */
struct cmd_body {
	struct buf b;
	struct json_out o;
};
void cmd_body_begin(struct cmd_body *body);
/* "a,b" as an array of texts; NULL: nothing is written. "" is the empty array. */
void cmd_body_words(struct cmd_body *body, const char *key, const char *words);
/* body NULL: none. *ret may be NULL: the answer is dropped. */
int cmd_send(struct cmd *c, const char *method, const char *path, struct cmd_body *body, struct json **ret,
	     struct err *e) MUSTCHECK;

/* A sub-verb; name "" is the verb alone. argv[0] is the sub-verb (or the verb),
 * its operands follow. */
struct cmd_sub {
	const char *name;
	const char *operands; /* "NAME", for the usage; "" none */
	int n;                /* how many */
	int (*run)(struct cmd *c, char **argv, void *opts, struct err *e);
};
/* Parses, connects, runs the sub-verb that argv names, and ends: the exit code.
 * subs ends zeroed. */
int cmd_subs(int argc, char **argv, const struct cmd_spec *spec, const struct cmd_sub *subs, void *opts);

/* "90s", "15m", "4h", "2d": ms into *ret. what names the option in the error. */
int cmd_span(int64_t *ret, const char *text, const char *what, struct err *e) MUSTCHECK;
/* "/users/7" for the user (or token, channel) with that number or name. */
int cmd_item(struct cmd *c, char path[static 64], const char *list, const char *word, struct err *e) MUSTCHECK;
/* A number of the list `lists` ("felloe users"). */
int cmd_number(uint64_t *ret, const char *text, const char *thing, const char *lists, struct err *e) MUSTCHECK;

#endif
