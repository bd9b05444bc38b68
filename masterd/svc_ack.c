/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_ack.h"

#include <stdio.h>

#include "masterd/tbl_event.h"
#include "shared/clock.h"
#include "shared/str.h"

static const char *const actions[] = {"alert.ack", "alert.unack", "alert.snooze", "alert.unsnooze"};

static void change(struct ack *v)
{
	struct alert *a = &v->alert;

	switch (v->what) {
	case ACK_SET:
		str_cut(a->acked_by, sizeof(a->acked_by), v->actor.name);
		a->acked_at = v->actor.at;
		break;
	case ACK_UNSET:
		a->acked_by[0] = '\0';
		a->acked_at = 0;
		break;
	case SNOOZE_SET:
		str_cut(a->snoozed_by, sizeof(a->snoozed_by), v->actor.name);
		a->snoozed_until = v->until;
		break;
	case SNOOZE_UNSET:
		a->snoozed_by[0] = '\0';
		a->snoozed_until = 0;
		break;
	}
}

static int run_ack(struct job *job, struct db *db, struct err *e)
{
	struct ack *v = (struct ack *)job;
	struct event ev = {.at = v->actor.at, .kind = EVENT_ALERT};
	char until[CLOCK_TEXT], object[AUDIT_OBJECT], name[WIRE_HOST];

	if (tbl_alert_get(db, v->id, &v->alert, e))
		return -1;
	if (v->alert.closed)
		return err_set(e, ERR_CONFLICT, "alert %lld is closed already: %s", (long long)v->id, v->alert.closed_why);
	change(v);
	ev.node_id = v->alert.node_id;
	snprintf(ev.ref, sizeof(ev.ref), "%lld", (long long)v->id);
	str_cut(ev.origin, sizeof(ev.origin), v->m->instance);
	live_name(v->m->live, v->alert.node_id, name);
	clock_rfc3339(until, v->until);
	if (tbl_alert_put(db, &v->alert, e) || tbl_event_add(db, &ev, e))
		return -1;
	return AUDIT(db, &v->actor, e, actions[v->what], audit_node(object, v->alert.node_id, name), "alert", ev.ref, "kind",
		     alert_kind_name(v->alert.kind), "until", v->what == SNOOZE_SET ? until : NULL);
}

int ack_queue(struct ack *v, struct err *e)
{
	v->job.run = run_ack;
	return writer_put(v->m->writer, &v->job, e);
}
