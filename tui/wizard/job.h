/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_WIZARD_JOB_H
#define FELLOE_WIZARD_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"

/* One felloe-noded at work for the wizard: started with posix_spawn(3), secrets
 * go in by its standard input, JSON comes out of its standard output, read
 * without blocking while the screen goes on. */

struct job;

struct job_opts {
	const char *const *argv; /* NULL-ended, argv[0] is looked up beside our own program, then in PATH */
	const char *input;       /* written to its stdin, then closed; NULL: empty */
	size_t input_len;
};
int job_start(struct job **ret, const struct job_opts *o, struct err *e) MUSTCHECK;
/* Ends it (SIGTERM, then waits) when it still runs. */
void job_free(struct job *j);
void job_freep(struct job **j);
/* Readable when job_poll has something to do. */
int job_fd(const struct job *j);
/* Take what has come. on_line, when not NULL, gets each whole line of output (a
 * program that reports step by step prints one JSON object a line). True while
 * it runs; false once it has ended. Never blocks. */
bool job_poll(struct job *j, void (*on_line)(void *ctx, const char *line), void *ctx);
bool job_running(const struct job *j);
int64_t job_ms(const struct job *j);        /* since its start, stands still at the end */
/* After the end: exit code, 128 + signal when it was killed. */
int job_status(const struct job *j);
/* All of its output; the last lines of its error output. */
const char *job_output(const struct job *j);
const char *job_errors(const struct job *j);
/* The output as one JSON document; ERR_IO with its error text when it has none. */
int job_json(const struct job *j, struct json **ret, struct err *e) MUSTCHECK;

#endif
