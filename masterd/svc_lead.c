/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_lead.h"

#include <stdlib.h>

#include "masterd/tbl_lease.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

struct renewal {
	struct job job;          /* first */
	struct master *m;
	int64_t asked;           /* monotonic ms */
	struct lease lease;
	bool got;
};

static int run_renew(struct job *job, struct db *db, struct err *e)
{
	struct renewal *v = (struct renewal *)job;

	/* one clock for all masters: with their own, one that is ahead takes the lease from
	 * who holds it, and who comes after a clock that was wrong waits for it to pass */
	if (db_now(db, &v->lease.now, e))
		return -1;
	v->lease.until = v->lease.now + LEAD_MS;
	return tbl_lease_take(db, &v->lease, &v->got, e);
}

static void end_renew(struct job *job)
{
	struct renewal *v = (struct renewal *)job;
	/* an answer that took as long as the lease lasts is worth nothing */
	bool leads = !job->rc && v->got && clock_mono_ms() - v->asked < LEAD_MS / 2;

	if (atomic_exchange(&v->m->leads, leads) != leads && v->m->shared)
		log_info("background work: %s", leads ? "this master does it from now on" : "another master does it");
	free(v);
}

void lead_renew(struct master *m, int64_t now)
{
	struct renewal *v = xcalloc(1, sizeof(*v));
	struct err e;

	(void)now;
	v->m = m;
	v->asked = clock_mono_ms();
	v->lease = (struct lease){.name = LEAD_LEASE, .holder = m->instance};
	v->job.run = run_renew;
	v->job.drop = end_renew;
	if (!writer_put(m->writer, &v->job, &e))
		return;
	atomic_store(&m->leads, false);
	free(v);
}

static int run_drop(struct job *job, struct db *db, struct err *e)
{
	struct renewal *v = (struct renewal *)job;

	return tbl_lease_drop(db, &v->lease, e);
}

static void end_drop(struct job *job)
{
	free(job);
}

void lead_drop(struct master *m)
{
	struct renewal *v = xcalloc(1, sizeof(*v));
	struct err e;

	atomic_store(&m->leads, false);
	v->lease = (struct lease){.name = LEAD_LEASE, .holder = m->instance};
	v->job.run = run_drop;
	v->job.drop = end_drop;
	if (writer_put(m->writer, &v->job, &e))
		free(v);
}

int lead_held(struct db *db, bool *held, struct err *e)
{
	struct lease l = {.name = LEAD_LEASE};

	if (db_now(db, &l.now, e))
		return -1;
	l.until = l.now + LEAD_MS;
	return tbl_lease_held(db, &l, held, e);
}
