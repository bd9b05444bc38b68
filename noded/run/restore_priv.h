/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_RESTORE_PRIV_H
#define FELLOE_RESTORE_PRIV_H

#include "noded/mysql/load.h"
#include "noded/mysql/needs.h"
#include "noded/mysql/preflight.h"
#include "noded/mysql/server.h"
#include "noded/mysql/swap.h"
#include "noded/run/restore.h"
#include "shared/hash.h"

/* Between the files of a restore only. */

struct restore {
	const struct restore_opts *o;
	struct restore_result *out;
	struct opened opened;
	char *source_db;            /* in the archive, "" none */
	char *target_db;            /* where it is loaded */
	char *old_db;               /* in place: for what is replaced */
	char *target_dir;
	struct strings tables;      /* wanted of the database, patterns resolved, sorted; empty: all */
	enum swap_state swap_state; /* in place: where an earlier one stopped */
	bool keep_old;
	struct db_access access;    /* in use */
	bool access_ours;
	char identity[512], socket[108]; /* of the server that it reaches, "" not known */
	struct cluster cluster;          /* of which that is a node */
	struct load *load;          /* definitions go over this one */
	struct restore_rows *rows;  /* how far the members are */
	char *member;               /* being loaded */
	bool skip;                  /* the rest of it */
	char tag[16];               /* beginning of the run's id; of the one that began */
	bool resumed;               /* an earlier run began it */
	bool made;                  /* an earlier run made the schema, and no more */
	char label[SHA256_HEX];     /* of the archive and of how it is restored */
	bool looked;                /* for such runs, and told of others */
	bool begun_otherwise;       /* in place: what lies aside was begun with other options */
	struct strings drop;        /* schemas of unfinished restores that give way */
	bool journal;               /* there is one */
	int64_t begun, loaded;      /* resumed: since when, and how many members of rows are loaded */
	struct strings lost;        /* names of members, sorted */
	bool unpacking;             /* an earlier run began to unpack into target_dir */
	bool unpacked;              /* and came to its end */
	struct strings whole;       /* names of files that it unpacked whole, sorted */
	char damage[240];           /* the first of the archive that was met, "" none */
	bool db_lost;               /* some of what is lost is of the database */
	uint64_t wanted;            /* bytes to restore, of SQL and of files */
	struct needs needs;         /* of the definitions */
	uint64_t done;              /* of those, what is complete already */
};

bool restore_stopping(void *ctx);

/* ---- restore_wanted.c: what to read */

/* The members of the database, or of the tables asked for. */
void restore_database_prefixes(const struct restore *r, struct strings *p);
/* The triggers of the tables asked for: their names, or their members. */
void restore_add_triggers(const struct restore *r, bool members, struct strings *p);
/* Does a name that begins with the prefix, without its '*', belong to it? */
bool restore_fits(const char *prefix, const char *name);
int restore_files_prefixes(const struct restore *r, struct strings *p, struct err *e) MUSTCHECK;

struct sum {
	uint64_t members, bytes, stored, last_at;
	const char *prefix;   /* looked for; with '*' at its end, or a name that may be a directory's */
};
/* How many members and bytes the prefixes stand for. With all set each of them
 * has to stand for something. */
int restore_measure(struct restore *r, const struct strings *p, bool all, struct sum *ret, struct err *e) MUSTCHECK;
bool restore_table_wanted(const struct restore *r, const char *name);
/* Fills r->tables. ERR_NOTFOUND for a table asked for that the archive does not have. */
int restore_choose_tables(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_salvage.c: an archive that is damaged */

/* Opens it, as far as it can be opened, and says in which state it is. */
int restore_open_archive(struct restore *r, const struct found_archive *a, struct err *e) MUSTCHECK;
/* Read all that is wanted of the database, and name what is lost of it: before
 * anything is loaded. With in_place a loss is an error. */
int restore_find_losses(struct restore *r, struct err *e) MUSTCHECK;
/* The restore has failed with *e: was it the archive? Then all of its losses are
 * named, and *e says the way out. */
void restore_explain(struct restore *r, struct err *e);
/* Before anything is begun: an archive that is cut short may have no wanted member any more. */
int restore_refuse_cut(struct restore *r, struct err *e) MUSTCHECK;
/* What is broken is left out, also when that comes out only while it is restored: a failing disk gives less each time. */
bool restore_salvages(const struct restore *r);
/* The member is lost, or of no use without one that is. */
bool restore_is_lost(const struct restore *r, const char *member);
/* A definition could not be made for want of a lost one: it counts as lost as well. */
void restore_lose(struct restore *r, const char *member, const char *why);
enum table_state { TABLE_WHOLE, TABLE_PARTLY, TABLE_LOST };
enum table_state restore_table_state(const struct restore *r, const char *name);
/* A member of the archive is damaged, or with "" the archive itself: the first is kept. */
void restore_note_damage(struct restore *r, const char *member, const char *why);
/* As damaged of struct archive_read_opts: names it and counts. ctx: the restore. */
void restore_on_lost(void *ctx, const char *member, const char *why);

/* ---- restore_access.c: as whom */

int restore_choose_access(struct restore *r, struct err *e) MUSTCHECK;
/* The server's files are on this machine. */
bool restore_local(const struct restore *r);
/* server_look at the target, if need be as root. */
int restore_look_server(struct restore *r, struct server_facts *facts, struct err *e) MUSTCHECK;
/* load_open into the target, which is made unless an earlier run did; if need be as root. */
int restore_open_load(struct restore *r, struct err *e) MUSTCHECK;

/* Before anything is made: the site's account lacks something that root has. True when it is root now. */
bool restore_become_root(struct restore *r, const char *why);

/* ---- restore_scan.c: what the definitions ask for */

/* Fills r->needs. */
int restore_scan(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_change.c: what becomes of them */

/* For load_opts.rewrite; ctx is the restore. */
int restore_change(void *ctx, const struct load_statement *s, struct buf *out, struct err *e) MUSTCHECK;
/* Definers, names of the old schema, events, a cluster: line by line. */
void restore_tell_changes(struct restore *r, bool scheduler);

/* ---- restore_look.c: will it fit, may we, is nothing in the way? */

int restore_look_at_database(struct restore *r, struct err *e) MUSTCHECK;
int restore_look_at_files(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_resume.c: what was begun before */

/* Is there an unfinished restore of the same archive with the same options? Then r goes on with it; with --fresh it
 * is dropped. ERR_CONFLICT when the schema asked for holds another one. */
int restore_find_unfinished(struct restore *r, struct err *e) MUSTCHECK;
bool restore_will_drop(const struct restore *r, const char *schema);
int restore_drop_unfinished(struct restore *r, struct err *e) MUSTCHECK;
/* With r->load open: take the locks, read or make the journal. */
int restore_journal_begin(struct restore *r, struct err *e) MUSTCHECK;
/* All is done: the journal goes. */
int restore_journal_end(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_rows.c: members into the server */

/* What is to be expected of each table, from the manifest and the index. Before restore_members. */
int restore_rows_plan(struct restore *r, struct err *e) MUSTCHECK;
void restore_rows_free(struct restore_rows *w);
/* What the journal says is done. */
int restore_rows_resume(struct restore *r, struct err *e) MUSTCHECK;
/* Members of rows that are wanted. */
uint64_t restore_rows_members(const struct restore *r);
/* Leave out what is loaded already. */
void restore_rows_left(const struct restore *r, struct strings *p);
/* load_opts.shorten: keys and foreign keys of a CREATE TABLE are kept for later. */
int restore_shorten(void *ctx, const char *member, const char *sql, size_t n, struct buf *out);
/* Load the members: definitions, then rows (with their keys, compared with the manifest), then the rest. */
int restore_members(struct restore *r, const struct strings *p, struct err *e) MUSTCHECK;
/* ERR_DAMAGED when a table is not what was dumped: each was named in a warning. */
int restore_rows_agree(const struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_place.c: in place */

/* How far an earlier one came, and what speaks against it. */
int restore_look_at_place(struct restore *r, struct obstacles *obstacles, struct err *e) MUSTCHECK;
/* Remove the copy that an earlier one did not complete. */
int restore_place_clear(struct restore *r, struct err *e) MUSTCHECK;
/* The copy is loaded and compared: swap. */
int restore_place(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_users.c */

int restore_look_at_users(struct restore *r, struct obstacles *obstacles, struct err *e) MUSTCHECK;
/* Nothing without with_users. behind: the database is loaded. */
int restore_users(struct restore *r, bool behind, struct err *e) MUSTCHECK;

/* ---- restore_db.c: load, compare, swap */

int restore_database(struct restore *r, struct err *e) MUSTCHECK;

/* ---- restore_unpacked.c: files that are there already */

/* Did the same command begin this before? Then target_dir may be another. ERR_CONFLICT when what is there is none of ours. */
int restore_unpacked_look(struct restore *r, struct err *e) MUSTCHECK;
/* It begins, or (done) all of it is there. Not with salvage, which begins anew each time. */
int restore_unpacked_mark(struct restore *r, bool done, struct err *e) MUSTCHECK;
/* The whole restore is over. */
void restore_unpacked_end(const struct restore *r);
/* Fills r->whole, of these members. */
int restore_unpacked_find(struct restore *r, const struct strings *p, struct err *e) MUSTCHECK;
bool restore_unpacked_whole(const struct restore *r, const char *name);

/* ---- restore_files.c */

int restore_files(struct restore *r, struct err *e) MUSTCHECK;

#endif
