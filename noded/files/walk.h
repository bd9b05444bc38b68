/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WALK_H
#define FELLOE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noded/files/glob.h"
#include "noded/files/tar.h"
#include "shared/err.h"

/* Directory trees read into tar members, in a fixed order, with memory that does
 * not grow with the number of files (only with the largest single directory). */

enum walk_note {
	WALK_SKIPPED,  /* could not be read (permission, I/O error, missing root, too deep): counted in skipped */
	WALK_CHANGED,  /* changed while it was read, also at the second try: counted in changed */
	WALK_VANISHED, /* was gone before it could be opened: no loss, not counted */
	WALK_SOCKET,   /* left out as always: counted in sockets */
	WALK_MOUNT,    /* another file system begins here, not entered: counted in mounts */
};

struct walk_opts {
	const char *const *roots;  /* absolute paths of files or directories; one that lies in another is done once.
				    * A root that is a symbolic link is followed, no other is. */
	size_t n_roots;
	const struct globs *exclude; /* or NULL; names are taken relative to each root */
	bool cross_devices;
	bool keep_cachedirs;       /* also the content of directories with a valid CACHEDIR.TAG */
	/* Something left out or doubtful; path is absolute, why is a text. May be NULL. */
	void (*note)(void *ctx, enum walk_note kind, const char *path, const char *why);
	/* Asked for each entry and buffer; true ends the walk with ERR_ABORTED. May be NULL. */
	bool (*stop)(void *ctx);
	void *ctx;                 /* of note and stop */
};

struct walk_result {
	uint64_t files;    /* members given to the sink, of any type */
	uint64_t bytes;    /* content of regular files, without holes */
	uint64_t skipped, changed, sockets, mounts, excluded;
};

/* Every entry below the roots goes to sink as begin, write..., end. Names are
 * "files/" + absolute path without the first "/". Links are not followed, parents
 * come before their content, names of a directory in byte order. A file up to
 * 1 MiB that changes while it is read is read again once; a longer one is cut or
 * filled with zeros to the size in its header and noted as changed. An error of
 * the sink ends the walk and is returned; unreadable entries are notes. ret (may
 * not be NULL) is right also after a failure. */
int files_archive(const struct walk_opts *o, const struct tar_sink *sink, struct walk_result *ret,
		  struct err *e) MUSTCHECK;
/* The same walk without reading content: files and bytes that files_archive
 * would give now. Notes are not sent. */
int files_estimate(const struct walk_opts *o, struct walk_result *ret, struct err *e) MUSTCHECK;

#endif
