/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SERVER_PROGRAM_H
#define FELLOE_SERVER_PROGRAM_H

#include "shared/err.h"

/* The program of a database server on this machine. */

/* wanted: its path; NULL: mariadbd or mysqld, wherever it is. installer: the program that makes the system tables of a
 * MariaDB server, which lies near; NULL where the server does it itself, as MySQL from 5.7 on. Both to be freed.
 * ERR_NOTFOUND; ERR_CONFLICT for a MySQL that is older. */
int server_program_find(const char *wanted, char **server, char **installer, struct err *e) MUSTCHECK;

#endif
