/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_HOT_H
#define FELLOE_MYSQL_HOT_H

#include <stdbool.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/list.h"

/* Tables that somebody alters again and again. Read like any other, such a table
 * is not any more what the snapshot saw when its turn comes; and of two readers
 * the second waits behind the ALTER that waits for the first. So each session of
 * a snapshot locks them in the moment in which the snapshot is taken, without
 * ever waiting for that; they are read first and given back.
 *
 * An ALTER waits for one of them as long as definitions and these tables take,
 * and never longer than watch.h lets it. */

struct conn;
struct hot_table {
	char *db, *table;
	char *created; /* of hot_look; NULL: never looked at */
};
struct hot {
	LIST_OF(struct hot_table);
};
enum { HOT_MAX = 16 };
void hot_done(struct hot *h);
bool hot_has(const struct hot *h, const char *db, const char *table);
/* Once each, HOT_MAX at most: what comes later is left as it is. */
void hot_add(struct hot *h, const char *db, const char *table);
/* Those of from that are there and have snapshots, all of one database: locks on a second one would stand until the
 * first is read. db NULL: that of the first of them. */
int hot_pick(struct hot *ret, const struct hot *from, const char *db, struct conn *c, struct err *e) MUSTCHECK;
/* An expression that is 1 for their rows in information_schema.TABLES, else 0. */
void hot_add_test(struct buf *sql, const struct hot *h);
/* Remember what changes when one of them is altered or takes another name (in whole seconds: the server's). *same: as
 * at the last look. */
int hot_look(struct hot *h, struct conn *c, bool *same, struct err *e) MUSTCHECK;
/* Is the table as it was at the last look? created: CREATE_TIME of now, "" none. */
bool hot_same(const struct hot *h, const char *db, const char *table, const char *created);
size_t hot_count(const struct hot *h, const char *db);

/* On a session that has just begun its snapshot: lock each and see that the
 * snapshot knows it. *late: an ALTER was quicker, nothing is lost by another try. */
int hot_take(const struct hot *h, struct conn *c, bool *late, struct err *e) MUSTCHECK;
/* Give the locks back; savepoints that were made since hot_take are gone. */
int hot_give_back(struct conn *c, struct err *e) MUSTCHECK;

#endif
