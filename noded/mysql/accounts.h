/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_ACCOUNTS_H
#define FELLOE_MYSQL_ACCOUNTS_H

#include "noded/mysql/conn.h"
#include "noded/mysql/dump.h"
#include "shared/buf.h"
#include "shared/err.h"

/* The accounts, roles and grants of a whole server, as the statements that make
 * them again: first users, then roles, then who has which role, then rights on
 * everything or on whole databases, then default roles. Rights on one table,
 * column or routine come last, for they want it to be there, as does PROXY, which
 * even an account with all rights may lack.
 *
 * An account or role that is there already keeps its password and options; the
 * rights are added to it. Hashes of passwords are in the text. The server's own
 * accounts (mariadb.sys, mysql.session ...) and those that it ignores itself
 * (host names under skip_name_resolve) are left out.
 *
 * ret is set up by the caller. *count: users and roles. When the account may not
 * read them, or one of them, sink->warn says which grant is missing; ERR_NET and
 * the like are failures. */
int accounts_read(struct conn *c, const struct dump_sink *sink, struct buf *ret, unsigned *count, struct err *e) MUSTCHECK;

#endif
