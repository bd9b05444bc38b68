/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

static char *config_path(const char *given, const char *state)
{
	const char *env = getenv("FELLOE_MASTER_CONFIG");

	if (given)
		return xstrdup(given);
	if (!str_empty(env))
		return xstrdup(env);
	if (str_empty(state))
		state = getenv("FELLOE_STATE");
	return str_empty(state) ? xstrdup(FELLOE_SYSCONFDIR "/master.json") : xasprintf("%s/master.json", state);
}

int cmd_start(struct cmd *c, const struct opt *opts, int argc, char **argv, int *operands)
{
	struct err e;
	int n;

	if (opt_parse(opts, argc, argv, &n, &e))
		return cmd_failed(&e);
	if (c->help || n < c->least) {
		printf("Usage: felloe-masterd %s\n\n", c->usage);
		if (c->describe)
			c->describe();
		opt_help(opts);
		return c->help ? 0 : err_exit_code(ERR_USAGE);
	}
	if (n > c->most) {
		err_fill(&e, ERR_USAGE, 0, "\"%.80s\" is too much; --help tells what %s takes", argv[c->most + 1], argv[0]);
		return cmd_failed(&e);
	}
	if (c->state)
		fs_set_state(c->state);
	c->path = config_path(c->config, c->state);
	if (operands)
		*operands = n;
	return -1;
}

void cmd_done(struct cmd *c)
{
	freep(&c->path);
}

int cmd_failed(const struct err *e)
{
	char text[ERR_MSG_MAX];

	/* line by line: several problems of a configuration stand below each other */
	str_cut(text, sizeof(text), e->msg);
	for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		str_clean(line);
		fprintf(stderr, "%s%s\n", line == text ? "felloe-masterd: " : "", line);
	}
	if (e->kind == ERR_DAMAGED && str_starts(e->msg, "database "))
		fprintf(stderr, "move it away with its -wal and -shm, and put a copy that felloe-masterd backup made in its place: "
				"see felloe-masterd(8)\n");
	return err_exit_code(e->kind);
}
