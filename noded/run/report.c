/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/report.h"

#include "noded/agent/outbox.h"
#include "shared/mem.h"

int report_run(const struct config *c, struct catalogue *catalogue, const struct wire_run *run, struct err *e)
{
	CLEANUP(outbox_closep) struct outbox *o = NULL;
	struct wire_run told = *run;

	if (!*c->master.url)
		return 0;
	if (catalogue_previous(catalogue, run->uuid, told.previous, e) || outbox_open(&o, e) || outbox_put_run(o, &told, e) || catalogue_reported(catalogue, run->uuid, run->rev, e))
		return err_wrap(e, "the report for the master");
	return 0;
}

int report_rest(const struct config *c, struct catalogue *catalogue, struct err *e)
{
	const struct run_query q = {.unreported = true};
	CLEANUP(runs_done) struct wire_runs runs = {0};

	if (!*c->master.url)
		return 0;
	if (catalogue_runs(catalogue, &q, &runs, e))
		return -1;
	/* the oldest first: the outbox hands them over in the order in which it got them */
	for (size_t i = runs.n; i > 0; i--)
		if (report_run(c, catalogue, &runs.v[i - 1], e))
			return -1;
	return 0;
}
