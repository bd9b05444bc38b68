/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_GRID_H
#define FELLOE_MYSQL_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/buf.h"

/* The fixed grid over an integer key: cells of 2^shift values each, so that a row
 * lies in the same cell from day to day whatever happens to the others. Keys are
 * counted from the least value of 64 bits up, which makes signed ones and
 * unsigned ones the same. Arithmetic only; no server is asked. */

enum {
	GRID_WHOLE = 64,          /* a shift: one cell holds every key */
	GRID_CELL_RAW = 6 << 20,  /* bytes of SQL in a cell, at most, if rows lie evenly */
};

/* The place of a key's decimal text in that order. false: not a number that fits. */
bool grid_place(uint64_t *ret, const char *text, size_t n, bool is_unsigned);
/* The key at that place as a literal of SQL. */
void grid_literal(struct buf *b, uint64_t place, bool is_unsigned);

/* First and last place of the cell in which place lies. */
uint64_t grid_first(uint64_t place, unsigned shift);
uint64_t grid_last(uint64_t place, unsigned shift);

/* The shift for a table of so many bytes whose keys lie between first and last. */
unsigned grid_shift(uint64_t bytes, uint64_t first, uint64_t last);
/* The one to begin with: known, from an earlier run (-1: none), unless the server's
 * statistics, from which right comes, say that cells have become tiny. */
unsigned grid_start(int known, unsigned right);
/* The one to keep for the next run, right being that for what was read: known as
 * long as it is right within a factor of two, so that cells stay what they are
 * while a table grows. GRID_WHOLE is not worth keeping. */
unsigned grid_keep(int known, unsigned right, uint64_t bytes);

#endif
