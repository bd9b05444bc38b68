/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LOST_H
#define FELLOE_LOST_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"
#include "shared/list.h"

/* Storages that the configuration does not have any more, and the runs that lie
 * on them: out of reach for restore and prune until the storage is put back
 * under its name, or until somebody says that they may be forgotten. */

/* Those storages, by name, with the number of runs and their bytes. list_done it. */
int lost_storages(const struct config *config, struct catalogue *c, struct storage_uses *ret, struct err *e) MUSTCHECK;
/* "3 runs, 1.2 GiB, lie on storage old, which is not in the configuration any more: put it back ..." */
void lost_text(const struct storage_use *u, char ret[static ERR_MSG_MAX]);

enum lost_fate {
	LOST_FORGOTTEN, /* all of the run was there: its record goes */
	LOST_FAILED,    /* a part of it was there: it is a failed run now, the rest stays where it is */
	LOST_TRACES,    /* only an upload that never became an archive: the run stays as it is, that is forgotten */
	LOST_HELD,      /* left alone, since it is held by hand */
	LOST_RUNNING,   /* left alone, its process is at work */
};
struct lost_line {
	struct run_brief run; /* storages and archives are not filled in */
	char site[WIRE_NAME];
	enum lost_fate fate;
};
struct lost_report {
	LIST_OF(struct lost_line);           /* newest first */
	unsigned forgotten, failed, traces, left;
	struct { LIST_OF(struct { char site[WIRE_NAME]; }); } bare; /* sites that have no good run left */
};
void lost_report_done(struct lost_report *r);

struct lost_opts {
	const struct config *config;
	struct catalogue *catalogue;
	const char *storage;
	bool dry_run;            /* tell, change nothing */
};
/* Forget what lies on a storage that is not in the configuration. No storage is
 * asked, nothing stored is changed. ERR_CONFLICT when the configuration has it,
 * ERR_NOTFOUND when no run lies on one of this name, ERR_LOCKED when a prune of a
 * site is at work for a minute. Killed in the middle, the
 * next call goes on. */
int lost_forget(const struct lost_opts *o, struct lost_report *ret, struct err *e) MUSTCHECK;

#endif
