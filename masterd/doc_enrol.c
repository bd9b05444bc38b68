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

static const struct route_doc docs[] = {
	{.route = "GET /join-tokens", .answer_kind = ANSWER_PAGE, .answer = &token},
	{.route = "POST /join-tokens", .body_kind = BODY_OPTIONAL, .body = &token_ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &new_token, .status = 201},
	{.route = "DELETE /join-tokens/{id}", .answer_kind = ANSWER_NONE},
};

const struct route_doc *doc_enrol(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
