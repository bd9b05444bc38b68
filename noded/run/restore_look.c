/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* Everything that stands in the way, line by line; the first one's kind. */
static int refuse(struct restore *r, const struct obstacles *list, struct err *e)
{
	restore_events_mute(r->o->events, true);
	for (size_t i = 0; i < list->n; i++) {
		restore_event_obstacle(r->o->events, list->v[i].kind, list->v[i].text);
		if (list->n > 1)
			job_say(r->o->job, "in the way: %s", list->v[i].text);
	}
	restore_events_mute(r->o->events, false);
	if (list->n == 1)
		return err_set(e, list->v[0].kind, "%s", list->v[0].text);
	return list->n ? err_set(e, list->v[0].kind, "%zu things are in the way of restoring `%s`, each is named above; nothing was "
				 "changed", list->n, r->source_db) : 0;
}

/* The largest thing among the rows that are wanted; archives of earlier versions do not tell. */
static void find_longest(const struct restore *r, struct preflight *p)
{
	for (size_t i = 0; i < r->opened.facts.tables.n; i++) {
		const struct fact_table *t = &r->opened.facts.tables.v[i];

		if (t->longest <= (int64_t)p->longest || !restore_table_wanted(r, t->name))
			continue;
		p->longest = (uint64_t)t->longest;
		p->longest_in = t->name;
	}
}

/* Can and may it be loaded? As root, where only root may. */
static int look_at_server(struct restore *r, const struct sum *sum, struct obstacles *obstacles, struct err *e)
{
	struct preflight p = {.access = &r->access, .bytes = sum->bytes, .local = restore_local(r),
			      .users = r->o->with_users, .in_place = r->o->in_place,
			      .schemas = {r->target_db, r->o->in_place ? r->source_db : NULL, r->o->in_place ? r->old_db : NULL}};
	CLEANUP(buf_done) struct buf rights = {0};
	CLEANUP(obstacles_done) struct obstacles found = {0};
	CLEANUP(freep) char *why = NULL;

	find_longest(r, &p);
	buf_init(&rights, 4096);
	if (preflight_server(&p, &r->needs, &found, &rights, e))
		return -1;
	if (rights.len)
		why = xasprintf("%s may not %s", r->access.user, rights.p);
	if (why && restore_become_root(r, why))
		return look_at_server(r, sum, obstacles, e);
	for (size_t i = 0; i < found.n; i++)
		obstacle_add(obstacles, found.v[i].kind, "%s", found.v[i].text);
	if (why)
		obstacle_add(obstacles, ERR_FORBIDDEN, "%s: grant that, or give another account with --db-defaults or --db-user", why);
	return 0;
}

static void tell_plan(struct restore *r, const struct sum *sum, const struct server_facts *facts)
{
	const struct json *db = json_get(r->opened.manifest, "database");

	if (!r->o->dry_run)
		return;
	job_say(r->o->job, "database %s (%" PRIu64 " members, %" PRIu64 " bytes of SQL) would be loaded into `%s` as %s",
		r->source_db, sum->members, sum->bytes, r->target_db, facts->account);
	job_say(r->o->job, "dumped from %s, server here is %s", json_get_str(db, "server_version", "?"), facts->version);
}

/* What to do depends on whose the schema is. */
static void add_there(const struct restore *r, const struct server_facts *facts, struct obstacles *obstacles)
{
	static const char *const own[] = {"mysql", "information_schema", "performance_schema", "sys"};
	char tables[UNITS_COUNT];

	units_count(tables, (uint64_t)facts->tables, "table", "tables");
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_ieq(r->target_db, own[i])) {
			obstacle_add(obstacles, ERR_CONFLICT, "the schema `%s` is the server's own: name another one with --to-db",
				     r->target_db);
			return;
		}
	if (str_eq(r->target_db, r->source_db))
		obstacle_add(obstacles, ERR_CONFLICT, "the schema `%s` exists on the server (%s): --db %s --in-place replaces it by the "
			     "backup, --to-db NAME restores beside it", r->target_db, tables, r->source_db);
	else
		obstacle_add(obstacles, ERR_CONFLICT, "the schema `%s` exists on the server (%s): name another one with --to-db, or "
			     "drop it", r->target_db, tables);
}

int restore_look_at_database(struct restore *r, struct err *e)
{
	CLEANUP(obstacles_done) struct obstacles obstacles = {0};
	CLEANUP(strings_done) struct strings p = {0};
	struct server_facts facts;
	struct sum sum;

	if (!*r->source_db)
		return err_set(e, ERR_NOTFOUND, "%s holds no database", r->opened.key);
	if (restore_choose_tables(r, e) || restore_choose_access(r, e) || restore_look_server(r, &facts, e) ||
	    restore_find_unfinished(r, e))
		return -1;
	if (restore_scan(r, e))
		return -1;
	restore_database_prefixes(r, &p);
	if (restore_measure(r, &p, false, &sum, e))
		return -1;
	r->wanted += sum.bytes;
	/* whoever it is now may see an unfinished one that the site's account could not */
	if (restore_look_at_users(r, &obstacles, e) || look_at_server(r, &sum, &obstacles, e) || restore_find_unfinished(r, e) || restore_look_server(r, &facts, e) ||
	    /* what speaks against a swap already now: nothing is loaded for it then */
	    (r->o->in_place && restore_look_at_place(r, &obstacles, e)))
		return -1;
	if (facts.there && !r->o->in_place && !r->resumed && !r->made && !restore_will_drop(r, r->target_db))
		add_there(r, &facts, &obstacles);
	restore_event_plan(r->o->events, &(struct restore_plan){"database", r->source_db, r->target_db, sum.members, sum.bytes});
	tell_plan(r, &sum, &facts);
	if (refuse(r, &obstacles, e))
		return -1;
	restore_tell_changes(r, facts.events_on);
	return 0;
}

int restore_look_at_files(struct restore *r, struct err *e)
{
	CLEANUP(strings_done) struct strings p = {0};
	CLEANUP(freep) char *parent = NULL;
	char need[UNITS_TEXT], have[UNITS_TEXT];
	struct statvfs fs;
	struct sum sum;
	char *slash;

	if (restore_unpacked_look(r, e) || restore_files_prefixes(r, &p, e) || restore_measure(r, &p, true, &sum, e))
		return -1;
	r->wanted += sum.bytes;
	parent = xstrdup(r->target_dir);
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	if (statvfs(slash ? parent : ".", &fs) && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "--to-dir: there is no directory %s: make it first, or give another one", parent);
	if (statvfs(slash ? parent : ".", &fs))
		return err_sys(e, ERR_IO, "look at %s", slash ? parent : ".");
	if (!r->unpacking && sum.bytes > (uint64_t)fs.f_bavail * fs.f_frsize)
		return err_set(e, ERR_SPACE, "%s: the files need %s, %s are free", r->target_dir, units_bytes(need, sum.bytes),
			       units_bytes(have, (uint64_t)fs.f_bavail * fs.f_frsize));
	restore_event_plan(r->o->events, &(struct restore_plan){"files", NULL, r->target_dir, sum.members, sum.bytes});
	if (r->o->dry_run && r->unpacking)
		job_say(r->o->job, "this would go on with the unfinished restore in %s%s", r->target_dir,
			r->unpacked ? ", in which all files are" : "");
	else if (r->o->dry_run)
		job_say(r->o->job, "%" PRIu64 " files (%s) would be unpacked into %s", sum.members, units_bytes(need, sum.bytes),
			r->target_dir);
	return 0;
}
