/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_H
#define FELLOE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/db_driver.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The master's store: one interface, a driver a kind of database, one SQL text
 * for all of them. The text keeps to what SQLite and PostgreSQL share: ?1..?n
 * parameters, ON CONFLICT, RETURNING, no vendor functions. In migrations the
 * driver replaces {id} (a key that the database gives), {int}, {num}, {blob} and
 * {clustered} (rows stored in the order of the primary key) by its own words, and
 * {by_day:COLUMN} after the parenthesis of CREATE TABLE (a table kept in one piece
 * a day, see db_days).
 *
 * A connection belongs to one thread at a time. */

struct db;

/* A statement in use; give it back with db_done. Start with {0}. */
struct db_stmt {
	const struct db_driver *driver;
	void *h;
};

/* url: "sqlite:/path" or "postgresql://..." as libpq reads it (several hosts,
 * parameters, a service, a password file). ERR_CONFIG for a scheme that no driver
 * has. A writer makes the file and its commits survive a power cut; a reader only
 * reads. A server that cannot be reached or whose connection is lost gives
 * ERR_BUSY, here and below; db_begin connects again. */
int db_open(struct db **ret, const char *url, bool readonly, struct err *e) MUSTCHECK;
void db_close(struct db *db);
void db_closep(struct db **db);
/* The address as a person may read it: without its password. Yours. */
char *db_shown(const char *url);
/* Is the scheme of the address one that this program has a driver for? */
bool db_is_known_url(const char *url);
/* What is behind it, with its version, and whether it gives all rights that a
 * master needs: the error names the first that lacks. about: DB_ABOUT bytes. */
int db_judge(struct db *db, char *about, struct err *e) MUSTCHECK;
/* Bring the schema up to date (masterd/schema.c). */
int db_migrate(struct db *db, struct err *e) MUSTCHECK;
/* How many migrations of this program it lacks; ERR_CONFIG when it has more. */
int db_pending(struct db *db, int *ret, struct err *e) MUSTCHECK;
/* Statements without values and rows. */
int db_exec(struct db *db, const char *text, struct err *e) MUSTCHECK;

/* Begin a statement; db_done ends it, also one that failed. */
int db_prepare(struct db *db, struct db_stmt *s, const char *text, struct err *e) MUSTCHECK;
void db_done(struct db_stmt *s);
/* Values of ?1..?n. Texts and bytes are copied; NULL and NAN are NULL. */
void db_set_int(struct db_stmt *s, int at, int64_t v);
void db_set_num(struct db_stmt *s, int at, double v);
void db_set_str(struct db_stmt *s, int at, const char *v);
void db_set_blob(struct db_stmt *s, int at, const void *p, size_t n);
/* Next row: 1 there is one, 0 end, -1 failed (kinds of sql_step). */
int db_step(struct db_stmt *s, struct err *e) MUSTCHECK;
/* To the end, for statements without rows. */
int db_run(struct db_stmt *s, struct err *e) MUSTCHECK;
/* Columns from 0. Texts live until the next step; a NULL number is NAN or 0. */
int64_t db_int(struct db_stmt *s, int col);
double db_num(struct db_stmt *s, int col);
const char *db_str(struct db_stmt *s, int col);
bool db_is_null(struct db_stmt *s, int col);
const void *db_blob(struct db_stmt *s, int col, size_t *n);
/* A transaction for writing; savepoints inside it by db_exec. */
int db_begin(struct db *db, struct err *e) MUSTCHECK;
/* Inside one: from here to its end no other writer of this database, on any
 * machine, is past this call. So what a rule reads stays true until it has
 * written. Jobs that only add rows which no rule reads do without. */
int db_rules(struct db *db, struct err *e) MUSTCHECK;
int db_commit(struct db *db, struct err *e) MUSTCHECK;
void db_rollback(struct db *db);
/* Inside a transaction: when it is committed, wake the connections in db_hear, on
 * whatever machine. Says no more than "look". */
void db_tell(struct db *db);
/* Wait at most ms: 1 somebody told since the last call, 0 nobody, -1 the connection
 * is lost. The connection is for this alone. */
int db_hear(struct db *db, int ms, struct err *e) MUSTCHECK;
/* What time it is, in ms since 1970, for all who work on this database: that of the
 * server, whatever the clocks of its clients say; of a file, ours. */
int db_now(struct db *db, int64_t *ret, struct err *e) MUSTCHECK;
/* Between db_begin and its end; a full disk or a lost connection may end it by
 * itself. */
bool db_in_transaction(struct db *db);
/* Does a statement that fails leave the rest of its transaction as it is? If not,
 * one that may fail needs a savepoint. */
bool db_fails_alone(const struct db *db);
/* May other masters work on the database at this address? */
bool db_is_shared_url(const char *url);
/* A table made with {by_day:column}, where column holds milliseconds since 1970.
 * A database that keeps such tables in pieces (PostgreSQL) can drop a day at once;
 * rows of a day that was never added lie in a piece for the rest. Both inside a
 * transaction after db_rules. */
struct db_days {
	const char *table, *column;
};
/* Make the piece for the UTC day that holds at, with what lies in the rest of it;
 * nothing when it is there, or on a database without pieces. */
int db_day_add(struct db *db, const struct db_days *t, int64_t at, struct err *e) MUSTCHECK;
/* Drop the days that end at or before the given time, pieces and what lies in the
 * rest. *done false: this database has no pieces, delete the rows. */
int db_days_drop(struct db *db, const struct db_days *t, int64_t before, bool *done, struct err *e) MUSTCHECK;
/* For masterd/db_copy.c: how to ask this database for its tables. */
const struct db_catalogue *db_catalogue(const struct db *db);
/* After very many rows were added, inside a transaction: put each where it belongs. */
int db_settle(struct db *db, struct err *e) MUSTCHECK;
/* A consistent copy into a new file, while in use. */
int db_backup(struct db *db, const char *path, struct err *e) MUSTCHECK;

/* Connections for readers, made when needed and kept while they work; any thread.
 * After a failed try to connect, or when an answer did not come in time, the pool says
 * ERR_BUSY at once while a thread of its own tries to connect. */
struct db_pool;
struct db_pool *db_pool_new(const char *url);
void db_pool_free(struct db_pool *p);
/* From now on clients wait for what is read: 5 s without a word of the server are
 * enough. Before the first of other threads. */
void db_pool_hurry(struct db_pool *p);
int db_pool_take(struct db_pool *p, struct db **ret, struct err *e) MUSTCHECK;
void db_pool_give(struct db_pool *p, struct db *db);

#endif
