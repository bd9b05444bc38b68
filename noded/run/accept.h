/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ACCEPT_H
#define FELLOE_ACCEPT_H

#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Somebody looked at a suspect run and says that the site is meant to be so: it
 * becomes a good one, with which the next are compared, and the master hears of
 * it. run NULL: the newest suspect one of the site. ERR_NOTFOUND there is none,
 * ERR_CONFLICT it is not suspect, or suspect because a proof of it failed. *ret: the run as it is now, wire_run_done it. */
int accept_run(const struct config *c, struct catalogue *catalogue, const char *site, const char *run,
	       struct wire_run *ret, struct err *e) MUSTCHECK;

#endif
