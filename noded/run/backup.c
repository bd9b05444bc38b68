/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/dump.h"
#include "noded/run/expire.h"
#include "noded/run/hooks.h"
#include "noded/run/job.h"
#include "noded/run/judge.h"
#include "noded/run/keep.h"
#include "noded/run/lock.h"
#include "noded/run/notify.h"
#include "noded/run/reap.h"
#include "noded/run/report.h"
#include "noded/run/stream.h"
#include "noded/site.h"
#include "noded/store/pick.h"
#include "noded/store/store.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum { HOOK_TIMEOUT_MS = 600000, SNAPSHOTS_MORE = 2, PAUSE_MS = 3000, SERVER_BACK_MS = 30000, SERVER_LOOK_MS = 500, FINDINGS_TOLD = 100 };

struct backup {
	const struct backup_opts *o;
	struct job job;
	struct lock *lock;
	struct db_access access;
	char *db_name;              /* "" none, "*" whole server */
	bool whole_server;
	struct roots roots;         /* empty: no files */
	struct dump *dump;          /* the snapshot */
	struct hot hot;             /* tables that attempts before this one were disturbed at */
	struct dump_grid grid;      /* how the catalogue remembers its chunks */
	struct strings databases;   /* in it */
	uint64_t db_bytes, file_bytes;
	bool storage_failed, begun, no_room; /* of the last attempt */
	struct store *store;                 /* lent, of the attempt that runs; NULL: a dry run */
	bool started_over;
};

static void backup_done(struct backup *b)
{
	dump_close(b->dump);
	strings_done(&b->databases);
	hot_done(&b->hot);
	roots_done(&b->roots);
	db_access_done(&b->access);
	free(b->db_name);
	lock_release(b->lock);
	job_done(&b->job);
}

/* ---- plan */

static int reap_dead(void *ctx, const char *uuid, struct err *e)
{
	struct backup *b = ctx;
	struct reaped gone;

	(void)uuid;
	return reap(b->o->config, b->o->catalogue, job_say_text, &b->job, &gone, e);
}

static int take_lock(struct backup *b, struct err *e)
{
	const struct lock_opts o = {.site = b->o->site->name,
				    .parts = (*b->db_name ? LOCK_DB : 0u) | (b->roots.all.n ? LOCK_FILES : 0u),
				    .uuid = b->job.run.uuid, .wait_s = b->o->config->lock_wait_s, .stop = daemon_stopping,
				    .dead = reap_dead, .ctx = b};

	if (reap_dead(b, "", e))
		return -1;
	return lock_take(&b->lock, &o, e);
}

/* What the site has of what is wanted. */
static int find_sources(struct backup *b, struct err *e)
{
	const struct site *s = b->o->site;
	bool db = b->o->db && (*s->db_name || *s->wp_config_path);

	if (b->o->files)
		roots_of(&b->roots, s);
	if (db && site_db(&b->access, &b->db_name, s, e))
		return -1;
	if (!db)
		b->db_name = xstrdup("");
	b->whole_server = str_eq(b->db_name, "*");
	if (!*b->db_name && !b->roots.all.n)
		return err_set(e, ERR_CONFIG, "site %s has none of what is asked for (%s%s%s)", s->name, b->o->db ? "db" : "",
			       b->o->db && b->o->files ? ", " : "", b->o->files ? "files" : "");
	snprintf(b->job.run.what, sizeof(b->job.run.what), "%s",
		 *b->db_name && b->roots.all.n ? "db+files" : *b->db_name ? "db" : "files");
	str_cut(b->job.progress.what, sizeof(b->job.progress.what), b->job.run.what);
	return 0;
}

static int count_files(struct backup *b, struct err *e)
{
	struct walk_result walked;

	if (!b->roots.all.n)
		return 0;
	if (roots_estimate(&b->roots, b->o->site, &walked, e))
		return -1;
	b->file_bytes = walked.bytes;
	b->job.progress.bytes_total = (int64_t)b->file_bytes; /* a database adds its own */
	return 0;
}

/* ---- snapshot */

static void forget_snapshot(struct backup *b)
{
	dump_close(TAKE(b->dump));
	strings_done(&b->databases);
	b->db_bytes = 0;
}

static int load_grid(void *ctx, const char *db, const char *table, int *shift, struct err *e)
{
	struct backup *b = ctx;
	const struct catalogue_grid g = {.site = b->o->site->name, .db = db, .table = table};

	return catalogue_grid(b->o->catalogue, &g, shift, e);
}

static int save_grid(void *ctx, const char *db, const char *table, int shift, struct err *e)
{
	struct backup *b = ctx;
	const struct catalogue_grid g = {.site = b->o->site->name, .db = db, .table = table};

	return catalogue_keep_grid(b->o->catalogue, &g, shift, e);
}

/* A backup of all that one sees looks whole, whatever one does not see. */
static int warn_of_unseen(struct backup *b, struct err *e)
{
	bool all;

	if (dump_sees_all(b->dump, &all, e))
		return -1;
	if (!all)
		job_warn(&b->job, "the account %s may see some databases only: others, if there are any, are not in this backup "
			 "(GRANT SELECT ON *.*)", b->access.user);
	return 0;
}

/* Their locks stand already. */
static void hot_first(struct backup *b)
{
	for (size_t i = 0; b->hot.n && i < b->databases.n; i++)
		if (str_eq(b->databases.v[i], b->hot.v[0].db)) {
			char *first = b->databases.v[i];

			memmove(b->databases.v + 1, b->databases.v, i * sizeof(*b->databases.v));
			b->databases.v[0] = first;
			return;
		}
}

static int take_snapshot(struct backup *b, struct err *e)
{
	const struct dump_opts o = {.access = &b->access, .db = b->whole_server ? NULL : b->db_name, .connections = (unsigned)b->o->config->mysql_connections,
				    .ddl_wait_s = b->o->config->ddl_wait_s, .hot = &b->hot, .grid = &b->grid,
				    .stop = daemon_stop_flag()};

	if (!*b->db_name || b->dump)
		return 0;
	job_phase(&b->job, "dump");
	b->grid = (struct dump_grid){.load = load_grid, .save = save_grid, .ctx = b};
	if (dump_open(&b->dump, &o, e))
		return -1;
	if (*dump_note(b->dump))
		job_say(&b->job, "snapshot by %s: %s", dump_method(b->dump), dump_note(b->dump));
	if (!b->whole_server)
		strings_add(&b->databases, b->db_name);
	else if (dump_databases(b->dump, &b->o->site->db_exclude, &b->databases, e) || warn_of_unseen(b, e))
		return -1;
	hot_first(b);
	if (!b->databases.n)
		return err_set(e, ERR_NOTFOUND, "site %s: the account %s sees no database at all", b->o->site->name,
			       b->access.user);
	for (size_t i = 0; i < b->databases.n; i++)
		b->db_bytes += dump_estimate(b->dump, b->databases.v[i]);
	str_cut(b->job.run.snapshot, sizeof(b->job.run.snapshot), dump_position(b->dump));
	b->job.progress.bytes_total = (int64_t)(b->db_bytes + b->file_bytes);
	return 0;
}

/* ---- stream */

/* Bytes of a database's name that do not belong into a key are written %XX. */
static void add_escaped(struct buf *b, const char *name)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-')
			buf_addc(b, (char)*c);
		else
			buf_addf(b, "%%%02X", *c);
	}
}

/* Is there an object of this name? The records do not know those of another
 * server with the same server_id (a copied machine), nor any when they were lost.
 * Whoever may not ask is told when it writes. */
static int on_storage(const struct backup *b, const char *key, bool *ret, struct err *e)
{
	uint64_t size;

	*ret = b->store && store_head(b->store, key, &size, e) == 0;
	return b->store && !*ret && (e->kind == ERR_NET || e->kind == ERR_ABORTED) ? -1 : 0;
}

/* A key that no archive has: two runs of one site may begin in the same second
 * (its database and its files by timers of their own). */
static int choose_key(struct backup *b, const struct storage *storage, const char *db, char **ret, struct err *e)
{
	for (int64_t at = b->job.run.started;; at += 1000) {
		CLEANUP(buf_done) struct buf rest;
		CLEANUP(freep) char *key = NULL;
		char day[32], stamp[32];
		bool taken;

		buf_init(&rest, 4096);
		buf_addf(&rest, "%s/%s/%s", b->o->config->server_id, clock_format(day, sizeof(day), "%Y/%m/%d", at),
			 b->o->site->name);
		if (*db) {
			buf_addc(&rest, '-');
			add_escaped(&rest, db);
		}
		buf_addf(&rest, "-backup-%s.tar.zst", clock_format(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", at));
		if (buf_check(&rest, "the name of the archive", e))
			return -1;
		key = store_key(storage, rest.p);
		if (catalogue_key_taken(b->o->catalogue, key, &taken, e))
			return -1;
		if (!taken && on_storage(b, key, &taken, e)) {
			b->storage_failed = true;
			return -1;
		}
		if (!taken) {
			*ret = TAKE(key);
			return 0;
		}
	}
}

static int one_archive(struct backup *b, const struct storage *storage, const char *db, bool files, struct err *e)
{
	CLEANUP(freep) char *key = NULL;
	struct stream s = {.config = b->o->config, .site = b->o->site, .job = &b->job, .store = b->store, .db = db,
			   .dump = b->dump, .last_database = b->databases.n && str_eq(db, b->databases.v[b->databases.n - 1]),
			   .whole_server = b->whole_server, .roots = files ? &b->roots : NULL};
	int64_t estimate;
	int rc;

	if (choose_key(b, storage, b->whole_server ? db : "", &key, e) ||
	    catalogue_estimate(b->o->catalogue, b->o->site->name, db, &estimate, e))
		return -1;
	s.key = key;
	s.estimate = estimate > 0 ? (uint64_t)estimate : b->db_bytes + (files ? b->file_bytes : 0);
	rc = stream_archive(&s, e);
	b->storage_failed = s.storage_failed;
	b->begun = b->begun || s.begun;
	return rc;
}

static int all_archives(struct backup *b, const struct storage *storage, struct err *e)
{
	bool files = b->roots.all.n > 0;

	for (size_t i = 0; i < b->databases.n; i++)
		if (one_archive(b, storage, b->databases.v[i], files && !b->whole_server, e))
			return -1;
	if (files && (b->whole_server || !b->databases.n))
		return one_archive(b, storage, "", true, e);
	return 0;
}

/* ---- the choice of a storage */

static int check_room(struct backup *b, const struct storage *storage, struct err *e)
{
	int64_t used, estimate;
	char limit[UNITS_TEXT], have[UNITS_TEXT], need[UNITS_TEXT];

	if (catalogue_used(b->o->catalogue, storage->name, &used, e) ||
	    catalogue_estimate(b->o->catalogue, b->o->site->name, b->whole_server ? "" : b->db_name, &estimate, e))
		return -1;
	if (!estimate)
		estimate = (int64_t)((b->db_bytes + b->file_bytes) / 2);
	if (used + estimate <= storage->limit_bytes)
		return 0;
	return err_set(e, ERR_SPACE, "storage %s: %s of its limit of %s are used and this backup needs about %s "
		       "(storage_limit_gb); felloe-noded prune --dry-run shows what is kept", storage->name, units_bytes(have, (uint64_t)used),
		       units_bytes(limit, (uint64_t)storage->limit_bytes), units_bytes(need, (uint64_t)estimate));
}

static int try_storage(struct backup *b, const struct storage *storage, struct err *e)
{
	CLEANUP(store_closep) struct store *store = NULL;
	int rc;

	b->begun = b->storage_failed = b->no_room = false;
	if (take_snapshot(b, e))
		return -1;
	b->storage_failed = b->no_room = true;
	if (check_room(b, storage, e))
		return -1;
	b->no_room = false;
	if (store_open(&store, storage, e))
		return -1;
	store_set_stop(store, progress_stop);
	b->storage_failed = false;
	b->store = store;
	str_cut(b->job.progress.storage, sizeof(b->job.progress.storage), storage->name);
	b->job.progress.weight = storage->weight;
	rc = all_archives(b, storage, e);
	b->store = NULL;
	return rc;
}

/* Complete ones too: they go like an upload that nobody finished. */
static int discard_archives(struct backup *b, struct err *e)
{
	struct wire_run *run = &b->job.run;

	for (size_t i = 0; i < run->archives.n; i++)
		if (catalogue_discard(b->o->catalogue, run->uuid, &run->archives.v[i], e))
			return -1;
	list_done(&run->archives);
	return 0;
}

/* Nothing of the attempt counts any more; a new one begins with a new snapshot. */
static int start_over(struct backup *b, struct err *e)
{
	struct wire_run *run = &b->job.run;

	if (discard_archives(b, e))
		return -1;
	run->bytes_in = run->bytes_stored = run->files = run->skipped = run->rows = run->tables = 0;
	b->job.progress.bytes_done = b->job.progress.bytes_stored = 0;
	b->job.progress.files = b->job.progress.rows = b->job.progress.skipped = b->job.blank_files = 0;
	forget_snapshot(b);
	b->started_over = true;
	return 0;
}

/* A server that was restarted under the dump needs a moment until it takes connections again. */
static int wait_for_server(struct backup *b, struct err *e)
{
	int64_t until = clock_mono_ms() + SERVER_BACK_MS;

	for (;;) {
		int rc = take_snapshot(b, e);

		if (rc == 0 || e->kind != ERR_NET || daemon_stopping() || clock_mono_ms() >= until)
			return rc;
		clock_sleep_ms(SERVER_LOOK_MS);
	}
}

/* How often an attempt has failed for a reason that a new snapshot may cure. */
struct attempts {
	unsigned conflicts, lost;
};

/* A table that was dropped, altered or waited for while the snapshot stood makes it
 * worth nothing: a new one has the tables as they are now. A connection lost in the
 * middle takes its snapshot with it. */
static bool worth_another(struct backup *b, struct attempts *a, struct err *e)
{
	char reason[ERR_MSG_MAX * 2 / 3];

	if (b->storage_failed || daemon_stopping())
		return false;
	if (e->kind == ERR_NET && b->dump)
		return a->lost++ == 0;
	if (e->kind != ERR_CONFLICT)
		return false;
	if (a->conflicts++ < SNAPSHOTS_MORE)
		return true;
	str_cut(reason, sizeof(reason), e->msg);
	err_fill(e, ERR_CONFLICT, 0, "%s; %d snapshots in a row were given up: back up at a quieter time, raise "
		 "limits.ddl_wait_s or leave the table out (exclude_tables)", reason, SNAPSHOTS_MORE + 1);
	return false;
}

/* ALTERs come in bursts (an upgrade, a migration): before the last attempt there is a pause of 3 to 6 s. */
static int pause_before(const struct attempts *a, struct err *e)
{
	uint8_t dice;
	int64_t until;

	if (a->conflicts <= 1)
		return 0;
	random_bytes(&dice, sizeof(dice));
	for (until = clock_mono_ms() + PAUSE_MS + PAUSE_MS * dice / UINT8_MAX; clock_mono_ms() < until;) {
		if (daemon_stopping())
			return err_set(e, ERR_ABORTED, "ended by a signal");
		clock_sleep_ms(100);
	}
	return 0;
}

static void note_hot(struct backup *b)
{
	size_t known = b->hot.n;

	if (b->dump)
		dump_hot(b->dump, &b->hot);
	for (size_t i = known; i < b->hot.n; i++)
		job_say(&b->job, "table `%s`.`%s` is read first from now on", b->hot.v[i].db, b->hot.v[i].table);
}

static int try_again(struct backup *b, const struct storage *storage, struct err *e)
{
	struct attempts a = {0};

	for (;;) {
		int rc = try_storage(b, storage, e);
		bool before = b->started_over;

		if (rc == 0 || !worth_another(b, &a, e))
			return rc;
		job_say(&b->job, "%s; the run starts over with a new snapshot", e->msg);
		note_hot(b);
		if (start_over(b, e) || pause_before(&a, e) || (a.lost && wait_for_server(b, e)))
			return -1;
		b->started_over = before;
	}
}

/* The health of a storage decays and recovers by what really happens. */
static void report_health(struct backup *b, struct pick *pick, const struct storage *storage, const struct err *failure)
{
	struct err e;

	if ((!failure || (b->storage_failed && !b->no_room)) && pick_report(pick, storage, failure, &e))
		job_say(&b->job, "the health of storage %s could not be kept: %s", storage->name, e.msg);
}

static int store_somewhere(struct backup *b, struct err *e)
{
	CLEANUP(pick_freep) struct pick *pick = pick_new(b->o->config);
	const struct storage *storage = pick_next(pick), *next;
	bool only = true;

	if (!storage)
		return err_set(e, ERR_CONFIG, "there is no storage with a weight above 0 in %s", b->o->config->path);
	for (;; storage = next, only = false) {
		int rc = try_again(b, storage, e);

		report_health(b, pick, storage, rc ? e : NULL);
		if (rc == 0)
			return 0;
		if (!b->storage_failed || e->kind == ERR_ABORTED)
			return -1;
		next = pick_next(pick);
		if (!next)
			return only ? -1 : err_wrap(e, "no storage took the backup; the last one said");
		if (b->begun && b->started_over)
			return err_wrap(e, "a second storage failed in mid-stream");
		job_warn(&b->job, b->begun ? "%s; the run starts over on storage %s" : "%s; trying storage %s next", e->msg,
			 next->name);
		if (b->begun && start_over(b, e))
			return -1;
	}
}

/* ---- the run */

static int run_hooks(struct backup *b, const struct strings *commands, const char *state, struct err *e)
{
	const struct hook_opts h = {.site = b->o->site->name, .run = b->job.run.uuid, .state = state,
				    .timeout_ms = HOOK_TIMEOUT_MS, .stop = *state ? NULL : daemon_stopping,
				    .output = job_say_text, .ctx = &b->job};

	return hooks_run(commands, &h, e);
}

/* The first run of a site has nothing to be compared with; one after the records were lost looks like a first one. */
static void warn_if_lost(struct backup *b)
{
	const struct run_query q = {.site = b->o->site->name, .was_good = true, .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct err ignored; /* the comparison itself has met it */

	if (catalogue_was_lost() && catalogue_runs(b->o->catalogue, &q, &runs, &ignored) == 0 && !runs.n)
		job_warn(&b->job, "the records of earlier runs were lost: whether this one is like them was not seen");
}

/* The archive is stored and sound; is it a backup of what the site was? */
static void judge(struct backup *b)
{
	const struct judge j = {.config = b->o->config, .site = b->o->site, .catalogue = b->o->catalogue, .run = &b->job.run,
				.whole_server = b->whole_server, .blank_files = b->job.blank_files};
	struct findings findings = {0};
	char more[40] = "";
	struct err e;

	if (catalogue_set_blank(j.catalogue, j.run->uuid, j.blank_files, &e) || judge_run(&j, &findings, &e)) {
		/* nobody has looked, so nobody can say that it is good */
		snprintf(b->job.suspect, sizeof(b->job.suspect), "it could not be compared with the last good run: %.250s; if it is right: "
			 "felloe-noded accept %s", e.msg, j.site->name);
	} else if (findings.n) {
		for (size_t i = 0; i < findings.n && i < FINDINGS_TOLD; i++)
			job_say(&b->job, "suspect: %s", findings.v[i].text);
		if (findings.n > 1)
			snprintf(more, sizeof(more), " (and %zu more)", findings.n - 1);
		snprintf(b->job.suspect, sizeof(b->job.suspect), "%.330s%s; if this is right: felloe-noded accept %s",
			 findings.v[0].text, more, j.site->name);
	}
	list_done(&findings);
	warn_if_lost(b);
}

static const char *state_for_hooks(const struct job *j)
{
	return *j->suspect ? "suspect" : j->warnings ? "warning" : "ok";
}

static int work(struct backup *b, struct err *e)
{
	const struct site *s = b->o->site;
	struct err hook, report;

	/* What is there to be read? */
	if (find_sources(b, e))
		return -1;
	/* Nobody else may work on it; who died over it is tidied up first. */
	if (take_lock(b, e))
		return -1;
	/* From here on the run is known, whatever happens to this process. */
	b->job.bar = progress_new(&b->job.progress, b->o->quiet);
	if (catalogue_save(b->o->catalogue, &b->job.run, e))
		return -1;
	if (report_run(b->o->config, b->o->catalogue, &b->job.run, &report))
		job_say(&b->job, "%s", report.msg);
	/* The owner's commands; without them the backup may be worth nothing. */
	job_phase(&b->job, "plan");
	if (run_hooks(b, &s->hook_before, "", e))
		return -1;
	if (count_files(b, e))
		return -1;
	/* Snapshot, stream, seal, verify: on the best storage that takes it. */
	if (store_somewhere(b, e))
		return -1;
	/* A perfect copy of an emptied database is no good backup. */
	judge(b);
	/* The owner's commands again; the archive is safe by now. */
	if (run_hooks(b, &s->hook_after, state_for_hooks(&b->job), &hook))
		job_warn(&b->job, "%s", hook.msg);
	return 0;
}

/* Write the outcome down and tell whoever wants to know. */
static int conclude(struct backup *b, const struct err *failure, struct err *e)
{
	struct wire_run *run = &b->job.run;
	struct err hook, report;

	if (failure && failure->kind != ERR_LOCKED && failure->kind != ERR_ABORTED &&
	    run_hooks(b, &b->o->site->hook_on_error, "failed", &hook))
		job_warn(&b->job, "%s", hook.msg);
	job_end(&b->job, failure);
	if (catalogue_save(b->o->catalogue, run, e) || (run->state == RUN_ABORTED && discard_archives(b, e)))
		return -1;
	lock_release(TAKE(b->lock));
	if (report_run(b->o->config, b->o->catalogue, run, &report))
		job_warn(&b->job, "%s", report.msg);
	notify_run(b->o->config, run, job_warn_text, &b->job);
	return 0;
}

/* After a good run of a timer that has rules, old ones go. Whatever happens here
 * says nothing about the run. */
static void expire(const struct backup *b)
{
	const struct expire_opts o = {.config = b->o->config, .catalogue = b->o->catalogue, .site = b->o->site->name,
				      .stop = daemon_stopping};
	const struct timer *timer = config_timer(b->o->config, b->o->timer);
	CLEANUP(expire_report_done) struct expire_report r = {0};
	struct err e;

	if (!timer || !keep_any(&timer->keep) || !run_state_good(b->job.run.state))
		return;
	if (expire_site(&o, &r, &e))
		log_warn("%s: old runs were not deleted: %s", o.site, e.msg);
	if (*r.frozen && r.due)
		log_warn("%s: %s", o.site, r.frozen);
	else if (r.due)
		log_warn("%s: %u run%s to be deleted later: a storage is away", o.site, r.due, r.due == 1 ? " is" : "s are");
	for (size_t i = 0; i < r.n; i++) {
		if (r.v[i].fate == FATE_DELETED)
			log_info("%s: run %.8s was deleted: %s", o.site, r.v[i].run.uuid, r.v[i].why);
		else if (r.v[i].fate == FATE_PENDING)
			log_warn("%s: run %.8s is to be deleted, tried again later: %s", o.site, r.v[i].run.uuid, r.v[i].why);
	}
}

int backup_run(const struct backup_opts *o, struct wire_run *ret, struct err *e)
{
	CLEANUP(backup_done) struct backup b = {.o = o};
	struct err failure;
	int rc;

	job_init(&b.job, o->site->name, o->db && o->files ? "db+files" : o->db ? "db" : "files");
	b.job.catalogue = o->catalogue;
	str_cut(b.job.run.batch, sizeof(b.job.run.batch), o->batch);
	str_cut(b.job.run.timer, sizeof(b.job.run.timer), o->timer);
	str_cut(b.job.run.trigger, sizeof(b.job.run.trigger), o->trigger);
	str_cut(b.job.progress.timer, sizeof(b.job.progress.timer), o->timer);
	rc = work(&b, &failure);
	if (conclude(&b, rc ? &failure : NULL, e))
		return rc ? (*e = failure, -1) : -1;
	expire(&b);

	*ret = b.job.run;
	wire_run_init(&b.job.run);
	return 0;
}

int backup_exit_code(const struct wire_run *run)
{
	if (run->state == RUN_OK)
		return 0;
	if (run->state == RUN_WARNING)
		return 3;
	for (int kind = 0; kind < ERR_KINDS; kind++)
		if (str_eq(err_name((enum err_kind)kind), run->error_kind))
			return err_exit_code((enum err_kind)kind);
	return 1;
}

/* ---- dry run */

static int print_plan(struct backup *b, struct err *e)
{
	struct storage_order order;
	char bytes[UNITS_TEXT];

	printf("site %s: %s\n", b->o->site->name, b->job.run.what);
	for (size_t i = 0; i < b->databases.n; i++)
		printf("  database %s\n", b->databases.v[i]);
	if (b->databases.n)
		printf("  about %s of tables\n", units_bytes(bytes, b->db_bytes));
	for (size_t i = 0; i < b->roots.all.n; i++)
		printf("  files %s\n", b->roots.all.v[i]);
	if (b->roots.all.n)
		printf("  %s of files after the excludes\n", units_bytes(bytes, b->file_bytes));
	config_storage_order(b->o->config, &order);
	for (size_t i = 0; i < order.n; i++) {
		CLEANUP(freep) char *key = NULL;

		if (choose_key(b, order.v[i], b->whole_server ? "DATABASE" : "", &key, e)) {
			list_done(&order);
			return -1;
		}
		printf("  %s storage %s, %s\n", i ? "else" : "to", order.v[i]->name, key);
	}
	if (!order.n)
		puts("  no storage has a weight above 0: the run would fail");
	list_done(&order);
	return 0;
}

int backup_dry_run(const struct backup_opts *o, struct err *e)
{
	CLEANUP(backup_done) struct backup b = {.o = o};

	job_init(&b.job, o->site->name, "");
	b.job.catalogue = o->catalogue;
	if (find_sources(&b, e) || count_files(&b, e) || take_snapshot(&b, e))
		return -1;
	return print_plan(&b, e);
}
