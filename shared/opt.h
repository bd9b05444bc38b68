/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_OPT_H
#define FELLOE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Options are data: one table drives parsing, --help (80 columns, to stdout)
 * and a test that the man page names each. Long options take "--name VALUE" or
 * "--name=VALUE"; "--" ends them; options and operands may be mixed. */
enum opt_type {
	OPT_FLAG,  /* bool */
	OPT_STR,   /* const char *, points into argv */
	OPT_U64,   /* uint64_t within [min, max] */
	OPT_WAIT,  /* bool by itself or "=SECONDS" into the uint64_t: value_given set (like --wait[=SECONDS]) */
	OPT_LIST,  /* struct opt_list, may be repeated */
};

struct opt_list {
	const char *v[64];
	size_t n;
};

struct opt {
	const char *name;   /* "config" */
	char letter;        /* 'c', or 0 */
	enum opt_type type;
	void *to;           /* where the value goes */
	const char *arg;    /* "FILE" in the help */
	const char *help;   /* one sentence */
	uint64_t min, max;  /* OPT_U64, OPT_WAIT */
	bool *given;        /* set when the option was there; may be NULL */
};

/* Parse argv[1..argc); operands move to the front: argv[1..*n_operands]. An
 * unknown option is ERR_USAGE with the nearest known one. opts ends with a
 * zeroed entry. "--help" is not handled here: declare it. */
int opt_parse(const struct opt *opts, int argc, char **argv, int *n_operands, struct err *e) MUSTCHECK;
/* "  -c, --config FILE   text" lines to stdout, wrapped at 80 columns. */
void opt_help(const struct opt *opts);

/* Verbs: a program is a table of them. */
struct verb {
	const char *name;
	const char *usage;  /* "[SITE] [--json]" */
	const char *help;   /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns the exit code */
};
/* The verb called name, or NULL with *nearest set (or NULL). verbs end zeroed. */
const struct verb *verb_find(const struct verb *verbs, const char *name, const char **nearest);
/* The exit code of a program that ends with status: 1 instead of 0 when what it
 * printed could not be written (a full disk), which is said on stderr. */
int verb_end(const char *program, int status);
/* Usage lines of all verbs to stdout. */
void verb_help(const struct verb *verbs, const char *program, const char *summary);

#endif
