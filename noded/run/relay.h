/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_RELAY_H
#define FELLOE_RELAY_H

#include <stddef.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Hands members to a thread of its own: the database is read on while the member
 * before is hashed, cut into frames and stored. Holds one member, and none that is
 * huge (over 16 MiB, from a huge row), which its reader waits for. Members may come
 * from several threads, one at a time: who calls first has returned before another calls. */

struct relay;
/* As member of struct dump_sink. Called for one member at a time, in order; no
 * more after one that failed. Mostly on the relay's thread: what it touches is
 * nobody else's until relay_end or relay_free. */
typedef int relay_fn(void *ctx, const char *name, const void *p, size_t n, struct err *e);

int relay_new(struct relay **ret, relay_fn *fn, void *ctx, struct err *e) MUSTCHECK;
/* Waits for the member under way and ends the thread. NULL does nothing. */
void relay_free(struct relay *r);
void relay_freep(struct relay **r);
/* Waits for the member before; -1 and its error when that one failed. */
int relay_member(struct relay *r, const char *name, const void *p, size_t n, struct err *e) MUSTCHECK;
/* The same without a copy: the bytes of b are kept until they are through, and b
 * comes back empty with the memory of the member before, or none. */
int relay_swap(struct relay *r, const char *name, struct buf *b, struct err *e) MUSTCHECK;
/* Wait until all are through; -1 and the error of the one that failed. */
int relay_end(struct relay *r, struct err *e) MUSTCHECK;

#endif
