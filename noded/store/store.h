/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_H
#define FELLOE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/hash.h"

/* A place for archives: one interface, two drivers (s3, dir). A handle belongs
 * to one thread. Errors: ERR_NET unreachable (after retries), ERR_DENIED
 * credentials refused, ERR_FORBIDDEN, ERR_NOTFOUND no bucket or object,
 * ERR_SPACE, ERR_STORAGE the rest; each message names the storage, the
 * operation, the key and what the storage said. */

struct store;
struct upload;

int store_open(struct store **ret, const struct storage *cfg, struct err *e) MUSTCHECK;
void store_close(struct store *s);
void store_closep(struct store **s);
const char *store_name(const struct store *s);
/* Asked while a call waits (for the network, before a retry, for room in the
 * spool): true ends the call with ERR_ABORTED. Aborting an upload goes on. */
void store_set_stop(struct store *s, bool (*stop)(void));

struct upload_opts {
	const char *key;        /* whole, with the prefix of the configuration already in front (store_key) */
	uint64_t estimate;      /* expected size in bytes, 0 unknown: chooses the part size */
	uint64_t spool_bytes;   /* sealed parts waiting on disk, at most; 0 = memory only */
};
struct upload_result {
	uint64_t size;
	char sha256[SHA256_HEX]; /* of all stored bytes */
};
/* Write an object of unknown length. upload_write blocks when the network is
 * slower than the producer and no spool is left. Nothing is visible under key
 * before upload_finish returns 0, and that only after a HEAD (stat) agreed with
 * the size. upload_finish ends u whatever it returns (after a failure nothing
 * is left behind); else upload_abort ends it, also after a failed upload_write. */
int upload_begin(struct upload **ret, struct store *s, const struct upload_opts *o, struct err *e) MUSTCHECK;
int upload_write(struct upload *u, const void *p, size_t n, struct err *e) MUSTCHECK;
int upload_finish(struct upload *u, struct upload_result *ret, struct err *e) MUSTCHECK;
void upload_abort(struct upload *u);

/* Bytes [offset, offset+n) given to on_data in order; short objects are
 * ERR_DAMAGED. on_data returns 0 to go on; it may itself use s. n UINT64_MAX: to
 * the end. */
typedef int store_data_fn(void *ctx, const void *p, size_t n, struct err *e);
int store_get(struct store *s, const char *key, uint64_t offset, uint64_t n, store_data_fn *on_data, void *ctx,
	      struct err *e) MUSTCHECK;
/* Size of an object; ERR_NOTFOUND. */
int store_head(struct store *s, const char *key, uint64_t *size, struct err *e) MUSTCHECK;
/* What is not there counts as deleted. */
int store_delete(struct store *s, const char *key, struct err *e) MUSTCHECK;
/* All objects whose key begins with prefix, in key order. */
typedef int store_list_fn(void *ctx, const char *key, uint64_t size, struct err *e);
int store_list(struct store *s, const char *prefix, store_list_fn *on_item, void *ctx, struct err *e) MUSTCHECK;
/* "{prefix}/{rest}" without doubled or leading slashes; yours. */
char *store_key(const struct storage *cfg, const char *rest);

/* The directory below a disk that is not mounted, to all appearances: it is empty, so what is not in it need not be
 * gone. False for what is no directory. */
bool store_bare(const struct storage *cfg);

/* The four steps of a test with their times, all tried as far as sense goes. */
struct store_test {
	struct { bool tried, ok; int64_t ms; char error[ERR_MSG_MAX]; } list, write, read, remove;
};
/* Writes, reads and removes a small object "{prefix}/.felloe-test-UUID". 0 when all four are ok. */
int store_try(const struct storage *cfg, struct store_test *ret, struct err *e) MUSTCHECK;
/* Drop multipart uploads (or temporary files) under prefix that are older than
 * age_s; how many goes to *swept. */
int store_sweep(struct store *s, const char *prefix, int64_t age_s, unsigned *swept, struct err *e) MUSTCHECK;

#endif
