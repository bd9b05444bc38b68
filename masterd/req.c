/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/req.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "masterd/proxy.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{400, "Bad request"},
	{401, "Not signed in"},
	{403, "Not allowed"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{406, "Not acceptable"},
	{409, "Conflict"},
	{413, "Too large"},
	{422, "Not acceptable values"},
	{429, "Too many requests"},
	{500, "Internal error"},
	{502, "The other end failed"},
	{503, "Busy"},
	{507, "No space left"},
};

static const char *title_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

struct json_out *reply_json(struct req *r, int status)
{
	r->status = status;
	buf_reset(&r->out);
	json_out_init(&r->json, &r->out);
	return &r->json;
}

static struct json_out *begin_problem(struct req *r, int status, const char *detail)
{
	struct json_out *o = reply_json(r, status);
	char again[40] = "";

	r->problem = true;
	r->etag[0] = '\0';
	json_obj(o, NULL);
	json_put_str(o, "type", "about:blank");
	json_put_str(o, "title", title_of(status));
	json_put_int(o, "status", status);
	if (detail)
		json_put_strn(o, "detail", detail, strlen(detail));
	if (r->retry_after_s)
		snprintf(again, sizeof(again), "try again in %u s", r->retry_after_s);
	if (r->hint || again[0])
		json_put_str(o, "hint", r->hint ? r->hint : again);
	return o;
}

enum verdict reply_err(struct req *r, const struct err *e)
{
	int status = err_http_status(e->kind);

	if (status == 503 && !r->retry_after_s)
		r->retry_after_s = 1;
	json_end_obj(begin_problem(r, status, e->msg));
	return REPLY;
}

enum verdict reply_problem(struct req *r, int status, const char *fmt, ...)
{
	char detail[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json_end_obj(begin_problem(r, status, detail));
	return REPLY;
}

enum verdict reply_problem_with(struct req *r, int status, const char *member, const char *fmt, ...)
{
	char detail[ERR_MSG_MAX];
	struct json_out *o;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	o = begin_problem(r, status, detail);
	json_put_bool(o, member, true);
	json_end_obj(o);
	return REPLY;
}

enum verdict reply_busy(struct req *r, int status, unsigned seconds, const char *fmt, ...)
{
	char detail[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	r->retry_after_s = seconds;
	json_end_obj(begin_problem(r, status, detail));
	return REPLY;
}

enum verdict reply_problems(struct req *r, const struct problems *p)
{
	char detail[ERR_MSG_MAX] = "several values are not acceptable";
	struct json_out *o;

	if (p->n == 1)
		snprintf(detail, sizeof(detail), "%.120s%s%.360s", p->v[0].path, p->v[0].path[0] ? ": " : "", p->v[0].msg);
	str_clean(detail); /* the cut may have split a character */
	o = begin_problem(r, 422, detail);
	json_arr(o, "errors");
	for (size_t i = 0; i < p->n; i++) {
		json_obj(o, NULL);
		json_put_strn(o, "path", p->v[i].path, strlen(p->v[i].path));
		json_put_strn(o, "message", p->v[i].msg, strlen(p->v[i].msg));
		json_end_obj(o);
	}
	json_end_arr(o);
	json_end_obj(o);
	return REPLY;
}

bool reply_unchanged(struct req *r, const char *tag)
{
	const char *known = req_header(r, "If-None-Match");

	snprintf(r->etag, sizeof(r->etag), "\"%s\"", tag);
	if (!known || !(str_eq(known, "*") || strstr(known, r->etag)))
		return false;
	buf_reset(&r->out);
	r->status = 304;
	return true;
}

bool req_json(struct req *r, struct json **ret)
{
	struct err e;

	if (!r->body_len) {
		reply_problem(r, 400, "the request needs a JSON body");
		return false;
	}
	if (json_parse(ret, r->body, r->body_len, &e)) {
		reply_problem(r, 400, "the body is not JSON: %s", e.msg);
		return false;
	}
	if (json_type(*ret) != JSON_OBJECT && json_type(*ret) != JSON_ARRAY) {
		CLEANUP(problems_done) struct problems p = {0};

		problems_add(&p, "", "must be an object");
		reply_problems(r, &p);
		json_free(*ret);
		*ret = NULL;
		return false;
	}
	return true;
}

bool req_is_local(const struct req *r)
{
	return !r->forwarded && address_is_loopback(r->peer);
}

const char *req_query(const struct req *r, const char *name)
{
	return r->lookup(r, REQ_QUERY, name);
}

const char *req_header(const struct req *r, const char *name)
{
	return r->lookup(r, REQ_HEADER, name);
}

static bool bad_query(struct req *r, const char *name, const char *what)
{
	CLEANUP(problems_done) struct problems p = {0};

	problems_add(&p, name, "%s", what);
	reply_problems(r, &p);
	return false;
}

bool req_query_int(struct req *r, const char *name, int64_t min, int64_t max, int64_t *ret)
{
	const char *text = req_query(r, name);
	char what[96];

	if (!text)
		return true;
	if (!str_to_i64(ret, text, min, max))
		return true;
	snprintf(what, sizeof(what), "must be a whole number from %lld to %lld", (long long)min, (long long)max);
	return bad_query(r, name, what);
}

bool req_query_time(struct req *r, const char *name, int64_t *ret)
{
	const char *text = req_query(r, name);

	if (!text || !clock_parse(ret, text))
		return true;
	return bad_query(r, name, "must be a time such as 2026-11-23T03:10:00Z");
}

bool req_id(struct req *r, int64_t *ret)
{
	if (!str_to_i64(ret, r->arg, 1, INT64_MAX))
		return true;
	reply_problem(r, 404, "there is no node \"%.40s\": nodes have numbers from 1", r->arg);
	return false;
}
