/* SPDX-License-Identifier: Apache-2.0 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "noded/cmd.h"
#include "noded/run/pause.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded pause [TIMER], resume [TIMER]: without a name all of them. */

static const char *who(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return str_or(getenv("SUDO_USER"), pw ? pw->pw_name : "somebody");
}

static int pause_or_resume(int argc, char **argv, bool pause)
{
	CLEANUP(config_freep) struct config *config = NULL;
	struct cmd c = {0};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	const char *timer;
	struct err e;

	if (rc >= 0)
		return rc;
	timer = n > 0 ? argv[1] : NULL;
	if (n > 1) {
		err_fill(&e, ERR_USAGE, 0, "one timer, or none for all");
		return cmd_fail(&e);
	}
	if (cmd_config(&c, &config, &e) || (pause ? pause_set(config, timer, who(), &e) : pause_clear(timer, &e)))
		return cmd_fail(&e);
	printf(pause ? "%s: paused until felloe-noded resume\n" : "%s: resumed\n", timer ? timer : "all timers");
	return 0;
}

int cmd_pause(int argc, char **argv)
{
	return pause_or_resume(argc, argv, true);
}

int cmd_resume(int argc, char **argv)
{
	return pause_or_resume(argc, argv, false);
}
