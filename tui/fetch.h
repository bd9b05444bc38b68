/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_FETCH_H
#define FELLOE_TUI_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/client.h"
#include "shared/err.h"
#include "tui/alert.h"
#include "tui/model.h"
#include "tui/session.h"

/* Reading lists from the master, each time only what is new (ETag): for the
 * network thread alone. */

enum { FETCH_PAGES = 256, FETCH_PAGE_ROWS = 1000 };
struct fetch_slot {
	struct page *page;
	char etag[128];
	char next[128]; /* cursor of the page behind, "" the last */
};
struct fetch_one {
	uint64_t of;    /* the node that etag is about */
	char etag[128];
};
struct fetch {
	struct session session;
	struct client *client;
	struct fetch_slot slots[FETCH_PAGES];
	size_t n_slots;
	struct fetch_one detail, runs, alerts;
	int status;     /* of the last answer; 0 none */
	bool no_alerts; /* this master has no such list */
};

void fetch_done(struct fetch *f);
/* The rows that fetch_nodes gave are changed by others from now on. */
void fetch_give_away(struct fetch *f);
/* Each: 1 and *ret, yours; 0 nothing new (or not there); -1 failed, status as the master gave it. */
int fetch_nodes(struct fetch *f, struct nodes **ret, struct err *e) MUSTCHECK;
int fetch_detail(struct fetch *f, uint64_t id, struct detail **ret, struct err *e) MUSTCHECK;
int fetch_runs(struct fetch *f, uint64_t of, struct runs **ret, struct err *e) MUSTCHECK;
int fetch_alerts(struct fetch *f, struct alerts **ret, struct err *e) MUSTCHECK;

#endif
