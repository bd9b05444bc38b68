/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/tbl_join.h"

#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

static const char *const states[JOIN_STATES] = {"pending", "decided", "expired"};

static void set_join(struct db_stmt *s, const struct join *j)
{
	db_set_str(s, 1, j->request_id);
	db_set_int(s, 2, j->node_id);
	db_set_str(s, 3, states[j->state]);
	db_set_str(s, 4, j->hostname);
	db_set_str(s, 5, j->ip_address);
	db_set_str(s, 6, j->peer_address);
	db_set_blob(s, 7, j->has_public_key ? j->public_key : NULL, sizeof(j->public_key));
	db_set_blob(s, 8, j->has_public_key ? j->commitment : NULL, sizeof(j->commitment));
	db_set_blob(s, 9, j->revealed ? j->nonce : NULL, sizeof(j->nonce));
	db_set_blob(s, 10, j->master_nonce, sizeof(j->master_nonce));
	db_set_str(s, 11, j->code);
	db_set_int(s, 12, j->name_in_use);
	db_set_int(s, 13, j->created);
	db_set_int(s, 14, j->decided);
	db_set_blob(s, 15, j->sealed_len ? j->sealed_key : NULL, j->sealed_len);
	db_set_str(s, 16, j->clear_key[0] ? j->clear_key : NULL);
	db_set_str(s, 17, j->token_name);
	db_set_int(s, 18, j->pre_approved);
}

int tbl_join_add(struct db *db, const struct join *j, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "INSERT INTO join_request(request_id,node_id,state,hostname,ip_address,peer_address,public_key,"
		       "commitment,nonce,master_nonce,code,name_in_use,created,decided,sealed_key,clear_key,token_name,"
		       "pre_approved) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)",
		       e))
		return -1;
	set_join(&s, j);
	return db_run(&s, e);
}

int tbl_join_put(struct db *db, const struct join *j, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       "UPDATE join_request SET node_id=?2,state=?3,hostname=?4,ip_address=?5,peer_address=?6,"
		       "public_key=?7,commitment=?8,nonce=?9,master_nonce=?10,code=?11,name_in_use=?12,created=?13,"
		       "decided=?14,sealed_key=?15,clear_key=?16,token_name=?17,pre_approved=?18 WHERE request_id=?1",
		       e))
		return -1;
	set_join(&s, j);
	return db_run(&s, e);
}

static bool get_bytes(struct db_stmt *s, int col, void *to, size_t want)
{
	size_t n;
	const void *p = db_blob(s, col, &n);

	if (!p || n != want)
		return false;
	memcpy(to, p, want);
	return true;
}

static void read_join(struct db_stmt *s, struct join *j)
{
	const char *state = db_str(s, 2);
	const void *sealed;
	size_t n;

	memset(j, 0, sizeof(*j));
	str_cut(j->request_id, sizeof(j->request_id), db_str(s, 0));
	j->node_id = db_int(s, 1);
	j->state = str_eq(state, states[JOIN_PENDING]) ? JOIN_PENDING
		   : str_eq(state, states[JOIN_DECIDED]) ? JOIN_DECIDED : JOIN_EXPIRED;
	str_cut(j->hostname, sizeof(j->hostname), db_str(s, 3));
	str_cut(j->ip_address, sizeof(j->ip_address), db_str(s, 4));
	str_cut(j->peer_address, sizeof(j->peer_address), db_str(s, 5));
	j->has_public_key = get_bytes(s, 6, j->public_key, sizeof(j->public_key)) &&
			    get_bytes(s, 7, j->commitment, sizeof(j->commitment));
	j->revealed = get_bytes(s, 8, j->nonce, sizeof(j->nonce));
	get_bytes(s, 9, j->master_nonce, sizeof(j->master_nonce));
	str_cut(j->code, sizeof(j->code), db_str(s, 10));
	j->name_in_use = db_int(s, 11) != 0;
	j->created = db_int(s, 12);
	j->decided = db_int(s, 13);
	sealed = db_blob(s, 14, &n);
	if (sealed && n <= sizeof(j->sealed_key)) {
		memcpy(j->sealed_key, sealed, n);
		j->sealed_len = n;
	}
	str_cut(j->clear_key, sizeof(j->clear_key), str_or(db_str(s, 15), ""));
	str_cut(j->token_name, sizeof(j->token_name), db_str(s, 16));
	j->pre_approved = db_int(s, 17) != 0;
}

#define JOIN_COLUMNS                                                                                                  \
	"SELECT request_id,node_id,state,hostname,ip_address,peer_address,public_key,commitment,nonce,master_nonce,"  \
	"code,name_in_use,created,decided,sealed_key,clear_key,token_name,pre_approved FROM join_request "

static int one(struct db_stmt *s, struct join *ret, struct err *e)
{
	int got = db_step(s, e);

	if (got <= 0)
		return got < 0 ? -1 : err_set(e, ERR_NOTFOUND, "there is no such join-request");
	read_join(s, ret);
	return 0;
}

int tbl_join_get(struct db *db, const char *request_id, struct join *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, JOIN_COLUMNS "WHERE request_id=?1", e))
		return -1;
	db_set_str(&s, 1, request_id);
	return one(&s, ret, e);
}

int tbl_join_of_node(struct db *db, int64_t node_id, struct join *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, JOIN_COLUMNS "WHERE node_id=?1 ORDER BY created DESC LIMIT 1", e))
		return -1;
	db_set_int(&s, 1, node_id);
	return one(&s, ret, e);
}

int tbl_join_of_key(struct db *db, const uint8_t public_key[static 32], struct join *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, JOIN_COLUMNS "WHERE public_key=?1 AND state='pending' ORDER BY created DESC LIMIT 1", e))
		return -1;
	db_set_blob(&s, 1, public_key, 32);
	return one(&s, ret, e);
}

int tbl_join_of_peer(struct db *db, const char *hostname, const char *peer, struct join *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       JOIN_COLUMNS "WHERE hostname=?1 AND peer_address=?2 AND public_key IS NULL AND state='pending' "
				    "LIMIT 1",
		       e))
		return -1;
	db_set_str(&s, 1, hostname);
	db_set_str(&s, 2, peer);
	return one(&s, ret, e);
}

int tbl_join_blocked(struct db *db, const struct join *j, bool *ret, char *reason, size_t size, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	int got;

	if (db_prepare(db, &s,
		       "SELECT n.reason FROM node n JOIN join_request j ON j.node_id=n.id WHERE n.state='blocked' AND "
		       "(j.public_key=?1 OR (n.hostname=?2 AND j.peer_address=?3)) LIMIT 1",
		       e))
		return -1;
	db_set_blob(&s, 1, j->has_public_key ? j->public_key : NULL, sizeof(j->public_key));
	db_set_str(&s, 2, j->hostname);
	db_set_str(&s, 3, j->peer_address);
	got = db_step(&s, e);
	*ret = got > 0;
	if (got > 0)
		str_cut(reason, size, db_str(&s, 0));
	return got < 0 ? -1 : 0;
}

int tbl_join_older(struct db *db, int64_t before, struct join *ret, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s,
		       JOIN_COLUMNS "WHERE state='pending' AND created<?1 AND "
				    "node_id IN (SELECT id FROM node WHERE state='pending') ORDER BY created LIMIT 1",
		       e))
		return -1;
	db_set_int(&s, 1, before);
	return one(&s, ret, e);
}

int tbl_join_clean(struct db *db, int64_t before, int64_t forget, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};
	CLEANUP(db_done) struct db_stmt old = {0};

	if (db_prepare(db, &s, "UPDATE join_request SET clear_key=NULL WHERE clear_key IS NOT NULL AND decided<?1", e))
		return -1;
	db_set_int(&s, 1, before);
	if (db_run(&s, e) || db_prepare(db, &old, "DELETE FROM join_request WHERE state='expired' AND created<?1", e))
		return -1;
	db_set_int(&old, 1, forget);
	return db_run(&old, e);
}

int tbl_join_key_used(struct db *db, int64_t node_id, struct err *e)
{
	CLEANUP(db_done) struct db_stmt s = {0};

	if (db_prepare(db, &s, "UPDATE join_request SET clear_key=NULL WHERE node_id=?1", e))
		return -1;
	db_set_int(&s, 1, node_id);
	return db_run(&s, e);
}
