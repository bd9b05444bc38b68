/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TBL_CHANNEL_H
#define FELLOE_TBL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "masterd/db.h"
#include "shared/attr.h"
#include "shared/err.h"
#include "shared/hash.h"
#include "shared/list.h"

/* Where alerts are told, and what waits to be told there. */
enum channel_kind { CHANNEL_WEBHOOK, CHANNEL_SLACK, CHANNEL_MAIL, CHANNEL_KINDS };
const char *channel_kind_name(enum channel_kind k);
int channel_kind_from(enum channel_kind *ret, const char *name) MUSTCHECK;

enum { CHANNEL_NAME = 65, CHANNEL_ERROR = 513 };

struct alert_channel {
	int64_t id;
	char name[CHANNEL_NAME];
	enum channel_kind kind;
	bool enabled;
	char *settings;           /* JSON object: what may be shown */
	char *sealed;             /* JSON object: what may not (vault.h) */
	char *filter;             /* JSON object: {min_severity, kinds, tags, recovered} */
	int64_t created;
	char created_by[CHANNEL_NAME];
	int64_t last_ok, last_failed; /* 0 never */
	char last_error[CHANNEL_ERROR];
	int64_t sent, dropped;    /* messages; notices given up */
	int64_t waiting;          /* notices; only read */
};
struct channels {
	LIST_OF(struct alert_channel);
};
void channel_done(struct alert_channel *c);
void channels_done(struct channels *l);

/* Insert (id 0: given) or replace all of one; ERR_CONFLICT when the name is another's. */
int tbl_channel_add(struct db *db, struct alert_channel *c, struct err *e) MUSTCHECK;
int tbl_channel_put(struct db *db, const struct alert_channel *c, struct err *e) MUSTCHECK;
/* With what waits there. */
int tbl_channel_drop(struct db *db, int64_t id, struct err *e) MUSTCHECK;
/* ERR_NOTFOUND. */
int tbl_channel_get(struct db *db, int64_t id, struct alert_channel *ret, struct err *e) MUSTCHECK;
/* By number. */
int tbl_channel_list(struct db *db, struct channels *ret, struct err *e) MUSTCHECK;
/* The outcome of a delivery: error "" is success. */
int tbl_channel_told(struct db *db, int64_t id, int64_t now, const char *error, struct err *e) MUSTCHECK;

/* ---- notices, in their order */

struct delivery {
	int64_t id, channel_id, at;
	char batch[UUID_TEXT];    /* the message that it goes out with; "" none yet */
	char *doc;                /* JSON object: {event, alert} */
};
struct deliveries {
	LIST_OF(struct delivery);
};
void deliveries_done(struct deliveries *l);

/* A notice, as JSON, that waits for the channel since at. */
int tbl_delivery_add(struct db *db, int64_t channel_id, int64_t at, const char *doc, struct err *e) MUSTCHECK;
/* The oldest ones of a channel, at most max: those of the batch that was begun
 * (never two at a time), else those that have none. */
int tbl_delivery_next(struct db *db, int64_t channel_id, int64_t max, struct deliveries *ret, struct err *e) MUSTCHECK;
/* Put those of the channel up to the number last, that have none, into a batch. */
int tbl_delivery_batch(struct db *db, int64_t channel_id, int64_t last, const char *batch, struct err *e) MUSTCHECK;
/* Forget what waits for a channel. */
int tbl_delivery_clear(struct db *db, int64_t channel_id, struct err *e) MUSTCHECK;
int tbl_delivery_drop(struct db *db, const char *batch, struct err *e) MUSTCHECK;

#endif
