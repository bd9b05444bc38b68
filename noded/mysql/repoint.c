/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/repoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/journal.h"
#include "noded/mysql/rename.h"
#include "noded/mysql/sqltext.h"
#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { SQL_MAX = 16 << 20 };
#define BETWEEN "felloe_" /* so begins the name of a key while it is made again */

struct key {
	char *schema, *table, *name;
	char *to;            /* the table */
	char *to_schema;
	char *on_update, *on_delete;
	char *index;         /* of just its columns; NULL: none */
	struct strings columns, to_columns;
};
struct keys {
	LIST_OF(struct key);
};
/* Names for a moment, and those to which they give way: no name is longer than 64
 * characters, so the one cannot be read out of the other. */
struct renamed {
	char *now, *real;
};
struct renames {
	LIST_OF(struct renamed);
};

/* What a key and its index shall be called; index NULL: as it is. */
struct other {
	char *key, *index;
};

static void other_done(struct other *o)
{
	free(o->key);
	free(o->index);
}

static void renames_done(struct renames *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].now);
		free(r->v[i].real);
	}
	list_done(r);
}

static void keys_done(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		struct key *key = &k->v[i];

		free(key->schema);
		free(key->table);
		free(key->name);
		free(key->to);
		free(key->to_schema);
		free(key->on_update);
		free(key->on_delete);
		free(key->index);
		strings_done(&key->columns);
		strings_done(&key->to_columns);
	}
	list_done(k);
}

static void add_string(struct buf *b, const char *text)
{
	sql_string(b, text, strlen(text));
}

static void add_name(struct buf *b, const char *db, const char *table)
{
	sql_ident(b, db);
	buf_addc(b, '.');
	sql_ident(b, table);
}

static void take_row(struct keys *ret, MYSQL_ROW row)
{
	struct key *k = ret->n ? &ret->v[ret->n - 1] : NULL;

	if (!k || !str_eq(k->schema, row[0]) || !str_eq(k->table, row[1]) || !str_eq(k->name, row[2])) {
		k = list_push(ret);
		*k = (struct key){.schema = xstrdup(row[0]), .table = xstrdup(row[1]), .name = xstrdup(row[2]),
				  .to_schema = xstrdup(row[3]), .to = xstrdup(row[4]), .on_update = xstrdup(row[5]),
				  .on_delete = xstrdup(row[6])};
	}
	strings_add(&k->columns, row[7]);
	strings_add(&k->to_columns, row[8]);
}

/* NULL: the name is the real one. */
static const char *real_name(const struct renames *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i].now, name))
			return names->v[i].real;
	return NULL;
}

static int take_rename(void *ctx, const char *name, const char *text, struct err *e)
{
	(void)e;
	*list_push((struct renames *)ctx) = (struct renamed){xstrdup(name), xstrdup(str_or(text, ""))};
	return 0;
}

/* The other name of a key or an index of k's table, written down before it is used. */
static int name_between(struct conn *c, struct renames *names, const struct key *k, const char *name, char **ret, struct err *e)
{
	CLEANUP(freep) char *all = xasprintf("%s\n%s\n%s", k->schema, k->table, name);
	char hex[2 * SHA256_LEN + 1];
	uint8_t digest[SHA256_LEN];

	sha256(digest, all, strlen(all));
	hex_encode(hex, digest, sizeof(digest));
	*ret = xasprintf(BETWEEN "%.32s", hex);
	if (real_name(names, *ret))
		return 0;
	*list_push(names) = (struct renamed){xstrdup(*ret), xstrdup(name)};
	return journal_add(c, "renamed", *ret, name, e);
}

static int read_keys(struct conn *c, const struct repoint *p, struct keys *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0}, both = {0};
	MYSQL_ROW row;

	buf_init(&both, 4096);
	add_string(&both, p->scratch);
	buf_adds(&both, ", ");
	add_string(&both, p->old);
	buf_init(&b, SQL_MAX);
	buf_addf(&b, "SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, "
		     "f.UPDATE_RULE, f.DELETE_RULE, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE k "
		     "JOIN information_schema.REFERENTIAL_CONSTRAINTS f ON f.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND "
		     "f.TABLE_NAME = k.TABLE_NAME AND f.CONSTRAINT_NAME = k.CONSTRAINT_NAME "
		     "WHERE k.TABLE_SCHEMA NOT IN (%s) AND (k.REFERENCED_TABLE_SCHEMA IN (%s) OR (k.REFERENCED_TABLE_SCHEMA = ",
		 both.p, both.p);
	add_string(&b, p->db);
	buf_adds(&b, " AND k.CONSTRAINT_NAME LIKE 'felloe\\_%')) ORDER BY 1, 2, 3, k.ORDINAL_POSITION");
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		take_row(ret, row);
	return 0;
}

static void add_key(struct buf *b, const struct repoint *p, const struct key *k, const char *name)
{
	buf_adds(b, "ADD CONSTRAINT ");
	sql_ident(b, name);
	buf_adds(b, " FOREIGN KEY (");
	for (size_t i = 0; i < k->columns.n; i++) {
		buf_adds(b, i ? ", " : "");
		sql_ident(b, k->columns.v[i]);
	}
	buf_adds(b, ") REFERENCES ");
	add_name(b, p->db, k->to);
	buf_adds(b, " (");
	for (size_t i = 0; i < k->to_columns.n; i++) {
		buf_adds(b, i ? ", " : "");
		sql_ident(b, k->to_columns.v[i]);
	}
	buf_adds(b, ")");
	/* the default; said in an ALTER it becomes NO ACTION, which is the same by another name */
	if (!str_eq(k->on_update, "RESTRICT"))
		buf_addf(b, " ON UPDATE %s", k->on_update);
	if (!str_eq(k->on_delete, "RESTRICT"))
		buf_addf(b, " ON DELETE %s", k->on_delete);
}

/* An index that the server made for the key would go with it and come back under
 * another name, after a while of building. One that was renamed counts as made by
 * a person: it stays, and the renaming costs nothing. */
static int find_index(struct conn *c, const struct renames *names, struct key *k, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(freep) char *name = NULL;
	size_t fits = 0, columns = 0;
	MYSQL_ROW row;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE INDEX_NAME <> 'PRIMARY' AND TABLE_SCHEMA = ");
	add_string(&b, k->schema);
	buf_adds(&b, " AND TABLE_NAME = ");
	add_string(&b, k->table);
	buf_adds(&b, " ORDER BY INDEX_NAME, SEQ_IN_INDEX");
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	do {
		row = mysql_fetch_row(r);
		if (!row || !str_eq(name, row[0])) {
			if (name && fits == columns && fits == k->columns.n && (!k->index || real_name(names, name))) {
				free(k->index);
				k->index = xstrdup(name);
			}
			free(name);
			name = row ? xstrdup(row[0]) : NULL;
			fits = columns = 0;
		}
		if (row && columns < k->columns.n && str_eq(row[1], k->columns.v[columns]))
			fits++;
		columns++;
	} while (row);
	return 0;
}

/* One statement: the key is there under either name, whatever happens. */
static int replace_key(struct conn *c, const struct repoint *p, struct key *k, struct other *to, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "ALTER TABLE ");
	add_name(&b, k->schema, k->table);
	buf_adds(&b, " DROP FOREIGN KEY ");
	sql_ident(&b, k->name);
	if (to->index) {
		buf_adds(&b, ", RENAME KEY ");
		sql_ident(&b, k->index);
		buf_adds(&b, " TO ");
		sql_ident(&b, to->index);
	}
	buf_adds(&b, ", ");
	add_key(&b, p, k, to->key);
	if (buf_check(&b, "ALTER TABLE", e) || conn_exec_n(c, b.p, b.len, e))
		return -1;
	free(k->name);
	k->name = TAKE(to->key);
	if (to->index) {
		free(k->index);
		k->index = TAKE(to->index);
	}
	return 0;
}

/* Away from the real names. */
static int step_aside(struct conn *c, const struct repoint *p, struct renames *names, struct key *k, struct err *e)
{
	CLEANUP(other_done) struct other to = {0};

	if (name_between(c, names, k, k->name, &to.key, e) ||
	    (k->index && !real_name(names, k->index) && name_between(c, names, k, k->index, &to.index, e)))
		return -1;
	return replace_key(c, p, k, &to, e);
}

static int step_back(struct conn *c, const struct repoint *p, const struct renames *names, struct key *k, struct err *e)
{
	const char *index = k->index ? real_name(names, k->index) : NULL;
	CLEANUP(other_done) struct other to = {xstrdup(real_name(names, k->name)), index ? xstrdup(index) : NULL};

	return replace_key(c, p, k, &to, e);
}

static int table_there(struct conn *c, const char *db, const char *table, bool *ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
	add_string(&b, db);
	buf_adds(&b, " AND TABLE_NAME = ");
	add_string(&b, table);
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	*ret = mysql_num_rows(r) > 0;
	return 0;
}

static void add_each(struct buf *b, const struct key *k, const char *format)
{
	for (size_t i = 0; i < k->columns.n; i++) {
		buf_adds(b, i ? " AND c." : "c.");
		sql_ident(b, k->columns.v[i]);
		buf_adds(b, format);
		if (str_eq(format, " = p."))
			sql_ident(b, k->to_columns.v[i]);
	}
}

/* Rows whose parent did not come back with the tables. */
static int tell_orphans(struct conn *c, const struct repoint *p, const struct key *k, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(freep) char *text = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	MYSQL_ROW row;
	bool one;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT COUNT(*) FROM ");
	add_name(&b, k->schema, k->table);
	buf_adds(&b, " c LEFT JOIN ");
	add_name(&b, p->db, k->to);
	buf_adds(&b, " p ON ");
	add_each(&b, k, " = p.");
	buf_adds(&b, " WHERE ");
	add_each(&b, k, " IS NOT NULL");
	buf_adds(&b, " AND p.");
	sql_ident(&b, k->to_columns.v[0]);
	buf_adds(&b, " IS NULL");
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || str_eq(row[0], "0"))
		return 0;
	one = str_eq(row[0], "1");
	text = xasprintf("%s row%s of `%s`.`%s` %s that `%s`.`%s` does not have any more (foreign key `%s`)", row[0], one ? "" : "s",
			 k->schema, k->table, one ? "refers to a row" : "refer to rows", p->db, k->to, k->name);
	p->warn(p->ctx, text);
	return 0;
}

static int repoint_key(struct conn *c, const struct repoint *p, struct renames *names, struct key *k, struct err *e)
{
	bool there, between = real_name(names, k->name) != NULL;

	if (!between && str_eq(k->to_schema, p->db))
		return 0; /* in order: its real name only looks like one of ours */
	if (table_there(c, p->db, k->to, &there, e))
		return -1;
	if (!there)
		return 0; /* only the old schema has it: the key stays with it */
	if (find_index(c, names, k, e) || (!between && step_aside(c, p, names, k, e)) || step_back(c, p, names, k, e) ||
	    tell_orphans(c, p, k, e))
		return err_wrap(e, "the foreign key `%s` of `%s`.`%s`", k->name, k->schema, k->table);
	return 0;
}

int repoint_keys(struct conn *c, const struct repoint *p, struct err *e)
{
	CLEANUP(renames_done) struct renames names = {0};
	CLEANUP(keys_done) struct keys keys = {0};

	if (conn_use(c, p->scratch, e) || journal_need(c, e) || journal_each(c, "renamed", take_rename, &names, e) ||
	    read_keys(c, p, &keys, e))
		return -1;
	for (size_t i = 0; i < keys.n; i++)
		if (repoint_key(c, p, &names, &keys.v[i], e))
			return -1;
	return 0;
}

static int repoint_default(struct conn *c, const struct repoint *p, MYSQL_ROW row, struct err *e)
{
	const struct sql_text text = {.p = row[2], .n = strlen(row[2])};
	const struct rename rename = {p->scratch, p->db, false};
	CLEANUP(buf_done) struct buf b = {0};
	struct rename_found found;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "ALTER TABLE ");
	add_name(&b, p->db, row[0]);
	buf_adds(&b, " ALTER COLUMN ");
	sql_ident(&b, row[1]);
	buf_adds(&b, " SET DEFAULT (");
	rename_schema(&b, &rename, &text, &found);
	buf_adds(&b, ")");
	if (!found.qualifiers)
		return 0;
	return buf_check(&b, "ALTER TABLE", e) ? -1 : conn_exec_n(c, b.p, b.len, e);
}

int repoint_defaults(struct conn *c, const struct repoint *p, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	MYSQL_ROW row;

	buf_init(&b, SQL_MAX);
	buf_adds(&b, "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE COLUMN_DEFAULT LIKE "
		     "'%val(%' AND TABLE_SCHEMA = ");
	add_string(&b, p->db);
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		if (repoint_default(c, p, row, e))
			return -1;
	return 0;
}
