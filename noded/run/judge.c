/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/judge.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static void add_table(void *ctx, const struct catalogue_table *t)
{
	struct plausible_table *to = list_push((struct plausible_tables *)ctx);

	to->name = xstrdup(t->name);
	to->rows = t->rows;
	to->bytes = t->bytes;
	to->data = t->data;
	memcpy(to->digest, t->digest, sizeof(to->digest));
}

static struct plausible_rules rules_of(const struct judge *j)
{
	return (struct plausible_rules){.rows_drop_pct = j->config->plausibility.rows_drop_pct,
					.size_drop_pct = j->config->plausibility.size_drop_pct,
					.size_jump_pct = j->config->plausibility.size_jump_pct,
					.ignore_tables = &j->config->plausibility.ignore_tables,
					.exclude_tables = &j->site->exclude_tables};
}

/* The newest run with all of this that was good; none: ret->n is 0. */
static int last_good(const struct judge *j, const char *what, const char *db, struct wire_runs *ret, struct err *e)
{
	const struct run_query q = {.site = j->run->site, .was_good = true, .what = what, .db = db, .limit = 1};

	return catalogue_runs(j->catalogue, &q, ret, e);
}

/* Without its tables each run would look like it. */
static int has_facts(const struct judge *j, const struct wire_run *base, struct err *e)
{
	struct run_marks marks;

	if (catalogue_marks(j->catalogue, base->uuid, &marks, e))
		return -1;
	if (marks.tables < base->tables)
		return err_set(e, ERR_DAMAGED, "of the %lld tables of run %.8s the records of this node know %lld", (long long)base->tables,
			       base->uuid, (long long)marks.tables);
	return 0;
}

static int judge_database(const struct judge *j, const char *db, struct findings *ret, struct err *e)
{
	CLEANUP(plausible_tables_done) struct plausible_tables before = {0};
	CLEANUP(plausible_tables_done) struct plausible_tables now = {0};
	CLEANUP(runs_done) struct wire_runs base = {0};
	const struct plausible_rules rules = rules_of(j);

	if (last_good(j, NULL, db, &base, e) || (base.n && has_facts(j, &base.v[0], e)) ||
	    catalogue_each_table(j->catalogue, j->run->uuid, db, add_table, &now, e) ||
	    (base.n && catalogue_each_table(j->catalogue, base.v[0].uuid, db, add_table, &before, e)))
		return -1;
	plausible_tables(&rules, db, base.n ? &before : NULL, &now, ret);
	return 0;
}

static bool has_database(const struct wire_run *run, const char *db)
{
	for (size_t i = 0; i < run->archives.n; i++)
		if (str_eq(run->archives.v[i].db, db))
			return true;
	return false;
}

static bool left_out(const struct site *s, const char *db)
{
	for (size_t i = 0; i < s->db_exclude.n; i++)
		if (str_eq(s->db_exclude.v[i], db))
			return true;
	return false;
}

/* A server is backed up as a whole: each of its databases must still be there. */
static int judge_server(const struct judge *j, const struct wire_run *before, struct findings *ret, struct err *e)
{
	for (size_t i = 0; i < before->archives.n; i++) {
		const char *db = before->archives.v[i].db;
		CLEANUP(plausible_tables_done) struct plausible_tables tables = {0};
		uint64_t rows = 0;

		if (!*db || has_database(j->run, db) || left_out(j->site, db))
			continue;
		if (catalogue_each_table(j->catalogue, before->uuid, db, add_table, &tables, e))
			return -1;
		for (size_t k = 0; k < tables.n; k++)
			rows += tables.v[k].rows;
		if (rows)
			plausible_database_gone(db, rows, ret);
	}
	return 0;
}

static int judge_whole(const struct judge *j, struct findings *ret, struct err *e)
{
	CLEANUP(runs_done) struct wire_runs base = {0};
	const struct wire_run *run = j->run;
	const struct plausible_rules rules = rules_of(j);
	struct plausible_sizes before = {0};
	const struct plausible_sizes now = {.bytes_in = run->bytes_in, .bytes_stored = run->bytes_stored,
					    .files = run->files, .blank_files = j->blank_files};
	struct run_marks marks;

	/* another database under the name of the site is another thing to back up */
	if (last_good(j, run->what, j->whole_server ? NULL : run->archives.v[0].db, &base, e))
		return -1;
	if (base.n) {
		if (catalogue_marks(j->catalogue, base.v[0].uuid, &marks, e) ||
		    (j->whole_server && rules.rows_drop_pct && judge_server(j, &base.v[0], ret, e)))
			return -1;
		before = (struct plausible_sizes){.bytes_in = base.v[0].bytes_in, .bytes_stored = base.v[0].bytes_stored,
						  .files = base.v[0].files, .blank_files = marks.blank_files};
	}
	plausible_sizes(&rules, base.n ? &before : NULL, &now, ret);
	return 0;
}

int judge_run(const struct judge *j, struct findings *ret, struct err *e)
{
	*ret = (struct findings){0};
	if (!j->run->archives.n)
		return 0;
	for (size_t i = 0; i < j->run->archives.n; i++)
		if (*j->run->archives.v[i].db && judge_database(j, j->run->archives.v[i].db, ret, e))
			return -1;
	if (judge_whole(j, ret, e))
		return -1;
	findings_sort(ret);
	return 0;
}
