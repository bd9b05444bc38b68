/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_RESTORE_H
#define FELLOE_RESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "noded/config.h"
#include "noded/run/find.h"
#include "noded/run/job.h"
#include "noded/run/restore_events.h"
#include "shared/err.h"

/* Out of an archive: a database or some of its tables into a schema, files into
 * a directory. By default nothing that exists is touched. */

struct restore_opts {
	const struct config *config;
	const struct site *site;         /* NULL when it is not in the configuration any more */
	struct job *job;                 /* log and progress */
	struct restore_events *events;   /* what happens, for a program; or NULL */
	bool db, files;                  /* what is wanted */
	const char *db_name;             /* asked for by this name; NULL: the one that is in the archive */
	struct strings tables;           /* of the database, names or patterns with * and ?; empty: all of it */
	struct strings paths;            /* absolute; empty: all files */
	const char *to_db, *to_dir;      /* NULL: "{db}_restored_{stamp}", "./{site}-restored-{stamp}" */
	bool in_place;                   /* the tables, or all of it, take the place of those in the site's database */
	bool keep_old;                   /* what they replace is kept in a schema of its own */
	const struct db_access *access;  /* given by options, or NULL: the site's, else root on this machine */
	const char *definer;             /* "keep" "invoker" "USER@HOST" */
	bool same_names;                 /* without to_db: the database is called as it was */
	bool with_users;                 /* accounts, roles and grants too */
	bool events_disable;             /* else they are as they were */
	bool rewrite_bodies;             /* the name of the schema also in triggers, routines and events */
	bool fresh;                      /* an unfinished restore is dropped, not resumed */
	bool thrown_away;                /* the server goes when this ends: nobody can go on with what is not complete */
	bool dry_run;
	bool salvage;                    /* what is damaged is left out and named, instead of refused */
	/* The archive is damaged: the first place and why, "member: reason". Once an archive, at the end of restore_archive, whatever
	 * becomes of the restore. NULL: nobody wants to know. */
	void (*damaged)(void *ctx, const struct found_archive *a, const char *what);
	void *damaged_ctx;
};
struct restore_result {
	uint64_t fetched;                /* bytes that came from the storage */
	uint64_t tables, rows, files, bytes;
	unsigned views_left;             /* not made, as they refer to what is not on the server */
	uint64_t lost;                   /* members that are damaged; only with salvage */
	char db[256];                    /* where the database is now */
	char dir[4096];                  /* where the files are now */
};
/* One archive. The outcome is said line by line through the job; warnings count
 * there. -1 ERR_DAMAGED when rows or digests are not those of the manifest. */
int restore_archive(const struct restore_opts *o, const struct found_archive *a, struct restore_result *ret,
		    struct err *e) MUSTCHECK;

/* Add to an error about a damaged archive that there is a way out. run: its id, "" when
 * that is not known. */
void restore_hint(const char *run, struct err *e);

#endif
