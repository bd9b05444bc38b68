/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* not the "config.h" beside this file */

#include <stdio.h>
#include <string.h>

#include "masterd/cmd.h"
#include "shared/opt.h"
#include "shared/str.h"

static const struct verb verbs[] = {
	{"run", "[-c FILE] [--state DIR]", "serve nodes and consoles (the default)", cmd_run},
	{"init", "[--listen A:P] [--self-signed] ...", "write master.json, the database and the first user", cmd_init},
	{"user", "list|add|passwd|role|... [NAME]", "people who may sign in", cmd_user},
	{"audit", "verify [--head HASH] [--json]", "is the audit trail what was written?", cmd_audit},
	{"check", "[-c FILE]", "judge configuration, certificate and database", cmd_check},
	{"migrate", "--to URL [--switch]", "copy everything into another database", cmd_migrate},
	{"backup", "FILE", "copy the master's own database while it runs", cmd_backup},
	{0},
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "run", *nearest = NULL;
	const struct verb *v;

	if (str_eq(name, "--version")) {
		printf("felloe-masterd " PACKAGE_VERSION " (databases: SQLite%s)\n",
		       db_is_known_url("postgresql://") ? ", PostgreSQL" : "");
		return 0;
	}
	if (str_eq(name, "--help") || str_eq(name, "-h") || str_eq(name, "help")) {
		verb_help(verbs, "felloe-masterd", "the REST master of Felloe");
		return 0;
	}
	/* without a verb the options are those of run */
	if (name[0] == '-' || argc < 2)
		return cmd_run(argc, argv);
	/* for tests and documents: not in the help */
	if (str_eq(name, "routes"))
		return cmd_routes(argc - 1, argv + 1);
	v = verb_find(verbs, name, &nearest);
	if (v)
		return verb_end("felloe-masterd", v->run(argc - 1, argv + 1));
	fprintf(stderr, "felloe-masterd: there is no verb \"%s\"%s%s%s\n", name, nearest ? ": did you mean \"" : "",
		nearest ? nearest : "", nearest ? "\"?" : "");
	return 2;
}
