/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FIND_H
#define FELLOE_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/archive/reader.h"
#include "noded/config.h"
#include "noded/run/catalogue.h"
#include "noded/store/store.h"
#include "noded/run/facts.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/list.h"

/* Archives found again: by the catalogue, or without it by the names on a storage. */

struct found_archive {
	char storage[WIRE_NAME];
	char key[1024];
	char run[UUID_TEXT];     /* "" until its sidecar was read */
	int64_t at;              /* when it was begun, ms */
	int64_t size;
	bool sidecar;            /* it has one */
};
struct found_archives { LIST_OF(struct found_archive); };

/* All archives below "{prefix}/{server_id}/" on a storage whose name may belong to
 * the site (NULL all), newest first. list_done it. */
int find_on_storage(const struct config *c, const struct storage *storage, const char *site, struct found_archives *ret,
		    struct err *e) MUSTCHECK;

struct find_opts {
	const struct config *config;
	struct catalogue *catalogue;  /* not asked when from is given */
	const char *site;
	const char *at;               /* "latest", a run's uuid or its beginning, a time (RFC 3339 or
				       * "YYYY-MM-DD[ HH:MM[:SS]]", UTC): the newest not after it; or a key */
	const char *from;             /* a storage, or NULL */
	bool salvage;                 /* an archive that says no more whose it is counts by its name */
};
/* The archives of one run. ERR_NOTFOUND says what there is. list_done it. */
int find_run(const struct find_opts *o, struct found_archives *ret, struct err *e) MUSTCHECK;
/* What find_run found as the latest is not the newest there is: warn that a suspect run was passed over, why, and how it is taken. */
void find_tell_newer(const struct find_opts *o, const struct found_archives *found);

/* An archive opened for reading by ranges. */
struct opened {
	struct store *store;
	struct store *idx_store; /* of its own: the index is looked up while data of the archive comes in */
	char *key, *idx;
	struct archive_reader *reader;
	struct json *manifest;   /* but for its lists of tables and triggers */
	struct facts facts;      /* those */
	uint64_t fetched;        /* bytes that came from the storage */
	uint64_t size;           /* of the archive */
	bool sidecar;            /* it has one, and it is in use */
	char *sidecar_damage;    /* why it is not; NULL */
	uint64_t cut_from;       /* bytes that it once had, when it has fewer now; else 0 */
	/* only of opened_salvage */
	char *index_damage;      /* its index is lost, for this reason: it was scanned */
	char *manifest_damage;   /* so is its manifest: what there is comes from the names of members */
	struct archive_scan_result scan;
};
/* A damaged sidecar is no failure: the index in the archive is used instead. */
int opened_open(struct opened *ret, const struct config *c, const struct found_archive *a, struct err *e) MUSTCHECK;
struct salvage_opts {
	const char *site, *db;          /* db: of the archive when nothing in it or its name says so */
	struct archive_scan_opts scan;
};
/* As opened_open, and also when index or manifest are lost: then all of the
 * archive is read once, and the manifest has no rows and digests. */
int opened_salvage(struct opened *ret, const struct config *c, const struct found_archive *a,
		   const struct salvage_opts *o, struct err *e) MUSTCHECK;
/* The sidecar proved damaged later: why is kept in sidecar_damage, and the
 * archive is opened again without it. */
int opened_leave_sidecar(struct opened *o, const char *why, struct err *e) MUSTCHECK;
void opened_close(struct opened *o);
/* Name of the database in it, "" none. Lent. */
const char *opened_db(const struct opened *o);

#endif
