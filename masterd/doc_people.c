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

/* ---- the own account */

static const struct field password_fields[] = {
	FIELD("old_password", F_SECRET, MUST, .min = 1, .max = 1024),
	FIELD("new_password", F_SECRET, MUST, .min = 10, .max = 1024),
	{0},
};
static const struct shape password = {"NewPassword", password_fields};

static const struct field totp_ask_fields[] = {
	FIELD("password", F_SECRET, MUST, .min = 1, .max = 1024),
	{0},
};
static const struct shape totp_ask = {"TotpAsk", totp_ask_fields};

static const struct field totp_seed_fields[] = {
	FIELD("secret", F_SECRET, MUST, .what = "the seed in base32"),
	FIELD("uri", F_SECRET, MUST, .what = "otpauth://... for a QR code"),
	{0},
};
static const struct shape totp_seed = {"TotpSeed", totp_seed_fields};

static const struct field totp_on_fields[] = {
	FIELD("otp", F_TEXT, MUST, .max = 32),
	{0},
};
static const struct shape totp_on = {"TotpOn", totp_on_fields};

static const struct field totp_codes_fields[] = {
	FIELD("recovery_codes", F_TEXTS, MUST, .what = "8 of them, shown now only"),
	{0},
};
static const struct shape totp_codes = {"RecoveryCodes", totp_codes_fields};

static const struct field totp_off_fields[] = {
	FIELD("password", F_SECRET, MUST, .min = 1, .max = 1024),
	FIELD("otp", F_TEXT, MUST, .max = 32, .what = "one-time or recovery code"),
	{0},
};
static const struct shape totp_off = {"TotpOff", totp_off_fields};

/* ---- users */

#define USER_FIELDS                                                       \
	FIELD("id", F_INT, MUST), FIELD("username", F_TEXT, MUST),            \
		FIELD("role", F_TEXT, MUST, .words = ROLES),                  \
		FIELD("tags", F_TEXTS, MUST, .what = "empty: sees all machines"), \
		FIELD("disabled", F_BOOL, MUST), FIELD("totp", F_BOOL, MUST), FIELD("created", F_TIME, MUST)
static const struct field user_fields[] = {
	USER_FIELDS,
	{0},
};
static const struct shape user = {"User", user_fields};

static const struct field made_user_fields[] = {
	USER_FIELDS,
	FIELD("password", F_SECRET, 0, .what = "when the request gave none; shown now only"),
	{0},
};
static const struct shape made_user = {"MadeUser", made_user_fields};

static const struct field new_user_fields[] = {
	FIELD("username", F_TEXT, MUST, .min = 1, .max = 64),
	FIELD("role", F_TEXT, .words = ROLES),
	FIELD("tags", F_TEXTS),
	FIELD("password", F_SECRET, 0, .min = 10, .max = 1024),
	{0},
};
static const struct shape new_user = {"NewUser", new_user_fields};

static const struct field user_change_fields[] = {
	FIELD("role", F_TEXT, .words = ROLES),
	FIELD("tags", F_TEXTS),
	FIELD("disabled", F_BOOL),
	FIELD("password", F_SECRET, 0, .min = 10, .max = 1024),
	FIELD("totp", F_BOOL, .what = "only false: no one-time codes any more"),
	{0},
};
static const struct shape user_change = {"UserChange", user_change_fields};

/* ---- API tokens */

#define TOKEN_FIELDS                                                                                            \
	FIELD("id", F_INT, MUST), FIELD("name", F_TEXT, MUST), FIELD("role", F_TEXT, MUST, .words = ROLES),         \
		FIELD("tags", F_TEXTS, MUST), FIELD("scopes", F_TEXTS, MUST, .what = "read, write, metrics"),       \
		FIELD("created", F_TIME, MUST), FIELD("created_by", F_TEXT, MUST), FIELD("expires", F_TIME, MUST), \
		FIELD("last_used", F_TIME, MUST | OR_NULL), FIELD("last_peer", F_TEXT, MUST | OR_NULL)
static const struct field token_fields[] = {
	TOKEN_FIELDS,
	{0},
};
static const struct shape token = {"ApiToken", token_fields};

static const struct field made_token_fields[] = {
	TOKEN_FIELDS,
	FIELD("token", F_SECRET, MUST, .what = "for the header Authorization: Bearer; shown now only"),
	{0},
};
static const struct shape made_token = {"MadeApiToken", made_token_fields};

static const struct field new_token_fields[] = {
	FIELD("name", F_TEXT, MUST, .min = 1, .max = 48),
	FIELD("role", F_TEXT, .words = ROLES, .what = "viewer unless given"),
	FIELD("tags", F_TEXTS),
	FIELD("scopes", F_TEXTS, .what = "read unless given; write; metrics"),
	FIELD("expires", F_TIME, MUST, .what = "at most one year ahead"),
	{0},
};
static const struct shape new_token = {"NewApiToken", new_token_fields};

static const struct field token_change_fields[] = {
	FIELD("name", F_TEXT, .min = 1, .max = 48),
	FIELD("role", F_TEXT, .words = ROLES),
	FIELD("tags", F_TEXTS),
	FIELD("scopes", F_TEXTS, .what = "read, write, metrics"),
	FIELD("expires", F_TIME, .what = "at most one year ahead"),
	{0},
};
static const struct shape token_change = {"ApiTokenChange", token_change_fields};

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
	{.route = "PUT /auth/password", .body_kind = BODY_NEEDED, .body = &password, .answer_kind = ANSWER_OBJECT,
	 .answer = &tokens, .also = {403, 409, 429}},
	{.route = "POST /auth/totp", .body_kind = BODY_NEEDED, .body = &totp_ask, .answer_kind = ANSWER_OBJECT,
	 .answer = &totp_seed, .also = {403, 409, 429}},
	{.route = "PUT /auth/totp", .body_kind = BODY_NEEDED, .body = &totp_on, .answer_kind = ANSWER_OBJECT,
	 .answer = &totp_codes, .also = {403, 409, 429}},
	{.route = "DELETE /auth/totp", .body_kind = BODY_NEEDED, .body = &totp_off, .answer_kind = ANSWER_NONE,
	 .also = {403, 409, 429}},
	{.route = "GET /users", .answer_kind = ANSWER_PAGE, .answer = &user},
	{.route = "POST /users", .body_kind = BODY_NEEDED, .body = &new_user, .answer_kind = ANSWER_OBJECT,
	 .answer = &made_user, .status = 201, .also = {409}},
	{.route = "PATCH /users/{id}", .body_kind = BODY_NEEDED, .body = &user_change, .answer_kind = ANSWER_OBJECT,
	 .answer = &user, .also = {409}},
	{.route = "DELETE /users/{id}", .answer_kind = ANSWER_NONE, .also = {409}},
	{.route = "GET /api-tokens", .answer_kind = ANSWER_PAGE, .answer = &token},
	{.route = "POST /api-tokens", .body_kind = BODY_NEEDED, .body = &new_token, .answer_kind = ANSWER_OBJECT,
	 .answer = &made_token, .status = 201, .also = {409}},
	{.route = "PATCH /api-tokens/{id}", .body_kind = BODY_NEEDED, .body = &token_change, .answer_kind = ANSWER_OBJECT,
	 .answer = &token, .also = {409}},
	{.route = "DELETE /api-tokens/{id}", .answer_kind = ANSWER_NONE},
	{.route = "GET /audit", .query = audit_query, .answer_kind = ANSWER_PAGE, .answer = &audit},
};

const struct route_doc *doc_people(size_t *n)
{
	*n = ARRAY_LEN(docs);
	return docs;
}
