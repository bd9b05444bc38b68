/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PRIVATE_SERVER_H
#define FELLOE_PRIVATE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/mysql/server.h"
#include "shared/err.h"

/* A database server of our own, thrown away afterwards: from the mariadbd or mysqld
 * of this machine, with its own directory, reached over a socket that nobody else
 * may open, without network, configuration files or binary log. It never touches
 * production's data and ends with us, even when we are killed. */

struct private_server;
struct private_server_opts {
	const char *program;   /* NULL: mariadbd or mysqld, wherever it is */
	const char *base;      /* its directory is made below this one; NULL: "proof" below the state directory */
	uint64_t need;         /* bytes that will be loaded; ERR_SPACE when there is no room for them */
	uint64_t tables;       /* in which they are, views not counted: each takes room even when it is empty */
	void (*say)(void *ctx, const char *text); /* what was swept, and who it runs as */
	void *ctx;
};
/* Start one, which takes some seconds. ERR_NOTFOUND: no server program is installed;
 * ERR_SPACE; ERR_ABORTED on SIGTERM; ERR_DB with the end of its log when it does not start. */
int private_server_start(struct private_server **ret, const struct private_server_opts *o, struct err *e) MUSTCHECK;
/* End it and remove everything. */
void private_server_stop(struct private_server *s);
void private_server_stopp(struct private_server **s);
/* How to connect. Lent. */
const struct db_access *private_server_access(const struct private_server *s);
/* With all rights, FILE and SUPER among them: only for statements that were looked at. Lent. */
const struct db_access *private_server_root(const struct private_server *s);
const struct server_facts *private_server_facts(const struct private_server *s);
/* It still runs; not: it crashed, and what failed meanwhile says nothing about the data. *why (may be
 * NULL) tells then. */
bool private_server_lives(struct private_server *s, char *why, size_t size);
/* Bytes that are free where its directory lies. */
uint64_t private_server_free(const struct private_server *s);

#endif
