/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_EXPIRE_H
#define FELLOE_EXPIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"
#include "shared/list.h"

/* Runs that no rule of their timer keeps are deleted (docs/retention.md): the
 * run is given up in the catalogue, its archives and sidecars are deleted from
 * their storages, and when these have confirmed it the record goes, too. Killed
 * in between, the next call goes on. A storage that is away keeps its archives
 * until it answers again. */

enum expire_fate {
	FATE_KEPT,     /* also what lies on a storage that is not in the configuration any more */
	FATE_DUE,      /* to be deleted: a dry run, the site is frozen, or its storage is away */
	FATE_DELETED,
	FATE_PENDING,  /* given up, but a storage has not confirmed yet */
};
const char *expire_fate_name(enum expire_fate f); /* "keep" "delete" "deleted" "delete pending" */

/* What becomes of one run, and why. */
struct expire_line {
	struct run_brief run;
	enum expire_fate fate;
	char why[ERR_MSG_MAX];
};
struct expire_report {
	char frozen[ERR_MSG_MAX];  /* why nothing is deleted now and how that ends, "" */
	LIST_OF(struct expire_line); /* newest first */
	unsigned kept, due, deleted, pending;
	int64_t freed;             /* bytes */
};
void expire_report_done(struct expire_report *r);

struct expire_opts {
	const struct config *config;
	struct catalogue *catalogue;
	const char *site;
	bool dry_run;
	bool (*stop)(void);        /* true: leave the rest for the next time; may be NULL */
};
/* All runs of one site that still have archives. ERR_LOCKED when another process
 * does the same. What a storage refuses is in the report, not an error. */
int expire_site(const struct expire_opts *o, struct expire_report *ret, struct err *e) MUSTCHECK;

/* The end of a run that was given up and has no archive left: the master sees it
 * once more, without archives, then its record goes. */
int expire_forget(const struct config *config, struct catalogue *c, struct wire_run *run, struct err *e) MUSTCHECK;

/* For status: is the site frozen, and what waits for its storage? */
struct expire_state {
	char frozen[ERR_MSG_MAX];
	int64_t pending;           /* runs */
	int64_t pending_bytes;
};
int expire_look(struct catalogue *c, const char *site, struct expire_state *ret, struct err *e) MUSTCHECK;

#endif
