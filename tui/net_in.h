/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_NET_IN_H
#define FELLOE_TUI_NET_IN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/list.h"
#include "tui/fetch.h"
#include "tui/live.h"
#include "tui/net.h"

/* The inside of net: what the UI thread (net.c) and the network thread
 * (net_thread.c) share. */

enum { NET_ASKS = 64 };

struct net {
	pthread_t thread;
	pthread_mutex_t lock;
	int to_ui, to_net;        /* eventfd */
	/* under the lock: */
	bool stop, retry, aimed, do_sign_in;
	struct net_state state;
	struct net_want want;
	struct net_sign_in sign_in;
	struct net_ask asks[NET_ASKS];
	size_t n_asks;
	struct net_answer answers[NET_ASKS];
	size_t n_answers;
	struct nodes *nodes;
	struct detail *detail;
	struct runs *runs;
	struct alerts *alerts;
	struct {
		LIST_OF(struct change *);
	} changes;
	size_t first_change;      /* not taken yet */
	/* the thread's own: */
	struct net_sign_in signing;
	struct fetch fetch;
	struct live live;
	struct net_want wanted;   /* want, as this turn sees it */
	unsigned need;
	int64_t next_poll; /* monotonic */
};

/* Make an eventfd readable; empty it. */
void net_wake(int fd);
void net_drain(int fd);
/* Under the lock: forget the changes that nobody took. */
void net_drop_changes(struct net *n);
/* Show the UI whose session it is. */
void net_publish_session(struct net *n);
/* The network thread, until n->stop. */
void *net_run(void *n);

#endif
