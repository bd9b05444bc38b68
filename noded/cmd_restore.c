/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/cmd.h"
#include "noded/run/account.h"
#include "noded/run/find.h"
#include "noded/run/lock.h"
#include "noded/run/looked.h"
#include "noded/run/restore.h"
#include "noded/run/verify.h"
#include "noded/site.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* felloe-noded restore SITE: a run back into a database and files. */

enum { NAMED_MAX = 5, NAME_MAX_CHARS = 64 };

struct wish {
	const char *site;
	const char *at, *db, *to_db, *to_dir, *from, *definer, *event_mode;
	const char *db_host, *db_user, *db_password_file, *db_defaults;
	struct opt_list files;
	bool in_place, fresh, dry_run, rewrite_bodies, salvage, keep_old, yes, same_names, with_users, json;
	struct restore_events *events; /* with json */
	/* out of --db NAME:TABLE,... */
	char *db_name;
	struct strings tables;
	struct db_access access;
	bool access_given;
};

static void wish_done(struct wish *w)
{
	free(w->db_name);
	strings_done(&w->tables);
	db_access_done(&w->access);
	restore_events_free(w->events);
}

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* "NAME" or "NAME:TABLE,TABLE" */
static int parse_db(struct wish *w, struct err *e)
{
	const char *colon = w->db ? strchr(w->db, ':') : NULL;

	if (!w->db && w->same_names && w->to_db)
		return err_set(e, ERR_USAGE, "--same-names and --to-db contradict each other");
	if (w->keep_old && !w->in_place)
		return err_set(e, ERR_USAGE, "--keep-old needs --in-place: nothing else replaces anything");
	if (w->to_db && (!*w->to_db || characters(w->to_db) > NAME_MAX_CHARS))
		return err_set(e, ERR_USAGE, "--to-db: a name has 1 to %d characters, this one has %zu", NAME_MAX_CHARS,
			       characters(w->to_db));
	if (w->db && w->to_dir && !w->files.n)
		return err_set(e, ERR_USAGE, "--to-dir is for files, and --db alone restores none: add --files PATH (\"/\" is all of them)");
	if (w->files.n && !w->db && (w->to_db || w->same_names || w->in_place || w->with_users))
		return err_set(e, ERR_USAGE, "%s is for databases, and --files alone restores none: add --db NAME",
			       w->to_db ? "--to-db" : w->same_names ? "--same-names" : w->in_place ? "--in-place" : "--with-users");
	if (w->in_place && w->to_db)
		return err_set(e, ERR_USAGE, "--in-place and --to-db contradict each other");
	if (!w->db)
		return 0;
	w->db_name = colon ? xstrndup(w->db, (size_t)(colon - w->db)) : xstrdup(w->db);
	for (const char *p = colon; p; p = strchr(p + 1, ',')) {
		size_t n = strcspn(p + 1, ",");

		if (!n)
			return err_set(e, ERR_USAGE, "--db: \"%s\" has an empty name of a table", w->db);
		*list_push(&w->tables) = xstrndup(p + 1, n);
	}
	if (!*w->db_name)
		return err_set(e, ERR_USAGE, "--db: \"%s\" names no database", w->db);
	if (w->same_names && (w->to_db || w->in_place))
		return err_set(e, ERR_USAGE, "--same-names contradicts --to-db and --in-place");
	return 0;
}

static int parse_account(struct wish *w, struct err *e)
{
	if (!w->db_host && !w->db_user && !w->db_password_file && !w->db_defaults)
		return 0;
	w->access_given = true;
	if (w->db_defaults && (w->db_host || w->db_user || w->db_password_file))
		return err_set(e, ERR_USAGE, "--db-defaults and the other --db-... options contradict each other");
	if (w->db_defaults)
		return account_from_file(&w->access, w->db_defaults, e);
	if (!w->db_user)
		return err_set(e, ERR_USAGE, "--db-host and --db-password-file need --db-user");
	w->access = (struct db_access){.host = xstrdup(w->db_host ? w->db_host : ""), .user = xstrdup(w->db_user),
				       .ssl = xstrdup("prefer"), .ssl_ca = xstrdup("")};
	if (!w->db_password_file)
		w->access.password = xstrdup("");
	else if (fs_read_secret(&w->access.password, w->db_password_file, e))
		return err_wrap(e, "--db-password-file");
	return 0;
}

/* A whole database is replaced: not without a word from somebody. */
static int ask_first(const struct wish *w, const char *site, struct err *e)
{
	char answer[300] = "";

	if (!w->in_place || !w->db_name || w->tables.n || w->yes || w->dry_run)
		return 0;
	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "--in-place replaces the whole database %s: say --yes to do it without a terminal",
			       w->db_name);
	fprintf(stderr, "All of the database %s will be replaced by what a backup of %s holds.\nType its name to go on: ",
		w->db_name, site);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return str_eq(answer, w->db_name) ? 0 : err_set(e, ERR_ABORTED, "that is not its name; nothing was changed");
}

static int parse_words(const struct wish *w, struct err *e)
{
	static const char *const events[] = {"keep", "disable"};
	static const char *const definers[] = {"keep", "invoker"};
	const char *at = strrchr(w->definer, '@');

	if (!str_eq(w->event_mode, "keep") && !str_eq(w->event_mode, "disable"))
		return err_set(e, ERR_USAGE, "--events \"%s\": say keep or disable%s", w->event_mode,
			       str_hint(w->event_mode, events, ARRAY_LEN(events)).text);
	if (!str_eq(w->definer, "keep") && !str_eq(w->definer, "invoker") && (!at || at == w->definer || !at[1]))
		return err_set(e, ERR_USAGE, "--definer \"%s\": say keep, invoker or USER@HOST%s", w->definer,
			       str_hint(w->definer, definers, ARRAY_LEN(definers)).text);
	return 0;
}

static void print_result(const struct wish *w, const struct restore_result *r)
{
	char fetched[UNITS_TEXT], tables[UNITS_COUNT], rows[UNITS_COUNT];

	if (w->json) {
		restore_event_restored(w->events, r);
		return;
	}
	if (*r->db)
		printf("database: %s, %s, %s, %s\n", r->db, units_count(tables, r->tables, "table", "tables"),
		       units_count(rows, r->rows, "row", "rows"),
		       r->lost ? "some not complete" : "all digests agree");
	if (r->lost)
		printf("LOST: %s damaged\n", units_count(rows, r->lost, "member of the archive is", "members of the archive are"));
	if (*r->dir)
		printf("files: %s, %" PRIu64 " restored\n", r->dir, r->files);
	printf("%s: %" PRIu64 " bytes fetched (%s)\n", w->dry_run ? "nothing was changed" : "done", r->fetched,
	       units_bytes(fetched, r->fetched));
	fflush(stdout);
}

/* ---- damage */

/* A run that was found, and what has to be known to write down that it is damaged. */
struct records {
	const struct config *config;
	struct catalogue *catalogue; /* NULL: not asked for, and opened when there is something to write */
	struct job *job;
};

static void records_done(struct records *r)
{
	catalogue_close(r->catalogue);
}

/* Where there are no records none are begun for this: the machine may be there for this one restore. */
static int open_records(struct records *r, struct err *e)
{
	if (!r->catalogue && catalogue_is_there())
		return catalogue_open(&r->catalogue, e);
	return 0;
}

static int write_down(struct records *r, const struct found_archive *a, const char *what, struct wire_runs *runs,
		      struct catalogue_seen *seen, struct err *e)
{
	/* a look that is less deep does not take it back */
	const struct catalogue_look look = {.storage = a->storage, .key = a->key, .depth = VERIFY_MEMBERS, .at = clock_ms(),
					    .damage = what, .once = true};
	struct looked l = {r->config, r->catalogue, r->job, seen->run, true};

	if (catalogue_look(r->catalogue, &look, seen, e))
		return -1;
	l.changed = seen->changed;
	return looked_report(&l, runs, e);
}

/* A restore has met damage: as after a verification the run is not green any more. */
static void on_damage(void *ctx, const struct found_archive *a, const char *what)
{
	CLEANUP(runs_done) struct wire_runs runs = {0};
	struct catalogue_seen seen = {0};
	struct records *r = ctx;
	struct err e;

	if (open_records(r, &e) || (r->catalogue && write_down(r, a, what, &runs, &seen, &e)))
		job_warn(r->job, "that %s is damaged could not be written down: %s", a->key, e.msg);
	else if (seen.changed && runs.n)
		job_warn(r->job, "run %.8s of %s is %s now (%s): no restore takes it unless it is named with --at %.8s; felloe-noded verify "
			 "%s --run %.8s --members looks again", runs.v[0].uuid, runs.v[0].site, run_state_name(runs.v[0].state), what,
			 runs.v[0].uuid, runs.v[0].site, runs.v[0].uuid);
}

/* It cannot be opened. A connection that breaks at the wrong moment may look like it: it has to be so twice. */
static void on_unopened(struct records *r, const struct found_archive *a, const struct err *why)
{
	struct opened opened;
	struct err again;

	if (why->kind != ERR_DAMAGED)
		return;
	if (opened_open(&opened, r->config, a, &again) && again.kind == ERR_DAMAGED)
		on_damage(r, a, again.msg);
	opened_close(&opened);
}

/* ---- what is wanted */

/* What an archive of the run holds, and what of it is wanted. */
struct part {
	char database[256];     /* "" none */
	bool has_files;
	bool db, files;         /* wanted */
	bool unreadable;        /* with salvage: whoever restores it says why */
};
struct parts { LIST_OF(struct part); };

static int look_into(struct records *r, const struct wish *w, const struct found_archive *a, struct part *p, struct err *e)
{
	const struct config *c = r->config;
	struct opened opened;
	const struct site *s = config_site(c, w->site);
	const struct salvage_opts o = {.site = w->site, .db = w->db_name ? w->db_name : s ? s->db_name : ""};
	int rc = w->salvage ? opened_salvage(&opened, c, a, &o, e) : opened_open(&opened, c, a, e);

	if (rc && !w->salvage) {
		on_unopened(r, a, e);
		restore_hint(a->run, e);
	}
	if (rc == 0) {
		str_cut(p->database, sizeof(p->database), opened_db(&opened));
		p->has_files = json_type(json_get(opened.manifest, "files")) == JSON_OBJECT;
		p->db = *p->database && (w->db_name ? str_eq(w->db_name, p->database) : !w->files.n);
		p->files = p->has_files && (w->files.n || !w->db_name);
	}
	opened_close(&opened);
	p->unreadable = rc && w->salvage;
	return w->salvage ? 0 : rc;
}

static void name_databases(const struct parts *parts, const char *before, struct buf *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < parts->n; i++)
		if (*parts->v[i].database && n++ < NAMED_MAX)
			buf_addf(b, "%s%s", n == 1 ? before : ", ", parts->v[i].database);
	if (n > NAMED_MAX)
		buf_addf(b, " and %u more", n - NAMED_MAX);
}

/* The database asked for is not there. */
static int no_database(const struct wish *w, const struct found_archives *found, const struct parts *parts, struct err *e)
{
	CLEANUP(buf_done) struct buf has;
	const char *names[256], *nearest;
	size_t n = 0;

	buf_init(&has, 8 << 10);
	for (size_t i = 0; i < parts->n && n < ARRAY_LEN(names); i++)
		if (*parts->v[i].database)
			names[n++] = parts->v[i].database;
	nearest = str_nearest(w->db_name, names, n);
	if (nearest)
		return err_set(e, ERR_NOTFOUND, "run %.8s of site %s has no database \"%s\"; did you mean \"%s\"?", found->v[0].run, w->site,
			       w->db_name, nearest);
	name_databases(parts, "it has ", &has);
	return err_set(e, ERR_NOTFOUND, "run %.8s of site %s has no database \"%s\"; %s", found->v[0].run, w->site, w->db_name,
		       has.len ? has.p : "it has files only: leave --db out");
}

/* All of the databases at once would have to be swapped one after the other: when one fails, or the machine does, those
 * that are back already must not be replaced again. So each is a command of its own. */
static int one_by_one(const struct wish *w, const struct found_archives *found, const struct parts *parts, struct err *e)
{
	const char *run = *found->v[0].run ? found->v[0].run : found->v[0].key;
	/* without these the command would replace what is on another server */
	const struct { const char *option, *value; } with[] = {{"from", w->from}, {"db-host", w->db_host}, {"db-user", w->db_user},
							       {"db-password-file", w->db_password_file},
							       {"db-defaults", w->db_defaults}};
	CLEANUP(buf_done) struct buf more;

	buf_init(&more, 16 << 10);
	buf_adds(&more, "");
	for (size_t i = 0; i < ARRAY_LEN(with); i++)
		if (with[i].value)
			buf_addf(&more, " --%s %s", with[i].option, with[i].value);
	for (size_t i = 0; i < parts->n; i++)
		if (*parts->v[i].database)
			log_info("%s: felloe-noded restore %s --at %s --db %s --in-place%s%s", w->site, w->site, run,
				 parts->v[i].database, w->keep_old ? " --keep-old" : "", more.p);
	return err_set(e, ERR_USAGE, "--in-place replaces one database at a time: give the commands above one after the other, or only "
		       "those for what is wanted");
}

/* Options that ask for what the run does not have, or for more than there is room for. */
static int check_parts(const struct wish *w, const struct found_archives *found, const struct parts *parts, struct err *e)
{
	unsigned dbs = 0, files = 0, has_db = 0, has_files = 0;

	for (size_t i = 0; i < parts->n; i++) {
		if (parts->v[i].unreadable)
			return 0; /* nobody knows */
		dbs += parts->v[i].db;
		files += parts->v[i].files;
		has_db += *parts->v[i].database != '\0';
		has_files += parts->v[i].has_files;
	}
	if (w->db_name && !dbs)
		return no_database(w, found, parts, e);
	if ((w->files.n || w->to_dir) && !has_files)
		return err_set(e, ERR_NOTFOUND, "run %.8s of site %s has no files: leave %s out", found->v[0].run, w->site,
			       w->files.n ? "--files" : "--to-dir");
	if ((w->to_db || w->same_names || w->in_place) && !has_db)
		return err_set(e, ERR_NOTFOUND, "run %.8s of site %s has no database: leave %s out", found->v[0].run, w->site,
			       w->to_db ? "--to-db" : w->same_names ? "--same-names" : "--in-place");
	if (w->in_place && !w->db_name)
		return one_by_one(w, found, parts, e);
	if (w->to_db && dbs > 1)
		return err_set(e, ERR_USAGE, "the run has %u databases, --to-db is the name for one: choose with --db NAME, or leave "
			       "--to-db out", dbs);
	return dbs + files ? 0 : err_set(e, ERR_NOTFOUND, "run %.8s of site %s has nothing to restore", found->v[0].run, w->site);
}

static int survey(struct records *r, const struct wish *w, const struct found_archives *found, struct parts *parts, struct err *e)
{
	for (size_t i = 0; i < found->n; i++) {
		struct part *p = list_push(parts);

		*p = (struct part){0};
		if (look_into(r, w, &found->v[i], p, e))
			return -1;
	}
	return check_parts(w, found, parts, e);
}

/* A run that was found. */
struct all {
	const struct found_archives *found;
	struct parts parts;      /* of each */
};

static int restore_all(struct records *records, const struct wish *w, const struct all *all, struct err *e)
{
	const struct found_archives *found = all->found;
	const struct config *c = records->config;
	struct job *job = records->job;
	struct restore_opts o = {.config = c, .site = config_site(c, job->run.site), .job = job, .events = w->events, .tables = w->tables,
				 .to_db = w->to_db, .to_dir = w->to_dir, .in_place = w->in_place,
				 .access = w->access_given ? &w->access : NULL, .definer = w->definer,
				 .events_disable = str_eq(w->event_mode, "disable"), .rewrite_bodies = w->rewrite_bodies,
				 .keep_old = w->keep_old, .same_names = w->same_names, .with_users = w->with_users, .fresh = w->fresh, .dry_run = w->dry_run, .salvage = w->salvage,
				 .db_name = w->db_name, .damaged = on_damage, .damaged_ctx = records};
	struct restore_result result;
	int rc = 0;

	for (size_t i = 0; i < w->files.n; i++)
		strings_add(&o.paths, w->files.v[i]);
	for (size_t i = 0; i < found->n && rc == 0; i++) {
		o.db = all->parts.v[i].db || (all->parts.v[i].unreadable && !w->files.n);
		o.files = all->parts.v[i].files || (all->parts.v[i].unreadable && w->files.n);
		if (!o.db && !o.files)
			continue;
		restore_event_archive(w->events, found->v[i].run, found->v[i].storage, found->v[i].key);
		rc = restore_archive(&o, &found->v[i], &result, e);
		if (rc == 0) {
			progress_clear(job->bar);
			print_result(w, &result);
		}
	}
	strings_done(&o.paths);
	return rc;
}

/* --db-user without --db-host: on the site's server, as it is spoken to there. */
static int site_host(const struct config *c, struct wish *w, struct err *e)
{
	CLEANUP(freep) char *db_name = NULL;
	const struct site *s = config_site(c, w->site);
	struct db_access site = {0};

	if (!w->db_user || w->db_host || !s)
		return 0;
	if (site_db(&site, &db_name, s, e))
		return -1;
	db_access_done(&(struct db_access){.host = TAKE(w->access.host), .ssl = TAKE(w->access.ssl), .ssl_ca = TAKE(w->access.ssl_ca)});
	w->access.host = TAKE(site.host);
	w->access.ssl = TAKE(site.ssl);
	w->access.ssl_ca = TAKE(site.ssl_ca);
	db_access_done(&site);
	return 0;
}

static int restore_site(const struct config *c, const struct wish *w, unsigned *warnings, struct err *e)
{
	CLEANUP(job_done) struct job job;
	CLEANUP(records_done) struct records records = {.config = c, .job = &job};
	CLEANUP(lock_releasep) struct lock *lock = NULL;
	struct find_opts find = {.config = c, .site = w->site, .at = w->at ? w->at : "latest", .from = w->from,
				 .salvage = w->salvage};
	struct lock_opts hold = {.site = w->site, .parts = LOCK_RESTORE, .stop = daemon_stopping};
	struct found_archives found = {0};
	struct all all = {.found = &found};
	int rc;

	job_init(&job, w->site, w->files.n && w->db_name ? "db+files" : w->files.n ? "files" : w->db_name ? "db" : "db+files");
	hold.uuid = job.run.uuid;
	/* without --from the records are asked; with it nothing but the storage is needed */
	if ((!w->from && catalogue_open(&records.catalogue, e)) || lock_take(&lock, &hold, e))
		return -1;
	find.catalogue = records.catalogue;
	job.bar = progress_new(&job.progress, false);
	if (w->json) {
		job.told = restore_events_line;
		job.told_ctx = w->events;
		progress_follow(job.bar, restore_events_progress, w->events);
	}
	rc = find_run(&find, &found, e);
	if (rc && !w->salvage)
		restore_hint("", e);
	if (rc == 0) {
		restore_events_mute(w->events, true); /* there is an event for each */
		job_say(&job, "from %s, %s", found.v[0].storage, found.v[0].key);
		restore_events_mute(w->events, false);
		find_tell_newer(&find, &found);
		rc = survey(&records, w, &found, &all.parts, e) || restore_all(&records, w, &all, e) ? -1 : 0;
	}
	list_done(&found);
	list_done(&all.parts);
	progress_free(TAKE(job.bar));
	*warnings = job.warnings;
	return rc;
}

static int prepare(struct wish *w, struct cmd *c, struct err *e)
{
	if (!w->site)
		return err_set(e, ERR_USAGE, "restore wants the name of one site");
	return parse_words(w, e) || parse_db(w, e) || parse_account(w, e) || cmd_config(c, e) || ask_first(w, w->site, e) ||
	       site_host(c->config, w, e) ? -1 : 0;
}

int cmd_restore(int argc, char **argv)
{
	CLEANUP(wish_done) struct wish w = {.definer = "keep", .event_mode = "keep"};
	CLEANUP(cmd_done) struct cmd c = {0};
	const struct opt opts[] = {
		{.name = "at", .type = OPT_STR, .to = &w.at, .arg = "WHEN",
		 .help = "\"latest\" (default), the id of a run, or a time in UTC: the last good run not after it."},
		{.name = "db", .type = OPT_STR, .to = &w.db, .arg = "NAME[:TABLE,...]",
		 .help = "This database, or only these tables of it."},
		{.name = "files", .type = OPT_LIST, .to = &w.files, .arg = "PATH",
		 .help = "This file or directory, as it was called on the server; may be repeated. \"/\" is all files."},
		{.name = "to-db", .type = OPT_STR, .to = &w.to_db, .arg = "NAME",
		 .help = "Load into this new schema (default: NAME_restored_TIME)."},
		{.name = "same-names", .type = OPT_FLAG, .to = &w.same_names,
		 .help = "Databases get the names that they had; none of them may be there."},
		{.name = "with-users", .type = OPT_FLAG, .to = &w.with_users,
		 .help = "Restore accounts, roles and grants too; accounts that are there keep their passwords."},
		{.name = "to-dir", .type = OPT_STR, .to = &w.to_dir, .arg = "DIR",
		 .help = "Unpack into this new directory (default: ./SITE-restored-TIME)."},
		{.name = "in-place", .type = OPT_FLAG, .to = &w.in_place,
		 .help = "With --db: load aside, compare, then put the tables, or all of it, in the place of those in NAME."},
		{.name = "keep-old", .type = OPT_FLAG, .to = &w.keep_old,
		 .help = "With --in-place: keep what was replaced, in NAME_felloe_old_RUN."},
		{.name = "yes", .type = OPT_FLAG, .to = &w.yes,
		 .help = "Do not ask before a whole database is replaced."},
		{.name = "from", .type = OPT_STR, .to = &w.from, .arg = "STORAGE",
		 .help = "Search this storage; the records of this node are not needed."},
		{.name = "salvage", .type = OPT_FLAG, .to = &w.salvage,
		 .help = "Restore what is left of a damaged archive, and name what is lost; ends with 3."},
		{.name = "fresh", .type = OPT_FLAG, .to = &w.fresh,
		 .help = "Drop what an unfinished restore of the same left, instead of going on with it."},
		{.name = "dry-run", .type = OPT_FLAG, .to = &w.dry_run, .help = "Look at everything, change nothing."},
		{.name = "definer", .type = OPT_STR, .to = &w.definer, .arg = "WHO",
		 .help = "DEFINER of views and programs: \"keep\" (default), \"invoker\" or USER@HOST."},
		{.name = "events", .type = OPT_STR, .to = &w.event_mode, .arg = "WHAT",
		 .help = "\"keep\" (default): as they were, so that they run in the copy too; \"disable\"."},
		{.name = "rewrite-bodies", .type = OPT_FLAG, .to = &w.rewrite_bodies,
		 .help = "Change the database's name in triggers, routines and events too, not only in views and tables."},
		{.name = "db-host", .type = OPT_STR, .to = &w.db_host, .arg = "HOST",
		 .help = "Server to restore to: host, host:port or host:/socket (default: that of the site)."},
		{.name = "db-user", .type = OPT_STR, .to = &w.db_user, .arg = "USER", .help = "Account to restore with."},
		{.name = "db-password-file", .type = OPT_STR, .to = &w.db_password_file, .arg = "FILE",
		 .help = "Its password is the first line of FILE."},
		{.name = "db-defaults", .type = OPT_STR, .to = &w.db_defaults, .arg = "FILE",
		 .help = "Host, user and password from the group [client] of this option file."},
		{.name = "json", .type = OPT_FLAG, .to = &w.json,
		 .help = "Tell what happens as lines of JSON: obstacles, progress, tables, the result."},
		CMD_OPTS(c),
		{0},
	};
	unsigned warnings = 0;
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	daemon_signals();
	w.events = w.json ? restore_events_new() : NULL;
	w.site = n == 1 ? argv[1] : NULL;
	rc = prepare(&w, &c, &e) || restore_site(c.config, &w, &warnings, &e);
	restore_event_end(w.events, w.dry_run, warnings, rc ? &e : NULL);
	return rc ? cmd_fail(&e) : warnings ? 3 : 0;
}
