/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DOC_ALERTS_H
#define FELLOE_DOC_ALERTS_H

#include "masterd/doc.h"

/* Entries of the routes about alerts and the channels that tell of them. */
const struct route_doc *doc_alerts(size_t *n);

#endif
