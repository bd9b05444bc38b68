/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/notice.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/scope.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DOC_MAX = 64 * 1024 };

static const char *const events[NOTICE_EVENTS] = {"opened", "repeated", "reminder", "recovered"};

static bool lists(const struct json *list, const char *word)
{
	if (!json_count(list))
		return true;
	for (const struct json *j = json_first(list); j; j = json_next(j))
		if (str_eq(json_str(j), word))
			return true;
	return false;
}

static bool has_tag(const struct json *tags, const char *node_tags)
{
	CLEANUP(json_freep) struct json *theirs = NULL;

	if (!json_count(tags))
		return true;
	if (!node_tags || json_parse(&theirs, node_tags, strlen(node_tags), NULL))
		return false;
	for (const struct json *j = json_first(tags); j; j = json_next(j))
		if (json_count(theirs) && lists(theirs, json_str(j)))
			return true;
	return false;
}

static bool is_wanted(const char *filter, const struct notice *n)
{
	CLEANUP(json_freep) struct json *f = NULL;
	enum severity least = SEVERITY_WARNING;

	if (json_parse(&f, filter, strlen(filter), NULL))
		return true; /* rather told too much than nothing */
	if (severity_from(&least, json_get_str(f, "min_severity", "warning")))
		least = SEVERITY_WARNING;
	if (n->alert->severity < least || (n->event == NOTICE_RECOVERED && !json_get_bool(f, "recovered", true)))
		return false;
	return lists(json_get(f, "kinds"), alert_kind_name(n->alert->kind)) && has_tag(json_get(f, "tags"), n->tags);
}

static char *doc_of(const struct notice *n)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, DOC_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "event", events[n->event]);
	json_put_time(&o, "at", n->now);
	alert_put(&o, "alert", n->alert, n->node, n->now);
	json_end_obj(&o);
	return buf_take(&b);
}

int notice_queue(struct db *db, const struct channels *channels, const struct notice *n, struct err *e)
{
	CLEANUP(freep) char *doc = NULL;

	for (size_t i = 0; i < channels->n; i++) {
		const struct alert_channel *c = &channels->v[i];

		if (!c->enabled || !is_wanted(c->filter, n))
			continue;
		if (!doc)
			doc = doc_of(n);
		if (tbl_delivery_add(db, c->id, n->now, doc, e))
			return -1;
	}
	return 0;
}
