/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_POOL_H
#define FELLOE_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* Very many short strings that live equally long: in large blocks, without an
 * allocation each. */

struct pool {
	struct pool_block *first;
	size_t left;            /* bytes free in it */
	const char **slots;     /* of strings that are there once; open addressing */
	size_t n, cap;
};

/* A zeroed struct is an empty pool. */
void pool_done(struct pool *p);
/* A copy, good until pool_done. */
const char *pool_add(struct pool *p, const char *s);
/* The same for strings of which many are equal: each of those is kept once, and
 * they have the same address. */
const char *pool_same(struct pool *p, const char *s);
/* Was it given to pool_same? */
bool pool_has(const struct pool *p, const char *s);

#endif
