/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_RENAME_H
#define FELLOE_MYSQL_RENAME_H

#include "noded/mysql/token.h"
#include "shared/buf.h"

/* A statement that names its own schema, for a schema of another name. */

struct rename {
	const char *from;        /* schema */
	const char *to;          /* NULL: only look */
	bool ignore_case;        /* names of schemas differ in more than their case */
};
struct rename_found {
	unsigned qualifiers;     /* before tables, routines, sequences, columns: `from`.`x`, from.x, from.t.c */
	unsigned texts;          /* strings that seem to use the schema: 'SELECT * FROM from.t', '`from`' */
	unsigned compared;       /* strings that are its name, where schemas are compared: table_schema = 'from' */
};
/* Append the statement to out with each qualifier `from` replaced by `to`. Strings
 * and comments stay; so does a table or alias that is called like the schema
 * (from.column): of two parts the first is a schema only where a table, a routine
 * or a sequence must stand. out NULL: only count. */
void rename_schema(struct buf *out, const struct rename *r, const struct sql_text *sql, struct rename_found *ret);

#endif
