/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PLAUSIBLE_H
#define FELLOE_PLAUSIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noded/config.h"
#include "shared/list.h"

/* Is what was stored plausible, measured by the last good run of the same site?
 * Rules only: nothing is read, nothing is decided here but what is worth a word.
 * A backup that went well of a database that somebody emptied is a perfect copy
 * of nothing; these rules find it before the good ones are pruned. */

struct plausible_rules {
	int64_t rows_drop_pct;  /* a table, or a database, that lost more rows; 0: tables are not compared */
	int64_t size_drop_pct;  /* fewer bytes or files than before by more; 0: never */
	int64_t size_jump_pct;  /* more bytes than before by more; 0: never */
	const struct strings *ignore_tables;  /* fnmatch(3) patterns: they may come and go */
	const struct strings *exclude_tables; /* of the site, now: left out on purpose */
};

struct plausible_table {
	char *name;
	uint64_t rows, bytes;   /* bytes as SQL text */
	uint8_t digest[16];
	bool data;              /* false: only its structure was wanted */
};
struct plausible_tables {
	LIST_OF(struct plausible_table);
};
void plausible_tables_done(struct plausible_tables *t);

struct plausible_sizes {
	int64_t bytes_in, bytes_stored; /* of all archives, before and after compression */
	int64_t files;                  /* entries of any type; 0 none wanted */
	int64_t blank_files;            /* regular files of 1 KiB and more with nothing but NUL bytes */
};

/* One thing that is not plausible. */
struct finding {
	int kind;               /* the higher the worse; of no other meaning */
	uint64_t lost;          /* orders those of one kind: rows, bytes, files */
	char text[400];
};
struct findings {
	LIST_OF(struct finding);
};

/* The tables of one database. Both lists are sorted by name, byte by byte.
 * before NULL: there is no good run to compare with; then only what no site can
 * live without is looked at. Findings are added to ret. */
void plausible_tables(const struct plausible_rules *r, const char *db, const struct plausible_tables *before,
		      const struct plausible_tables *now, struct findings *ret);
/* Archives as a whole; before NULL as above. */
void plausible_sizes(const struct plausible_rules *r, const struct plausible_sizes *before,
		     const struct plausible_sizes *now, struct findings *ret);
/* A database that was there is not among those of a whole server now. */
void plausible_database_gone(const char *db, uint64_t rows, struct findings *ret);
/* Worst first. */
void findings_sort(struct findings *f);

#endif
