/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LISTEN_H
#define FELLOE_LISTEN_H

#include "shared/attr.h"
#include "shared/err.h"

/* A socket that listens on "ADDRESS:PORT" (config_listen); the caller closes it.
 * ERR_IO, with the reason of the system. */
int listen_on(int *ret, const char *where, struct err *e) MUSTCHECK;

#endif
