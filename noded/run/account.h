/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ACCOUNT_H
#define FELLOE_ACCOUNT_H

#include "noded/config.h"
#include "shared/err.h"

/* A database account from a client's option file (my.cnf): user, password, host,
 * port, socket and ssl-ca of the groups [client], [client-server], [client-mariadb],
 * [mysql] and [mariadb]; the last one of each counts, other options and
 * groups are passed over. *ret is yours by db_access_done. ERR_NOTFOUND, ERR_IO,
 * ERR_INVALID (line) and ERR_CONFIG when it names no user. */
int account_from_file(struct db_access *ret, const char *path, struct err *e) MUSTCHECK;

#endif
