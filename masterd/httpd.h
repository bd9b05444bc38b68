/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HTTPD_H
#define FELLOE_HTTPD_H

#include "masterd/master.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The HTTP server: the file that knows libmicrohttpd. epoll threads, one a
 * core; requests that answer LATER sleep without a thread. */
struct httpd;

/* Listen as m->config says and serve with m, which outlives it. */
int httpd_new(struct httpd **ret, struct master *m, struct err *e) MUSTCHECK;
/* No new connections from now on. */
void httpd_quiesce(struct httpd *h);
/* Wait a moment for the streams that were told to end (feed_end). */
void httpd_drain(struct httpd *h);
/* Ends all; nobody may sleep any more (writer, waits and passwords are drained). */
void httpd_free(struct httpd *h);
/* Once a second: end connections whose headers take over 10 s or whose request
 * takes over 60 s to arrive. */
void httpd_tick(struct httpd *h);

#endif
