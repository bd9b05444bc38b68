/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_AUDIT_H
#define FELLOE_TBL_AUDIT_H

#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* Who did what, when, from where. Each record carries the hash of itself and
 * of the one before, so that nothing can be changed, taken out or put in between
 * unseen. Written in the transaction of the change (inside db_rules). */
struct audit {
	int64_t id, at;           /* from 1 without gaps; ms */
	const char *who;          /* user, "node 7", "felloe-masterd" for what it does by itself */
	const char *peer;         /* address, "" none */
	const char *action;       /* "node.approve" "user.add" ... */
	const char *object;       /* "node 7 (web-3)", "user anna" ... */
	const char *detail;       /* JSON object, without secrets */
	uint8_t hash[SHA256_LEN];
};

/* Gives a->id and a->hash. */
int tbl_audit_add(struct db *db, struct audit *a, struct err *e) MUSTCHECK;
/* SHA-256("felloe-audit-1" || hash before (zeros for the first) || id and at
 * as 64 bits big-endian || each text with its length as 32 bits big-endian). */
void audit_hash(uint8_t ret[static SHA256_LEN], const uint8_t before[static SHA256_LEN], const struct audit *a);
/* Upwards from the number after, at most max; texts live until each returns,
 * which is non-zero to stop. */
int tbl_audit_each(struct db *db, int64_t after, int64_t max, int (*each)(void *ctx, const struct audit *a), void *ctx,
		   struct err *e) MUSTCHECK;

struct audit_query {
	int64_t before;           /* numbers below; 0 from the newest */
	int64_t since;            /* ms; 0 any */
	const char *who;          /* NULL any */
	const char *action;       /* "node.approve", or "node" for all of its kind; NULL any */
	int64_t limit;
};
/* Downwards; as above. */
int tbl_audit_list(struct db *db, const struct audit_query *q, int (*each)(void *ctx, const struct audit *a), void *ctx,
		   struct err *e) MUSTCHECK;

#endif
