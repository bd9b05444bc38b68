/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ZIP_H
#define FELLOE_ZIP_H

#include <stddef.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Small pieces through zstd, each a frame of its own. */

/* Append the compressed bytes. */
int zip_pack(struct buf *out, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Append what p..p+n holds. ERR_DAMAGED; also when it says to be longer than out may grow. */
int zip_unpack(struct buf *out, const void *p, size_t n, struct err *e) MUSTCHECK;

#endif
