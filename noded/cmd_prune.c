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

struct output {
	bool json, dry_run;
	struct cmd_json j;
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
		put_site(&out->j.o, o->site, &r);
	else
		print_site(o->site, &r, o->dry_run);
	if (rc)
		return cmd_fail(&e);
	return *r.frozen || (r.pending + r.due && !o->dry_run) ? 3 : 0;
}

static int prune_all(struct expire_opts *o, const char *only, struct output *out)
{
	struct strings sites = {0};
	struct err e;
	int rc = 0;

	if (catalogue_sites(o->catalogue, &sites, &e))
		rc = cmd_fail(&e);
	for (size_t i = 0; rc != 1 && i < sites.n && !daemon_stopping(); i++) {
		int code;

		o->site = sites.v[i];
		if (only && !str_eq(only, o->site))
			continue;
		code = prune_site(o, out);
		rc = cmd_worse(rc, code);
	}
	strings_done(&sites);
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
	json_arr(&out->j.o, "out_of_reach");
	for (size_t i = 0; i < lost.n; i++) {
		json_obj(&out->j.o, NULL);
		json_put_str(&out->j.o, "storage", lost.v[i].name);
		json_put_int(&out->j.o, "runs", lost.v[i].runs);
		json_put_int(&out->j.o, "bytes", lost.v[i].bytes);
		json_end_obj(&out->j.o);
		lost_text(&lost.v[i], text);
		if (!out->json)
			puts(text);
	}
	json_end_arr(&out->j.o);
	list_done(&lost);
	return 0;
}

int cmd_prune(int argc, char **argv)
{
	struct output out = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
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
	if (n > 1)
		return cmd_misused(argv, "it takes one site at most");
	daemon_signals();
	if (cmd_open(&c, &e) || (n && cmd_known_site(&c, argv[1], &e)))
		return cmd_fail(&e);
	o.config = c.config;
	o.catalogue = c.catalogue;
	o.dry_run = out.dry_run;
	cmd_json_begin(&out.j);
	json_arr(&out.j.o, "sites");
	rc = prune_all(&o, n ? argv[1] : NULL, &out);
	json_end_arr(&out.j.o);
	if (tell_lost(&o, &out))
		rc = 1;
	if (out.json)
		return cmd_worse(rc, cmd_json_end(&out.j, "the list"));
	buf_done(&out.j.b);
	return rc;
}
