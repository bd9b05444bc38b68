/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/lost.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded forget STORAGE: the storage is gone for good, and what lay on it. */

static const char *fate_text(enum lost_fate f)
{
	static const char *const texts[] = {
		[LOST_FORGOTTEN] = "forgotten",
		[LOST_FAILED] = "failed now: other parts of it lie elsewhere, and stay there",
		[LOST_TRACES] = "stays as it is: what it left there was no archive",
		[LOST_HELD] = "left alone, it is held: felloe-noded release lets it go",
		[LOST_RUNNING] = "left alone, it is at work",
	};

	return texts[f];
}

static void print_report(const char *storage, const struct lost_report *r, bool dry_run)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct lost_line *l = &r->v[i];
		char when[32], size[UNITS_TEXT];

		printf("  %.8s  %s  %-16s  %-10s  %-8s  %6s  %s\n", l->run.uuid,
		       clock_format(when, sizeof(when), "%Y-%m-%d %H:%M", l->run.started), l->site, *l->run.timer ? l->run.timer : "-",
		       run_state_name(l->run.state), units_bytes_short(size, (uint64_t)l->run.size), fate_text(l->fate));
	}
	printf("storage %s: %u run%s %s forgotten", storage, r->forgotten, r->forgotten == 1 ? "" : "s", dry_run ? "would be" : "were");
	if (r->failed)
		printf(", %u failed now", r->failed);
	if (r->left)
		printf(", %u left alone", r->left);
	puts(dry_run ? "; nothing was changed" : "; what is stored there was not touched");
	for (size_t i = 0; i < r->bare.n && !dry_run; i++)
		printf("site %s has no good run any more: felloe-noded backup %s makes one\n", r->bare.v[i].site, r->bare.v[i].site);
}

static int print_json(const char *storage, const struct lost_report *r)
{
	static const char *const words[] = {"forgotten", "failed", "traces", "held", "running"};
	struct cmd_json j;

	cmd_json_begin(&j);
	json_put_str(&j.o, "storage", storage);
	json_put_int(&j.o, "forgotten", r->forgotten);
	json_put_int(&j.o, "failed", r->failed);
	json_put_int(&j.o, "traces", r->traces);
	json_put_int(&j.o, "left", r->left);
	json_arr(&j.o, "runs");
	for (size_t i = 0; i < r->n; i++) {
		json_obj(&j.o, NULL);
		json_put_str(&j.o, "uuid", r->v[i].run.uuid);
		json_put_str(&j.o, "site", r->v[i].site);
		json_put_time(&j.o, "started", r->v[i].run.started);
		json_put_int(&j.o, "size", r->v[i].run.size);
		json_put_str(&j.o, "fate", words[r->v[i].fate]);
		json_end_obj(&j.o);
	}
	json_end_arr(&j.o);
	json_arr(&j.o, "sites_without_good_run");
	for (size_t i = 0; i < r->bare.n; i++)
		json_put_str(&j.o, NULL, r->bare.v[i].site);
	json_end_arr(&j.o);
	return cmd_json_end(&j, "the list");
}

int cmd_forget(int argc, char **argv)
{
	CLEANUP(lost_report_done) struct lost_report r = {0};
	struct lost_opts o = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
	bool json = false;
	const struct opt opts[] = {
		{.name = "dry-run", .type = OPT_FLAG, .to = &o.dry_run, .help = "Show what would be forgotten; change nothing."},
		{.name = "json", .type = OPT_FLAG, .to = &json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	if (n != 1)
		return cmd_misused(argv, "it takes one storage that is not in the configuration any more; felloe-noded status "
				   "names those that runs lie on");
	if (cmd_open(&c, &e))
		return cmd_fail(&e);
	o.config = c.config;
	o.catalogue = c.catalogue;
	o.storage = argv[1];
	if (lost_forget(&o, &r, &e))
		return cmd_fail(&e);
	if (json)
		rc = print_json(o.storage, &r);
	else
		print_report(o.storage, &r, o.dry_run);
	return rc > 0 ? rc : r.left && !o.dry_run ? 3 : 0;
}
