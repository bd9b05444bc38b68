/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_VERSION_H
#define FELLOE_MYSQL_VERSION_H

#include <stdbool.h>

/* What kind of server, and how new, by the text of VERSION(). */

struct version {
	bool maria;        /* MariaDB; else MySQL or Percona Server */
	int number;        /* 1011 is 10.11; 0: not to be told */
};
struct version version_of(const char *text);
/* Before MySQL mysql, or MariaDB maria (numbers as above). false when it is not to be told. */
bool version_before(const char *text, int mysql, int maria);
/* "MySQL", "MariaDB" */
const char *version_kind(const struct version *v);

/* The oldest servers that this is written for. */
enum { VERSION_MYSQL_FIRST = 506, VERSION_MARIA_FIRST = 1002 };
/* With these a server has CREATE USER IF NOT EXISTS, with hashes and limits. */
enum { VERSION_MYSQL_ACCOUNTS = 507, VERSION_MARIA_ACCOUNTS = 1002 };

#endif
