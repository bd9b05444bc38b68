/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include <stdio.h>

#include "noded/cmd.h"
#include "noded/run/keeper.h"
#include "shared/log.h"

/* felloe-noded keeper ...: not for people (noded/run/keeper.h). */

int cmd_keeper(int argc, char **argv)
{
	struct cmd c = {0};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int n, rc;

	log_init("felloe-noded", false, LOG_INFO);
	if (argc == 5)
		return keeper_run(argv);
	rc = cmd_start(&c, opts, argc, argv, &n);
	if (rc >= 0)
		return rc;
	fputs("felloe-noded keeper: verify --full starts this one\n", stderr);
	return err_exit_code(ERR_USAGE);
}
