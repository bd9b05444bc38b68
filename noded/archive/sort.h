/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SORT_H
#define FELLOE_SORT_H

#include <stdint.h>
#include <sys/types.h>

#include "shared/err.h"
#include "shared/hash.h"

/* Members of an archive while it is written, sorted by name at the end: runs of
 * at most 8 MiB sorted in memory, kept in an unlinked file, merged. Memory does
 * not grow with the number of members. */

struct sort_member {
	const char *name;       /* lent */
	char type;
	mode_t mode;
	uint64_t size, real_size;
	int64_t mtime_ns;
	uint32_t frame, last_frame, skip;  /* first and last frame; raw bytes before the header */
	uint8_t sha256[SHA256_LEN];
};
struct sort;
struct sort *sort_new(void);
void sort_free(struct sort *s);
int sort_add(struct sort *s, const struct sort_member *m, struct err *e) MUSTCHECK;
/* All members in the byte order of their names; once. fn: 0, or -1 with *e. */
typedef int sort_fn(void *ctx, const struct sort_member *m, struct err *e);
int sort_each(struct sort *s, sort_fn *fn, void *ctx, struct err *e) MUSTCHECK;

#endif
