/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* not the "config.h" beside this file */

#include "masterd/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/doc.h"
#include "masterd/openapi_shape.h"
#include "shared/attr.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DOCUMENT_MAX = 1 << 20 };

static bool is_people(const struct route *t)
{
	return t->role >= ROLE_VIEWER;
}

static bool changes(const struct route *t)
{
	return !str_eq(t->method, "GET");
}

static bool is_page(const struct route_doc *d)
{
	return d->answer_kind == ANSWER_PAGE || d->answer_kind == ANSWER_LIST_OR_PAGE;
}

/* "get_nodes_id_stats" */
static void put_operation_id(struct json_out *o, const struct route *t)
{
	char id[128];
	size_t n = (size_t)snprintf(id, sizeof(id), "%s%s", t->method, t->path), kept = 0;

	for (size_t i = 0; i < n && i < sizeof(id) - 1; i++) {
		unsigned char c = (unsigned char)id[i];

		if (isalnum(c))
			id[kept++] = (char)tolower(c);
		else if (kept && id[kept - 1] != '_' && c != '}')
			id[kept++] = '_';
	}
	id[kept] = '\0';
	json_put_str(o, "operationId", id);
}

static void put_parameter(struct shapes *w, const char *in, const struct field *f)
{
	struct field plain = *f;

	plain.what = NULL;
	json_obj(&w->o, NULL);
	json_put_str(&w->o, "name", f->name);
	json_put_str(&w->o, "in", in);
	if (f->flags & MUST)
		json_put_bool(&w->o, "required", true);
	if (f->what)
		json_put_str(&w->o, "description", f->what);
	shape_put_field(w, "schema", &plain);
	json_end_obj(&w->o);
}

static void put_parameters(struct shapes *w, const struct route *t, const struct route_doc *d)
{
	static const struct field limit = FIELD("limit", F_INT, .min = 1, .max = 1000, .what = "default 100");
	static const struct field after = FIELD("after", F_TEXT, .what = "what the page before gave as next; empty: the first");
	static const struct field once = FIELD("Idempotency-Key", F_TEXT, .min = 1, .max = 128,
					       .what = "the same key with the same body gets the same answer for 24 h");
	const char *p = t->path;
	char name[32];

	json_arr(&w->o, "parameters");
	while ((p = strchr(p, '{'))) {
		struct field f = FIELD(name, F_TEXT, MUST, .min = 1, .max = 127);

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "}"), p + 1);
		put_parameter(w, "path", &f);
		p++;
	}
	for (const struct field *f = d->query; f && f->name; f++)
		put_parameter(w, "query", f);
	if (is_page(d)) {
		put_parameter(w, "query", &limit);
		put_parameter(w, "query", &after);
	}
	if (is_people(t) && changes(t))
		put_parameter(w, "header", &once);
	json_end_arr(&w->o);
}

static void put_body(struct shapes *w, const struct route_doc *d)
{
	struct json_out *o = &w->o;

	if (d->body_kind == BODY_NONE)
		return;
	json_obj(o, "requestBody");
	json_put_bool(o, "required", d->body_kind != BODY_OPTIONAL);
	json_obj(o, "content");
	json_obj(o, "application/json");
	if (d->body_kind == BODY_OR_LIST) {
		json_obj(o, "schema");
		json_arr(o, "oneOf");
		shape_refer(w, NULL, d->body);
		shape_put_list(w, NULL, d->body);
		json_end_arr(o);
		json_end_obj(o);
	} else {
		shape_refer(w, "schema", d->body);
	}
	json_end_obj(o);
	if (d->body_kind == BODY_OR_FORM) {
		json_obj(o, "application/x-www-form-urlencoded");
		shape_refer(w, "schema", d->body);
		json_end_obj(o);
	}
	json_end_obj(o);
	json_end_obj(o);
}

static void put_page_of(struct shapes *w, const char *key, const struct shape *s)
{
	static const struct field next = FIELD("next", F_TEXT, OR_NULL, .what = "for ?after=; null at the end");
	struct json_out *o = &w->o;

	json_obj(o, key);
	json_put_str(o, "type", "object");
	json_obj(o, "properties");
	shape_put_list(w, "items", s);
	shape_put_field(w, "next", &next);
	json_end_obj(o);
	json_arr(o, "required");
	json_put_str(o, NULL, "items");
	json_put_str(o, NULL, "next");
	json_end_arr(o);
	json_end_obj(o);
}

static void put_answer_schema(struct shapes *w, const struct route_doc *d)
{
	struct json_out *o = &w->o;

	switch (d->answer_kind) {
	case ANSWER_OBJECT:
		shape_refer(w, "schema", d->answer);
		break;
	case ANSWER_PAGE:
		put_page_of(w, "schema", d->answer);
		break;
	case ANSWER_LIST_OR_PAGE:
		json_obj(o, "schema");
		json_arr(o, "oneOf");
		shape_put_list(w, NULL, d->answer);
		put_page_of(w, NULL, d->answer);
		json_end_arr(o);
		json_end_obj(o);
		break;
	default:
		json_obj(o, "schema");
		json_put_str(o, "type", d->answer_kind == ANSWER_ANY ? "object" : "string");
		json_end_obj(o);
	}
}

static void put_answer(struct shapes *w, const struct route *t, const struct route_doc *d)
{
	static const char *const types[] = {
		[ANSWER_TEXT] = "text/plain", [ANSWER_STREAM] = "text/event-stream"};
	struct json_out *o = &w->o;
	int status = d->status ? d->status : d->answer_kind == ANSWER_NONE ? 204 : 200;
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	json_obj(o, number);
	json_put_str(o, "description", t->summary);
	if (d->answer_kind != ANSWER_NONE) {
		json_obj(o, "content");
		json_obj(o, d->answer_kind >= ANSWER_TEXT ? types[d->answer_kind] : "application/json");
		put_answer_schema(w, d);
		json_end_obj(o);
		json_end_obj(o);
	}
	json_end_obj(o);
	if (d->etag) {
		json_obj(o, "304");
		json_put_str(o, "description", "the same as before");
		json_end_obj(o);
	}
}

/* Each problem that the row may answer with, once. */
static void put_problems(struct json_out *o, const struct route *t, const struct route_doc *d)
{
	static const struct {
		int status;
		const char *what;
	} known[] = {
		{400, "not JSON"}, {401, "credentials are missing or wrong"}, {403, "not allowed"},
		{404, "there is no such thing"}, {406, "not in the form that Accept wants"},
		{409, "not possible in its present state"}, {413, "too large"},
		{422, "values that are not acceptable"}, {429, "too many; Retry-After says when"},
		{500, "our own mistake"}, {502, "the other end failed"},
		{503, "overloaded or not ready; Retry-After says when"}, {507, "no space left"},
	};
	bool body = d->body_kind != BODY_NONE, once = is_people(t) && changes(t), query = d->query || is_page(d);
	bool path = strchr(t->path, '{') != NULL;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		int s = known[i].status;
		bool may = s == 500 || s == 503 || (s == 401 && t->role != ROLE_ALL) || (s == 403 && t->role != ROLE_ALL) ||
			   (s == 404 && path) || (s == 409 && once) || (s == 422 && (body || query || once)) ||
			   ((s == 400 || s == 413) && (body || changes(t))) || (s == 507 && changes(t));
		char number[16];

		for (size_t k = 0; k < ARRAY_LEN(d->also); k++)
			may = may || d->also[k] == s;
		if (!may)
			continue;
		snprintf(number, sizeof(number), "%d", s);
		json_obj(o, number);
		json_put_str(o, "description", known[i].what);
		json_put_raw(o, "content", "{\"application/problem+json\":{\"schema\":{\"$ref\":"
					   "\"#/components/schemas/Problem\"}}}");
		json_end_obj(o);
	}
}

static void put_security(struct json_out *o, const struct route *t)
{
	json_arr(o, "security");
	if (t->role != ROLE_ALL) {
		json_obj(o, NULL);
		json_arr(o, t->role == ROLE_NODE ? "node" : "person");
		json_end_arr(o);
		json_end_obj(o);
	}
	json_end_arr(o);
}

static void put_row(struct shapes *w, const struct route *t)
{
	static const struct route_doc nothing = {.answer_kind = ANSWER_ANY};
	const struct route_doc *d = doc_find(t->method, t->path);
	char key[8] = "", tag[32];
	struct json_out *o = &w->o;

	if (!d)
		d = &nothing;
	for (size_t i = 0; i < sizeof(key) - 1 && t->method[i]; i++)
		key[i] = (char)tolower((unsigned char)t->method[i]);
	snprintf(tag, sizeof(tag), "%.*s", (int)strcspn(t->path + 1, "/"), t->path + 1);
	json_obj(o, key);
	put_operation_id(o, t);
	json_put_str(o, "summary", t->summary);
	json_arr(o, "tags");
	json_put_str(o, NULL, t->root || str_eq(tag, "openapi.json") ? "master" : tag);
	json_end_arr(o);
	json_put_str(o, "x-role", role_name(t->role));
	put_security(o, t);
	put_parameters(w, t, d);
	put_body(w, d);
	json_obj(o, "responses");
	put_answer(w, t, d);
	put_problems(o, t, d);
	json_end_obj(o);
	json_end_obj(o);
}

/* All rows of a path stand together in the document, whatever their order in the table. */
static void put_paths(struct shapes *w)
{
	const struct route *t;
	size_t n;

	t = route_table(&n);
	json_obj(&w->o, "paths");
	for (size_t i = 0; i < n; i++) {
		char path[160];
		bool before = false;

		for (size_t k = 0; k < i; k++)
			before = before || (t[k].root == t[i].root && str_eq(t[k].path, t[i].path));
		if (before)
			continue;
		snprintf(path, sizeof(path), "%s%s", t[i].root ? "" : "/api/v1", t[i].path);
		json_obj(&w->o, path);
		for (size_t k = i; k < n; k++)
			if (t[k].root == t[i].root && str_eq(t[k].path, t[i].path))
				put_row(w, &t[k]);
		json_end_obj(&w->o);
	}
	json_end_obj(&w->o);
}

static const struct field bad_field_fields[] = {
	FIELD("path", F_TEXT, MUST),
	FIELD("message", F_TEXT, MUST),
	{0},
};
static const struct shape bad_field = {"BadField", bad_field_fields};
static const struct field problem_fields[] = {
	FIELD("type", F_TEXT, MUST),
	FIELD("title", F_TEXT, MUST),
	FIELD("status", F_INT, MUST),
	FIELD("detail", F_TEXT),
	FIELD("hint", F_TEXT),
	FIELD("errors", F_OBJECTS, .of = &bad_field),
	{0},
};
static const struct shape problem = {"Problem", problem_fields};

static void write_document(struct buf *b)
{
	struct shapes w = {.v = {&problem}, .n = 1};
	struct json_out *o = &w.o;

	json_out_init(o, b);
	json_obj(o, NULL);
	json_put_str(o, "openapi", "3.1.0");
	json_obj(o, "info");
	json_put_str(o, "title", "Felloe master");
	json_put_str(o, "version", PACKAGE_VERSION);
	json_put_str(o, "description", "What felloe-masterd answers. Lists give 100 items unless ?limit= says otherwise.");
	json_put_raw(o, "license", "{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
	json_end_obj(o);
	json_put_raw(o, "servers", "[{\"url\":\"/\"}]");
	put_paths(&w);
	json_obj(o, "components");
	json_put_raw(o, "securitySchemes",
		     "{\"person\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
		     "\"the access token of a sign-in, or an API token\"},"
		     "\"node\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-KEY\"}}");
	json_obj(o, "schemas");
	for (size_t i = 0; i < w.n; i++) /* grows while it is written */
		shape_put(&w, w.v[i]);
	json_end_obj(o);
	json_end_obj(o);
	json_end_obj(o);
}

enum verdict api_openapi(struct req *r)
{
	reply_json(r, 200);
	write_document(&r->out);
	api_hash_etag(r);
	return REPLY;
}
