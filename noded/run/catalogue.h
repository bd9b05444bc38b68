/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CATALOGUE_H
#define FELLOE_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"
#include "shared/wire.h"

/* What this node remembers of its runs: state/node/catalogue.db. It is a
 * convenience, never needed for a restore: archives describe themselves. */

struct catalogue;

/* Open, make or bring up to date. */
int catalogue_open(struct catalogue **ret, struct err *e) MUSTCHECK;
/* Has this machine one? */
bool catalogue_is_there(void);
/* Records were damaged once and begun anew: what is not in them may have been. */
bool catalogue_was_lost(void);
void catalogue_close(struct catalogue *c);
void catalogue_closep(struct catalogue **c);

/* Write the run as it is now, without its archives; a row with the same uuid is replaced. */
int catalogue_save(struct catalogue *c, const struct wire_run *run, struct err *e) MUSTCHECK;

/* An upload is written down before it begins, so that whatever a dead run left
 * on a storage can be found and removed. */
int catalogue_upload(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e) MUSTCHECK;
/* It is complete: size and digest are known. */
int catalogue_stored(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e) MUSTCHECK;
/* A stored one that the run gave up again: to be removed like an unfinished upload. */
int catalogue_discard(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e) MUSTCHECK;
/* Nothing is left of it on the storage. */
int catalogue_gone(struct catalogue *c, const char *uuid, const struct wire_archive *a, struct err *e) MUSTCHECK;
/* All uploads that are neither stored nor gone, and whatever aborted runs have stored. list_done it. */
struct unfinished {
	char run[UUID_TEXT];
	struct wire_archive archive;
};
struct unfinished_list { LIST_OF(struct unfinished); };
int catalogue_unfinished(struct catalogue *c, struct unfinished_list *ret, struct err *e) MUSTCHECK;
/* Is the key taken on any storage, by this or an older run? */
int catalogue_key_taken(struct catalogue *c, const char *key, bool *ret, struct err *e) MUSTCHECK;
/* catalogue_save, but only while the run is still "running": *changed says
 * whether it was. */
int catalogue_abort(struct catalogue *c, const struct wire_run *run, bool *changed, struct err *e) MUSTCHECK;

/* The outbox has this rev of the run now. */
int catalogue_reported(struct catalogue *c, const char *uuid, int64_t rev, struct err *e) MUSTCHECK;

/* All of a run was restored and compared: failure NULL, or why it is not what was
 * backed up ("" is none). That makes a good run "suspect", with an error that begins
 * with "proof failed: ", until a later proof succeeds: "warning" then. A run that is
 * suspect for another reason stays so. Its rev grows: hand it to report_run. */
struct catalogue_proof {
	int64_t at;              /* ms */
	const char *failure;
};
int catalogue_proof(struct catalogue *c, const char *uuid, const struct catalogue_proof *proof, struct err *e) MUSTCHECK;

/* A verification has read an archive: damage NULL, or what is wrong. Damage makes its run "suspect" as a failed proof does,
 * with an error that begins with "damaged: ". When a later look that is at least as deep finds it sound, and no other
 * archive of the run is known to be damaged, the run is a "warning". A proof that succeeds ends all damage of its run. */
struct catalogue_look {
	const char *storage, *key;
	int depth;               /* how deep it looked, any order of the caller's */
	const char *damage;
	bool once;               /* an archive that is known to be damaged stays as it is told */
	int64_t at;              /* ms */
};
struct catalogue_seen {
	char run[UUID_TEXT];     /* whose archive it is; "" no record of it */
	bool changed;            /* the run is another now, and its rev grew: hand it to report_run */
	bool stays;              /* sound as far as this one looked: damage that was found by looking deeper is still believed */
};
int catalogue_look(struct catalogue *c, const struct catalogue_look *l, struct catalogue_seen *ret, struct err *e) MUSTCHECK;

struct catalogue_table {
	const char *name;
	uint64_t rows, bytes;
	const uint8_t *digest;   /* 16 bytes */
	bool data;
};
struct catalogue_tables { LIST_OF(struct catalogue_table); };
/* The tables of one database of the run, instead of what an attempt before left there. */
int catalogue_set_tables(struct catalogue *c, const char *uuid, const char *db, const struct catalogue_tables *tables,
			 struct err *e) MUSTCHECK;
/* Them again, sorted by name byte by byte; what t points to is lent. */
int catalogue_each_table(struct catalogue *c, const char *uuid, const char *db,
			 void (*fn)(void *ctx, const struct catalogue_table *t), void *ctx, struct err *e) MUSTCHECK;

/* What only this machine knows of a run. */
struct run_marks {
	bool held;               /* never deleted */
	int64_t blank_files;     /* with nothing but NUL bytes in them */
	int64_t expiring;        /* since when its archives are being deleted, ms; 0: they are not */
	int64_t tables;          /* of how many there are records */
};
/* All zero for a run that is not known. */
int catalogue_marks(struct catalogue *c, const char *uuid, struct run_marks *ret, struct err *e) MUSTCHECK;
int catalogue_set_blank(struct catalogue *c, const char *uuid, int64_t files, struct err *e) MUSTCHECK;
/* Hold it or let it go; *changed false: it is not known, or it is being deleted.
 * Its rev grows when that is new: hand it to report_run. */
int catalogue_hold(struct catalogue *c, const char *uuid, bool held, bool *changed, struct err *e) MUSTCHECK;
/* From now on its archives go: no query for good runs finds it any more.
 * *changed false: it is held, in progress, unknown, or was given up before. */
int catalogue_expire(struct catalogue *c, const char *uuid, int64_t now, bool *changed, struct err *e) MUSTCHECK;
/* Delete the record of a run that was given up, when no archive of it is left. */
int catalogue_forget(struct catalogue *c, const char *uuid, struct err *e) MUSTCHECK;

/* All runs of a site in short, newest first: in the order in which they were made,
 * whatever the clock said then. list_done it. */
struct run_brief {
	char uuid[UUID_TEXT], timer[WIRE_NAME], what[16];
	enum run_state state;
	int64_t started, expiring;
	bool held;
	bool broken;             /* the last proof of it failed, or an archive of it is damaged */
	int64_t archives, size;  /* stored ones */
	char storages[512];      /* on which: "disk,idrive"; cut off when it is longer */
};
struct run_briefs { LIST_OF(struct run_brief); };
int catalogue_briefs(struct catalogue *c, const char *site, struct run_briefs *ret, struct err *e) MUSTCHECK;
/* Each site that has runs, by name, added to ret. */
int catalogue_sites(struct catalogue *c, struct strings *ret, struct err *e) MUSTCHECK;
/* What the records say of each storage that has archives, or uploads without an
 * end, by name. list_done it. */
struct storage_use {
	char name[WIRE_NAME];
	int64_t runs, bytes;
};
struct storage_uses { LIST_OF(struct storage_use); };
int catalogue_uses(struct catalogue *c, struct storage_uses *ret, struct err *e) MUSTCHECK;
/* The uuid of each run that has such a thing there, newest first, added to ret. */
int catalogue_runs_on(struct catalogue *c, const char *storage, struct strings *ret, struct err *e) MUSTCHECK;
/* All of it, of one run: the records go, the storage is not asked. */
int catalogue_drop(struct catalogue *c, const char *uuid, const char *storage, struct err *e) MUSTCHECK;
/* What runs begun since then have stored there. */
struct storage_growth {
	int64_t bytes, runs;
	int64_t first;           /* when the first of them began */
};
int catalogue_growth(struct catalogue *c, const char *storage, int64_t since, struct storage_growth *ret,
		     struct err *e) MUSTCHECK;

/* How a table is cut into chunks, from run to run: *shift as it was kept last, or
 * as it was when nothing was. */
struct catalogue_grid { const char *site, *db, *table; };
int catalogue_grid(struct catalogue *c, const struct catalogue_grid *g, int *shift, struct err *e) MUSTCHECK;
int catalogue_keep_grid(struct catalogue *c, const struct catalogue_grid *g, int shift, struct err *e) MUSTCHECK;

/* Which runs to load, newest first, as they were made; with until by what the clock
 * said. Zero and NULL mean "any". */
struct run_query {
	const char *site;
	const char *uuid;        /* whole or its beginning (at least 4 characters) */
	bool good;               /* state ok or warning, and not being deleted */
	bool was_good;           /* also those that are suspect only for what was found of their archives since */
	bool running;
	bool proven;             /* it was restored as a proof */
	bool unreported;         /* the outbox has not taken over its newest rev; the oldest first */
	const char *what;        /* "db" "files" "db+files" */
	const char *db;          /* has an archive of this database */
	const char *state;       /* as run_state_name */
	int64_t until;           /* started at or before, ms */
	int limit;               /* 0: 1000 */
};
struct wire_runs { LIST_OF(struct wire_run); };
/* Runs with phases and stored archives; runs_done it. */
int catalogue_runs(struct catalogue *c, const struct run_query *q, struct wire_runs *ret, struct err *e) MUSTCHECK;
void runs_done(struct wire_runs *runs);

/* The run that was made before it of the same site, whatever the clock said; "" none. */
int catalogue_previous(struct catalogue *c, const char *uuid, char ret[static UUID_TEXT], struct err *e) MUSTCHECK;

/* Bytes of all archives stored on a storage, as far as we know. */
int catalogue_used(struct catalogue *c, const char *storage, int64_t *bytes, struct err *e) MUSTCHECK;
/* Size of the last good archive of a site's database ("" files only) x 1.2, 0 when there is none. */
int catalogue_estimate(struct catalogue *c, const char *site, const char *db, int64_t *bytes, struct err *e) MUSTCHECK;

#endif
