/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_KEYS_H
#define FELLOE_MYSQL_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/buf.h"

/* Indexes and foreign keys taken out of a CREATE TABLE, to be added when the rows
 * are there: sorted once, an index costs a fraction of what it costs row by row. */

struct keys {
	struct buf create;       /* the statement without them */
	struct buf keys;         /* "ALTER TABLE ... ADD KEY ..., ADD KEY ..."; empty: none are taken out */
	struct buf constraints;  /* "ALTER TABLE ... ADD CONSTRAINT ...": only when no table waits for its keys any more */
};
void keys_done(struct keys *k);
/* Split sql, which is the text of SHOW CREATE TABLE. with_keys: indexes too, not
 * only foreign keys. False: leave it as it is. What is taken out comes back in its
 * place, so that SHOW CREATE TABLE tells the same in the end: all foreign keys, and those
 * non-unique indexes that stand behind every other that has to stay (one that an
 * AUTO_INCREMENT needs, SPATIAL). PRIMARY, UNIQUE and FULLTEXT stay: they find
 * doubled rows, members that continue a row find it by them, and FULLTEXT would rebuild the
 * table. Nothing is taken from tables of other engines than InnoDB, and no index
 * from those with partitions, generated columns, periods or versions. */
bool keys_defer(struct keys *ret, const char *sql, size_t n, bool with_keys);

#endif
