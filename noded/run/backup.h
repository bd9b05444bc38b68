/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_BACKUP_H
#define FELLOE_BACKUP_H

#include <stdbool.h>

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"
#include "shared/wire.h"

/* A run: one site read once and stored. */

struct backup_opts {
	const struct config *config;
	const struct site *site;
	struct catalogue *catalogue;
	const char *timer;      /* "" by hand */
	const char *trigger;    /* "timer" "manual" "request" */
	const char *batch;      /* uuid of the firing */
	bool db, files;         /* what is wanted of what the site has */
	bool quiet;             /* no bar, no lines of progress */
};
/* The whole run; *ret is its record (wire_run_done it), already in the catalogue
 * and in the outbox, its state says how it went. -1 only when not even a record
 * could be made. Exit codes: backup_exit_code. */
int backup_run(const struct backup_opts *o, struct wire_run *ret, struct err *e) MUSTCHECK;
/* What a run would do, printed; connects to the database and looks at the
 * storages, writes nothing. */
int backup_dry_run(const struct backup_opts *o, struct err *e) MUSTCHECK;
int backup_exit_code(const struct wire_run *run);

#endif
