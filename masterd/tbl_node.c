/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_node.h"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const states[NODE_STATES] = {"pending", "active", "blocked", "deleted"};

const char *node_state_name(enum node_state s)
{
	return states[s];
}

int node_state_from(enum node_state *ret, const char *name)
{
	for (size_t i = 0; i < NODE_STATES; i++)
		if (str_eq(states[i], name)) {
			*ret = (enum node_state)i;
			return 0;
		}
	return -1;
}

void node_done(struct node *n)
{
	free(n->tags);
	free(n->facts);
	free(n->note);
	free(n->next);
	free(n->clone);
	n->tags = n->facts = n->note = NULL;
	n->next = NULL;
	n->clone = NULL;
}

struct node node_copy(const struct node *n)
{
	struct node copy = *n;

	copy.tags = xstrdup(n->tags);
	copy.facts = xstrdup(n->facts);
	copy.note = xstrdup(n->note);
	copy.next = n->next ? xmemdup(n->next, sizeof(*n->next)) : NULL;
	copy.clone = n->clone ? xmemdup(n->clone, sizeof(*n->clone)) : NULL;
	return copy;
}

void nodes_done(struct nodes *l)
{
	for (size_t i = 0; i < l->n; i++)
		node_done(&l->v[i]);
	list_done(l);
}

static void set_node(struct db_stmt *s, const struct node *n)
{
	db_set_str(s, 1, n->name);
	db_set_str(s, 2, n->hostname);
	db_set_str(s, 3, states[n->state]);
	db_set_blob(s, 4, n->has_key ? n->key_hash : NULL, SHA256_LEN);
	db_set_int(s, 5, n->created);
	db_set_int(s, 6, n->approved);
	db_set_str(s, 7, n->approved_by);
	db_set_int(s, 8, n->blocked);
	db_set_str(s, 9, n->blocked_by);
	db_set_str(s, 10, n->reason);
	db_set_str(s, 11, n->tags ? n->tags : "[]");
	db_set_str(s, 12, n->facts ? n->facts : "{}");
	db_set_str(s, 13, n->note ? n->note : "");
	db_set_int(s, 14, n->deleted);
	db_set_blob(s, 15, n->next ? n->next->hash : NULL, SHA256_LEN);
	db_set_blob(s, 16, n->next ? n->next->sealed : NULL, n->next ? n->next->sealed_len : 0);
	db_set_int(s, 17, n->clone ? n->clone->since : 0);
	db_set_str(s, 18, n->clone ? n->clone->owner : "");
	db_set_str(s, 19, n->clone ? n->clone->owner_peer : "");
	db_set_str(s, 20, n->clone ? n->clone->other_peer : "");
}

int tbl_node_add(struct db *db, struct node *n, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO node(name,hostname,state,key_hash,created,approved,approved_by,blocked,blocked_by,"
		       "reason,tags,facts,note,deleted,next_hash,next_sealed,cloned,clone_owner,clone_owner_peer,"
		       "clone_other_peer) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20) "
		       "RETURNING id",
		       e))
		return -1;
	set_node(&s, n);
	if (db_step(&s, e) <= 0)
		return -1;
	n->id = db_int(&s, 0);
	return 0;
}

int tbl_node_put(struct db *db, const struct node *n, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "UPDATE node SET name=?1,hostname=?2,state=?3,key_hash=?4,created=?5,approved=?6,approved_by=?7,"
		       "blocked=?8,blocked_by=?9,reason=?10,tags=?11,facts=?12,note=?13,deleted=?14,next_hash=?15,"
		       "next_sealed=?16,cloned=?17,clone_owner=?18,clone_owner_peer=?19,clone_other_peer=?20 WHERE id=?21",
		       e))
		return -1;
	set_node(&s, n);
	db_set_int(&s, 21, n->id);
	return db_run(&s, e);
}

int tbl_node_drop_history(struct db *db, int64_t id, struct err *e)
{
	static const char *const texts[] = {
		"DELETE FROM run WHERE node_id=?1",
		"DELETE FROM sample_raw WHERE node_id=?1",
		"DELETE FROM sample_minute WHERE node_id=?1",
		"DELETE FROM sample_hour WHERE node_id=?1",
		"DELETE FROM node_report WHERE node_id=?1",
		"DELETE FROM node_request WHERE node_id=?1",
		"DELETE FROM join_request WHERE node_id=?1",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(db_done) struct db_stmt s = {0};

		if (db_prepare(db, &s, texts[i], e))
			return -1;
		db_set_int(&s, 1, id);
		if (db_run(&s, e))
			return -1;
	}
	return 0;
}

int tbl_node_drop(struct db *db, int64_t id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "DELETE FROM node WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	return db_run(&s, e);
}

#define NODE_COLUMNS                                                                                                  \
	"SELECT id,name,hostname,state,key_hash,created,approved,approved_by,blocked,blocked_by,reason,tags,facts,"   \
	"note,deleted,next_hash,next_sealed,cloned,clone_owner,clone_owner_peer,clone_other_peer FROM node"

static void read_next(struct db_stmt *s, struct node *n)
{
	size_t hash_len, sealed_len;
	const void *hash = db_blob(s, 15, &hash_len), *sealed;

	if (!hash || hash_len != SHA256_LEN)
		return;
	n->next = xcalloc(1, sizeof(*n->next));
	memcpy(n->next->hash, hash, SHA256_LEN);
	sealed = db_blob(s, 16, &sealed_len);
	if (!sealed || sealed_len > sizeof(n->next->sealed))
		return;
	memcpy(n->next->sealed, sealed, sealed_len);
	n->next->sealed_len = sealed_len;
}

static void read_clone(struct db_stmt *s, struct node *n)
{
	if (!db_int(s, 17))
		return;
	n->clone = xcalloc(1, sizeof(*n->clone));
	n->clone->since = db_int(s, 17);
	str_cut(n->clone->owner, sizeof(n->clone->owner), db_str(s, 18));
	str_cut(n->clone->owner_peer, sizeof(n->clone->owner_peer), db_str(s, 19));
	str_cut(n->clone->other_peer, sizeof(n->clone->other_peer), db_str(s, 20));
}

static void read_node(struct db_stmt *s, struct node *n)
{
	const void *hash;
	size_t len;

	memset(n, 0, sizeof(*n));
	n->id = db_int(s, 0);
	str_cut(n->name, sizeof(n->name), db_str(s, 1));
	str_cut(n->hostname, sizeof(n->hostname), db_str(s, 2));
	/* a state that we do not know may nothing */
	if (node_state_from(&n->state, db_str(s, 3)))
		n->state = NODE_BLOCKED;
	hash = db_blob(s, 4, &len);
	n->has_key = hash && len == SHA256_LEN;
	if (n->has_key)
		memcpy(n->key_hash, hash, SHA256_LEN);
	n->created = db_int(s, 5);
	n->approved = db_int(s, 6);
	str_cut(n->approved_by, sizeof(n->approved_by), db_str(s, 7));
	n->blocked = db_int(s, 8);
	str_cut(n->blocked_by, sizeof(n->blocked_by), db_str(s, 9));
	str_cut(n->reason, sizeof(n->reason), db_str(s, 10));
	n->tags = xstrdup(db_str(s, 11));
	n->facts = xstrdup(db_str(s, 12));
	n->note = xstrdup(db_str(s, 13));
	n->deleted = db_int(s, 14);
	read_next(s, n);
	read_clone(s, n);
}

int tbl_node_get(struct db *db, int64_t id, struct node *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, NODE_COLUMNS " WHERE id=?1", e))
		return -1;
	db_set_int(&s, 1, id);
	got = db_step(&s, e);
	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no node %lld", (long long)id);
	read_node(&s, ret);
	return 0;
}

/* The first row of a prepared question. */
static int first_node(struct db_stmt *s, struct node *ret, struct err *e)
{
	int got = db_step(s, e);

	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no such node");
	read_node(s, ret);
	return 0;
}

int tbl_node_of_key(struct db *db, const uint8_t hash[static SHA256_LEN], struct node *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, NODE_COLUMNS " WHERE key_hash=?1 OR next_hash=?1", e))
		return -1;
	db_set_blob(&s, 1, hash, SHA256_LEN);
	return first_node(&s, ret, e);
}

int tbl_node_deleted(struct db *db, int64_t before, struct node *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, NODE_COLUMNS " WHERE state='deleted' AND deleted<?1 ORDER BY deleted LIMIT 1", e))
		return -1;
	db_set_int(&s, 1, before);
	return first_node(&s, ret, e);
}

int tbl_node_list(struct db *db, struct nodes *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, NODE_COLUMNS " WHERE state<>'deleted' ORDER BY id", e))
		return -1;
	while ((got = db_step(&s, e)) > 0)
		read_node(&s, list_push(ret));
	return got;
}

static int one_number(struct db_stmt *s, int64_t *ret, struct err *e)
{
	int got = db_step(s, e);

	if (got < 0)
		return -1;
	*ret = got ? db_int(s, 0) : 0;
	return 0;
}

int tbl_node_name_used(struct db *db, const char *name, int64_t id, bool *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int64_t n;

	if (db_prepare(db, &s, "SELECT count(*) FROM node WHERE name=?1 AND approved>0 AND deleted=0 AND id<>?2", e))
		return -1;
	db_set_str(&s, 1, name);
	db_set_int(&s, 2, id);
	if (one_number(&s, &n, e))
		return -1;
	*ret = n > 0;
	return 0;
}

int tbl_node_count(struct db *db, enum node_state state, int64_t *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "SELECT count(*) FROM node WHERE state=?1", e))
		return -1;
	db_set_str(&s, 1, states[state]);
	return one_number(&s, ret, e);
}

int tbl_report_put(struct db *db, int64_t node_id, int64_t ts, const char *doc, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO node_report(node_id,ts,doc) VALUES(?1,?2,?3) "
		       "ON CONFLICT(node_id) DO UPDATE SET ts=excluded.ts, doc=excluded.doc",
		       e))
		return -1;
	db_set_int(&s, 1, node_id);
	db_set_int(&s, 2, ts);
	db_set_str(&s, 3, doc);
	return db_run(&s, e);
}

int tbl_report_each(struct db *db, void (*each)(void *ctx, int64_t node_id, int64_t ts, const char *doc), void *ctx,
		    struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s, "SELECT node_id,ts,doc FROM node_report", e))
		return -1;
	while ((got = db_step(&s, e)) > 0)
		each(ctx, db_int(&s, 0), db_int(&s, 1), db_str(&s, 2));
	return got;
}
