/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ROLL_H
#define FELLOE_ROLL_H

#include <stdint.h>

#include "masterd/sample.h"

/* Merging of samples into blocks. Pure. */

/* What is known of a sample on its way through the levels. */
enum sample_news {
	KNOWN,        /* it was there: adds nothing any more */
	NEW,
	LATE,         /* its raw block is gone, so nobody can say: new where a step is empty */
};

/* Part of src whose ts are from from (included) to to (not). */
struct span {
	const struct block *src;
	enum sample_news *news;          /* one a row of src */
	int64_t from, to;
};

/* Into a block of samples: what is there already becomes KNOWN, all else is put
 * in. Rows past PACK_ROWS_MAX are left out and KNOWN. True when dst changed. */
bool roll_raw(struct block *dst, const struct span *s);
/* Into a block of means over steps of step ms: what is NEW, and what is LATE
 * where the step had nothing, adds to n, means and maxima of its step. LATE
 * becomes NEW or KNOWN. True when dst changed. */
bool roll_add(struct block *dst, const struct span *s, int64_t step);

#endif
