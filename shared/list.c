/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/list.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

void *list_grow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n == *cap) {
		*cap = *cap ? *cap * 2 : 8;
		v = xrealloc(v, *cap * size);
	}
	memset((char *)v + n * size, 0, size);
	return v;
}

void list_free(void *v)
{
	free(v);
}

void strings_add(struct strings *s, const char *text)
{
	*list_push(s) = xstrdup(text);
}

bool strings_have(const struct strings *s, const char *text)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(s->v[i], text))
			return true;
	return false;
}

void strings_done(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	list_done(s);
}
