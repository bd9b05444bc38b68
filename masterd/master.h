/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MASTER_H
#define FELLOE_MASTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "masterd/auth.h"
#include "masterd/bucket.h"
#include "masterd/config.h"
#include "masterd/db.h"
#include "masterd/feed.h"
#include "masterd/hot.h"
#include "masterd/live.h"
#include "masterd/metrics.h"
#include "masterd/pwq.h"
#include "masterd/wait.h"
#include "masterd/writer.h"
#include "shared/hash.h"

/* What handlers work with: made by main in the order of the members, freed in
 * the reverse. */
struct packer;
struct master {
	struct config *config;
	struct db_pool *pool;     /* readers */
	struct writer *writer;    /* every change */
	struct auth *auth;
	struct live *live;
	struct feed *feed;        /* GET /events */
	struct follow *follow;    /* the journal, as others write it */
	struct notifier *notifier; /* tells channels; a thread */
	struct alerting *alerting; /* what is wrong (main thread) */
	struct waits *waits;      /* long polls, by request_id */
	struct pwq *pwq;
	struct buckets *logins;   /* failed ones, by address */
	struct buckets *accounts; /* failed sign-ins, by account */
	struct buckets *otps;     /* wrong one-time codes, by account */
	struct buckets *lockouts; /* what the audit trail was told of these */
	struct buckets *joins;
	struct metrics *metrics;  /* NULL in tests of a part */
	struct hot *hot;          /* samples of the last minutes */
	struct packer *packer;    /* svc_pack.h */
	int64_t journaled;        /* rows that we wrote to the journal of samples (writer's thread) */
	bool shared;              /* other masters may work on our database */
	char instance[UUID_TEXT]; /* this life of this process: who wrote an event, who holds a lease */
	atomic_bool leads;        /* of all masters on one database we do the background work now (jobs.h) */
	uint8_t spki[32];         /* SHA-256 of the public key that clients see; zeros on plain HTTP */
};

#endif
