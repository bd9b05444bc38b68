/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_EXTRACT_H
#define FELLOE_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/files/tar.h"
#include "shared/err.h"

/* Members written below one directory, and never outside of it: each component
 * is opened with O_NOFOLLOW, absolute names and ".." are refused. */

struct extract;
struct extract_opts {
	const char *dir;        /* made when missing (its parent must exist) */
	const char *strip;      /* prefix taken from names and hard-link targets ("files/"); members without it are
				 * refused. NULL or "": none */
	bool overwrite;         /* dir may hold something; files of the same name are replaced, directories reused */
	/* Something that could not be set (owner, attribute, device node): the
	 * member is there, not complete. May be NULL. */
	void (*note)(void *ctx, const char *path, const char *why);
	void *ctx;
};
/* ERR_CONFLICT when dir is not empty and overwrite is not set. */
int extract_new(struct extract **ret, const struct extract_opts *o, struct err *e) MUSTCHECK;
void extract_free(struct extract *x);
void extract_freep(struct extract **x);

/* The members: begin, write..., end for each, in the order of the archive. The
 * sink is lent, good as long as x. Owners are set as root only; modes, ns times,
 * extended attributes and ACLs always; holes are made again. A member that ends
 * by sink->fail is removed again. */
const struct tar_sink *extract_sink(struct extract *x);

struct extract_result { uint64_t members, bytes, notes; };
/* Times and modes of the directories that are still open. Once, at the end. */
int extract_finish(struct extract *x, struct extract_result *ret, struct err *e) MUSTCHECK;

#endif
