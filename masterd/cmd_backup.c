/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>

#include "masterd/config.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/opt.h"

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
	const char *config = NULL, *state = NULL;
	bool help = false;
	const struct opt opts[] = {
		{.name = "config", .letter = 'c', .type = OPT_STR, .to = &config, .arg = "FILE", .help = "master.json"},
		{.name = "state", .type = OPT_STR, .to = &state, .arg = "DIR", .help = "state directory"},
		{.name = "help", .letter = 'h', .type = OPT_FLAG, .to = &help, .help = "this text"},
		{0},
	};
	CLEANUP(freep) char *path = NULL;
	struct err e = {0};
	int n;

	if (opt_parse(opts, argc, argv, &n, &e))
		return cmd_failed(&e);
	if (help || n != 1) {
		puts("Usage: felloe-masterd backup FILE [options]\n");
		opt_help(opts);
		return help ? 0 : 2;
	}
	if (state)
		fs_set_state(state);
	path = cmd_config_path(config, state);
	return copy(path, argv[1], &e) ? cmd_failed(&e) : 0;
}
