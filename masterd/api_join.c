/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/api_join.h"

#include <stdlib.h>
#include <string.h>

#include "masterd/api.h"
#include "masterd/svc_enrol.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FACTS_MAX = 64 * 1024, POLL_AFTER_S = 2, WAIT_MAX_S = 25 };

static struct enrol *begin(struct req *r)
{
	struct enrol *v = xcalloc(1, sizeof(*v));

	v->m = r->m;
	v->now = r->now;
	v->job.ticket = &r->ticket;
	str_cut(v->by, sizeof(v->by), r->who.name);
	v->actor = actor_of(r);
	v->scope = r->who.scope;
	r->state = v;
	r->state_free = enrol_free;
	return v;
}

struct enrol *api_enrol_node(struct req *r)
{
	struct enrol *v;
	int64_t id;

	if (!api_node_id(r, &id))
		return NULL;
	v = begin(r);
	v->node.id = id;
	return v;
}

enum verdict api_enrol_started(struct req *r, int rc, const struct err *e, req_fn *then)
{
	r->then = then;
	return rc ? reply_err(r, e) : LATER;
}

/* ---- join-request */

/* n bytes in base64 (also base64url without padding, or hex). */
static bool want_bytes(const struct json *j, const char *key, bool required, uint8_t *out, size_t n, struct problems *p)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	const char *v;
	size_t got;

	if (!json_want_str(j, "", key, required, &v, p))
		return false;
	if (strlen(v) == 2 * n && !hex_decode(out, n, v))
		return true;
	if ((base64_decode(&bytes, &got, v) && base64url_decode(&bytes, &got, v, strlen(v))) || got != n) {
		problems_add(p, key, "must be %zu bytes in base64", n);
		return false;
	}
	memcpy(out, bytes, n);
	return true;
}

static const struct {
	const char *key;
	enum json_type type; /* JSON_NONE: any */
} facts[] = {
	{"system_info", JSON_NONE}, {"agent_version", JSON_STRING}, {"os", JSON_STRING}, {"cores", JSON_NUMBER},
	{"memory_bytes", JSON_NUMBER}, {"sites", JSON_ARRAY}, {"timers", JSON_ARRAY}, {"storages", JSON_ARRAY},
	{"clock", JSON_STRING}, {"asked_by", JSON_STRING}, {"checks", JSON_ARRAY},
};

/* What the node says about itself, kept as it came but for unknown members. */
static char *read_facts(const struct json *j, struct problems *p)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, FACTS_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const struct json *v = facts[i].type == JSON_NONE ? json_get(j, facts[i].key)
								  : json_want(j, "", facts[i].key, facts[i].type, false, p);

		if (v)
			json_put(&o, facts[i].key, v);
	}
	json_end_obj(&o);
	if (b.over)
		problems_add(p, "", "more than %d bytes of facts", FACTS_MAX);
	return buf_take(&b);
}

static void read_ask(struct enrol *v, const struct json *j, struct problems *p)
{
	bool key, commitment;
	const char *token;

	api_want_text(j, "hostname", true, v->node.hostname, sizeof(v->node.hostname), p);
	api_want_text(j, "name", false, v->node.name, sizeof(v->node.name), p);
	api_want_text(j, "ip_address", false, v->join.ip_address, sizeof(v->join.ip_address), p);
	if (!v->node.name[0])
		str_cut(v->node.name, sizeof(v->node.name), v->node.hostname);
	str_cut(v->join.hostname, sizeof(v->join.hostname), v->node.hostname);
	key = want_bytes(j, "public_key", false, v->join.public_key, sizeof(v->join.public_key), p);
	commitment = want_bytes(j, "commitment", key, v->join.commitment, sizeof(v->join.commitment), p);
	v->join.has_public_key = key && commitment;
	v->node.facts = read_facts(j, p);
	if (json_want_str(j, "", "join_token", false, &token, p) && *token) {
		v->has_token = true;
		sha256(v->key_hash, token, strlen(token));
	}
}

static enum verdict asked(struct req *r)
{
	struct enrol *v = r->state;
	CLEANUP(freep) char *nonce = NULL;
	struct json_out *o;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	o = reply_json(r, 202);
	json_obj(o, NULL);
	json_put_str(o, "request_id", v->join.request_id);
	json_put_str(o, "message", "waiting for an admin to approve");
	json_put_int(o, "poll_after_s", POLL_AFTER_S);
	if (v->join.has_public_key) {
		nonce = base64_encode(v->join.master_nonce, sizeof(v->join.master_nonce));
		json_put_str(o, "master_nonce", nonce);
	} else {
		json_put_str(o, "code", v->join.code);
	}
	json_end_obj(o);
	return REPLY;
}

enum verdict api_join_ask(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	unsigned wait = buckets_wait_s(r->m->joins, r->peer, r->now);
	struct enrol *v;
	struct err e;

	if (wait)
		return reply_busy(r, 429, wait, "too many join-requests from %s", r->peer);
	buckets_take(r->m->joins, r->peer, r->now);
	if (!req_json(r, &j))
		return REPLY;
	v = begin(r);
	read_ask(v, j, &p);
	if (p.n)
		return reply_problems(r, &p);
	str_cut(v->join.peer_address, sizeof(v->join.peer_address), r->peer);
	return api_enrol_started(r, enrol_ask(v, &e), &e, asked);
}

/* ---- reveal */

static enum verdict revealed(struct req *r)
{
	struct enrol *v = r->state;
	struct json_out *o;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	o = reply_json(r, 200);
	json_obj(o, NULL);
	json_put_str(o, "message", "compare the code on both screens");
	json_end_obj(o);
	return REPLY;
}

enum verdict api_join_reveal(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct enrol *v;
	struct err e;

	if (!req_json(r, &j))
		return REPLY;
	v = begin(r);
	if (!want_bytes(j, "nonce", true, v->nonce, sizeof(v->nonce), &p))
		return reply_problems(r, &p);
	str_cut(v->join.request_id, sizeof(v->join.request_id), r->arg);
	return api_enrol_started(r, enrol_reveal(v, &e), &e, revealed);
}

/* ---- status */

struct status {
	struct wait wait;
	struct waits *waits;
	char id[ARG_MAX_LEN];
	struct join join;
	struct node node;
};

static void status_free(void *state)
{
	struct status *s = state;

	waits_remove(s->waits, &s->wait);
	node_done(&s->node);
	mem_wipe(&s->join, sizeof(s->join));
	free(s);
}

/* The request and its node as they stand now. */
static int look(struct req *r, struct status *s, struct err *e)
{
	struct db *db = NULL;
	int rc;

	node_done(&s->node);
	memset(&s->node, 0, sizeof(s->node));
	if (db_pool_take(r->m->pool, &db, e))
		return -1;
	rc = tbl_join_get(db, s->id, &s->join, e);
	if (!rc && s->join.state != JOIN_EXPIRED)
		rc = tbl_node_get(db, s->join.node_id, &s->node, e);
	db_pool_give(r->m->pool, db);
	return rc;
}

static const char *word_of(const struct status *s)
{
	return s->join.state == JOIN_EXPIRED || s->node.state == NODE_DELETED ? "expired" : node_state_name(s->node.state);
}

static enum verdict reply_status(struct req *r, const struct status *s)
{
	struct json_out *o = reply_json(r, 200);
	bool active = str_eq(word_of(s), "active");

	json_obj(o, NULL);
	json_put_str(o, "status", word_of(s));
	if (active) {
		json_put_int(o, "id", s->node.id);
		json_put_str(o, "name", s->node.name);
	}
	if (active && s->join.sealed_len) {
		CLEANUP(freep) char *sealed = base64_encode(s->join.sealed_key, s->join.sealed_len);

		json_put_str(o, "sealed_key", sealed);
	} else if (active && s->join.clear_key[0]) {
		json_put_str(o, "api_key", s->join.clear_key);
	}
	if (str_eq(word_of(s), "blocked"))
		json_put_str(o, "reason", s->node.reason);
	json_end_obj(o);
	return REPLY;
}

static enum verdict status_changed(struct req *r)
{
	struct status *s = r->state;
	struct err e;

	return look(r, s, &e) ? reply_err(r, &e) : reply_status(r, s);
}

enum verdict api_join_status(struct req *r)
{
	struct status *s = xcalloc(1, sizeof(*s));
	int64_t wait = 0;
	struct err e;

	s->waits = r->m->waits;
	r->state = s;
	r->state_free = status_free;
	if (!req_query_int(r, "wait", 0, 3600, &wait))
		return REPLY;
	str_cut(s->id, sizeof(s->id), r->arg);
	s->wait.key = s->id;
	s->wait.ticket = &r->ticket;
	s->wait.deadline = clock_mono_ms() + 1000 * (wait > WAIT_MAX_S ? WAIT_MAX_S : wait);
	r->then = status_changed;
	if (wait)
		waits_add(r->m->waits, &s->wait);
	if (look(r, s, &e)) {
		if (!wait || waits_remove(r->m->waits, &s->wait))
			return reply_err(r, &e);
		return LATER;
	}
	if (wait && str_eq(word_of(s), "pending"))
		return LATER;
	if (wait && !waits_remove(r->m->waits, &s->wait))
		return LATER;
	return reply_status(r, s);
}

/* ---- decisions */

enum verdict api_enrol_decided(struct req *r)
{
	struct enrol *v = r->state;
	struct err e;

	if (v->job.rc)
		return reply_err(r, &v->job.err);
	log_info("%s: %s is %s", r->who.name, v->node.name, node_state_name(v->node.state));
	return live_node(r->m->live, v->node.id, reply_json(r, 200), &e) ? reply_err(r, &e) : REPLY;
}

enum verdict api_approve(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct enrol *v = api_enrol_node(r);
	struct err e;

	if (!v || !api_body(r, &j))
		return REPLY;
	api_want_text(j, "name", false, v->name, sizeof(v->name), &p);
	json_want_int(j, "", "adopt", false, 1, INT64_MAX >> 11, &v->adopt, &p);
	v->tags = api_want_tags(j, &p);
	if (p.n)
		return reply_problems(r, &p);
	return api_enrol_started(r, enrol_approve(v, &e), &e, api_enrol_decided);
}

enum verdict api_block(struct req *r)
{
	CLEANUP(problems_done) struct problems p = {0};
	CLEANUP(json_freep) struct json *j = NULL;
	struct enrol *v = api_enrol_node(r);
	struct err e;

	if (!v || !api_body(r, &j))
		return REPLY;
	api_want_text(j, "reason", false, v->reason, sizeof(v->reason), &p);
	if (p.n)
		return reply_problems(r, &p);
	return api_enrol_started(r, enrol_block(v, &e), &e, api_enrol_decided);
}

enum verdict api_unblock(struct req *r)
{
	struct enrol *v = api_enrol_node(r);
	struct err e;

	return !v ? REPLY : api_enrol_started(r, enrol_unblock(v, &e), &e, api_enrol_decided);
}
