/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/report.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* felloe-noded hold RUN, release RUN: a run that prune never deletes. */

static int find(struct catalogue *catalogue, const char *id, struct wire_runs *ret, struct err *e)
{
	const struct run_query q = {.uuid = id, .limit = 2};

	if (strlen(id) < 4)
		return err_set(e, ERR_USAGE, "\"%s\" is too short for a run: give 4 characters of it or more", id);
	if (catalogue_runs(catalogue, &q, ret, e))
		return -1;
	if (!ret->n)
		return err_set(e, ERR_NOTFOUND, "there is no run %s; felloe-noded list shows the runs there are, by the beginning of "
			       "their ids", id);
	if (ret->n > 1)
		return err_set(e, ERR_USAGE, "%s is the beginning of several runs: give more of it", id);
	return 0;
}

/* The master shows it, too; when it cannot be told now, the next run or the agent does that. */
static void tell_master(const struct cmd *c, const char *uuid)
{
	const struct run_query q = {.uuid = uuid, .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct err e;

	if (c->config && (catalogue_runs(c->catalogue, &q, &runs, &e) ||
			  (runs.n && report_run(c->config, c->catalogue, &runs.v[0], &e))))
		log_warn("%s; tried again later", e.msg);
}

static int set(struct cmd *c, const char *id, bool held, struct err *e)
{
	CLEANUP(runs_done) struct wire_runs runs = {0};
	const struct wire_run *run;
	char when[32];
	bool changed;

	if (catalogue_open(&c->catalogue, e) || find(c->catalogue, id, &runs, e))
		return -1;
	run = &runs.v[0];
	if (!run->archives.n)
		return err_set(e, ERR_CONFLICT, "run %.8s of site %s has no archive to hold", run->uuid, run->site);
	if (catalogue_hold(c->catalogue, run->uuid, held, &changed, e))
		return -1;
	if (!changed)
		return err_set(e, ERR_CONFLICT, "run %.8s of site %s is being deleted already", run->uuid, run->site);
	cmd_config_if_any(c);
	tell_master(c, run->uuid);
	printf("Run %.8s of site %s, of %s UTC, %s.\n", run->uuid, run->site,
	       clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", run->started),
	       held ? "is held: it is never deleted" : "is not held: the rules of its timer decide");
	return 0;
}

static int hold_or_release(int argc, char **argv, bool held)
{
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (n != 1)
		return cmd_misused(argv, "it takes one run; felloe-noded list shows them");
	return set(&c, argv[1], held, &e) ? cmd_fail(&e) : 0;
}

int cmd_hold(int argc, char **argv)
{
	return hold_or_release(argc, argv, true);
}

int cmd_release(int argc, char **argv)
{
	return hold_or_release(argc, argv, false);
}
