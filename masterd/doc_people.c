/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/doc_people.h"

#include "shared/attr.h"

#define ROLES "viewer node_admin super_admin"

/* ---- the master itself */

static const struct field status_fields[] = {
	FIELD("status", F_TEXT, MUST, .words = "ok"),
	{0},
};
static const struct shape status = {"Status", status_fields};

/* ---- signing in */

static const struct field login_fields[] = {
	FIELD("username", F_TEXT, MUST, .min = 1, .max = 63),
	FIELD("password", F_SECRET, MUST, .min = 1, .max = 1024),
	FIELD("otp", F_TEXT, .max = 32, .what = "one-time or recovery code, when an answer 401 has otp_required"),
	{0},
};
static const struct shape login = {"Login", login_fields};

static const struct field tokens_fields[] = {
	FIELD("access_token", F_SECRET, MUST, .what = "a JWT for the header Authorization: Bearer"),
	FIELD("token_type", F_TEXT, MUST, .words = "bearer"),
	FIELD("expires_in", F_INT, MUST, .min = 1, .max = 86400, .what = "seconds"),
	FIELD("refresh_token", F_SECRET, MUST),
	{0},
};
static const struct shape tokens = {"Tokens", tokens_fields};

static const struct field refresh_fields[] = {
	FIELD("refresh_token", F_SECRET, MUST),
	{0},
};
static const struct shape refresh = {"Refresh", refresh_fields};

static const struct field logout_query[] = {
	FIELD("all", F_TEXT, .words = "true false", .what = "all sessions of the user"),
	{0},
};

static const struct field me_fields[] = {
	FIELD("id", F_INT, MUST),
	FIELD("username", F_TEXT, MUST),
	FIELD("role", F_TEXT, MUST, .words = ROLES),
	FIELD("tags", F_TEXTS, MUST, .what = "empty: sees all machines"),
	FIELD("totp", F_BOOL, MUST, .what = "one-time codes are on"),
	FIELD("recovery_codes", F_INT, MUST, .what = "how many are left"),
	FIELD("token", F_TEXT, MUST | OR_NULL, .what = "name of the API token that asks"),
	{0},
};
static const struct shape me = {"Me", me_fields};

/* ---- who did what */

static const struct field audit_query[] = {
	FIELD("who", F_TEXT),
	FIELD("action", F_TEXT, .what = "such as node.approve, or node for all of its kind"),
	FIELD("since", F_TIME),
	{0},
};
static const struct field audit_fields[] = {
	FIELD("id", F_INT, MUST, .what = "from 1 without gaps"),
	FIELD("at", F_TIME, MUST),
	FIELD("who", F_TEXT, MUST),
	FIELD("peer", F_TEXT, MUST, .what = "address, empty: none"),
	FIELD("action", F_TEXT, MUST),
	FIELD("object", F_TEXT, MUST),
	FIELD("detail", F_OBJECT, MUST),
	FIELD("hash", F_TEXT, MUST, .what = "SHA-256 in hex, of this record and the hash before"),
	{0},
};
static const struct shape audit = {"Audit", audit_fields};

static const struct route_doc docs[] = {
	{.route = "GET /health", .answer_kind = ANSWER_OBJECT, .answer = &status},
	{.route = "GET /ready", .answer_kind = ANSWER_OBJECT, .answer = &status},
	{.route = "GET /metrics", .answer_kind = ANSWER_TEXT},
	{.route = "GET /openapi.json", .answer_kind = ANSWER_ANY, .etag = true},
	{.route = "POST /auth/login", .body_kind = BODY_OR_FORM, .body = &login, .answer_kind = ANSWER_OBJECT, .answer = &tokens,
	 .also = {401, 429}},
	{.route = "POST /auth/refresh", .body_kind = BODY_NEEDED, .body = &refresh, .answer_kind = ANSWER_OBJECT, .answer = &tokens,
	 .also = {401}},
	{.route = "POST /auth/logout", .query = logout_query, .answer_kind = ANSWER_NONE},
	{.route = "GET /auth/me", .answer_kind = ANSWER_OBJECT, .answer = &me},
	{.route = "GET /audit", .query = audit_query, .answer_kind = ANSWER_PAGE, .answer = &audit},
};

const struct route_doc *doc_people(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
