/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/rows.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/digest.h"
#include "noded/mysql/grid.h"
#include "noded/mysql/large.h"
#include "noded/mysql/prologue.h"
#include "noded/mysql/sqltext.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PROGRESS_MS = 250,
	LOOK_ROWS = 256,           /* how often the clock is asked */
	KEEP_RAW = 4 * MEMBER_RAW, /* a buffer grown past it by one huge row is given back */
	LONG_NAME = 24,            /* room for @felloe_ and a number */
	CUT_MIN = 5 << 20,         /* from here on a member may end, ... */
	CUT_MEAN = 1 << 20,        /* ... and does after so much more, on average */
};
#define LITERAL_MAX ((size_t)5 << 29) /* hex of the largest value there is, 1 GiB, and the rest of its row */

void rows_buf(struct buf *b)
{
	/* At its full size at once: growing step by step would leave holes that stay in memory. Pages
	 * that no member reaches are never touched. */
	buf_init(b, LITERAL_MAX);
	(void)!buf_room(b, MEMBER_RAW);
}

static bool is_long(const struct columns *k, unsigned i, unsigned long len)
{
	return len > VALUE_MAX && (k->form.v[i] == FORM_HEX || k->form.v[i] == FORM_TEXT);
}

/* What a row may need at most: each byte doubled, quotes, a comma. */
static size_t rows_room(const struct columns *k, const unsigned long *len)
{
	size_t room = 8, total = 0;

	for (unsigned i = 0; i < k->n; i++)
		total += len[i];
	if (total <= VALUE_MAX) /* then none is long */
		return room + 2 * total + 5UL * k->n;
	for (unsigned i = 0; i < k->n; i++)
		room += is_long(k, i, len[i]) ? LONG_NAME : 2 * len[i] + 5;
	return room;
}

/* Write "(…)" to dst, which has rows_room for it; returns the end. What is long
 * stands in the variable @felloe_INDEX. */
static char *rows_write(char *dst, const struct columns *k, const MYSQL_ROW row, const unsigned long *len)
{
	char *at = dst;

	*at++ = '(';
	for (unsigned i = 0; i < k->n; i++) {
		if (i)
			*at++ = ',';
		if (row[i] && is_long(k, i, len[i])) {
			at += snprintf(at, LONG_NAME, "@felloe_%u", i);
		} else if (row[i]) {
			at = column_value(at, k->form.v[i], row[i], len[i]);
		} else {
			memcpy(at, "NULL", 4);
			at += 4;
		}
	}
	*at++ = ')';
	return at;
}

/* A row with large values. */
struct apart {
	uint64_t chunk;
	char *where;       /* finds it */
};

struct writer {
	const struct rows_job *job;
	const struct columns *k;
	const struct rows_range *range;
	struct rows_sum *sum;
	struct digest digest;
	struct buf *b;     /* the member so far */
	struct buf insert; /* INSERT INTO `t` (…) VALUES */
	size_t statement;  /* where the open statement begins in b; 0: none is open */
	uint64_t chunk;    /* of the member */
	unsigned part;     /* of the chunk */
	const struct column *grid; /* NULL: no cells are looked at */
	unsigned grid_at;
	uint64_t cell;     /* its last place: rows beyond it begin another */
	bool sliced;       /* rows with large values come apart, when all others are read */
	struct { LIST_OF(struct apart); } apart;
	bool cut;          /* the last row was one behind which a member may end */
	uint64_t counted;  /* rows that are in the total */
	int64_t told;      /* clock of the last progress */
};

static void note_length(struct writer *w, uint64_t n)
{
	if (n > w->sum->longest)
		w->sum->longest = n;
}

static void close_statement(struct writer *w)
{
	if (w->statement) {
		note_length(w, w->b->len - w->statement);
		buf_adds(w->b, ";\n");
	}
	w->statement = 0;
}

static int hand_over(struct writer *w, const char *name, struct err *e)
{
	const struct dump_sink *sink = w->job->sink;

	if (sink->swap)
		return sink->swap(sink->ctx, name, w->b, e);
	return sink->member(sink->ctx, name, w->b->p, w->b->len, e);
}

/* db/20-data/TABLE.CHUNK, and what follows. */
static void begin_name(const struct writer *w, struct buf *name, uint64_t chunk)
{
	buf_init(name, 4096);
	buf_adds(name, "db/20-data/");
	member_name(name, w->range->table);
	buf_addf(name, ".%05llu", (unsigned long long)chunk);
}

static int end_member(struct writer *w, struct err *e)
{
	CLEANUP(buf_done) struct buf name = {0};
	size_t n;

	if (!w->b->len)
		return 0;
	close_statement(w);
	if (w->k->history)
		buf_adds(w->b, "SET system_versioning_insert_history=@felloe_history;\n");
	prologue_end_data(w->b);
	if (buf_check(w->b, "a member of SQL", e))
		return -1;
	begin_name(w, &name, w->chunk);
	if (w->part)
		buf_addf(&name, ".%u", w->part);
	buf_adds(&name, ".sql");
	n = w->b->len;
	if (buf_check(&name, "name of a member", e) || hand_over(w, name.p, e))
		return -1;
	w->sum->bytes += n;
	atomic_fetch_add_explicit(&w->job->total->bytes, n, memory_order_relaxed);
	if (w->b->cap > KEEP_RAW)
		buf_done(w->b);
	buf_reset(w->b);
	(void)!buf_room(w->b, MEMBER_RAW);
	return 0;
}

/* One value into its variable, a slice a statement: as one literal it could be
 * longer, being doubled, than the packet in which it once came, and no server
 * would take it back. A concatenation past max_allowed_packet gives NULL: the
 * statement prepared last fails then, and says why. */
static int add_long(struct writer *w, unsigned i, const char *v, size_t n)
{
	for (size_t done = 0, slice; done < n; done += slice) {
		size_t room, before = w->b->len;
		char *at, *from;

		slice = n - done < VALUE_MAX ? n - done : VALUE_MAX;
		while (w->k->form.v[i] == FORM_TEXT && done + slice < n && ((unsigned char)v[done + slice] & 0xc0) == 0x80)
			slice--; /* not in the middle of a character */
		buf_addf(w->b, done ? "SET @felloe_%u=CONCAT(@felloe_%u," : "SET @felloe_%u=", i, i);
		room = 2 * slice + 8;
		from = at = buf_room(w->b, room);
		if (!at)
			return -1;
		buf_grew(w->b, (size_t)(column_value(at, w->k->form.v[i], v + done, slice) - from));
		buf_adds(w->b, done ? ");\n" : ";\n");
		note_length(w, w->b->len - before);
	}
	note_length(w, n);
	buf_addf(w->b, "SET @felloe_whole=IF(LENGTH(@felloe_%u)<=>%zu,'DO 0','a value is longer than max_allowed_packet');\n"
		       "PREPARE felloe_whole FROM @felloe_whole;\n", i, n);
	return 0;
}

/* A row with long values: what goes before its INSERT. *n is how many there are. */
static int add_long_values(struct writer *w, MYSQL_ROW row, const unsigned long *len, unsigned *n, struct err *e)
{
	*n = 0;
	for (unsigned i = 0; i < w->k->n; i++) {
		if (!row[i] || !is_long(w->k, i, len[i]))
			continue;
		if (!*n)
			close_statement(w);
		*n += 1;
		if (add_long(w, i, row[i], len[i]))
			return buf_check(w->b, "a long value", e);
	}
	return 0;
}

static void end_long_values(struct writer *w, MYSQL_ROW row, const unsigned long *len)
{
	close_statement(w);
	for (unsigned i = 0; i < w->k->n; i++)
		if (row[i] && is_long(w->k, i, len[i]))
			buf_addf(w->b, "SET @felloe_%u=NULL;\n", i);
}

/* Inside of a chunk: one that is a cell has further parts. */
static int next_member(struct writer *w, struct err *e)
{
	if (end_member(w, e))
		return -1;
	if (w->grid || w->range->chunk)
		w->part++;
	else
		w->chunk++;
	w->cut = false;
	return 0;
}

static int next_cell(struct writer *w, MYSQL_ROW row, const unsigned long *len, struct err *e)
{
	uint64_t place;

	if (!grid_place(&place, row[w->grid_at], len[w->grid_at], w->grid->is_unsigned))
		return err_set(e, ERR_DB, "%s is \"%.40s\", which is not an integer", w->grid->name, row[w->grid_at]);
	if (w->chunk && place <= w->cell)
		return 0;
	if (end_member(w, e))
		return -1;
	w->cell = grid_last(place, w->range->shift);
	w->chunk++;
	w->part = 0;
	w->cut = false;
	return 0;
}

/* A new member, where one is due before a row that needs so much room. */
static int make_room(struct writer *w, size_t room, struct err *e)
{
	bool full = w->b->len >= CUT_MIN && w->cut;

	/* The statement stays under a megabyte unless one row alone is longer. */
	if (w->statement && (full || w->b->len - w->statement + room > STATEMENT_RAW))
		close_statement(w);
	full = full || (!w->statement && w->b->len + room > MEMBER_RAW - STATEMENT_RAW);
	if (w->b->len && full && next_member(w, e))
		return -1;
	if (!w->b->len) {
		prologue_begin_data(w->b);
		if (w->k->history)
			buf_adds(w->b, "SET @felloe_history=@@system_versioning_insert_history, "
				       "system_versioning_insert_history=1;\n");
	}
	return 0;
}

static int add_row(struct writer *w, MYSQL_ROW row, const unsigned long *len, struct err *e)
{
	size_t room = rows_room(w->k, len) + w->insert.len;
	unsigned n_long;
	char *at, *from;

	if (make_room(w, room, e) || add_long_values(w, row, len, &n_long, e))
		return -1;
	from = at = room < w->b->cap - w->b->len ? w->b->p + w->b->len : buf_room(w->b, room);
	if (!at)
		return buf_check(w->b, "a row", e);
	if (w->statement) {
		*at++ = ',';
		*at++ = '\n';
	} else {
		w->statement = w->b->len;
		memcpy(at, w->insert.p, w->insert.len);
		at += w->insert.len;
	}
	buf_grew(w->b, (size_t)(rows_write(at, w->k, row, len) - from));
	if (n_long)
		end_long_values(w, row, len);
	return 0;
}

static int set_apart(struct writer *w, MYSQL_ROW row, const unsigned long *len, struct err *e)
{
	CLEANUP(buf_done) struct buf where = {0};
	struct apart *a;

	buf_init(&where, 1 << 20);
	columns_where(w->k, row, len, &where);
	if (buf_check(&where, "the key of a row", e))
		return -1;
	a = list_push(&w->apart);
	a->chunk = w->chunk;
	a->where = buf_take(&where);
	return 0;
}

/* Each is a member: TABLE.CHUNK.v1.sql, .v2 ... */
static int dump_apart(struct writer *w, struct err *e)
{
	uint64_t chunk = 0;
	unsigned nth = 0;

	for (size_t i = 0; i < w->apart.n; i++) {
		const struct apart *a = &w->apart.v[i];
		const struct large_row l = {.c = w->job->c, .halt = w->job->halt, .k = w->k, .table = w->range->table,
					    .where = a->where};
		CLEANUP(buf_done) struct buf name = {0};
		struct large_out out = {.sink = w->job->sink, .b = w->b};

		nth = a->chunk == chunk ? nth + 1 : 1;
		chunk = a->chunk;
		begin_name(w, &name, chunk);
		buf_addf(&name, ".v%u.sql", nth);
		out.name = name.p;
		if (buf_check(&name, "name of a member", e) || large_dump(&l, &out, &w->digest, e))
			return -1;
		w->sum->bytes += out.bytes;
		note_length(w, out.longest);
		atomic_fetch_add_explicit(&w->job->total->bytes, out.bytes, memory_order_relaxed);
	}
	return 0;
}

static void count(struct writer *w)
{
	atomic_fetch_add_explicit(&w->job->total->rows, w->digest.rows - w->counted, memory_order_relaxed);
	w->counted = w->digest.rows;
}

static void tell(struct writer *w)
{
	const struct dump_sink *sink = w->job->sink;
	int64_t now;

	count(w);

	if (!sink->progress)
		return;
	now = clock_mono_ms();
	if (now - w->told < PROGRESS_MS)
		return;
	w->told = now;
	sink->progress(sink->ctx, w->range->table, atomic_load(&w->job->total->rows),
		       atomic_load(&w->job->total->bytes) + w->b->len);
}

static int read_rows(struct writer *w, MYSQL_RES *r, struct err *e)
{
	unsigned selected = w->sliced ? w->k->n : mysql_num_fields(r);
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(r))) {
		const unsigned long *len = mysql_fetch_lengths(r);
		size_t before = w->b->len;
		uint64_t hash;

		if (halt_check(w->job->halt, e) || (w->grid && next_cell(w, row, len, e)))
			return -1;
		if (w->sliced && row[selected] && *row[selected] == '1') {
			if (set_apart(w, row, len, e))
				return -1;
			continue;
		}
		hash = digest_row(&w->digest, row, len, selected);
		if (add_row(w, row, len, e))
			return -1;
		w->cut = w->cut || (w->b->len >= CUT_MIN && hash % CUT_MEAN < w->b->len - before);
		if (w->digest.rows % LOOK_ROWS == 0)
			tell(w);
	}
	return conn_ended(w->job->c, e);
}

static void begin_insert(struct writer *w)
{
	buf_init(&w->insert, 8 << 20);
	buf_adds(&w->insert, "INSERT INTO ");
	sql_ident(&w->insert, w->range->table);
	buf_addf(&w->insert, " (%s) VALUES\n", w->k->names);
}

static void writer_done(struct writer *w)
{
	digest_done(&w->digest);
	buf_done(&w->insert);
	for (size_t i = 0; i < w->apart.n; i++)
		free(w->apart.v[i].where);
	list_done(&w->apart);
}

static int dump_stream(struct writer *w, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 8 << 20);
	buf_adds(&sql, "SELECT /*!40001 SQL_NO_CACHE */ ");
	if (w->sliced)
		columns_bounded_list(w->k, &sql);
	else
		buf_adds(&sql, w->k->select_list);
	buf_adds(&sql, " FROM ");
	sql_ident(&sql, w->range->table);
	buf_adds(&sql, sql_history_of(w->k->select_list));
	buf_adds(&sql, w->range->tail);
	if (buf_check(&sql, "select list", e) || conn_stream(w->job->c, &r, sql.p, e))
		return -1;
	if (read_rows(w, r, e)) {
		conn_abandon(w->job->c);
		return -1;
	}
	return end_member(w, e);
}

int rows_dump(const struct rows_job *job, const struct columns *k, const struct rows_range *range,
	      struct rows_sum *ret, struct err *e)
{
	CLEANUP(writer_done) struct writer w = {.job = job, .k = k, .range = range, .sum = ret, .b = job->member};

	digest_init(&w.digest);
	buf_reset(w.b);
	begin_insert(&w);
	if (!range->chunk && range->shift < GRID_WHOLE)
		w.grid = columns_grid(k, &w.grid_at);
	w.chunk = w.grid ? 0 : range->chunk ? range->chunk : 1;
	w.sliced = columns_sliced(k);
	if (dump_stream(&w, e) || dump_apart(&w, e))
		return err_wrap(e, "table `%s`", range->table);

	count(&w);
	digest_join(&ret->digest, &w.digest);
	return 0;
}
