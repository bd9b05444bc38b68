/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_ENROL_H
#define FELLOE_SVC_ENROL_H

#include "masterd/master.h"
#include "masterd/svc_audit.h"
#include "masterd/tbl_event.h"
#include "masterd/writer.h"

/* How machines come in and are kept out. All rules run inside the writer, one
 * after the other, so two admins or two requests never decide at once.
 *
 * Each call queues the change; j->rc and j->err tell the outcome once the
 * ticket is done. The value lives until then. */
enum { JOINS_PENDING_MAX = 1000 };
#define JOIN_LIVES_MS (INT64_C(24) * 3600 * 1000)

struct enrol {
	struct job job;          /* first */
	struct master *m;
	int64_t now;
	char by[USER_NAME];      /* who decides */
	struct actor actor;      /* the same, for the audit trail */
	struct join join;        /* in: what was asked; out: what stands */
	struct node node;        /* in: name, hostname, facts; out: the node */
	bool have_join;
	int64_t dropped[2];      /* nodes that went with it, 0 none */
	int (*rule)(struct job *job, struct db *db, struct err *e);
	enum event_kind kind;    /* what the journal calls it */
	char woken[JOIN_ID];     /* whose long polls to end */
	/* approve */
	char name[WIRE_HOST];
	int64_t adopt;
	char *tags;
	struct scope scope;      /* of who decides: nothing beyond it is touched */
	/* block */
	char reason[NODE_REASON];
	uint8_t nonce[PAIR_NONCE]; /* reveal */
	char *note;              /* change; NULL: as it was */
	uint8_t key_hash[SHA256_LEN]; /* of the key that was used, or of a join token */
	bool has_token;          /* ask */
};
/* Frees what it owns. */
void enrol_free(void *enrol);

/* ---- for rules of other files: what each does round its own part */
/* Queue rule, with its line in the journal, and show v->node when it was committed. */
int enrol_queue(struct enrol *v, enum event_kind kind, int (*rule)(struct job *, struct db *, struct err *),
		struct err *e) MUSTCHECK;
/* The same when nobody waits: v is freed in any case. */
void enrol_queue_alone(struct enrol *v, enum event_kind kind, int (*rule)(struct job *, struct db *, struct err *));
/* v->node and v->join (when there is one) from the database. ERR_NOTFOUND also beyond v->scope. */
int enrol_load(struct enrol *v, struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* May who decides, perhaps limited to tags, decide over v->node and give it v->tags (NULL: its own)? ERR_FORBIDDEN. */
int enrol_judge_tags(const struct enrol *v, struct err *e) MUSTCHECK;
/* Random text of 256 bits in base64url. */
void enrol_secret(char out[static JOIN_KEY]);
/* A pending request ends: its node goes with it, into *dropped. */
int enrol_end_request(struct db *db, struct join *old, int64_t *dropped, struct err *e) MUSTCHECK;

/* join: hostname, addresses, keys; node: name, hostname, facts. */
int enrol_ask(struct enrol *v, struct err *e) MUSTCHECK;
/* join.request_id, nonce. */
int enrol_reveal(struct enrol *v, struct err *e) MUSTCHECK;
/* node.id, by, actor, name, adopt, tags. */
int enrol_approve(struct enrol *v, struct err *e) MUSTCHECK;
/* node.id, by, actor, reason. */
int enrol_block(struct enrol *v, struct err *e) MUSTCHECK;
int enrol_unblock(struct enrol *v, struct err *e) MUSTCHECK;
/* Once a minute: pending requests over 24 h expire. Nobody waits. */
void enrol_expire(struct master *m, int64_t now);

#endif
