/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_CONN_H
#define FELLOE_MYSQL_CONN_H

#include "noded/config.h"
#include "noded/mysql/lib.h"
#include "shared/err.h"

/* A connection to a MySQL or MariaDB server, and the one place where its error
 * numbers become our kinds. */

struct conn {
	MYSQL *my;
	char *who; /* "backup@127.0.0.1:3306", for messages; never a password */
	bool dead; /* given up in the middle of a result: nothing can be asked any more */
};

/* Connect. host is "", "host", "host:port", "host:/socket", "/socket", "[v6]",
 * "[v6]:port" or a bare IPv6 address. The session speaks utf8mb4 in UTC with sql_mode '' (the text of
 * SHOW CREATE and of literals depends on it), without limits of time and rows, and writes at
 * once, whatever the server's defaults are. A socket
 * is never wrapped in TLS: it does not leave the machine. ERR_DENIED, ERR_NET,
 * ERR_CONFIG. */
int conn_open(struct conn **ret, const struct db_access *a, struct err *e) MUSTCHECK;
void conn_free(struct conn *c);
void conn_freep(struct conn **c);

/* MariaDB, not MySQL or Percona Server. */
bool conn_is_maria(const struct conn *c);

/* Make db the default schema. ERR_NOTFOUND when it is not there. */
int conn_use(struct conn *c, const char *db, struct err *e) MUSTCHECK;
/* A statement without a result; whatever rows it has are thrown away. */
int conn_exec(struct conn *c, const char *sql, struct err *e) MUSTCHECK;
int conn_exec_n(struct conn *c, const char *sql, size_t n, struct err *e) MUSTCHECK;
/* A small result, held whole: mysql_free_result it (conn_res_freep). */
int conn_rows(struct conn *c, MYSQL_RES **ret, const char *sql, struct err *e) MUSTCHECK;
/* The same for "verb `name`" ("SHOW CREATE TABLE "), name being quoted here. */
int conn_rows_of(struct conn *c, MYSQL_RES **ret, const char *verb, const char *name, struct err *e) MUSTCHECK;
/* A result read row by row. After the last row ask conn_ended: a lost
 * connection looks like the end. To stop earlier: conn_abandon. */
int conn_stream(struct conn *c, MYSQL_RES **ret, const char *sql, struct err *e) MUSTCHECK;
int conn_ended(struct conn *c, struct err *e) MUSTCHECK;
/* Cut the connection, so that freeing an unread result does not first read it all. */
void conn_abandon(struct conn *c);
void conn_res_freep(MYSQL_RES **r);


/* Fill e from the last error of the connection; worth -1. */
int conn_fail(struct conn *c, struct err *e);

#endif
