/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HOOKS_H
#define FELLOE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/err.h"

/* Commands of the site's owner round a run. No shell: a line is split at blanks
 * ("..." and '...' keep blanks together) and started with posix_spawnp(3). */

struct hook_opts {
	const char *site, *run;   /* FELLOE_SITE, FELLOE_RUN */
	const char *state;        /* FELLOE_STATE_OF_RUN: "" before, else "ok" "warning" "suspect" "failed" */
	int64_t timeout_ms;       /* of each; then SIGTERM, 5 s later SIGKILL to its process group */
	bool (*stop)(void);       /* true: end it, ERR_ABORTED; may be NULL */
	/* A line of what it wrote, cleaned. */
	void (*output)(void *ctx, const char *line);
	void *ctx;
};
/* One after another; the first that does not end with 0 is the error (ERR_IO
 * names the command and its exit code or signal). Their environment is PATH,
 * HOME, LANG, TZ and the three names above, nothing else. */
int hooks_run(const struct strings *commands, const struct hook_opts *o, struct err *e) MUSTCHECK;
/* argv from a line, ended by NULL; hook_argv_free it. ERR_CONFIG: a quote without its end, nothing in it. */
int hook_argv(char ***ret, const char *line, struct err *e) MUSTCHECK;
void hook_argv_free(char **argv);
/* Run argv with text on its stdin. */
int hook_feed(char *const *argv, const char *text, const struct hook_opts *o, struct err *e) MUSTCHECK;

#endif
