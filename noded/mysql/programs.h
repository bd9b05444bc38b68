/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_PROGRAMS_H
#define FELLOE_MYSQL_PROGRAMS_H

#include "noded/mysql/schema.h"

/* What a database holds besides tables and rows: db/30-post, in the order of
 * its directories. Each object comes back under the sql_mode, character set,
 * collation and time zone under which it was made. What the account may not
 * read is named in a warning, with the grant that is missing. Counts go to ret. */
int programs_put(struct schema *s, struct dump_result *ret, struct err *e) MUSTCHECK;
/* Before it, and before any rows are read: list the triggers. For each table the server searches all that the asking
 * session has locked, which are very many where locks stay. */
int programs_look(struct schema *s, struct err *e) MUSTCHECK;

#endif
