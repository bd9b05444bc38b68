/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_enrol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "masterd/tbl_join_token.h"
#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/hash.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"

void enrol_free(void *enrol)
{
	struct enrol *v = enrol;

	node_done(&v->node);
	free(v->tags);
	free(v->note);
	mem_wipe(&v->join, sizeof(v->join));
	free(v);
}

/* What was committed becomes visible, then sleepers look again. */
static void show(struct job *job)
{
	struct enrol *v = (struct enrol *)job;

	for (size_t i = 0; i < ARRAY_LEN(v->dropped); i++)
		if (v->dropped[i])
			live_drop_node(v->m->live, v->dropped[i]);
	if (v->node.id)
		live_put_node(v->m->live, &v->node, v->have_join ? &v->join : NULL);
	if (v->woken[0])
		waits_wake(v->m->waits, v->woken);
}

/* The change and its lines in the journal, for other masters and for clients. */
static int run_rule(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	struct event ev = {.at = clock_ms(), .kind = v->kind};

	if (v->rule(job, db, e))
		return -1;
	str_cut(ev.origin, sizeof(ev.origin), v->m->instance);
	for (size_t i = 0; i < ARRAY_LEN(v->dropped); i++) {
		ev.node_id = v->dropped[i];
		if (ev.node_id && tbl_event_add(db, &ev, e))
			return -1;
	}
	ev.node_id = v->node.id;
	return ev.node_id ? tbl_event_add(db, &ev, e) : 0;
}

int enrol_queue(struct enrol *v, enum event_kind kind, int (*rule)(struct job *, struct db *, struct err *),
		struct err *e)
{
	v->kind = kind;
	v->rule = rule;
	v->job.run = run_rule;
	v->job.committed = show;
	return writer_put(v->m->writer, &v->job, e);
}

void enrol_secret(char out[static JOIN_KEY])
{
	uint8_t random[32];
	CLEANUP(freep) char *text = NULL;

	random_bytes(random, sizeof(random));
	text = base64url_encode(random, sizeof(random));
	str_cut(out, JOIN_KEY, text);
	mem_wipe(random, sizeof(random));
	mem_wipe(text, strlen(text));
}

int enrol_load(struct enrol *v, struct db *db, int64_t id, struct err *e)
{
	struct node n;

	if (tbl_node_get(db, id, &n, e))
		return -1;
	node_done(&v->node);
	v->node = n;
	if (n.state == NODE_DELETED || !scope_sees_waiting(&v->scope, n.tags, n.state == NODE_PENDING))
		return err_set(e, ERR_NOTFOUND, "there is no node %lld", (long long)id);
	v->have_join = !tbl_join_of_node(db, id, &v->join, e);
	if (v->have_join)
		str_cut(v->woken, sizeof(v->woken), v->join.request_id);
	return v->have_join || e->kind == ERR_NOTFOUND ? 0 : -1;
}

/* ---- a node asks */

int enrol_end_request(struct db *db, struct join *old, int64_t *dropped, struct err *e)
{
	old->state = JOIN_EXPIRED;
	*dropped = old->node_id;
	return tbl_join_put(db, old, e) || tbl_node_drop(db, old->node_id, e) ? -1 : 0;
}

/* The machine asked before, without a key: that request ends. */
static int end_keyless(struct enrol *v, struct db *db, struct err *e)
{
	struct join old;

	if (tbl_join_of_peer(db, v->join.hostname, v->join.peer_address, &old, e))
		return e->kind == ERR_NOTFOUND ? 0 : -1;
	str_cut(v->woken, sizeof(v->woken), old.request_id);
	return enrol_end_request(db, &old, &v->dropped[1], e);
}

/* An older pending request of the same machine: 1 it is the same one (now in
 * v), 0 none is left, -1 failed. */
static int meet_older(struct enrol *v, struct db *db, struct err *e)
{
	struct join old;

	if (!v->join.has_public_key)
		return end_keyless(v, db, e);
	if (tbl_join_of_key(db, v->join.public_key, &old, e))
		return e->kind == ERR_NOTFOUND ? end_keyless(v, db, e) : -1;
	if (hash_equal(old.commitment, v->join.commitment, SHA256_LEN)) {
		struct node n;

		if (tbl_node_get(db, old.node_id, &n, e))
			return -1;
		node_done(&v->node);
		v->node = n;
		v->join = old;
		return 1;
	}
	str_cut(v->woken, sizeof(v->woken), old.request_id);
	return enrol_end_request(db, &old, &v->dropped[0], e);
}

static void fill_request(struct enrol *v)
{
	struct join *j = &v->join;
	uint8_t random[4][32];

	enrol_secret(j->request_id);
	random_bytes(j->master_nonce, sizeof(j->master_nonce));
	j->created = v->now;
	j->state = JOIN_PENDING;
	if (j->has_public_key)
		return;
	/* a node without a key cannot take part: any code, shown as not protected */
	random_bytes(random, sizeof(random));
	pair_code(j->code, random[0], random[1], random[2], j->request_id, random[3]);
}

/* The machine brings a join token: its tags, its word. */
static int use_token(struct enrol *v, struct db *db, struct err *e)
{
	CLEANUP(join_token_done) struct join_token t = {0};

	if (tbl_join_token_use(db, v->key_hash, v->now, &t, e))
		return -1;
	str_cut(v->join.token_name, sizeof(v->join.token_name), t.name);
	v->join.pre_approved = t.pre_approved;
	v->node.tags = TAKE(t.tags);
	return 0;
}

static int run_ask(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char reason[NODE_REASON];
	bool blocked;
	int64_t pending;
	int met;

	v->have_join = true;
	if (tbl_join_blocked(db, &v->join, &blocked, reason, sizeof(reason), e))
		return -1;
	if (blocked)
		return err_set(e, ERR_FORBIDDEN, "this machine is blocked%s%s: ask an admin to unblock it",
			       reason[0] ? ": " : "", reason);
	met = meet_older(v, db, e);
	if (met)
		return met < 0 ? -1 : 0;
	if (v->has_token && use_token(v, db, e))
		return -1;
	if (tbl_node_count(db, NODE_PENDING, &pending, e))
		return -1;
	/* anybody can fill the room; who brings a token is let in all the same */
	if (!v->has_token && pending >= JOINS_PENDING_MAX)
		return err_set(e, ERR_BUSY, "%d nodes wait for approval already: decide over some first",
			       JOINS_PENDING_MAX);
	v->node.state = NODE_PENDING;
	v->node.created = v->now;
	fill_request(v);
	if (tbl_node_name_used(db, v->node.name, 0, &v->join.name_in_use, e) || tbl_node_add(db, &v->node, e))
		return -1;
	v->join.node_id = v->node.id;
	return tbl_join_add(db, &v->join, e);
}

int enrol_ask(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_JOIN, run_ask, e);
}

/* ---- a key and the door */

/* A key for the node: we keep its SHA-256 and the box that only the node opens. */
static int make_key(struct enrol *v, struct err *e)
{
	char key[JOIN_KEY];
	int rc = 0;

	enrol_secret(key);
	sha256(v->node.key_hash, key, strlen(key));
	v->node.has_key = true;
	if (v->join.has_public_key) {
		v->join.sealed_len = strlen(key) + CRYPT_SEAL;
		rc = crypt_seal(v->join.sealed_key, key, strlen(key), v->join.public_key, e);
	} else {
		str_cut(v->join.clear_key, sizeof(v->join.clear_key), key);
	}
	mem_wipe(key, sizeof(key));
	return rc;
}

/* v->node, whose request is v->join, becomes active. */
static int let_in(struct enrol *v, struct db *db, struct err *e)
{
	char object[AUDIT_OBJECT];

	if (make_key(v, e))
		return -1;
	v->node.state = NODE_ACTIVE;
	v->node.approved = v->now;
	str_cut(v->node.approved_by, sizeof(v->node.approved_by), v->by);
	v->node.blocked = 0;
	v->node.reason[0] = v->node.blocked_by[0] = '\0';
	if (v->tags) {
		free(v->node.tags);
		v->node.tags = TAKE(v->tags);
	}
	v->join.state = JOIN_DECIDED;
	v->join.decided = v->now;
	v->join.name_in_use = false;
	if (tbl_node_put(db, &v->node, e) || tbl_join_put(db, &v->join, e))
		return -1;
	return AUDIT(db, &v->actor, e, "node.approve", audit_node(object, v->node.id, v->node.name), "hostname",
		     v->node.hostname, "peer_address", v->join.peer_address, "code", v->join.code, "tags", v->node.tags,
		     "adopt", v->adopt ? "true" : NULL, "join_token",
		     v->join.token_name[0] ? v->join.token_name : NULL);
}

/* Its token said so beforehand. A name that is in use is for people to decide. */
static int let_in_by_token(struct enrol *v, struct db *db, struct err *e)
{
	bool used;

	if (tbl_node_name_used(db, v->node.name, v->node.id, &used, e))
		return -1;
	if (used)
		return 0;
	snprintf(v->by, sizeof(v->by), "token %.50s", v->join.token_name);
	v->actor = actor_named(v->by, v->now);
	str_cut(v->actor.peer, sizeof(v->actor.peer), v->join.peer_address);
	str_cut(v->woken, sizeof(v->woken), v->join.request_id);
	return let_in(v, db, e);
}

/* ---- it reveals its nonce */

static int run_reveal(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	uint8_t commitment[SHA256_LEN];
	struct join *j = &v->join;
	char id[JOIN_ID];

	str_cut(id, sizeof(id), j->request_id);
	if (tbl_join_get(db, id, j, e))
		return -1;
	if (!j->has_public_key)
		return err_set(e, ERR_CONFLICT, "this join-request was made without a public key: there is nothing to reveal");
	if (j->revealed && hash_equal(j->nonce, v->nonce, PAIR_NONCE))
		return tbl_node_get(db, j->node_id, &v->node, e) && e->kind != ERR_NOTFOUND ? -1 : 0;
	if (j->revealed || j->state != JOIN_PENDING)
		return err_set(e, ERR_CONFLICT, "this join-request has been revealed or decided already: ask anew");
	pair_commitment(commitment, v->nonce, j->public_key);
	if (!hash_equal(commitment, j->commitment, SHA256_LEN))
		return err_set(e, ERR_INVALID, "the nonce does not fit the commitment: ask anew");
	memcpy(j->nonce, v->nonce, PAIR_NONCE);
	j->revealed = true;
	pair_code(j->code, j->public_key, j->nonce, j->master_nonce, j->request_id, v->m->spki);
	v->have_join = true;
	if (tbl_join_put(db, j, e) || tbl_node_get(db, j->node_id, &v->node, e))
		return -1;
	return j->pre_approved ? let_in_by_token(v, db, e) : 0;
}

int enrol_reveal(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_JOIN, run_reveal, e);
}

/* ---- an admin decides */

static int already(const struct enrol *v, struct err *e)
{
	char span[UNITS_TEXT];

	if (v->node.state == NODE_ACTIVE)
		return err_set(e, ERR_CONFLICT, "%s approved %s %s ago", v->node.approved_by, v->node.name,
			       units_span(span, v->now - v->node.approved));
	return err_set(e, ERR_CONFLICT, "%s is blocked%s%s: unblock it first", v->node.name,
		       v->node.blocked_by[0] ? " by " : "", v->node.blocked_by);
}

/* Is it a node that may be approved, under which name? */
static int judge_approve(struct enrol *v, struct db *db, struct err *e)
{
	bool used;

	if (v->node.state != NODE_PENDING)
		return already(v, e);
	if (!v->have_join || v->join.state != JOIN_PENDING)
		return err_set(e, ERR_CONFLICT, "the join-request of %s is not pending any more", v->node.name);
	if (v->join.has_public_key && !v->join.revealed)
		return err_set(e, ERR_CONFLICT, "%s has not shown its code yet: try again in a moment", v->node.name);
	if (v->name[0])
		str_cut(v->node.name, sizeof(v->node.name), v->name);
	if (v->adopt)
		return 0;
	if (tbl_node_name_used(db, v->node.name, v->node.id, &used, e))
		return -1;
	if (used)
		return err_set(e, ERR_CONFLICT, "the name %s is in use: give another name, or adopt that node",
			       v->node.name);
	return 0;
}

/* The new machine takes the place (number, name, history) of an older node. */
static int take_place(struct enrol *v, struct db *db, struct err *e)
{
	bool used = false;
	struct node old;

	if (tbl_node_get(db, v->adopt, &old, e))
		return -1;
	if (!scope_sees(&v->scope, old.tags)) {
		node_done(&old);
		return err_set(e, ERR_NOTFOUND, "there is no node %lld", (long long)v->adopt);
	}
	if (old.state == NODE_PENDING || old.id == v->node.id) {
		node_done(&old);
		return err_set(e, ERR_CONFLICT, "node %lld was never approved: there is nothing to adopt",
			       (long long)v->adopt);
	}
	v->dropped[0] = v->node.id;
	if (tbl_node_drop(db, v->node.id, e)) {
		node_done(&old);
		return -1;
	}
	free(old.facts);
	free(old.next);
	free(old.clone);
	old.next = NULL;
	old.clone = NULL;
	old.deleted = 0;
	old.facts = TAKE(v->node.facts);
	str_cut(old.hostname, sizeof(old.hostname), v->node.hostname);
	if (v->name[0])
		str_cut(old.name, sizeof(old.name), v->name);
	/* while it was deleted its name was free */
	if (tbl_node_name_used(db, old.name, old.id, &used, e) || used) {
		if (used)
			(void)err_set(e, ERR_CONFLICT, "the name %s is in use: give another name", old.name);
		node_done(&old);
		return -1;
	}
	node_done(&v->node);
	v->node = old;
	v->join.node_id = old.id;
	return 0;
}

int enrol_judge_tags(const struct enrol *v, struct err *e)
{
	if (scope_may_retag(&v->scope, v->node.tags, v->tags ? v->tags : v->node.tags))
		return 0;
	return err_set(e, ERR_FORBIDDEN, "you are limited to the tags %.200s: give %.100s one or more of these and no other",
		       v->scope.tags, v->node.name);
}

static int run_approve(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;

	/* an adopted place has its own tags, by which take_place finds it */
	return enrol_load(v, db, v->node.id, e) || judge_approve(v, db, e) || (!v->adopt && enrol_judge_tags(v, e)) || (v->adopt && (take_place(v, db, e) || enrol_judge_tags(v, e))) ||
	       let_in(v, db, e) ? -1 : 0;
}

int enrol_approve(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_JOIN, run_approve, e);
}

static int run_block(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (enrol_load(v, db, v->node.id, e) || enrol_judge_tags(v, e))
		return -1;
	if (v->node.state == NODE_BLOCKED)
		return already(v, e);
	v->node.state = NODE_BLOCKED;
	v->node.blocked = v->now;
	str_cut(v->node.blocked_by, sizeof(v->node.blocked_by), v->by);
	str_cut(v->node.reason, sizeof(v->node.reason), v->reason);
	if (tbl_node_put(db, &v->node, e))
		return -1;
	return AUDIT(db, &v->actor, e, "node.block", audit_node(object, v->node.id, v->node.name), "reason", v->reason);
}

int enrol_block(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_NODE, run_block, e);
}

static int run_unblock(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (enrol_load(v, db, v->node.id, e))
		return -1;
	if (v->node.state != NODE_BLOCKED)
		return err_set(e, ERR_CONFLICT, "%s is not blocked", v->node.name);
	v->node.state = v->node.has_key ? NODE_ACTIVE : NODE_PENDING;
	v->node.blocked = 0;
	v->node.reason[0] = v->node.blocked_by[0] = '\0';
	if (tbl_node_put(db, &v->node, e))
		return -1;
	return AUDIT(db, &v->actor, e, "node.unblock", audit_node(object, v->node.id, v->node.name));
}

int enrol_unblock(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_NODE, run_unblock, e);
}

/* ---- nobody waits for these */

static int run_expire(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	struct join old;

	if (!tbl_join_older(db, v->now - JOIN_LIVES_MS, &old, e)) {
		str_cut(v->woken, sizeof(v->woken), old.request_id);
		if (enrol_end_request(db, &old, &v->dropped[0], e))
			return -1;
	} else if (e->kind != ERR_NOTFOUND) {
		return -1;
	}
	return tbl_join_clean(db, v->now - JOIN_LIVES_MS, v->now - 7 * JOIN_LIVES_MS, e) ||
	       tbl_join_token_expire(db, v->now - 7 * JOIN_LIVES_MS, e) || tbl_session_expire(db, v->now, e) ? -1 : 0;
}

static void drop(struct job *job)
{
	struct enrol *v = (struct enrol *)job, *again = NULL;

	/* where one had expired there may be a thousand, and they keep others out */
	if (v->rule == run_expire && !job->rc && v->dropped[0]) {
		again = xcalloc(1, sizeof(*again));
		again->m = v->m;
		again->now = v->now;
	}
	enrol_free(v);
	if (again)
		enrol_queue_alone(again, EVENT_JOIN, run_expire);
}

void enrol_queue_alone(struct enrol *v, enum event_kind kind, int (*rule)(struct job *, struct db *, struct err *))
{
	struct err e;

	v->job.drop = drop;
	/* a full queue: the next round tries again */
	if (enrol_queue(v, kind, rule, &e))
		enrol_free(v);
}

void enrol_expire(struct master *m, int64_t now)
{
	struct enrol *v = xcalloc(1, sizeof(*v));

	v->m = m;
	v->now = now;
	enrol_queue_alone(v, EVENT_JOIN, run_expire);
}
