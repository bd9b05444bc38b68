/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DB_PG_SCHEMA_H
#define FELLOE_DB_PG_SCHEMA_H

#include <stdint.h>

#include "masterd/db_driver.h"
#include "shared/attr.h"
#include "shared/err.h"

/* judge, catalogue, settle, migrate, version, day_add and days_drop of struct db_driver for PostgreSQL. */
const struct db_catalogue *pg_catalogue(void);
int pg_settle(void *conn, struct err *e) MUSTCHECK;
int pg_judge(void *conn, char about[static DB_ABOUT], struct err *e) MUSTCHECK;
int pg_migrate(void *conn, const char *const *texts, int n, struct err *e) MUSTCHECK;
int pg_version(void *conn, int *ret, struct err *e) MUSTCHECK;
int pg_day_add(void *conn, const char *table, const char *column, int64_t at, struct err *e) MUSTCHECK;
int pg_days_drop(void *conn, const char *table, const char *column, int64_t before, struct err *e) MUSTCHECK;

#endif
