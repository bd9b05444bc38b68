/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/digest.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL /* most rows are short: the call would cost as much as the hash */
#include <xxhash.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"

enum { COPY_MAX = 64 << 10 }; /* a longer row is hashed in pieces where it lies */

void digest_init(struct digest *d)
{
	*d = (struct digest){0};
	buf_init(&d->row, COPY_MAX);
}

void digest_done(struct digest *d)
{
	buf_done(&d->row);
	if (d->state)
		XXH3_freeState(d->state);
	d->state = NULL;
}

static char *put_len(char *at, const char *value, unsigned long n)
{
	uint32_t le = htole32(value ? (uint32_t)n : 0xffffffffu);

	memcpy(at, &le, 4);
	return at + 4;
}

void digest_begin(struct digest *d)
{
	if (!d->state && !(d->state = XXH3_createState()))
		abort(); /* only for want of memory, which ends us everywhere */
	XXH3_128bits_reset(d->state);
}

void digest_column(struct digest *d, int64_t n)
{
	uint32_t le = htole32(n < 0 ? 0xffffffffu : (uint32_t)n);

	XXH3_128bits_update(d->state, &le, 4);
}

void digest_bytes(struct digest *d, const void *p, size_t n)
{
	XXH3_128bits_update(d->state, p, n);
}

static void add_hash(struct digest *d, XXH128_hash_t h)
{
	d->rows++;
	d->low += h.low64;
	d->high += h.high64 + (d->low < h.low64);
}

void digest_end(struct digest *d)
{
	add_hash(d, XXH3_128bits_digest(d->state));
}

static XXH128_hash_t hash_pieces(struct digest *d, const MYSQL_ROW row, const unsigned long *len, unsigned columns)
{
	digest_begin(d);
	for (unsigned i = 0; i < columns; i++) {
		digest_column(d, row[i] ? (int64_t)len[i] : -1);
		if (row[i])
			digest_bytes(d, row[i], len[i]);
	}
	return XXH3_128bits_digest(d->state);
}

uint64_t digest_row(struct digest *d, const MYSQL_ROW row, const unsigned long *len, unsigned columns)
{
	XXH128_hash_t h;
	size_t total = 4UL * columns;
	char *at;

	for (unsigned i = 0; i < columns; i++)
		total += len[i];
	if (total > COPY_MAX) {
		h = hash_pieces(d, row, len, columns);
	} else {
		at = total < d->row.cap ? d->row.p : buf_room(&d->row, total);
		for (unsigned i = 0; i < columns; i++) {
			at = put_len(at, row[i], len[i]);
			if (row[i])
				at = sql_copy(at, row[i], len[i]);
		}
		h = XXH3_128bits(d->row.p, (size_t)(at - d->row.p));
	}
	add_hash(d, h);
	return h.low64;
}

void digest_join(struct digest *to, const struct digest *d)
{
	to->rows += d->rows;
	to->low += d->low;
	to->high += d->high + (to->low < d->low);
}

void digest_get(const struct digest *d, uint8_t out[static 16])
{
	for (unsigned i = 0; i < 8; i++) {
		out[i] = (uint8_t)(d->high >> (56 - 8 * i));
		out[8 + i] = (uint8_t)(d->low >> (56 - 8 * i));
	}
}
