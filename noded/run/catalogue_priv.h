/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CATALOGUE_PRIV_H
#define FELLOE_CATALOGUE_PRIV_H

#include "shared/sql.h"

/* For catalogue*.c alone. */

struct catalogue {
	struct sql *db;
};

#endif
