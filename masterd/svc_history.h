/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_HISTORY_H
#define FELLOE_SVC_HISTORY_H

#include <stdint.h>

#include "masterd/master.h"
#include "masterd/sample.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The history of samples: journal -> memory (hot.h) -> blocks. */

/* At the start: the journal into memory, its newest samples into live. */
int history_load(struct master *m, struct err *e) MUSTCHECK;
/* Once a second: take what other masters on our database committed. */
void history_follow(struct master *m, int64_t now);

/* What a series is made of. */
enum resolution { RES_RAW, RES_MINUTE, RES_HOUR, RESOLUTIONS };
const char *resolution_name(enum resolution r);
struct series {
	int64_t node_id, from, to; /* from <= ts < to */
	int64_t step;              /* ms; raised when the resolution is coarser */
	enum resolution res;       /* is given */
	struct block rows;         /* are given; block_done */
};
int history_series(struct master *m, struct series *s, int64_t now, struct err *e) MUSTCHECK;

#endif
