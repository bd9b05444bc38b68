/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_GUESS_H
#define FELLOE_GUESS_H

#include "noded/archive/reader.h"
#include "shared/err.h"
#include "shared/json.h"

/* What a restore needs of the manifest, for an archive that has lost its own: the
 * tables by the names of their members. Without rows and digests. */

/* site, db: what the archive is known to hold; db is left out when no member
 * belongs to a database. *ret is yours. */
int guess_manifest(struct archive_reader *r, const char *site, const char *db, struct buf *ret,
		   struct err *e) MUSTCHECK;
/* Database in "{site}-{db}-backup-…", the last part of a key; yours, NULL when there is none. */
char *guess_db(const char *name, const char *site);

#endif
