/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/cmd.h"

#include <stdio.h>
#include <stdlib.h>

#include "noded/run/catalogue.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

static void show_help(const struct opt *opts, const char *name)
{
	const char *nearest;
	const struct verb *v = verb_find(cmd_verbs(), name, &nearest);

	if (v)
		printf("Usage: felloe-noded %s%s%s\n%s\n\n", name, str_empty(v->usage) ? "" : " ", str_or(v->usage, ""),
		       v->help);
	opt_help(opts);
}

int cmd_start(struct cmd *c, const struct opt *opts, int argc, char **argv, int *operands)
{
	bool json;
	struct err e;

	if (opt_parse(opts, argc, argv, operands, &e)) {
		fprintf(stderr, "felloe-noded %s: %s\n", argv[0], e.msg);
		return err_exit_code(e.kind);
	}
	if (c->help) {
		show_help(opts, argv[0]);
		return 0;
	}
	json = str_eq(c->log_format, "json");
	if (c->log_format && !json && !str_eq(c->log_format, "text")) {
		fprintf(stderr, "felloe-noded %s: --log-format: \"%s\" is not one of text, json\n", argv[0],
			c->log_format);
		return err_exit_code(ERR_USAGE);
	}
	log_init("felloe-noded", json, c->verbose ? LOG_DEBUG : LOG_INFO);
	if (c->state)
		fs_set_state(c->state);
	c->config = str_or(c->config, str_or(getenv("FELLOE_CONFIG"), FELLOE_SYSCONFDIR "/config.json"));
	return -1;
}

int cmd_config(const struct cmd *c, struct config **ret, struct err *e)
{
	struct problems problems = {0}, unknown = {0};
	int rc = config_load(ret, c->config, &problems, &unknown, e);

	for (size_t i = 0; i < unknown.n; i++)
		log_warn("%s: %s: %s", c->config, unknown.v[i].path, unknown.v[i].msg);
	/* the first one comes with e */
	for (size_t i = 1; i < problems.n; i++)
		log_error("%s: %s: %s", c->config, problems.v[i].path, problems.v[i].msg);
	problems_done(&problems);
	problems_done(&unknown);
	return rc;
}

static void add_site(void *ctx, const char *site)
{
	*list_push((struct strings *)ctx) = xstrdup(site);
}

int cmd_known_site(const struct config *config, struct catalogue *catalogue, const char *site, struct err *e)
{
	struct strings known = {0};
	const char *nearest;
	bool found = config_site(config, site) != NULL;
	int rc;

	if (found)
		return 0;
	rc = catalogue_sites(catalogue, add_site, &known, e);
	for (size_t i = 0; i < known.n; i++)
		found = found || str_eq(known.v[i], site);
	for (size_t i = 0; i < config->sites.n; i++)
		add_site(&known, config->sites.v[i].name);
	nearest = str_nearest(site, (const char *const *)known.v, known.n);
	if (rc == 0 && !found)
		rc = err_set(e, ERR_USAGE, "there is no site \"%s\" in %s, and no run of one%s%s%s", site, config->path,
			     nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	for (size_t i = 0; i < known.n; i++)
		free(known.v[i]);
	list_done(&known);
	return rc;
}

int cmd_fail(const struct err *e)
{
	log_error("%s", e->msg);
	return err_exit_code(e->kind);
}

bool cmd_too_many(int n, char **argv)
{
	if (n)
		fprintf(stderr, "felloe-noded %s: \"%s\" is one word too many\n", argv[0], argv[1]);
	return n > 0;
}
