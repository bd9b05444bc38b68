/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/rows.h"

#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/digest.h"
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
	VALUE_MAX = 4 << 20,       /* doubled it fits the smallest usual max_allowed_packet, 16 MiB */
};
#define LITERAL_MAX ((size_t)5 << 29) /* hex of the largest value there is, 1 GiB, and the rest of its row */

void rows_buf(struct buf *b)
{
	/* At its full size at once: growing step by step would leave holes that stay in memory. Pages
	 * that no member reaches are never touched. */
	buf_init(b, LITERAL_MAX);
	(void)!buf_room(b, MEMBER_RAW);
}

void columns_done(struct columns *k)
{
	free(k->names);
	free(k->select_list);
	list_done(&k->form);
	*k = (struct columns){0};
}

/* The form of a column by its declared type ("int(11) unsigned"). What is not
 * known is text: UUID, INET6 and such come as text and are read from it. */
static enum column_form form_of(const char *type)
{
	static const struct {
		const char *word;
		enum column_form form;
	} known[] = {
		{"tinyint", FORM_NUMBER}, {"smallint", FORM_NUMBER}, {"mediumint", FORM_NUMBER}, {"int", FORM_NUMBER},
		{"bigint", FORM_NUMBER}, {"decimal", FORM_NUMBER}, {"year", FORM_NUMBER}, {"double", FORM_NUMBER},
		{"float", FORM_NUMBER}, {"bit", FORM_HEX}, {"binary", FORM_HEX}, {"varbinary", FORM_HEX},
		{"tinyblob", FORM_HEX}, {"blob", FORM_HEX}, {"mediumblob", FORM_HEX}, {"longblob", FORM_HEX},
		{"geometry", FORM_HEX}, {"point", FORM_HEX}, {"linestring", FORM_HEX}, {"polygon", FORM_HEX},
		{"multipoint", FORM_HEX}, {"multilinestring", FORM_HEX}, {"multipolygon", FORM_HEX},
		{"geometrycollection", FORM_HEX}, {"geomcollection", FORM_HEX}, {"vector", FORM_HEX},
		{"date", FORM_PLAIN}, {"datetime", FORM_PLAIN}, {"timestamp", FORM_PLAIN}, {"time", FORM_PLAIN},
	};
	size_t n = strcspn(type, "( ");

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i].word) == n && !strncasecmp(known[i].word, type, n))
			return known[i].form;
	return FORM_TEXT;
}

/* Text whose character set loses nothing on the way to utf8mb4 and back. In the
 * others some bytes have no character in Unicode, or two have the same (sjis, gbk,
 * cp932, cp1250 ...): they travel as bytes. */
static bool is_text_safe(const char *collation)
{
	static const char *const safe[] = {"utf8mb4", "utf8mb3", "utf8", "latin1", "ucs2", "utf16", "utf16le", "utf32"};
	size_t n = strcspn(collation, "_");

	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		if (strlen(safe[i]) == n && !strncasecmp(safe[i], collation, n))
			return true;
	return false;
}

static bool is_named_set(const char *type)
{
	return !strncasecmp(type, "enum(", 5) || !strncasecmp(type, "set(", 4);
}

/* How the column is selected, and so written. */
static enum column_form add_column(struct buf *list, const char *name, const char *type, const char *collation)
{
	enum column_form form = form_of(type);
	/* the names in an ENUM or SET came as utf8mb4 in the definition */
	bool bytes = form == FORM_TEXT && collation && !is_text_safe(collation) && !is_named_set(type);

	if (bytes)
		buf_adds(list, "CAST(");
	sql_ident(list, name);
	if (bytes)
		buf_adds(list, " AS BINARY)");
	else if (!strncasecmp(type, "float", 5))
		buf_adds(list, "+0e0");
	return bytes ? FORM_HEX : form;
}

static bool is_generated(const char *extra)
{
	/* Not MySQL's DEFAULT_GENERATED, which is an ordinary column with an expression as its default. */
	return strstr(extra, "VIRTUAL GENERATED") || strstr(extra, "STORED GENERATED") || strstr(extra, "PERSISTENT");
}

int columns_read(struct columns *ret, struct conn *c, const char *table, struct err *e)
{
	CLEANUP(columns_done) struct columns k = {0};
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf names = {0}, list = {0};
	MYSQL_ROW row;

	buf_init(&names, 4 << 20);
	buf_init(&list, 4 << 20);
	if (conn_rows_of(c, &r, "SHOW FULL COLUMNS FROM ", table, e))
		return err_wrap(e, "table `%s`", table);
	while ((row = mysql_fetch_row(r))) { /* Field, Type, Collation, Null, Key, Default, Extra, ... */
		if (is_generated(str_or(row[6], "")))
			continue;
		if (names.len) {
			buf_addc(&names, ',');
			buf_addc(&list, ',');
		}
		sql_ident(&names, row[0]);
		*list_push(&k.form) = (unsigned char)add_column(&list, row[0], row[1], row[2]);
		k.n++;
	}
	if (buf_check(&names, "column list", e) || buf_check(&list, "column list", e))
		return -1;
	if (!k.n)
		buf_adds(&list, "1"); /* nothing but generated columns: only the number of rows matters */
	k.names = buf_take(&names);
	k.select_list = buf_take(&list);

	*ret = k;
	k = (struct columns){0};
	return 0;
}

/* Is the column that ends in " GENERATED ALWAYS AS ROW START" a time, and no number of a transaction? */
static bool keeps_times(const char *text, const char *column)
{
	CLEANUP(freep) char *want = xasprintf("\n  %s timestamp(6) ", column);

	return strstr(text, want);
}

int columns_add_history(struct columns *ret, struct conn *c, const char *table, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf from = {0}, to = {0};
	CLEANUP(freep) char *names = NULL, *list = NULL;
	MYSQL_ROW row;

	buf_init(&from, 4096);
	buf_init(&to, 4096);
	if (conn_rows_of(c, &r, "SHOW CREATE TABLE ", table, e))
		return err_wrap(e, "table `%s`", table);
	row = mysql_fetch_row(r);
	if (!row || !row[1])
		return conn_fail(c, e);
	if (!sql_period_columns(row[1], mysql_fetch_lengths(r)[1], &from, &to)) {
		buf_adds(&from, "`row_start`"); /* as they are called where the definition does not name them */
		buf_adds(&to, "`row_end`");
	} else if (!keeps_times(row[1], from.p)) {
		return 0;
	}
	names = xasprintf("%s%s%s,%s", ret->names, ret->n ? "," : "", from.p, to.p);
	list = xasprintf("%s%s%s,%s" SQL_HISTORY, ret->n ? ret->select_list : "", ret->n ? "," : "", from.p, to.p);
	free(ret->names);
	free(ret->select_list);
	ret->names = TAKE(names);
	ret->select_list = TAKE(list);
	*list_push(&ret->form) = FORM_PLAIN;
	*list_push(&ret->form) = FORM_PLAIN;
	ret->n += 2;
	ret->history = true;
	return 0;
}

static char *write_value(char *at, enum column_form form, const char *v, size_t n)
{
	switch (form) {
	case FORM_NUMBER:
		at = sql_copy(at, v, n);
		if (n == 2 && v[0] == '-' && v[1] == '0') { /* as an integer literal it would lose its sign */
			memcpy(at, "e0", 2);
			at += 2;
		}
		return at;
	case FORM_HEX:
		if (!n)
			break;
		memcpy(at, "0x", 2);
		return sql_hex(at + 2, v, n);
	case FORM_PLAIN:
		*at++ = '\'';
		at = sql_copy(at, v, n);
		*at = '\'';
		return at + 1;
	case FORM_TEXT:
	default:
		break;
	}
	*at++ = '\'';
	at = sql_escape(at, v, n);
	*at++ = '\'';
	return at;
}

static bool is_long(const struct columns *k, unsigned i, unsigned long len)
{
	return len > VALUE_MAX && (k->form.v[i] == FORM_HEX || k->form.v[i] == FORM_TEXT);
}

/* What a row may need at most: each byte doubled, quotes, a comma. */
static size_t rows_room(const struct columns *k, const unsigned long *len)
{
	size_t room = 8;

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
			at = write_value(at, k->form.v[i], row[i], len[i]);
		} else {
			memcpy(at, "NULL", 4);
			at += 4;
		}
	}
	*at++ = ')';
	return at;
}

struct writer {
	const struct rows_job *job;
	const struct columns *k;
	struct dump_table *t;
	struct digest digest;
	struct buf *b;     /* the member so far */
	struct buf insert; /* INSERT INTO `t` (…) VALUES */
	size_t statement;  /* where the open statement begins in b; 0: none is open */
	unsigned members;
	uint64_t counted;  /* rows that are in the total */
	int64_t told;      /* clock of the last progress */
};

static void close_statement(struct writer *w)
{
	if (w->statement)
		buf_adds(w->b, ";\n");
	w->statement = 0;
}

static int hand_over(struct writer *w, const char *name, struct err *e)
{
	const struct dump_sink *sink = w->job->sink;

	if (sink->swap)
		return sink->swap(sink->ctx, name, w->b, e);
	return sink->member(sink->ctx, name, w->b->p, w->b->len, e);
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
	buf_init(&name, 4096);
	buf_adds(&name, "db/20-data/");
	member_name(&name, w->t->name);
	buf_addf(&name, ".%05u.sql", ++w->members);
	n = w->b->len;
	if (buf_check(&name, "name of a member", e) || hand_over(w, name.p, e))
		return -1;
	w->t->bytes += n;
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
		size_t room;
		char *at, *from;

		slice = n - done < VALUE_MAX ? n - done : VALUE_MAX;
		while (w->k->form.v[i] == FORM_TEXT && done + slice < n && ((unsigned char)v[done + slice] & 0xc0) == 0x80)
			slice--; /* not in the middle of a character */
		buf_addf(w->b, done ? "SET @felloe_%u=CONCAT(@felloe_%u," : "SET @felloe_%u=", i, i);
		room = 2 * slice + 8;
		from = at = buf_room(w->b, room);
		if (!at)
			return -1;
		buf_grew(w->b, (size_t)(write_value(at, w->k->form.v[i], v + done, slice) - from));
		buf_adds(w->b, done ? ");\n" : ";\n");
	}
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

static int add_row(struct writer *w, MYSQL_ROW row, const unsigned long *len, struct err *e)
{
	size_t room = rows_room(w->k, len) + w->insert.len;
	unsigned n_long;
	char *at, *from;

	/* The statement stays under a megabyte unless one row alone is longer. */
	if (w->statement && w->b->len - w->statement + room > STATEMENT_RAW)
		close_statement(w);
	if (!w->statement && w->b->len + room > MEMBER_RAW - STATEMENT_RAW && end_member(w, e))
		return -1;
	if (!w->b->len) {
		prologue_begin_data(w->b);
		if (w->k->history)
			buf_adds(w->b, "SET @felloe_history=@@system_versioning_insert_history, "
				       "system_versioning_insert_history=1;\n");
	}
	if (add_long_values(w, row, len, &n_long, e))
		return -1;
	from = at = buf_room(w->b, room);
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
	sink->progress(sink->ctx, w->t->name, atomic_load(&w->job->total->rows),
		       atomic_load(&w->job->total->bytes) + w->b->len);
}

static int read_rows(struct writer *w, MYSQL_RES *r, struct err *e)
{
	unsigned selected = mysql_num_fields(r);
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(r))) {
		const unsigned long *len = mysql_fetch_lengths(r);

		if (halt_check(w->job->halt, e))
			return -1;
		digest_row(&w->digest, row, len, selected);
		if (add_row(w, row, len, e))
			return -1;
		if (w->digest.rows % LOOK_ROWS == 0)
			tell(w);
	}
	return conn_ended(w->job->c, e);
}

static void begin_insert(struct writer *w)
{
	buf_init(&w->insert, 8 << 20);
	buf_adds(&w->insert, "INSERT INTO ");
	sql_ident(&w->insert, w->t->name);
	buf_addf(&w->insert, " (%s) VALUES\n", w->k->names);
}

static void writer_done(struct writer *w)
{
	digest_done(&w->digest);
	buf_done(&w->insert);
}

static int dump_stream(struct writer *w, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0};

	buf_init(&sql, 8 << 20);
	buf_addf(&sql, "SELECT /*!40001 SQL_NO_CACHE */ %s FROM ", w->k->select_list);
	sql_ident(&sql, w->t->name);
	buf_adds(&sql, sql_history_of(w->k->select_list));
	if (buf_check(&sql, "select list", e) || conn_stream(w->job->c, &r, sql.p, e))
		return -1;
	if (read_rows(w, r, e)) {
		conn_abandon(w->job->c);
		return -1;
	}
	return end_member(w, e);
}

int rows_dump(const struct rows_job *job, const struct columns *k, struct dump_table *t, struct err *e)
{
	CLEANUP(writer_done) struct writer w = {.job = job, .k = k, .t = t, .b = job->member};

	digest_init(&w.digest);
	buf_reset(w.b);
	begin_insert(&w);
	if (dump_stream(&w, e))
		return err_wrap(e, "table `%s`", t->name);

	t->rows = w.digest.rows;
	digest_get(&w.digest, t->digest);
	count(&w);
	return 0;
}
