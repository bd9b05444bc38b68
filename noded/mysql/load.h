/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LOAD_H
#define FELLOE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/mysql/dump.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Run SQL members of an archive against a server: reads statements (strings,
 * comments and DELIMITER respected) and sends one by one. */

/* A statement of a definition on its way to the server. */
struct load_statement {
	const char *member, *sql;
	size_t n;
	bool no_backslash;     /* sql_mode of the session has NO_BACKSLASH_ESCAPES */
	bool *ansi_quotes;     /* of the connection, false when a member begins: the callee keeps it true to sql_mode */
};

struct conn;
struct load;
struct load_opts {
	const struct db_access *access;
	const char *db;        /* target schema */
	bool create;           /* CREATE DATABASE; ERR_CONFLICT when it is there */
	const char *label;     /* with create: the mark of a schema that is not begun has it (journal.h), hex digits; NULL: no mark */
	const char *definer;   /* "keep" (where it can be, else as invoker) "invoker" or "USER@HOST" */
	/* Asked before each statement outside of db/20-data: 1 with the text to send
	 * instead appended to out, 0 as it is, -1. Never two calls at once, those of one
	 * member in their order. NULL: all as it is. */
	int (*rewrite)(void *ctx, const struct load_statement *s, struct buf *out, struct err *e);
	void *rewrite_ctx;
	/* Asked, after rewrite, before each CREATE of db/10-schema: 1 with the text to send instead, 0. NULL: none. */
	int (*shorten)(void *ctx, const char *member, const char *sql, size_t n, struct buf *out);
	void *shorten_ctx;
	bool journal;          /* each member of rows is written down in the schema's journal with its rows */
	unsigned number;       /* of this connection among those that load; with journal it takes that lock, 0 none */
};
int load_open(struct load **ret, const struct load_opts *o, struct err *e) MUSTCHECK;
void load_close(struct load *l);
void load_closep(struct load **l);
/* Bytes of one member, in pieces; name is for messages. */
int load_feed(struct load *l, const char *name, const void *p, size_t n, struct err *e) MUSTCHECK;
/* End of a member: a statement left open is ERR_DAMAGED. The rows of a member of db/20-data are one transaction,
 * which ends here and not with the member's own COMMIT: so that nothing is committed that the caller did not find whole. */
int load_end(struct load *l, struct err *e) MUSTCHECK;
/* Forget the member that was fed so far: its rows are rolled back (where the engine can), the session is as
 * before it. Also after a failure. */
int load_abandon(struct load *l, struct err *e) MUSTCHECK;
/* The last failure was a deadlock, or a lock waited for in vain: after load_abandon the member may be fed again. */
bool load_was_deadlock(const struct load *l);
/* End the statement that another thread waits for, over a connection of its own. */
void load_interrupt(const struct load *l);
/* How many definers could not be kept. */
unsigned load_redefined(const struct load *l);
/* After a failure of load_feed or load_end: when the server merely lacks what a
 * definition refers to (a table, a column, a function, a schema, an account), the rest of the
 * member is forgotten, and true: the next member may come. */
bool load_skip(struct load *l);
/* Its connection, between members. Lent. */
struct conn *load_conn(struct load *l);
/* Add keys to a table: no foreign key is compared with the rows, which came as they were. again: they may have been added
 * before, which is fine. */
int load_alter(struct load *l, const char *sql, bool again, struct err *e) MUSTCHECK;
/* 0 when the table is there and can be read, whatever is in it. */
int load_has(struct load *l, const char *table, struct err *e) MUSTCHECK;
/* Count and digest of a loaded table, to compare with the manifest's. */
int load_check(struct load *l, const char *table, const char *select_list, uint64_t *rows, uint8_t digest[static 16],
	       struct err *e) MUSTCHECK;

#endif
