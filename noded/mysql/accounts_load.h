/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_ACCOUNTS_LOAD_H
#define FELLOE_MYSQL_ACCOUNTS_LOAD_H

#include <stddef.h>

#include "noded/config.h"
#include "shared/err.h"

/* What accounts_read wrote, run on a server that is nobody's: to see that it takes it. */

struct accounts_loaded {
	unsigned statements;
	unsigned left;        /* rights on what is not there (any more), or that need a plugin which is not there */
	char first_left[256]; /* why, of the first of them */
};
/* ERR_DAMAGED: a statement that is none about accounts is not run; ERR_DB: the server refuses one. */
int accounts_load(const struct db_access *a, const char *sql, size_t n, struct accounts_loaded *ret, struct err *e) MUSTCHECK;

#endif
