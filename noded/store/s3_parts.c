/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PART_MIN_BITS = 23,         /* 8 MiB */
	PART_MAX_BITS = 32,         /* 4 GiB; S3 allows 5 */
	PARTS_PLANNED = 9000,       /* the estimate fills so many */
	PARTS_MAX = 10000,          /* of S3 */
	IN_FLIGHT = 2,
	MEM_SLOTS = 2,              /* parts of 8 MiB held in memory; more go to the spool */
	MEM_SLOTS_ALONE = 3,        /* without a spool */
	MIN_SLOTS = IN_FLIGHT + 1,
	WAIT_MS = 200,
};

enum slot_state { FREE, FILLING, SEALED, SENDING };

/* Room for one part, in memory or at its place in the spool file. */
struct slot {
	enum slot_state state;
	char *mem;                  /* NULL until used, and for slots of the spool */
	bool in_spool;
	uint64_t at;                /* in the spool */
	uint64_t len;
	unsigned part;              /* from 1 */
	char sha256[SHA256_HEX];
	char number[8];
	unsigned tried;
	int64_t not_before;         /* monotonic ms, of the next try */
	struct s3_call call;
	struct http_req *req;
};

struct etag {
	char text[128];
};

struct s3_parts {
	struct s3 *s3;
	char *key;
	const char *upload_id;
	uint64_t part_size;
	struct slot *slots;
	size_t n_slots;
	int spool;
	struct slot *filling;
	struct sha256 *digest;      /* of the part that is being filled */
	unsigned parts;             /* sealed so far */
	pthread_t thread;
	bool running;
	/* shared with the sender, under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closing, cancel, failed;
	struct err why;
	struct { LIST_OF(struct etag); } etags;
};

/* ---- sizes and room */

/* Equal parts: a power of two from 8 MiB up, so that the estimate needs at most 9,000. */
static uint64_t part_size_for(uint64_t estimate)
{
	unsigned bits = PART_MIN_BITS;

	while (bits < PART_MAX_BITS && (uint64_t)PARTS_PLANNED << bits < estimate)
		bits++;
	return (uint64_t)1 << bits;
}

static int open_spool(struct s3_parts *q, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *name = xasprintf("%s/.spool-XXXXXX", dir);

	if (fs_mkdirs(dir, 0700, e))
		return -1;
	q->spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (q->spool >= 0)
		return 0;
	/* a file system without O_TMPFILE */
	q->spool = mkostemp(name, O_CLOEXEC);
	if (q->spool < 0)
		return err_sys(e, ERR_IO, "create a spool file in %s", dir);
	unlink(name);
	return 0;
}

static void plan_slots(struct s3_parts *q, uint64_t spool_bytes)
{
	bool small = q->part_size == (uint64_t)1 << PART_MIN_BITS;
	size_t in_mem = small ? MEM_SLOTS : 0;
	uint64_t in_spool = spool_bytes / q->part_size;

	if (spool_bytes == 0) {
		in_mem = MEM_SLOTS_ALONE;
		in_spool = 0;
	} else if (in_mem + in_spool < MIN_SLOTS) {
		in_spool = MIN_SLOTS - in_mem;
	}
	if (in_spool > PARTS_MAX)
		in_spool = PARTS_MAX;
	q->n_slots = in_mem + (size_t)in_spool;
	q->slots = xcalloc(q->n_slots, sizeof(*q->slots));
	for (size_t i = in_mem; i < q->n_slots; i++) {
		q->slots[i].in_spool = true;
		q->slots[i].at = (i - in_mem) * q->part_size;
	}
}

struct s3_parts *s3_parts_new(struct s3 *s3, const struct s3_parts_opts *o)
{
	struct s3_parts *q = xcalloc(1, sizeof(*q));

	q->s3 = s3;
	q->key = xstrdup(o->key);
	q->part_size = part_size_for(o->estimate);
	q->spool = -1;
	q->digest = sha256_new();
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->changed, NULL);
	plan_slots(q, o->spool_bytes);
	return q;
}

/* ---- the sender thread */

static void fail_all(struct s3_parts *q, const struct err *why)
{
	if (!q->failed)
		q->why = *why;
	q->failed = true;
	pthread_cond_broadcast(&q->changed);
}

static void point_at_body(const struct s3_parts *q, struct slot *t)
{
	t->call.body_len = (size_t)t->len;
	t->call.body = t->in_spool ? NULL : t->mem;
	t->call.body_from_fd = t->in_spool;
	t->call.body_fd = t->in_spool ? q->spool : -1;
	t->call.body_offset = t->at;
	t->call.sha256 = t->sha256;
	t->call.has_body = true;
}

static void start_part(struct s3_parts *q, struct slot *t)
{
	struct err e;

	snprintf(t->number, sizeof(t->number), "%u", t->part);
	t->call = (struct s3_call){.what = "write a part of", .method = "PUT", .key = q->key,
				   .query = {{"partNumber", t->number}, {"uploadId", q->upload_id}}};
	point_at_body(q, t);
	if (s3_start(q->s3, &t->call, &t->req, &e))
		fail_all(q, &e);
	else
		t->state = SENDING;
}

/* Start what may start; how long to wait then goes to *wait_ms (-1: for a wake). */
static unsigned start_ready(struct s3_parts *q, int *wait_ms)
{
	unsigned busy = 0, most = q->s3->max_rate ? 1 : IN_FLIGHT;
	int64_t now = clock_mono_ms();

	*wait_ms = -1;
	for (size_t i = 0; i < q->n_slots; i++)
		busy += q->slots[i].state == SENDING;
	for (;;) {
		struct slot *next = NULL;

		for (size_t i = 0; i < q->n_slots; i++)
			if (q->slots[i].state == SEALED && (!next || q->slots[i].part < next->part))
				next = &q->slots[i];
		if (!next || busy >= most || q->failed)
			return busy + (next != NULL);
		/* the oldest part waits for its turn, and the others behind it: a server in
		 * trouble is not hammered */
		if (next->not_before > now) {
			*wait_ms = (int)(next->not_before - now);
			return busy + 1;
		}
		start_part(q, next);
		busy += next->state == SENDING;
	}
}

static void part_done(struct s3_parts *q, struct slot *t, const struct s3_answer *a)
{
	while (q->etags.n < t->part)
		list_push(&q->etags);
	str_cut(q->etags.v[t->part - 1].text, sizeof(q->etags.v[0].text), a->http.etag);
	t->state = FREE;
	pthread_cond_broadcast(&q->changed);
}

static void part_ended(struct s3_parts *q, struct slot *t)
{
	CLEANUP(s3_answer_done) struct s3_answer a = {0};
	struct err e;
	enum s3_verdict v = s3_end(q->s3, &t->call, t->req, &a, &e);

	t->req = NULL;
	t->state = SEALED;
	if (v == S3_OK && a.http.etag[0]) {
		part_done(q, t, &a);
	} else if (v == S3_OK) {
		err_fill(&e, ERR_STORAGE, 0, "write a part of \"%s\": %s gave no ETag", q->key, q->s3->host);
		fail_all(q, &e);
	} else if (v == S3_FAILED) {
		fail_all(q, &e);
	} else if (v == S3_AGAIN && ++t->tried >= q->s3->tries) {
		err_prefix(&e, "tried %u times", t->tried);
		fail_all(q, &e);
	} else if (v == S3_AGAIN) {
		t->not_before = clock_mono_ms() + s3_backoff_ms(q->s3, t->tried - 1, a.http.retry_after_s);
	}
}

static void *send_parts(void *ctx)
{
	struct s3_parts *q = ctx;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		struct http_req *ended = NULL;
		int wait_ms, got;
		unsigned left = start_ready(q, &wait_ms);
		struct err e;

		if (q->failed || q->cancel || (q->closing && left == 0))
			break;
		pthread_mutex_unlock(&q->lock);
		got = http_wait(q->s3->http, wait_ms, &ended, &e);
		pthread_mutex_lock(&q->lock);
		if (got < 0)
			fail_all(q, &e);
		for (size_t i = 0; got > 0 && i < q->n_slots; i++)
			if (q->slots[i].state == SENDING && q->slots[i].req == ended)
				part_ended(q, &q->slots[i]);
	}
	for (size_t i = 0; i < q->n_slots; i++)
		if (q->slots[i].state == SENDING) {
			http_cancel(q->s3->http, q->slots[i].req);
			q->slots[i].state = SEALED;
		}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* closing: once all parts are sent; else at once. */
static void end_sender(struct s3_parts *q, bool closing)
{
	if (!q->running)
		return;
	pthread_mutex_lock(&q->lock);
	q->closing |= closing;
	q->cancel |= !closing;
	pthread_mutex_unlock(&q->lock);
	http_wake(q->s3->http);
	pthread_join(q->thread, NULL);
	q->running = false;
}

/* ---- filling */

void s3_parts_seal(struct s3_parts *q)
{
	struct slot *t = q->filling;
	uint8_t digest[SHA256_LEN];

	if (!t)
		return;
	sha256_end(q->digest, digest);
	hex_encode(t->sha256, digest, sizeof(digest));
	pthread_mutex_lock(&q->lock);
	t->part = ++q->parts;
	t->tried = 0;
	t->not_before = 0;
	t->state = SEALED;
	pthread_mutex_unlock(&q->lock);
	q->filling = NULL;
	if (q->running)
		http_wake(q->s3->http);
}

static struct slot *find_free(struct s3_parts *q)
{
	for (size_t i = 0; i < q->n_slots; i++)
		if (q->slots[i].state == FREE)
			return &q->slots[i];
	return NULL;
}

/* Wait for a free slot; -1 when the sender failed or stop says so. */
static int wait_for_slot(struct s3_parts *q, struct slot **ret, struct err *e)
{
	struct slot *t;
	bool stopped = false, failed;

	pthread_mutex_lock(&q->lock);
	while (!(t = find_free(q)) && !q->failed && !stopped) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += WAIT_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_clockwait(&q->changed, &q->lock, CLOCK_MONOTONIC, &until);
		stopped = q->s3->stop && q->s3->stop();
	}
	failed = q->failed;
	if (failed)
		*e = q->why;
	else if (t)
		t->state = FILLING;
	pthread_mutex_unlock(&q->lock);
	if (failed)
		return -1;
	if (!t)
		return err_set(e, ERR_ABORTED, "write \"%s\" was stopped", q->key);
	*ret = t;
	return 0;
}

static int next_slot(struct s3_parts *q, struct err *e)
{
	struct slot *t = NULL;

	if (q->parts >= PARTS_MAX)
		return err_set(e, ERR_LIMIT, "\"%s\" needs more than %d parts of %llu bytes", q->key, PARTS_MAX,
			       (unsigned long long)q->part_size);
	if (wait_for_slot(q, &t, e))
		return -1;
	q->filling = t;
	t->len = 0;
	if (t->in_spool)
		return q->spool >= 0 ? 0 : open_spool(q, e);
	if (!t->mem)
		t->mem = xmalloc((size_t)q->part_size);
	return 0;
}

static int fill(struct s3_parts *q, const char *p, size_t n, struct err *e)
{
	struct slot *t = q->filling;

	sha256_add(q->digest, p, n);
	if (!t->in_spool) {
		memcpy(t->mem + t->len, p, n);
		t->len += n;
		return 0;
	}
	while (n > 0) {
		ssize_t got = pwrite(q->spool, p, n, (off_t)(t->at + t->len));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "write to the spool file of \"%s\"", q->key);
		t->len += (uint64_t)got;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Wait for all parts. The sender gives up by itself on an error; a stop is seen here. */
int s3_parts_drain(struct s3_parts *q, struct err *e)
{
	while (q->s3->stop) {
		bool busy = false;

		pthread_mutex_lock(&q->lock);
		for (size_t i = 0; i < q->n_slots; i++)
			busy |= q->slots[i].state == SEALED || q->slots[i].state == SENDING;
		busy &= !q->failed;
		pthread_mutex_unlock(&q->lock);
		if (!busy)
			break;
		if (q->s3->stop())
			return err_set(e, ERR_ABORTED, "write \"%s\" was stopped", q->key);
		clock_sleep_ms(WAIT_MS / 10);
	}
	end_sender(q, true);
	if (q->failed) {
		*e = q->why;
		return -1;
	}
	return 0;
}

/* ---- from outside */

bool s3_parts_full(const struct s3_parts *q)
{
	return q->filling && q->filling->len == q->part_size;
}

int s3_parts_fill(struct s3_parts *q, const void *bytes, size_t n, size_t *used, struct err *e)
{
	uint64_t left;

	if (!q->filling && next_slot(q, e))
		return -1;
	left = q->part_size - q->filling->len;
	*used = n < left ? n : (size_t)left;
	return fill(q, bytes, *used, e);
}

int s3_parts_send(struct s3_parts *q, const char *upload_id, struct err *e)
{
	int code;

	q->upload_id = upload_id;
	code = pthread_create(&q->thread, NULL, send_parts, q);
	if (code) {
		errno = code;
		return err_sys(e, ERR_INTERNAL, "start a thread for \"%s\"", q->key);
	}
	q->running = true;
	return 0;
}

void s3_parts_cancel(struct s3_parts *q)
{
	end_sender(q, false);
}

void s3_parts_only(struct s3_parts *q, struct s3_call *c)
{
	struct slot *t = q->filling;

	if (!t)
		return;
	s3_parts_seal(q);
	t->call = *c;
	point_at_body(q, t);
	*c = t->call;
}

void s3_parts_list(const struct s3_parts *q, struct buf *b)
{
	buf_adds(b, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < q->etags.n; i++) {
		buf_addf(b, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		for (const char *p = q->etags.v[i].text; *p; p++) {
			if (*p == '"')
				buf_adds(b, "&quot;");
			else if (*p == '&')
				buf_adds(b, "&amp;");
			else if (*p == '<')
				buf_adds(b, "&lt;");
			else
				buf_addc(b, *p);
		}
		buf_adds(b, "</ETag></Part>");
	}
	buf_adds(b, "</CompleteMultipartUpload>");
}

void s3_parts_free(struct s3_parts *q)
{
	if (!q)
		return;
	end_sender(q, false);
	for (size_t i = 0; i < q->n_slots; i++)
		free(q->slots[i].mem);
	free(q->slots);
	list_done(&q->etags);
	closep(&q->spool);
	sha256_free(q->digest);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->changed);
	free(q->key);
	free(q);
}
