/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc_enrol.h"

#include "shared/attr.h"

#define TOKEN_FIELDS                                                              \
	FIELD("id", F_INT, MUST), FIELD("name", F_TEXT, MUST), FIELD("created", F_TIME, MUST), \
	FIELD("created_by", F_TEXT, MUST), FIELD("expires", F_TIME, MUST),            \
	FIELD("uses", F_INT, MUST, .what = "machines that it lets ask"), FIELD("used", F_INT, MUST), \
	FIELD("last_used", F_TIME, MUST | OR_NULL), FIELD("tags", F_TEXTS, MUST),     \
	FIELD("pre_approved", F_BOOL, MUST), FIELD("state", F_TEXT, MUST, .what = "open, used up or expired")

static const struct field token_fields[] = {
	TOKEN_FIELDS,
	{0},
};
static const struct shape token = {"JoinToken", token_fields};

static const struct field new_token_fields[] = {
	TOKEN_FIELDS,
	FIELD("token", F_SECRET, MUST, .what = "shown this once"),
	{0},
};
static const struct shape new_token = {"NewJoinToken", new_token_fields};

static const struct field token_ask_fields[] = {
	FIELD("name", F_TEXT, .max = 64),
	FIELD("ttl_s", F_INT, .min = 60, .max = 2592000),
	FIELD("uses", F_INT, .min = 1, .max = 100000),
	FIELD("tags", F_TEXTS),
	FIELD("pre_approved", F_BOOL, .what = "active without an admin's approval"),
	{0},
};
static const struct shape token_ask = {"JoinTokenAsk", token_ask_fields};

/* ---- requests */

#define VERB_WORDS "backup verify pause resume stop restore"

#define ARG_FIELDS                                                                                        \
	FIELD("verb", F_TEXT, MUST, .words = VERB_WORDS), FIELD("site", F_TEXT, .min = 1, .max = 64),     \
	FIELD("timer", F_TEXT, .min = 1, .max = 64), FIELD("run", F_TEXT, .what = "its id"),              \
	FIELD("at", F_TEXT, .max = 256, .what = "latest, a run or a time"), FIELD("db", F_TEXT, .max = 256), \
	FIELD("files", F_TEXTS, .what = "absolute paths"),                                                \
	FIELD("full", F_BOOL, .what = "of verify: prove that it restores")

static const struct field request_ask_fields[] = {
	ARG_FIELDS,
	FIELD("expires_s", F_INT, .min = 10, .max = 604800),
	{0},
};
static const struct shape request_ask = {"RequestAsk", request_ask_fields};

static const struct field request_fields[] = {
	FIELD("id", F_UUID, MUST),
	FIELD("node_id", F_INT, MUST),
	FIELD("verb", F_TEXT, MUST, .words = VERB_WORDS),
	FIELD("args", F_ANY, MUST, .what = "what it was told besides"),
	FIELD("state", F_TEXT, MUST, .words = "pending accepted running refused done failed withdrawn expired"),
	FIELD("reason", F_TEXT, MUST | OR_NULL),
	FIELD("run", F_TEXT, MUST | OR_NULL, .what = "that came of it"),
	FIELD("created", F_TIME, MUST),
	FIELD("created_by", F_TEXT, MUST),
	FIELD("expires", F_TIME, MUST),
	FIELD("changed", F_TIME, MUST),
	{0},
};
static const struct shape request = {"Request", request_fields};

static const struct field tell_fields[] = {
	FIELD("state", F_TEXT, MUST, .words = "accepted refused running done failed"),
	FIELD("reason", F_TEXT, .max = 512),
	FIELD("run", F_TEXT, .max = 36),
	{0},
};
static const struct shape tell = {"RequestTell", tell_fields};

static const struct field told_fields[] = {
	FIELD("state", F_TEXT, MUST, .what = "what stands"),
	{0},
};
static const struct shape told = {"RequestTold", told_fields};

static const struct route_doc docs[] = {
	{.route = "POST /nodes/{id}/requests", .body_kind = BODY_NEEDED, .body = &request_ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &request, .status = 201, .also = {409}},
	{.route = "GET /nodes/{id}/requests", .answer_kind = ANSWER_PAGE, .answer = &request},
	{.route = "GET /nodes/{id}/requests/{rid}", .answer_kind = ANSWER_OBJECT, .answer = &request},
	{.route = "DELETE /nodes/{id}/requests/{rid}", .answer_kind = ANSWER_OBJECT, .answer = &request, .also = {409}},
	{.route = "PUT /node/requests/{rid}", .body_kind = BODY_NEEDED, .body = &tell, .answer_kind = ANSWER_OBJECT,
	 .answer = &told, .also = {404, 409}},
	{.route = "GET /join-tokens", .answer_kind = ANSWER_PAGE, .answer = &token},
	{.route = "POST /join-tokens", .body_kind = BODY_OPTIONAL, .body = &token_ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &new_token, .status = 201},
	{.route = "PATCH /join-tokens/{id}", .body_kind = BODY_NEEDED, .body = &token_ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &token},
	{.route = "DELETE /join-tokens/{id}", .answer_kind = ANSWER_NONE},
};

const struct route_doc *doc_enrol(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
