/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_REPOINT_H
#define FELLOE_MYSQL_REPOINT_H

#include "noded/mysql/conn.h"
#include "shared/err.h"

/* What refers to a table by the schema in which it was before it moved. */

struct repoint {
	const char *db;        /* where the tables are now */
	const char *scratch;   /* where they came from */
	const char *old;       /* where those went whose place they took */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};
/* Foreign keys of tables outside of scratch and old that refer into these: to the
 * table of that name in db, where there is one. Needs foreign_key_checks=0; rows
 * that have no parent then are told. A key is never missing, not even when we are
 * killed in between: for a moment it has a name that begins with felloe_, which is
 * written down, with its own, in a journal (journal.h) in scratch. */
int repoint_keys(struct conn *c, const struct repoint *p, struct err *e) MUSTCHECK;
/* DEFAULT nextval(`scratch`.`x`) of tables in db. */
int repoint_defaults(struct conn *c, const struct repoint *p, struct err *e) MUSTCHECK;

#endif
