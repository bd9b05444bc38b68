/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HTTPD_H
#define FELLOE_HTTPD_H

#include "masterd/master.h"
#include "shared/attr.h"
#include "shared/err.h"

/* The HTTP server; httpd_*.[ch] know libmicrohttpd, nobody else does. epoll threads, one a
 * core; requests that answer LATER sleep without a thread. */
struct httpd;

/* Listen as m->config says and serve with m, which outlives it. */
int httpd_new(struct httpd **ret, struct master *m, struct err *e) MUSTCHECK;
/* Serve new connections with the certificate that c names, those that are there
 * with the one before, to the end of their request. -1: all stays as it was. */
int httpd_renew(struct httpd *h, const struct config *c, struct err *e) MUSTCHECK;
/* The listening socket is closed; answers from now on end their connections. */
void httpd_quiesce(struct httpd *h);
/* End connections as they fall idle; wait at most ms until no request is on its way. False: some still are. */
bool httpd_drain(struct httpd *h, int64_t ms);
/* Ends all; nobody may sleep any more (writer, waits and passwords are drained). */
void httpd_free(struct httpd *h);
/* Once a second: end connections whose headers or whose request take too long
 * to arrive (limits.headers_s, request_s), or that are idle (idle_s). */
void httpd_tick(struct httpd *h);

#endif
