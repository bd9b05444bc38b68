/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PACE_H
#define FELLOE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long the writer waits for company before it begins a transaction, from
 * what came before. A commit costs the same for one change as for many: a fleet
 * that reports evenly is served cheapest by few transactions, somebody who
 * waits for each answer before asking again is served best at once. The two are
 * told apart by whether anything came in the second half of the last wait. */
enum {
	PACE_AIM = 16,            /* changes a transaction */
	PACE_LEAST_US = 250, PACE_MOST_US = 20000,
};

struct pace {
	int64_t wait_us;          /* before the next transaction; 0: none */
	double a_second;          /* changes, lately */
};

/* What happened: changes in the transaction, whether some came in the second
 * half of its wait, and the time since the one before began (microseconds). */
void pace_learn(struct pace *p, size_t changes, bool late, int64_t since_us);

#endif
