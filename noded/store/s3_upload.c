/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_upload.h"

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
#include "shared/mem.h"
#include "shared/str.h"

enum {
	PART_MIN_BITS = 23,         /* 8 MiB */
	PART_MAX_BITS = 32,         /* 4 GiB; S3 allows 5 */
	PARTS_PLANNED = 9000,       /* the estimate fills so many */
	PARTS_USED = 9900,          /* upload_room; the rest is reserve */
	PARTS_MAX = 10000,          /* of S3 */
	IN_FLIGHT = 2,
	MEM_SLOTS = 2,              /* parts of 8 MiB held in memory; more go to the spool */
	MEM_SLOTS_ALONE = 3,        /* without a spool */
	MIN_SLOTS = IN_FLIGHT + 1,
	COMPLETE_STALL_S = 600,     /* the server may need minutes to join many parts */
	ABORT_TRIES = 4,
	WAIT_MS = 200,
	COMPLETE_MAX = 4 << 20,
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

struct s3_upload {
	struct s3 *s3;              /* of its own; the sender thread's while that runs */
	char *key;
	uint64_t part_size, size;
	struct slot *slots;
	size_t n_slots;
	int spool;
	struct slot *filling;
	struct sha256 *digest;      /* of the part that is being filled */
	unsigned parts;             /* sealed so far */
	char *upload_id;            /* NULL: no multipart upload was begun */
	bool begun_twice;           /* an answer was lost: another upload id may exist */
	bool visible;               /* the key may exist now */
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

static int open_spool(struct s3_upload *u, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *name = xasprintf("%s/.spool-XXXXXX", dir);

	if (fs_mkdirs(dir, 0700, e))
		return -1;
	u->spool = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (u->spool >= 0)
		return 0;
	/* a file system without O_TMPFILE */
	u->spool = mkostemp(name, O_CLOEXEC);
	if (u->spool < 0)
		return err_sys(e, ERR_IO, "create a spool file in %s", dir);
	unlink(name);
	return 0;
}

static void plan_slots(struct s3_upload *u, uint64_t spool_bytes)
{
	bool small = u->part_size == (uint64_t)1 << PART_MIN_BITS;
	size_t in_mem = small ? MEM_SLOTS : 0;
	uint64_t in_spool = spool_bytes / u->part_size;

	if (spool_bytes == 0) {
		in_mem = MEM_SLOTS_ALONE;
		in_spool = 0;
	} else if (in_mem + in_spool < MIN_SLOTS) {
		in_spool = MIN_SLOTS - in_mem;
	}
	if (in_spool > PARTS_MAX)
		in_spool = PARTS_MAX;
	u->n_slots = in_mem + (size_t)in_spool;
	u->slots = xcalloc(u->n_slots, sizeof(*u->slots));
	for (size_t i = in_mem; i < u->n_slots; i++) {
		u->slots[i].in_spool = true;
		u->slots[i].at = (i - in_mem) * u->part_size;
	}
}

int s3_upload_begin(void **up, void *s3, const struct upload_opts *o, struct err *e)
{
	struct s3 *own = NULL;
	struct s3_upload *u;

	if (s3_clone(&own, s3, e))
		return -1;
	u = xcalloc(1, sizeof(*u));
	u->s3 = own;
	u->key = xstrdup(o->key);
	u->part_size = part_size_for(o->estimate);
	u->spool = -1;
	u->digest = sha256_new();
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->changed, NULL);
	plan_slots(u, o->spool_bytes);
	*up = u;
	return 0;
}

uint64_t s3_upload_room(const void *up)
{
	return ((const struct s3_upload *)up)->part_size * PARTS_USED;
}

void s3_upload_free(void *up)
{
	struct s3_upload *u = up;

	for (size_t i = 0; i < u->n_slots; i++)
		free(u->slots[i].mem);
	free(u->slots);
	list_done(&u->etags);
	closep(&u->spool);
	sha256_free(u->digest);
	pthread_mutex_destroy(&u->lock);
	pthread_cond_destroy(&u->changed);
	s3_free(u->s3);
	free(u->upload_id);
	free(u->key);
	free(u);
}

/* ---- the sender thread */

static void fail_all(struct s3_upload *u, const struct err *why)
{
	if (!u->failed)
		u->why = *why;
	u->failed = true;
	pthread_cond_broadcast(&u->changed);
}

static void point_at_body(const struct s3_upload *u, struct slot *t)
{
	t->call.body_len = (size_t)t->len;
	t->call.body = t->in_spool ? NULL : t->mem;
	t->call.body_from_fd = t->in_spool;
	t->call.body_fd = u->spool;
	t->call.body_offset = t->at;
	t->call.sha256 = t->sha256;
	t->call.has_body = true;
}

static void start_part(struct s3_upload *u, struct slot *t)
{
	struct err e;

	snprintf(t->number, sizeof(t->number), "%u", t->part);
	t->call = (struct s3_call){.what = "write a part of", .method = "PUT", .key = u->key,
				   .query = {{"partNumber", t->number}, {"uploadId", u->upload_id}}};
	point_at_body(u, t);
	if (s3_start(u->s3, &t->call, &t->req, &e))
		fail_all(u, &e);
	else
		t->state = SENDING;
}

/* Start what may start; how long to wait then goes to *wait_ms (-1: for a wake). */
static unsigned start_ready(struct s3_upload *u, int *wait_ms)
{
	unsigned busy = 0, most = u->s3->max_rate ? 1 : IN_FLIGHT;
	int64_t now = clock_mono_ms();

	*wait_ms = -1;
	for (size_t i = 0; i < u->n_slots; i++)
		busy += u->slots[i].state == SENDING;
	for (;;) {
		struct slot *next = NULL;

		for (size_t i = 0; i < u->n_slots; i++)
			if (u->slots[i].state == SEALED && (!next || u->slots[i].part < next->part))
				next = &u->slots[i];
		if (!next || busy >= most || u->failed)
			return busy + (next != NULL);
		/* the oldest part waits for its turn, and the others behind it: a server in
		 * trouble is not hammered */
		if (next->not_before > now) {
			*wait_ms = (int)(next->not_before - now);
			return busy + 1;
		}
		start_part(u, next);
		busy += next->state == SENDING;
	}
}

static void part_done(struct s3_upload *u, struct slot *t, const struct s3_answer *a)
{
	while (u->etags.n < t->part)
		list_push(&u->etags);
	str_cut(u->etags.v[t->part - 1].text, sizeof(u->etags.v[0].text), a->http.etag);
	t->state = FREE;
	pthread_cond_broadcast(&u->changed);
}

static void part_ended(struct s3_upload *u, struct slot *t)
{
	CLEANUP(s3_answer_done) struct s3_answer a = {0};
	struct err e;
	enum s3_verdict v = s3_end(u->s3, &t->call, t->req, &a, &e);

	t->req = NULL;
	t->state = SEALED;
	if (v == S3_OK && a.http.etag[0]) {
		part_done(u, t, &a);
	} else if (v == S3_OK) {
		err_fill(&e, ERR_STORAGE, 0, "write a part of \"%s\": %s gave no ETag", u->key, u->s3->host);
		fail_all(u, &e);
	} else if (v == S3_FAILED) {
		fail_all(u, &e);
	} else if (v == S3_AGAIN && ++t->tried >= u->s3->tries) {
		err_prefix(&e, "tried %u times", t->tried);
		fail_all(u, &e);
	} else if (v == S3_AGAIN) {
		t->not_before = clock_mono_ms() + s3_backoff_ms(u->s3, t->tried - 1, a.http.retry_after_s);
	}
}

static void *send_parts(void *ctx)
{
	struct s3_upload *u = ctx;

	pthread_mutex_lock(&u->lock);
	for (;;) {
		struct http_req *ended = NULL;
		int wait_ms, got;
		unsigned left = start_ready(u, &wait_ms);
		struct err e;

		if (u->failed || u->cancel || (u->closing && left == 0))
			break;
		pthread_mutex_unlock(&u->lock);
		got = http_wait(u->s3->http, wait_ms, &ended, &e);
		pthread_mutex_lock(&u->lock);
		if (got < 0)
			fail_all(u, &e);
		for (size_t i = 0; got > 0 && i < u->n_slots; i++)
			if (u->slots[i].state == SENDING && u->slots[i].req == ended)
				part_ended(u, &u->slots[i]);
	}
	for (size_t i = 0; i < u->n_slots; i++)
		if (u->slots[i].state == SENDING) {
			http_cancel(u->s3->http, u->slots[i].req);
			u->slots[i].state = SEALED;
		}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

static int start_sender(struct s3_upload *u, struct err *e)
{
	int code = pthread_create(&u->thread, NULL, send_parts, u);

	if (code) {
		errno = code;
		return err_sys(e, ERR_INTERNAL, "start a thread for \"%s\"", u->key);
	}
	u->running = true;
	return 0;
}

/* closing: once all parts are sent; else at once. */
static void end_sender(struct s3_upload *u, bool closing)
{
	if (!u->running)
		return;
	pthread_mutex_lock(&u->lock);
	u->closing |= closing;
	u->cancel |= !closing;
	pthread_mutex_unlock(&u->lock);
	http_wake(u->s3->http);
	pthread_join(u->thread, NULL);
	u->running = false;
}

/* ---- filling */

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
			return start_sender(u, e);
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

/* Close the slot that is full (or the last) and hand it to the sender. */
static void seal(struct s3_upload *u)
{
	struct slot *t = u->filling;
	uint8_t digest[SHA256_LEN];

	sha256_end(u->digest, digest);
	hex_encode(t->sha256, digest, sizeof(digest));
	pthread_mutex_lock(&u->lock);
	t->part = ++u->parts;
	t->tried = 0;
	t->not_before = 0;
	t->state = SEALED;
	pthread_mutex_unlock(&u->lock);
	u->filling = NULL;
	if (u->running)
		http_wake(u->s3->http);
}

static struct slot *find_free(struct s3_upload *u)
{
	for (size_t i = 0; i < u->n_slots; i++)
		if (u->slots[i].state == FREE)
			return &u->slots[i];
	return NULL;
}

/* Wait for a free slot; -1 when the sender failed or stop says so. */
static int wait_for_slot(struct s3_upload *u, struct slot **ret, struct err *e)
{
	struct slot *t;
	bool stopped = false, failed;

	pthread_mutex_lock(&u->lock);
	while (!(t = find_free(u)) && !u->failed && !stopped) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAIT_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&u->changed, &u->lock, &until);
		stopped = u->s3->stop && u->s3->stop();
	}
	failed = u->failed;
	if (failed)
		*e = u->why;
	else if (t)
		t->state = FILLING;
	pthread_mutex_unlock(&u->lock);
	if (failed)
		return -1;
	if (!t)
		return err_set(e, ERR_ABORTED, "write \"%s\" was stopped", u->key);
	*ret = t;
	return 0;
}

static int next_slot(struct s3_upload *u, struct err *e)
{
	struct slot *t = NULL;

	if (u->parts >= PARTS_MAX)
		return err_set(e, ERR_LIMIT, "\"%s\" needs more than %d parts of %llu bytes", u->key, PARTS_MAX,
			       (unsigned long long)u->part_size);
	if (wait_for_slot(u, &t, e))
		return -1;
	u->filling = t;
	t->len = 0;
	if (t->in_spool)
		return u->spool >= 0 ? 0 : open_spool(u, e);
	if (!t->mem)
		t->mem = xmalloc((size_t)u->part_size);
	return 0;
}

static int fill(struct s3_upload *u, const char *p, size_t n, struct err *e)
{
	struct slot *t = u->filling;

	sha256_add(u->digest, p, n);
	if (!t->in_spool) {
		memcpy(t->mem + t->len, p, n);
		t->len += n;
		return 0;
	}
	while (n > 0) {
		ssize_t got = pwrite(u->spool, p, n, (off_t)(t->at + t->len));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, ERR_IO, "write to the spool file of \"%s\"", u->key);
		t->len += (uint64_t)got;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

int s3_upload_write(void *up, const void *p, size_t n, struct err *e)
{
	struct s3_upload *u = up;
	const char *at = p;

	while (n > 0) {
		uint64_t left;

		/* one byte more than a part: only now it is certain that there are several */
		if (u->filling && u->filling->len == u->part_size) {
			seal(u);
			if (!u->upload_id && begin_multipart(u, e))
				return -1;
		}
		if (!u->filling && next_slot(u, e))
			return -1;
		left = u->part_size - u->filling->len;
		if (left > n)
			left = n;
		if (fill(u, at, (size_t)left, e))
			return -1;
		u->size += left;
		at += left;
		n -= (size_t)left;
	}
	return 0;
}

/* ---- the end */

static int put_single(struct s3_upload *u, struct err *e)
{
	CLEANUP(s3_answer_done) struct s3_answer a = {0};
	struct slot *t = u->filling;
	struct s3_call c = {.what = "write", .method = "PUT", .key = u->key, .has_body = true};

	if (u->s3->storage_class[0])
		c.headers[0] = (struct sigv4_pair){"x-amz-storage-class", u->s3->storage_class};
	if (t) {
		seal(u);
		t->call = c;
		point_at_body(u, t);
		c = t->call;
	}
	if (s3_do(u->s3, &c, &a, e)) {
		/* refused is not there; where the answer was lost it may be */
		u->visible = e->kind == ERR_NET || e->kind == ERR_STORAGE || e->kind == ERR_ABORTED;
		return -1;
	}
	u->visible = true;
	return 0;
}

static int complete_body(const struct s3_upload *u, struct buf *b, struct err *e)
{
	buf_init(b, COMPLETE_MAX);
	buf_adds(b, "<CompleteMultipartUpload>");
	for (size_t i = 0; i < u->etags.n; i++) {
		buf_addf(b, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
		for (const char *p = u->etags.v[i].text; *p; p++) {
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
	return buf_check(b, "the list of parts", e);
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

	if (complete_body(u, &body, e))
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

/* Wait for all parts. The sender gives up by itself on an error; a stop is seen here. */
static int drain(struct s3_upload *u, struct err *e)
{
	while (u->s3->stop) {
		bool busy = false;

		pthread_mutex_lock(&u->lock);
		for (size_t i = 0; i < u->n_slots; i++)
			busy |= u->slots[i].state == SEALED || u->slots[i].state == SENDING;
		busy &= !u->failed;
		pthread_mutex_unlock(&u->lock);
		if (!busy)
			break;
		if (u->s3->stop())
			return err_set(e, ERR_ABORTED, "write \"%s\" was stopped", u->key);
		clock_sleep_ms(WAIT_MS / 10);
	}
	end_sender(u, true);
	if (u->failed) {
		*e = u->why;
		return -1;
	}
	return 0;
}

int s3_upload_finish(void *up, struct err *e)
{
	struct s3_upload *u = up;

	if (!u->upload_id)
		return put_single(u, e);
	if (u->filling)
		seal(u);
	if (drain(u, e) || complete(u, e))
		return -1;
	sweep_own(u);
	return 0;
}

void s3_upload_abort(void *up)
{
	struct s3_upload *u = up;
	struct err unused;

	end_sender(u, false);
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

/* ---- sweeping */

struct marker {
	char *key, *upload;
};

static void marker_done(struct marker *m)
{
	free(m->key);
	free(m->upload);
}

static int sweep_page(struct s3 *s, const struct s3_sweep *what, const struct xml_reply *page, unsigned *swept,
		      struct err *e)
{
	for (size_t i = 0; i < page->items.n; i++) {
		const struct xml_item *it = &page->items.v[i];
		struct s3_call c = {.what = "abort", .method = "DELETE", .key = it->key,
				    .query = {{"uploadId", it->upload_id}}};
		CLEANUP(s3_answer_done) struct s3_answer a = {0};

		if (str_empty(it->upload_id) || it->initiated > what->older_than_ms ||
		    !(what->exact ? str_eq(it->key, what->prefix) : str_starts(it->key, what->prefix)))
			continue;
		if (s3_do(s, &c, &a, e)) {
			if (a.http.status == 404)
				continue; /* somebody else was faster */
			return -1;
		}
		++*swept;
	}
	return 0;
}

int s3_sweep_uploads(struct s3 *s, const struct s3_sweep *what, unsigned *swept, struct err *e)
{
	CLEANUP(marker_done) struct marker at = {0};
	bool more = true;

	*swept = 0;
	while (more) {
		struct s3_call c = {.what = "list uploads of", .method = "GET", .max_reply = 8 << 20,
				    .query = {{"uploads", ""}, {"prefix", what->prefix}, {"encoding-type", "url"},
					      {"max-uploads", "1000"}}};
		CLEANUP(s3_answer_done) struct s3_answer a = {0};

		if (at.key) {
			c.query[4] = (struct sigv4_pair){"key-marker", at.key};
			c.query[5] = (struct sigv4_pair){"upload-id-marker", str_or(at.upload, "")};
		}
		if (s3_do(s, &c, &a, e) || sweep_page(s, what, &a.xml, swept, e))
			return -1;
		more = a.xml.truncated && !str_empty(a.xml.next_key) &&
		       !(str_eq(at.key, a.xml.next_key) && str_eq(at.upload, a.xml.next_upload));
		marker_done(&at);
		at = (struct marker){TAKE(a.xml.next_key), TAKE(a.xml.next_upload)};
	}
	return 0;
}
