/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/schema.h"

#include <mysqld_error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/journal.h"
#include "noded/mysql/prologue.h"
#include "noded/mysql/rows.h"
#include "noded/mysql/snapshot.h"
#include "noded/mysql/sqltext.h"
#include "noded/mysql/vieworder.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

enum { DEFINITION_MAX = 64 << 20 };

void schema_done(struct schema *s)
{
	list_done(&s->tables);
	list_done(&s->views);
	list_done(&s->sequences);
	list_done(&s->triggers);
	free(s->charset);
	free(s->collation);
	free(s->comment);
	*s = (struct schema){0};
}

void schema_warn(struct schema *s, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	if (!s->sink->warn)
		return;
	va_start(ap, fmt);
	(void)!vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_clean(text);
	s->sink->warn(s->sink->ctx, text);
}

void schema_member_name(struct buf *ret, const char *dir, const char *name)
{
	buf_init(ret, 4096);
	buf_addf(ret, "db/%s", dir);
	if (name)
		member_name(ret, name);
	buf_adds(ret, ".sql");
}

int schema_member(struct schema *s, const char *dir, const char *name, const struct buf *b, struct err *e)
{
	CLEANUP(buf_done) struct buf path = {0};

	schema_member_name(&path, dir, name);
	if (buf_check(b, "a definition", e) || buf_check(&path, "name of a member", e))
		return -1;
	return s->sink->member(s->sink->ctx, path.p, b->p, b->len, e);
}

/* Engines whose tables show the rows of others, or of another server: loading
 * them into a copy would write there. */
static bool is_window(const char *engine)
{
	static const char *const windows[] = {"MRG_MYISAM", "FEDERATED", "CONNECT", "SPIDER", "OQGRAPH", "VP", "BLACKHOLE"};

	for (size_t i = 0; i < ARRAY_LEN(windows); i++)
		if (str_ieq(engine, windows[i]))
			return true;
	return false;
}

/* 't' of "t" is left out whole, that of "t:data" keeps its structure. A name
 * that itself ends in ":data" is meant when it is there literally. */
static void apply_exclude(struct object *t, const struct strings *exclude)
{
	size_t n = strlen(t->name);

	for (size_t i = 0; exclude && i < exclude->n; i++) {
		const char *x = exclude->v[i];

		if (str_eq(x, t->name))
			t->left_out = true;
		else if (!strncmp(x, t->name, n) && str_eq(x + n, ":data"))
			t->data = false;
	}
}

static struct object *add_table(struct schema *s, const char *name, const char *engine, const struct strings *exclude)
{
	struct object *t = list_push(&s->tables);

	t->name = pool_add(s->strings, name);
	t->engine = pool_same(s->strings, engine);
	t->data = true;
	apply_exclude(t, exclude);
	s->leaves_out = s->leaves_out || t->left_out;
	if (t->left_out || !t->data)
		return t;
	if (is_window(engine)) {
		t->data = false;
		if (!str_ieq(engine, "BLACKHOLE"))
			schema_warn(s, "table `%s` is %s and holds no rows of its own: only its definition is backed up",
				    name, engine);
	}
	return t;
}

/* Of the database itself; MariaDB 10.5 has it. */
static void read_comment(struct schema *s)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows(s->c, &r, "SELECT SCHEMA_COMMENT FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE() AND "
				"CAST(SCHEMA_NAME AS BINARY) = CAST(DATABASE() AS BINARY)", NULL))
		return;
	row = mysql_fetch_row(r);
	if (row && str_starts(str_or(row[0], ""), JOURNAL_MADE))
		schema_warn(s, "a restore into `%s` was cut off before it began", s->db);
	else if (row && row[0])
		s->comment = xstrdup(row[0]);
}

static int list_table(struct schema *s, MYSQL_ROW row, const struct strings *exclude, struct err *e)
{
	bool versioned = str_eq(row[1], "SYSTEM VERSIONED"), hot = hot_has(s->hot, s->db, row[0]);

	if (hot) {
		s->hot_listed += hot_same(s->hot, s->db, row[0], str_or(row[3], ""));
	} else {
		s->listed++;
		s->marks ^= strtoull(str_or(row[6], "0"), NULL, 10);
	}
	if (str_eq(row[5], "1")) {
		schema_warn(s, "a restore into `%s` is not finished: what is there yet is backed up, without the journal of the restore",
			    s->db);
	} else if (str_eq(row[1], "VIEW")) {
		list_push(&s->views)->name = pool_add(s->strings, row[0]);
	} else if (str_eq(row[1], "SEQUENCE")) {
		list_push(&s->sequences)->name = pool_add(s->strings, row[0]);
	} else if (str_eq(row[1], "BASE TABLE") || versioned) {
		struct object *t = add_table(s, row[0], str_or(row[2], ""), exclude);

		/* ARCHIVE tells when its file was touched last, be it by us */
		t->created = pool_same(s->strings, str_ieq(t->engine, "ARCHIVE") ? "" : str_or(row[3], ""));
		t->bytes = strtoull(str_or(row[4], "0"), NULL, 10);
		t->versioned = versioned;
		t->history = versioned && s->history;
		t->hot = hot;
		if (s->met && t->data && !t->left_out && *t->created && strcmp(t->created, s->since) >= 0)
			hot_add(s->met, s->db, t->name);
	} else if (!str_eq(row[1], "TEMPORARY")) {
		return err_set(e, ERR_DB, "`%s` is a \"%s\", which this version does not know how to back up", row[0],
			       str_or(row[1], ""));
	}
	return 0;
}

static int list_tables(struct schema *s, const struct strings *exclude, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	/* The schema's name is compared as bytes too: "Shop" and "shop" may be two databases. */
	if (conn_stream(s->c, &r, "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_TIME, DATA_LENGTH, TABLE_NAME = '" JOURNAL_TABLE
				"' AND TABLE_COMMENT = '" JOURNAL_COMMENT "', " TABLE_MARK " FROM information_schema.TABLES "
				"WHERE TABLE_SCHEMA = DATABASE() AND CAST(TABLE_SCHEMA AS BINARY) = CAST(DATABASE() AS BINARY) "
				"ORDER BY TABLE_NAME", e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (list_table(s, row, exclude, e)) {
			conn_abandon(s->c);
			return -1;
		}
	return conn_ended(s->c, e);
}

bool schema_matches(const struct schema *s, const char *exclude)
{
	for (size_t i = 0; i < s->tables.n; i++) {
		const char *name = s->tables.v[i].name;
		size_t n = strlen(name);

		if (!strncmp(exclude, name, n) && (!exclude[n] || str_eq(exclude + n, ":data")))
			return true;
	}
	return false;
}

/* Each node of a cluster has its own rows of these. */
static void warn_of_kept(struct schema *s)
{
	const struct object *first = NULL;
	char count[UNITS_COUNT];
	size_t n = 0;

	for (size_t i = 0; i < s->tables.n; i++) {
		const struct object *t = &s->tables.v[i];

		if (t->left_out || !t->data || !cluster_keeps(s->cluster, t->engine))
			continue;
		first = first ? first : t;
		n++;
	}
	if (first)
		schema_warn(s, "%s of `%s` %s rows that the cluster does not keep the same on all nodes, `%s` (%s) first of all: the "
			    "backup has those of node %s; ALTER TABLE ... ENGINE=InnoDB makes them the same",
			    units_count(count, n, "table", "tables"), s->db, n == 1 ? "has" : "have", first->name, first->engine,
			    s->cluster->node);
}

int schema_open(struct schema *s, const char *db, const struct strings *exclude_tables, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	s->db = db;
	if (conn_use(s->c, db, e) || conn_rows(s->c, &r, "SELECT @@character_set_database, @@collation_database", e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(s->c, e);
	s->charset = xstrdup(row[0]);
	s->collation = xstrdup(row[1]);
	s->history = conn_exec(s->c, "SELECT @@system_versioning_insert_history", NULL) == 0;
	read_comment(s);
	if (list_tables(s, exclude_tables, e))
		return -1;
	warn_of_kept(s);
	return 0;
}

int schema_put_header(struct schema *s, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 4096);
	buf_adds(&b, "-- A database, in the order in which these members are to be loaded into an empty schema.\n");
	buf_addf(&b, "ALTER DATABASE CHARACTER SET %s ", s->charset);
	sql_collate(&b, s->collation);
	buf_adds(&b, ";\n");
	if (!str_empty(s->comment)) {
		buf_adds(&b, "SET @felloe_mode=@@sql_mode, sql_mode='';\nALTER DATABASE COMMENT ");
		sql_string(&b, s->comment, strlen(s->comment));
		buf_adds(&b, ";\nSET sql_mode=@felloe_mode;\n");
	}
	return schema_member(s, "00-header", NULL, &b, e);
}

int schema_put_footer(struct schema *s, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, 4096);
	buf_adds(&b, "-- End: nothing is missing after this line.\n");
	return schema_member(s, "99-footer", NULL, &b, e);
}

/* ARCHIVE takes no value below the next one: with AUTO_INCREMENT=3 rows 1 and 2
 * could not come back. It counts again while they do. */
static void drop_next_value(struct buf *b)
{
	static const char head[] = ") ENGINE=ARCHIVE AUTO_INCREMENT=";
	char *options = memrchr(b->p, '\n', b->len), *from, *to;

	if (!options || !str_starts(options + 1, head))
		return;
	from = options + sizeof(") ENGINE=ARCHIVE");
	to = options + sizeof(head) + strspn(options + sizeof(head), "0123456789");
	memmove(from, to, strlen(to) + 1);
	b->len -= (size_t)(to - from);
}

/* What a definition says but for the next AUTO_INCREMENT: that goes on while rows are written, and is not told before
 * the first of them. */
static uint64_t mark_of(const char *text, size_t n)
{
	static const char head[] = "\n) ", counter[] = " AUTO_INCREMENT=";
	const char *options = memmem(text, n, head, sizeof(head) - 1); /* a newline in a text is written \n */
	const char *at = options ? memmem(options, (size_t)(text + n - options), counter, sizeof(counter) - 1) : NULL;
	size_t before = at ? (size_t)(at - text) : n, behind = at ? before + sizeof(counter) - 1 : n;
	struct sha256 *hash = sha256_new();
	uint8_t digest[SHA256_LEN];
	uint64_t mark;

	behind += strspn(text + behind, "0123456789");
	sha256_add(hash, text, before);
	sha256_add(hash, text + behind, n - behind);
	sha256_end(hash, digest);
	sha256_free(hash);
	memcpy(&mark, digest, sizeof(mark));
	return mark;
}

int schema_mark(struct conn *c, const char *table, uint64_t *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows_of(c, &r, "SHOW CREATE TABLE ", table, e))
		return err_wrap(e, "table `%s`", table);
	row = mysql_fetch_row(r);
	if (!row || !row[1])
		return conn_fail(c, e);
	*ret = mark_of(row[1], mysql_fetch_lengths(r)[1]);
	return 0;
}

/* The text of SHOW CREATE TABLE or SEQUENCE, without our own qualifier. mark: see schema_mark; may be NULL. */
static int add_definition(struct schema *s, struct buf *b, const char *verb, const char *name, uint64_t *mark, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows_of(s->c, &r, verb, name, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[1])
		return conn_fail(s->c, e);
	if (mark)
		*mark = mark_of(row[1], mysql_fetch_lengths(r)[1]);
	sql_unqualify(b, row[1], mysql_fetch_lengths(r)[1], s->db);
	drop_next_value(b);
	buf_adds(b, ";\n");
	return 0;
}

static int add_setval(struct schema *s, struct buf *b, const char *name, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows_of(s->c, &r, "SELECT next_not_cached_value, cycle_count FROM ", name, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row)
		return conn_fail(s->c, e);
	buf_adds(b, "DO SETVAL(");
	sql_ident(b, name);
	buf_addf(b, ", %s, 0, %s);\n", row[0], row[1]);
	return 0;
}

int schema_put_sequences(struct schema *s, struct err *e)
{
	for (size_t i = 0; i < s->sequences.n; i++) {
		const char *name = s->sequences.v[i].name;
		CLEANUP(buf_done) struct buf b = {0};

		buf_init(&b, DEFINITION_MAX);
		prologue_begin(&b);
		buf_adds(&b, "DROP SEQUENCE IF EXISTS ");
		sql_ident(&b, name);
		buf_adds(&b, ";\n");
		if (add_definition(s, &b, "SHOW CREATE SEQUENCE ", name, NULL, e) || add_setval(s, &b, name, e))
			return err_wrap(e, "sequence `%s`", name);
		prologue_end(&b);
		if (schema_member(s, "10-schema/1-sequences/", name, &b, e))
			return -1;
	}
	return 0;
}

/* The columns are asked for when the rows are read; here only where that has something to tell. */
static int warn_of_history(struct schema *s, const struct object *t, struct err *e)
{
	CLEANUP(columns_done) struct columns k = {0};

	if (!t->versioned || !t->data)
		return 0;
	if (columns_read(&k, s->c, t->name, e) || (t->history && columns_add_history(&k, s->c, t->name, e)))
		return -1;
	if (!k.history)
		schema_warn(s, "table `%s` is system-versioned %s: only its current rows are backed up", t->name,
			    s->history ? "by transaction numbers" : "and the server is older than MariaDB 10.11");
	return 0;
}

static int put_table(struct schema *s, struct object *t, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	if (warn_of_history(s, t, e))
		return -1;
	buf_init(&b, DEFINITION_MAX);
	prologue_begin_table(&b);
	buf_adds(&b, "DROP TABLE IF EXISTS ");
	sql_ident(&b, t->name);
	buf_adds(&b, ";\n");
	if (add_definition(s, &b, "SHOW CREATE TABLE ", t->name, &t->definition, e))
		return err_wrap(e, "table `%s`", t->name);
	prologue_end_table(&b);
	return schema_member(s, "10-schema/2-tables/", t->name, &b, e);
}

int schema_put_tables(struct schema *s, struct err *e)
{
	for (size_t i = 0; i < s->tables.n; i++) {
		if (!s->tables.v[i].left_out && put_table(s, &s->tables.v[i], e))
			return -1;
		if (s->sink->defined)
			s->sink->defined(s->sink->ctx, i + 1, s->tables.n);
	}
	return 0;
}

/* Did the last SHOW CREATE VIEW say that the view cannot be used? SHOW COLUMNS
 * cannot be asked instead: it also fails where we lack EXECUTE for a function
 * that the view calls. */
static void look_at_warnings(struct schema *s, struct object *view)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (!mysql_warning_count(s->c->my) || conn_rows(s->c, &r, "SHOW WARNINGS", NULL))
		return;
	while ((row = mysql_fetch_row(r))) {
		unsigned long code = strtoul(row[1], NULL, 10);

		view->broken = view->broken || code == ER_VIEW_INVALID;
		view->dead = view->dead || code == ER_NO_SUCH_USER;
	}
}

/* "1 AS `a`, ..." into columns; empty for a view that is broken or cannot be read.
 * i is its number; what it uses goes to order. */
static int read_view(struct schema *s, size_t i, struct view_order *order, struct buf *columns, struct err *e)
{
	struct object *view = &s->views.v[i];
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	if (conn_rows_of(s->c, &r, "SHOW CREATE VIEW ", view->name, e))
		return e->kind == ERR_NET ? -1 : 0; /* db/30-post meets the same and warns */
	look_at_warnings(s, view);
	row = mysql_fetch_row(r);
	if (row && row[1])
		view_order_text(order, i, row[1], mysql_fetch_lengths(r)[1]);
	order->v[i].dead = view->dead;
	if (row && row[1] && !view->broken && !view->left_out)
		sql_view_columns(columns, row[1], mysql_fetch_lengths(r)[1]);
	return buf_check(columns, "columns of a view", e);
}

static int put_placeholder(struct schema *s, const char *name, const struct buf *columns, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, DEFINITION_MAX);
	prologue_begin(&b);
	buf_adds(&b, "DROP VIEW IF EXISTS ");
	sql_ident(&b, name);
	buf_adds(&b, ";\nCREATE SQL SECURITY INVOKER VIEW ");
	sql_ident(&b, name);
	buf_adds(&b, " AS SELECT\n");
	buf_add(&b, columns->p, columns->len);
	buf_adds(&b, ";\n");
	prologue_end(&b);
	return schema_member(s, "10-schema/3-view-placeholders/", name, &b, e);
}

/* Does the text name one of the list that is left out, as `db`.`name`? */
static bool refers(const struct schema *s, const char *text, const struct objects *list)
{
	for (size_t i = 0; i < list->n; i++) {
		CLEANUP(buf_done) struct buf b = {0};

		if (!list->v[i].left_out)
			continue;
		buf_init(&b, 4096);
		sql_ident(&b, s->db);
		buf_addc(&b, '.');
		sql_ident(&b, list->v[i].name);
		if (strstr(text, b.p))
			return true;
	}
	return false;
}

static struct object *view_called(struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->views.n; i++)
		if (str_eq(s->views.v[i].name, name))
			return &s->views.v[i];
	return NULL;
}

/* A view of a table that is left out could not be made again and would end the
 * restore of all that follows it; nor could a view of that view. */
static int leave_views_out(struct schema *s, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	bool more = s->leaves_out;
	MYSQL_ROW row;

	if (!more || !s->views.n)
		return 0;
	/* unlike SHOW CREATE it names the schema before each table */
	if (conn_rows(s->c, &r, "SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = "
				"DATABASE()", e))
		return -1;
	while (more) {
		more = false;
		mysql_data_seek(r, 0);
		while ((row = mysql_fetch_row(r))) {
			struct object *v = view_called(s, row[0]);

			if (v && !v->left_out && row[1] && (refers(s, row[1], &s->tables) || refers(s, row[1], &s->views)))
				v->left_out = more = true;
		}
	}
	return 0;
}

/* Put the views into the order in which they are to be made. */
static void sort_views(struct schema *s, struct view_order *order)
{
	CLEANUP(freep) size_t *at = xcalloc(s->views.n + 1, sizeof(*at));
	CLEANUP(freep) struct object *sorted = xcalloc(s->views.n + 1, sizeof(*sorted));

	view_order_get(order, at);
	for (size_t i = 0; i < s->views.n; i++)
		sorted[i] = s->views.v[at[i]];
	memcpy(s->views.v, sorted, s->views.n * sizeof(*sorted));
}

/* Views may use each other in any order: first each stands as a view of
 * constants with its columns, and 30-post replaces them one by one. */
int schema_put_placeholders(struct schema *s, struct err *e)
{
	CLEANUP(view_order_done) struct view_order order = {0};

	if (leave_views_out(s, e))
		return -1;
	for (size_t i = 0; i < s->views.n; i++)
		list_push(&order)->name = s->views.v[i].name;
	for (size_t i = 0; i < s->views.n; i++) {
		CLEANUP(buf_done) struct buf columns = {0};

		buf_init(&columns, DEFINITION_MAX);
		if (read_view(s, i, &order, &columns, e) ||
		    (columns.len && put_placeholder(s, s->views.v[i].name, &columns, e)))
			return err_wrap(e, "view `%s`", s->views.v[i].name);
	}
	if (s->views.n)
		sort_views(s, &order);
	return 0;
}
