/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/find.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded list [SITE]: the runs of this node; with --from the archives on a storage. */

/* Runs, and what this machine alone knows of each. */
struct known {
	const struct config *config;  /* NULL when it cannot be read: the records are good without it */
	struct wire_runs runs;
	struct { LIST_OF(struct run_marks); } marks;
};

static void known_done(struct known *k)
{
	runs_done(&k->runs);
	list_done(&k->marks);
}

/* The first storage of the run that the configuration does not have; NULL. */
static const char *lost_storage(const struct known *k, const struct wire_run *r)
{
	for (size_t i = 0; k->config && i < r->archives.n; i++)
		if (!config_storage(k->config, r->archives.v[i].storage))
			return r->archives.v[i].storage;
	return NULL;
}

static bool is_damaged(const struct wire_run *r)
{
	for (size_t i = 0; i < r->archives.n; i++)
		if (*r->archives.v[i].damage)
			return true;
	return false;
}

static int print_runs_json(const struct known *k)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_arr(&j.o, "runs");
	for (size_t i = 0; i < k->runs.n; i++)
		wire_run_put(&j.o, NULL, &k->runs.v[i]);
	json_end_arr(&j.o);
	json_arr(&j.o, "held");
	for (size_t i = 0; i < k->runs.n; i++)
		if (k->marks.v[i].held)
			json_put_str(&j.o, NULL, k->runs.v[i].uuid);
	json_end_arr(&j.o);
	json_arr(&j.o, "delete_pending");
	for (size_t i = 0; i < k->runs.n; i++)
		if (k->marks.v[i].expiring)
			json_put_str(&j.o, NULL, k->runs.v[i].uuid);
	json_end_arr(&j.o);
	json_arr(&j.o, "out_of_reach");
	for (size_t i = 0; i < k->runs.n; i++)
		if (lost_storage(k, &k->runs.v[i]))
			json_put_str(&j.o, NULL, k->runs.v[i].uuid);
	json_end_arr(&j.o);
	json_arr(&j.o, "damaged");
	for (size_t i = 0; i < k->runs.n; i++)
		if (is_damaged(&k->runs.v[i]))
			json_put_str(&j.o, NULL, k->runs.v[i].uuid);
	json_end_arr(&j.o);
	return cmd_json_end(&j, "the list");
}

static void print_damage(const struct wire_run *r)
{
	char at[24];

	for (size_t i = 0; i < r->archives.n; i++)
		if (*r->archives.v[i].damage)
			printf("          DAMAGED %s on %s: %s (found %s)\n", r->archives.v[i].key, r->archives.v[i].storage,
			       r->archives.v[i].damage, clock_format(at, sizeof(at), "%Y-%m-%d %H:%M UTC", r->archives.v[i].damage_at));
}

static void print_runs(const struct known *k, const char *site)
{
	const struct wire_runs *runs = &k->runs;

	if (!runs->n) {
		printf("No run%s%s is known.\n", site ? " of a site " : "", site ? site : "");
		return;
	}
	printf("%-8s  %-19s  %-16s  %-8s  %-8s  %9s  %-10s  %s\n", "RUN", "STARTED (UTC)", "SITE", "WHAT", "STATE", "STORED", "PROVEN",
	       "ON");
	for (size_t i = 0; i < runs->n; i++) {
		const struct wire_run *r = &runs->v[i];
		char when[32], day[32], size[UNITS_TEXT];

		printf("%.8s  %-19s  %-16s  %-8s  %-8s  %9s  %-10s  %s%s%s%s\n", r->uuid,
		       clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", r->started), r->site, r->what,
		       run_state_name(r->state),
		       r->archives.n ? units_bytes_short(size, (uint64_t)r->bytes_stored) : "-",
		       r->proven ? clock_format(day, sizeof(day), "%Y-%m-%d", r->proven) : *r->proof ? "failed" : "-",
		       r->archives.n ? r->archives.v[0].storage : "-", k->marks.v[i].held ? ", held" : "",
		       k->marks.v[i].expiring ? ", delete pending" : "",
		       lost_storage(k, r) ? ", out of reach: not configured any more" : "");
		if (*r->error)
			printf("          %s\n", r->error);
		print_damage(r);
	}
}

static int list_runs(struct cmd *c, const char *site, bool json)
{
	CLEANUP(known_done) struct known k = {0};
	const struct run_query q = {.site = site};
	struct err e;

	cmd_config_if_any(c);
	k.config = c->config;
	if (catalogue_open(&c->catalogue, &e) || (site && c->config && cmd_known_site(c, site, &e)) ||
	    catalogue_runs(c->catalogue, &q, &k.runs, &e))
		return cmd_fail(&e);
	for (size_t i = 0; i < k.runs.n; i++)
		if (catalogue_marks(c->catalogue, k.runs.v[i].uuid, list_push(&k.marks), &e))
			return cmd_fail(&e);
	if (json)
		return print_runs_json(&k);
	print_runs(&k, site);
	return 0;
}

static int print_archives_json(const struct found_archives *found)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_arr(&j.o, "archives");
	for (size_t i = 0; i < found->n; i++) {
		const struct found_archive *a = &found->v[i];

		json_obj(&j.o, NULL);
		json_put_str(&j.o, "storage", a->storage);
		json_put_str(&j.o, "key", a->key);
		json_put_time(&j.o, "started", a->at);
		json_put_int(&j.o, "size", a->size);
		json_put_bool(&j.o, "sidecar", a->sidecar);
		json_end_obj(&j.o);
	}
	json_end_arr(&j.o);
	return cmd_json_end(&j, "the list");
}

static int list_storage(const struct config *config, const char *from, const char *site, bool json)
{
	const struct storage *storage = config_storage(config, from);
	struct found_archives found;
	struct err e;
	int rc = 0;

	if (!storage) {
		err_fill(&e, ERR_USAGE, 0, "there is no storage \"%s\" in %s%s", from, config->path,
			 config_storage_hint(config, from).text);
		return cmd_fail(&e);
	}
	if (find_on_storage(config, storage, site, &found, &e))
		return cmd_fail(&e);
	if (json)
		rc = print_archives_json(&found);
	for (size_t i = 0; !json && i < found.n; i++) {
		char when[32], size[UNITS_TEXT];
		CLEANUP(freep) char *key = xstrdup(found.v[i].key);

		str_clean(key);
		printf("%s  %9s  %s%s\n", clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", found.v[i].at),
		       units_bytes_short(size, (uint64_t)found.v[i].size), key, found.v[i].sidecar ? "" : "  (no .idx)");
	}
	if (!json && !found.n)
		printf("No archive of %s%s is on %s.\n", config->server_id, site ? ", this site," : "", from);
	list_done(&found);
	return rc;
}

int cmd_list(int argc, char **argv)
{
	CLEANUP(cmd_done) struct cmd c = {0};
	bool json = false;
	const char *from = NULL;
	const struct opt opts[] = {
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		{.name = "from", .type = OPT_STR, .to = &from, .arg = "STORAGE",
		 .help = "List the archives on this storage; the records of this node are not asked."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (n > 1)
		return cmd_misused(argv, "it takes one site at most");
	if (!from)
		return list_runs(&c, n ? argv[1] : NULL, json);
	if (cmd_config(&c, &e))
		return cmd_fail(&e);
	return list_storage(c.config, from, n ? argv[1] : NULL, json);
}
