/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_ALERT_H
#define FELLOE_TUI_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/json.h"

/* The alerts that are open, as the master lists them (docs/api.md, Alerts);
 * never changed once made. Texts are cleaned. */

enum alert_state { ALERT_OPEN, ALERT_ACKED, ALERT_SNOOZED, ALERT_CLOSED };
struct alert {
	uint64_t id, node_id;    /* node_id 0: of no node */
	bool critical;
	enum alert_state state;
	char *kind, *node, *ref, *run, *cause, *next_step, *who; /* "" none; who: acknowledged or snoozed by */
	int64_t first, last, until, count; /* until: snoozed */
};
struct alerts {
	struct alert *v;
	size_t n;
	int64_t at;
};

int alerts_from(struct alerts **ret, const struct json *items, int64_t at, struct err *e) MUSTCHECK;
void alerts_free(struct alerts *a);
const struct alert *alerts_find(const struct alerts *a, uint64_t id);
/* How many nobody looks after. */
size_t alerts_open(const struct alerts *a);
/* What the kind is called on the screens: "backup failed". Lent. */
const char *alert_title(const struct alert *a);

#endif
