/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* In place: what was loaded aside takes the place of what is in use. */

static void warn(void *ctx, const char *text)
{
	struct restore *r = ctx;

	job_warn(r->o->job, "%s", text);
}

/* What a swap is told; the names of the triggers are kept until place_done. */
struct place {
	struct strings names;
	struct strings triggers;
	struct swap swap;
};

static void place_done(struct place *p)
{
	strings_done(&p->names);
}

static void place_init(struct place *p, struct restore *r)
{
	*p = (struct place){0};
	restore_add_triggers(r, false, &p->names);
	p->triggers = (struct strings){.v = p->names.v, .n = p->names.n};
	p->swap = (struct swap){.access = &r->access, .scratch = r->target_db, .db = r->source_db, .old = r->old_db,
				.whole = !r->tables.n, .tables = &r->tables, .triggers = &p->triggers, .warn = warn, .ctx = r};
}

/* Tables that the archive does not have are not lost: they stay in the old schema, which stays for them. */
static int look_for_surplus(struct restore *r, const struct swap *s, struct err *e)
{
	struct strings archive = {0}, surplus = {0};
	char count[UNITS_COUNT];
	int rc;

	for (size_t i = 0; i < r->opened.facts.tables.n; i++)
		strings_add(&archive, r->opened.facts.tables.v[i].name);
	rc = swap_surplus(s, &archive, &surplus, e);
	for (size_t i = 0; rc == 0 && i < surplus.n; i++)
		job_say(r->o->job, "table `%s` is not in the archive: it %s to `%s`", surplus.v[i],
			r->o->dry_run ? "would go" : "goes", r->old_db);
	if (rc == 0 && surplus.n) {
		r->keep_old = true;
		job_warn(r->o->job, "%s of `%s` %s not in the archive; `%s` is kept for %s",
			 units_count(count, surplus.n, "table", "tables"), r->source_db, surplus.n == 1 ? "is" : "are", r->old_db,
			 surplus.n == 1 ? "it" : "them");
	}
	strings_done(&archive);
	strings_done(&surplus);
	return rc;
}

/* Those on single routines: the server takes them away with the routine. */
static int look_for_rights(struct restore *r, const struct swap *s, struct err *e)
{
	bool lost;

	if (swap_rights_lost(s, &lost, e))
		return -1;
	if (lost)
		job_warn(r->o->job, "rights on single routines of `%s` (GRANT EXECUTE ON FUNCTION ...) %s lost, if there are any: %s may not "
			 "read them (GRANT SELECT ON mysql.procs_priv)", s->db, r->o->dry_run ? "would be" : "are",
			 r->access.user ? r->access.user : "the account");
	return 0;
}

int restore_look_at_place(struct restore *r, struct obstacles *obstacles, struct err *e)
{
	CLEANUP(place_done) struct place p = {0};

	place_init(&p, r);
	r->keep_old = r->o->keep_old;
	if (swap_look(&p.swap, &r->swap_state, e))
		return -1;
	switch (r->swap_state) {
	case SWAP_KEPT:
		obstacle_add(obstacles, ERR_CONFLICT, "the schema `%s` is there: an earlier restore of this run kept in it what it had "
			     "replaced; look at it and drop it", r->old_db);
		return 0;
	case SWAP_BEGUN:
		if (r->begun_otherwise) {
			obstacle_add(obstacles, ERR_CONFLICT, "an earlier restore of this run with other options was interrupted while it put "
				     "`%s` in its place: give that command again first, or views and programs are lost", r->target_db);
			return 0;
		}
		job_say(r->o->job, "an earlier restore of this run was interrupted: the copy in `%s` is complete, its swap goes on",
			r->target_db);
		return look_for_surplus(r, &p.swap, e); /* they may have moved */
	default:
		break;
	}
	return swap_can(&p.swap, e) || look_for_surplus(r, &p.swap, e) || look_for_rights(r, &p.swap, e) ? -1 : 0;
}

int restore_place_clear(struct restore *r, struct err *e)
{
	CLEANUP(place_done) struct place p = {0};

	if (!r->o->in_place || r->swap_state != SWAP_LOADING || r->resumed)
		return 0;
	place_init(&p, r);
	job_say(r->o->job, "`%s` was left by a restore that did not end: it is dropped and loaded again", r->target_db);
	return swap_finish(&p.swap, true, e);
}

static int made_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct restore *r = ctx;

	(void)e;
	free(r->member);
	r->member = xstrdup(entry->name);
	r->skip = false;
	return 0;
}

static int forgive(struct restore *r, struct err *e)
{
	if (!str_starts(r->member, "db/30-post/5-views/") || !load_skip(r->load))
		return -1;
	job_warn(r->o->job, "a view is not restored: %s", e->msg);
	r->skip = true;
	return 0;
}

static int made_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct restore *r = ctx;

	return !r->skip && load_feed(r->load, r->member, p, n, e) ? forgive(r, e) : 0;
}

static int made_end(void *ctx, struct err *e)
{
	struct restore *r = ctx;

	return !r->skip && load_end(r->load, e) ? forgive(r, e) : 0;
}

static void made_fail(void *ctx)
{
	(void)ctx;
}

/* Views and programs belong to a schema by name: they do not move, they are made again. */
static int make_programs(struct restore *r, const struct swap *s, struct err *e)
{
	const struct tar_sink sink = {.begin = made_begin, .write = made_write, .end = made_end, .fail = made_fail, .ctx = r};
	const struct load_opts load = {.access = &r->access, .db = r->source_db, .definer = "keep", .rewrite = restore_change,
				       .rewrite_ctx = r};
	struct archive_read_opts o = {.stop = restore_stopping, .ctx = r};
	CLEANUP(strings_done) struct strings p = {0};

	if (s->whole) {
		strings_add(&p, "db/00-header.sql");
		strings_add(&p, "db/10-schema/3-view-placeholders/*");
		strings_add(&p, "db/30-post/*");
	} else {
		restore_add_triggers(r, true, &p);
	}
	o.prefixes = (const char *const *)p.v;
	o.n_prefixes = p.n;
	if (!p.n)
		return 0;
	if ((s->whole && swap_clear(s, e)) || load_open(&r->load, &load, e) ||
	    archive_read(r->opened.reader, &o, &sink, NULL, e))
		return -1;
	load_close(TAKE(r->load));
	return 0;
}

int restore_place(struct restore *r, struct err *e)
{
	CLEANUP(place_done) struct place p = {0};
	char count[UNITS_COUNT];

	place_init(&p, r);
	load_close(TAKE(r->load));
	r->journal = false; /* it stays in the copy, and goes with it */
	/* From here to the end each step can be done again: whoever was killed goes on in SWAP_BEGUN. */
	if (r->swap_state != SWAP_BEGUN && (swap_can(&p.swap, e) || swap_prepare(&p.swap, e)))
		return err_wrap(e, "the copy in `%s` is complete and stays there", r->target_db);
	if (swap_keep_rights(&p.swap, e))
		return err_wrap(e, "rights on the routines of `%s` are not written down, so these are not replaced: the same command goes on "
				"when that is mended", r->source_db);
	if (swap_tables(&p.swap, e))
		return err_wrap(e, "`%s` is as it was, the copy in `%s` is complete: the same command goes on with it", r->source_db,
				r->target_db);
	str_cut(r->out->db, sizeof(r->out->db), r->source_db);
	job_say(r->o->job, "the tables are in place in `%s`", r->source_db);
	if (swap_repair(&p.swap, e) || make_programs(r, &p.swap, e) || swap_give_rights(&p.swap, e))
		return err_wrap(e, "the tables are in place in `%s`, what they replace is in `%s`, but not all is done: the same "
				"command goes on with it", r->source_db, r->old_db);
	if (p.names.n)
		job_say(r->o->job, "%s in place in `%s`", units_count(count, p.names.n, "trigger is", "triggers are"), r->source_db);
	if (r->keep_old)
		job_say(r->o->job, "what was in use is in `%s`: drop it when you do not need it any more", r->old_db);
	return swap_finish(&p.swap, r->keep_old, e);
}
