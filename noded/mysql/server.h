/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_SERVER_H
#define FELLOE_MYSQL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/err.h"

/* What a restore and `check` must know of a server, and the last step of a
 * restore in place. */

struct server_facts {
	char version[64];
	char account[256];      /* CURRENT_USER() */
	int64_t max_packet;     /* bytes */
	int64_t clock_ms;       /* the server's */
	bool there;             /* the schema */
	int64_t tables;         /* in it, that the account may see */
	int64_t events_on;      /* the event scheduler runs: 1 */
};
/* schema may be "": then only the server is looked at. ERR_DENIED, ERR_NET ... as dump_open. */
int server_look(const struct db_access *a, const char *schema, struct server_facts *ret, struct err *e) MUSTCHECK;

/* Why the tables of scratch cannot take their place in db: ERR_CONFLICT names a
 * foreign key of the copy or a trigger of the table in use. Both would be lost
 * or point to the wrong schema. */
int server_can_swap(const struct db_access *a, const char *scratch, const char *db, const struct strings *tables,
		    struct err *e) MUSTCHECK;
/* Move the tables from scratch to db in one RENAME TABLE; those that are in the
 * way go to scratch under another name and are dropped with it by the caller.
 * Either all tables move or none. */
int server_swap(const struct db_access *a, const char *scratch, const char *db, const struct strings *tables,
		struct err *e) MUSTCHECK;
int server_drop_schema(const struct db_access *a, const char *schema, struct err *e) MUSTCHECK;

#endif
