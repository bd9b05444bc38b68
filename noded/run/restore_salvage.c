/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* An archive of which something is damaged. Without salvage: refused, with the
 * list of what is lost. With it: the losses of the database are known before
 * anything is loaded, so that no row comes without its table. */

enum { NAMED_MAX = 200 };

static const char tables_dir[] = "db/10-schema/2-tables/", rows_dir[] = "db/20-data/";

/* ---- what is lost */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Index of the first that is not less. */
static size_t place_of(const struct restore *r, const char *name)
{
	size_t low = 0, high = r->lost.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(r->lost.v[mid], name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_lost(const struct restore *r, const char *name)
{
	size_t at = place_of(r, name);

	return at < r->lost.n && str_eq(r->lost.v[at], name);
}

static void say_lost(struct restore *r, const char *member, const char *why)
{
	r->db_lost = r->db_lost || str_starts(member, "db/");
	restore_event_lost(r->o->events, member, why);
	restore_events_mute(r->o->events, true);
	if (r->out->lost++ < NAMED_MAX)
		job_warn(r->o->job, "lost: %s: %s", member, why);
	else
		r->o->job->warnings++;
	restore_events_mute(r->o->events, false);
}

void restore_note_damage(struct restore *r, const char *member, const char *why)
{
	if (*r->damage)
		return;
	snprintf(r->damage, sizeof(r->damage), "%.100s%s%.130s", member, *member ? ": " : "", why);
	str_clean(r->damage);
}

void restore_on_lost(void *ctx, const char *member, const char *why)
{
	restore_note_damage(ctx, member, why);
	say_lost(ctx, member, why);
}

void restore_lose(struct restore *r, const char *member, const char *why)
{
	if (has_lost(r, member))
		return;
	say_lost(r, member, why);
	strings_add(&r->lost, member);
	qsort(r->lost.v, r->lost.n, sizeof(*r->lost.v), by_text);
}

/* In the order in which they are told; sorted at the end. */
static void keep_lost(void *ctx, const char *member, const char *why)
{
	struct restore *r = ctx;

	restore_note_damage(r, member, why);
	say_lost(r, member, why);
	strings_add(&r->lost, member);
}

static char *definition_of(const char *table)
{
	CLEANUP(buf_done) struct buf name;

	buf_init(&name, 4096);
	member_name(&name, table);
	return xasprintf("%s%s.sql", tables_dir, name.p);
}

enum table_state restore_table_state(const struct restore *r, const char *name)
{
	CLEANUP(freep) char *definition = definition_of(name);
	CLEANUP(freep) char *rows = xasprintf("%s%.*s.", rows_dir,
					      (int)(strlen(definition) - strlen(tables_dir) - strlen(".sql")),
					      definition + strlen(tables_dir));
	size_t at = place_of(r, rows);

	if (has_lost(r, definition))
		return TABLE_LOST;
	return at < r->lost.n && str_starts(r->lost.v[at], rows) ? TABLE_PARTLY : TABLE_WHOLE;
}

bool restore_salvages(const struct restore *r)
{
	return r->o->salvage && !r->o->in_place;
}

bool restore_is_lost(const struct restore *r, const char *member)
{
	CLEANUP(freep) char *definition = NULL;
	const char *table = member + strlen(rows_dir);

	if (!r->lost.n)
		return false;
	if (has_lost(r, member) || !str_starts(member, rows_dir))
		return has_lost(r, member);
	/* "db/20-data/TABLE.00001.sql"; a dot of the name itself is written %2E */
	definition = xasprintf("%s%.*s.sql", tables_dir, (int)strcspn(table, "."), table);
	return has_lost(r, definition);
}

/* ---- reading all of it */

static void show_fetched(void *ctx, uint64_t fetched)
{
	struct restore *r = ctx;

	r->o->job->progress.bytes_stored = (int64_t)fetched;
	progress_tick(r->o->job->bar);
}

static int read_all(struct restore *r, const struct strings *p, void (*damaged)(void *, const char *, const char *),
		    struct err *e)
{
	const struct archive_read_opts o = {.prefixes = (const char *const *)p->v, .n_prefixes = p->n, .damaged = damaged,
					    .progress = show_fetched, .stop = restore_stopping, .ctx = r};
	struct archive_read_result result;

	return archive_read(r->opened.reader, &o, NULL, &result, e);
}

/* Triggers and views would fail for want of their table, or fire on the wrong one. */
static void lose_triggers(struct restore *r)
{
	const struct facts *f = &r->opened.facts;

	for (size_t i = 0; i < f->triggers.n; i++)
		if (restore_table_state(r, f->triggers.v[i].table) == TABLE_LOST)
			restore_lose(r, f->triggers.v[i].member, "the definition of its table is lost");
}

static bool all_lost(const struct restore *r)
{
	bool any = false;

	for (size_t i = 0; i < r->opened.facts.tables.n; i++) {
		const char *name = r->opened.facts.tables.v[i].name;

		if (!restore_table_wanted(r, name))
			continue;
		any = true;
		if (restore_table_state(r, name) != TABLE_LOST)
			return false;
	}
	return any;
}

int restore_find_losses(struct restore *r, struct err *e)
{
	CLEANUP(strings_done) struct strings p = {0};
	char count[UNITS_COUNT];

	restore_database_prefixes(r, &p);
	job_say(r->o->job, "reading all that is wanted once, to know what of it is damaged");
	if (read_all(r, &p, keep_lost, e))
		return -1;
	if (r->lost.n)
		qsort(r->lost.v, r->lost.n, sizeof(*r->lost.v), by_text);
	lose_triggers(r);
	if (all_lost(r))
		return err_set(e, ERR_DAMAGED, "the definition of each table that is wanted is lost: nothing can be restored of %s",
			       r->source_db);
	if (r->o->in_place && r->lost.n)
		return err_set(e, ERR_DAMAGED, "%s of these tables %s lost (named above): they do not take the place of what is "
			       "there; without --in-place what is left of them is restored beside it",
			       units_count(count, r->lost.n, "member", "members"), r->lost.n == 1 ? "is" : "are");
	return 0;
}

/* ---- refused */

static int name_losses(struct restore *r, struct err *e)
{
	CLEANUP(strings_done) struct strings p = {0};

	if (r->o->db)
		restore_database_prefixes(r, &p);
	if (r->o->files && restore_files_prefixes(r, &p, e))
		return -1;
	r->out->lost = 0;
	return read_all(r, &p, restore_on_lost, e);
}

#define NAME_RUN sizeof("--at 12345678 ")

/* The run is suspect from here on: a restore that does not name it takes an older one. */
static void name_run(char name[static NAME_RUN], const char *run)
{
	*name = '\0';
	if (*run)
		(void)snprintf(name, NAME_RUN, "--at %.8s ", run);
}

static int refuse(struct restore *r, struct err *e)
{
	char count[UNITS_COUNT], name[NAME_RUN];

	name_run(name, json_get_str(r->opened.manifest, "run", ""));
	/* a schema that was named holds what was begun without */
	return err_set(e, ERR_DAMAGED, "%s of the archive %s damaged (named above); %s--salvage%s restores all the others%s",
		       units_count(count, r->out->lost, "member", "members"), r->out->lost == 1 ? "is" : "are", name,
		       r->o->to_db && *r->out->db ? " --fresh" : "", r->o->in_place ? ", beside what is there" : "");
}

void restore_explain(struct restore *r, struct err *e)
{
	struct err why;

	if (e->kind != ERR_DAMAGED || r->o->salvage || r->out->lost || !r->opened.reader)
		return;
	if (r->rows && restore_rows_agree(r, NULL))
		return; /* each member was whole, and rows are others: the archive is not to blame */
	job_say(r->o->job, "%s; reading the rest, to name what is damaged", e->msg);
	if (name_losses(r, &why) || !r->out->lost)
		return; /* it was something else */
	(void)!refuse(r, e);
	if (*r->out->db && r->db_lost)
		err_prefix(e, "`%s` is not complete", r->out->db);
}

int restore_refuse_cut(struct restore *r, struct err *e)
{
	char has[UNITS_TEXT], had[UNITS_TEXT];

	if (!r->opened.cut_from)
		return 0;
	job_warn(r->o->job, "the archive is cut short: %s of %s are there", units_bytes(has, r->opened.size),
		 units_bytes(had, r->opened.cut_from));
	if (r->o->salvage)
		return 0;
	if (name_losses(r, e))
		return -1;
	return r->out->lost ? refuse(r, e) : 0;
}

void restore_hint(const char *run, struct err *e)
{
	const struct err why = *e;
	char name[NAME_RUN];

	name_run(name, run);
	if (why.kind == ERR_DAMAGED)
		(void)!err_set(e, why.kind, "%.400s; %s--salvage restores what is left", why.msg, name);
}

/* ---- opening */

/* Which database it is, when nothing in the archive says so any more. */
static const char *likely_db(const struct restore *r)
{
	const struct site *s = r->o->site;

	if (r->o->db_name)
		return r->o->db_name;
	return s && *s->db_name && !str_eq(s->db_name, "*") ? s->db_name : r->o->job->run.site;
}

static void say_state(struct restore *r)
{
	const struct archive_scan_result *s = &r->opened.scan;
	char lost[UNITS_TEXT];

	if (r->opened.index_damage || r->opened.manifest_damage)
		restore_note_damage(r, "", r->opened.index_damage ? r->opened.index_damage : r->opened.manifest_damage);
	if (r->opened.index_damage)
		job_warn(r->o->job, "the index of the archive is lost (%s): %" PRIu64 " whole members were found by going through all "
			 "of it, %" PRIu64 " places (%s) could not be read; %s", r->opened.index_damage, s->members, s->places,
			 units_bytes(lost, s->lost), s->indexed ? "index.jsonl was found as well and names what is lost" :
			 "members of which nothing is left are not known, and only the checksums of frames prove the others");
	if (r->opened.manifest_damage)
		job_warn(r->o->job, "the manifest is lost (%s): rows are loaded, and not compared with what was dumped",
			 r->opened.manifest_damage);
}

int restore_open_archive(struct restore *r, const struct found_archive *a, struct err *e)
{
	const struct salvage_opts o = {.site = r->o->job->run.site, .db = likely_db(r),
				       .scan = {.progress = show_fetched, .stop = restore_stopping, .ctx = r}};

	if (!r->o->salvage) {
		if (opened_open(&r->opened, r->o->config, a, e) == 0)
			return 0;
		restore_hint(a->run, e);
		return -1;
	}
	if (opened_salvage(&r->opened, r->o->config, a, &o, e)) {
		if (e->kind == ERR_DAMAGED)
			restore_note_damage(r, "", e->msg);
		return -1;
	}
	say_state(r);
	return 0;
}
