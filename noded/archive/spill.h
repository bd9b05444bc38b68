/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SPILL_H
#define FELLOE_SPILL_H

#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"

/* A growing row of bytes: in memory up to a cap, beyond it in an unlinked file
 * in TMPDIR (/var/tmp without it). */
struct spill {
	struct buf mem;         /* all bytes, or those not yet in the file */
	int fd;                 /* -1: all in memory */
	uint64_t in_file;
};
void spill_init(struct spill *s, size_t cap);
void spill_done(struct spill *s);
uint64_t spill_len(const struct spill *s);
int spill_add(struct spill *s, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Bytes [offset, offset + n), which must be there, into p. */
int spill_read(struct spill *s, uint64_t offset, void *p, size_t n, struct err *e) MUSTCHECK;

#endif
