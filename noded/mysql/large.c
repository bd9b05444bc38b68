/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/large.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/prologue.h"
#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { BLOCK = 64 << 20 };

/* Where the row goes: into a digest, into a size, or to the sink. */
struct target {
	struct digest *digest;           /* NULL: not any more */
	bool sql;                        /* false: nothing is made of it */
	const struct dump_sink *sink;    /* NULL: its size only */
	struct buf *b;
	uint64_t size, longest;          /* of all; of its longest statement or value */
};

static void note_length(struct target *t, uint64_t n)
{
	if (n > t->longest)
		t->longest = n;
}

/* What stands in b goes on its way. */
static int flush(struct target *t, struct err *e)
{
	if (!t->sql)
		return 0;
	if (buf_check(t->b, "a slice of a large value", e))
		return -1;
	t->size += t->b->len;
	if (t->sink && t->b->len && t->sink->write(t->sink->ctx, t->b->p, t->b->len, e))
		return -1;
	buf_reset(t->b);
	return 0;
}

static int ask_number(struct conn *c, const char *sql, uint64_t *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(c, &r, sql, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[0] || str_to_u64(ret, row[0], 0, UINT64_MAX))
		return err_set(e, ERR_DB, "the server cannot hold a value of this row in a variable: look at its memory and "
			       "max_allowed_packet");
	return 0;
}

/* The value's bytes as they are selected, in the variable; *n is how many. */
static int hold_value(const struct large_row *l, unsigned i, uint64_t *n, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};
	const char *expr = l->k->all.v[i].expr;

	buf_init(&sql, 1 << 20);
	buf_adds(&sql, "SET @felloe_value=(SELECT ");
	if (l->k->form.v[i] == FORM_TEXT)
		buf_addf(&sql, "CONVERT(CONVERT(%s USING utf8mb4) USING binary)", expr);
	else
		buf_adds(&sql, expr);
	buf_adds(&sql, " FROM ");
	sql_ident(&sql, l->table);
	buf_addf(&sql, " WHERE %s)", l->where);
	if (buf_check(&sql, "the key of a row", e) || conn_exec(l->c, sql.p, e))
		return -1;
	return ask_number(l->c, "SELECT LENGTH(@felloe_value)", n, e);
}

/* Without a character cut at its end, unless it is the last slice. */
static size_t whole_characters(const char *p, size_t n)
{
	size_t end = n;

	while (end && ((unsigned char)p[end - 1] & 0xc0) == 0x80)
		end--;
	if (end && (unsigned char)p[end - 1] >= 0xc0)
		end--;
	return end ? end : n;
}

/* What column_value would write. */
static uint64_t written(enum column_form form, const char *p, size_t n)
{
	uint64_t size = n + 2;

	if (form == FORM_HEX)
		return 2 + 2 * (uint64_t)n;
	for (size_t i = 0; i < n; i++)
		size += !p[i] || p[i] == '\n' || p[i] == '\r' || p[i] == '\\' || p[i] == '\'' || p[i] == 26;
	return size;
}

static int put_slice(struct target *t, enum column_form form, const char *p, size_t n, struct err *e)
{
	char *at;

	if (t->digest)
		digest_bytes(t->digest, p, n);
	if (!t->sql)
		return 0;
	if (!t->sink) {
		t->size += written(form, p, n);
	} else {
		at = buf_room(t->b, 2 * n + 5);
		if (at)
			buf_grew(t->b, (size_t)(column_value(at, form, p, n) - at));
	}
	buf_adds(t->b, ";\n");
	note_length(t, t->b->len);
	return flush(t, e);
}

/* A value on its way out of the server. To take a slice, the server copies all of the
 * variable: of a long value blocks go into a second one, and slices come from there. */
struct held {
	uint64_t length, done;
	uint64_t block;         /* where the block begins */
	bool blocks, loaded;
};

static int load_block(const struct large_row *l, struct held *h, struct err *e)
{
	char sql[128];

	if (!h->blocks || (h->loaded && h->done + VALUE_MAX <= h->block + BLOCK))
		return 0;
	h->block = h->done;
	h->loaded = true;
	snprintf(sql, sizeof(sql), "SET @felloe_block=SUBSTRING(@felloe_value,%" PRIu64 ",%d)", h->done + 1, BLOCK);
	return conn_exec(l->c, sql, e);
}

static int take_slice(const struct large_row *l, struct held *h, MYSQL_RES **ret, struct err *e)
{
	char sql[128];

	if (l->halt && halt_check(l->halt, e))
		return -1;
	if (load_block(l, h, e))
		return -1;
	snprintf(sql, sizeof(sql), "SELECT SUBSTRING(%s,%" PRIu64 ",%d)", h->blocks ? "@felloe_block" : "@felloe_value",
		 h->done - h->block + 1, VALUE_MAX);
	return conn_rows(l->c, ret, sql, e);
}

/* What put_value will write of bytes: that needs no look at them. */
static int measure_bytes(struct target *t, unsigned i, uint64_t length, unsigned *slices, struct err *e)
{
	for (*slices = 0; length; ++*slices) {
		uint64_t n = length < VALUE_MAX ? length : VALUE_MAX;

		buf_addf(t->b, "SET @felloe_%u_%u=;\n", i, *slices);
		t->size += 2 + 2 * n;
		if (flush(t, e))
			return -1;
		length -= n;
	}
	return 0;
}

/* *slices says into how many variables it went. */
static int put_value(const struct large_row *l, struct target *t, unsigned i, unsigned *slices, struct err *e)
{
	enum column_form form = l->k->form.v[i];
	struct held h = {0};

	if (hold_value(l, i, &h.length, e))
		return -1;
	h.blocks = h.length > BLOCK;
	note_length(t, h.length);
	if (t->sql && !t->sink && !t->digest)
		return measure_bytes(t, i, h.length, slices, e);
	if (t->digest)
		digest_column(t->digest, (int64_t)h.length);
	for (*slices = 0; h.done < h.length; ++*slices) {
		CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
		MYSQL_ROW row;
		size_t n;

		if (take_slice(l, &h, &r, e))
			return -1;
		row = mysql_fetch_row(r);
		n = row && row[0] ? mysql_fetch_lengths(r)[0] : 0;
		if (!n)
			return err_set(e, ERR_DB, "a value of this row could not be read beyond %" PRIu64 " bytes", h.done);
		if (form == FORM_TEXT && h.done + n < h.length)
			n = whole_characters(row[0], n);
		buf_addf(t->b, "SET @felloe_%u_%u=", i, *slices);
		if (put_slice(t, form, row[0], n, e))
			return -1;
		h.done += n;
	}
	return 0;
}

/* The row without its large values. */
static int fetch_rest(const struct large_row *l, MYSQL_RES **ret, struct err *e)
{
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 8 << 20);
	buf_adds(&sql, "SELECT ");
	for (size_t i = 0; i < l->k->all.n; i++) {
		const struct column *c = &l->k->all.v[i];

		if (c->large)
			buf_addf(&sql, "IF(LENGTH(%s)<=%d,%s,NULL),LENGTH(%s)>%d,", c->name, VALUE_MAX, c->expr, c->name, VALUE_MAX);
		else
			buf_addf(&sql, "%s,0,", c->expr);
	}
	sql.p[sql.len - 1] = ' ';
	buf_adds(&sql, "FROM ");
	sql_ident(&sql, l->table);
	buf_addf(&sql, " WHERE %s", l->where);
	if (buf_check(&sql, "the key of a row", e) || conn_rows(l->c, ret, sql.p, e))
		return -1;
	if (mysql_num_rows(*ret) != 1)
		return err_set(e, ERR_DB, "a row with large values was found %llu times by its key",
			       (unsigned long long)mysql_num_rows(*ret));
	return 0;
}

/* What was put for each column of the row. */
struct values {
	MYSQL_ROW row;           /* two fields a column: the value, and "1" when it is large */
	const unsigned long *len;
	unsigned *slices;        /* 0: it is not large */
};

static bool is_large(const struct values *v, unsigned i)
{
	return v->row[2 * i + 1] && str_eq(v->row[2 * i + 1], "1");
}

static int put_values(const struct large_row *l, struct target *t, struct values *v, struct err *e)
{
	if (t->digest)
		digest_begin(t->digest);
	for (unsigned i = 0; i < l->k->n; i++) {
		const char *value = v->row[2 * i];

		if (is_large(v, i)) {
			if (put_value(l, t, i, &v->slices[i], e))
				return -1;
		} else if (t->digest) {
			digest_column(t->digest, value ? (int64_t)v->len[2 * i] : -1);
			if (value)
				digest_bytes(t->digest, value, v->len[2 * i]);
		}
	}
	if (t->digest)
		digest_end(t->digest);
	return 0;
}

static void put_joined(struct buf *b, unsigned i, unsigned slices)
{
	buf_adds(b, "CONCAT(");
	for (unsigned j = 0; j < slices; j++)
		buf_addf(b, "%s@felloe_%u_%u", j ? "," : "", i, j);
	buf_addc(b, ')');
}

/* A CONCAT past max_allowed_packet gives NULL: the statement prepared fails before, and says why. */
static void put_test(struct buf *b, const struct values *v, unsigned i)
{
	buf_adds(b, "SET @felloe_whole=IF(@@max_allowed_packet>");
	for (unsigned j = 0; j < v->slices[i]; j++)
		buf_addf(b, "%sLENGTH(@felloe_%u_%u)", j ? "+" : "", i, j);
	buf_adds(b, ",'DO 0','a value is longer than max_allowed_packet');\nPREPARE felloe_whole FROM @felloe_whole;\n");
}

static void put_insert(const struct large_row *l, struct buf *b, const struct values *v)
{
	const struct columns *k = l->k;

	for (unsigned i = 0; i < k->n; i++)
		if (v->slices[i])
			put_test(b, v, i);
	buf_adds(b, "INSERT INTO ");
	sql_ident(b, l->table);
	buf_addf(b, " (%s) VALUES\n(", k->names);
	for (unsigned i = 0; i < k->n; i++) {
		const char *value = v->row[2 * i];
		size_t n = v->len[2 * i];
		char *at;

		if (i)
			buf_addc(b, ',');
		if (v->slices[i]) {
			put_joined(b, i, v->slices[i]);
		} else if (!value) {
			buf_adds(b, "NULL");
		} else if ((at = buf_room(b, 2 * n + 5))) {
			buf_grew(b, (size_t)(column_value(at, k->form.v[i], value, n) - at));
		}
	}
	buf_adds(b, ");\n");
	for (unsigned i = 0; i < k->n; i++)
		for (unsigned j = 0; j < v->slices[i]; j++)
			buf_addf(b, "SET @felloe_%u_%u=NULL;\n", i, j);
}

/* The row once through, to t. */
static int pass(const struct large_row *l, struct target *t, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *rest = NULL;
	CLEANUP(freep) unsigned *slices = xcalloc(l->k->n, sizeof(*slices));
	struct values v = {.slices = slices};

	if (fetch_rest(l, &rest, e))
		return -1;
	v.row = mysql_fetch_row(rest);
	v.len = mysql_fetch_lengths(rest);
	buf_reset(t->b);
	prologue_begin_data(t->b);
	if (flush(t, e) || put_values(l, t, &v, e))
		return -1;
	put_insert(l, t->b, &v);
	note_length(t, t->b->len);
	prologue_end_data(t->b);
	return flush(t, e);
}

static int forget_value(const struct large_row *l, struct err *e)
{
	return conn_exec(l->c, "SET @felloe_value=NULL, @felloe_block=NULL", e);
}

int large_digest(const struct large_row *l, struct digest *d, struct err *e)
{
	CLEANUP(buf_done) struct buf none = {0};
	struct target t = {.digest = d, .b = &none};

	return pass(l, &t, e) || forget_value(l, e) ? err_wrap(e, "table `%s`", l->table) : 0;
}

/* The sink takes no pieces: b grows to the whole. */
static int keep_piece(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *whole = ctx;

	buf_add(whole, p, n);
	return buf_check(whole, "a member with a large value", e);
}

static int dump_held(const struct large_row *l, struct large_out *out, struct digest *d, struct err *e)
{
	CLEANUP(buf_done) struct buf whole = {0};
	const struct dump_sink keep = {.write = keep_piece, .ctx = &whole};
	struct target t = {.digest = d, .sql = true, .sink = &keep, .b = out->b};

	buf_init(&whole, SIZE_MAX / 2);
	if (pass(l, &t, e))
		return -1;
	out->bytes = t.size;
	out->longest = t.longest;
	return out->sink->member(out->sink->ctx, out->name, whole.p, whole.len, e);
}

/* Can the size of the member be told without reading the large values? */
static bool bytes_only(const struct columns *k)
{
	for (unsigned i = 0; i < k->n; i++)
		if (k->all.v[i].large && k->form.v[i] != FORM_HEX)
			return false;
	return true;
}

static int dump_pieces(const struct large_row *l, struct large_out *out, struct digest *d, struct err *e)
{
	const struct dump_sink *sink = out->sink;
	bool once = bytes_only(l->k);
	struct target measure = {.digest = once ? NULL : d, .sql = true, .b = out->b};
	struct target t = {.digest = once ? d : NULL, .sql = true, .sink = sink, .b = out->b};

	if (pass(l, &measure, e))
		return -1;
	out->bytes = measure.size;
	if (sink->begin(sink->ctx, out->name, out->bytes, e))
		return -1;
	if (pass(l, &t, e)) {
		sink->fail(sink->ctx);
		return -1;
	}
	out->longest = t.longest;
	return sink->end(sink->ctx, e);
}

int large_dump(const struct large_row *l, struct large_out *out, struct digest *d, struct err *e)
{
	int failed = (out->sink->begin ? dump_pieces(l, out, d, e) : dump_held(l, out, d, e)) || forget_value(l, e);

	buf_reset(out->b);
	return failed ? err_wrap(e, "table `%s`", l->table) : 0;
}
