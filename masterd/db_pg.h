/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_PG_H
#define FELLOE_DB_PG_H

#include "masterd/db_driver.h"

/* The driver for "postgresql://...": the
 * files masterd/db_pg* know libpq, and no other. */
const struct db_driver *db_pg(void);

#endif
