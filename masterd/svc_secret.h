/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_SECRET_H
#define FELLOE_SVC_SECRET_H

#include <stdbool.h>

#include "masterd/config.h"
#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"

/* Is jwt_secret the one that the database was used with last? Sessions and all that
 * is sealed in it (vault.h) are good for that one alone. True for a new database. */
int secret_fits(struct db *db, const struct config *c, bool *fits, struct err *e) MUSTCHECK;
/* At the start: another secret is taken down as the one in use, and told in the log.
 * ERR_LOCKED while another master works on the database with the old one: behind one
 * address each would refuse whom the other let in. */
int secret_take(const struct config *c, struct err *e) MUSTCHECK;

#endif
