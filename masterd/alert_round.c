/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/alert_round.h"

#include <stdio.h>
#include <stdlib.h>

#include "masterd/notice.h"
#include "masterd/tbl_event.h"
#include "shared/mem.h"
#include "shared/str.h"

void alert_round_free(struct alert_round *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->steps.n; i++)
		free(v->steps.v[i].tags);
	list_done(&v->steps);
	free(v);
}

/* What the step makes of the row as it is now. False: there is nothing to do any more. */
static bool change(const struct alert_round *v, const struct alert_step *s, struct alert *row)
{
	if (row->closed)
		return false;
	if (s->what == STEP_CLOSE) {
		row->closed = v->now;
		str_cut(row->closed_why, sizeof(row->closed_why), s->a.closed_why);
		return true;
	}
	if (s->what == STEP_REMIND)
		return true;
	if (s->what == STEP_REPEAT) {
		row->count++;
		row->last = v->now;
	}
	row->severity = s->a.severity;
	str_cut(row->stamp, sizeof(row->stamp), s->a.stamp);
	str_cut(row->run, sizeof(row->run), s->a.run);
	str_cut(row->cause, sizeof(row->cause), s->a.cause);
	str_cut(row->next_step, sizeof(row->next_step), s->a.next_step);
	return true;
}

/* Is it time for a notice, and which? */
static bool is_notice(const struct alert_round *v, const struct alert_step *s, const struct alert *row, enum notice_event *ev)
{
	bool quiet = row->snoozed_until > v->now;

	switch (s->what) {
	case STEP_OPEN:
		*ev = NOTICE_OPENED;
		return true;
	case STEP_CLOSE:
		*ev = NOTICE_RECOVERED;
		return row->noticed > 0;
	case STEP_REPEAT:
		*ev = NOTICE_REPEATED;
		break;
	case STEP_REMIND:
		*ev = NOTICE_REMINDER;
		break;
	case STEP_REFRESH:
		return false;
	}
	return !quiet && !row->acked_at && v->repeat_ms && v->now - row->noticed >= v->repeat_ms;
}

static int store(const struct alert_round *v, struct db *db, struct alert_step *s, const struct channels *channels, struct err *e)
{
	struct event event = {.at = v->now, .kind = EVENT_ALERT, .node_id = s->a.node_id};
	struct notice n = {.node = s->node, .tags = s->tags, .now = v->now};
	struct alert row = s->a;
	bool notice;

	if (s->what == STEP_OPEN) {
		row.first = row.last = v->now;
		row.count = 1;
		if (tbl_alert_add(db, &row, e))
			return -1;
	} else {
		if (tbl_alert_get(db, s->a.id, &row, e))
			return -1;
		if (!change(v, s, &row)) {
			s->a = row;
			return 0;
		}
	}
	notice = is_notice(v, s, &row, &n.event);
	if (notice)
		row.noticed = v->now;
	s->a = row;
	n.alert = &s->a;
	if (tbl_alert_put(db, &row, e) || (notice && notice_queue(db, channels, &n, e)))
		return -1;
	snprintf(event.ref, sizeof(event.ref), "%lld", (long long)row.id);
	str_cut(event.origin, sizeof(event.origin), v->m->instance);
	return s->what == STEP_REMIND ? 0 : tbl_event_add(db, &event, e);
}

static int run_round(struct job *job, struct db *db, struct err *e)
{
	CLEANUP(channels_done) struct channels channels = {0};
	struct alert_round *v = (struct alert_round *)job;

	if (tbl_channel_list(db, &channels, e))
		return -1;
	for (size_t i = 0; i < v->steps.n; i++)
		if (store(v, db, &v->steps.v[i], &channels, e))
			return -1;
	return 0;
}

static void end_round(struct job *job)
{
	struct alert_round *v = (struct alert_round *)job;

	atomic_store(v->state, job->rc ? ROUND_FAILED : ROUND_DONE);
}

void alert_round_put(struct alert_round *v, atomic_int *state)
{
	struct err e;

	v->state = state;
	v->job.run = run_round;
	v->job.drop = end_round;
	atomic_store(state, ROUND_AT_WORK);
	if (writer_put(v->m->writer, &v->job, &e))
		atomic_store(state, ROUND_FAILED);
}
