/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/agent/agent.h"
#include "noded/cmd.h"
#include "shared/daemon.h"
#include "shared/mem.h"

/* felloe-noded agent: the daemon of a node. */

int cmd_agent(int argc, char **argv)
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
	if (cmd_too_many(n, argv))
		return err_exit_code(ERR_USAGE);
	daemon_signals();
	if (cmd_config(&c, &e) || agent_run(&c.config, &e))
		return cmd_fail(&e);
	return 0;
}
