/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { BLOCK = 64 << 10 };

struct pool_block {
	struct pool_block *next;
	char p[];
};

void pool_done(struct pool *p)
{
	while (p->first) {
		struct pool_block *next = p->first->next;

		free(p->first);
		p->first = next;
	}
	free(p->slots);
	*p = (struct pool){0};
}

/* Blocks are filled from their end. */
static char *room(struct pool *p, size_t n)
{
	struct pool_block *b;

	if (n > BLOCK / 4) { /* one of its own, behind the one that is being filled */
		b = xmalloc(sizeof(*b) + n);
		b->next = p->first ? p->first->next : NULL;
		if (p->first)
			p->first->next = b;
		else
			p->first = b;
		return b->p;
	}
	if (n > p->left) {
		b = xmalloc(sizeof(*b) + BLOCK);
		b->next = p->first;
		p->first = b;
		p->left = BLOCK;
	}
	p->left -= n;
	return p->first->p + p->left;
}

const char *pool_add(struct pool *p, const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(room(p, n), s, n);
}

/* FNV-1a */
static size_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

static const char **slot_of(const struct pool *p, const char *s)
{
	size_t at = hash(s) & (p->cap - 1);

	while (p->slots[at] && !str_eq(p->slots[at], s))
		at = (at + 1) & (p->cap - 1);
	return &p->slots[at];
}

static void grow(struct pool *p)
{
	struct pool old = *p;

	p->cap = old.cap ? old.cap * 2 : 64;
	p->slots = xcalloc(p->cap, sizeof(*p->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i])
			*slot_of(p, old.slots[i]) = old.slots[i];
	free(old.slots);
}

const char *pool_same(struct pool *p, const char *s)
{
	const char **slot;

	if (p->n >= p->cap / 2)
		grow(p);
	slot = slot_of(p, s);
	if (!*slot) {
		*slot = pool_add(p, s);
		p->n++;
	}
	return *slot;
}

bool pool_has(const struct pool *p, const char *s)
{
	return p->cap && *slot_of(p, s);
}
