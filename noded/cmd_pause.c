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
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	const char *timer;
	struct err e;

	if (rc >= 0)
		return rc;
	timer = n > 0 ? argv[1] : NULL;
	if (n > 1)
		return cmd_misused(argv, "it takes one timer, or none for all");
	if (cmd_config(&c, &e) || (pause ? pause_set(c.config, timer, who(), &e) : pause_clear(timer, &e)))
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
