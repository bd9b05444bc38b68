/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_JOURNAL_H
#define FELLOE_MYSQL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/err.h"
#include "shared/list.h"

/* How far a schema is loaded, in a table of that schema: so that a load that was
 * killed, or whose server was, goes on where it stood. A member of rows is written
 * down in the transaction that loads it. The table is not dumped, and gone when
 * the load is complete. */

#define JOURNAL_TABLE "felloe_restore_journal"
#define JOURNAL_COMMENT "felloe-noded: this restore is not finished"

/* The comment of a schema that a restore has made, until its journal is there (MariaDB 10.5; older servers and MySQL keep none):
 * then the restore's own label follows, hex digits. */
#define JOURNAL_MADE JOURNAL_COMMENT ", nor begun: "

struct conn;

/* A load that is not finished. */
struct journal_head {
	char *schema;
	char *archive;     /* what is loaded */
	char *settings;    /* as what */
	char *tag;         /* of the run that began it */
	int64_t begun;     /* ms */
	int64_t members;   /* of rows that are loaded */
};
struct journal_heads { LIST_OF(struct journal_head); };
void journal_heads_done(struct journal_heads *h);
/* Those of schema, or with NULL of all schemas that the account may read. */
int journal_find(struct journal_heads *ret, const struct db_access *a, const char *schema, struct err *e) MUSTCHECK;

/* Schemas that were made for a restore which never came to its journal: they are marked, and empty. label NULL: of
 * any; schema as above. list_done and free each of ret. */
int journal_find_made(struct strings *ret, const struct db_access *a, const char *schema, const char *label,
		      struct err *e) MUSTCHECK;
/* Has the default schema of the connection no table yet? */
int journal_empty(struct conn *c, bool *ret, struct err *e) MUSTCHECK;
/* Take the mark off the default schema; nothing when it has none. */
int journal_unmark(struct conn *c, struct err *e) MUSTCHECK;

/* In the default schema of the connection. */
int journal_create(struct conn *c, const struct journal_head *h, struct err *e) MUSTCHECK;
/* The same without a head, unless there is one: to write down other things. No load goes on with it. */
int journal_need(struct conn *c, struct err *e) MUSTCHECK;
int journal_drop(struct conn *c, struct err *e) MUSTCHECK;
/* Kinds: "head", "done" (a phase), "member", "keys" and "constraints" (text: ALTER TABLE, yet to be run), "checked"
 * (a table that agrees) and "renamed" (for a moment; text: the name that it had). Added twice it is an error. text may be NULL. */
int journal_add(struct conn *c, const char *kind, const char *name, const char *text, struct err *e) MUSTCHECK;
int journal_remove(struct conn *c, const char *kind, const char *name, struct err *e) MUSTCHECK;
/* Several additions as one. */
int journal_begin(struct conn *c, struct err *e) MUSTCHECK;
int journal_commit(struct conn *c, struct err *e) MUSTCHECK;
/* Each entry of a kind, by name. fn: 0, or -1 with *e. */
int journal_each(struct conn *c, const char *kind, int (*fn)(void *ctx, const char *name, const char *text, struct err *e),
		 void *ctx, struct err *e) MUSTCHECK;
/* Tables whose engine has no transactions: of them it is not known what was loaded. list_done and free each. */
int journal_doubtful(struct conn *c, struct strings *ret, struct err *e) MUSTCHECK;
/* Empty such a table; its members, whose names begin with prefix, are forgotten. */
int journal_start_over(struct conn *c, const char *table, const char *prefix, struct err *e) MUSTCHECK;

/* One process loads a schema: its connection number n (0 the first) holds a lock of
 * the server. A connection of a process that was killed has it until the server is done with its
 * last statement: waits wait_s for that. ERR_LOCKED names the connection that has it. */
int journal_lock(struct conn *c, const char *schema, unsigned n, unsigned wait_s, struct err *e) MUSTCHECK;
int journal_unlock(struct conn *c, const char *schema, unsigned n, struct err *e) MUSTCHECK;

#endif
