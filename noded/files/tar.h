/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TAR_H
#define FELLOE_TAR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/list.h"

/* pax interchange format (POSIX.1-2017, pax(1), ustar header with extended
 * headers): only what a backup needs, written and read by ourselves so that the
 * offset of each header is known. */

struct tar_xattr { char *name; void *value; size_t len; };
struct tar_run { uint64_t offset, len; };    /* a run of data of a sparse file */

struct tar_entry {
	char *name;             /* no leading "/"; any bytes but NUL; directories without the last "/" */
	char type;              /* '0' file '1' hard link '2' symlink '3' chr '4' blk '5' dir '6' fifo */
	mode_t mode;            /* permission bits */
	uid_t uid;
	gid_t gid;
	char *uname, *gname;    /* or NULL */
	uint64_t size;          /* of a regular file, as stored in the archive */
	int64_t mtime_ns;       /* since 1970 */
	char *link;             /* target of '1' and '2' */
	unsigned dev_major, dev_minor;
	struct { LIST_OF(struct tar_xattr); } xattrs;  /* SCHILY.xattr.* (ACLs travel as system.posix_acl_*) */
	/* A sparse file (GNU.sparse 1.0): its content in the archive is the map as
	 * tar_put_map writes it, then the runs of data; size counts both. */
	bool sparse;
	uint64_t real_size;     /* size with the holes */
};
void tar_entry_done(struct tar_entry *t);
/* Append the header blocks (pax header first when it is needed) to b. */
void tar_put_header(struct buf *b, const struct tar_entry *t);
enum { TAR_BLOCK = 512 };
/* Zero bytes that fill size up to a whole block. */
size_t tar_padding(uint64_t size);

/* Read a header from p[0..n): how many bytes it took (with pax headers) goes to
 * *used. 1 an entry, 0 more bytes are needed, 2 the end-of-archive blocks, -1
 * damaged. The entry is yours. */
int tar_get_header(struct tar_entry *ret, const void *p, size_t n, size_t *used, struct err *e) MUSTCHECK;

/* The map at the start of a sparse file's content: n runs, padded to a block. */
void tar_put_map(struct buf *b, const struct tar_run *runs, size_t n);
struct tar_map { LIST_OF(struct tar_run); };
/* Read it back, as tar_get_header: 1 done, 0 more bytes are needed, -1 damaged.
 * Runs are in order, do not overlap and end within real_size; at most
 * TAR_RUNS_MAX. ret is yours (list_done) in all cases. */
enum { TAR_RUNS_MAX = 100000 };
int tar_get_map(struct tar_map *ret, uint64_t real_size, const void *p, size_t n, size_t *used,
		struct err *e) MUSTCHECK;

/* Who takes members: begin, write as often as needed, end; or fail instead of
 * end (after begin) when the rest of the member does not come. fail may be NULL.
 * entry and bytes are lent. */
struct tar_sink {
	int (*begin)(void *ctx, const struct tar_entry *entry, struct err *e);
	int (*write)(void *ctx, const void *p, size_t n, struct err *e);
	int (*end)(void *ctx, struct err *e);
	void (*fail)(void *ctx);
	void *ctx;
};

#endif
