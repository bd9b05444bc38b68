/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SAMPLE_H
#define FELLOE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/list.h"
#include "shared/wire.h"

/* Samples as the history keeps them: whole numbers (codes) in rows of equal
 * shape. A code is fixed point (percent in tenths, load in hundredths) or, for
 * what spans many orders of magnitude, a logarithm (memory and swap in use in
 * steps of 0.1 %, rates in steps of 1 %), so that little noise stays little to
 * store. The same code stands in journal, memory and blocks: what a sample shows
 * does not change on its way. Pure. */

enum metric {
	M_CPU, M_DISK, M_ACTIVE, M_MEM_TOTAL, M_MEM_USED, M_SWAP_TOTAL, M_SWAP_USED, M_LOAD1, M_LOAD5, M_LOAD15,
	M_IO_READ, M_IO_WRITE, M_NET_RX, M_NET_TX, M_PRESS_CPU, M_PRESS_IO, M_PRESS_MEM, METRICS,
	/* only in rollups */
	M_CPU_MAX = METRICS, M_LOAD1_MAX, ROLL_METRICS
};
enum { MOUNTS_MAX = 16, CODE_NONE = -1 };

/* NAN and what is below 0 give CODE_NONE; every other code is >= 0. */
int64_t metric_code(enum metric m, double v);
double metric_value(enum metric m, int64_t code);
/* Percent of a mount in hundredths. */
int32_t mount_code(double percent);
double mount_value(int32_t code);

/* A sample, or a step of a rollup. */
struct row {
	int64_t ts;               /* ms; of a rollup the start of the step */
	int64_t n;                /* how many samples; 1 */
	int64_t v[ROLL_METRICS];  /* codes; those of a rollup are of the mean */
	int32_t disk[MOUNTS_MAX]; /* by the mounts of the block; CODE_NONE */
};

/* Rows by time, no two of one time, and the names of their mounts. */
struct block {
	char *mounts[MOUNTS_MAX];
	size_t n_mounts;
	struct { LIST_OF(struct row); } rows;
};
void block_done(struct block *b);
/* The number of the mount, made when it is new; -1 when there are too many. */
int block_mount(struct block *b, const char *name, size_t len);
/* A new last row, everything unknown. */
struct row *block_push(struct block *b, int64_t ts);

/* Numbers of variable length (7 bits a byte, lowest first). */
void varint_put(struct buf *b, uint64_t v);
/* 0, or -1 when the bytes end in it or it is too long. */
int varint_get(const uint8_t **p, const uint8_t *end, uint64_t *ret) MUSTCHECK;

/* A record is one sample in a few dozen bytes. Of its mounts the first
 * MOUNTS_MAX are kept. */
void record_put(struct buf *b, const struct wire_sample *s);
/* Only its time. */
int record_ts(const void *p, size_t n, int64_t *ts) MUSTCHECK;
/* Append it to block as its last row. ERR_DAMAGED. */
int record_get(struct block *block, const void *p, size_t n, struct err *e) MUSTCHECK;
/* The numbers of a row as a report without lists but disks (mount and percent). */
void row_to_wire(struct wire_sample *ret, const struct block *b, const struct row *r);

/* What a row of the journal consists of. */
struct frame {
	int64_t node_id;
	bool skewed;              /* its clock is off: ts is the master's */
	const uint8_t *record;
	size_t record_n;
	const char *extra;        /* the whole report as JSON, not ended by NUL; NULL */
	size_t extra_n;
};
/* Append it to a row of the journal. */
void frame_put(struct buf *b, const struct frame *f);
/* The next of p..end: 1, 0 at the end, -1 ERR_DAMAGED. Points into the bytes. */
int frame_get(const uint8_t **p, const uint8_t *end, struct frame *f, struct err *e) MUSTCHECK;

#endif
