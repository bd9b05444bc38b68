/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FRAMES_H
#define FELLOE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Independent zstd frames (RFC 8878) with checksum and content size, compressed
 * by several threads and given out in order. The only file that knows libzstd. */

enum {
	FRAME_RAW = 4 << 20,       /* raw bytes of a frame, at most */
	FRAME_RAW_MAX = 64 << 20,  /* what a reader accepts */
};

struct frame_size { uint32_t stored, raw; };
struct frames;
/* Called from the thread that calls frames_*; 0 to go on. */
typedef int frames_out_fn(void *ctx, const void *p, size_t n, struct err *e);

struct frames_opts {
	int level;              /* as zstd -1..-19 */
	unsigned threads;       /* from 1 */
	/* Levels from 1 to level: one less while the caller waits for compression, one
	 * more while compression waits for the caller or for out. */
	bool adaptive;
	frames_out_fn *out;
	void *ctx;
};
/* Memory: (threads + 1) x 8 MiB. */
int frames_new(struct frames **ret, const struct frames_opts *o, struct err *e) MUSTCHECK;
/* Ends the threads; frames that are not out yet are dropped. */
void frames_free(struct frames *f);
/* FRAME_RAW bytes to fill with the next frame; waits while all are in use. The
 * same until frames_put. */
int frames_room(struct frames *f, char **ret, struct err *e) MUSTCHECK;
/* The first n bytes of it are a frame, compressed from now on in the background. */
int frames_put(struct frames *f, size_t n, struct err *e) MUSTCHECK;
/* Wait until every frame is out. */
int frames_flush(struct frames *f, struct err *e) MUSTCHECK;
/* The seek table of all frames so far (skippable frame, zstd seekable format
 * 0.1.0), after frames_flush. */
int frames_seek_table(struct frames *f, struct err *e) MUSTCHECK;
/* Frames that are out, lent; good until the next call. */
const struct frame_size *frames_table(const struct frames *f, size_t *n);
/* The lowest level of any frame so far. */
int frames_lowest(const struct frames *f);
/* Bytes given to out; from any thread. */
uint64_t frames_stored(const struct frames *f);

/* ---- single frames */

/* Append one frame of p[0..n) to b. */
int frame_compress(struct buf *b, int level, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Stored size of the frame at p[0..n): 1 and *ret, 0 more bytes are needed, -1
 * ERR_DAMAGED. A skippable frame counts as one with nothing in it. */
int frame_measure(size_t *ret, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Decompress exactly one frame into b, which is emptied first; ERR_DAMAGED on a
 * wrong checksum, trailing bytes or a content size over FRAME_RAW_MAX. A
 * skippable frame gives nothing. */
int frame_decompress(struct buf *b, const void *p, size_t n, struct err *e) MUSTCHECK;

/* ---- the seek table */

enum { SEEK_FOOTER = 9, SEEK_FRAMES_MAX = 1 << 24 };
/* Stored size of the whole table, from the last SEEK_FOOTER bytes of an object;
 * ERR_DAMAGED when they are not the end of one. */
int seek_table_size(uint64_t *ret, const void *footer, struct err *e) MUSTCHECK;
/* Read the whole table p[0..n); *ret is yours, *frames of them. */
int seek_table_read(struct frame_size **ret, size_t *frames, const void *p, size_t n, struct err *e) MUSTCHECK;

#endif
