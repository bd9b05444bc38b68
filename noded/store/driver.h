/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_DRIVER_H
#define FELLOE_STORE_DRIVER_H

#include "noded/store/store.h"

/* What a kind of storage must provide; store.c calls it and adds what all kinds
 * have in common (the digest of the whole, the check after the end). Keys are
 * whole and checked (store.c: not empty, no "..", at most 1024 bytes). Messages
 * begin with what failed; store.c puts the storage's name in front. */

struct store_range {
	const char *key;
	uint64_t offset, n; /* n UINT64_MAX: to the end */
	store_data_fn *on_data;
	void *ctx;
};

struct store_ops {
	const char *type; /* of storage[].type */
	/* patient: retry what may pass; else one try each, for a test that a person waits for. */
	int (*open)(void **impl, const struct storage *cfg, bool patient, struct err *e);
	void (*close)(void *impl);
	void (*set_stop)(void *impl, bool (*stop)(void)); /* NULL when nothing waits */
	int (*put)(void *impl, const char *key, const void *p, size_t n, struct err *e);
	int (*get)(void *impl, const struct store_range *range, struct err *e);
	int (*head)(void *impl, const char *key, uint64_t *size, struct err *e);
	int (*remove)(void *impl, const char *key, struct err *e);
	int (*list)(void *impl, const char *prefix, store_list_fn *on_item, void *ctx, struct err *e);
	int (*sweep)(void *impl, const char *prefix, int64_t older_than_ms, unsigned *swept, struct err *e);
	/* An upload in steps. finish makes it visible; abort removes all of it;
	 * free ends the handle after either. */
	int (*begin)(void **up, void *impl, const struct upload_opts *o, struct err *e);
	int (*write)(void *up, const void *p, size_t n, struct err *e);
	int (*finish)(void *up, struct err *e);
	void (*abort)(void *up);
	void (*free)(void *up);
};

const struct store_ops *store_dir(void);
const struct store_ops *store_s3(void);

#endif
