/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_ALERT_H
#define FELLOE_TBL_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What is wrong, or was. Of each (node, kind, ref) at most one is open. */
enum alert_kind {
	ALERT_MISSED_RUN,
	ALERT_FAILED_RUN,
	ALERT_SUSPECT_RUN,
	ALERT_BACKUP_OLD,
	ALERT_NODE_SILENT,
	ALERT_DISK_FULL,
	ALERT_DISK_FORECAST,
	ALERT_STORAGE_REFUSING,
	ALERT_KEY_UNUSED,
	ALERT_CLONE,
	ALERT_CLOCK_OFF,
	ALERT_DAMAGED_RUN,
	ALERT_KINDS
};
const char *alert_kind_name(enum alert_kind k);
int alert_kind_from(enum alert_kind *ret, const char *name) MUSTCHECK;

enum severity { SEVERITY_WARNING, SEVERITY_CRITICAL, SEVERITIES };
int severity_from(enum severity *ret, const char *name) MUSTCHECK;

enum { ALERT_CAUSE = 513, ALERT_STEP = 257, ALERT_STAMP = 65, ALERT_BY = 65, ALERT_WHY = 65 };

struct alert {
	int64_t id;
	enum alert_kind kind;
	enum severity severity;
	int64_t node_id;
	char ref[WIRE_TEXT];      /* timer, site, mount, storage; "" the node itself */
	char stamp[ALERT_STAMP];  /* which occurrence was counted last: uuid of a run, time of a firing ... */
	char run[UUID_TEXT];      /* "" none */
	int64_t first, last, count;
	char cause[ALERT_CAUSE], next_step[ALERT_STEP];
	char acked_by[ALERT_BY], snoozed_by[ALERT_BY];
	int64_t acked_at, snoozed_until; /* 0 not */
	int64_t closed;           /* 0 open */
	char closed_why[ALERT_WHY];
	int64_t noticed;          /* when channels were told last; 0 never */
};
struct alerts {
	LIST_OF(struct alert);
};

/* Gives a->id. */
int tbl_alert_add(struct db *db, struct alert *a, struct err *e) MUSTCHECK;
int tbl_alert_put(struct db *db, const struct alert *a, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. */
int tbl_alert_get(struct db *db, int64_t id, struct alert *ret, struct err *e) MUSTCHECK;
/* All open ones, by (node, kind, ref). */
int tbl_alert_open(struct db *db, struct alerts *ret, struct err *e) MUSTCHECK;

struct alert_query {
	bool open, closed;        /* which; both: all */
	const char *kind;         /* NULL any */
	int64_t node_id;          /* 0 any */
	int64_t before;           /* numbers below; 0 from the newest */
};
/* Newest first; each returns non-zero to stop. */
int tbl_alert_list(struct db *db, const struct alert_query *q, int (*each)(void *ctx, const struct alert *a), void *ctx,
		   struct err *e) MUSTCHECK;
/* Forget those that were closed before. */
int tbl_alert_expire(struct db *db, int64_t before, struct err *e) MUSTCHECK;

/* An alert as JSON (docs/api.md); node is the node's name, now decides whether
 * a snooze is over. */
void alert_put(struct json_out *o, const char *key, const struct alert *a, const char *node, int64_t now);

#endif
