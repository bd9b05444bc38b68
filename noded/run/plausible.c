/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/plausible.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

/* From here on a change is worth a word: small tables and sites breathe. */
enum {
	EMPTIED_ROWS = 10,              /* a table with fewer may be a queue that was worked off */
	DROP_ROWS = 20,
	DROP_ROWS_DATABASE = 100,
	DROP_TABLE_BYTES = 1 << 20,
	DROP_BYTES = 4 << 20,
	DROP_FILES = 50,
	JUMP_BYTES = 64 << 20,
	RATIO_BYTES = 1 << 20,          /* less says nothing about how well it compresses */
	BLANK_FILES = 5,
	BLANK_PCT = 10,
};

/* From bad to worse; a table that can be named says more than the sum of all. */
enum kind { SIZE_JUMPED, SIZE_FELL, FILES_FELL, TABLE_SHRANK, ROWS_FELL, DATABASE_FELL, TABLE_GONE, TABLE_EMPTY, BLANK, UNREADABLE,
	    CORE_EMPTY, DATABASE_GONE };

void plausible_tables_done(struct plausible_tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].name);
	list_done(t);
}

PRINTF(4, 5) static void found(struct findings *ret, enum kind kind, uint64_t lost, const char *fmt, ...)
{
	struct finding *f = list_push(ret);
	va_list ap;

	f->kind = (int)kind;
	f->lost = lost;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	str_clean(f->text); /* names of tables are a stranger's */
}

static int worse_first(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? 1 : -1;
	if (x->lost != y->lost)
		return x->lost < y->lost ? 1 : -1;
	return strcmp(x->text, y->text);
}

void findings_sort(struct findings *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), worse_first);
}

/* before -> now lost more than pct percent? */
static bool fell(uint64_t before, uint64_t now, int64_t pct)
{
	return pct && now < before && (double)(before - now) * 100 > (double)before * (double)pct;
}

static unsigned percent(uint64_t before, uint64_t now)
{
	return before ? (unsigned)((double)(before - now) * 100 / (double)before) : 0;
}

/* ---- tables */

static bool ignored(const struct plausible_rules *r, const char *table)
{
	for (size_t i = 0; r->ignore_tables && i < r->ignore_tables->n; i++)
		if (fnmatch(r->ignore_tables->v[i], table, 0) == 0)
			return true;
	return false;
}

/* Left out as a whole by the configuration as it is now. */
static bool excluded(const struct plausible_rules *r, const char *table)
{
	for (size_t i = 0; r->exclude_tables && i < r->exclude_tables->n; i++)
		if (str_eq(r->exclude_tables->v[i], table))
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct plausible_table *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const struct plausible_table *find(const struct plausible_tables *t, const char *name)
{
	const struct plausible_table key = {.name = (char *)(uintptr_t)name};

	return t->n ? bsearch(&key, t->v, t->n, sizeof(*t->v), by_name) : NULL;
}

/* Tables that were not there before, ordered by their rows: one of them may be a
 * table of before under another name. */
struct newcomers {
	LIST_OF(const struct plausible_table *);
};

static int by_digest(const void *a, const void *b)
{
	const struct plausible_table *const *x = a, *const *y = b;

	return memcmp((*x)->digest, (*y)->digest, sizeof((*x)->digest));
}

static void newcomers_of(struct newcomers *ret, const struct plausible_tables *before, const struct plausible_tables *now)
{
	*ret = (struct newcomers){0};
	for (size_t i = 0; i < now->n; i++)
		if (!find(before, now->v[i].name))
			*list_push(ret) = &now->v[i];
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_digest);
}

static bool renamed(const struct plausible_table *t, const struct newcomers *new)
{
	const struct plausible_table *const *found_at = new->n ? bsearch(&t, new->v, new->n, sizeof(*new->v), by_digest) : NULL;

	return found_at && (*found_at)->rows == t->rows;
}

/* Is there a table whose name is the first len bytes of table and then end? */
static bool beside(const char *table, size_t len, const char *end, const struct plausible_tables *now)
{
	CLEANUP(freep) char *name = xasprintf("%.*s%s", (int)len, table, end);

	return find(now, name) != NULL;
}

/* The options or users of a WordPress, by its other tables under the same prefix:
 * "users" and "posts" alone may be anybody's. Sites of a network share their users. */
static bool is_core(const char *table, const struct plausible_tables *now)
{
	size_t len = strlen(table);

	if (str_ends(table, "options")) {
		len -= strlen("options");
		return beside(table, len, "posts", now) && (beside(table, len, "users", now) || beside(table, len, "postmeta", now));
	}
	if (!str_ends(table, "users"))
		return false;
	len -= strlen("users");
	return beside(table, len, "posts", now) && beside(table, len, "options", now);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void compare_table(const struct plausible_rules *r, const char *db, const struct plausible_table *before,
			  const struct plausible_table *now, struct findings *ret)
{
	uint64_t lost = before->rows > now->rows ? before->rows - now->rows : 0;
	char was[UNITS_TEXT], is[UNITS_TEXT];

	if (!now->rows && (before->rows >= EMPTIED_ROWS || before->bytes >= DROP_TABLE_BYTES))
		found(ret, TABLE_EMPTY, lost, "table %s.%s is empty, it had %" PRIu64 " row%s", db, now->name, before->rows,
		      plural(before->rows));
	else if (now->rows && lost >= DROP_ROWS && fell(before->rows, now->rows, r->rows_drop_pct))
		found(ret, ROWS_FELL, lost, "table %s.%s has %" PRIu64 " row%s, it had %" PRIu64 " (%u %% fewer)", db, now->name,
		      now->rows, plural(now->rows), before->rows, percent(before->rows, now->rows));
	else if (!fell(before->rows, now->rows, r->rows_drop_pct) && before->bytes > now->bytes + DROP_TABLE_BYTES &&
		 fell(before->bytes, now->bytes, r->size_drop_pct))
		found(ret, TABLE_SHRANK, before->bytes - now->bytes,
		      "table %s.%s has its rows, but their content went from %s to %s", db, now->name,
		      units_bytes(was, before->bytes), units_bytes(is, now->bytes));
}

static void look_core(const char *db, const struct plausible_tables *before, const struct plausible_tables *now,
		      struct findings *ret)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct plausible_table *t = &now->v[i], *old = before ? find(before, t->name) : NULL;

		/* one that was empty in a good run may be */
		if (t->data && !t->rows && !(old && !old->rows) && is_core(t->name, now))
			found(ret, CORE_EMPTY, old ? old->rows : 0, "table %s.%s is empty: WordPress cannot work without it", db,
			      t->name);
	}
}

static bool counts(const struct plausible_rules *r, const struct plausible_table *t)
{
	return t->data && !ignored(r, t->name);
}

/* Table by table; ret: how many rows there were. */
static uint64_t compare_tables(const struct plausible_rules *r, const char *db, const struct plausible_tables *before,
			       const struct plausible_tables *now, struct findings *ret)
{
	struct newcomers new;
	uint64_t rows = 0;

	newcomers_of(&new, before, now);
	for (size_t i = 0; i < before->n; i++) {
		const struct plausible_table *old = &before->v[i], *t = find(now, old->name);

		if (!counts(r, old) || excluded(r, old->name) || (t && !t->data))
			continue;
		rows += old->rows;
		if (t && !(!t->rows && is_core(t->name, now)))
			compare_table(r, db, old, t, ret);
		else if (!t && old->rows && !renamed(old, &new))
			found(ret, TABLE_GONE, old->rows, "table %s.%s is gone, it had %" PRIu64 " row%s", db, old->name, old->rows,
			      plural(old->rows));
	}
	list_done(&new);
	return rows;
}

void plausible_tables(const struct plausible_rules *r, const char *db, const struct plausible_tables *before,
		      const struct plausible_tables *now, struct findings *ret)
{
	uint64_t was, is = 0;

	if (!r->rows_drop_pct)
		return;
	look_core(db, before, now, ret);
	if (!before)
		return;
	was = compare_tables(r, db, before, now, ret);
	for (size_t i = 0; i < now->n; i++)
		if (counts(r, &now->v[i]))
			is += now->v[i].rows;
	if (was >= is + DROP_ROWS_DATABASE && fell(was, is, r->rows_drop_pct))
		found(ret, DATABASE_FELL, was - is, "database %s has %" PRIu64 " row%s, it had %" PRIu64 " (%u %% fewer)", db, is,
		      plural(is), was, percent(was, is));
}

void plausible_database_gone(const char *db, uint64_t rows, struct findings *ret)
{
	found(ret, DATABASE_GONE, rows, "database %s is gone, it had %" PRIu64 " row%s", db, rows, plural(rows));
}

/* ---- sizes */

static double ratio(const struct plausible_sizes *s)
{
	return s->bytes_stored > 0 ? (double)s->bytes_in / (double)s->bytes_stored : 0;
}

/* Encrypted or random data does not compress at all, blank data compresses to nothing. */
static void look_ratio(const struct plausible_sizes *before, const struct plausible_sizes *now, struct findings *ret)
{
	double was = ratio(before), is = ratio(now);

	if (before->bytes_in < RATIO_BYTES || now->bytes_in < RATIO_BYTES)
		return;
	if (was >= 1.8 && is < 1.1)
		found(ret, UNREADABLE, (uint64_t)now->bytes_in,
		      "the data does not compress any more (%.1f:1, before %.1f:1): has it been encrypted?", is, was);
	else if (is > 200 && is > 20 * was)
		found(ret, BLANK, (uint64_t)now->bytes_in,
		      "the data compresses to almost nothing (%.0f:1, before %.1f:1): is it blank?", is, was);
}

static void look_blank(const struct plausible_sizes *before, const struct plausible_sizes *now, struct findings *ret)
{
	int64_t was = before ? before->blank_files : 0;

	if (now->blank_files >= BLANK_FILES && now->blank_files * 100 > now->files * BLANK_PCT && now->blank_files > 2 * was)
		found(ret, BLANK, (uint64_t)now->blank_files,
		      "%" PRId64 " of %" PRId64 " files hold nothing but zero bytes", now->blank_files, now->files);
}

void plausible_sizes(const struct plausible_rules *r, const struct plausible_sizes *before,
		     const struct plausible_sizes *now, struct findings *ret)
{
	uint64_t in = (uint64_t)now->bytes_in, in_before = before ? (uint64_t)before->bytes_in : 0;
	uint64_t files = (uint64_t)now->files, files_before = before ? (uint64_t)before->files : 0;
	char was[UNITS_TEXT], is[UNITS_TEXT];

	look_blank(before, now, ret);
	if (!before)
		return;
	look_ratio(before, now, ret);
	if (in_before > in + DROP_BYTES && fell(in_before, in, r->size_drop_pct))
		found(ret, SIZE_FELL, in_before - in, "there are %s to back up, there were %s (%u %% less)", units_bytes(is, in),
		      units_bytes(was, in_before), percent(in_before, in));
	if (in > in_before + JUMP_BYTES && r->size_jump_pct &&
	    (double)(in - in_before) * 100 > (double)in_before * (double)r->size_jump_pct)
		found(ret, SIZE_JUMPED, in - in_before, "there are %s to back up, there were %s", units_bytes(is, in),
		      units_bytes(was, in_before));
	if (files_before > files + DROP_FILES && fell(files_before, files, r->size_drop_pct))
		found(ret, FILES_FELL, files_before - files, "there are %" PRIu64 " files, there were %" PRIu64 " (%u %% fewer)",
		      files, files_before, percent(files_before, files));
}
