/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tui/keys.h"

void table_init(struct table *t, const struct table_ops *ops)
{
	*t = (struct table){.ops = ops, .height = 1};
}

void table_done(struct table *t)
{
	free(t->order);
	free(t->marks);
	*t = (struct table){.ops = t->ops};
}

static uint64_t id_at(const struct table *t, size_t place)
{
	return t->ops->id(t->rows, t->order[place]);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct table *t = ctx;
	int c = t->ops->compare(t->rows, *(const size_t *)a, *(const size_t *)b, t->sort);

	return t->reverse ? -c : c;
}

static bool passes(const struct table *t, size_t i)
{
	char words[TABLE_FILTER];
	char *save = words;

	str_cut(words, sizeof(words), t->filter);
	for (char *word; (word = strsep(&save, " "));) {
		bool not = word[0] == '!' && word[1];

		if (word[0] && t->ops->match(t->rows, i, word + not) == not)
			return false;
	}
	return true;
}

static void keep_in_view(struct table *t)
{
	size_t h = t->height > 0 ? (size_t)t->height : 1;

	if (t->at < t->top)
		t->top = t->at;
	if (t->at >= t->top + h)
		t->top = t->at - h + 1;
	if (t->n <= h)
		t->top = 0;
	else if (t->top > t->n - h)
		t->top = t->n - h;
}

static bool in_order(const struct table *t)
{
	for (size_t p = 1; p < t->n; p++)
		if (compare(&t->order[p - 1], &t->order[p], (void *)(uintptr_t)t) > 0)
			return false;
	return true;
}

/* Order the rows anew and find the cursor's id again; true when it is not shown any more. */
static bool rebuild(struct table *t)
{
	uint64_t id = t->cursor;
	size_t line = t->at - t->top, old = t->at;

	if (t->total > t->cap) {
		t->order = xrealloc(t->order, t->total * sizeof(*t->order));
		t->cap = t->total;
	}
	/* mostly the order of before is still right: then looking at each row once is all */
	if (t->filter[0] || t->n != t->total) {
		t->n = 0;
		for (size_t i = 0; i < t->total; i++)
			if (!t->filter[0] || passes(t, i))
				t->order[t->n++] = i;
	}
	if (!in_order(t))
		qsort_r(t->order, t->n, sizeof(*t->order), compare, t);
	t->at = t->n;
	for (size_t p = 0; id && p < t->n && t->at == t->n; p++)
		if (id_at(t, p) == id)
			t->at = p;
	id = t->at < t->n ? 0 : id; /* from here on: the id that is lost */
	if (t->at == t->n)
		t->at = t->n == 0 ? 0 : old < t->n ? old : t->n - 1;
	t->top = t->at > line ? t->at - line : 0;
	t->cursor = t->n ? id_at(t, t->at) : 0;
	keep_in_view(t);
	return id != 0;
}

bool table_update(struct table *t, const void *rows, size_t n)
{
	t->rows = rows;
	t->total = n;
	return rebuild(t);
}

void table_fit(struct table *t, int height)
{
	t->height = height;
	keep_in_view(t);
}

void table_filter(struct table *t, const char *words)
{
	str_cut(t->filter, sizeof(t->filter), words);
	for (char *p = t->filter; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	(void)rebuild(t);
}

void table_sort(struct table *t, int sort)
{
	t->reverse = sort == t->sort ? !t->reverse : false;
	t->sort = sort;
	(void)rebuild(t);
}

/* Moves by a number of places, clipped at the ends. */
static void table_move(struct table *t, long by)
{
	long to = (long)t->at + by, last = (long)t->n - 1;

	if (t->n == 0)
		return;
	t->at = (size_t)(to < 0 ? 0 : to > last ? last : to);
	t->cursor = id_at(t, t->at);
	keep_in_view(t);
}

/* To the next (dir 1) or previous (-1) row with a problem; false: there is none. */
static bool table_next_problem(struct table *t, int dir)
{
	for (size_t step = 1; t->ops->problem && step <= t->n; step++) {
		size_t p = (t->at + (dir > 0 ? step : t->n - step)) % t->n;

		if (t->ops->problem(t->rows, t->order[p])) {
			table_move(t, (long)p - (long)t->at);
			return true;
		}
	}
	return false;
}

/* Place of id among the marks, or where it would stand. */
static size_t mark_place(const struct table *t, uint64_t id)
{
	size_t lo = 0, hi = t->n_marks;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->marks[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool table_marked(const struct table *t, uint64_t id)
{
	size_t p = mark_place(t, id);

	return p < t->n_marks && t->marks[p] == id;
}

static void mark(struct table *t, uint64_t id, bool on)
{
	size_t p = mark_place(t, id);

	if (table_marked(t, id) == on)
		return;
	if (!on) {
		memmove(t->marks + p, t->marks + p + 1, (--t->n_marks - p) * sizeof(*t->marks));
		return;
	}
	if (t->n_marks == t->cap_marks) {
		t->cap_marks = t->cap_marks ? 2 * t->cap_marks : 16;
		t->marks = xrealloc(t->marks, t->cap_marks * sizeof(*t->marks));
	}
	memmove(t->marks + p + 1, t->marks + p, (t->n_marks++ - p) * sizeof(*t->marks));
	t->marks[p] = id;
}

static bool mark_key(struct table *t, int key)
{
	if (key == K_SPACE && t->n) {
		mark(t, t->cursor, !table_marked(t, t->cursor));
		table_move(t, 1);
	} else if (key == '+' || key == '*') {
		for (size_t p = 0; p < t->n; p++)
			mark(t, id_at(t, p), key == '+' || !table_marked(t, id_at(t, p)));
	} else if (key == '-') {
		t->n_marks = 0;
	} else {
		return false;
	}
	return true;
}

bool table_key(struct table *t, int key)
{
	long page = t->height > 1 ? t->height - 1 : 1;

	switch (key) {
	case K_UP:
	case 'k':
		table_move(t, -1);
		return true;
	case K_DOWN:
	case 'j':
		table_move(t, 1);
		return true;
	case K_PGUP:
		table_move(t, -page);
		return true;
	case K_PGDN:
		table_move(t, page);
		return true;
	case K_HOME:
	case 'g':
		table_move(t, -(long)t->n);
		return true;
	case K_END:
	case 'G':
		table_move(t, (long)t->n);
		return true;
	case ']':
		return table_next_problem(t, 1);
	case '[':
		return table_next_problem(t, -1);
	default:
		return mark_key(t, key);
	}
}

bool table_current(const struct table *t, size_t *i)
{
	if (t->n == 0)
		return false;
	*i = t->order[t->at];
	return true;
}
