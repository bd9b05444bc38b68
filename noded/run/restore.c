/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "noded/files/extract.h"
#include "noded/mysql/load.h"
#include "noded/mysql/server.h"
#include "noded/mysql/sqltext.h"
#include "noded/site.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

struct restore {
	const struct restore_opts *o;
	struct restore_result *out;
	struct opened opened;
	char *source_db;            /* in the archive, "" none */
	char *target_db;            /* where it is loaded */
	char *target_dir;
	struct db_access access;    /* in use */
	bool access_ours;
	char identity[512], socket[108]; /* of the server that it reaches, "" not known */
	struct load *load;
	char *member;               /* being loaded */
	bool skip;                  /* the rest of it */
	char tag[16];               /* beginning of the run's id */
	uint64_t wanted;            /* bytes of the frames to fetch, about */
};

static void restore_done(struct restore *r)
{
	load_close(r->load);
	opened_close(&r->opened);
	if (r->access_ours)
		db_access_done(&r->access);
	free(r->source_db);
	free(r->target_db);
	free(r->target_dir);
	free(r->member);
}

static bool stopping(void *ctx)
{
	(void)ctx;
	return daemon_stopping();
}

static void on_progress(void *ctx, uint64_t fetched)
{
	struct restore *r = ctx;

	r->o->job->progress.bytes_done = r->o->job->progress.bytes_stored = (int64_t)fetched;
	progress_tick(r->o->job->bar);
}

/* ---- what to read */

struct prefixes {
	LIST_OF(char *);
};

static void prefixes_done(struct prefixes *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	list_done(p);
}

static void add_table(struct prefixes *p, const char *table)
{
	CLEANUP(buf_done) struct buf name = {0};

	buf_init(&name, 4096);
	member_name(&name, table);
	*list_push(p) = xasprintf("db/10-schema/1-sequences/%s.sql", name.p);
	*list_push(p) = xasprintf("db/10-schema/2-tables/%s.sql", name.p);
	*list_push(p) = xasprintf("db/20-data/%s.*", name.p);
}

static bool table_wanted(const struct restore *r, const char *name)
{
	for (size_t i = 0; i < r->o->tables.n; i++)
		if (str_eq(r->o->tables.v[i], name))
			return true;
	return !r->o->tables.n;
}

/* The triggers of the tables asked for: a field of each, "name" or "member". */
static void add_triggers(const struct restore *r, const char *field, struct prefixes *p)
{
	const struct json *list = json_get(json_get(r->opened.manifest, "database"), "triggers_of");

	for (const struct json *t = json_first(list); t; t = json_next(t))
		if (table_wanted(r, json_get_str(t, "table", "")))
			*list_push(p) = xstrdup(json_get_str(t, field, ""));
}

static void database_prefixes(const struct restore *r, struct prefixes *p)
{
	if (!r->o->tables.n) {
		*list_push(p) = xstrdup("db/*");
		return;
	}
	for (size_t i = 0; i < r->o->tables.n; i++)
		add_table(p, r->o->tables.v[i]);
	add_triggers(r, "member", p);
}

static int files_prefixes(const struct restore *r, struct prefixes *p, struct err *e)
{
	if (!r->o->paths.n)
		*list_push(p) = xstrdup("files/*");
	for (size_t i = 0; i < r->o->paths.n; i++) {
		const char *path = r->o->paths.v[i];
		size_t n = strlen(path);

		if (*path != '/')
			return err_set(e, ERR_USAGE, "--files: \"%s\" must begin with \"/\": paths are as they were on the server",
				       path);
		while (n > 1 && path[n - 1] == '/')
			n--;
		*list_push(p) = n > 1 ? xasprintf("files/%.*s", (int)(n - 1), path + 1) : xstrdup("files/*");
	}
	return 0;
}

struct sum {
	uint64_t members, bytes, stored, last_at;
	const char *prefix;   /* looked for; with '*' at its end, or a name that may be a directory's */
};

static bool fits(const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	return prefix[n - 1] == '*' || name[n] == '\0' || name[n] == '/';
}

static int add_entry(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct sum *s = ctx;

	(void)e;
	if (!fits(s->prefix, entry->name))
		return 0;
	s->members++;
	s->bytes += entry->size;
	if (!s->stored || entry->at != s->last_at)
		s->stored += entry->len;
	s->last_at = entry->at;
	return 0;
}

/* How many members and bytes the prefixes stand for. With all set each of them
 * has to stand for something. */
static int measure(struct restore *r, const struct prefixes *p, bool all, struct sum *ret, struct err *e)
{
	*ret = (struct sum){0};
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->v[i]);
		CLEANUP(freep) char *prefix = xstrndup(p->v[i], n - (p->v[i][n - 1] == '*'));
		uint64_t before = ret->members;

		ret->prefix = p->v[i];
		if (archive_list(r->opened.reader, prefix, add_entry, ret, e))
			return -1;
		if (all && ret->members == before)
			return err_set(e, ERR_NOTFOUND, "%s holds nothing of %s", r->opened.key, p->v[i] + strlen("files"));
	}
	return 0;
}

/* ---- accounts */

static bool local_host(const char *host)
{
	return !*host || *host == '/' || str_starts(host, "localhost") || str_starts(host, "127.0.0.1") ||
	       str_starts(host, "[::1]");
}

/* Whoever restores as root on the machine of the server needs no password: the
 * usual server trusts its socket. */
static void use_root(struct restore *r)
{
	char *host = xstrdup(strchr(r->access.host, '/') ? r->access.host : r->socket);

	db_access_done(&r->access);
	r->access = (struct db_access){.host = host, .user = xstrdup("root"), .password = xstrdup(""),
				       .ssl = xstrdup("off"), .ssl_ca = xstrdup("")};
}

static int choose_access(struct restore *r, struct err *e)
{
	char *db_name = NULL;

	if (r->access_ours)
		return 0; /* looked at twice */
	if (r->o->access) {
		r->access = *r->o->access;
		return 0;
	}
	if (!r->o->site)
		return err_set(e, ERR_USAGE, "the site is not in the configuration: say with --db-host, --db-user and "
			       "--db-password-file where to restore the database");
	r->access_ours = true;
	if (site_db(&r->access, &db_name, r->o->site, e))
		return -1;
	free(db_name);
	return 0;
}

static bool root_at_hand(const struct restore *r)
{
	return r->access_ours && geteuid() == 0 && !str_eq(r->access.user, "root") && local_host(r->access.host);
}

static bool root_may_help(const struct restore *r, const struct err *e)
{
	return (e->kind == ERR_DENIED || e->kind == ERR_FORBIDDEN) && root_at_hand(r);
}

static int look(struct restore *r, struct server_facts *facts, struct err *e)
{
	if (server_look(&r->access, r->target_db, facts, e) == 0) {
		str_cut(r->identity, sizeof(r->identity), facts->identity);
		str_cut(r->socket, sizeof(r->socket), facts->socket);
		return 0;
	}
	if (!root_may_help(r, e))
		return -1;
	job_say(r->o->job, "%s; trying root over the socket", e->msg);
	use_root(r);
	return server_look(&r->access, r->target_db, facts, e);
}

/* A port of this machine may lead into a container: what listens on the path of
 * its socket here is another server then. */
static int same_server(struct restore *r, struct err *e)
{
	struct server_facts facts;

	if (server_look(&r->access, "", &facts, e))
		return -1;
	if (*r->identity && !str_eq(facts.identity, r->identity))
		return err_set(e, ERR_DENIED, "root over the socket is not the way: another server (%s) than the site's (%s) "
			       "listens there; give an account with --db-host, --db-user and --db-password-file",
			       facts.identity, r->identity);
	return 0;
}

static int open_load(struct restore *r, bool create, struct err *e)
{
	const struct load_opts o = {.access = &r->access, .db = r->target_db, .create = create, .definer = r->o->definer};

	if (load_open(&r->load, &o, e) == 0)
		return 0;
	if (!root_may_help(r, e))
		return -1;
	job_say(r->o->job, "%s; trying root over the socket", e->msg);
	use_root(r);
	return same_server(r, e) || load_open(&r->load, &o, e) ? -1 : 0;
}

/* ---- the database */

static int sql_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct restore *r = ctx;

	(void)e;
	free(r->member);
	r->member = xstrdup(entry->name);
	r->skip = false;
	str_cut(r->o->job->progress.item, sizeof(r->o->job->progress.item), entry->name);
	return 0;
}

/* A view may refer to a schema that is not here, or to a table that was left out:
 * all the rest is worth more than this view. */
static int forgive_view(struct restore *r, struct err *e)
{
	if (!str_starts(r->member, "db/30-post/5-views/") || !load_skip(r->load))
		return -1;
	job_warn(r->o->job, "a view is not restored: %s", e->msg);
	r->skip = true;
	return 0;
}

static int sql_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct restore *r = ctx;

	r->out->bytes += n;
	return !r->skip && load_feed(r->load, r->member, p, n, e) ? forgive_view(r, e) : 0;
}

static int sql_end(void *ctx, struct err *e)
{
	struct restore *r = ctx;

	return !r->skip && load_end(r->load, e) ? forgive_view(r, e) : 0;
}

static const struct json *manifest_tables(const struct restore *r)
{
	return json_get(json_get(r->opened.manifest, "database"), "tables");
}

static int tables_known(const struct restore *r, struct err *e)
{
	const char *names[256], *nearest;
	size_t n = 0;

	for (const struct json *t = json_first(manifest_tables(r)); t && n < ARRAY_LEN(names); t = json_next(t))
		names[n++] = json_get_str(t, "name", "");
	for (size_t i = 0; i < r->o->tables.n; i++) {
		bool found = false;

		for (const struct json *t = json_first(manifest_tables(r)); t; t = json_next(t))
			found = found || str_eq(json_get_str(t, "name", ""), r->o->tables.v[i]);
		nearest = found ? NULL : str_nearest(r->o->tables.v[i], names, n);
		if (!found)
			return err_set(e, ERR_NOTFOUND, "the archive has no table \"%s\" in database %s%s%s%s", r->o->tables.v[i],
				       r->source_db, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
				       nearest ? "\"?" : "");
	}
	return 0;
}

/* Every table loaded against what was counted when it was dumped. */
static int check_tables(struct restore *r, struct err *e)
{
	unsigned wrong = 0;

	for (const struct json *t = json_first(manifest_tables(r)); t; t = json_next(t)) {
		const char *name = json_get_str(t, "name", "");
		int64_t expected = json_get_int(t, "rows", 0);
		uint8_t digest[16], loaded[16];
		uint64_t rows;

		if (!table_wanted(r, name) || !json_get_bool(t, "data", true))
			continue;
		if (hex_decode(digest, sizeof(digest), json_get_str(t, "digest", "")))
			return err_set(e, ERR_DAMAGED, "the manifest has no digest of table %s", name);
		if (load_check(r->load, name, json_get_str(t, "select", "*"), &rows, loaded, e))
			return -1;
		r->out->tables++;
		r->out->rows += rows;
		if (rows == (uint64_t)expected && memcmp(digest, loaded, sizeof(digest)) == 0) {
			job_say(r->o->job, "table %s: %" PRIu64 " rows, digest agrees", name, rows);
			continue;
		}
		wrong++;
		job_warn(r->o->job, "table %s: %" PRIu64 " rows (%" PRId64 " were dumped), %s", name, rows, expected,
			 rows == (uint64_t)expected ? "other content than was dumped" : "rows are missing or too many");
	}
	if (wrong)
		return err_set(e, ERR_DAMAGED, "%u tables are not what was dumped; the copy is in `%s`", wrong, r->target_db);
	return 0;
}

static int load_members(struct restore *r, const struct prefixes *p, struct err *e)
{
	const struct tar_sink sink = {.begin = sql_begin, .write = sql_write, .end = sql_end, .ctx = r};
	const struct archive_read_opts o = {.prefixes = (const char *const *)p->v, .n_prefixes = p->n,
					    .progress = on_progress, .stop = stopping, .ctx = r};
	struct archive_read_result result;

	return archive_read(r->opened.reader, &o, &sink, &result, e);
}

static struct strings trigger_names(const struct restore *r, struct prefixes *names)
{
	add_triggers(r, "name", names);
	return (struct strings){.v = names->v, .n = names->n};
}

static int can_swap(const struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes names = {0};
	struct strings triggers = trigger_names(r, &names);
	const struct swap s = {r->target_db, r->source_db, &r->o->tables, &triggers, r->tag};

	return server_can_swap(&r->access, &s, e);
}

/* They were proved in the copy, but only tables without triggers move. */
static int load_triggers(struct restore *r, struct err *e)
{
	const struct load_opts o = {.access = &r->access, .db = r->source_db, .definer = r->o->definer};
	CLEANUP(prefixes_done) struct prefixes p = {0};

	add_triggers(r, "member", &p);
	if (!p.n)
		return 0;
	if (load_open(&r->load, &o, e) || load_members(r, &p, e))
		return err_wrap(e, "the tables are in place in `%s`, their triggers are not (db/30-post/4-triggers in the archive)",
				r->source_db);
	load_close(TAKE(r->load));
	job_say(r->o->job, "%zu triggers are in place in `%s`", p.n, r->source_db);
	return 0;
}

/* The tables of the copy become those of the site's database. */
static int swap(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes names = {0};
	struct strings triggers = trigger_names(r, &names);
	const struct swap s = {r->target_db, r->source_db, &r->o->tables, &triggers, r->tag};

	load_close(TAKE(r->load));
	if (server_can_swap(&r->access, &s, e) || server_swap(&r->access, &s, e))
		return err_wrap(e, "the copy in `%s` is complete and stays there", r->target_db);
	str_cut(r->out->db, sizeof(r->out->db), r->source_db);
	job_say(r->o->job, "the tables are in place in `%s`", r->source_db);
	if (load_triggers(r, e))
		return -1;
	return server_drop_schema(&r->access, r->target_db, e);
}

static int restore_database(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};

	database_prefixes(r, &p);
	if (open_load(r, true, e))
		return -1;
	str_cut(r->out->db, sizeof(r->out->db), r->target_db);
	job_say(r->o->job, "loading into `%s`", r->target_db);
	if (load_members(r, &p, e))
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	if (load_redefined(r->load))
		job_warn(r->o->job, "%u views and programs now have the restoring account as their DEFINER: theirs is not on this "
			 "server, or may not be set", load_redefined(r->load));
	if (check_tables(r, e))
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	return r->o->in_place ? swap(r, e) : 0;
}

/* ---- files */

static void extract_note(void *ctx, const char *path, const char *why)
{
	struct restore *r = ctx;

	job_warn(r->o->job, "%s: %s", path, why);
}

static int restore_files(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	CLEANUP(extract_freep) struct extract *x = NULL;
	const struct extract_opts xo = {.dir = r->target_dir, .strip = "files/", .note = extract_note, .ctx = r};
	struct archive_read_opts o = {.progress = on_progress, .stop = stopping, .ctx = r};
	struct archive_read_result read;
	struct extract_result result;

	if (files_prefixes(r, &p, e))
		return -1;
	o.prefixes = (const char *const *)p.v;
	o.n_prefixes = p.n;
	if (extract_new(&x, &xo, e))
		return -1;
	str_cut(r->out->dir, sizeof(r->out->dir), r->target_dir);
	job_say(r->o->job, "unpacking into %s", r->target_dir);
	if (archive_read(r->opened.reader, &o, extract_sink(x), &read, e) || extract_finish(x, &result, e))
		return err_wrap(e, "files into %s", r->target_dir);
	r->out->files += result.members;
	r->out->bytes += result.bytes;
	return 0;
}

/* ---- pre-flight */

static int look_at_database(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	const struct json *db = json_get(r->opened.manifest, "database");
	struct server_facts facts;
	struct sum sum;

	if (!*r->source_db)
		return err_set(e, ERR_NOTFOUND, "%s holds no database", r->opened.key);
	if (tables_known(r, e) || choose_access(r, e) || look(r, &facts, e))
		return -1;
	/* what speaks against a swap already now: nothing is loaded for it then */
	if (r->o->in_place && can_swap(r, e))
		return -1;
	database_prefixes(r, &p);
	if (measure(r, &p, false, &sum, e))
		return -1;
	r->wanted += sum.stored;
	if (facts.there)
		return err_set(e, ERR_CONFLICT, "the schema `%s` exists on the server (%" PRId64 " tables): name another one with "
			       "--to-db, or drop it", r->target_db, facts.tables);
	if (!r->o->dry_run)
		return 0;
	job_say(r->o->job, "database %s (%" PRIu64 " members, %" PRIu64 " bytes of SQL) would be loaded into `%s` as %s%s",
		r->source_db, sum.members, sum.bytes, r->target_db, facts.account,
		root_at_hand(r) ? ", or as root over the socket where it may not" : "");
	job_say(r->o->job, "dumped from %s, server here is %s", json_get_str(db, "server_version", "?"), facts.version);
	if (json_get_int(db, "events", 0) && facts.events_on)
		job_warn(r->o->job, "%" PRId64 " events would run in the copy too: the event scheduler of the server is on",
			 json_get_int(db, "events", 0));
	return 0;
}

static int look_at_files(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};
	CLEANUP(freep) char *parent = xstrdup(r->target_dir);
	char need[UNITS_TEXT], have[UNITS_TEXT];
	struct statvfs fs;
	struct sum sum;
	char *slash;

	if (files_prefixes(r, &p, e) || measure(r, &p, true, &sum, e))
		return -1;
	r->wanted += sum.stored;
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	if (statvfs(slash ? parent : ".", &fs))
		return err_sys(e, ERR_IO, "look at %s", slash ? parent : ".");
	if (sum.bytes > (uint64_t)fs.f_bavail * fs.f_frsize)
		return err_set(e, ERR_SPACE, "%s: the files need %s, %s are free", r->target_dir, units_bytes(need, sum.bytes),
			       units_bytes(have, (uint64_t)fs.f_bavail * fs.f_frsize));
	if (r->o->dry_run)
		job_say(r->o->job, "%" PRIu64 " files (%s) would be unpacked into %s", sum.members, units_bytes(need, sum.bytes),
			r->target_dir);
	return 0;
}

static void choose_targets(struct restore *r)
{
	char stamp[32];

	str_cut(r->tag, sizeof(r->tag), r->o->job->run.uuid);
	r->tag[strcspn(r->tag, "-")] = '\0';
	clock_format(stamp, sizeof(stamp), "%Y%m%d%H%M%S", clock_ms());
	if (r->o->in_place)
		r->target_db = xasprintf("felloe_scratch_%s_%s", stamp, r->tag);
	else if (r->o->to_db)
		r->target_db = xstrdup(r->o->to_db);
	else
		r->target_db = xasprintf("%.40s_restored_%s", r->source_db, stamp);
	if (r->o->to_dir)
		r->target_dir = xstrdup(r->o->to_dir);
	else
		r->target_dir = xasprintf("./%s-restored-%s", json_get_str(r->opened.manifest, "site", "site"), stamp);
}

static int preflight(struct restore *r, struct err *e)
{
	r->wanted = 0;
	return (r->o->db && look_at_database(r, e)) || (r->o->files && look_at_files(r, e)) ? -1 : 0;
}

/* Will it fit, may we, is nothing in the way? */
static int look_first(struct restore *r, struct err *e)
{
	struct err why;

	if (preflight(r, e)) {
		if (!r->opened.sidecar || e->kind != ERR_DAMAGED)
			return -1;
		why = *e;
		if (opened_leave_sidecar(&r->opened, why.msg, e) || preflight(r, e))
			return -1;
	}
	if (r->opened.sidecar_damage)
		job_warn(r->o->job, "the sidecar is damaged, the index in the archive is used: %s", r->opened.sidecar_damage);
	return 0;
}

int restore_archive(const struct restore_opts *o, const struct found_archive *a, struct restore_result *ret,
		    struct err *e)
{
	CLEANUP(restore_done) struct restore r = {.o = o, .out = ret};

	*ret = (struct restore_result){0};
	/* What is in the archive? */
	job_phase(o->job, "plan");
	if (opened_open(&r.opened, o->config, a, e))
		return -1;
	r.source_db = xstrdup(opened_db(&r.opened));
	choose_targets(&r);
	if (look_first(&r, e))
		return -1;
	o->job->progress.bytes_total = (int64_t)r.wanted;
	/* Load, unpack, compare. */
	job_phase(o->job, "restore");
	if (!o->dry_run && ((o->db && restore_database(&r, e)) || (o->files && restore_files(&r, e))))
		return -1;
	ret->fetched = r.opened.fetched;
	return 0;
}
