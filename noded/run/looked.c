/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/looked.h"

#include "noded/run/notify.h"
#include "noded/run/report.h"

int looked_report(const struct looked *l, struct wire_runs *ret, struct err *e)
{
	const struct run_query q = {.uuid = l->run, .limit = 1};

	if (!*l->run)
		return 0;
	if (catalogue_runs(l->catalogue, &q, ret, e))
		return -1;
	if (!ret->n || !l->changed)
		return 0;
	if (report_run(l->config, l->catalogue, &ret->v[0], e))
		return -1;
	/* a good run was told of when it ended */
	if (ret->v[0].state == RUN_SUSPECT && *ret->v[0].proof)
		notify_run(l->config, &ret->v[0], job_warn_text, l->job);
	return 0;
}
