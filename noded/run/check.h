/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CHECK_H
#define FELLOE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/store/store.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/wire.h"

/* Does all that a run will need really work? Each thing is tried once, all
 * problems are collected. Nothing is changed but a small test object on each
 * storage, which is removed again. */

struct check_text {
	char *path;       /* "sites[0].exclude[1]", a file, "" */
	char *msg;
};
struct check_texts { LIST_OF(struct check_text); };

struct check_site {
	char name[WIRE_NAME];
	bool ok;
	char error[ERR_MSG_MAX];   /* the first, "" */
	bool has_db;
	char database[256];
	char server_version[64];
	char cluster[ERR_MSG_MAX]; /* of which the server is a node, "" */
	char snapshot[32];         /* how a run would read it, "" without a database */
	char advice[ERR_MSG_MAX];  /* what would be better, and the grants for it, "" */
	int64_t db_bytes, tables;  /* -1 not known */
	int64_t clock_off_ms;      /* the server's clock minus ours */
};
struct check_storage {
	char name[WIRE_NAME];
	bool ok;
	char error[ERR_MSG_MAX];
	struct store_test test;
};
struct check_timer {
	char name[WIRE_NAME];
	bool ok;
	char error[ERR_MSG_MAX];
	int64_t next;              /* ms, 0 never or not known */
};
struct check_master {
	bool tried, ok;
	char error[ERR_MSG_MAX];
	char pin[64];              /* of the certificate seen, "" over plain HTTP */
	int64_t ms, clock_off_ms;  /* its clock minus ours; its Date has whole seconds */
};
struct check {
	struct check_texts failures;  /* what stops runs */
	struct check_texts warnings;  /* what deserves a look */
	struct { LIST_OF(struct check_site); } sites;
	struct { LIST_OF(struct check_storage); } storages;
	struct { LIST_OF(struct check_timer); } timers;
	struct check_master master;
};
enum check_part { CHECK_SITES = 1, CHECK_STORAGES = 2, CHECK_TIMERS = 4, CHECK_MASTER = 8, CHECK_LOCAL = 16, CHECK_ALL = 31 };
void check_run(struct check *ret, const struct config *c, unsigned parts);
void check_done(struct check *r);

#endif
