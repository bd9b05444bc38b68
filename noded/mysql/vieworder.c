/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/vieworder.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"

enum { NEW, OPEN, PLACED };

void view_order_done(struct view_order *o)
{
	for (size_t i = 0; i < o->n; i++)
		list_done(&o->v[i].uses);
	list_done(o);
	free(o->sorted);
	o->sorted = NULL;
}

static int by_name(const void *a, const void *b, void *nodes)
{
	const struct view_node *v = nodes;

	return strcmp(v[*(const size_t *)a].name, v[*(const size_t *)b].name);
}

static void sort_names(struct view_order *o)
{
	o->sorted = xcalloc(o->n, sizeof(*o->sorted));
	for (size_t i = 0; i < o->n; i++)
		o->sorted[i] = i;
	qsort_r(o->sorted, o->n, sizeof(*o->sorted), by_name, o->v);
}

/* The view called name, or o->n. */
static size_t find(const struct view_order *o, const char *name)
{
	size_t from = 0, to = o->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int cmp = strcmp(o->v[o->sorted[middle]].name, name);

		if (!cmp)
			return o->sorted[middle];
		if (cmp < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return o->n;
}

/* `a``b` without its quotes */
static void add_bare(struct buf *b, const char *p, const char *end)
{
	for (p++; p + 1 < end; p++) {
		buf_addc(b, *p);
		if (*p == '`')
			p++;
	}
}

void view_order_text(struct view_order *o, size_t i, const char *text, size_t n)
{
	struct buf name;
	const char *end = text + n, *p = text;

	if (!o->sorted)
		sort_names(o);
	buf_init(&name, 4096);
	while (p < end) {
		const char *next = *p == '`' || *p == '\'' || *p == '"' ? sql_token_end(p, end) : p + 1;

		if (*p == '`') {
			size_t used;

			buf_reset(&name);
			add_bare(&name, p, next);
			used = find(o, name.p);
			if (used < o->n && used != i)
				*list_push(&o->v[i].uses) = used;
		}
		p = next;
	}
	buf_done(&name);
}

/* What number i uses, as far as it is of the same kind, and then i itself. */
static void place(struct view_order *o, size_t i, size_t *ret, size_t *n)
{
	struct view_node *v = &o->v[i];

	v->mark = OPEN;
	for (size_t j = 0; j < v->uses.n; j++) {
		size_t used = v->uses.v[j];

		if (o->v[used].mark == NEW && o->v[used].dead == v->dead)
			place(o, used, ret, n);
	}
	v->mark = PLACED;
	ret[(*n)++] = i;
}

void view_order_get(struct view_order *o, size_t *ret)
{
	size_t n = 0, living;

	for (size_t i = 0; i < o->n; i++)
		if (!o->v[i].dead && o->v[i].mark == NEW)
			place(o, i, ret, &n);
	living = n;
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].mark == NEW)
			place(o, i, ret, &n);
	for (size_t a = living, b = n; a + 1 < b; a++) { /* the dead the other way round */
		size_t kept = ret[a];

		ret[a] = ret[--b];
		ret[b] = kept;
	}
}
