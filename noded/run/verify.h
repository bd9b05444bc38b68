/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_VERIFY_H
#define FELLOE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/run/find.h"
#include "shared/err.h"

/* What is stored, read again and compared with the digests taken when it was written. */

/* Which members are unpacked and compared with their SHA-256 besides. */
enum verify_members {
	VERIFY_STORED,   /* none: only the stored bytes count */
	VERIFY_FILES,    /* those that are no database's, which a proof (prove.h) reads anyway */
	VERIFY_MEMBERS,  /* all */
};

struct verify_opts {
	const struct config *config;
	enum verify_members members;
	/* Something is wrong with a member (or, with member "", with the whole archive). */
	void (*damaged)(void *ctx, const char *member, const char *why);
	void (*progress)(void *ctx, uint64_t fetched); /* may be NULL */
	void *ctx;
};
struct verify_result {
	uint64_t members, bytes, fetched, damaged;
	bool no_sidecar;  /* it is missing: every member was read instead */
};
/* One archive. Damage is counted and told, not an error; an error means that
 * nothing can be said (storage away, archive gone). */
int verify_archive(const struct verify_opts *o, const struct found_archive *a, struct verify_result *ret,
		   struct err *e) MUSTCHECK;

#endif
