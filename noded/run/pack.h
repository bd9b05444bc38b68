/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PACK_H
#define FELLOE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/archive/writer.h"
#include "noded/store/store.h"
#include "shared/err.h"
#include "shared/wire.h"

/* One archive on its way into one storage: archive writer, upload, the digests
 * of the stored parts and the sidecar, held together. */

struct pack;
struct pack_opts {
	struct store *store;    /* lent */
	const char *key;
	uint64_t estimate;      /* bytes, 0 unknown */
	uint64_t spool_bytes;
	int level;
	unsigned threads;
	bool adaptive;
};
int pack_open(struct pack **ret, const struct pack_opts *o, struct err *e) MUSTCHECK;
/* Gives up: whatever reached the storage is removed. NULL and a finished pack do nothing. */
void pack_close(struct pack *p);
void pack_closep(struct pack **p);
/* Members go here. */
struct archive_writer *pack_writer(struct pack *p);
/* True when the last error came from the storage, not from the source. */
bool pack_storage_failed(const struct pack *p);

struct pack_facts { /* for the public header of the sidecar */
	const char *site, *server_id, *run;
	int64_t started, finished;
};
/* Seal: index, manifest, last part, then the sidecar beside it. */
int pack_seal(struct pack *p, const char *manifest, const struct pack_facts *facts, struct archive_sum *sum,
	      struct err *e) MUSTCHECK;
/* Look at both once more: the size of the object, every byte of the sidecar.
 * Only then the archive counts. *ret gets storage, key, size and sha256. */
int pack_verify(struct pack *p, struct wire_archive *ret, struct err *e) MUSTCHECK;

#endif
