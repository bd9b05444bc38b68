/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc_alerts.h"

#include "shared/attr.h"

#define KIND_WORDS                                                                                                \
	"missed_run failed_run suspect_run backup_old node_silent disk_full disk_forecast storage_refusing key_unused " \
	"clone clock_off"

static const struct field alerts_query[] = {
	FIELD("state", F_TEXT, .words = "open closed all", .what = "open unless given"),
	FIELD("kind", F_TEXT, .words = KIND_WORDS),
	FIELD("node", F_INT, .min = 1, .max = 4503599627370495),
	{0},
};

static const struct field alert_fields[] = {
	FIELD("id", F_INT, MUST),
	FIELD("kind", F_TEXT, MUST, .words = KIND_WORDS),
	FIELD("severity", F_TEXT, MUST, .words = "warning critical"),
	FIELD("node_id", F_INT, MUST),
	FIELD("node", F_TEXT, MUST),
	FIELD("ref", F_TEXT, MUST, .what = "timer, site, mount or storage; empty: the node itself"),
	FIELD("run", F_UUID, MUST | OR_NULL, .what = "the run that it is about"),
	FIELD("state", F_TEXT, MUST, .words = "open acked snoozed closed"),
	FIELD("first", F_TIME, MUST),
	FIELD("last", F_TIME, MUST),
	FIELD("count", F_INT, MUST, .what = "how often it happened"),
	FIELD("cause", F_TEXT, MUST),
	FIELD("next_step", F_TEXT, MUST),
	FIELD("acked_by", F_TEXT, MUST | OR_NULL),
	FIELD("acked_at", F_TIME, MUST | OR_NULL),
	FIELD("snoozed_by", F_TEXT, MUST | OR_NULL),
	FIELD("snoozed_until", F_TIME, MUST | OR_NULL),
	FIELD("closed_at", F_TIME, MUST | OR_NULL),
	FIELD("closed_why", F_TEXT, MUST | OR_NULL),
	{0},
};
static const struct shape alert = {"Alert", alert_fields};

static const struct field snooze_fields[] = {
	FIELD("for_s", F_INT, .min = 1, .max = 2592000),
	FIELD("until", F_TIME, .what = "instead; within 30 days"),
	{0},
};
static const struct shape snooze = {"Snooze", snooze_fields};

static const struct route_doc docs[] = {
	{.route = "GET /alerts", .query = alerts_query, .answer_kind = ANSWER_PAGE, .answer = &alert, .etag = true},
	{.route = "GET /alerts/{id}", .answer_kind = ANSWER_OBJECT, .answer = &alert, .etag = true},
	{.route = "POST /alerts/{id}/ack", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
	{.route = "DELETE /alerts/{id}/ack", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
	{.route = "POST /alerts/{id}/snooze", .body_kind = BODY_NEEDED, .body = &snooze, .answer_kind = ANSWER_OBJECT,
	 .answer = &alert, .also = {409}},
	{.route = "DELETE /alerts/{id}/snooze", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
};

const struct route_doc *doc_alerts(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
