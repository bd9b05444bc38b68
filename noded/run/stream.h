/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STREAM_H
#define FELLOE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/files/walk.h"
#include "noded/mysql/dump.h"
#include "noded/run/job.h"
#include "noded/store/store.h"
#include "shared/err.h"
#include "shared/wire.h"

/* One archive from its sources into one storage: RESTORE.txt, the database, the
 * files, the manifest; sealed, verified and written into the catalogue. */

/* The directories of a site, in two groups: the rules that leave out what
 * WordPress can make again hold below wp-content only. */
struct roots {
	struct strings content; /* wp-content, when no other root holds it */
	struct strings other;
	struct strings all;     /* both, for the manifest */
};
void roots_of(struct roots *ret, const struct site *s); /* texts are lent by s */
void roots_done(struct roots *r);
/* What is below the roots now, without reading it. */
int roots_estimate(const struct roots *r, const struct site *s, struct walk_result *ret, struct err *e) MUSTCHECK;

struct stream {
	const struct config *config;
	const struct site *site;
	struct job *job;
	struct store *store;
	const char *key;
	const char *db;          /* "" none */
	struct dump *dump;       /* with db */
	bool last_database;      /* the snapshot is not needed after it */
	bool whole_server;       /* an empty database is a warning, not the end */
	const struct roots *roots; /* NULL: no files */
	uint64_t estimate;
	bool storage_failed;     /* out: the storage, not the source, was the reason */
	bool begun;              /* out: something was read and sent already */
};
/* On success the archive is in job->run.archives and its figures are added to the run. */
int stream_archive(struct stream *s, struct err *e) MUSTCHECK;

#endif
