/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/grid.h"

#include <inttypes.h>

#include "shared/str.h"

__extension__ typedef unsigned __int128 wide;

static const uint64_t zero_signed = (uint64_t)1 << 63; /* the place of 0 among signed keys */

bool grid_place(uint64_t *ret, const char *text, size_t n, bool is_unsigned)
{
	bool minus = n && *text == '-';
	uint64_t v = 0;
	size_t i = minus;

	if (i == n || (minus && is_unsigned))
		return false;
	for (; i < n; i++) {
		unsigned digit = (unsigned)((unsigned char)text[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (is_unsigned) {
		*ret = v;
		return true;
	}
	if (v > zero_signed - !minus)
		return false;
	*ret = minus ? zero_signed - v : zero_signed + v;
	return true;
}

void grid_literal(struct buf *b, uint64_t place, bool is_unsigned)
{
	if (is_unsigned)
		buf_addf(b, "%" PRIu64, place);
	else if (place >= zero_signed)
		buf_addf(b, "%" PRIu64, place - zero_signed);
	else
		buf_addf(b, "-%" PRIu64, zero_signed - place);
}

static uint64_t within(unsigned shift)
{
	return shift >= GRID_WHOLE ? UINT64_MAX : ((uint64_t)1 << shift) - 1;
}

uint64_t grid_first(uint64_t place, unsigned shift)
{
	return place & ~within(shift);
}

uint64_t grid_last(uint64_t place, unsigned shift)
{
	return place | within(shift);
}

/* 2^shift keys hold bytes * 2^shift / span on average. */
unsigned grid_shift(uint64_t bytes, uint64_t first, uint64_t last)
{
	wide span = (wide)(last - first) + 1;
	unsigned shift = 0;

	if (bytes <= GRID_CELL_RAW)
		return GRID_WHOLE;
	while (shift < GRID_WHOLE - 1 && ((wide)bytes << (shift + 1)) <= span * GRID_CELL_RAW)
		shift++;
	return shift;
}

unsigned grid_start(int known, unsigned right)
{
	if (known < 0 || known >= GRID_WHOLE)
		return right;
	return right < GRID_WHOLE && right > (unsigned)known + 3 ? right : (unsigned)known;
}

unsigned grid_keep(int known, unsigned right, uint64_t bytes)
{
	unsigned k = (unsigned)known;

	if (known < 0 || known >= GRID_WHOLE)
		return right;
	/* shrunk to one cell, perhaps only for a while */
	if (right == GRID_WHOLE)
		return bytes > GRID_CELL_RAW / 4 ? k : right;
	return k <= right + 1 && right <= k + 1 ? k : right;
}
