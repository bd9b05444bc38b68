/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SCHEMA_H
#define FELLOE_SCHEMA_H

#include <stdbool.h>

/* Migrations by number, in the words of masterd/db.h; never changed once released. */
const char *const *schema_migrations(int *n);

/* Is this table one that the migrations make? */
bool schema_has_table(const char *name);

#endif
