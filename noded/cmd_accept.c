/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "noded/cmd.h"
#include "noded/run/accept.h"
#include "noded/run/catalogue.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded accept SITE [RUN]: a suspect run is right. */

/* The site is the first word; a run in its place is a slip that can be told. */
static int is_site(const struct cmd *c, const char *site, struct err *e)
{
	const struct run_query q = {.uuid = site, .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct err ignored; /* that there is no such site is what counts */

	if (cmd_known_site(c, site, e) == 0)
		return 0;
	if (strlen(site) < 4 || catalogue_runs(c->catalogue, &q, &runs, &ignored) || !runs.n)
		return -1;
	return err_set(e, ERR_USAGE, "%.8s is a run, the site comes first: felloe-noded accept %s %.8s", site, runs.v[0].site, site);
}

int cmd_accept(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {
		CMD_OPTS(c),
		{0},
	};
	struct wire_run run;
	char when[CLOCK_TEXT];
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (n < 1 || n > 2)
		return cmd_misused(argv, "it takes a site and, when it is not the newest, a run");
	if (n == 2 && strlen(argv[2]) < 4)
		return cmd_misused(argv, "\"%s\" is too short for a run: give 4 characters of it or more", argv[2]);
	if (cmd_open(&c, &e) || is_site(&c, argv[1], &e) ||
	    accept_run(c.config, c.catalogue, argv[1], n == 2 ? argv[2] : NULL, &run, &e))
		return cmd_fail(&e);
	printf("Run %.8s of site %s, of %s UTC, is %s now: the next ones are compared with it.\n", run.uuid, run.site,
	       clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", run.started), run_state_name(run.state));
	wire_run_done(&run);
	return 0;
}
