/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_LIST_H
#define FELLOE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A growing array of any type:  struct { LIST_OF(struct site); } sites = {0};
 * list_push(&sites) gives a zeroed new last element (pointers to elements are
 * good until the next push); list_done frees the array, not what elements own. */
#define LIST_OF(type) \
	type *v;      \
	size_t n, cap
#define list_push(l)                                                                           \
	((l)->v = list_grow((l)->v, (l)->n, &(l)->cap, sizeof(*(l)->v)), &(l)->v[(l)->n++])
#define list_done(l) (list_free((l)->v), (l)->v = NULL, (l)->n = (l)->cap = 0, (void)0)

/* The array with room for one element more than n, that element zeroed. */
void *list_grow(void *v, size_t n, size_t *cap, size_t size);
void list_free(void *v);

/* The commonest one: texts, which the list owns. */
struct strings {
	LIST_OF(char *);
};
void strings_add(struct strings *s, const char *text); /* a copy of it */
bool strings_have(const struct strings *s, const char *text);
void strings_done(struct strings *s);

#endif
