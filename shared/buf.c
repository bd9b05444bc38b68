/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"

static char nothing[1];

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.p = nothing, .max = max};
}

void buf_done(struct buf *b)
{
	if (b->cap)
		free(b->p);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->over = false;
	if (b->cap)
		b->p[0] = '\0';
}

char *buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;

	if (n > b->max - b->len) {
		b->over = true;
		return NULL;
	}
	while (cap - 1 < b->len + n)
		cap = cap < b->max / 2 ? cap * 2 : b->max + 1;
	if (cap != b->cap) {
		b->p = xrealloc(b->cap ? b->p : NULL, cap);
		b->cap = cap;
	}
	return b->p + b->len;
}

void buf_grew(struct buf *b, size_t n)
{
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = buf_room(b, n);

	if (!at)
		return;
	if (n)
		memcpy(at, p, n);
	buf_grew(b, n);
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *at;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !(at = buf_room(b, (size_t)n)))
		return;
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf_grew(b, (size_t)n);
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
	b->p[b->len] = '\0';
}

int buf_check(const struct buf *b, const char *what, struct err *e)
{
	if (b->over)
		return err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, b->max);
	return 0;
}

char *buf_take(struct buf *b)
{
	char *p = b->cap ? b->p : xstrdup("");

	b->cap = 0;
	buf_init(b, b->max);
	return p;
}
