/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JUDGE_H
#define FELLOE_JUDGE_H

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "noded/run/plausible.h"
#include "shared/err.h"
#include "shared/wire.h"

/* A run that went well is held against the last good one of its site: each
 * database with the last good run that has an archive of it, the sizes with the
 * last one that stored the same parts (docs/retention.md). A run whose archive was
 * found damaged later was good then: its numbers are as right as ever. */

struct judge {
	const struct config *config;
	const struct site *site;
	struct catalogue *catalogue;
	const struct wire_run *run;  /* its archives and tables are in the catalogue, its state is not good there yet */
	bool whole_server;
	int64_t blank_files;
};
/* What is not plausible, worst first; list_done it. An error: it cannot be told, so nothing speaks for the run. */
int judge_run(const struct judge *j, struct findings *ret, struct err *e) MUSTCHECK;

#endif
