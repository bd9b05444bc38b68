/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORAGES_H
#define FELLOE_STORAGES_H

#include "noded/config.h"
#include "shared/wire.h"

/* The storages of c for the master, without any secret: what the catalogue has
 * stored on them, how they did lately (store/pick.h), the room on the disk of a
 * dir. Nothing is asked over the network. Appends to s->storages. */
void storages_add(const struct config *c, struct wire_sample *s);

#endif
