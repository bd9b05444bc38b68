/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "noded/agent/link.h"
#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/expire.h"
#include "noded/run/lost.h"
#include "noded/run/progress.h"
#include "noded/run/reap.h"
#include "noded/store/pick.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded status: what goes on, what went well last, how full the storages
 * are, how the agent stands with the master. All of it from this machine; no
 * master is asked. */

struct site_status {
	const char *site;
	struct wire_runs last;      /* newest run */
	struct wire_runs good;      /* newest good one */
	struct wire_runs proven;    /* newest one that was restored as a proof */
	struct expire_state old;    /* runs to be deleted */
};

struct status {
	const struct config *config;
	struct catalogue *catalogue;
	struct wire_progresses running;
	struct { LIST_OF(struct site_status); } sites;
	struct { LIST_OF(int64_t); } used;  /* a storage each */
	struct { LIST_OF(struct pick_health); } health; /* likewise */
	struct storage_uses lost;           /* those that are not in the configuration any more */
};

static void status_done(struct status *s)
{
	for (size_t i = 0; i < s->sites.n; i++) {
		runs_done(&s->sites.v[i].last);
		runs_done(&s->sites.v[i].good);
		runs_done(&s->sites.v[i].proven);
	}
	list_done(&s->sites);
	list_done(&s->used);
	list_done(&s->health);
	list_done(&s->lost);
	list_done(&s->running);
}

static void say_reaped(void *ctx, const char *text)
{
	(void)ctx;
	log_warn("%s", text);
}

static void gather_health(struct status *s)
{
	CLEANUP(pick_freep) struct pick *pick = pick_new(s->config);

	for (size_t i = 0; i < s->config->storages.n; i++)
		pick_health(pick, s->config->storages.v[i].name, list_push(&s->health));
}

static int gather(struct status *s, struct err *e)
{
	struct reaped gone;
	size_t dead;

	gather_health(s);
	if (reap(s->config, s->catalogue, say_reaped, NULL, &gone, e) || progress_list(&s->running, &dead, e))
		return -1;
	for (size_t i = 0; i < s->config->sites.n; i++) {
		struct site_status *site = list_push(&s->sites);
		struct run_query q = {.limit = 1};

		site->site = q.site = s->config->sites.v[i].name;
		if (catalogue_runs(s->catalogue, &q, &site->last, e))
			return -1;
		q.good = true;
		if (catalogue_runs(s->catalogue, &q, &site->good, e) || expire_look(s->catalogue, q.site, &site->old, e))
			return -1;
		q.proven = true;
		if (catalogue_runs(s->catalogue, &q, &site->proven, e))
			return -1;
	}
	for (size_t i = 0; i < s->config->storages.n; i++)
		if (catalogue_used(s->catalogue, s->config->storages.v[i].name, list_push(&s->used), e))
			return -1;
	return lost_storages(s->config, s->catalogue, &s->lost, e);
}

static void put_site(struct json_out *o, const struct site_status *site)
{
	json_obj(o, NULL);
	json_put_str(o, "site", site->site);
	if (site->last.n)
		wire_run_put(o, "last", &site->last.v[0]);
	else
		json_put_null(o, "last");
	json_put_time(o, "last_good", site->good.n ? site->good.v[0].started : 0);
	json_put_str(o, "last_good_run", site->good.n ? site->good.v[0].uuid : NULL);
	json_put_time(o, "proven", site->proven.n ? site->proven.v[0].proven : 0);
	json_put_str(o, "proven_run", site->proven.n ? site->proven.v[0].uuid : NULL);
	json_put_str(o, "frozen", *site->old.frozen ? site->old.frozen : NULL);
	json_put_int(o, "delete_pending", site->old.pending);
	json_end_obj(o);
}

/* What the agent said of its master; an older word about another one says nothing. */
static void read_link(const struct status *s, struct link *l)
{
	link_read(l);
	if (!str_eq(l->master, s->config->master.url))
		*l = (struct link){0};
}

static void put_link(struct json_out *o, const struct status *s)
{
	struct link l;

	read_link(s, &l);
	json_obj(o, "link");
	json_put_str(o, "state", link_name(l.state));
	json_put_time(o, "since", l.since);
	json_put_str(o, "text", l.text);
	json_put_bool(o, "agent", link_agent_runs());
	json_end_obj(o);
}

static void print_master(const struct status *s)
{
	static const char *const words[LINK_STATES] = {
		[LINK_UNKNOWN] = "nothing is known of it yet",
		[LINK_CONNECTED] = "connected",
		[LINK_JOINING] = "waits for approval",
		[LINK_NOT_JOINED] = "this node has not joined it: run felloe-noded join",
		[LINK_BLOCKED] = "it has blocked this node",
		[LINK_UNKNOWN_KEY] = "it does not know this node (any more)",
		[LINK_CLONE] = "another machine uses the key of this node",
		[LINK_TROUBLE] = "not reached",
	};
	char span[UNITS_TEXT];
	struct link l;

	if (str_empty(s->config->master.url)) {
		puts("master: none, this node stands alone");
		return;
	}
	read_link(s, &l);
	printf("master: %s, %s", s->config->master.url, words[l.state]);
	if (l.since)
		printf(", since %s", units_span(span, clock_ms() - l.since));
	puts(link_agent_runs() ? "" : "; the agent does not run now");
	if (l.text[0])
		printf("        %s\n", l.text);
}

static int print_json(const struct status *s)
{
	struct cmd_json j;

	cmd_json_begin(&j);
	json_put_str(&j.o, "server_id", s->config->server_id);
	json_put_str(&j.o, "master", str_empty(s->config->master.url) ? NULL : s->config->master.url);
	if (!str_empty(s->config->master.url))
		put_link(&j.o, s);
	json_arr(&j.o, "running");
	for (size_t i = 0; i < s->running.n; i++)
		wire_progress_put(&j.o, NULL, &s->running.v[i]);
	json_end_arr(&j.o);
	json_arr(&j.o, "sites");
	for (size_t i = 0; i < s->sites.n; i++)
		put_site(&j.o, &s->sites.v[i]);
	json_end_arr(&j.o);
	json_arr(&j.o, "storages");
	for (size_t i = 0; i < s->config->storages.n; i++) {
		const struct storage *storage = &s->config->storages.v[i];

		json_obj(&j.o, NULL);
		json_put_str(&j.o, "name", storage->name);
		json_put_str(&j.o, "type", storage->type);
		json_put_int(&j.o, "weight", storage->weight);
		json_put_int(&j.o, "used", s->used.v[i]);
		json_put_int(&j.o, "limit", storage->limit_bytes);
		json_put_int(&j.o, "failures", s->health.v[i].failures);
		json_put_time(&j.o, "rests_until", s->health.v[i].rests_until);
		json_put_str(&j.o, "error", s->health.v[i].error);
		json_end_obj(&j.o);
	}
	json_end_arr(&j.o);
	json_arr(&j.o, "out_of_reach");
	for (size_t i = 0; i < s->lost.n; i++) {
		json_obj(&j.o, NULL);
		json_put_str(&j.o, "storage", s->lost.v[i].name);
		json_put_int(&j.o, "runs", s->lost.v[i].runs);
		json_put_int(&j.o, "bytes", s->lost.v[i].bytes);
		json_end_obj(&j.o);
	}
	json_end_arr(&j.o);
	return cmd_json_end(&j, "the status");
}

static void print_running(const struct wire_progress *p)
{
	char done[UNITS_TEXT], rate[UNITS_TEXT], span[UNITS_TEXT];
	CLEANUP(freep) char *item = xstrdup(p->item);

	str_clean(item);
	printf("running   %s: %s%s%s, %s at %s, since %s\n", p->site, p->phase, *item ? " " : "", item,
	       units_bytes(done, (uint64_t)p->bytes_done), units_rate(rate, p->rate),
	       units_span(span, clock_ms() - p->started));
}

/* A good run that nobody can get at is said to be so. */
static bool out_of_reach(const struct config *config, const struct wire_run *run)
{
	for (size_t i = 0; i < run->archives.n; i++)
		if (!config_storage(config, run->archives.v[i].storage))
			return true;
	return false;
}

static void print_site(const struct config *config, const struct site_status *site)
{
	char age[UNITS_TEXT], day[32];

	if (!site->last.n) {
		printf("%-20s  never backed up\n", site->site);
		return;
	}
	printf("%-20s  last run %s", site->site, run_state_name(site->last.v[0].state));
	if (site->good.n)
		printf(", last good %s ago on %s%s", units_span(age, clock_ms() - site->good.v[0].started),
		       site->good.v[0].archives.n ? site->good.v[0].archives.v[0].storage : "-",
		       out_of_reach(config, &site->good.v[0]) ? " (out of reach)" : "");
	else
		printf(", no good run yet");
	if (site->proven.n)
		printf(", proven restorable %s",
		       clock_format(day, sizeof(day), "%Y-%m-%d", site->proven.v[0].proven));
	puts("");
	if (*site->last.v[0].error)
		printf("%-20s    %s\n", "", site->last.v[0].error);
	if (*site->old.frozen)
		printf("%-20s    %s\n", "", site->old.frozen);
	if (site->old.pending)
		printf("%-20s    %lld run%s, %s, delete pending: felloe-noded prune %s tries again and says why\n", "",
		       (long long)site->old.pending, site->old.pending == 1 ? "" : "s",
		       units_bytes(age, (uint64_t)site->old.pending_bytes), site->site);
}

static void print_text(const struct status *s)
{
	for (size_t i = 0; i < s->running.n; i++)
		print_running(&s->running.v[i]);
	if (!s->running.n)
		puts("nothing runs now");
	for (size_t i = 0; i < s->sites.n; i++)
		print_site(s->config, &s->sites.v[i]);
	for (size_t i = 0; i < s->config->storages.n; i++) {
		const struct storage *storage = &s->config->storages.v[i];
		char used[UNITS_TEXT], limit[UNITS_TEXT];

		printf("%-20s  storage %s, weight %lld%s, %s of %s used\n", storage->name, storage->type,
		       (long long)storage->weight, storage->weight ? "" : " (drained)",
		       units_bytes(used, (uint64_t)s->used.v[i]), units_bytes(limit, (uint64_t)storage->limit_bytes));
		if (s->health.v[i].failures)
			printf("%-20s  failed %u time%s in a row, %s: %s\n", "", s->health.v[i].failures,
			       s->health.v[i].failures == 1 ? "" : "s",
			       s->health.v[i].rests_until ? "tried after all others for now" : "tried in its turn again",
			       s->health.v[i].error);
	}
	for (size_t i = 0; i < s->lost.n; i++) {
		char text[ERR_MSG_MAX];

		lost_text(&s->lost.v[i], text);
		printf("%-20s  %s\n", s->lost.v[i].name, text);
	}
	print_master(s);
}

int cmd_status(int argc, char **argv)
{
	CLEANUP(status_done) struct status s = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
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
	if (cmd_too_many(n, argv))
		return err_exit_code(ERR_USAGE);
	if (cmd_open(&c, &e))
		return cmd_fail(&e);
	s.config = c.config;
	s.catalogue = c.catalogue;
	if (gather(&s, &e))
		return cmd_fail(&e);
	if (json)
		return print_json(&s);
	print_text(&s);
	return 0;
}
