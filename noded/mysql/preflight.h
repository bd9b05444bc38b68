/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_PREFLIGHT_H
#define FELLOE_MYSQL_PREFLIGHT_H

#include "noded/config.h"
#include "noded/mysql/needs.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Can this server take that dump, and may this account load it? */

struct obstacle {
	enum err_kind kind;
	char *text;
};
struct obstacles { LIST_OF(struct obstacle); };
void obstacle_add(struct obstacles *p, enum err_kind kind, const char *fmt, ...) PRINTF(3, 4);
void obstacles_done(struct obstacles *p);

struct preflight {
	const struct db_access *access;
	const char *schemas[3];        /* that will be loaded or changed; the first; NULL ends */
	uint64_t bytes;                /* of SQL */
	bool local;                    /* the server's files are on this machine */
	bool users;                    /* accounts are restored too: those that are missing may come with them */
	bool in_place;                 /* what is loaded takes the place of what is called as it */
	uint64_t longest;              /* statement or value among the rows, bytes; 0 not known */
	const char *longest_in;        /* the table that has it */
};
/* Every reason why the schema cannot be loaded goes to obstacles, and what the
 * account lacks to rights ("CREATE, INSERT on `x`"; empty when nothing). Definers that
 * cannot be kept are marked in needs as changed, names that the server changes have here set. -1 only when the server cannot
 * be asked. */
int preflight_server(const struct preflight *p, struct needs *needs, struct obstacles *obstacles, struct buf *rights,
		     struct err *e) MUSTCHECK;

#endif
