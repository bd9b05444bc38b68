/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/tbl_once.h"
#include "masterd/vault.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

struct once_call {
	struct job job;           /* first */
	int64_t now;
	struct once o;            /* ours; what was found when the key is known */
	bool known, kept;
	req_fn *handler;
};

void once_free(struct once_call *c)
{
	if (!c)
		return;
	free(c->o.sealed);
	free(c);
}

static void label(char ret[static 256], const struct once *o)
{
	snprintf(ret, 256, "once %s %s", o->owner, o->key);
}

/* ---- before */

static int begin(struct job *j, struct db *db, struct err *e)
{
	struct once_call *c = (struct once_call *)j;
	struct once found;

	c->known = false;
	if (tbl_once_get(db, c->o.owner, c->o.key, &found, e)) {
		if (e->kind != ERR_NOTFOUND)
			return -1;
	} else if (found.at >= c->now - (found.done ? ONCE_MS : ONCE_STALE_MS)) {
		if (!hash_equal(found.digest, c->o.digest, SHA256_LEN)) {
			free(found.sealed);
			return err_set(e, ERR_INVALID, "Idempotency-Key: it stood for another request: take a new key");
		}
		if (!found.done)
			return err_set(e, ERR_CONFLICT, "Idempotency-Key: the first request with this key is still running");
		c->o = found;
		c->known = true;
		return 0;
	} else {
		free(found.sealed);
	}
	return tbl_once_trim(db, c->o.owner, ONCE_KEPT - 1, e) || tbl_once_put(db, &c->o, e) ? -1 : 0;
}

/* The answer of then once more. */
static enum verdict replay(struct req *r, const struct once_call *c)
{
	CLEANUP(freep) char *text = NULL;
	char name[256];
	struct err e;
	size_t n;

	r->replayed = true;
	if (!c->o.sealed)
		return reply_problem(r, 409, "Idempotency-Key: this request was made and answered %d; the answer was too "
				     "large to be kept", c->o.status);
	label(name, &c->o);
	if (vault_open(&text, &n, r->m->config->jwt_secret, name, c->o.sealed, &e))
		return reply_err(r, &e);
	reply_json(r, c->o.status);
	r->problem = c->o.status >= 400;
	buf_add(&r->out, text, n);
	mem_wipe(text, n);
	return REPLY;
}

static enum verdict begun(struct req *r)
{
	struct once_call *c = r->once;
	enum verdict v;

	if (c->job.rc) {
		c->kept = true; /* the key is not ours */
		if (c->job.err.kind == ERR_CONFLICT)
			r->retry_after_s = 1;
		return reply_err(r, &c->job.err);
	}
	c->kept = c->known;
	if (c->known)
		return replay(r, c);
	v = c->handler(r);
	return v == REPLY ? once_keep(r) : v;
}

static bool is_key(const char *key)
{
	size_t n = strlen(key);

	if (!n || n >= ONCE_KEY)
		return false;
	for (const char *p = key; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return true;
}

/* With a NUL in between, so that the one cannot run into the other. */
static void digest_of(struct once *o, const struct req *r, const char *what)
{
	struct buf b;

	buf_init(&b, BODY_MAX + 8192);
	buf_add(&b, what, strlen(what) + 1);
	buf_add(&b, r->body, r->body_len);
	sha256(o->digest, b.p, b.len);
	mem_wipe(b.p, b.len);
	buf_done(&b);
}

enum verdict once_run(struct req *r, const char *key, const char *what, req_fn *handler)
{
	struct once_call *c;
	struct err e;

	if (!is_key(key))
		return reply_problem(r, 422, "Idempotency-Key: takes 1 to %d visible ASCII characters", ONCE_KEY - 1);
	c = xcalloc(1, sizeof(*c));
	r->once = c;
	c->now = r->now;
	c->handler = handler;
	c->o.at = r->now;
	snprintf(c->o.owner, sizeof(c->o.owner), "%lld %s", (long long)r->who.user_id, r->who.name);
	str_cut(c->o.key, sizeof(c->o.key), key);
	digest_of(&c->o, r, what);
	c->job.run = begin;
	c->job.ticket = &r->ticket;
	r->then = begun;
	if (!writer_put(r->m->writer, &c->job, &e))
		return LATER;
	c->kept = true;
	return reply_err(r, &e);
}

/* ---- after */

static int keep(struct job *j, struct db *db, struct err *e)
{
	const struct once_call *c = (const struct once_call *)j;

	return tbl_once_put(db, &c->o, e);
}

static int forget(struct job *j, struct db *db, struct err *e)
{
	const struct once_call *c = (const struct once_call *)j;

	return tbl_once_drop(db, c->o.owner, c->o.key, e);
}

static enum verdict stored(struct req *r)
{
	if (r->once->job.rc)
		log_warn("an answer is not kept for its Idempotency-Key: %s", r->once->job.err.msg);
	return REPLY;
}

enum verdict once_keep(struct req *r)
{
	struct once_call *c = r->once;
	char name[256];
	struct err e;

	if (!c || c->kept)
		return REPLY;
	c->kept = true;
	c->o.done = true;
	c->o.status = r->status;
	c->job.run = r->status >= 500 || r->status == 429 ? forget : keep;
	if (c->job.run == keep && r->out.len < VAULT_MAX) {
		label(name, &c->o);
		c->o.sealed = vault_seal(r->m->config->jwt_secret, name, r->out.len ? r->out.p : "", r->out.len);
	}
	r->then = stored;
	if (!writer_put(r->m->writer, &c->job, &e))
		return LATER;
	log_warn("an answer is not kept for its Idempotency-Key: %s", e.msg);
	return REPLY;
}

/* ---- now and then */

static int expire(struct job *j, struct db *db, struct err *e)
{
	const struct once_call *c = (const struct once_call *)j;

	return tbl_once_expire(db, c->now - ONCE_MS, e);
}

static void drop(struct job *j)
{
	once_free((struct once_call *)j);
}

void once_expire(struct master *m, int64_t now)
{
	struct once_call *c = xcalloc(1, sizeof(*c));
	struct err e;

	c->now = now;
	c->job.run = expire;
	c->job.drop = drop;
	if (writer_put(m->writer, &c->job, &e))
		once_free(c);
}
