/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

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
	if (load_open(&r->load, &o, e) || restore_members(r, &p, e))
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
	r->journal = false; /* it stays in the copy, and goes with it */
	if (server_can_swap(&r->access, &s, e) || server_swap(&r->access, &s, e))
		return err_wrap(e, "the copy in `%s` is complete and stays there", r->target_db);
	str_cut(r->out->db, sizeof(r->out->db), r->source_db);
	job_say(r->o->job, "the tables are in place in `%s`", r->source_db);
	if (load_triggers(r, e))
		return -1;
	return server_drop_schema(&r->access, r->target_db, e);
}

static int load_all(struct restore *r, struct err *e)
{
	CLEANUP(prefixes_done) struct prefixes p = {0};

	if (restore_journal_begin(r, e))
		return -1;
	restore_database_prefixes(r, &p);
	restore_rows_left(r, &p);
	if (restore_members(r, &p, e)) {
		if (r->journal)
			job_say(r->o->job, "`%s` is not complete: the same command goes on with it, --fresh begins anew", r->target_db);
		return -1;
	}
	return 0;
}

int restore_database(struct restore *r, struct err *e)
{
	if (restore_drop_unfinished(r, e) || restore_rows_plan(r, e) || restore_open_load(r, !r->resumed, e))
		return -1;
	str_cut(r->out->db, sizeof(r->out->db), r->target_db);
	job_say(r->o->job, "loading into `%s`", r->target_db);
	if (load_all(r, e))
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	if (load_redefined(r->load))
		job_warn(r->o->job, "%u views and programs now have the restoring account as their DEFINER: theirs is not on this "
			 "server, or may not be set", load_redefined(r->load));
	/* a copy that is wrong is complete too: there is nothing to go on with */
	if (restore_rows_agree(r, e)) {
		struct err ignored;

		if (restore_journal_end(r, &ignored))
			job_say(r->o->job, "%s", ignored.msg);
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	}
	if (r->o->in_place)
		return swap(r, e);
	return restore_journal_end(r, e);
}
