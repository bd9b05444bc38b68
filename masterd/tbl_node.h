/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_NODE_H
#define FELLOE_TBL_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"
#include "shared/wire.h"

/* Machines. A node's number is given at its join-request and never again. */
enum node_state { NODE_PENDING, NODE_ACTIVE, NODE_BLOCKED, NODE_DELETED, NODE_STATES };

const char *node_state_name(enum node_state s);
/* -1: there is no such state. */
int node_state_from(enum node_state *ret, const char *name) MUSTCHECK;

enum { NODE_REASON = 513, NODE_BY = 65, NODE_NOTE = 1025, NODE_SEALED = 128, NODE_INSTANCE = 65 };

/* A key that waits to be fetched and used; the old one is good until then. */
struct node_next {
	uint8_t hash[SHA256_LEN];
	uint8_t sealed[NODE_SEALED]; /* crypto_box_seal for the node's public key */
	size_t sealed_len;
};
/* Two machines were seen with one key: until an admin has decided, only the
 * first is believed. */
struct node_clone {
	int64_t since;
	char owner[NODE_INSTANCE];   /* the one that is believed */
	char owner_peer[64], other_peer[64];
};

struct node {
	int64_t id;
	char name[WIRE_HOST], hostname[WIRE_HOST];
	enum node_state state;
	bool has_key;
	uint8_t key_hash[SHA256_LEN];
	int64_t created, approved, blocked; /* 0: not */
	char approved_by[NODE_BY], blocked_by[NODE_BY], reason[NODE_REASON];
	char *tags;               /* JSON array of texts */
	char *facts;              /* JSON object: what the node said when it joined */
	char *note;               /* of the admins; NULL or "" none */
	int64_t deleted;          /* 0: not */
	struct node_next *next;   /* NULL none */
	struct node_clone *clone; /* NULL none */
};
struct nodes {
	LIST_OF(struct node);
};
void node_done(struct node *n);
/* Another one with the same values, its own to free. */
struct node node_copy(const struct node *n);
void nodes_done(struct nodes *l);

/* Insert (id 0: given) or replace all of one. */
int tbl_node_add(struct db *db, struct node *n, struct err *e) MUSTCHECK;
int tbl_node_put(struct db *db, const struct node *n, struct err *e) MUSTCHECK;
int tbl_node_drop(struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* All that refers to the node: runs, samples, its report, its requests. */
int tbl_node_drop_history(struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND when there is none. */
int tbl_node_get(struct db *db, int64_t id, struct node *ret, struct err *e) MUSTCHECK;
/* By the hash of its key, or of the one that waits. */
int tbl_node_of_key(struct db *db, const uint8_t hash[static SHA256_LEN], struct node *ret, struct err *e) MUSTCHECK;
/* All but the deleted. */
int tbl_node_list(struct db *db, struct nodes *ret, struct err *e) MUSTCHECK;
/* One that was deleted before; ERR_NOTFOUND. */
int tbl_node_deleted(struct db *db, int64_t before, struct node *ret, struct err *e) MUSTCHECK;
/* Is name the name of an approved node other than id, which is not deleted? */
int tbl_node_name_used(struct db *db, const char *name, int64_t id, bool *ret, struct err *e) MUSTCHECK;
int tbl_node_count(struct db *db, enum node_state s, int64_t *ret, struct err *e) MUSTCHECK;

/* The last whole report of a node (a wire_sample as JSON), for a restart. */
int tbl_report_put(struct db *db, int64_t node_id, int64_t ts, const char *doc, struct err *e) MUSTCHECK;
int tbl_report_each(struct db *db, void (*each)(void *ctx, int64_t node_id, int64_t ts, const char *doc), void *ctx,
		    struct err *e) MUSTCHECK;

#endif
