/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_UNPACK_H
#define FELLOE_UNPACK_H

#include <stdint.h>

#include "noded/files/tar.h"
#include "shared/err.h"

/* Stored bytes -> frames -> tar members, range by range. A range begins with a
 * frame that begins with a header and holds whole members; damage in one does
 * not reach the next. */

struct unpack_range { uint64_t at, len; };

struct unpack_damage {
	const struct unpack_range *range;
	bool cut;               /* a wanted member was open */
	const struct err *why;
};
/* Where a member's first header block is, as in the index. */
struct unpack_place { const struct unpack_range *range; uint64_t skip; };
struct unpack_ops {
	/* 1 the content is wanted, 0 it is passed over, -1 stop with *e. */
	int (*begin)(void *ctx, const struct tar_entry *entry, const struct unpack_place *at, struct err *e);
	int (*write)(void *ctx, const void *p, size_t n, struct err *e);
	int (*end)(void *ctx, struct err *e);
	/* The rest of a range is lost. 0: go on with the next. */
	int (*damaged)(void *ctx, const struct unpack_damage *d, struct err *e);
	/* A range has come to its end without that. */
	int (*passed)(void *ctx, const struct unpack_range *range, struct err *e);
	void *ctx;
};

struct unpack;
struct unpack *unpack_new(const struct unpack_ops *ops);
void unpack_free(struct unpack *u);
/* The ranges whose bytes come next; lent until the next unpack_start. */
void unpack_start(struct unpack *u, const struct unpack_range *ranges, size_t n);
/* Their stored bytes in order, without gaps. */
int unpack_add(struct unpack *u, const void *p, size_t n, struct err *e) MUSTCHECK;
/* No more bytes: ranges that are not complete are damaged (why: what the source said). */
int unpack_end(struct unpack *u, const struct err *why, struct err *e) MUSTCHECK;

#endif
