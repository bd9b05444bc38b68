/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_RESTORE_EVENTS_H
#define FELLOE_RESTORE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/wire.h"

/* A restore told to a program: a line of JSON on stdout for each thing that happens
 * (docs/restore.md lists them). Each function takes NULL and then does nothing. One thread. */

struct restore_events;
struct restore_events *restore_events_new(void);
void restore_events_free(struct restore_events *v);
void restore_events_freep(struct restore_events **v);

/* While muted the next two say nothing: what they would say is told by another event. */
void restore_events_mute(struct restore_events *v, bool on);
/* Lines for people; for the hooks of struct job and of progress_follow. */
void restore_events_line(void *ctx, bool warning, const char *text);
void restore_events_progress(void *ctx, const struct wire_progress *p);

/* An archive that will be restored. */
void restore_event_archive(struct restore_events *v, const char *run, const char *storage, const char *key);
/* Why it cannot be restored. */
void restore_event_obstacle(struct restore_events *v, enum err_kind kind, const char *text);
/* A member that is damaged. */
void restore_event_lost(struct restore_events *v, const char *member, const char *why);

struct restore_plan {
	const char *what;      /* "database" "files" */
	const char *from, *to; /* from NULL: files */
	uint64_t members, bytes;
};
void restore_event_plan(struct restore_events *v, const struct restore_plan *p);

struct restore_table {
	const char *name;
	uint64_t rows;
	int64_t dumped;        /* rows; -1 not known */
	const char *digest;    /* "agrees" "differs" "incomplete" "unknown" */
};
void restore_event_table(struct restore_events *v, const struct restore_table *t);

/* The archive is restored, or looked at. */
struct restore_result;
void restore_event_restored(struct restore_events *v, const struct restore_result *r);
/* The last line. e NULL: all went well, but for warnings. */
void restore_event_end(struct restore_events *v, bool dry_run, unsigned warnings, const struct err *e);

#endif
