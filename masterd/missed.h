/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MISSED_H
#define FELLOE_MISSED_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/tbl_expected.h"
#include "shared/wire.h"

/* Did what a timer declared happen? Rules without a clock, a database or a
 * thread of their own.
 *
 * A node says of each timer when it fires next. When that time has passed by
 * the timer's spread and a grace, and neither the timer's own "last" nor any
 * run shows that it fired, it was missed. All times are of the node's clock, as
 * its newest report has them: the master's may differ, and a node that does not
 * report is not judged (it is silent, which is another matter). What happened
 * while the master was away counts once the node has handed over its history.
 *
 * Firings in between, which the node declared while the master was away, are
 * known only of timers that fire at even distances every day ("*-*-* 03:00:00");
 * of those that catch up (persistent) any later run counts for all before. */

/* A node's newest report, as far as it matters here. */
struct report {
	int64_t ts;               /* of the node's clock */
	int64_t boot;             /* the node was started; 0 not known */
	bool filled;              /* all of its history has come */
	bool others;              /* it names timers (none at all: it could not ask systemd) */
	const struct wire_timer *timer; /* NULL: it does not name this one */
	bool paused;              /* on purpose */
	bool at_work;             /* a run of the timer goes on */
	int64_t good;             /* newest good backup of the sites of the timer, the oldest of them; 0 none */
	int64_t grace;            /* ms */
	int64_t now;              /* of the master's clock */
};

enum outcome {
	MISSED_SAME,    /* nothing to store */
	MISSED_CHANGED, /* store x */
	MISSED_DROP,    /* forget x */
	MISSED_ASK,     /* look for a run within [*from, *to], then missed_answer */
};
enum outcome missed_look(struct expected *x, const struct report *r, int64_t *from, int64_t *to);
/* The answer: was there a run? x is to be stored. */
void missed_answer(struct expected *x, const struct report *r, bool ran);

#endif
