/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_upload.h"

#include <stdlib.h>

#include "noded/store/s3_parts.h"
#include "noded/store/s3_sweep.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	COMPLETE_STALL_S = 600,     /* the server may need minutes to join many parts */
	COMPLETE_MAX = 4 << 20,
	ABORT_TRIES = 4,
};

struct s3_upload {
	struct s3 *s3;              /* of its own; the sender's while that runs */
	struct s3_parts *parts;
	char *key;
	uint64_t size;
	char *upload_id;            /* NULL: no multipart upload was begun */
	bool begun_twice;           /* an answer was lost: another upload id may exist */
	bool visible;               /* the key may exist now */
};

int s3_upload_begin(void **up, void *s3, const struct upload_opts *o, struct err *e)
{
	struct s3_parts_opts parts = {.key = o->key, .estimate = o->estimate, .spool_bytes = o->spool_bytes};
	struct s3 *own = NULL;
	struct s3_upload *u;

	if (s3_clone(&own, s3, e))
		return -1;
	u = xcalloc(1, sizeof(*u));
	u->s3 = own;
	u->key = xstrdup(o->key);
	u->parts = s3_parts_new(own, &parts);
	*up = u;
	return 0;
}

void s3_upload_free(void *up)
{
	struct s3_upload *u = up;

	s3_parts_free(u->parts);
	s3_free(u->s3);
	free(u->upload_id);
	free(u->key);
	free(u);
}

static int begin_multipart(struct s3_upload *u, struct err *e)
{
	struct s3_call c = {.what = "begin to write", .method = "POST", .key = u->key, .query = {{"uploads", ""}},
			    .has_body = true};

	if (u->s3->storage_class[0])
		c.headers[0] = (struct sigv4_pair){"x-amz-storage-class", u->s3->storage_class};
	for (unsigned tried = 0;;) {
		CLEANUP(s3_answer_done) struct s3_answer a = {0};
		enum s3_verdict v = s3_once(u->s3, &c, &a, e);

		if (v == S3_OK && !str_empty(a.xml.upload_id)) {
			u->upload_id = TAKE(a.xml.upload_id);
			return s3_parts_send(u->parts, u->upload_id, e);
		}
		if (v == S3_OK)
			return err_set(e, ERR_STORAGE, "begin to write \"%s\": %s gave no UploadId", u->key, u->s3->host);
		if (v == S3_FAILED)
			return -1;
		tried += v == S3_AGAIN;
		u->begun_twice |= v == S3_AGAIN;
		if (tried >= u->s3->tries)
			return err_wrap(e, "tried %u times", tried);
		if (v == S3_AGAIN && s3_pause(u->s3, s3_backoff_ms(u->s3, tried - 1, a.http.retry_after_s), e))
			return -1;
	}
}

int s3_upload_write(void *up, const void *p, size_t n, struct err *e)
{
	struct s3_upload *u = up;
	const char *at = p;

	while (n > 0) {
		size_t used = 0;

		/* one byte more than a part: only now it is certain that there are several */
		if (s3_parts_full(u->parts)) {
			s3_parts_seal(u->parts);
			if (!u->upload_id && begin_multipart(u, e))
				return -1;
		}
		if (s3_parts_fill(u->parts, at, n, &used, e))
			return -1;
		u->size += used;
		at += used;
		n -= used;
	}
	return 0;
}

/* ---- the end */

static int put_single(struct s3_upload *u, struct err *e)
{
	CLEANUP(s3_answer_done) struct s3_answer a = {0};
	struct s3_call c = {.what = "write", .method = "PUT", .key = u->key, .has_body = true};

	if (u->s3->storage_class[0])
		c.headers[0] = (struct sigv4_pair){"x-amz-storage-class", u->s3->storage_class};
	s3_parts_only(u->parts, &c);
	if (s3_do(u->s3, &c, &a, e)) {
		/* refused is not there; where the answer was lost it may be */
		u->visible = e->kind == ERR_NET || e->kind == ERR_STORAGE || e->kind == ERR_ABORTED;
		return -1;
	}
	u->visible = true;
	return 0;
}

/* The answer was lost, or the server says that it knows no such upload (any more):
 * the object itself tells. */
static bool is_there(struct s3_upload *u)
{
	uint64_t size = 0;
	struct err unused;

	return s3_head(u->s3, u->key, &size, &unused) == 0 && size == u->size;
}

static int complete(struct s3_upload *u, struct err *e)
{
	CLEANUP(buf_done) struct buf body = {0};
	struct s3_call c = {.what = "complete", .method = "POST", .key = u->key, .query = {{"uploadId", u->upload_id}},
			    .has_body = true, .stall_s = COMPLETE_STALL_S};

	buf_init(&body, COMPLETE_MAX);
	s3_parts_list(u->parts, &body);
	if (buf_check(&body, "the list of parts", e))
		return -1;
	c.body = body.p;
	c.body_len = body.len;
	for (unsigned tried = 0;;) {
		CLEANUP(s3_answer_done) struct s3_answer a = {0};
		enum s3_verdict v = s3_once(u->s3, &c, &a, e);

		u->visible |= v == S3_OK || v == S3_AGAIN || e->kind == ERR_ABORTED;
		if (v == S3_OK)
			return 0;
		tried += v != S3_NOW;
		if (e->kind == ERR_ABORTED)
			return -1;
		if ((v == S3_AGAIN || a.http.status == 404) && is_there(u))
			return 0;
		if (v == S3_FAILED)
			return -1;
		if (tried >= u->s3->tries)
			return err_wrap(e, "tried %u times", tried);
		if (v == S3_AGAIN && s3_pause(u->s3, s3_backoff_ms(u->s3, tried - 1, a.http.retry_after_s), e))
			return -1;
	}
}

/* When the first answer to "begin" was lost, another upload of this key lies open. */
static void sweep_own(struct s3_upload *u)
{
	struct s3_sweep all = {.prefix = u->key, .exact = true, .older_than_ms = INT64_MAX};
	struct err unused;
	unsigned n;

	if (u->begun_twice)
		(void)!s3_sweep_uploads(u->s3, &all, &n, &unused); /* else the next store_sweep finds it */
}

int s3_upload_finish(void *up, struct err *e)
{
	struct s3_upload *u = up;

	if (!u->upload_id)
		return put_single(u, e);
	s3_parts_seal(u->parts);
	if (s3_parts_drain(u->parts, e) || complete(u, e))
		return -1;
	sweep_own(u);
	return 0;
}

void s3_upload_abort(void *up)
{
	struct s3_upload *u = up;
	struct err unused;

	s3_parts_cancel(u->parts);
	u->s3->stop = NULL; /* a stop must not keep us from tidying up */
	u->s3->tries = u->s3->tries < ABORT_TRIES ? u->s3->tries : ABORT_TRIES;
	if (u->upload_id) {
		struct s3_call c = {.what = "abort", .method = "DELETE", .key = u->key,
				    .query = {{"uploadId", u->upload_id}}};
		struct s3_answer a;

		/* a failure here is left to store_sweep */
		(void)!s3_do(u->s3, &c, &a, &unused);
		s3_answer_done(&a);
	}
	if (u->visible)
		(void)!s3_remove(u->s3, u->key, &unused);
	sweep_own(u);
}
