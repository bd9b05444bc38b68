/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PROVE_VIEWS_H
#define FELLOE_PROVE_VIEWS_H

#include "noded/config.h"
#include "noded/run/find.h"
#include "shared/err.h"

/* Run the views of an archive again on a server where its database db is loaded:
 * they may refer to a database that was loaded after it. *left: how many still
 * lack what they refer to. */
int prove_views(const struct config *c, const struct db_access *a, const struct found_archive *archive, unsigned *left,
		struct err *e) MUSTCHECK;

#endif
