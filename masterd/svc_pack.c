/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_pack.h"

#include <stdlib.h>

#include "masterd/svc_history.h"
#include "masterd/tbl_sample.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum {
	PASS_MS = 600000, AGAIN_MS = 60000, EXPIRE_MS = 3600000, TICK_MS = 200,
	NODES_MIN = 4, NODES_MAX = 32, /* a job */
	ROWS = 500,                    /* of the journal, deleted by a job */
};

/* What a pass goes through. The days come first: blocks that were packed before
 * their day had a place of its own would have to be moved there, and who reads
 * just then would not find them (on PostgreSQL a plan knows the pieces that there
 * were when it was made). */
enum phase { RESTS, DAYS, PACKS, EXPIRES, DELETES };

struct packer {
	struct master *m;
	atomic_bool busy;         /* a job is under way: all below is its */
	bool failed;              /* it went wrong */
	enum phase phase;
	int64_t next, next_expire; /* monotonic ms */
	int64_t began, cursor;    /* cursor: node up to which the phase came */
	size_t per_job;
	bool last;                /* the phase has met the last node */
	struct journal_ids ends;  /* rows that were there when the pass began; those left to delete */
	struct pack_job *job;
};

struct pack_job {
	struct job job;           /* first */
	struct packer *p;
	int64_t now;
	int64_t ids[NODES_MAX];
	uint32_t upto[NODES_MAX];
	size_t n;
	bool more;
};

struct packer *packer_new(struct master *m)
{
	struct packer *p = xcalloc(1, sizeof(*p));

	p->m = m;
	p->job = xcalloc(1, sizeof(*p->job));
	return p;
}

void packer_free(struct packer *p)
{
	if (!p)
		return;
	list_done(&p->ends);
	free(p->job);
	free(p);
}

/* ---- on the writer's thread */

static int run_pack(struct job *job, struct db *db, struct err *e)
{
	struct pack_job *v = (struct pack_job *)job;

	for (size_t i = 0; i < v->n; i++)
		if (history_pack_node(v->p->m, db, v->ids[i], &v->upto[i], e))
			return -1;
	return 0;
}

static void packed(struct job *job)
{
	struct pack_job *v = (struct pack_job *)job;

	for (size_t i = 0; i < v->n; i++)
		hot_packed(v->p->m->hot, v->ids[i], v->upto[i]);
}

static int expire(struct pack_job *v, struct db *db, int64_t node, struct err *e)
{
	for (int r = RES_RAW; r < RESOLUTIONS; r++) {
		struct block_key k = {.res = (enum resolution)r, .node_id = node};

		k.start = v->now - history_keeps(v->p->m, k.res) - resolution_span(k.res) + 1;
		if (tbl_block_expire(db, &k, e))
			return -1;
	}
	return 0;
}

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	struct pack_job *v = (struct pack_job *)job;

	for (size_t i = 0; i < v->n; i++)
		if (expire(v, db, v->ids[i], e))
			return -1;
	return 0;
}

static int run_days(struct job *job, struct db *db, struct err *e)
{
	struct pack_job *v = (struct pack_job *)job;

	for (int r = RES_RAW; r < RESOLUTIONS; r++)
		if (tbl_block_days(db, (enum resolution)r, v->now,
				   v->now - history_keeps(v->p->m, (enum resolution)r), e))
			return -1;
	return 0;
}

static int run_delete(struct job *job, struct db *db, struct err *e)
{
	struct pack_job *v = (struct pack_job *)job;

	return tbl_journal_delete(db, &v->p->ends.v[v->p->ends.n - 1], ROWS, &v->more, e);
}

static void drop(struct job *job)
{
	struct pack_job *v = (struct pack_job *)job;
	struct packer *p = v->p;

	p->failed = job->rc != 0;
	if (!p->failed && p->phase == DELETES && !v->more)
		p->ends.n--;
	atomic_store(&p->busy, false);
}

/* ---- on the main thread */

static void queue(struct packer *p, int64_t now, int (*run)(struct job *j, struct db *db, struct err *e))
{
	struct pack_job *v = p->job;
	struct err e;

	v->p = p;
	v->now = now;
	v->job = (struct job){.run = run, .committed = run == run_pack ? packed : NULL, .drop = drop};
	atomic_store(&p->busy, true);
	if (!writer_put(p->m->writer, &v->job, &e))
		return;
	p->failed = true;
	atomic_store(&p->busy, false);
}

static void enter(struct packer *p, enum phase phase)
{
	p->phase = phase;
	p->cursor = 0;
	p->last = false;
}

static void begin(struct packer *p)
{
	struct hot_size size;

	p->began = clock_mono_ms();
	p->ends.n = 0;
	hot_ends(p->m->hot, &p->ends);
	/* in half of the time that there is */
	hot_size(p->m->hot, &size);
	p->per_job = (size_t)size.nodes / (PASS_MS / 2 / TICK_MS) + NODES_MIN;
	p->per_job = p->per_job < NODES_MAX ? p->per_job : NODES_MAX;
	enter(p, DAYS);
}

static void pack_some(struct packer *p, int64_t now)
{
	struct pack_job *v = p->job;

	v->n = hot_nodes(p->m->hot, p->cursor, v->ids, p->per_job);
	if (v->n) {
		p->cursor = v->ids[v->n - 1];
		queue(p, now, run_pack);
	} else if (clock_mono_ms() >= p->next_expire) {
		p->next_expire = clock_mono_ms() + EXPIRE_MS;
		enter(p, EXPIRES);
	} else {
		enter(p, DELETES);
	}
}

static void expire_some(struct packer *p, int64_t now)
{
	struct pack_job *v = p->job;

	v->n = p->last ? 0 : live_ids(p->m->live, &p->cursor, v->ids, NODES_MAX);
	p->last = !p->cursor;
	if (v->n)
		queue(p, now, run_expire);
	else
		enter(p, DELETES);
}

static void delete_some(struct packer *p, int64_t now)
{
	if (p->ends.n) {
		queue(p, now, run_delete);
		return;
	}
	log_debug("samples packed in %lld ms", (long long)(clock_mono_ms() - p->began));
	p->next = p->began + PASS_MS;
	enter(p, RESTS);
}

void packer_tick(struct master *m, int64_t now)
{
	struct packer *p = m->packer;

	if (atomic_load(&p->busy))
		return;
	if (p->failed) {
		/* the writer has told why */
		p->failed = false;
		p->next = clock_mono_ms() + AGAIN_MS;
		enter(p, RESTS);
	}
	switch (p->phase) {
	case DAYS:
		enter(p, PACKS);
		queue(p, now, run_days);
		break;
	case PACKS: pack_some(p, now); break;
	case EXPIRES: expire_some(p, now); break;
	case DELETES: delete_some(p, now); break;
	case RESTS:
		if (clock_mono_ms() >= p->next)
			begin(p);
		break;
	}
}
