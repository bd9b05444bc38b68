/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_CASING_H
#define FELLOE_MYSQL_CASING_H

#include "noded/mysql/conn.h"
#include "noded/mysql/needs.h"

/* Names of tables on a server with lower_case_table_names other than 0: it keeps
 * them in small letters (1), or as they are (2), and compares them so. */

/* Lent by needs. */
struct casing_pair {
	const char *a, *b;
};
struct casing_pairs { LIST_OF(struct casing_pair); };
/* Those that are one name there; list_done. With changes, here of each name that
 * is another one there is set, once for a view. */
int casing_read(struct conn *c, struct needs *needs, bool changes, struct casing_pairs *ret, struct err *e) MUSTCHECK;

#endif
