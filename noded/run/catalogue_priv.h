/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CATALOGUE_PRIV_H
#define FELLOE_CATALOGUE_PRIV_H

#include "shared/sql.h"

/* For catalogue*.c alone. */

struct catalogue {
	struct sql *db;
};

/* End what "BEGIN IMMEDIATE" began: keep it when rc is 0, else undo it. Returns 0; or -1, e is then of the first failure. */
int catalogue_finish(struct catalogue *c, int rc, struct err *e) MUSTCHECK;

/* A condition on runs: good, or made suspect only by what was found of its archives afterwards (catalogue_proof.c). */
#define CATALOGUE_WAS_GOOD "state IN ('ok', 'warning') OR (state='suspect' AND proof<>''" \
			   " AND error IN ('proof failed: ' || proof, proof))"

#endif
