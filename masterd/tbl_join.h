/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_JOIN_H
#define FELLOE_TBL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/wire.h"

/* Requests of nodes to join. request_id is the secret by which the node asks
 * for the outcome. */
enum { JOIN_ID = 44, JOIN_KEY = 44, JOIN_SEALED = 128 };
enum join_state { JOIN_PENDING, JOIN_DECIDED, JOIN_EXPIRED, JOIN_STATES };

struct join {
	char request_id[JOIN_ID];
	int64_t node_id;
	enum join_state state;   /* decided: the node's own state counts */
	char hostname[WIRE_HOST], ip_address[64], peer_address[64];
	bool has_public_key, revealed;
	uint8_t public_key[32], commitment[SHA256_LEN], nonce[PAIR_NONCE], master_nonce[PAIR_NONCE];
	char code[32];           /* "" before the reveal */
	bool name_in_use;
	char token_name[WIRE_NAME]; /* by which join token it came, "" none */
	bool pre_approved;       /* it becomes active at the reveal */
	int64_t created, decided;
	uint8_t sealed_key[JOIN_SEALED];
	size_t sealed_len;       /* 0: none */
	char clear_key[JOIN_KEY]; /* for a node without public key, until first use; "" */
};

/* A new row; all of an old one (by its request_id). */
int tbl_join_add(struct db *db, const struct join *j, struct err *e) MUSTCHECK;
int tbl_join_put(struct db *db, const struct join *j, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. By id, by the node's number (the newest), by public key (pending ones). */
int tbl_join_get(struct db *db, const char *request_id, struct join *ret, struct err *e) MUSTCHECK;
int tbl_join_of_node(struct db *db, int64_t node_id, struct join *ret, struct err *e) MUSTCHECK;
int tbl_join_of_key(struct db *db, const uint8_t public_key[static 32], struct join *ret, struct err *e) MUSTCHECK;
/* A pending one without key from the same hostname and peer. */
int tbl_join_of_peer(struct db *db, const char *hostname, const char *peer, struct join *ret, struct err *e) MUSTCHECK;
/* Is a blocked node the asker: its public key, or its hostname at its address? */
int tbl_join_blocked(struct db *db, const struct join *j, bool *ret, char *reason, size_t size, struct err *e) MUSTCHECK;
/* The oldest pending one from before; ERR_NOTFOUND. */
int tbl_join_older(struct db *db, int64_t before, struct join *ret, struct err *e) MUSTCHECK;
/* Forget clear keys of before, and decided or expired requests of forget. */
int tbl_join_clean(struct db *db, int64_t before, int64_t forget, struct err *e) MUSTCHECK;
int tbl_join_key_used(struct db *db, int64_t node_id, struct err *e) MUSTCHECK;

#endif
