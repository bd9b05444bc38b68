/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "noded/run/catalogue.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { JSON_MAX = 64 << 20 };

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
	c->config_path = str_or(c->config_path, str_or(getenv("FELLOE_CONFIG"), FELLOE_SYSCONFDIR "/config.json"));
	return -1;
}

void cmd_done(struct cmd *c)
{
	config_freep(&c->config);
	catalogue_closep(&c->catalogue);
}

int cmd_config(struct cmd *c, struct err *e)
{
	struct problems problems = {0}, unknown = {0};
	int rc = config_load(&c->config, c->config_path, &problems, &unknown, e);

	for (size_t i = 0; i < unknown.n; i++)
		log_warn("%s: %s: %s", c->config_path, unknown.v[i].path, unknown.v[i].msg);
	/* the first one comes with e */
	for (size_t i = 1; i < problems.n; i++)
		log_error("%s: %s: %s", c->config_path, problems.v[i].path, problems.v[i].msg);
	problems_done(&problems);
	problems_done(&unknown);
	return rc;
}

void cmd_config_if_any(struct cmd *c)
{
	struct problems problems = {0}, unknown = {0};
	struct err ignored;

	(void)!config_load(&c->config, c->config_path, &problems, &unknown, &ignored);
	problems_done(&problems);
	problems_done(&unknown);
}

int cmd_open(struct cmd *c, struct err *e)
{
	return cmd_config(c, e) || catalogue_open(&c->catalogue, e) ? -1 : 0;
}

int cmd_known_site(const struct cmd *c, const char *site, struct err *e)
{
	struct strings known = {0};
	bool found;
	int rc;

	if (config_site(c->config, site))
		return 0;
	rc = catalogue_sites(c->catalogue, &known, e);
	found = strings_have(&known, site);
	for (size_t i = 0; i < c->config->sites.n; i++)
		strings_add(&known, c->config->sites.v[i].name);
	if (rc == 0 && !found)
		rc = err_set(e, ERR_USAGE, "there is no site \"%s\" in %s, and no run of one%s", site, c->config->path,
			     str_hint(site, (const char *const *)known.v, known.n).text);
	strings_done(&known);
	return rc;
}

int cmd_fail(const struct err *e)
{
	log_error("%s", e->msg);
	return err_exit_code(e->kind);
}

int cmd_misused(char **argv, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "felloe-noded %s: %s\n", argv[0], text);
	return err_exit_code(ERR_USAGE);
}

bool cmd_too_many(int n, char **argv)
{
	return n && cmd_misused(argv, "\"%s\" is one word too many", argv[1]);
}

int cmd_worse(int a, int b)
{
	static const int order[] = {0, 3, 4, 2, 5, 1};
	size_t rank_a = 0, rank_b = 0;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (order[i] == a)
			rank_a = i;
		if (order[i] == b)
			rank_b = i;
	}
	return rank_a > rank_b ? a : b;
}

void cmd_json_begin(struct cmd_json *j)
{
	buf_init(&j->b, JSON_MAX);
	json_out_init(&j->o, &j->b);
	j->o.pretty = true;
	json_obj(&j->o, NULL);
}

int cmd_json_end(struct cmd_json *j, const char *what)
{
	struct err e;
	int rc;

	json_end_obj(&j->o);
	rc = buf_check(&j->b, what, &e) ? cmd_fail(&e) : 0;
	if (rc == 0)
		puts(j->b.p);
	buf_done(&j->b);
	return rc;
}
