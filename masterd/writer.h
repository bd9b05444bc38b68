/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WRITER_H
#define FELLOE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/db.h"
#include "masterd/ticket.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The one thread with the one connection that writes. What is queued goes into
 * one transaction (group commit), each job in a savepoint so that a bad one
 * fails alone; a job counts as done only after the commit. */
struct writer;

struct job {
	struct job *next;
	/* On the writer's thread, inside the transaction. */
	int (*run)(struct job *j, struct db *db, struct err *e);
	/* On the writer's thread after the commit, before the ticket; may be NULL. */
	void (*committed)(struct job *j);
	/* Whom to wake; NULL: nobody waits, and the writer calls drop at the end. */
	struct ticket *ticket;
	void (*drop)(struct job *j);
	/* One statement only: atomic by itself, needs no savepoint. */
	bool single;
	/* Instead of run, for the many that only add (samples): all jobs of a
	 * transaction with the same gather are handed over together, linked by
	 * gathered; they succeed or fail as one. */
	int (*gather)(struct job *first, struct db *db, struct err *e);
	struct job *gathered;
	/* The outcome, valid once the ticket is done. */
	int rc;
	struct err err;
};

/* When (monotonic ms) a commit last ended without an answer, 0 never: its changes
 * were told as failed, and may be kept all the same. */
int64_t writer_doubt(struct writer *w);
int writer_new(struct writer **ret, const char *url, size_t max_queued, struct err *e) MUSTCHECK;
/* Ends after all that is queued, everybody woken; from then on writer_put
 * refuses. */
void writer_stop(struct writer *w);
void writer_free(struct writer *w);
/* Queue j, which the writer owns until its ticket is done (or dropped). -1 and
 * ERR_BUSY when the queue is full: j is the caller's again. */
int writer_put(struct writer *w, struct job *j, struct err *e) MUSTCHECK;

/* What was done so far, for GET /metrics. */
struct writer_counts {
	size_t queued, max_queued;
	uint64_t transactions, changes;
	uint64_t errors;          /* of the database: lost transactions, and changes that failed in it */
};
void writer_counts(struct writer *w, struct writer_counts *ret);

/* Can changes be stored, as far as the last ones tell? */
int writer_judge(struct writer *w, struct err *e) MUSTCHECK;

/* Does a change take so short a time now that a thread may wait for it instead
 * of doing something else? */
bool writer_soon(struct writer *w);
/* Wait until t, of a job that was put, is done, or for some milliseconds. */
void writer_await(struct writer *w, struct ticket *t);

#endif
