/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SCHEMA_H
#define FELLOE_MYSQL_SCHEMA_H

#include <stdbool.h>

#include "noded/mysql/cluster.h"
#include "noded/mysql/conn.h"
#include "noded/mysql/dump.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/pool.h"

/* The definitions of one database, as members. The database is the default one
 * of the connection: that keeps its name out of what SHOW CREATE tells. */

/* There may be 100,000 of them: strings are in the schema's pool, those that many share once. */
struct object {
	const char *name;
	const char *engine;      /* tables; "" when the server cannot tell */
	const char *created;     /* tables: time of creation in the server's words, "" when it has none; a RENAME and an ALTER change it */
	uint64_t definition;     /* tables: schema_mark when it was written */
	bool versioned;     /* tables: WITH SYSTEM VERSIONING */
	bool history;       /* tables: past rows are wanted, and can be loaded */
	uint64_t bytes;     /* tables: about; 0 when the server does not tell */
	bool data;          /* tables: rows are wanted */
	bool hot;           /* tables: see hot.h */
	bool left_out;      /* tables: excluded whole; views: refers to one of those */
	bool broken;        /* views: refers to what is not there */
	bool dead;          /* views: it, or one that it uses, has a definer who is gone */
};
struct objects {
	LIST_OF(struct object);
};
struct trigger {
	const char *name, *table;
};
struct schema {
	struct conn *c;
	const struct dump_sink *sink;
	const char *db;
	char *charset, *collation, *comment; /* of the database; comment may be NULL */
	bool history;              /* the server can load past rows of versioned tables */
	struct objects tables, views, sequences;
	struct { LIST_OF(struct trigger); } triggers; /* see programs_look */
	const struct hot *hot;     /* lent: those of the snapshot; NULL: none */
	const char *since;         /* lent: when taking it began, in the server's words */
	struct hot *met;           /* lent: takes those that were altered since, perhaps */
	size_t listed;             /* all that was listed but hot tables, and the XOR of their TABLE_MARKs (snapshot.h) */
	uint64_t marks;
	size_t hot_listed;         /* hot tables, those that are as the snapshot has them */
	bool leaves_out;           /* one of the tables is left out */
	const struct cluster *cluster; /* lent; of which the server is a node */
	struct pool *strings;      /* lent: the caller's, of what lives as long as the result */
};

/* Select db and list what it holds; exclude_tables as in struct site. */
int schema_open(struct schema *s, const char *db, const struct strings *exclude_tables, struct err *e) MUSTCHECK;
/* Does this entry of exclude_tables name a table that schema_open has found? */
bool schema_matches(const struct schema *s, const char *exclude);
void schema_done(struct schema *s);

/* db/00-header.sql and db/99-footer.sql */
int schema_put_header(struct schema *s, struct err *e) MUSTCHECK;
int schema_put_footer(struct schema *s, struct err *e) MUSTCHECK;
/* db/10-schema */
int schema_put_sequences(struct schema *s, struct err *e) MUSTCHECK;
int schema_put_tables(struct schema *s, struct err *e) MUSTCHECK;
int schema_put_placeholders(struct schema *s, struct err *e) MUSTCHECK;

/* Of the table's definition as it is now: another one when anything of it was altered, and not when rows came to it. */
int schema_mark(struct conn *c, const char *table, uint64_t *ret, struct err *e) MUSTCHECK;

/* Hand over the member db/DIRNAME.sql; dir ends in what stands before the name, which may be NULL. */
int schema_member(struct schema *s, const char *dir, const char *name, const struct buf *b, struct err *e) MUSTCHECK;
/* How that member is called: ret is set up here, buf_check and buf_done it. */
void schema_member_name(struct buf *ret, const char *dir, const char *name);
/* A warning of the run, to the sink. */
void schema_warn(struct schema *s, const char *fmt, ...) PRINTF(2, 3);

#endif
