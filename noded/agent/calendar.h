/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CALENDAR_H
#define FELLOE_CALENDAR_H

#include <stdint.h>

#include "shared/err.h"
#include "shared/list.h"

/* When a calendar expression (systemd.time(7)) fires: asked from systemd itself
 * by `systemd-analyze calendar`, the only way that 252 offers. */

struct calendar {
	char normalized[256];           /* "*-*-* 03:10:00" */
	struct { LIST_OF(int64_t); } next; /* ms; empty: never again */
	char warning[256];              /* "" or: a time that a clock change leaves out */
};

/* The next n times of expr (1 to 1000), in the zone that stands in expr, else the
 * system's. ERR_INVALID: systemd cannot read it; ERR_NOTFOUND: there is no
 * systemd-analyze. Within a year from now, local times that do not exist on
 * the night of a clock change are looked for, since systemd leaves those runs
 * out (seen with 252). calendar_done it, also after a failure. */
int calendar_ask(struct calendar *ret, const char *expr, unsigned n, struct err *e) MUSTCHECK;
void calendar_done(struct calendar *c);

#endif
