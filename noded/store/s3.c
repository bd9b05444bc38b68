/* SPDX-License-Identifier: Apache-2.0 */
/* Storage in an S3 bucket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/store/driver.h"
#include "noded/store/s3_call.h"
#include "noded/store/s3_sweep.h"
#include "noded/store/s3_upload.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LIST_REPLY_MAX = 8 << 20 };

static int open_s3(void **impl, const struct storage *cfg, bool patient, struct err *e)
{
	struct s3 *s = NULL;

	if (s3_new(&s, cfg, patient, e))
		return -1;
	*impl = s;
	return 0;
}

static void close_s3(void *impl)
{
	s3_free(impl);
}

static void set_stop(void *impl, bool (*stop)(void))
{
	((struct s3 *)impl)->stop = stop;
}

static int put(void *impl, const char *key, const void *p, size_t n, struct err *e)
{
	struct s3 *s = NULL;
	struct s3_call c = {.what = "write", .method = "PUT", .key = key, .body = p, .body_len = n, .has_body = true};
	CLEANUP(s3_answer_done) struct s3_answer a = {0};

	if (s3_idle(&s, impl, e))
		return -1;
	if (s->storage_class[0])
		c.headers[0] = (struct sigv4_pair){"x-amz-storage-class", s->storage_class};
	return s3_do(s, &c, &a, e);
}

/* ---- reading, taken up again where a connection was lost */

struct reading {
	const struct store_range *range;
	uint64_t done;       /* bytes given on */
	bool refused;        /* on_data said no, why in e */
	bool too_much;
	struct err *e;
};

static int take(void *ctx, const void *p, size_t n)
{
	struct reading *r = ctx;

	if (r->range->n != UINT64_MAX && n > r->range->n - r->done) {
		r->too_much = true;
		return 1;
	}
	r->refused = r->range->on_data(r->range->ctx, p, n, r->e) != 0;
	r->done += r->refused ? 0 : n;
	return r->refused;
}

/* 416 where only the end was asked for: nothing is left to read. */
static int past_end(struct s3 *s, const struct store_range *g, uint64_t from, struct err *e)
{
	uint64_t size = 0;

	if (s3_head(s, g->key, &size, e))
		return -1;
	if (g->n == UINT64_MAX && from == size)
		return 0;
	return err_set(e, ERR_DAMAGED, "read \"%s\": it has %llu bytes, more were expected (from %llu on)", g->key,
		       (unsigned long long)size, (unsigned long long)from);
}

static int read_once(struct s3 *s, struct reading *r, enum s3_verdict *v, int *retry_after_s, struct err *e)
{
	const struct store_range *g = r->range;
	CLEANUP(s3_answer_done) struct s3_answer a = {0};
	struct s3_call c = {.what = "read", .method = "GET", .key = g->key, .on_data = take, .ctx = r};
	uint64_t from = g->offset + r->done;
	char range[64];

	if (g->n != UINT64_MAX)
		snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)from,
			 (unsigned long long)(g->offset + g->n - 1));
	else
		snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)from);
	if (from > 0 || g->n != UINT64_MAX) {
		c.headers[0] = (struct sigv4_pair){"range", range};
		c.only_status = 206;
	}
	s->busy = true; /* on_data may call for other things */
	*v = s3_once(s, &c, &a, e);
	s->busy = false;
	*retry_after_s = a.http.retry_after_s;
	if (a.http.status == 416) {
		*v = S3_FAILED;
		return past_end(s, g, from, e);
	}
	return *v == S3_OK ? 0 : -1;
}

static int get(void *impl, const struct store_range *range, struct err *e)
{
	struct s3 *s = NULL;
	struct err own, theirs;
	struct reading r = {.range = range, .e = &theirs};

	if (s3_idle(&s, impl, e))
		return -1;
	if (range->n != UINT64_MAX && range->offset > INT64_MAX - range->n)
		return err_set(e, ERR_INVALID, "read \"%s\": the range is out of bounds", range->key);
	for (unsigned tried = 0;;) {
		uint64_t before = r.done;
		int retry_after_s = 0;
		enum s3_verdict v;

		if (read_once(s, &r, &v, &retry_after_s, &own) == 0)
			break;
		if (r.refused)
			return err_set(e, theirs.kind, "%s", theirs.msg);
		if (r.too_much)
			return err_set(e, ERR_STORAGE, "read \"%s\": %s sends more than was asked for", range->key, s->host);
		if (v == S3_FAILED)
			return err_set(e, own.kind, "%s", own.msg);
		if (r.done > before)
			tried = 0; /* it moves on */
		tried += v != S3_NOW;
		if (range->n != UINT64_MAX && r.done == range->n)
			break;
		if (tried >= s->tries)
			return err_set(e, own.kind, "%s%s", s->tries > 1 ? "given up after several tries: " : "", own.msg);
		if (v == S3_AGAIN && s3_pause(s, s3_backoff_ms(s, tried - 1, retry_after_s), &own))
			return err_set(e, own.kind, "%s", own.msg);
	}
	if (range->n != UINT64_MAX && r.done != range->n)
		return err_set(e, ERR_DAMAGED, "read \"%s\": it ends after %llu bytes, %llu were expected", range->key,
			       (unsigned long long)(range->offset + r.done), (unsigned long long)(range->offset + range->n));
	return 0;
}

static int head(void *impl, const char *key, uint64_t *size, struct err *e)
{
	struct s3 *s = NULL;

	return s3_idle(&s, impl, e) ? -1 : s3_head(s, key, size, e);
}

static int remove_key(void *impl, const char *key, struct err *e)
{
	struct s3 *s = NULL;

	return s3_idle(&s, impl, e) ? -1 : s3_remove(s, key, e);
}

/* ---- listing */

static int list_page(struct s3 *s, const char *prefix, const char *token, struct s3_answer *a, struct err *e)
{
	struct s3_call c = {.what = "list", .method = "GET", .max_reply = LIST_REPLY_MAX,
			    .query = {{"list-type", "2"}, {"prefix", prefix}, {"max-keys", "1000"},
				      {"encoding-type", "url"}}};

	if (token)
		c.query[4] = (struct sigv4_pair){"continuation-token", token};
	if (s3_do(s, &c, a, e))
		return -1;
	if (!str_eq(a->xml.root, "ListBucketResult"))
		return err_set(e, ERR_STORAGE, "list bucket \"%s\": what %s answers is not a listing; is it an S3 server?",
			       s->bucket, s->host);
	return 0;
}

static int list(void *impl, const char *prefix, store_list_fn *on_item, void *ctx, struct err *e)
{
	CLEANUP(freep) char *token = NULL;
	struct s3 *s = NULL;
	bool more = true;

	if (s3_idle(&s, impl, e))
		return -1;
	while (more) {
		CLEANUP(s3_answer_done) struct s3_answer a = {0};

		if (list_page(s, prefix, token, &a, e))
			return -1;
		for (size_t i = 0; i < a.xml.items.n; i++)
			if (on_item(ctx, a.xml.items.v[i].key, a.xml.items.v[i].size, e))
				return -1;
		more = a.xml.truncated;
		if (more && (str_empty(a.xml.next_token) || str_eq(a.xml.next_token, token)))
			return err_set(e, ERR_STORAGE, "list bucket \"%s\": the listing does not go on",
				       s->bucket);
		free(token);
		token = TAKE(a.xml.next_token);
	}
	return 0;
}

static int sweep(void *impl, const char *prefix, int64_t older_than_ms, unsigned *swept, struct err *e)
{
	struct s3_sweep what = {.prefix = prefix, .older_than_ms = older_than_ms};
	struct s3 *s = NULL;

	return s3_idle(&s, impl, e) ? -1 : s3_sweep_uploads(s, &what, swept, e);
}

static const struct store_ops ops = {
	.type = "s3",
	.open = open_s3,
	.close = close_s3,
	.set_stop = set_stop,
	.put = put,
	.get = get,
	.head = head,
	.remove = remove_key,
	.list = list,
	.sweep = sweep,
	.begin = s3_upload_begin,
	.write = s3_upload_write,
	.finish = s3_upload_finish,
	.abort = s3_upload_abort,
	.free = s3_upload_free,
};

const struct store_ops *store_s3(void)
{
	return &ops;
}
