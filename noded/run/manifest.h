/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MANIFEST_H
#define FELLOE_MANIFEST_H

#include <stdbool.h>

#include "noded/config.h"
#include "noded/files/walk.h"
#include "noded/mysql/dump.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/wire.h"

/* The two members that describe an archive (docs/archive-format.md):
 * manifest.json for programs, RESTORE.txt for whoever has nothing but tar. */

struct manifest {
	const struct config *config;
	const struct wire_run *run;
	const char *key;
	const char *db;                    /* "" none */
	const struct dump *dump;           /* with db */
	const struct dump_result *tables;  /* with db; NULL for RESTORE.txt */
	const struct strings *roots;       /* NULL: no files */
	const struct walk_result *files;
	bool users;                        /* RESTORE.txt: users/accounts.sql may be there */
	int64_t finished;
	int lowest_level;                  /* of compression */
};
/* Append the JSON to b. */
int manifest_json(const struct manifest *m, struct buf *b, struct err *e) MUSTCHECK;
/* Append the text to b. */
int manifest_restore_text(const struct manifest *m, struct buf *b, struct err *e) MUSTCHECK;

#endif
