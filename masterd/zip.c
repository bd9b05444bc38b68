/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/zip.h"

#include <zstd.h>

enum { LEVEL = 6 };

int zip_pack(struct buf *out, const void *p, size_t n, struct err *e)
{
	size_t most = ZSTD_compressBound(n), got;
	char *room = buf_room(out, most);

	if (!room)
		return err_set(e, ERR_LIMIT, "%zu bytes are too many to compress", n);
	got = ZSTD_compress(room, most, p, n, LEVEL);
	if (ZSTD_isError(got))
		return err_set(e, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(got));
	buf_grew(out, got);
	return 0;
}

int zip_unpack(struct buf *out, const void *p, size_t n, struct err *e)
{
	unsigned long long size = ZSTD_getFrameContentSize(p, n);
	size_t got;
	char *room;

	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return err_set(e, ERR_DAMAGED, "not a zstd frame");
	room = size > out->max ? NULL : buf_room(out, (size_t)size);
	if (!room)
		return err_set(e, ERR_DAMAGED, "a zstd frame says to hold %llu bytes", size);
	got = ZSTD_decompress(room, (size_t)size, p, n);
	if (ZSTD_isError(got))
		return err_set(e, ERR_DAMAGED, "zstd: %s", ZSTD_getErrorName(got));
	buf_grew(out, got);
	return 0;
}
