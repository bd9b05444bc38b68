/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/report.h"

#include "noded/agent/outbox.h"
#include "shared/mem.h"

enum { REST_RUNS = 500 }; /* at a time: each has its log with it */

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
	const struct run_query q = {.unreported = true, .limit = REST_RUNS};
	size_t n = *c->master.url ? REST_RUNS : 0;

	/* all of them, before any younger run: the outbox hands them over in the order in which it got them */
	while (n == REST_RUNS) {
		CLEANUP(runs_done) struct wire_runs runs = {0};

		if (catalogue_runs(catalogue, &q, &runs, e))
			return -1;
		n = runs.n;
		for (size_t i = 0; i < n; i++)
			if (report_run(c, catalogue, &runs.v[i], e))
				return -1;
	}
	return 0;
}
