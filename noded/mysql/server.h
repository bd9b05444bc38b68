/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SERVER_H
#define FELLOE_MYSQL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/mysql/cluster.h"
#include "shared/err.h"

/* What a restore and `check` must know of a server. */

struct server_facts {
	char version[64];
	char account[256];      /* CURRENT_USER() */
	char identity[512];     /* the same for one server only: its host, port and data */
	char socket[108];       /* that it listens on, as it sees the path; "" none */
	int64_t max_packet;     /* bytes */
	int64_t clock_ms;       /* the server's */
	bool there;             /* the schema */
	int64_t tables;         /* in it, that the account may see */
	struct cluster cluster; /* of which it is a node */
	int64_t events_on;      /* the event scheduler runs: 1 */
};
/* schema may be "": then only the server is looked at. ERR_DENIED, ERR_NET ... as dump_open. */
int server_look(const struct db_access *a, const char *schema, struct server_facts *ret, struct err *e) MUSTCHECK;

/* What is in a schema, as a manifest counts it. */
struct server_objects {
	int64_t views, triggers, routines, events, sequences;
};
int server_count(const struct db_access *a, const char *schema, struct server_objects *ret, struct err *e) MUSTCHECK;

int server_drop_schema(const struct db_access *a, const char *schema, struct err *e) MUSTCHECK;

#endif
