/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/archive/frames.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "shared/list.h"
#include "shared/mem.h"

enum {
	WINDOW = 4,             /* frames, between two looks at the level */
	TUNED_LEVEL = 3,
	TUNED_CHAIN = 15,       /* zstd's own is 16 */
};

/* One buffer on its way round: filled by the caller, compressed by a worker, put
 * out by the caller. The ring is always emptied in the order it was filled. */
enum slot_state { SLOT_FREE, SLOT_QUEUED, SLOT_BUSY, SLOT_DONE };
struct slot {
	enum slot_state state;
	char *raw, *stored;
	size_t n, stored_n;
	int level;
	const char *failed; /* zstd's text, else NULL */
};

struct frames {
	frames_out_fn *out;
	void *ctx;
	int level;              /* of the frames that come */
	int highest, lowest;    /* as configured; of any frame so far */
	bool adaptive;
	unsigned outs, waits, idles; /* frames put out since the last decision; see adapt */
	struct slot *slots;
	unsigned n_slots, n_threads;
	pthread_t *threads;
	pthread_mutex_t lock;
	pthread_cond_t queued, done;
	uint64_t head, next, tail;      /* to fill, to compress, to put out: ever growing */
	bool stop;
	struct { LIST_OF(struct frame_size); } table;
	atomic_uint_fast64_t stored;
};

/* The two tables of level 3 take 768 KiB, which drives the frame itself out of a core's cache. With the
 * second of half its size SQL needs about a tenth less time and 1 % fewer bytes, files up to 0.4 % more bytes. */
static bool set_level(ZSTD_CCtx *c, int level)
{
	return !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_chainLog, level == TUNED_LEVEL ? TUNED_CHAIN : 0));
}

static ZSTD_CCtx *cctx_new(int level)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	if (!c)
		return NULL;
	if (!set_level(c, level) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1))) {
		ZSTD_freeCCtx(c);
		return NULL;
	}
	return c;
}

static void compress_slot(ZSTD_CCtx *c, struct slot *s, int *level)
{
	size_t n;

	if (c && *level != s->level && !set_level(c, s->level)) {
		s->failed = "a level that zstd does not know";
		return;
	}
	*level = s->level;
	n = c ? ZSTD_compress2(c, s->stored, ZSTD_compressBound(FRAME_RAW), s->raw, s->n) : 0;

	s->failed = !c ? "out of memory" : ZSTD_isError(n) ? ZSTD_getErrorName(n) : NULL;
	s->stored_n = s->failed ? 0 : n;
}

static void *worker(void *p)
{
	struct frames *f = p;
	int level = f->highest;
	ZSTD_CCtx *c = cctx_new(level);

	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct slot *s;

		while (!f->stop && f->next == f->head)
			pthread_cond_wait(&f->queued, &f->lock);
		if (f->stop)
			break;
		s = &f->slots[f->next++ % f->n_slots];
		s->state = SLOT_BUSY;
		pthread_mutex_unlock(&f->lock);
		compress_slot(c, s, &level);
		pthread_mutex_lock(&f->lock);
		s->state = SLOT_DONE;
		pthread_cond_signal(&f->done);
	}
	pthread_mutex_unlock(&f->lock);
	ZSTD_freeCCtx(c);
	return NULL;
}

/* Workers leave every signal to the main thread. */
static int start_threads(struct frames *f, unsigned threads, struct err *e)
{
	sigset_t all, old;
	int failed = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; !failed && f->n_threads < threads; f->n_threads += !failed)
		failed = pthread_create(&f->threads[f->n_threads], NULL, worker, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed)
		return err_set(e, ERR_IO, "start a compression thread: %s", strerror(failed));
	return 0;
}

int frames_new(struct frames **ret, const struct frames_opts *o, struct err *e)
{
	struct frames *f;

	if (o->threads < 1 || o->threads > 64)
		return err_set(e, ERR_CONFIG, "compression with %u threads: 1 to 64 are possible", o->threads);
	if (o->level < 1 || o->level > ZSTD_maxCLevel())
		return err_set(e, ERR_CONFIG, "compression level %d: 1 to %d are possible", o->level, ZSTD_maxCLevel());
	f = xcalloc(1, sizeof(*f));
	f->out = o->out;
	f->ctx = o->ctx;
	f->level = f->highest = f->lowest = o->level;
	f->adaptive = o->adaptive;
	f->n_slots = o->threads + 2;
	f->slots = xcalloc(f->n_slots, sizeof(*f->slots));
	f->threads = xcalloc(o->threads, sizeof(*f->threads));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->queued, NULL);
	pthread_cond_init(&f->done, NULL);
	if (start_threads(f, o->threads, e)) {
		frames_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->queued);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->n_threads; i++)
		pthread_join(f->threads[i], NULL);
	for (unsigned i = 0; i < f->n_slots; i++) {
		free(f->slots[i].raw);
		free(f->slots[i].stored);
	}
	pthread_cond_destroy(&f->queued);
	pthread_cond_destroy(&f->done);
	pthread_mutex_destroy(&f->lock);
	list_done(&f->table);
	free(f->slots);
	free(f->threads);
	free(f);
}

static int put_out(struct frames *f, const void *p, size_t n, struct err *e)
{
	if (f->out(f->ctx, p, n, e))
		return -1;
	atomic_fetch_add(&f->stored, n);
	return 0;
}

static bool nothing_at_work(struct frames *f)
{
	bool any = false;

	pthread_mutex_lock(&f->lock);
	for (unsigned i = 0; i < f->n_slots; i++)
		any = any || f->slots[i].state == SLOT_QUEUED || f->slots[i].state == SLOT_BUSY;
	pthread_mutex_unlock(&f->lock);
	return !any;
}

/* After each frame that is out. Idle: compression had come to the end of its queue
 * meanwhile, so it has time to spare, be it that the output is slow or the source.
 * Waited for again and again and never idle, it is what holds everything up. */
static void adapt(struct frames *f, bool waited, bool idle)
{
	f->waits += waited;
	f->idles += idle;
	if (!f->adaptive || ++f->outs < WINDOW)
		return;
	if (f->idles >= WINDOW - WINDOW / 4 && f->level < f->highest)
		f->level++;
	else if (f->idles <= WINDOW / 4 && f->waits > WINDOW / 4 && f->level > 1)
		f->level--;
	if (f->level < f->lowest)
		f->lowest = f->level;
	f->outs = f->waits = f->idles = 0;
}

/* Put out finished frames in order until at most `keep` are under way; without
 * waiting once there are no more than that. */
static int put_out_done(struct frames *f, uint64_t keep, struct err *e)
{
	while (f->tail < f->head) {
		struct slot *s = &f->slots[f->tail % f->n_slots];
		bool done, waited = false;

		pthread_mutex_lock(&f->lock);
		while (s->state != SLOT_DONE && f->head - f->tail > keep) {
			waited = true;
			pthread_cond_wait(&f->done, &f->lock);
		}
		done = s->state == SLOT_DONE;
		pthread_mutex_unlock(&f->lock);
		if (!done)
			return 0;
		if (s->failed)
			return err_set(e, ERR_INTERNAL, "compress: %s", s->failed);
		*list_push(&f->table) = (struct frame_size){(uint32_t)s->stored_n, (uint32_t)s->n};
		f->tail++;
		s->state = SLOT_FREE;
		if (put_out(f, s->stored, s->stored_n, e))
			return -1;
		adapt(f, waited, nothing_at_work(f));
	}
	return 0;
}

int frames_room(struct frames *f, char **ret, struct err *e)
{
	struct slot *s = &f->slots[f->head % f->n_slots];

	if (put_out_done(f, f->n_slots - 1, e))
		return -1;
	if (!s->raw) {
		s->raw = xmalloc(FRAME_RAW);
		s->stored = xmalloc(ZSTD_compressBound(FRAME_RAW));
	}
	*ret = s->raw;
	return 0;
}

int frames_lowest(const struct frames *f)
{
	return f->lowest;
}

int frames_put(struct frames *f, size_t n, struct err *e)
{
	struct slot *s = &f->slots[f->head % f->n_slots];

	s->level = f->level;
	pthread_mutex_lock(&f->lock);
	s->n = n;
	s->state = SLOT_QUEUED;
	f->head++;
	pthread_cond_signal(&f->queued);
	pthread_mutex_unlock(&f->lock);
	return put_out_done(f, f->n_slots, e);
}

int frames_flush(struct frames *f, struct err *e)
{
	return put_out_done(f, 0, e);
}

const struct frame_size *frames_table(const struct frames *f, size_t *n)
{
	*n = f->table.n;
	return f->table.v;
}

uint64_t frames_stored(const struct frames *f)
{
	return atomic_load(&f->stored);
}

/* ---- the seek table */

#define SKIPPABLE UINT32_C(0x184D2A5E)
#define SEEKABLE  UINT32_C(0x8F92EAB1)

static void put_le32(struct buf *b, uint32_t v)
{
	uint8_t p[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

	buf_add(b, p, sizeof(p));
}

static uint32_t get_le32(const void *at)
{
	const uint8_t *p = at;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int frames_seek_table(struct frames *f, struct err *e)
{
	struct buf b;
	int failed;

	if (f->table.n > SEEK_FRAMES_MAX)
		return err_set(e, ERR_LIMIT, "an archive of more than %d frames", SEEK_FRAMES_MAX);
	buf_init(&b, SIZE_MAX / 2);
	put_le32(&b, SKIPPABLE);
	put_le32(&b, (uint32_t)(f->table.n * 8 + SEEK_FOOTER));
	for (size_t i = 0; i < f->table.n; i++) {
		put_le32(&b, f->table.v[i].stored);
		put_le32(&b, f->table.v[i].raw);
	}
	put_le32(&b, (uint32_t)f->table.n);
	buf_addc(&b, 0);
	put_le32(&b, SEEKABLE);
	failed = put_out(f, b.p, b.len, e);
	buf_done(&b);
	return failed;
}

int seek_table_size(uint64_t *ret, const void *footer, struct err *e)
{
	const char *p = footer;
	uint32_t n = get_le32(p);

	if (get_le32(p + 5) != SEEKABLE || p[4] != 0 || n > SEEK_FRAMES_MAX)
		return err_set(e, ERR_DAMAGED, "no seek table at the end: cut short, or not a felloe archive");
	*ret = 8 + (uint64_t)n * 8 + SEEK_FOOTER;
	return 0;
}

int seek_table_read(struct frame_size **ret, size_t *frames, const void *p, size_t n, struct err *e)
{
	const char *at = p;
	struct frame_size *v;
	uint64_t size;

	if (n < 8 + SEEK_FOOTER || seek_table_size(&size, at + n - SEEK_FOOTER, e) || size != n ||
	    get_le32(at) != SKIPPABLE || get_le32(at + 4) != n - 8)
		return err_set(e, ERR_DAMAGED, "the seek table is damaged");
	*frames = (n - 8 - SEEK_FOOTER) / 8;
	v = xcalloc(*frames + 1, sizeof(*v));
	for (size_t i = 0; i < *frames; i++)
		v[i] = (struct frame_size){get_le32(at + 8 + i * 8), get_le32(at + 12 + i * 8)};
	*ret = v;
	return 0;
}

/* ---- single frames */

int frame_compress(struct buf *b, int level, const void *p, size_t n, struct err *e)
{
	size_t bound = ZSTD_compressBound(n), got;
	char *at = buf_room(b, bound);
	ZSTD_CCtx *c = cctx_new(level);

	if (!c || !at) {
		ZSTD_freeCCtx(c);
		return err_set(e, ERR_LIMIT, "compress %zu bytes: no room", n);
	}
	got = ZSTD_compress2(c, at, bound, p, n);
	ZSTD_freeCCtx(c);
	if (ZSTD_isError(got))
		return err_set(e, ERR_INTERNAL, "compress: %s", ZSTD_getErrorName(got));
	buf_grew(b, got);
	return 0;
}

int frame_measure(size_t *ret, const void *p, size_t n, struct err *e)
{
	size_t got;

	if (n < 4)
		return 0;
	if (get_le32(p) != ZSTD_MAGICNUMBER && (get_le32(p) & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START)
		return err_set(e, ERR_DAMAGED, "no zstd frame where one must begin");
	got = ZSTD_findFrameCompressedSize(p, n);
	if (!ZSTD_isError(got)) {
		*ret = got;
		return 1;
	}
	/* a frame as large as any that a reader accepts is all there: what fails now is damage */
	if (n > ZSTD_compressBound(FRAME_RAW_MAX))
		return err_set(e, ERR_DAMAGED, "a zstd frame without an end");
	return 0;
}

int frame_decompress(struct buf *b, const void *p, size_t n, struct err *e)
{
	unsigned long long size;
	size_t got;
	char *at;

	buf_reset(b);
	if (n >= 8 && (get_le32(p) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START)
		return get_le32((const char *)p + 4) == n - 8 ? 0 : err_set(e, ERR_DAMAGED, "a broken skippable frame");
	size = ZSTD_getFrameContentSize(p, n);
	if (size > FRAME_RAW_MAX) /* also: not known, no frame */
		return err_set(e, ERR_DAMAGED, "not a zstd frame of at most %d MiB", FRAME_RAW_MAX >> 20);
	if (ZSTD_findFrameCompressedSize(p, n) != n)
		return err_set(e, ERR_DAMAGED, "a zstd frame of another length");
	at = buf_room(b, (size_t)size);
	if (!at)
		return err_set(e, ERR_LIMIT, "a frame of %llu bytes", size);
	got = ZSTD_decompress(at, (size_t)size, p, n);
	if (ZSTD_isError(got))
		return err_set(e, ERR_DAMAGED, "%s", ZSTD_getErrorName(got));
	buf_grew(b, got);
	return 0;
}
