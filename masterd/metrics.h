/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_METRICS_H
#define FELLOE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"

/* What this process counts for GET /metrics: atomic, cheap, any thread. NULL
 * for m counts nothing. */
struct metrics;

enum { METRIC_ROUTES = 160, METRIC_BUCKETS = 12, METRIC_RUNS = 8 };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* A reply to the row number route of the table (METRIC_ROUTES - 1 and above: to
 * no row) that took so long. */
void metrics_request(struct metrics *m, size_t route, int status, int64_t us);
void metrics_samples(struct metrics *m, uint64_t n);
/* A run ended with a state (enum run_state). */
void metrics_run(struct metrics *m, unsigned state);

/* ms: when it was made. */
int64_t metrics_started(const struct metrics *m);
uint64_t metrics_samples_total(const struct metrics *m);
uint64_t metrics_runs_total(const struct metrics *m, unsigned state);
/* Replies by first digit of the status, 1 to 5. */
uint64_t metrics_replies(const struct metrics *m, size_t route, unsigned digit);
/* How many took at most so many seconds: bound[i] of metrics_bound. */
uint64_t metrics_within(const struct metrics *m, size_t route, size_t bucket);
double metrics_seconds(const struct metrics *m, size_t route);
/* Upper bound of a bucket in seconds; of the last one infinity. */
double metrics_bound(size_t bucket);

/* ---- the text form of Prometheus (exposition format 0.0.4) */

/* "# HELP" and "# TYPE"; type: counter, gauge, histogram. */
void prom_family(struct buf *b, const char *name, const char *type, const char *help);
/* One line. labels: pairs of name and value, ended by NULL; may be NULL. */
void prom_value(struct buf *b, const char *name, const char *const *labels, double value);

#endif
