/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_BUF_H
#define FELLOE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/attr.h"
#include "shared/err.h"

/* A growing byte buffer with a cap given at init. p is always ended by a NUL
 * that len does not count (p is "" before the first byte). An addition past the
 * cap is dropped whole and sets over, which stays set until buf_reset: build
 * first, then ask once with buf_check. */
struct buf {
	char *p;
	size_t len, cap, max;
	bool over;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);              /* frees; a zeroed or done buf is fine */
void buf_reset(struct buf *b);             /* empty, memory kept */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more bytes at the end; write there, then buf_grew. NULL past the cap. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
void buf_drop(struct buf *b, size_t n);    /* remove the first n bytes */
/* 0, or -1 with ERR_LIMIT naming what when something was dropped. */
int buf_check(const struct buf *b, const char *what, struct err *e) MUSTCHECK;
/* The bytes, ended by NUL, are yours; the buf is empty again. */
char *buf_take(struct buf *b);

#endif
