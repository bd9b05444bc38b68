/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api.h"

#include <stdio.h>

#include "masterd/svc_follow.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

bool api_node_id(struct req *r, int64_t *ret)
{
	if (!req_id(r, ret))
		return false;
	if (live_sees(r->m->live, *ret, &r->who.scope) ||
	    /* another master may have met it a moment ago */
	    (follow_node(r->m, *ret) && live_sees(r->m->live, *ret, &r->who.scope)))
		return true;
	reply_problem(r, 404, "there is no node %lld", (long long)*ret);
	return false;
}

bool api_bad_query(struct req *r, const char *name, const char *what)
{
	CLEANUP(problems_done) struct problems p = {0};

	problems_add(&p, name, "%s", what);
	reply_problems(r, &p);
	return false;
}

bool api_page(struct req *r, int64_t *after, int64_t *limit)
{
	const char *text = req_query(r, "after");

	if (!str_empty(text) && str_to_i64(after, text, 0, INT64_MAX))
		return api_bad_query(r, "after", "is not what an answer gave as next");
	return req_query_int(r, "limit", 1, PAGE_MAX, limit);
}

struct json_out *api_items(struct req *r)
{
	struct json_out *o = reply_json(r, 200);

	json_obj(o, NULL);
	json_arr(o, "items");
	return o;
}

void api_items_end(struct json_out *o, int64_t next)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)next);
	json_end_arr(o);
	json_put_str(o, "next", next ? text : NULL);
	json_end_obj(o);
}

enum verdict api_rows(struct req *r, const struct api_rows *v)
{
	int64_t after = 0, limit = PAGE_DEFAULT, last = 0;
	struct db *db = NULL;
	struct json_out *o;
	struct err e;
	int rc;

	if (!api_page(r, &after, &limit))
		return REPLY;
	rc = db_pool_take(r->m->pool, &db, &e);
	/* one more tells whether there is another page */
	if (!rc)
		rc = v->read(db, after, limit + 1, v->rows, &e);
	db_pool_give(r->m->pool, db);
	if (rc)
		return reply_err(r, &e);
	o = api_items(r);
	for (size_t i = 0; i < *v->n && i < (size_t)limit; i++)
		last = v->put(o, v->rows, i);
	api_items_end(o, *v->n > (size_t)limit ? last : 0);
	return REPLY;
}

enum verdict api_write(struct req *r, struct job *job, int (*run)(struct job *, struct db *, struct err *), req_fn *then)
{
	struct err e;

	job->ticket = &r->ticket;
	job->run = run;
	r->then = then;
	return writer_put(r->m->writer, job, &e) ? reply_err(r, &e) : LATER;
}

enum verdict api_no_content(struct req *r)
{
	const struct job *job = r->state;

	if (job->rc)
		return reply_err(r, &job->err);
	r->status = 204;
	return REPLY;
}

void api_hash_etag(struct req *r)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];

	sha256(digest, r->out.p, r->out.len);
	hex_encode(hex, digest, sizeof(digest));
	hex[32] = '\0';
	reply_unchanged(r, hex);
}

void api_want_text(const struct json *j, const char *key, bool required, char *out, size_t size, struct problems *p)
{
	const char *v;

	if (!json_want_str(j, "", key, required, &v, p))
		return;
	if (!str_is_clean(v))
		problems_add(p, key, "holds control or invisible characters");
	else if (required && !*v)
		problems_add(p, key, "must not be empty");
	else if (str_copy(out, size, v))
		problems_add(p, key, "is longer than %zu bytes", size - 1);
}

bool api_body(struct req *r, struct json **ret)
{
	return !r->body_len || req_json(r, ret);
}

char *api_want_tags(const struct json *j, struct problems *p)
{
	const struct json *tags = json_want(j, "", "tags", JSON_ARRAY, false, p);
	struct json_out o;
	struct buf b;

	if (!tags)
		return NULL;
	buf_init(&b, 1024);
	json_out_init(&o, &b);
	json_arr(&o, NULL);
	for (const struct json *t = json_first(tags); t; t = json_next(t)) {
		if (!str_is_name(str_or(json_str(t), "")))
			problems_add(p, "tags", "a tag has 1 to 64 of A-Z a-z 0-9 . _ -");
		else
			json_put_str(&o, NULL, json_str(t));
	}
	json_end_arr(&o);
	if (b.over)
		problems_add(p, "tags", "are longer than 1024 bytes together");
	return buf_take(&b);
}
