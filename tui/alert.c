/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/alert.h"

#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const states[] = {[ALERT_OPEN] = "open", [ALERT_ACKED] = "acked", [ALERT_SNOOZED] = "snoozed",
				     [ALERT_CLOSED] = "closed"};

static const struct {
	const char *kind, *title;
} titles[] = {
	{"missed_run", "backup missed"},
	{"failed_run", "backup failed"},
	{"suspect_run", "backup is suspect"},
	{"backup_old", "no good backup for long"},
	{"node_silent", "not heard of"},
	{"disk_full", "disk nearly full"},
	{"disk_forecast", "disk will be full"},
	{"storage_refusing", "storage refuses"},
	{"key_unused", "key never used"},
	{"clone", "two machines, one key"},
	{"clock_off", "clock is wrong"},
	{"damaged_run", "older backup is damaged"},
};

const char *alert_title(const struct alert *a)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (str_eq(titles[i].kind, a->kind))
			return titles[i].title;
	return a->kind; /* of a newer master */
}

static char *text(const struct json *j, const char *key)
{
	char *s = xstrdup(json_get_str(j, key, ""));

	str_clean(s);
	return s;
}

static void alert_from(struct alert *a, const struct json *j)
{
	const char *state = json_get_str(j, "state", "open");

	a->id = (uint64_t)json_get_int(j, "id", 0);
	a->node_id = (uint64_t)json_get_int(j, "node_id", 0);
	a->critical = str_eq(json_get_str(j, "severity", ""), "critical");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (str_eq(states[i], state))
			a->state = (enum alert_state)i;
	a->kind = text(j, "kind");
	a->node = text(j, "node");
	a->ref = text(j, "ref");
	a->run = text(j, "run");
	a->cause = text(j, "cause");
	a->next_step = text(j, "next_step");
	a->who = text(j, a->state == ALERT_SNOOZED ? "snoozed_by" : "acked_by");
	a->first = json_get_time(j, "first");
	a->last = json_get_time(j, "last");
	a->until = json_get_time(j, "snoozed_until");
	a->count = json_get_int(j, "count", 1);
}

int alerts_from(struct alerts **ret, const struct json *items, int64_t at, struct err *e)
{
	struct alerts *a;

	if (json_type(items) != JSON_ARRAY)
		return err_set(e, ERR_INVALID, "the master's list of alerts is no list: is this a felloe-masterd?");
	a = xcalloc(1, sizeof(*a));
	a->at = at;
	a->v = xcalloc(json_count(items) + 1, sizeof(*a->v));
	for (const struct json *j = json_first(items); j; j = json_next(j))
		if (json_get_int(j, "id", 0) > 0)
			alert_from(&a->v[a->n++], j);
	*ret = a;
	return 0;
}

void alerts_free(struct alerts *a)
{
	for (size_t i = 0; a && i < a->n; i++) {
		struct alert *v = &a->v[i];

		free(v->kind);
		free(v->node);
		free(v->ref);
		free(v->run);
		free(v->cause);
		free(v->next_step);
		free(v->who);
	}
	if (a)
		free(a->v);
	free(a);
}

const struct alert *alerts_find(const struct alerts *a, uint64_t id)
{
	for (size_t i = 0; a && i < a->n; i++)
		if (a->v[i].id == id)
			return &a->v[i];
	return NULL;
}

size_t alerts_open(const struct alerts *a)
{
	size_t n = 0;

	for (size_t i = 0; a && i < a->n; i++)
		n += a->v[i].state == ALERT_OPEN;
	return n;
}
