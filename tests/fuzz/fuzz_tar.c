/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: tar headers and maps of sparse files out of any bytes.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. -Ibuild tests/fuzz/fuzz_tar.c
 *       shared/{err,mem,str,buf,list}.c */
#include "noded/files/tar.c"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	CLEANUP(freep) uint8_t *copy = xmemdup(p, n);
	struct tar_entry t;
	struct tar_map map;
	size_t used;

	/* checksums made right, so that what lies behind them is reached */
	for (size_t at = 0; at + TAR_BLOCK <= n; at += TAR_BLOCK) {
		struct ustar h;

		memcpy(&h, copy + at, sizeof(h));
		if (memcmp(h.magic, "ustar", 5) == 0)
			put_octal(h.chksum, sizeof(h.chksum) - 1, checksum(&h));
		memcpy(copy + at, &h, sizeof(h));
	}
	if (tar_get_header(&t, copy, n, &used, NULL) == 1) {
		struct buf b;

		buf_init(&b, 16 << 20);
		tar_put_header(&b, &t); /* what was read can be written */
		buf_done(&b);
		tar_entry_done(&t);
	}
	if (tar_get_map(&map, UINT64_MAX / 2, p, n, &used, NULL) == 1 && used > n)
		abort();
	list_done(&map);
	return 0;
}
