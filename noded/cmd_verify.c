/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "noded/run/find.h"
#include "noded/run/job.h"
#include "noded/run/looked.h"
#include "noded/run/prove.h"
#include "noded/run/verify.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded verify [SITE]: is what is stored still what was written? With
 * --full also: does it restore, and is the copy what was read? */

struct verification {
	const struct config *config;
	struct catalogue *catalogue;
	const char *run, *at, *from, *server, *dir;
	bool full, members, json;
	struct cmd_json out;         /* with json */
	struct job *job;             /* of the site at work */
	const struct found_archive *archive;
	uint64_t read_before;        /* of the archives before this one */
	char damage[240];            /* the first of this archive, "" none */
	/* of the run */
	char failure[256];           /* the first damage, else what the proof met; "" none */
	unsigned damaged, unknown;   /* archives: damaged ones, those that this node has no record of */
	bool changed, stays;         /* it is another now; damage is known that this look is not deep enough for */
};

/* ---- one archive */

static void on_damage(void *ctx, const char *member, const char *why)
{
	struct verification *v = ctx;
	CLEANUP(freep) char *name = xstrdup(member);
	CLEANUP(freep) char *text = xstrdup(why);

	str_clean(name);
	str_clean(text);
	if (!*v->damage)
		snprintf(v->damage, sizeof(v->damage), "%.100s%s%.130s", name, *name ? ": " : "", text);
	if (!*v->failure)
		snprintf(v->failure, sizeof(v->failure), "damaged: %s", v->damage);
	progress_clear(v->job->bar);
	if (v->json) {
		json_obj(&v->out.o, NULL);
		json_put_str(&v->out.o, "member", name);
		json_put_str(&v->out.o, "why", text);
		json_end_obj(&v->out.o);
		return;
	}
	printf("DAMAGED %s%s%s: %s\n", v->archive->key, *name ? " " : "", name, text);
	fflush(stdout);
}

static void on_progress(void *ctx, uint64_t fetched)
{
	struct verification *v = ctx;
	struct wire_progress *p = &v->job->progress;

	p->bytes_done = p->bytes_stored = (int64_t)(v->read_before + fetched);
	progress_tick(v->job->bar);
}

static void print_archive(const struct verification *v, const struct verify_result *r)
{
	char bytes[UNITS_TEXT];

	progress_clear(v->job->bar);
	if (r->no_sidecar && !r->damaged)
		log_warn("%s: its sidecar (.idx) is missing; every member was read instead", v->archive->key);
	if (v->json)
		return;
	if (r->damaged)
		printf("%s on %s: %" PRIu64 " damaged\n", v->archive->key, v->archive->storage, r->damaged);
	else
		printf("%s on %s: sound, %s read%s\n", v->archive->key, v->archive->storage, units_bytes(bytes, r->fetched),
		       v->members || r->no_sidecar ? ", every member unpacked" : "");
	fflush(stdout);
}

static enum verify_members how_deep(const struct verification *v)
{
	return v->members ? VERIFY_MEMBERS : v->full ? VERIFY_FILES : VERIFY_STORED;
}

/* A green run with a damaged archive would be a lie from now on. */
static int write_down(struct verification *v, const struct found_archive *a, struct err *e)
{
	const struct catalogue_look l = {.storage = a->storage, .key = a->key, .depth = how_deep(v), .at = clock_ms(),
					 .damage = *v->damage ? v->damage : NULL};
	struct catalogue_seen seen;

	if (catalogue_look(v->catalogue, &l, &seen, e))
		return -1;
	v->damaged += *v->damage != '\0';
	v->unknown += !*seen.run;
	v->changed = v->changed || seen.changed;
	v->stays = v->stays || seen.stays;
	return 0;
}

/* -1 cannot be told. */
static int verify_one(struct verification *v, const struct found_archive *a, struct err *e)
{
	const struct verify_opts o = {.config = v->config, .damaged = on_damage, .progress = on_progress, .ctx = v,
				      .members = how_deep(v)};
	struct verify_result r;
	int rc;

	v->archive = a;
	v->damage[0] = '\0';
	if (v->json) {
		json_obj(&v->out.o, NULL);
		json_put_str(&v->out.o, "key", a->key);
		json_put_str(&v->out.o, "storage", a->storage);
		json_arr(&v->out.o, "damaged");
	}
	rc = verify_archive(&o, a, &r, e);
	if (v->json) {
		json_end_arr(&v->out.o);
		json_put_bool(&v->out.o, "sound", rc == 0 && !r.damaged);
		json_put_int(&v->out.o, "fetched", (int64_t)r.fetched);
		json_end_obj(&v->out.o);
	}
	v->read_before += r.fetched;
	if (rc == 0)
		print_archive(v, &r);
	return rc || write_down(v, a, e) ? -1 : 0;
}

/* ---- the proof */

static void put_database(struct json_out *o, const struct proved *p)
{
	json_obj(o, NULL);
	json_put_str(o, "name", p->db);
	json_put_str(o, "key", p->key);
	json_put_bool(o, "proven", !*p->failure);
	json_put_str(o, "failure", *p->failure ? p->failure : NULL);
	json_put_int(o, "tables", (int64_t)p->tables);
	json_put_int(o, "rows", (int64_t)p->rows);
	json_put_int(o, "views", p->views);
	json_put_int(o, "triggers", p->triggers);
	json_put_int(o, "routines", p->routines);
	json_put_int(o, "events", p->events);
	json_end_obj(o);
}

static void tell_restored(const struct proved *p)
{
	char n[6][UNITS_COUNT];

	printf("%s: database %s was restored: %s, %s, all digests agree; %s, %s, %s, %s\n", p->key, p->db,
	       units_count(n[0], p->tables, "table", "tables"), units_count(n[1], p->rows, "row", "rows"),
	       units_count(n[2], (uint64_t)p->views, "view", "views"), units_count(n[3], (uint64_t)p->triggers, "trigger", "triggers"),
	       units_count(n[4], (uint64_t)p->routines, "routine", "routines"), units_count(n[5], (uint64_t)p->events, "event", "events"));
}

static void tell_databases(struct verification *v, const struct proof *proof)
{
	if (v->json)
		json_arr(&v->out.o, "databases");
	for (size_t i = 0; i < proof->n; i++) {
		const struct proved *p = &proof->v[i];

		if (v->json)
			put_database(&v->out.o, p);
		else if (*p->failure)
			printf("NOT RESTORABLE %s: %s\n", p->key, p->failure);
		else
			tell_restored(p);
	}
	if (v->json)
		json_end_arr(&v->out.o);
}

static int prove(struct verification *v, const struct found_archives *found, struct err *e)
{
	const struct prove_opts o = {.config = v->config, .job = v->job, .server = v->server, .dir = v->dir};
	struct proof proof;
	int rc = prove_archives(&o, found, &proof, e);

	progress_clear(v->job->bar);
	if (rc == 0) {
		tell_databases(v, &proof);
		str_cut(v->failure, sizeof(v->failure), proof_failure(&proof));
	}
	proof_done(&proof);
	return rc;
}

static int conclude(struct verification *v, const struct found_archives *found, struct err *e)
{
	struct verdict is = {.uuid = v->unknown ? "" : found->v[0].run, .archives = found->n, .at = clock_ms(),
			     .failure = *v->failure ? v->failure : NULL, .written = v->damaged > v->unknown};
	char day[32];

	if (!v->damaged && prove_record(v->config, v->catalogue, &is, e)) /* damage is written down already */
		return -1;
	v->changed = v->changed || (is.failure && is.written && !v->damaged);
	is.uuid = found->v[0].run;
	v->stays = v->stays && !is.written; /* a proof has read it all */
	clock_format(day, sizeof(day), "%Y-%m-%d %H:%M:%S UTC", is.at);
	if (v->json) {
		json_put_time(&v->out.o, "proven", is.failure ? 0 : is.at);
		json_put_str(&v->out.o, "proof", is.failure);
		json_put_bool(&v->out.o, "recorded", is.written);
	} else if (is.failure) {
		printf("run %.8s of %s: proof failed: %s\n", is.uuid, v->job->run.site, is.failure);
	} else {
		printf("run %.8s of %s: proven restorable, %s%s\n", is.uuid, v->job->run.site, day,
		       is.written ? "" : " (not written down: this node has no record of the whole run)");
	}
	return 0;
}

/* ---- what became of the run */

static void tell_state(const struct verification *v, const struct wire_run *run)
{
	const char *again = v->members ? " --members" : v->full ? " --full" : "";

	if (v->changed && *run->proof)
		printf("run %.8s of %s is %s now, no restore takes it unless it is named; felloe-noded verify %s --run %.8s%s looks again\n",
		       run->uuid, run->site, run_state_name(run->state), run->site, run->uuid, again);
	else if (v->changed)
		printf("run %.8s of %s is sound again: %s\n", run->uuid, run->site, run_state_name(run->state));
	else if (v->stays)
		log_warn("run %.8s of %s stays %s: what is damaged in it was found by a deeper look (--members, --full), which has to be "
			 "repeated", run->uuid, run->site, run_state_name(run->state));
}

/* What the looks at its archives made of it, for people and for the master. */
static int report_state(struct verification *v, const struct found_archives *found, struct err *e)
{
	const struct looked l = {v->config, v->catalogue, v->job, found->v[0].run, v->changed};
	CLEANUP(runs_done) struct wire_runs runs = {0};

	if (looked_report(&l, &runs, e))
		return -1;
	if (v->json)
		json_put_str(&v->out.o, "state", runs.n ? run_state_name(runs.v[0].state) : NULL);
	else if (runs.n)
		tell_state(v, &runs.v[0]);
	return 0;
}

/* ---- a site */

/* The bytes, then the proof; damage makes that needless. */
static int verify_archives(struct verification *v, const struct found_archives *found, struct err *e)
{
	v->job->progress.bytes_total = 0;
	for (size_t i = 0; i < found->n; i++)
		v->job->progress.bytes_total += found->v[i].size * (v->members ? 2 : 1);
	job_phase(v->job, "verify");
	if (v->json)
		json_arr(&v->out.o, "archives");
	for (size_t i = 0; i < found->n; i++) {
		if (verify_one(v, &found->v[i], e)) {
			if (v->json)
				json_end_arr(&v->out.o);
			return -1;
		}
	}
	if (v->json)
		json_end_arr(&v->out.o);
	if (v->full && ((!v->damaged && prove(v, found, e)) || conclude(v, found, e)))
		return -1;
	return report_state(v, found, e);
}

static int verify_found(struct verification *v, const char *site, struct err *e)
{
	const struct find_opts o = {.config = v->config, .catalogue = v->catalogue, .site = site,
				    .at = v->run ? v->run : v->at ? v->at : "latest", .from = v->from};
	struct found_archives found;
	int rc;

	if (find_run(&o, &found, e))
		return -1;
	find_tell_newer(&o, &found);
	if (v->json)
		json_put_str(&v->out.o, "run", found.v[0].run);
	rc = verify_archives(v, &found, e);
	list_done(&found);
	if (rc == 0 && daemon_stopping())
		return err_set(e, ERR_ABORTED, "ended by a signal");
	return rc;
}

static int verify_site(struct verification *v, const char *site)
{
	CLEANUP(job_done) struct job job;
	struct err e;
	int rc;

	job_init(&job, site, "db+files");
	job.bar = progress_new(&job.progress, false);
	v->job = &job;
	v->failure[0] = '\0';
	v->read_before = 0;
	v->damaged = v->unknown = 0;
	v->changed = v->stays = false;
	if (v->json) {
		json_obj(&v->out.o, NULL);
		json_put_str(&v->out.o, "site", site);
	}
	rc = verify_found(v, site, &e);
	progress_free(TAKE(job.bar));
	if (v->json) {
		json_put_str(&v->out.o, "error", rc ? e.msg : NULL);
		json_end_obj(&v->out.o);
	}
	fflush(stdout);
	return rc ? cmd_fail(&e) : *v->failure ? 1 : v->stays ? 3 : 0;
}

/* Those named, else all. */
static int verify_sites(struct verification *v, char **names, int n)
{
	int worst = 0;

	for (int i = 0; i < n && !daemon_stopping(); i++)
		worst = cmd_worse(worst, verify_site(v, names[i]));
	for (size_t i = 0; n == 0 && i < v->config->sites.n && worst != 2 && !daemon_stopping(); i++)
		worst = cmd_worse(worst, verify_site(v, v->config->sites.v[i].name));
	return worst;
}

static int verify_as_json(struct verification *v, char **names, int n)
{
	int rc;

	cmd_json_begin(&v->out);
	json_arr(&v->out.o, "sites");
	rc = verify_sites(v, names, n);
	json_end_arr(&v->out.o);
	return cmd_worse(rc, cmd_json_end(&v->out, "the outcome"));
}

/* Whoever mistypes a mount point shall not fill the disk below it, nor find that out after an hour. */
static int check_place(const char *dir, struct err *e)
{
	CLEANUP(freep) char *usual = fs_state_dir("proof");
	struct stat st;

	if (stat(dir, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : err_set(e, ERR_CONFLICT, "--dir: %s is not a directory", dir);
	if (errno != ENOENT)
		return err_sys(e, ERR_IO, "--dir: %s", dir);
	return err_set(e, ERR_NOTFOUND, "--dir: there is no directory %s: make it first, or leave --dir out for %s", dir,
		       usual);
}

static int check_options(const struct verification *v, struct err *e)
{
	if (v->run && v->at)
		return err_set(e, ERR_USAGE, "--run and --at contradict each other");
	if (!v->full && (v->server || v->dir))
		return err_set(e, ERR_USAGE, "--%s goes with --full", v->server ? "server" : "dir");
	return v->dir ? check_place(v->dir, e) : 0;
}

int cmd_verify(int argc, char **argv)
{
	struct verification v = {0};
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "run", .type = OPT_STR, .to = &v.run, .arg = "ID",
		 .help = "This run (its id or the beginning of it) instead of the last good one."},
		{.name = "at", .type = OPT_STR, .to = &v.at, .arg = "WHEN",
		 .help = "A time in UTC: the last good run not after it."},
		{.name = "members", .type = OPT_FLAG, .to = &v.members,
		 .help = "Unpack every member and check its own digest as well."},
		{.name = "full", .type = OPT_FLAG, .to = &v.full,
		 .help = "Prove that it restores: load the databases into a private server that is thrown away, and compare."},
		{.name = "dir", .type = OPT_STR, .to = &v.dir, .arg = "DIR",
		 .help = "With --full: put the private server below DIR, which must be there (default: proof in the state directory)."},
		{.name = "server", .type = OPT_STR, .to = &v.server, .arg = "FILE",
		 .help = "With --full: this mariadbd or mysqld instead of the one that is found."},
		{.name = "from", .type = OPT_STR, .to = &v.from, .arg = "STORAGE",
		 .help = "Search this storage instead of the records of this node."},
		{.name = "json", .type = OPT_FLAG, .to = &v.json, .help = "Print JSON."},
		CMD_OPTS(c),
		{0},
	};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	daemon_signals();
	if (check_options(&v, &e) || cmd_open(&c, &e))
		return cmd_fail(&e);
	v.config = c.config;
	v.catalogue = c.catalogue;
	return v.json ? verify_as_json(&v, argv + 1, n) : verify_sites(&v, argv + 1, n);
}
