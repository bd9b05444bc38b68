/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_ACCOUNTS_LOAD_H
#define FELLOE_MYSQL_ACCOUNTS_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "noded/config.h"
#include "shared/err.h"

/* What accounts_read wrote, run on a server: an empty one, to see that it takes it,
 * or one in use, where accounts that are there keep their passwords. */

struct accounts_loaded {
	unsigned statements;
	unsigned left;        /* rights on what is not there (any more), or that need a plugin which is not there */
	char first_left[256]; /* why, of the first of them */
};
struct accounts_text {
	const char *sql;
	size_t n;
	bool lenient;         /* whatever the server refuses is left, and counted */
};
/* ERR_DAMAGED: a statement that is none about accounts is not run; ERR_DB: the server refuses one. */
int accounts_load(const struct db_access *a, const struct accounts_text *text, struct accounts_loaded *ret,
		  struct err *e) MUSTCHECK;

#endif
