/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_COMPARE_H
#define FELLOE_MYSQL_COMPARE_H

#include <stdint.h>

#include "noded/mysql/conn.h"
#include "shared/err.h"

/* Read a table again with the select list of a manifest: count and digest of its
 * rows (docs/archive-format.md). Values of any size are read in slices, where the
 * table has a key by which they are found. */
int compare_digest(struct conn *c, const char *table, const char *select_list, uint64_t *rows, uint8_t digest[static 16],
		   struct err *e) MUSTCHECK;

#endif
