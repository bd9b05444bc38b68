/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DOC_FLEET_H
#define FELLOE_DOC_FLEET_H

#include "masterd/doc.h"

/* Entries of the routes about machines, their reports and their runs. */
const struct route_doc *doc_fleet(size_t *n);

#endif
