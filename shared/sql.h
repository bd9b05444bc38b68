/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SQL_H
#define FELLOE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* An embedded SQL store: the file that knows sqlite3. Statements are prepared
 * once per connection and text (cached); values are only ever bound. A
 * connection belongs to one thread at a time. */

struct sql;
struct sql_stmt;

/* Open (and make, 0600) the file in WAL mode with foreign keys on and a busy
 * timeout of 5 s. full: synchronous=FULL (a commit survives a power cut), else
 * NORMAL. readonly: no writes, the file must exist. The path SQL_MEMORY is a
 * database that is nowhere but in memory. */
#define SQL_MEMORY ":memory:"
int sql_open(struct sql **ret, const char *path, bool readonly, bool full, struct err *e) MUSTCHECK;
/* As sql_open for writing, for a store that is better begun anew than missing: a
 * file that is damaged (PRAGMA quick_check) goes to the name in *aside (free it;
 * NULL when the file was sound) and a new one is made. */
int sql_open_anew(struct sql **ret, const char *path, char **aside, struct err *e) MUSTCHECK;
void sql_close(struct sql *db);
void sql_closep(struct sql **db);
/* Run statements without values and rows (schema, pragma, BEGIN, SAVEPOINT). */
int sql_exec(struct sql *db, const char *text, struct err *e) MUSTCHECK;
/* Bring the schema up to date: texts[i] is migration i+1, run in one
 * transaction each; PRAGMA user_version counts them. A newer store than we
 * know is refused. */
int sql_migrate(struct sql *db, const char *const *texts, int n, struct err *e) MUSTCHECK;

/* How many migrations the store has had. */
int sql_version(struct sql *db, int *ret, struct err *e) MUSTCHECK;

/* A statement ready to bind (parameters 1..n). Give it back with sql_done. */
int sql_prepare(struct sql *db, struct sql_stmt **ret, const char *text, struct err *e) MUSTCHECK;
void sql_done(struct sql_stmt *s);
void sql_donep(struct sql_stmt **s);
void sql_bind_int(struct sql_stmt *s, int at, int64_t v);
void sql_bind_num(struct sql_stmt *s, int at, double v);
void sql_bind_str(struct sql_stmt *s, int at, const char *v);              /* copied; NULL: NULL */
void sql_bind_blob(struct sql_stmt *s, int at, const void *p, size_t n);   /* copied; NULL: NULL */
/* Next row: 1 there is one, 0 end, -1 failed (ERR_CONFLICT on a constraint,
 * ERR_BUSY when locked too long, ERR_SPACE on a full disk, ERR_DAMAGED,
 * ERR_DB else). */
int sql_step(struct sql_stmt *s, struct err *e) MUSTCHECK;
/* Run to the end, for statements without rows. */
int sql_run(struct sql_stmt *s, struct err *e) MUSTCHECK;
int64_t sql_int(struct sql_stmt *s, int col);          /* columns from 0 */
double sql_num(struct sql_stmt *s, int col);
const char *sql_str(struct sql_stmt *s, int col);      /* lent until the next step; NULL */
const void *sql_blob(struct sql_stmt *s, int col, size_t *n);
bool sql_is_null(struct sql_stmt *s, int col);
/* Between BEGIN and its end; a full disk may end it by itself. */
bool sql_in_transaction(struct sql *db);
int sql_changes(struct sql *db);
/* A consistent copy of the whole store into a new file, while in use (sqlite3_backup). */
int sql_backup(struct sql *db, const char *path, struct err *e) MUSTCHECK;

#endif
