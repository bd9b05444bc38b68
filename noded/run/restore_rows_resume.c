/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/journal.h"
#include "noded/mysql/sqltext.h"
#include "noded/run/restore_rows_priv.h"
#include "shared/mem.h"
#include "shared/str.h"

/* What an earlier run of the same restore has done, out of its journal. */

enum { PREFIXES_MAX = 1000 };

static int take_member(void *ctx, const char *name, const char *text, struct err *e)
{
	struct restore_rows *w = ctx;
	struct table *t = restore_rows_table_of(w, name);

	(void)text;
	(void)e;
	strings_add(&w->loaded, name);
	if (t && t->left && !--t->left)
		t->ready = true;
	return 0;
}

static int take_done(void *ctx, const char *name, const char *text, struct err *e)
{
	struct restore_rows *w = ctx;

	(void)text;
	(void)e;
	w->defined = w->defined || str_eq(name, "definitions");
	w->filled = w->filled || str_eq(name, "rows");
	w->complete = w->complete || str_eq(name, "all");
	return 0;
}

static struct table *table_called(struct restore_rows *w, const char *name)
{
	CLEANUP(buf_done) struct buf part = {0};

	buf_init(&part, 4096);
	member_name(&part, name);
	return restore_rows_find(w, part.p);
}

static int take_keys(void *ctx, const char *name, const char *text, struct err *e)
{
	struct table *t = table_called(ctx, name);

	(void)e;
	if (t)
		t->keys = xstrdup(text);
	return 0;
}

static int take_constraints(void *ctx, const char *name, const char *text, struct err *e)
{
	struct table *t = table_called(ctx, name);

	(void)e;
	if (t)
		t->constraints = xstrdup(text);
	return 0;
}

static int take_checked(void *ctx, const char *name, const char *text, struct err *e)
{
	struct table *t = table_called(ctx, name);

	(void)e;
	(void)text;
	if (t)
		t->known = true;
	return 0;
}

/* Of a table without transactions nobody knows what was loaded: it is emptied. Not when it has its triggers already, which
 * would run again: then it is compared once more. */
static int take_doubtful(struct restore *r, const char *name, struct err *e)
{
	struct restore_rows *w = r->rows;
	struct conn *c = load_conn(r->load);
	struct table *t = table_called(w, name);
	CLEANUP(freep) char *prefix = t ? xasprintf(ROWS_DIR "%s.", t->part) : NULL;

	if (!t || !t->bytes)
		return 0;
	t->doubtful = w->filled;
	if (!w->defined || w->filled)
		return 0;
	return journal_start_over(c, name, prefix, e) || journal_remove(c, "checked", name, e) ? -1 : 0;
}

int restore_rows_resume(struct restore *r, struct err *e)
{
	struct restore_rows *w = r->rows;
	struct conn *c = load_conn(r->load);
	struct strings doubtful = {0};
	int rc = 0;

	if (journal_each(c, "done", take_done, w, e) || journal_doubtful(c, &doubtful, e))
		return -1;
	for (size_t i = 0; i < doubtful.n; i++) {
		if (rc == 0)
			rc = take_doubtful(r, doubtful.v[i], e);
		free(doubtful.v[i]);
	}
	list_done(&doubtful);
	if (rc || journal_each(c, "member", take_member, w, e) || journal_each(c, "keys", take_keys, w, e) ||
	    journal_each(c, "constraints", take_constraints, w, e) || journal_each(c, "checked", take_checked, w, e))
		return -1;
	r->loaded = (int64_t)w->loaded.n;
	return 0;
}

uint64_t restore_rows_members(const struct restore *r)
{
	return r->rows->members;
}

void restore_rows_left(const struct restore *r, struct strings *p)
{
	const struct restore_rows *w = r->rows;
	struct strings all = *p;
	bool whole = false;
	size_t open = 0;

	if (!r->resumed || !w->defined || w->complete)
		return;
	for (size_t i = 0; i < w->tables.n; i++)
		open += !w->tables.v[i].ready;
	*p = (struct strings){0};
	for (size_t i = 0; i < all.n; i++) {
		whole = whole || str_eq(all.v[i], "db/*");
		if (!str_eq(all.v[i], "db/*") && !str_starts(all.v[i], ROWS_DIR))
			strings_add(p, all.v[i]);
	}
	strings_done(&all);
	if (whole)
		strings_add(p, "db/30-post/*");
	if (open > PREFIXES_MAX)
		strings_add(p, ROWS_DIR "*");
	for (size_t i = 0; i < w->tables.n && open <= PREFIXES_MAX; i++)
		if (!w->tables.v[i].ready)
			*list_push(p) = xasprintf(ROWS_DIR "%s.*", w->tables.v[i].part);
}
