/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SWAP_H
#define FELLOE_MYSQL_SWAP_H

#include <stdbool.h>

#include "noded/config.h"
#include "shared/err.h"

/* Tables of a schema aside that take the place of those in use. All of them move
 * in one RENAME TABLE, so that either all are the new ones or none is; what was in
 * use goes to a schema of its own. Each step may be repeated: whoever was killed
 * begins again where swap_look says. */

struct swap {
	const struct db_access *access;
	const char *scratch;             /* where the copy is */
	const char *db;                  /* in use */
	const char *old;                 /* for what was in use */
	bool whole;                      /* all tables of both; else only these */
	const struct strings *tables;
	const struct strings *triggers;  /* of the tables in the copy: the caller makes them again in db */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};
enum swap_state {
	SWAP_NOTHING,    /* neither scratch nor old is there */
	SWAP_LOADING,    /* scratch is there: it was not complete yet */
	SWAP_BEGUN,      /* scratch and old are there: swap_tables and what follows have to be done */
	SWAP_KEPT,       /* only old is there: kept after an earlier restore */
};
int swap_look(const struct swap *s, enum swap_state *ret, struct err *e) MUSTCHECK;
/* ERR_CONFLICT: there is no db, or a trigger in use (named) that the copy does not have. */
int swap_can(const struct swap *s, struct err *e) MUSTCHECK;
/* Tables in use, or in old already, that the copy does not replace: whole only. list_done + free each. */
int swap_surplus(const struct swap *s, const struct strings *archive, struct strings *ret, struct err *e) MUSTCHECK;
/* Make old. Of a whole database its views and programs are written there, as text,
 * into the table felloe_programs. From here on the state is SWAP_BEGUN. */
int swap_prepare(const struct swap *s, struct err *e) MUSTCHECK;
/* Rights on single routines go with these when they are replaced. lost: there may be some, but the account may not see
 * them; whole only. swap_keep_rights, before swap_clear, writes them into felloe_programs; swap_give_rights, when the
 * routines are made again, grants them, and tells what is refused. */
int swap_rights_lost(const struct swap *s, bool *lost, struct err *e) MUSTCHECK;
int swap_keep_rights(const struct swap *s, struct err *e) MUSTCHECK;
int swap_give_rights(const struct swap *s, struct err *e) MUSTCHECK;
/* Drop triggers (a table that has some cannot change its schema) and move the
 * tables. When they cannot be moved the triggers in use are made again. */
int swap_tables(const struct swap *s, struct err *e) MUSTCHECK;
/* Foreign keys and sequence defaults that went along with a table, or stayed
 * behind, refer to the tables of db again. Rows without their parent are told. */
int swap_repair(const struct swap *s, struct err *e) MUSTCHECK;
/* Drop the views, routines, packages and events of db. */
int swap_clear(const struct swap *s, struct err *e) MUSTCHECK;
/* Drop old, unless it is kept, then scratch. */
int swap_finish(const struct swap *s, bool keep_old, struct err *e) MUSTCHECK;

#endif
