/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SVC_FEED_H
#define FELLOE_SVC_FEED_H

#include "masterd/master.h"
#include "masterd/tbl_event.h"

/* What GET /events says (docs/api.md): lines of nodes out of live, the rest out
 * of the journal. */

/* Add what ev tells to the news, as it is now; nothing for kinds of which no topic tells. */
int feed_news_of(struct master *m, struct db *db, const struct event *ev, struct news_list *ret, struct err *e) MUSTCHECK;
/* Tell l what it missed since from; a reset when that is not known any more. */
int feed_catch_up(struct master *m, struct listener *l, const struct feed_want *w, const struct feed_at *from,
		  struct err *e) MUSTCHECK;
/* Once a second. */
void feed_tick(struct master *m, int64_t now);

#endif
