/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DOC_ENROL_H
#define FELLOE_DOC_ENROL_H

#include "masterd/doc.h"

/* Join tokens, requests to nodes, storages. */
const struct route_doc *doc_enrol(size_t *n);

#endif
