/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HTTPD_IN_H
#define FELLOE_HTTPD_IN_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "masterd/httpd.h"
#include "masterd/req.h"
#include "shared/buf.h"

/* The inside of httpd, for httpd_*.c alone: the files that know libmicrohttpd. */

/* A connection, in a list so that slow ones can be ended. */
struct peer {
	struct peer *prev, *next;
	int fd;
	char address[64];
	atomic_llong deadline; /* monotonic ms; 0: none */
	atomic_bool idle;      /* its last request is answered, the next has not begun */
};

/* A daemon of the library. A new certificate takes a new one; the one before
 * serves its connections to their end. */
struct server {
	struct server *next;
	struct httpd *h;
	struct MHD_Daemon *daemon;
	char *cert, *key;      /* PEM texts, while the daemon lives */
	int64_t max_connections, per_address;
	atomic_bool old;       /* takes no connections any more, its answers end theirs */
};

struct httpd {
	struct master *m;
	struct server *servers; /* the one that listens first; main thread */
	int fd;                /* the listening socket; each server has a duplicate. -1: closed */
	atomic_int calls;      /* requests on their way */
	pthread_mutex_t lock;
	struct peer *peers;
};

/* A request as it passes. */
struct call {
	struct req r;          /* first: lookup gets its address */
	struct server *server;
	struct peer *peer;
	struct MHD_Connection *connection;
	struct buf body;
	size_t swallowed;
	bool running, sitting;
};

/* ---- httpd_peer.c */

/* MHD_OPTION_NOTIFY_CONNECTION: puts a connection of the server cls into the list, takes it out. */
void peer_notify(void *cls, struct MHD_Connection *connection, void **context,
		 enum MHD_ConnectionNotificationCode code);
/* The connection ends when nothing sets another deadline within ms; 0: it has none. */
void peer_deadline(struct peer *p, int64_t ms);
/* Shut those whose deadline has passed. */
void peers_tick(struct httpd *h);
/* End those that wait for a next request: what has arrived is still read and answered,
 * what comes later the kernel refuses, so that the client knows that nobody has read
 * it. How many connections are left, of any kind? */
size_t peers_end_idle(struct httpd *h);

/* ---- httpd_reply.c */

/* Queue what the handler left in c->r as the answer. */
enum MHD_Result call_reply(struct call *c);
/* Begin an answer without an end: c->r.stream says what comes. */
enum MHD_Result call_stream(struct call *c);

/* ---- httpd_call.c */

/* MHD_AccessHandlerCallback: a request to the server cls, called as its parts arrive. */
/* check-size: the signature that libmicrohttpd calls */
enum MHD_Result call_take(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			  const char *version, const char *data, size_t *size, void **state);
/* MHD_OPTION_NOTIFY_COMPLETED: the answer is sent, or the other end has gone. */
void call_ended(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code);

#endif
