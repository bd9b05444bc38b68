/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_SQLITE_H
#define FELLOE_DB_SQLITE_H

#include "masterd/db_driver.h"

/* The driver for "sqlite:/path", on shared/sql.h. */
const struct db_driver *db_sqlite(void);

#endif
