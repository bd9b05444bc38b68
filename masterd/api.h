/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_H
#define FELLOE_API_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/req.h"
#include "masterd/writer.h"

/* What the handlers of several nouns share. Those that return false have set
 * the reply. */
enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000 };

/* The node whose number stands in {id} and which who asks may see; else 404. */
bool api_node_id(struct req *r, int64_t *ret);
/* ?after= (a number that an answer gave as next; empty or absent: from the
 * start) and ?limit=; absent ones leave *after and *limit. */
bool api_page(struct req *r, int64_t *after, int64_t *limit);
/* A list of which there may be more: {"items":[ ... ],"next":...}. Between the two
 * stand its values; next: what ?after= of the next page is, 0 at the end (null). */
struct json_out *api_items(struct req *r);
void api_items_end(struct json_out *o, int64_t next);
/* A page of rows that are numbered from 1 upwards. */
struct api_rows {
	/* Append to rows at most limit of those after the number. */
	int (*read)(struct db *db, int64_t after, int64_t limit, void *rows, struct err *e);
	int64_t (*put)(struct json_out *o, const void *rows, size_t i); /* gives its number */
	void *rows;               /* a list of the caller's */
	const size_t *n;          /* of it */
};
/* The answer to a GET of such rows. */
enum verdict api_rows(struct req *r, const struct api_rows *v);
/* 400, for what stands in ?name=; false. */
bool api_bad_query(struct req *r, const char *name, const char *what);

/* Hand run to the writer in the job, which is in r->state; then replies when it is committed. */
enum verdict api_write(struct req *r, struct job *job, int (*run)(struct job *, struct db *, struct err *), req_fn *then);
/* The reply of such a job when there is nothing to show: 204. r->state begins with the job. */
req_fn api_no_content;

/* An ETag made from the reply as it stands; it becomes a 304 when the client has it. */
void api_hash_etag(struct req *r);

/* A text without control or invisible characters that fits into size. */
void api_want_text(const struct json *j, const char *key, bool required, char *out, size_t size, struct problems *p);
/* The member tags as a JSON array of texts, yours; NULL when it is absent. */
char *api_want_tags(const struct json *j, struct problems *p);
/* The body of a request that needs none. */
bool api_body(struct req *r, struct json **ret);

#endif
