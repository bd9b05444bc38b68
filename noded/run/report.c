/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/report.h"

#include "noded/agent/outbox.h"
#include "shared/mem.h"

int report_run(const struct config *c, struct catalogue *catalogue, const struct wire_run *run, struct err *e)
{
	CLEANUP(outbox_closep) struct outbox *o = NULL;

	if (!*c->master.url)
		return 0;
	if (outbox_open(&o, e) || outbox_put_run(o, run, e) || catalogue_reported(catalogue, run->uuid, run->rev, e))
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
	for (size_t i = 0; i < runs.n; i++)
		if (report_run(c, catalogue, &runs.v[i], e))
			return -1;
	return 0;
}
