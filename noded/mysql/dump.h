/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DUMP_H
#define FELLOE_DUMP_H

#include <stdbool.h>
#include <signal.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/mysql/hot.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/pool.h"

/* One consistent snapshot of a server's databases, written as SQL members. */

enum { DUMP_CONNECTIONS = 16 };

/* Remembers from run to run how a table is cut into chunks (noded/mysql/grid.h),
 * so that what did not change is the same bytes again. Called one at a time, from any thread. */
struct dump_grid {
	/* *shift as it was kept last, or as it was when there is none. */
	int (*load)(void *ctx, const char *db, const char *table, int *shift, struct err *e);
	int (*save)(void *ctx, const char *db, const char *table, int shift, struct err *e);
	void *ctx;
};
struct dump;
struct dump_opts {
	const struct db_access *access;   /* complete: from config or wp-config.php; lent until dump_close */
	const char *db;                   /* the only database that will be read; NULL: any */
	unsigned connections;             /* wanted, 1..; fewer when the server has no way to give them one snapshot */
	int64_t ddl_wait_s;               /* how long others may wait for a table that is being read, 1.. */
	const char *method;               /* of snapshots (docs/consistency.md); NULL: the best there is */
	const struct hot *hot;            /* tables that dump_hot told of earlier dumps; lent until dump_close, NULL: none */
	const struct dump_grid *grid;     /* lent until dump_close; NULL: nothing is remembered */
	const volatile sig_atomic_t *stop; /* set: end with ERR_ABORTED soon; may be NULL */
};
/* Connect and take the snapshot. ERR_DENIED wrong user or password, ERR_NET
 * unreachable, ERR_NOTFOUND no such database. */
int dump_open(struct dump **ret, const struct dump_opts *o, struct err *e) MUSTCHECK;
/* The last database has been read: give up the snapshot and its connections, keep what the manifest says. */
void dump_release(struct dump *d);
void dump_close(struct dump *d);
void dump_closep(struct dump **d);
/* Names of all databases but the server's own and those excluded; list_done + free each. */
int dump_databases(struct dump *d, const struct strings *exclude, struct strings *ret, struct err *e) MUSTCHECK;
/* Do the account's rights show it every database? Of others dump_databases knows nothing. */
int dump_sees_all(struct dump *d, bool *ret, struct err *e) MUSTCHECK;
/* The rights of which a dump of db needs each, and that the account does not have on it: "SHOW VIEW, TRIGGER"; "" when it has
 * them, or when a role is active, whose rights stand elsewhere. */
enum { DUMP_LACKS = 64 };
int dump_lacks(struct dump *d, const char *db, char text[static DUMP_LACKS], struct err *e) MUSTCHECK;
/* Add the tables that a dump which ended with ERR_CONFLICT was disturbed at: the next one is to treat them as hot. */
void dump_hot(struct dump *d, struct hot *ret);
/* data_length of the tables, for estimates. */
uint64_t dump_estimate(const struct dump *d, const char *db);
/* "mysql-bin.000042:18834, GTID 0-1-77" and the method ("single", "binlog-snapshot" ...), for manifest and run. */
const char *dump_position(const struct dump *d);
/* "binlog-snapshot" ..., and why there was no better way, "" when there is none. */
const char *dump_method(const struct dump *d);
const char *dump_note(const struct dump *d);
/* Of which cluster the server is a node, "" of none. */
void dump_cluster(const struct dump *d, char text[static ERR_MSG_MAX]);
/* What would make a dump by this account better: the note, and grants that keep it out of others' way; "" nothing. */
void dump_advice(struct dump *d, char text[static ERR_MSG_MAX]);
void dump_put_manifest(const struct dump *d, struct json_out *o); /* members: server_version, snapshot{method,file,position,gtid,source,cluster}, charset... */

/* Called one at a time, not always from the thread that called dump_database. */
struct dump_sink {
	/* A whole member, named as docs/archive-format.md says ("db/20-data/wp_posts.00001.sql"). */
	int (*member)(void *ctx, const char *name, const void *p, size_t n, struct err *e);
	/* The same for a member that stands in a buffer which the sink may keep: b comes back empty,
	 * perhaps with other memory. May be NULL. */
	int (*swap)(void *ctx, const char *name, struct buf *b, struct err *e);
	/* A member too long to be held: begin, exactly size bytes in pieces, end, and nothing else in
	 * between; or fail, when the rest cannot be had: then the dump ends. All four or none: without them it is held. */
	int (*begin)(void *ctx, const char *name, uint64_t size, struct err *e);
	int (*write)(void *ctx, const void *p, size_t n, struct err *e);
	int (*end)(void *ctx, struct err *e);
	void (*fail)(void *ctx);
	/* So many definitions of tables are written, after each of them; may be NULL. */
	void (*defined)(void *ctx, size_t done, size_t of);
	/* Rows and bytes so far, a few times a second; may be NULL. */
	void (*progress)(void *ctx, const char *table, uint64_t rows, uint64_t bytes);
	/* Something that makes the run a warning (a routine without body, a non-transactional table); may be NULL. */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};
enum dump_view { DUMP_VIEW_SNAPSHOT, DUMP_VIEW_LOCKED /* agrees with itself, not with the rest */, DUMP_VIEW_NONE };
struct dump_table {
	const char *name;         /* this and select_list: in the pool of the result */
	uint64_t rows, bytes;
	uint64_t longest;         /* statement, or value that is joined out of slices; bytes */
	uint8_t digest[16];       /* sum mod 2^128 of XXH3-128 of each row, big endian */
	const char *select_list;  /* with which it was taken; "" when no rows were */
	bool data;                /* false: structure only */
	enum dump_view view;      /* at what point its rows were read */
};
struct dump_trigger {
	char *name, *table;
	char *member;             /* that creates it */
};
struct dump_result {
	struct pool strings;
	struct { LIST_OF(struct dump_table); } tables;
	struct { LIST_OF(struct dump_trigger); } triggers_of;
	uint64_t rows, bytes;
	unsigned views, triggers, routines, events, sequences;
	unsigned accounts; /* users and roles in users/accounts.sql; the caller of dump_accounts fills it */
};
void dump_result_done(struct dump_result *r);
/* Header to footer of one database. exclude_tables as in struct site. Fails
 * (ERR_DB, ERR_CONFLICT for a table that vanished) rather than leave anything out. */
int dump_database(struct dump *d, const char *db, const struct strings *exclude_tables, const struct dump_sink *sink,
		  struct dump_result *ret, struct err *e) MUSTCHECK;
/* The next entry of exclude from *at on (0 at first) that names no table of any database dumped so far: a typo, or a
 * plug-in that went away. NULL: no more. */
const char *dump_unmatched(const struct dump *d, const struct strings *exclude, size_t *at);
/* The member users/accounts.sql: see accounts.h. Read once per snapshot; *count is 0, and there is no member, when
 * the account may not read them (a warning says so, the first time). */
int dump_accounts(struct dump *d, const struct dump_sink *sink, unsigned *count, struct err *e) MUSTCHECK;

#endif
