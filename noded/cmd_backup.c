/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "noded/cmd.h"
#include "noded/run/backup.h"
#include "noded/run/pause.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded backup [--timer NAME] [SITE...]: one run a site, one after another. */

struct selection {
	const struct config *config;
	const struct timer *timer;        /* NULL by hand */
	struct { LIST_OF(const struct site *); } sites;
};

static void selection_done(struct selection *s)
{
	list_done(&s->sites);
}

static bool selected(const struct selection *s, const struct site *site)
{
	for (size_t i = 0; i < s->sites.n; i++)
		if (s->sites.v[i] == site)
			return true;
	return false;
}

static int select_site(struct selection *s, const char *name, struct err *e)
{
	const struct site *site = config_site(s->config, name);

	if (!site)
		return err_set(e, ERR_USAGE, "there is no site \"%s\" in %s%s", name, s->config->path,
			       config_site_hint(s->config, name).text);
	if (!selected(s, site))
		*list_push(&s->sites) = site;
	return 0;
}

/* Named sites, else those of the timer, else all. */
static int select_sites(struct selection *s, const char *timer, char **names, int n, struct err *e)
{
	bool all = n == 0 && !timer;

	if (timer && !(s->timer = config_timer(s->config, timer)))
		return err_set(e, ERR_USAGE, "there is no timer \"%s\" in %s%s", timer, s->config->path,
			       config_timer_hint(s->config, timer).text);
	for (int i = 0; i < n; i++)
		if (select_site(s, names[i], e))
			return -1;
	for (size_t i = 0; n == 0 && s->timer && i < s->timer->sites.n; i++) {
		if (str_eq(s->timer->sites.v[i], "*"))
			all = true;
		else if (select_site(s, s->timer->sites.v[i], e))
			return -1;
	}
	for (size_t i = 0; all && i < s->config->sites.n; i++)
		if (!selected(s, &s->config->sites.v[i]))
			*list_push(&s->sites) = &s->config->sites.v[i];
	if (!s->sites.n)
		return err_set(e, ERR_CONFIG, "there are no sites in %s; felloe-noded sites finds those of this machine, felloe configure writes them",
			       s->config->path);
	return 0;
}

static void print_outcome(const struct wire_run *run)
{
	char in[UNITS_TEXT], stored[UNITS_TEXT], span[UNITS_TEXT];

	printf("%s: %s", run->site, run_state_name(run->state));
	/* a run that failed before it read anything has no size to tell */
	if (run->bytes_in > 0)
		printf(", %s in %s", units_bytes(in, (uint64_t)run->bytes_in), units_span(span, run->finished - run->started));
	if (run->archives.n)
		printf(", %s stored on %s", units_bytes(stored, (uint64_t)run->bytes_stored), run->archives.v[0].storage);
	printf(", run %s\n", run->uuid);
	for (size_t i = 0; i < run->archives.n; i++)
		printf("  %s\n", run->archives.v[i].key);
	fflush(stdout);
}

static int one_site(struct backup_opts *o, bool dry_run)
{
	struct wire_run run;
	struct err e;
	int code;

	if (dry_run)
		return backup_dry_run(o, &e) ? cmd_fail(&e) : 0;
	if (backup_run(o, &run, &e))
		return cmd_fail(&e);
	if (*run.error)
		log_error("%s: %s", run.site, run.error);
	print_outcome(&run);
	code = backup_exit_code(&run);
	wire_run_done(&run);
	return code;
}

static bool is_paused(const char *timer)
{
	char span[UNITS_TEXT];
	struct paused p;

	if (!pause_of(timer, &p))
		return false;
	log_info("timer %s was paused by %s %s ago: nothing is backed up; felloe-noded resume %s ends this", timer, p.by,
		 units_span(span, clock_ms() - p.since), timer);
	return true;
}

int cmd_backup(int argc, char **argv)
{
	CLEANUP(selection_done) struct selection s = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
	const char *timer = NULL, *trigger = NULL;
	bool dry_run = false, quiet = false;
	char batch[UUID_TEXT];
	const struct opt opts[] = {
		{.name = "timer", .type = OPT_STR, .to = &timer, .arg = "NAME",
		 .help = "Do what this timer of the configuration says: its sites, its parts."},
		{.name = "dry-run", .type = OPT_FLAG, .to = &dry_run, .help = "Show what would be done."},
		{.name = "quiet", .letter = 'q', .type = OPT_FLAG, .to = &quiet, .help = "No progress on stderr."},
		{.name = "trigger", .type = OPT_STR, .to = &trigger, .arg = "WHO",
		 .help = "Who asked for it, for the record: \"manual\" or \"request\"."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	daemon_signals();
	if (cmd_config(&c, &e))
		return cmd_fail(&e);
	s.config = c.config;
	/* who asks by name wants it now */
	if (timer && !dry_run && !str_eq(trigger, "request") && is_paused(timer))
		return err_exit_code(ERR_LOCKED);
	if (select_sites(&s, timer, argv + 1, n, &e) || catalogue_open(&c.catalogue, &e))
		return cmd_fail(&e);
	random_uuid(batch);
	rc = 0;
	for (size_t i = 0; i < s.sites.n && !daemon_stopping(); i++) {
		struct backup_opts o = {.config = c.config, .site = s.sites.v[i], .catalogue = c.catalogue,
					.timer = timer ? timer : "", .trigger = trigger ? trigger : timer ? "timer" : "manual",
					.batch = batch, .db = !s.timer || s.timer->db, .files = !s.timer || s.timer->files,
					.quiet = quiet};

		rc = cmd_worse(rc, one_site(&o, dry_run));
	}
	return rc;
}
