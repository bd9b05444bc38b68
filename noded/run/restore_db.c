/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/daemon.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static bool is_rows(const char *member)
{
	return str_starts(member, "db/20-data/");
}

static void show(struct restore *r)
{
	r->o->job->progress.bytes_done = (int64_t)(r->done + (r->crew ? crew_bytes(r->crew) : 0));
	progress_tick(r->o->job->bar);
}

/* Asked by whoever waits for the loaders. */
static bool stop_loading(void *ctx)
{
	show(ctx);
	return daemon_stopping();
}

/* All rows are there before anything uses them, and all tables before their rows. */
static int finish_rows(struct restore *r, struct err *e)
{
	if (!r->crew)
		return 0;
	if (crew_wait(r->crew, e))
		return -1;
	r->done += crew_bytes(r->crew);
	crew_close(TAKE(r->crew));
	return 0;
}

static int begin_rows(struct restore *r, const struct tar_entry *entry, struct err *e)
{
	const struct load_opts load = {.access = &r->access, .db = r->target_db};
	const struct crew_opts o = {.load = &load, .loaders = (unsigned)r->o->config->mysql_connections,
				    .stop = stop_loading, .ctx = r};

	if (!r->crew && crew_open(&r->crew, &o, e))
		return -1;
	return crew_begin(r->crew, entry->name, entry->size, e);
}

static int sql_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct restore *r = ctx;

	free(r->member);
	r->member = xstrdup(entry->name);
	r->skip = false;
	str_cut(r->o->job->progress.item, sizeof(r->o->job->progress.item), entry->name);
	return is_rows(r->member) ? begin_rows(r, entry, e) : finish_rows(r, e);
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

	if (is_rows(r->member))
		return crew_write(r->crew, p, n, e);
	r->done += n;
	return !r->skip && load_feed(r->load, r->member, p, n, e) ? forgive_view(r, e) : 0;
}

static int sql_end(void *ctx, struct err *e)
{
	struct restore *r = ctx;

	if (is_rows(r->member))
		return crew_end(r->crew, e);
	return !r->skip && load_end(r->load, e) ? forgive_view(r, e) : 0;
}

/* What was read of it is not to be trusted. */
static void sql_fail(void *ctx)
{
	struct restore *r = ctx;
	struct err ignored;

	if (is_rows(r->member))
		crew_fail(r->crew);
	else if (load_abandon(r->load, &ignored))
		return; /* the next statement meets it */
}

/* Every table loaded against what was counted when it was dumped. */
static int check_tables(struct restore *r, struct err *e)
{
	unsigned wrong = 0;

	for (const struct json *t = json_first(restore_manifest_tables(r)); t; t = json_next(t)) {
		const char *name = json_get_str(t, "name", "");
		int64_t expected = json_get_int(t, "rows", 0);
		uint8_t digest[16], loaded[16];
		uint64_t rows;

		if (!restore_table_wanted(r, name) || !json_get_bool(t, "data", true))
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

static void on_fetched(void *ctx, uint64_t fetched)
{
	struct restore *r = ctx;

	r->o->job->progress.bytes_stored = (int64_t)fetched;
	show(r);
}

static int load_members(struct restore *r, const struct prefixes *p, struct err *e)
{
	const struct tar_sink sink = {.begin = sql_begin, .write = sql_write, .end = sql_end, .fail = sql_fail, .ctx = r};
	const struct archive_read_opts o = {.prefixes = (const char *const *)p->v, .n_prefixes = p->n,
					    .progress = on_fetched, .stop = restore_stopping, .ctx = r};
	struct archive_read_result result;

	if (archive_read(r->opened.reader, &o, &sink, &result, e) || finish_rows(r, e))
		return -1;
	r->out->bytes += result.bytes;
	return 0;
}

static struct strings trigger_names(const struct restore *r, struct prefixes *names)
{
	restore_add_triggers(r, "name", names);
	return (struct strings){.v = names->v, .n = names->n};
}

int restore_can_swap(const struct restore *r, struct err *e)
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

	restore_add_triggers(r, "member", &p);
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

int restore_database(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};

	restore_database_prefixes(r, &p);
	if (restore_open_load(r, true, e))
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
