/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_RESTORE_ROWS_PRIV_H
#define FELLOE_RESTORE_ROWS_PRIV_H

#include <pthread.h>

#include "noded/mysql/crew.h"
#include "noded/run/restore_priv.h"

/* Between the files of restore_rows only. */

#define ROWS_DIR "db/20-data/"

struct table {
	struct restore *r;
	const struct fact_table *facts;
	const char *part;           /* its name in names of members */
	char *keys, *constraints;   /* to be added; NULL none */
	bool made;                  /* its definition is loaded */
	bool lost;                  /* it could not be made */
	bool broken;                /* some of its members broke after they were read for the first time */
	uint64_t bytes;             /* of SQL */
	bool ready;                 /* nothing of it is to be loaded: compared at the end */
	bool known;                 /* the journal says that it agrees */
	bool doubtful;              /* and nobody knows what a crash did to it since */
	/* under the lock */
	unsigned left;              /* members not loaded yet */
	uint64_t rows;
	uint8_t digest[16];
};
struct restore_rows {
	struct { LIST_OF(struct table); } tables;  /* by part */
	struct pool parts;
	size_t made;                /* tables that are defined */
	struct crew *crew;          /* while rows are loaded */
	struct strings loaded;      /* members, of an earlier run; sorted */
	uint64_t members;
	bool defined, filled, complete; /* phases that are over: definitions, rows, all */
	bool ended;                 /* all members of rows are handed over */
	unsigned wrong;
	pthread_mutex_t lock;
	/* under the lock */
	struct { LIST_OF(struct table *); } said;  /* compared: to be told */
	const struct table *keys_of, *check_of;    /* at work; NULL none */
};

/* NULL: the manifest does not know it, or it is not wanted. */
struct table *restore_rows_find(struct restore_rows *w, const char *part);
/* The table of a member "db/.../PART.xyz". */
struct table *restore_rows_table_of(struct restore_rows *w, const char *member);

#endif
