/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JOB_H
#define FELLOE_JOB_H

#include <stdbool.h>

#include "noded/run/catalogue.h"
#include "noded/run/progress.h"
#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/wire.h"

/* What each run keeps while it goes on: its record, its progress, its log. */

struct job {
	struct wire_run run;
	struct wire_progress progress;
	struct progress *bar;
	void (*told)(void *ctx, bool warning, const char *text); /* each line as well; may be NULL */
	void *told_ctx;
	struct catalogue *catalogue;  /* lent */
	struct buf log;
	unsigned warnings;
	int64_t blank_files;          /* with nothing but NUL bytes in them */
	char suspect[ERR_MSG_MAX];    /* why the run cannot be relied on though it went well, "" */
	int64_t phase_began;
};

/* A new run with a fresh uuid. */
void job_init(struct job *j, const char *site, const char *what);
void job_done(struct job *j);
/* A line for the log of the run and for stderr. warn counts. */
void job_say(struct job *j, const char *fmt, ...) PRINTF(2, 3);
void job_warn(struct job *j, const char *fmt, ...) PRINTF(2, 3);
/* The same as callbacks take it. */
void job_warn_text(void *ctx, const char *text);
void job_say_text(void *ctx, const char *text);
/* A new phase begins: the time of the last one is written down. NULL: the end. */
void job_phase(struct job *j, const char *phase);
/* The outcome: e NULL when all went well. Sets state, error, finished and log. */
void job_end(struct job *j, const struct err *e);

#endif
