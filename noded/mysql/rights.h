/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_RIGHTS_H
#define FELLOE_MYSQL_RIGHTS_H

#include <stdbool.h>

#include "noded/mysql/conn.h"
#include "shared/err.h"

/* Rights on single routines and packages (GRANT EXECUTE ON FUNCTION db.f): the server takes them
 * away with the routine, so whoever makes it again has to grant them again. They are written
 * down as rows (kind 'GRANT', name, sql_mode, definition) of a table in between. */

struct rights {
	const char *db;      /* of the routines */
	const char *schema;  /* that has the table */
	const char *table;
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};
/* There are routines in db, but the account may not read who has rights on them. */
int rights_hidden(struct conn *c, const char *db, bool *ret, struct err *e) MUSTCHECK;
/* Write down what there is now, beside what is written already; nothing when it is hidden. */
int rights_write(struct conn *c, const struct rights *r, struct err *e) MUSTCHECK;
/* Grant what is written. A routine that is not there any more has no rights; what is refused is told with its
 * statement. No account is ever made by it. Changes sql_mode. */
int rights_give(struct conn *c, const struct rights *r, struct err *e) MUSTCHECK;

#endif
