/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/crypt.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

/* ---- name, tags, note */

static int rename_node(struct enrol *v, struct db *db, struct err *e)
{
	bool used = false;

	if (v->node.approved && tbl_node_name_used(db, v->name, v->node.id, &used, e))
		return -1;
	if (used)
		return err_set(e, ERR_CONFLICT, "the name %s is in use: give another name", v->name);
	str_cut(v->node.name, sizeof(v->node.name), v->name);
	return 0;
}

static int run_change(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (enrol_load(v, db, v->node.id, e))
		return -1;
	audit_node(object, v->node.id, v->node.name);
	if (enrol_judge_tags(v, e))
		return -1;
	if (v->name[0] && rename_node(v, db, e))
		return -1;
	if (AUDIT(db, &v->actor, e, "node.change", object, "name", v->name[0] ? v->name : NULL, "tags", v->tags, "note",
		  v->note))
		return -1;
	if (v->tags) {
		free(v->node.tags);
		v->node.tags = TAKE(v->tags);
	}
	if (v->note) {
		free(v->node.note);
		v->node.note = TAKE(v->note);
	}
	return tbl_node_put(db, &v->node, e);
}

int node_change(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_NODE, run_change, e);
}

/* ---- away with it */

static int run_delete(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (enrol_load(v, db, v->node.id, e) || enrol_judge_tags(v, e) ||
	    AUDIT(db, &v->actor, e, "node.delete", audit_node(object, v->node.id, v->node.name), "hostname",
		  v->node.hostname))
		return -1;
	if (v->node.state == NODE_PENDING && v->have_join) {
		v->node.id = 0; /* nothing is left to show */
		return enrol_end_request(db, &v->join, &v->dropped[0], e);
	}
	v->node.state = NODE_DELETED;
	v->node.deleted = v->now;
	v->node.has_key = false;
	free(v->node.next);
	free(v->node.clone);
	v->node.next = NULL;
	v->node.clone = NULL;
	return tbl_node_put(db, &v->node, e);
}

int node_delete(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_NODE, run_delete, e);
}

static int run_purge(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (tbl_node_deleted(db, v->now - NODE_KEPT_MS, &v->node, e))
		return e->kind == ERR_NOTFOUND ? 0 : -1;
	v->dropped[0] = v->node.id;
	v->node.id = 0;
	return tbl_node_drop_history(db, v->dropped[0], e) || tbl_node_drop(db, v->dropped[0], e)
		? -1
		: AUDIT(db, &v->actor, e, "node.purge", audit_node(object, v->dropped[0], v->node.name));
}

void node_purge(struct master *m, int64_t now)
{
	struct enrol *v = xcalloc(1, sizeof(*v));

	v->m = m;
	v->now = now;
	v->actor = actor_named("felloe-masterd", now);
	enrol_queue_alone(v, EVENT_NODE, run_purge);
}

/* ---- a new key */

static int run_rotate(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char key[JOIN_KEY], object[AUDIT_OBJECT];
	int rc;

	if (enrol_load(v, db, v->node.id, e))
		return -1;
	if (v->node.state != NODE_ACTIVE)
		return err_set(e, ERR_CONFLICT, "%s is %s: only an active node gets a new key", v->node.name,
			       node_state_name(v->node.state));
	if (!v->have_join || !v->join.has_public_key)
		return err_set(e, ERR_CONFLICT, "%s joined without a public key, so no key can be sealed for it: run "
			       "felloe-noded join on it and approve it with adopt %lld", v->node.name, (long long)v->node.id);
	/* the node may have stored the one that waits, and must not meet a third */
	if (v->node.next)
		return 0;
	v->node.next = xcalloc(1, sizeof(*v->node.next));
	enrol_secret(key);
	sha256(v->node.next->hash, key, strlen(key));
	v->node.next->sealed_len = strlen(key) + CRYPT_SEAL;
	rc = crypt_seal(v->node.next->sealed, key, strlen(key), v->join.public_key, e);
	mem_wipe(key, sizeof(key));
	return rc || tbl_node_put(db, &v->node, e) ? -1
		: AUDIT(db, &v->actor, e, "node.rotate_key", audit_node(object, v->node.id, v->node.name));
}

int node_rotate(struct enrol *v, struct err *e)
{
	return enrol_queue(v, EVENT_NODE, run_rotate, e);
}

static int run_key_used(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	char object[AUDIT_OBJECT];

	if (tbl_join_key_used(db, v->node.id, e) || enrol_load(v, db, v->node.id, e))
		return -1;
	if (!v->node.next || !hash_equal(v->node.next->hash, v->key_hash, SHA256_LEN))
		return 0;
	memcpy(v->node.key_hash, v->key_hash, SHA256_LEN);
	v->node.has_key = true;
	free(v->node.next);
	free(v->node.clone); /* whoever has the new key is the one */
	v->node.next = NULL;
	v->node.clone = NULL;
	return tbl_node_put(db, &v->node, e) ? -1
		: AUDIT(db, &v->actor, e, "node.key_used", audit_node(object, v->node.id, v->node.name));
}

void node_key_used(struct master *m, int64_t node_id, const char *key)
{
	struct enrol *v = xcalloc(1, sizeof(*v));
	char name[32];

	v->m = m;
	v->now = clock_ms();
	v->node.id = node_id;
	sha256(v->key_hash, key, strlen(key));
	snprintf(name, sizeof(name), "node %lld", (long long)node_id);
	v->actor = actor_named(name, v->now);
	enrol_queue_alone(v, EVENT_NODE, run_key_used);
}

/* ---- two machines with one key */

static int run_cloned(struct job *job, struct db *db, struct err *e)
{
	struct enrol *v = (struct enrol *)job;
	struct node_clone found;
	char object[AUDIT_OBJECT];

	if (enrol_load(v, db, v->node.id, e))
		return -1;
	if (v->node.clone || v->node.state != NODE_ACTIVE || !live_clone(v->m->live, v->node.id, &found))
		return 0;
	v->node.clone = xmemdup(&found, sizeof(found));
	return tbl_node_put(db, &v->node, e) ? -1
		: AUDIT(db, &v->actor, e, "node.cloned", audit_node(object, v->node.id, v->node.name), "believed",
			found.owner_peer, "refused", found.other_peer);
}

void node_cloned(struct master *m, int64_t node_id)
{
	struct enrol *v = xcalloc(1, sizeof(*v));

	v->m = m;
	v->now = clock_ms();
	v->node.id = node_id;
	v->actor = actor_named("felloe-masterd", v->now);
	enrol_queue_alone(v, EVENT_NODE, run_cloned);
}

/* ---- which machine other masters have heard */

struct sighting {
	struct job job;          /* first */
	struct event event;
};

static int run_seen(struct job *job, struct db *db, struct err *e)
{
	return tbl_event_add(db, &((struct sighting *)job)->event, e);
}

static void drop_seen(struct job *job)
{
	free(job);
}

void node_seen(struct master *m, int64_t node_id, const struct live_origin *from)
{
	struct sighting *v = xcalloc(1, sizeof(*v));
	struct err e;

	v->event = (struct event){.at = from->seen, .kind = EVENT_ORIGIN, .node_id = node_id};
	str_cut(v->event.origin, sizeof(v->event.origin), m->instance);
	snprintf(v->event.ref, sizeof(v->event.ref), "%s %s", from->instance, from->peer);
	v->job.run = run_seen;
	v->job.drop = drop_seen;
	/* a full queue: the next change of machines is told */
	if (writer_put(m->writer, &v->job, &e))
		free(v);
}

void node_seen_from(struct live_origin *ret, const char *ref)
{
	size_t n = strcspn(ref, " ");

	str_cut(ret->peer, sizeof(ret->peer), ref[n] ? ref + n + 1 : "");
	snprintf(ret->instance, sizeof(ret->instance), "%.*s", (int)(n < sizeof(ret->instance) ? n : 0), ref);
}
