/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "noded/mysql/sqltext.h"
#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/str.h"

static void free_column(struct column *c)
{
	free(c->name);
	free(c->expr);
}

void columns_done(struct columns *k)
{
	free(k->names);
	free(k->select_list);
	free(k->order);
	list_done(&k->form);
	for (size_t i = 0; i < k->all.n; i++)
		free_column(&k->all.v[i]);
	list_done(&k->all);
	list_done(&k->key);
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
		{"bigint", FORM_NUMBER}, {"decimal", FORM_NUMBER}, {"year", FORM_NUMBER}, {"double", FORM_REAL},
		{"float", FORM_REAL}, {"bit", FORM_HEX}, {"binary", FORM_HEX}, {"varbinary", FORM_HEX},
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

/* An ENUM or SET of which one name is '': as text that and "none of them" are the same. */
static bool has_empty_name(const char *type)
{
	const char *end = type + strlen(type), *p = is_named_set(type) ? strchr(type, '(') + 1 : end;

	while (p < end && *p == '\'') {
		const char *next = sql_token_end(p, end);

		if (next - p == 2)
			return true;
		p = next + (*next == ',');
	}
	return false;
}

/* FLOAT as DOUBLE, for SELECT prints six digits of it. MySQL keeps the sign of a DOUBLE 0, MariaDB does not: with it a
 * table that moves from one to the other would not agree with its digest. */
static bool needs_sum(const char *type, bool maria)
{
	return !strncasecmp(type, "float", 5) || (!maria && !strncasecmp(type, "double", 6));
}

/* How the column is selected, and so written. */
static enum column_form add_column(struct buf *list, MYSQL_ROW row, bool maria)
{
	const char *name = row[0], *type = row[1], *collation = row[2];
	enum column_form form = form_of(type);
	/* the names in an ENUM or SET came as utf8mb4 in the definition */
	bool bytes = form == FORM_TEXT && collation && !is_text_safe(collation) && !is_named_set(type);
	bool number = has_empty_name(type);

	if (bytes)
		buf_adds(list, "CAST(");
	sql_ident(list, name);
	if (bytes)
		buf_adds(list, " AS BINARY)");
	else if (needs_sum(type, maria))
		buf_adds(list, "+0e0");
	else if (number)
		buf_adds(list, "+0");
	return bytes ? FORM_HEX : number ? FORM_NUMBER : form;
}

static bool is_generated(const char *extra)
{
	/* Not MySQL's DEFAULT_GENERATED, which is an ordinary column with an expression as its default. */
	return strstr(extra, "VIRTUAL GENERATED") || strstr(extra, "STORED GENERATED") || strstr(extra, "PERSISTENT");
}

static bool is_one_of(const char *type, const char *const *words, size_t n_words)
{
	size_t n = strcspn(type, "( ");

	for (size_t i = 0; i < n_words; i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], type, n))
			return true;
	return false;
}

static struct column describe(const char *quoted, const char *expr, MYSQL_ROW row)
{
	const char *type = row[1];
	static const char *const integers[] = {"tinyint", "smallint", "mediumint", "int", "bigint"};
	static const char *const inexact[] = {"float", "double"};
	static const char *const large[] = {"mediumtext", "longtext", "mediumblob", "longblob", "json"};

	return (struct column){
		.name = xstrdup(quoted),
		.expr = xstrdup(expr),
		.key = str_eq(row[4], "PRI"),
		.integer = is_one_of(type, integers, ARRAY_LEN(integers)),
		.is_unsigned = strstr(type, "unsigned") != NULL,
		.inexact = is_one_of(type, inexact, ARRAY_LEN(inexact)),
		.large = is_one_of(type, large, ARRAY_LEN(large)),
	};
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
		size_t at = names.len + (names.len > 0), list_at = list.len + (list.len > 0);

		k.keys += str_eq(row[4], "PRI");
		if (is_generated(str_or(row[6], "")))
			continue;
		if (names.len) {
			buf_addc(&names, ',');
			buf_addc(&list, ',');
		}
		sql_ident(&names, row[0]);
		*list_push(&k.form) = (unsigned char)add_column(&list, row, conn_is_maria(c));
		*list_push(&k.all) = describe(names.p + at, list.p + list_at, row);
		k.n++;
	}
	if (buf_check(&names, "column list", e) || buf_check(&list, "column list", e))
		return -1;
	if (!k.n)
		buf_adds(&list, "1"); /* nothing but generated columns: only the number of rows matters */
	k.names = buf_take(&names);
	k.select_list = buf_take(&list);
	k.order = xstrdup("");

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

static void push_plain(struct columns *k, const struct buf *name)
{
	struct column *c = list_push(&k->all);

	c->name = xstrdup(name->p);
	c->expr = xstrdup(name->p);
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
	push_plain(ret, &from);
	push_plain(ret, &to);
	ret->n += 2;
	ret->history = true;
	return 0;
}

/* The one column of the key, when that is an integer. */
static bool single_integer(struct columns *k)
{
	for (size_t i = 0; k->keys == 1 && i < k->all.n; i++)
		if (k->all.v[i].key && k->all.v[i].integer) {
			free(k->order);
			k->order = xstrdup(k->all.v[i].name);
			*list_push(&k->key) = (int)i;
			return true;
		}
	return false;
}

static int place_of(const struct columns *k, const char *quoted)
{
	for (size_t i = 0; i < k->all.n; i++)
		if (str_eq(k->all.v[i].name, quoted))
			return (int)i;
	return -1;
}

static void add_key_column(struct columns *k, struct buf *order, bool *whole, MYSQL_ROW row)
{
	CLEANUP(buf_done) struct buf name = {0};

	buf_init(&name, 4096);
	sql_ident(&name, row[4]);
	*list_push(&k->key) = place_of(k, name.p);
	/* The index knows the beginnings of such a value only: to order by all of it would mean to sort. */
	*whole = *whole && !row[7];
	if (!*whole)
		return;
	if (order->len)
		buf_addc(order, ',');
	buf_adds(order, name.p);
	if (str_eq(row[5], "D"))
		buf_adds(order, " DESC");
}

int columns_key(struct columns *k, struct conn *c, const char *table, bool primary, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf sql = {0}, order = {0};
	bool whole = true;
	MYSQL_ROW row;

	if (!k->keys || (!primary && single_integer(k)))
		return 0;
	buf_init(&order, 1 << 20);
	buf_init(&sql, 4096);
	buf_adds(&sql, "SHOW KEYS FROM ");
	sql_ident(&sql, table);
	buf_adds(&sql, " WHERE Key_name='PRIMARY'");
	if (buf_check(&sql, "statement", e) || conn_rows(c, &r, sql.p, e))
		return err_wrap(e, "table `%s`", table);
	k->key.n = 0;
	while ((row = mysql_fetch_row(r))) /* Table, Non_unique, Key_name, Seq_in_index, Column_name, Collation, Cardinality, Sub_part */
		add_key_column(k, &order, &whole, row);
	k->primary = k->key.n > 0;
	free(k->order);
	k->order = buf_take(&order);
	return 0;
}

const struct column *columns_grid(const struct columns *k, unsigned *at)
{
	if (!k->key.n || k->key.v[0] < 0 || !*k->order || !k->all.v[k->key.v[0]].integer)
		return NULL;
	*at = (unsigned)k->key.v[0];
	return &k->all.v[*at];
}

bool columns_sliced(const struct columns *k)
{
	bool large = false;

	for (size_t i = 0; i < k->all.n; i++)
		large = large || k->all.v[i].large;
	if (!large || !k->keys || k->key.n != k->keys || k->history)
		return false;
	for (size_t i = 0; i < k->key.n; i++)
		if (k->key.v[i] < 0 || k->all.v[k->key.v[i]].inexact || k->all.v[k->key.v[i]].large)
			return false;
	return true;
}

void columns_bounded_list(const struct columns *k, struct buf *b)
{
	const char *or = "";

	for (size_t i = 0; i < k->all.n; i++) {
		const struct column *c = &k->all.v[i];

		if (c->large)
			buf_addf(b, "IF(LENGTH(%s)<=%d,%s,NULL),", c->name, VALUE_MAX, c->expr);
		else
			buf_addf(b, "%s,", c->expr);
	}
	for (size_t i = 0; i < k->all.n; i++) {
		if (!k->all.v[i].large)
			continue;
		buf_addf(b, "%sLENGTH(%s)>%d", or, k->all.v[i].name, VALUE_MAX);
		or = " OR ";
	}
}

void columns_where(const struct columns *k, MYSQL_ROW row, const unsigned long *len, struct buf *b)
{
	for (size_t i = 0; i < k->key.n; i++) {
		int at = k->key.v[i];
		char *to;

		buf_addf(b, "%s%s=", i ? " AND " : "", k->all.v[at].name);
		to = buf_room(b, 2 * len[at] + 5);
		if (to)
			buf_grew(b, (size_t)(column_value(to, k->form.v[at], row[at], len[at]) - to));
	}
}
