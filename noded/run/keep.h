/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_KEEP_H
#define FELLOE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/hash.h"

/* Which runs of a series (one timer, one site) to keep: docs/retention.md. Rules
 * only. Counts are of good runs: "daily": 14 keeps the newest good run of each of
 * the last 14 days that have one, whichever days these are, so that a month
 * without backups deletes nothing. Days, weeks (ISO 8601) and hours are those of
 * the local time zone. */

struct keep_run {
	char uuid[UUID_TEXT];
	int64_t at;          /* when it began, ms */
	bool good;           /* false: it counts for no rule, and stays as long as it would if it did */
	bool held;           /* by hand: stays, and counts if it is good */
};
struct keep_verdict {
	bool keep;
	char why[256];       /* the rules that keep it, or why each of them does not */
};
/* Is there any rule at all? Without one every run is kept. */
bool keep_any(const struct keep *k);
/* runs: newest first, verdicts: one each. The newest good run is always kept. */
void keep_judge(const struct keep *k, const struct keep_run *runs, size_t n, struct keep_verdict *verdicts);

#endif
