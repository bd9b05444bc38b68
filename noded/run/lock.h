/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LOCK_H
#define FELLOE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"

/* One run at a time for a site's database and for its files. A lock is a small
 * file in run/node/lock that names its holder by pid, start time and boot id, so
 * that one of a process that is gone is known for sure. */

struct lock;

enum lock_part { LOCK_DB = 1, LOCK_FILES = 2, LOCK_RESTORE = 4, LOCK_PRUNE = 8 };

struct lock_opts {
	const char *site;
	unsigned parts;        /* LOCK_DB | LOCK_FILES, or LOCK_RESTORE, or LOCK_PRUNE */
	const char *uuid;      /* of the run */
	int64_t wait_s;        /* how long to wait for a living holder */
	bool (*stop)(void);    /* true: give up with ERR_ABORTED; may be NULL */
	/* The holder's run, whose process is gone: called once each before the lock
	 * is taken over. -1 with *e: do not take it. */
	int (*dead)(void *ctx, const char *uuid, struct err *e);
	void *ctx;
};
/* All parts or none. ERR_LOCKED names the holder when wait_s is over. */
int lock_take(struct lock **ret, const struct lock_opts *o, struct err *e) MUSTCHECK;
void lock_release(struct lock *l);
void lock_releasep(struct lock **l);

/* Does a living process hold this part of the site? An answer of the moment. */
bool lock_held(const char *site, enum lock_part part);

/* Uuids of the runs whose lock is held by a process that is alive. */
struct lock_holders {
	LIST_OF(struct { char uuid[UUID_TEXT]; });
};
int lock_living(struct lock_holders *ret, struct err *e) MUSTCHECK;
/* Is the run with this uuid one of them? */
bool lock_among(const struct lock_holders *l, const char *uuid);
/* Ask the living process of the run with this uuid, or this beginning of one (4
 * characters at least), to end: SIGTERM, on which it ends cleanly. ERR_NOTFOUND. */
int lock_stop(const char *uuid, struct err *e) MUSTCHECK;

#endif
