/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_PICK_H
#define FELLOE_STORE_PICK_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/err.h"

/* Which storage takes a run: the highest weight first, weight 0 never. One that
 * refused lately is not left out, but tried after all others: for 1 minute after
 * the first failure, twice as long after each further one in a row, 1 hour at
 * most. A success clears it. Remembered between runs in "storages.json" of the
 * node's state folder; a file that cannot be read counts as empty. */

struct pick;

/* c is lent for the life of p. */
struct pick *pick_new(const struct config *c);
void pick_freep(struct pick **p);
/* The next to try, each once; NULL when there is none left. */
const struct storage *pick_next(struct pick *p);
/* What came of using s: NULL for success. Failures that are not the storage's
 * (aborted, local disk, database) change nothing. Written to disk at once. */
int pick_report(struct pick *p, const struct storage *s, const struct err *failure, struct err *e) MUSTCHECK;

struct pick_health {
	unsigned failures;    /* in a row; 0 = healthy as far as is known */
	int64_t failed_at, ok_at; /* ms, 0 never */
	int64_t rests_until;  /* ms, 0 when it does not rest now */
	char error[ERR_MSG_MAX]; /* of the last failure, "" when healthy */
};
/* All zero for a storage that was never used. */
void pick_health(const struct pick *p, const char *name, struct pick_health *ret);

#endif
