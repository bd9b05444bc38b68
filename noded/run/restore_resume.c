/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/journal.h"
#include "noded/run/restore_priv.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/mem.h"
#include "shared/str.h"

/* A restore that was cut off is found again by the journal in its schema, and the
 * same command goes on with it. */

enum { LOCKS = 17, LOCK_WAIT_S = 60, SETTINGS_MAX = 16 << 20 };

/* What two commands must have in common to be the same. */
static int settings(const struct restore *r, struct buf *b, struct err *e)
{
	const struct restore_opts *o = r->o;
	struct json_out j;

	json_out_init(&j, b);
	json_obj(&j, NULL);
	json_put_str(&j, "database", r->source_db);
	json_arr(&j, "tables");
	for (size_t i = 0; i < o->tables.n; i++)
		json_put_str(&j, NULL, o->tables.v[i]);
	json_end_arr(&j);
	json_put_bool(&j, "in_place", o->in_place);
	json_put_str(&j, "to_db", str_or(o->to_db, ""));
	json_put_str(&j, "definer", o->definer);
	json_put_bool(&j, "events_disable", o->events_disable);
	json_put_bool(&j, "rewrite_bodies", o->rewrite_bodies);
	json_put_bool(&j, "salvage", o->salvage);
	if (o->same_names) /* what was begun without it goes on as before */
		json_put_bool(&j, "same_names", true);
	json_end_obj(&j);
	return buf_check(b, "the settings of a restore", e);
}

static char *archive_name(const struct restore *r)
{
	return xasprintf("%s %s", r->opened.key, json_get_str(r->opened.manifest, "run", ""));
}

static void take_over(struct restore *r, const struct journal_head *h)
{
	char when[CLOCK_TEXT];

	free(r->target_db);
	r->target_db = xstrdup(h->schema);
	str_cut(r->tag, sizeof(r->tag), h->tag);
	r->begun = h->begun;
	r->loaded = h->members;
	r->resumed = true;
	if (!r->o->dry_run)
		return;
	clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", h->begun);
	job_say(r->o->job, "this would go on with the unfinished restore in `%s`, begun at %s UTC: %" PRId64 " members of rows are "
		"loaded", h->schema, when, h->members);
}

/* Not here: only the account that restores in the end may do it. */
static void drop_later(struct restore *r, const struct journal_head *h)
{
	char when[CLOCK_TEXT];

	for (size_t i = 0; i < r->drop.n; i++)
		if (str_eq(r->drop.v[i], h->schema))
			return; /* looked at twice */
	clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", h->begun);
	job_say(r->o->job, "--fresh: the unfinished restore in `%s`, begun at %s UTC, %s dropped", h->schema, when,
		r->o->dry_run ? "would be" : "is");
	strings_add(&r->drop, h->schema);
}

bool restore_will_drop(const struct restore *r, const char *schema)
{
	for (size_t i = 0; i < r->drop.n; i++)
		if (str_eq(r->drop.v[i], schema))
			return true;
	return false;
}

int restore_drop_unfinished(struct restore *r, struct err *e)
{
	for (size_t i = 0; i < r->drop.n; i++)
		if (server_drop_schema(&r->access, r->drop.v[i], e))
			return err_wrap(e, "dropping the unfinished restore in `%s`", r->drop.v[i]);
	return 0;
}

static void tell_other(struct restore *r, const struct journal_head *h, bool same, bool as_before)
{
	char when[CLOCK_TEXT];

	clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", h->begun);
	if (same)
		job_say(r->o->job, "an unfinished restore of this archive with other options lies in `%s`, begun at %s UTC", h->schema,
			when);
	else if (as_before) /* "latest" is a younger run by now */
		job_say(r->o->job, "an unfinished restore of another run lies in `%s`, begun at %s UTC: --at%s goes on with it",
			h->schema, when, h->archive + strcspn(h->archive, " "));
}

static int consider(struct restore *r, const struct journal_head *h, const char *wanted, struct err *e)
{
	CLEANUP(freep) char *archive = archive_name(r);
	bool same = str_eq(h->archive, archive), as_before = str_eq(h->settings, wanted);
	char when[CLOCK_TEXT];

	clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", h->begun);
	if (same && as_before) {
		if (r->o->fresh)
			drop_later(r, h);
		else if (!r->resumed)
			take_over(r, h);
		return 0;
	}
	if (r->o->to_db) {
		if (r->o->fresh) {
			drop_later(r, h);
			return 0;
		}
		return err_set(e, ERR_CONFLICT, "`%s` holds a restore %s, begun at %s UTC and not finished (archive %.*s): give the "
			       "same %s to go on with it, --fresh to drop it and start anew, or another --to-db", h->schema,
			       same ? "with other options" : "of another archive", when, (int)strcspn(h->archive, " "), h->archive,
			       same ? "options" : "archive with --at");
	}
	if (r->o->in_place && str_eq(h->schema, r->target_db))
		r->begun_otherwise = true;
	if (!r->looked) /* they are looked at twice */
		tell_other(r, h, same, as_before);
	return 0;
}

static void set_label(struct restore *r, const char *wanted)
{
	CLEANUP(freep) char *archive = archive_name(r);
	CLEANUP(freep) char *all = xasprintf("%s\n%s", archive, wanted);
	uint8_t digest[SHA256_LEN];

	sha256(digest, all, strlen(all));
	hex_encode(r->label, digest, sizeof(digest));
}

/* One that was made for this, or of that name for whatever it was: nothing is in it that could be lost. */
static int find_made(struct restore *r, struct err *e)
{
	struct strings made = {0};
	const char *db = r->o->to_db;

	if (r->resumed || r->o->in_place)
		return 0; /* in place it is dropped and made again */
	if (journal_find_made(&made, &r->access, db, db ? NULL : r->label, e))
		return -1;
	r->made = made.n > 0;
	if (r->made && !db) {
		free(r->target_db);
		r->target_db = xstrdup(made.v[0]);
	}
	strings_done(&made);
	if (r->made && !r->looked)
		job_say(r->o->job, "`%s` was made by a restore that was cut off before it loaded anything: it %s used", r->target_db,
			r->o->dry_run ? "would be" : "is");
	return 0;
}

int restore_find_unfinished(struct restore *r, struct err *e)
{
	CLEANUP(journal_heads_done) struct journal_heads heads = {0};
	CLEANUP(buf_done) struct buf wanted = {0};

	buf_init(&wanted, SETTINGS_MAX);
	if (r->resumed)
		return 0;
	if (settings(r, &wanted, e) || journal_find(&heads, &r->access, r->o->in_place ? NULL : r->o->to_db, e))
		return -1;
	set_label(r, wanted.p);
	for (size_t i = 0; i < heads.n; i++)
		if (consider(r, &heads.v[i], wanted.p, e))
			return -1;
	if (find_made(r, e))
		return -1;
	r->looked = true;
	return 0;
}

/* Nobody else loads here. After a kill the server may still be at the last statement of the dead. */
static int lock(struct restore *r, unsigned n, struct err *e)
{
	for (unsigned tries = 0;; tries++) {
		if (journal_lock(load_conn(r->load), r->target_db, n, 1, e) == 0)
			return 0;
		if (e->kind != ERR_LOCKED || tries == LOCK_WAIT_S)
			return -1;
		if (tries == 0)
			job_say(r->o->job, "waiting: %s", e->msg);
		if (progress_stop())
			return err_set(e, ERR_ABORTED, "stopped on request");
	}
}

static int lock_all(struct restore *r, struct err *e)
{
	if (lock(r, 0, e))
		return -1;
	for (unsigned n = 1; r->resumed && n < LOCKS; n++)
		if (lock(r, n, e) || journal_unlock(load_conn(r->load), r->target_db, n, e))
			return -1;
	return 0;
}

/* A table of the dump may be called as the journal. */
static bool name_is_free(const struct restore *r)
{
	for (size_t i = 0; i < r->opened.facts.tables.n; i++)
		if (str_ieq(r->opened.facts.tables.v[i].name, JOURNAL_TABLE))
			return false;
	return true;
}

/* Since it was made, or looked at, another restore may have begun in it. */
static int still_empty(struct restore *r, struct err *e)
{
	bool empty;

	if (r->resumed)
		return 0;
	if (journal_empty(load_conn(r->load), &empty, e))
		return -1;
	return empty ? 0 : err_set(e, ERR_CONFLICT, "`%s` is not empty any more: another restore, or somebody, has put something there "
				   "since it was made for this one", r->target_db);
}

static int make_journal(struct restore *r, struct err *e)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(freep) char *archive = archive_name(r);
	struct journal_head h = {.archive = archive, .tag = r->tag, .begun = clock_ms()};

	buf_init(&text, SETTINGS_MAX);
	if (settings(r, &text, e))
		return -1;
	h.settings = text.p;
	return journal_create(load_conn(r->load), &h, e);
}

int restore_journal_begin(struct restore *r, struct err *e)
{
	char when[CLOCK_TEXT];

	if (lock_all(r, e) || still_empty(r, e))
		return -1;
	/* what is lost of a damaged archive is not written down: it begins anew */
	r->journal = !r->o->salvage && name_is_free(r);
	if (r->o->salvage)
		job_say(r->o->job, "with --salvage: should this restore be cut off, it begins anew");
	else if (!r->journal)
		job_say(r->o->job, "the database has a table `" JOURNAL_TABLE "`: should this restore be cut off, it cannot be resumed");
	if (r->journal && !r->resumed && make_journal(r, e))
		return -1;
	if (journal_unmark(load_conn(r->load), e))
		return -1;
	if (!r->resumed)
		return 0;
	clock_format(when, sizeof(when), "%Y-%m-%d %H:%M:%S", r->begun);
	if (restore_rows_resume(r, e))
		return -1;
	job_say(r->o->job, "resuming the restore begun at %s UTC into `%s`: %" PRId64 " of %" PRIu64 " members of rows are loaded", when,
		r->target_db, r->loaded, restore_rows_members(r));
	return 0;
}

int restore_journal_end(struct restore *r, struct err *e)
{
	if (!r->journal)
		return 0;
	r->journal = false;
	return journal_drop(load_conn(r->load), e);
}
