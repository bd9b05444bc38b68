/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

static int load_all(struct restore *r, struct err *e)
{
	CLEANUP(strings_done) struct strings p = {0};

	if (restore_journal_begin(r, e))
		return -1;
	restore_database_prefixes(r, &p);
	restore_rows_left(r, &p);
	if (restore_members(r, &p, e)) {
		/* what is damaged would stop it at the same place again */
		if (r->journal && !r->o->thrown_away && e->kind != ERR_DAMAGED)
			job_say(r->o->job, "`%s` is not complete: the same command goes on with it, --fresh begins anew", r->target_db);
		return -1;
	}
	return 0;
}

int restore_database(struct restore *r, struct err *e)
{
	char count[UNITS_COUNT];

	if (r->o->in_place && r->swap_state == SWAP_BEGUN)
		return restore_place(r, e);
	if (restore_drop_unfinished(r, e) || restore_place_clear(r, e) || restore_rows_plan(r, e) ||
	    restore_open_load(r, e))
		return -1;
	str_cut(r->out->db, sizeof(r->out->db), r->target_db);
	job_say(r->o->job, "loading into `%s`", r->target_db);
	if (load_all(r, e))
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	if (load_redefined(r->load))
		job_warn(r->o->job, "%s got the restoring account as DEFINER: the one of the backup is not on this server, or may not be "
			 "set", units_count(count, load_redefined(r->load), "view or program", "views and programs"));
	/* a copy that is wrong is complete too: there is nothing to go on with */
	if (restore_rows_agree(r, e)) {
		struct err ignored;

		if (restore_journal_end(r, &ignored))
			job_say(r->o->job, "%s", ignored.msg);
		return err_wrap(e, "database %s into `%s`", r->source_db, r->target_db);
	}
	return r->o->in_place ? restore_place(r, e) : restore_journal_end(r, e);
}
