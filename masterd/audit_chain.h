/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_AUDIT_CHAIN_H
#define FELLOE_AUDIT_CHAIN_H

#include <stdint.h>

#include "masterd/db.h"
#include "masterd/tbl_audit.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"

/* Is the audit trail what was written? Each record is held against its hash and
 * the one before. What the chain alone cannot tell is that its end was cut off:
 * for that its head (the newest hash) is kept elsewhere. */

enum chain_verdict {
	CHAIN_GOOD,
	CHAIN_CHANGED,    /* a record does not fit its hash */
	CHAIN_MISSING,    /* numbers are left out */
	CHAIN_REORDERED,  /* a record stands in the place of another */
	CHAIN_CUT,        /* no record has the head that was kept */
	CHAIN_VERDICTS
};
const char *chain_verdict_name(enum chain_verdict v);

struct chain {
	enum chain_verdict verdict;
	int64_t records;          /* walked, up to the first bad one */
	int64_t bad;              /* its number, 0 none */
	uint8_t head[SHA256_LEN]; /* of the newest good record; zeros without any */
	int64_t kept_at;          /* number of the record that has the kept head, 0 none */
	char text[256];           /* the verdict as a sentence */
};
/* kept: the head of an earlier walk, NULL for none. -1 only when the database fails. */
int audit_chain_verify(struct db *db, const uint8_t *kept, struct chain *ret, struct err *e) MUSTCHECK;

#endif
