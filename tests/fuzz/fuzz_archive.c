/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: a sidecar and the end of an archive out of any bytes, then the
 * same archive without an index. The input's first byte says where the sidecar ends.
 * clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. -Ibuild tests/fuzz/fuzz_archive.c
 *       noded/archive/{frames,spill,index,lines,sort,unpack,reader,read,scan}.c noded/files/tar.c
 *       shared/{err,mem,str,buf,list,json,json_out,hash,fs,clock}.c -lzstd -lcjson -lcrypto -lm */
#include <stdlib.h>

#include "noded/archive/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct bytes { const uint8_t *p; };

static int read_bytes(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	const struct bytes *b = ctx;

	return data(data_ctx, b->p + offset, (size_t)n, e);
}

static void ignore(void *ctx UNUSED, const char *member UNUSED, const char *why UNUSED)
{
}

static void scan(const struct archive_object *archive)
{
	const struct archive_scan_opts so = {0};
	struct archive_read_opts o = {.damaged = ignore};
	struct archive_scan_result found;
	struct archive_reader *r = NULL;

	if (archive_scan(&r, archive, &so, &found, NULL))
		return;
	(void)!archive_read(r, &o, NULL, NULL, NULL);
	archive_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct archive_read_opts o = {.damaged = ignore};
	struct archive_reader *r = NULL;
	struct bytes side, all;
	size_t cut;

	if (n < 2)
		return 0;
	cut = (n - 1) * p[0] / 255;
	side = (struct bytes){p + 1};
	all = (struct bytes){p + 1 + cut};

	struct archive_object sidecar = {read_bytes, &side, cut}, archive = {read_bytes, &all, n - 1 - cut};

	scan(&archive);
	if (archive_open(&r, &archive, cut ? &sidecar : NULL, NULL))
		return 0;
	(void)!archive_check_sidecar(r, NULL);
	(void)!archive_read(r, &o, NULL, NULL, NULL);
	(void)!archive_verify_parts(r, &o, NULL, NULL);
	archive_close(r);
	return 0;
}
