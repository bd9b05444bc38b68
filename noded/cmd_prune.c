/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/expire.h"
#include "noded/run/lost.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded prune [SITE]: delete the runs that no rule keeps, and say why. */

enum { OUT_MAX = 64 << 20 };

struct output {
	bool json, dry_run;
	struct buf b;
	struct json_out o;
};

static void print_site(const char *site, const struct expire_report *r, bool dry_run)
{
	char freed[UNITS_TEXT];

	printf("site %s: %u %s, %u kept", site, dry_run || *r->frozen ? r->due : r->deleted,
	       dry_run || *r->frozen ? "to be deleted" : "deleted", r->kept);
	if (r->deleted)
		printf(", %s freed", units_bytes(freed, (uint64_t)r->freed));
	if (r->pending)
		printf(", %u delete pending", r->pending);
	if (r->due && !dry_run && !*r->frozen)
		printf(", %u to be deleted later", r->due);
	puts("");
	if (*r->frozen)
		printf("  %s\n", r->frozen);
	for (size_t i = 0; i < r->n; i++) {
		const struct expire_line *l = &r->v[i];
		char when[32], size[UNITS_TEXT];

		printf("  %.8s  %s  %-10s  %-7s  %6s  %-14s  %s\n", l->run.uuid,
		       clock_format(when, sizeof(when), "%Y-%m-%d %H:%M", l->run.started), *l->run.timer ? l->run.timer : "-",
		       run_state_name(l->run.state), units_bytes_short(size, (uint64_t)l->run.size), expire_fate_name(l->fate), l->why);
	}
}

static void put_site(struct json_out *o, const char *site, const struct expire_report *r)
{
	json_obj(o, NULL);
	json_put_str(o, "site", site);
	json_put_str(o, "frozen", *r->frozen ? r->frozen : NULL);
	json_put_int(o, "kept", r->kept);
	json_put_int(o, "due", r->due);
	json_put_int(o, "deleted", r->deleted);
	json_put_int(o, "pending", r->pending);
	json_put_int(o, "freed", r->freed);
	json_arr(o, "runs");
	for (size_t i = 0; i < r->n; i++) {
		const struct expire_line *l = &r->v[i];

		json_obj(o, NULL);
		json_put_str(o, "uuid", l->run.uuid);
		json_put_str(o, "timer", *l->run.timer ? l->run.timer : NULL);
		json_put_str(o, "state", run_state_name(l->run.state));
		json_put_time(o, "started", l->run.started);
		json_put_int(o, "size", l->run.size);
		json_put_bool(o, "held", l->run.held);
		json_put_str(o, "fate", expire_fate_name(l->fate));
		json_put_str(o, "why", l->why);
		json_end_obj(o);
	}
	json_end_arr(o);
	json_end_obj(o);
}

static int prune_site(const struct expire_opts *o, struct output *out)
{
	CLEANUP(expire_report_done) struct expire_report r = {0};
	struct err e;
	int rc = expire_site(o, &r, &e);

	if (rc && !r.n)
		return cmd_fail(&e);
	if (out->json)
		put_site(&out->o, o->site, &r);
	else
		print_site(o->site, &r, o->dry_run);
	if (rc)
		return cmd_fail(&e);
	return *r.frozen || (r.pending + r.due && !o->dry_run) ? 3 : 0;
}

static void add_site(void *ctx, const char *site)
{
	*list_push((struct strings *)ctx) = xstrdup(site);
}

static int prune_all(struct expire_opts *o, const char *only, struct output *out)
{
	struct strings sites = {0};
	struct err e;
	int rc = 0;

	if (catalogue_sites(o->catalogue, add_site, &sites, &e))
		rc = cmd_fail(&e);
	for (size_t i = 0; rc != 1 && i < sites.n && !daemon_stopping(); i++) {
		int code;

		o->site = sites.v[i];
		if (only && !str_eq(only, o->site))
			continue;
		code = prune_site(o, out);
		rc = code == 0 ? rc : rc == 0 || code == 1 ? code : rc;
	}
	for (size_t i = 0; i < sites.n; i++)
		free(sites.v[i]);
	list_done(&sites);
	return rc;
}

/* Once, behind all sites: what lies where nobody can ask. */
static int tell_lost(const struct expire_opts *o, struct output *out)
{
	struct storage_uses lost;
	char text[ERR_MSG_MAX];
	struct err e;

	if (lost_storages(o->config, o->catalogue, &lost, &e))
		return cmd_fail(&e);
	json_arr(&out->o, "out_of_reach");
	for (size_t i = 0; i < lost.n; i++) {
		json_obj(&out->o, NULL);
		json_put_str(&out->o, "storage", lost.v[i].name);
		json_put_int(&out->o, "runs", lost.v[i].runs);
		json_put_int(&out->o, "bytes", lost.v[i].bytes);
		json_end_obj(&out->o);
		lost_text(&lost.v[i], text);
		if (!out->json)
			puts(text);
	}
	json_end_arr(&out->o);
	list_done(&lost);
	return 0;
}

int cmd_prune(int argc, char **argv)
{
	CLEANUP(config_freep) struct config *config = NULL;
	CLEANUP(catalogue_closep) struct catalogue *catalogue = NULL;
	struct output out = {0};
	struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "dry-run", .type = OPT_FLAG, .to = &out.dry_run, .help = "Show what would be deleted, and why; delete nothing."},
		{.name = "json", .type = OPT_FLAG, .to = &out.json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct expire_opts o = {.stop = daemon_stopping};
	struct err e;

	if (rc >= 0)
		return rc;
	if (n > 1) {
		err_fill(&e, ERR_USAGE, 0, "prune takes one site at most");
		return cmd_fail(&e);
	}
	daemon_signals();
	if (cmd_config(&c, &config, &e) || catalogue_open(&catalogue, &e) || (n && cmd_known_site(config, catalogue, argv[1], &e)))
		return cmd_fail(&e);
	o.config = config;
	o.catalogue = catalogue;
	o.dry_run = out.dry_run;
	buf_init(&out.b, OUT_MAX);
	json_out_init(&out.o, &out.b);
	out.o.pretty = true;
	json_obj(&out.o, NULL);
	json_arr(&out.o, "sites");
	rc = prune_all(&o, n ? argv[1] : NULL, &out);
	json_end_arr(&out.o);
	if (tell_lost(&o, &out))
		rc = 1;
	json_end_obj(&out.o);
	if (out.json && buf_check(&out.b, "the list", &e) == 0)
		puts(out.b.p);
	buf_done(&out.b);
	return rc;
}
