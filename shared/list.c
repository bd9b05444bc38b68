/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/list.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"

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
