/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LOOKED_H
#define FELLOE_LOOKED_H

#include <stdbool.h>

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "noded/run/job.h"
#include "shared/err.h"

/* Somebody has read archives of a run, and catalogue_look has written down what came of it. */

struct looked {
	const struct config *config;
	struct catalogue *catalogue;
	struct job *job;         /* warned of what people could not be told */
	const char *run;         /* its id; "" not known */
	bool changed;            /* the run is another now */
};
/* The run as it is now, in ret (nothing when there is no record of it; runs_done). One that has changed is reported to the
 * master, and people are told when it is suspect for its archives now. */
int looked_report(const struct looked *l, struct wire_runs *ret, struct err *e) MUSTCHECK;

#endif
