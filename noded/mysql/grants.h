/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_GRANTS_H
#define FELLOE_MYSQL_GRANTS_H

#include "noded/mysql/conn.h"
#include "shared/err.h"

/* What the account of a connection may do, as SHOW GRANTS tells it. */

struct grant {
	char *what;   /* "SELECT", "CREATE VIEW", "ALL PRIVILEGES" ... */
	bool global;  /* on *.*, else on the schema */
};
struct grants { LIST_OF(struct grant); };
/* Those on all and those on the schema (which need not exist); of tables and columns none. grants_done it. */
int grants_read(struct grants *ret, struct conn *c, const char *schema, struct err *e) MUSTCHECK;
void grants_done(struct grants *g);
bool grants_has(const struct grants *g, const char *what, bool global);

#endif
