/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc_alerts.h"

#include "shared/attr.h"

#define KIND_WORDS                                                                                                \
	"missed_run failed_run suspect_run backup_old node_silent disk_full disk_forecast storage_refusing key_unused " \
	"clone clock_off damaged_run"

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

static const struct field channel_fields[] = {
	FIELD("id", F_INT, MUST),
	FIELD("name", F_TEXT, MUST),
	FIELD("kind", F_TEXT, MUST, .words = "webhook slack mail"),
	FIELD("enabled", F_BOOL, MUST),
	FIELD("url", F_TEXT, .what = "webhook, slack: its beginning; the rest is a secret"),
	FIELD("host", F_TEXT),
	FIELD("port", F_INT),
	FIELD("tls", F_TEXT, .words = "starttls tls none"),
	FIELD("ca_file", F_TEXT),
	FIELD("user", F_TEXT),
	FIELD("from", F_TEXT),
	FIELD("to", F_TEXTS),
	FIELD("min_severity", F_TEXT, MUST, .words = "warning critical"),
	FIELD("recovered", F_BOOL, MUST, .what = "tell of recoveries too"),
	FIELD("kinds", F_TEXTS, MUST, .what = "none: all"),
	FIELD("tags", F_TEXTS, MUST, .what = "of the nodes; none: all"),
	FIELD("created", F_TIME, MUST | OR_NULL),
	FIELD("created_by", F_TEXT, MUST),
	FIELD("last_ok", F_TIME, MUST | OR_NULL),
	FIELD("last_failed", F_TIME, MUST | OR_NULL),
	FIELD("last_error", F_TEXT, MUST | OR_NULL, .what = "of the newest attempt, if it failed"),
	FIELD("sent", F_INT, MUST, .what = "messages"),
	FIELD("waiting", F_INT, MUST, .what = "notices"),
	FIELD("dropped", F_INT, MUST, .what = "notices given up after 24 h"),
	FIELD("secret", F_SECRET, .what = "of a new webhook, when the master made it"),
	{0},
};
static const struct shape channel = {"Channel", channel_fields};

static const struct field change_fields[] = {
	FIELD("name", F_TEXT, .min = 1, .max = 64),
	FIELD("enabled", F_BOOL),
	FIELD("url", F_SECRET, .what = "webhook, slack: http(s) only; redirects are not followed"),
	FIELD("secret", F_SECRET, .min = 16, .max = 254, .what = "webhook: of the signature"),
	FIELD("host", F_TEXT, .what = "mail"),
	FIELD("port", F_INT, .min = 1, .max = 65535),
	FIELD("tls", F_TEXT, .words = "starttls tls none"),
	FIELD("ca_file", F_TEXT),
	FIELD("user", F_TEXT),
	FIELD("password", F_SECRET),
	FIELD("from", F_TEXT),
	FIELD("to", F_TEXTS),
	FIELD("min_severity", F_TEXT, .words = "warning critical"),
	FIELD("recovered", F_BOOL),
	FIELD("kinds", F_TEXTS),
	FIELD("tags", F_TEXTS),
	FIELD("kind", F_TEXT, .words = "webhook slack mail", .what = "required of a new one, never changed"),
	{0},
};
static const struct shape channel_change = {"ChannelChange", change_fields};

static const struct field sent_fields[] = {
	FIELD("status", F_TEXT, MUST, .words = "sent"),
	{0},
};
static const struct shape sent = {"Sent", sent_fields};

static const struct route_doc docs[] = {
	{.route = "GET /alerts", .query = alerts_query, .answer_kind = ANSWER_PAGE, .answer = &alert, .etag = true},
	{.route = "GET /alerts/{id}", .answer_kind = ANSWER_OBJECT, .answer = &alert, .etag = true},
	{.route = "POST /alerts/{id}/ack", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
	{.route = "DELETE /alerts/{id}/ack", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
	{.route = "POST /alerts/{id}/snooze", .body_kind = BODY_NEEDED, .body = &snooze, .answer_kind = ANSWER_OBJECT,
	 .answer = &alert, .also = {409}},
	{.route = "DELETE /alerts/{id}/snooze", .answer_kind = ANSWER_OBJECT, .answer = &alert, .also = {409}},
	{.route = "GET /channels", .answer_kind = ANSWER_PAGE, .answer = &channel},
	{.route = "POST /channels", .body_kind = BODY_NEEDED, .body = &channel_change, .answer_kind = ANSWER_OBJECT,
	 .answer = &channel, .status = 201, .also = {409}},
	{.route = "PATCH /channels/{id}", .body_kind = BODY_NEEDED, .body = &channel_change, .answer_kind = ANSWER_OBJECT,
	 .answer = &channel, .also = {409}},
	{.route = "DELETE /channels/{id}", .answer_kind = ANSWER_NONE},
	{.route = "POST /channels/{id}/test", .answer_kind = ANSWER_OBJECT, .answer = &sent, .also = {502}},
};

const struct route_doc *doc_alerts(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
