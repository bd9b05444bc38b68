/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>

#include "masterd/config.h"
#include "shared/mem.h"

static int copy(const char *config_path, const char *to, struct err *e)
{
	CLEANUP(config_freep) struct config *c = NULL;
	CLEANUP(db_closep) struct db *db = NULL;

	if (config_load(&c, config_path, e) || db_open(&db, c->database, true, e) || db_backup(db, to, e))
		return -1;
	printf("wrote %s\n", to);
	return 0;
}

int cmd_backup(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {.usage = "backup FILE [options]", .least = 1, .most = 1};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int rc = cmd_start(&c, opts, argc, argv, NULL);
	struct err e = {0};

	if (rc >= 0)
		return rc;
	return copy(c.path, argv[1], &e) ? cmd_failed(&e) : 0;
}
