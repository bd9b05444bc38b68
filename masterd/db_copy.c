/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/db_copy.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/schema.h"
#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { PAGE_ROWS = 1000, INSERT_VALUES = 400, TEXT_MAX = 1 << 20, TOLD_MS = 2000 };

enum kind { KIND_INT, KIND_NUM, KIND_BLOB, KIND_TEXT };

struct column {
	char *name;
	enum kind kind;
	int64_t key;              /* place in the primary key from 1; 0: not in it */
	bool numbered;
};

struct table {
	char *name;
	struct { LIST_OF(struct column); } columns;
};

struct tables {
	LIST_OF(struct table);
};

static void tables_done(struct tables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (size_t k = 0; k < t->v[i].columns.n; k++)
			free(t->v[i].columns.v[k].name);
		list_done(&t->v[i].columns);
		free(t->v[i].name);
	}
	list_done(t);
}

static enum kind kind_of(const char *word)
{
	return str_eq(word, "int") ? KIND_INT : str_eq(word, "num") ? KIND_NUM : str_eq(word, "blob") ? KIND_BLOB : KIND_TEXT;
}

/* In the order in which they were made: what is referred to comes first. */
static int read_tables(struct db *db, struct tables *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	struct table *t = NULL;
	struct column *c;
	int got;

	if (db_prepare(db, &s, db_catalogue(db)->columns, e))
		return -1;
	while ((got = db_step(&s, e)) > 0) {
		/* others may have tables beside ours; and who leads now leads the old database */
		if (!schema_has_table(db_str(&s, 0)) || str_eq(db_str(&s, 0), "lease"))
			continue;
		if (!t || !str_eq(t->name, db_str(&s, 0))) {
			t = list_push(ret);
			t->name = xstrdup(db_str(&s, 0));
		}
		c = list_push(&t->columns);
		c->name = xstrdup(db_str(&s, 1));
		c->kind = kind_of(db_str(&s, 2));
		c->key = db_int(&s, 3);
		c->numbered = db_int(&s, 4) != 0;
	}
	return got;
}

static int one_number(struct db *db, const char *text, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, text, e))
		return -1;
	got = db_step(&s, e);
	if (got < 0)
		return -1;
	*ret = got ? db_int(&s, 0) : 0;
	return 0;
}

static int count_rows(struct db *db, const char *table, int64_t *ret, struct err *e)
{
	CLEANUP(freep) char *text = xasprintf("SELECT count(*) FROM %s", table);

	return one_number(db, text, ret, e);
}

static void add_names(struct buf *b, const struct table *t, bool key_only)
{
	const char *comma = "";

	for (int64_t place = key_only ? 1 : 0; place <= (key_only ? (int64_t)t->columns.n : 0); place++)
		for (size_t i = 0; i < t->columns.n; i++) {
			if (key_only && t->columns.v[i].key != place)
				continue;
			buf_addf(b, "%s%s", comma, t->columns.v[i].name);
			comma = ",";
		}
}

static size_t key_columns(const struct table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->columns.n; i++)
		n += t->columns.v[i].key > 0;
	return n;
}

/* A page after the key ?1..?n, in the order of the key. Yours. */
static char *select_text(const struct table *t, bool first)
{
	size_t n = key_columns(t);
	struct buf b;

	buf_init(&b, TEXT_MAX);
	buf_adds(&b, "SELECT ");
	add_names(&b, t, false);
	buf_addf(&b, " FROM %s", t->name);
	if (!first) {
		buf_adds(&b, " WHERE (");
		add_names(&b, t, true);
		buf_adds(&b, ")>(");
		for (size_t i = 0; i < n; i++)
			buf_addf(&b, "%s?%zu", i ? "," : "", i + 1);
		buf_addc(&b, ')');
	}
	buf_adds(&b, " ORDER BY ");
	add_names(&b, t, true);
	buf_addf(&b, " LIMIT %d", PAGE_ROWS);
	return buf_take(&b);
}

static char *insert_text(const struct table *t, size_t rows)
{
	size_t n = t->columns.n;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	buf_addf(&b, "INSERT INTO %s(", t->name);
	add_names(&b, t, false);
	buf_adds(&b, ") VALUES");
	for (size_t r = 0; r < rows; r++) {
		buf_adds(&b, r ? ",(" : "(");
		for (size_t i = 0; i < n; i++)
			buf_addf(&b, "%s?%zu", i ? "," : "", r * n + i + 1);
		buf_addc(&b, ')');
	}
	return buf_take(&b);
}

static void set_value(struct db_stmt *to, int at, struct db_stmt *from, int col, enum kind kind)
{
	const void *p;
	size_t n;

	switch (kind) {
	case KIND_INT:
		/* a parameter that is not set is NULL */
		if (!db_is_null(from, col))
			db_set_int(to, at, db_int(from, col));
		break;
	case KIND_NUM:
		db_set_num(to, at, db_num(from, col));
		break;
	case KIND_BLOB:
		p = db_blob(from, col, &n);
		db_set_blob(to, at, p || db_is_null(from, col) ? p : "", n);
		break;
	case KIND_TEXT:
		db_set_str(to, at, db_str(from, col));
		break;
	}
}

/* One table on its way. */
struct flow {
	struct db *from, *to;
	const struct table *table;
	size_t at_once;           /* rows an INSERT */
	struct db_stmt key;       /* SELECT of the next page, its key set as rows pass */
	char *next;               /* its text */
	int64_t rows, told_at;
	void (*told)(const struct copy_step *step);
};

/* The key of this row is where the next page begins. */
static void set_key(struct flow *f, struct db_stmt *row)
{
	for (size_t i = 0; i < f->table->columns.n; i++) {
		const struct column *c = &f->table->columns.v[i];

		if (c->key)
			set_value(&f->key, (int)c->key, row, (int)i, c->kind);
	}
}

/* Up to at_once rows by one INSERT; how many there were, 0 at the end of the page. */
static int pass_some(struct flow *f, struct db_stmt *page, size_t left, size_t *n, struct err *e)
{
	size_t columns = f->table->columns.n, rows = left < f->at_once ? left : f->at_once;
	CLEANUP(freep) char *text = insert_text(f->table, rows);
	CLEANUP(db_done) struct db_stmt insert = {0};

	if (db_prepare(f->to, &insert, text, e))
		return -1;
	for (*n = 0; *n < rows; (*n)++) {
		int got = db_step(page, e);

		if (got <= 0)
			return got < 0 ? -1 : err_set(e, ERR_CONFLICT, "%s changed while it was copied", f->table->name);
		for (size_t i = 0; i < columns; i++)
			set_value(&insert, (int)(*n * columns + i + 1), page, (int)i, f->table->columns.v[i].kind);
		if (left - *n == 1)
			set_key(f, page);
	}
	return db_run(&insert, e);
}

/* A page, whose number of rows is asked first: INSERTs are of a few lengths only, to be prepared once. */
static int pass_page(struct flow *f, struct db_stmt *page, size_t rows, struct err *e)
{
	size_t n;

	while (rows) {
		if (pass_some(f, page, rows, &n, e))
			return -1;
		rows -= n;
		f->rows += (int64_t)n;
		if (clock_mono_ms() - f->told_at >= TOLD_MS) {
			f->told_at = clock_mono_ms();
			f->told(&(struct copy_step){.table = f->table->name, .rows = f->rows});
		}
	}
	return 0;
}

static int pass_all(struct flow *f, struct err *e)
{
	CLEANUP(freep) char *text = select_text(f->table, true);
	int64_t left;

	if (count_rows(f->from, f->table->name, &left, e))
		return -1;
	for (bool first = true; left > 0; first = false) {
		CLEANUP(db_done) struct db_stmt page = {0};
		size_t rows = left < PAGE_ROWS ? (size_t)left : PAGE_ROWS;

		if (first) {
			if (db_prepare(f->from, &page, text, e))
				return -1;
		} else {
			page = f->key;
			f->key = (struct db_stmt){0};
		}
		if (db_prepare(f->from, &f->key, f->next, e) || pass_page(f, &page, rows, e))
			return -1;
		left -= (int64_t)rows;
	}
	return 0;
}

static int clear(struct db *db, const char *table, struct err *e)
{
	CLEANUP(freep) char *text = xasprintf("DELETE FROM %s", table);

	return db_exec(db, text, e);
}

static int copy_table(struct flow *f, struct err *e)
{
	const struct table *t = f->table;
	int rc;

	if (!key_columns(t))
		return err_set(e, ERR_INTERNAL, "table %s has no key", t->name);
	f->at_once = INSERT_VALUES / t->columns.n;
	f->next = select_text(t, false);
	f->rows = 0;
	f->told_at = clock_mono_ms();
	/* what a migration has put there comes along with the rest */
	rc = db_begin(f->to, e) || clear(f->to, t->name, e) || pass_all(f, e) || db_commit(f->to, e) ? -1 : 0;
	db_done(&f->key);
	free(f->next);
	if (rc) {
		db_rollback(f->to);
		return err_wrap(e, "table %s", t->name);
	}
	f->told(&(struct copy_step){.table = t->name, .rows = f->rows, .done = true});
	return 0;
}

/* The next number that the database gives must not be one that was given before. */
static int copy_number(struct db *from, struct db *to, const char *table, const char *column, struct err *e)
{
	CLEANUP(db_done) struct db_stmt ask = {0}, set = {0};
	int64_t last;
	int got;

	if (db_prepare(from, &ask, db_catalogue(from)->last_number, e))
		return -1;
	db_set_str(&ask, 1, table);
	db_set_str(&ask, 2, column);
	got = db_step(&ask, e);
	if (got < 0)
		return -1;
	last = got ? db_int(&ask, 0) : 0;
	if (!last)
		return 0;
	if (db_prepare(to, &set, db_catalogue(to)->set_number, e))
		return -1;
	db_set_str(&set, 1, table);
	db_set_str(&set, 2, column);
	db_set_int(&set, 3, last);
	return db_run(&set, e);
}

static int copy_numbers(struct db *from, struct db *to, const struct tables *all, struct err *e)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->v[i].columns.n; k++)
			if (all->v[i].columns.v[k].numbered &&
			    copy_number(from, to, all->v[i].name, all->v[i].columns.v[k].name, e))
				return err_wrap(e, "numbers of %s", all->v[i].name);
	return 0;
}

static int compare(struct db *from, struct db *to, const struct tables *all, struct err *e)
{
	int64_t here, there;

	for (size_t i = 0; i < all->n; i++) {
		if (count_rows(from, all->v[i].name, &here, e) || count_rows(to, all->v[i].name, &there, e))
			return -1;
		if (here != there)
			return err_set(e, ERR_CONFLICT, "table %s has %lld rows here and %lld there: a master wrote meanwhile",
				       all->v[i].name, (long long)here, (long long)there);
	}
	return 0;
}

static int want_empty(struct db *db, struct err *e)
{
	int64_t n;

	if (one_number(db, "SELECT (SELECT count(*) FROM account)+(SELECT count(*) FROM node)+(SELECT count(*) FROM run)+"
		       "(SELECT count(*) FROM audit)", &n, e))
		return -1;
	return n ? err_set(e, ERR_CONFLICT, "the new database holds data of a master already: give it an empty one") : 0;
}

/* Both sides are described by the new one, which has just been made. */
static int copy_all(struct flow *f, struct tables *all, struct err *e)
{
	if (read_tables(f->to, all, e))
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		f->table = &all->v[i];
		if (copy_table(f, e))
			return -1;
	}
	if (db_begin(f->to, e))
		return -1;
	if (copy_numbers(f->from, f->to, all, e) || db_settle(f->to, e) || db_commit(f->to, e)) {
		db_rollback(f->to);
		return -1;
	}
	return compare(f->from, f->to, all, e);
}

int db_copy(struct db *from, struct db *to, void (*told)(const struct copy_step *step), struct err *e)
{
	struct flow f = {.from = from, .to = to, .told = told};
	struct tables all = {0};
	int pending, rc;

	if (db_pending(from, &pending, e))
		return -1;
	if (pending)
		return err_set(e, ERR_CONFIG, "the database lacks %d migrations: start this felloe-masterd on it once", pending);
	if (db_migrate(to, e) || want_empty(to, e) || db_begin(from, e))
		return -1;
	rc = db_rules(from, e) || copy_all(&f, &all, e) ? -1 : 0;
	db_rollback(from);
	tables_done(&all);
	return rc;
}
