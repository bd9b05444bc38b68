/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_follow.h"

#include <stdlib.h>

#include "masterd/tbl_event.h"
#include "shared/mem.h"

/* ---- the journal is kept for a day */

struct expiry {
	struct job job;          /* first */
	int64_t before;
};

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	return tbl_event_expire(db, ((struct expiry *)job)->before, e);
}

static void drop_expire(struct job *job)
{
	free(job);
}

void follow_expire(struct master *m, int64_t now)
{
	struct expiry *x = xcalloc(1, sizeof(*x));
	struct err e;

	x->before = now - JOURNAL_MS;
	x->job.run = run_expire;
	x->job.drop = drop_expire;
	/* a full queue: the next time does it */
	if (writer_put(m->writer, &x->job, &e))
		free(x);
}
