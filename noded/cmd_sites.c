/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/cmd.h"
#include "noded/site.h"
#include "noded/site_facts.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded sites [DIR...]: which WordPress sites there are. Never shows a password. */

static int print_json(const struct found_sites *f)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_arr(&j.o, "sites");
	for (size_t i = 0; i < f->n; i++) {
		const struct found_site *s = &f->v[i];
		CLEANUP(freep) char *kind = site_kind(s->wp_content_path);
		int64_t bytes = site_bytes(s->wp_content_path);

		json_obj(&j.o, NULL);
		json_put_str(&j.o, "name", s->name);
		json_put_str(&j.o, "wp_config_path", s->wp_config_path);
		json_put_str(&j.o, "wp_content_path", s->wp_content_path);
		json_put_str(&j.o, "db_name", s->db_name);
		json_put_str(&j.o, "db_user", s->db_user);
		json_put_str(&j.o, "db_host", s->db_host);
		json_put_str(&j.o, "table_prefix", s->table_prefix);
		json_put_str(&j.o, "problem", s->problem);
		json_put_str(&j.o, "kind", kind);
		if (bytes >= 0)
			json_put_int(&j.o, "files_bytes", bytes);
		json_end_obj(&j.o);
	}
	json_end_arr(&j.o);
	json_put_int(&j.o, "unreadable_directories", f->unreadable);
	return cmd_json_end(&j, "the list of sites");
}

static void print_table(const struct found_sites *f)
{
	if (f->n)
		printf("%-20s %-20s %s\n", "SITE", "DATABASE", "WP-CONFIG");
	for (size_t i = 0; i < f->n; i++) {
		const struct found_site *s = &f->v[i];
		CLEANUP(freep) char *db = xstrdup(str_or(s->db_name, "-"));
		CLEANUP(freep) char *path = xstrdup(s->wp_config_path);
		CLEANUP(freep) char *problem = xstrdup(s->problem);

		str_clean(db);
		str_clean(path);
		str_clean(problem);
		printf("%-20s %-20s %s\n", s->name, db, path);
		if (*problem)
			printf("%-20s   %s\n", "", problem);
	}
	if (!f->n)
		puts("No WordPress site was found.");
}

int cmd_sites(int argc, char **argv)
{
	CLEANUP(found_sites_done) struct found_sites found = {0};
	struct strings dirs;
	struct cmd c = {0};
	bool json = false;
	const struct opt opts[] = {
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	dirs = (struct strings){.v = argv + 1, .n = (size_t)n};
	if (site_find(&found, &dirs, &e))
		return cmd_fail(&e);
	if (found.cut)
		log_warn("too many directories: the list is not complete");
	if (json)
		return print_json(&found);
	print_table(&found);
	if (found.unreadable)
		log_warn("%u directories cannot be read and were passed over", found.unreadable);
	return 0;
}
