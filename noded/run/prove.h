/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PROVE_H
#define FELLOE_PROVE_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/run/find.h"
#include "noded/run/job.h"
#include "shared/err.h"
#include "shared/list.h"

/* The proof that a run restores: every database of it is loaded into a private
 * server by the code that restores, every table counted and digested, every view,
 * trigger, routine and event counted. */

struct prove_opts {
	const struct config *config;
	struct job *job;           /* log and progress */
	const char *server, *dir;  /* as of private_server_opts; NULL */
};
struct proved {
	char key[1024], db[256];
	uint64_t tables, rows, fetched;
	int64_t views, triggers, routines, events;
	char failure[256];         /* "" it is what was dumped */
};
struct proof {
	LIST_OF(struct proved);    /* a database each; none: the run has only files, and no server was started */
};
void proof_done(struct proof *p);
/* The first failure, "" none. */
const char *proof_failure(const struct proof *p);

/* 0: every database was judged. -1: it cannot be told, which says nothing about the
 * backup: no server program or an older one than the dump's, no room, the storage
 * away, SIGTERM. proof_done ret in both cases. */
int prove_archives(const struct prove_opts *o, const struct found_archives *archives, struct proof *ret,
		   struct err *e) MUSTCHECK;

/* The outcome for a run, of which so many archives were judged. */
struct verdict {
	const char *uuid;
	size_t archives;
	const char *failure;       /* NULL: proven now */
	bool written;              /* not when this node has no record of the run, or it has more archives */
	int64_t at;                /* when */
};
/* Write it down and hand the run to the outbox. */
int prove_record(const struct config *c, struct catalogue *catalogue, struct verdict *v, struct err *e) MUSTCHECK;

#endif
