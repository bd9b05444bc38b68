/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SEND_H
#define FELLOE_SEND_H

#include <stdbool.h>

#include "noded/agent/outbox.h"
#include "noded/config.h"
#include "shared/err.h"
#include "shared/wire.h"

/* Delivering to the master what the outbox holds; a row goes from the outbox
 * only after the master has answered 2xx. Failures that a later try may mend
 * are -1 (ERR_CONFLICT: another machine uses the same key; ERR_NET, ERR_BUSY, ERR_DENIED, ERR_FORBIDDEN ...): the caller decides when. */

struct sender;

struct send_opts {
	const struct config *config;
	const char *key;              /* API key; copied, wiped at the end */
	bool (*tick)(void *ctx);      /* see client_set_tick */
	void *ctx;
};
int sender_new(struct sender **ret, const struct send_opts *o, struct err *e) MUSTCHECK;
void sender_free(struct sender *s);
void sender_freep(struct sender **s);

/* The sample of the moment, with its runs and timers; it lies in o already. */
int sender_live(struct sender *s, struct outbox *o, const struct wire_sample *sample, struct err *e) MUSTCHECK;
/* What the master answered to the last sample, and its clock then (ms, 0 unknown); NULL none. Lent until the next. */
const struct json *sender_answer(const struct sender *s, int64_t *date);
/* PUT body to path. *refused, set with -1: the master understood it and says no. */
int sender_put(struct sender *s, const char *path, const char *body, bool *refused, struct err *e) MUSTCHECK;
/* Runs, then one batch of samples. *more: something is left to send now. */
int sender_backfill(struct sender *s, struct outbox *o, bool *more, struct err *e) MUSTCHECK;

#endif
