/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DOC_PEOPLE_H
#define FELLOE_DOC_PEOPLE_H

#include "masterd/doc.h"

/* Entries of the routes about people and the master itself. */
const struct route_doc *doc_people(size_t *n);

#endif
