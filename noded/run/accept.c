/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/accept.h"

#include <stdlib.h>
#include <string.h>

#include "noded/run/report.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

static int find(struct catalogue *catalogue, const char *site, const char *run, struct wire_runs *ret, struct err *e)
{
	const struct run_query q = {.site = site, .uuid = run, .state = run ? NULL : run_state_name(RUN_SUSPECT), .limit = 2};

	if (catalogue_runs(catalogue, &q, ret, e))
		return -1;
	if (!ret->n)
		return run ? err_set(e, ERR_NOTFOUND, "site %s has no run %s; felloe-noded list %s shows those it has", site, run, site)
			   : err_set(e, ERR_NOTFOUND, "site %s has no suspect run: there is nothing to accept; felloe-noded list shows "
				     "all runs", site);
	if (run && ret->n > 1)
		return err_set(e, ERR_USAGE, "%s is the beginning of several runs of site %s: give more of it", run, site);
	if (ret->v[0].state != RUN_SUSPECT)
		return err_set(e, ERR_CONFLICT, "run %.8s of site %s is not suspect, it is %s", ret->v[0].uuid, site,
			       run_state_name(ret->v[0].state));
	if (str_starts(ret->v[0].proof, "damaged: "))
		return err_set(e, ERR_CONFLICT, "run %.8s of site %s has a damaged archive: felloe-noded verify %s --run %.8s looks "
			       "again, a new backup replaces it", ret->v[0].uuid, site, site, ret->v[0].uuid);
	if (*ret->v[0].proof)
		return err_set(e, ERR_CONFLICT, "run %.8s of site %s was tried and could not be restored: felloe-noded verify %s --run %.8s "
			       "--full tries again, a new backup replaces it", ret->v[0].uuid, site, site, ret->v[0].uuid);
	return 0;
}

/* Its log tells why it was suspect, and that somebody took it all the same. */
static void make_good(struct wire_run *run)
{
	char when[CLOCK_TEXT];
	CLEANUP(freep) char *old = run->log;
	size_t skip = old && strlen(old) > WIRE_LOG - 256 ? 256 : 0;

	run->state = run->skipped > 0 || strstr(str_or(old, ""), " warning: ") ? RUN_WARNING : RUN_OK;
	run->log = xasprintf("%s%s accepted by hand\n", str_or(old, "") + skip, clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", clock_ms()));
	run->error_kind[0] = run->error[0] = '\0';
	run->rev++;
}

int accept_run(const struct config *c, struct catalogue *catalogue, const char *site, const char *run,
	       struct wire_run *ret, struct err *e)
{
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct err later;

	if (find(catalogue, site, run, &runs, e))
		return -1;
	make_good(&runs.v[0]);
	if (catalogue_save(catalogue, &runs.v[0], e))
		return -1;
	if (report_run(c, catalogue, &runs.v[0], &later))
		log_warn("%s; tried again later", later.msg);
	*ret = runs.v[0];
	wire_run_init(&runs.v[0]);
	return 0;
}
