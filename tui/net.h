/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_NET_H
#define FELLOE_TUI_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/json.h"
#include "tui/alert.h"
#include "tui/change.h"
#include "tui/model.h"
#include "tui/session.h"

/* The network thread of the console: it reads what the screen wants to see,
 * follows the master's events (or, where there are none, asks again and again),
 * parses all and hands over values that never change. The other functions are
 * for the UI thread; none of them waits for the network. */

struct net;

enum net_link {
	NET_OUT,     /* not signed in */
	NET_LIVE,
	NET_LOST,    /* no answer: tried again at retry_at */
	NET_EXPIRED, /* the session ended: sign in again */
};
struct net_state {
	enum net_link link;
	bool events;       /* changes are told by the master; else they are asked for */
	int64_t last_ok;   /* wall clock of the last answer or sign of life, 0 never */
	int64_t lost_at;   /* wall clock */
	int64_t retry_at;  /* monotonic */
	unsigned tries;
	int64_t every_ms;  /* between two polls now: longer when a list takes long, or nobody looks */
	char why[ERR_MSG_MAX];
	char master[256], user[128], role[32], pin[64];
};

/* What is read beside the lists of nodes and alerts; 0 for nothing. */
struct net_want {
	uint64_t node;       /* detail */
	uint64_t runs_of;    /* runs of this node */
	unsigned every_ms;   /* 0: 1000 */
	bool frozen;
};

enum net_tag { TAG_NONE, TAG_SIGN_IN, TAG_APPROVE, TAG_BLOCK, TAG_UNBLOCK, TAG_SERIES,
	       TAG_ACK, TAG_UNACK, TAG_SNOOZE, TAG_UNSNOOZE, TAG_REQUEST, TAG_REQUEST_STATE };
/* A request out, and its answer. */
struct net_ask {
	enum net_tag tag;
	uint64_t id;          /* the caller's: which node */
	char method[8];
	char path[256];
	char body[1024];      /* JSON, "" none; wiped when sent */
};
struct net_answer {
	enum net_tag tag;
	uint64_t id;
	int status;           /* 0: no answer */
	struct err err;       /* kind ERR_NONE: fine */
	struct json *json;    /* yours: net_answer_done */
	char peer_pin[64];    /* TAG_SIGN_IN: the certificate is not known; this is its key */
	bool otp_wanted;      /* TAG_SIGN_IN: the password is right, a one-time code is missing or wrong */
};
struct net_sign_in {
	char master[256], user[128], pin[64];
	char password[1024];
	char otp[64];         /* one-time or recovery code; "" none */
	bool remember;
};

/* s: who may be signed in already (taken over: emptied). */
int net_start(struct net **ret, struct session *s, struct err *e) MUSTCHECK;
/* Ends the thread, at most after a short wait. */
void net_stop(struct net *n);
/* Readable when something is new; net_clear before taking. */
int net_fd(const struct net *n);
void net_clear(struct net *n);
void net_state(struct net *n, struct net_state *ret);
void net_want(struct net *n, const struct net_want *w);
void net_sign_in(struct net *n, const struct net_sign_in *s);
void net_ask(struct net *n, const struct net_ask *a);
/* Try again now (after a loss). */
void net_retry(struct net *n);
/* The newest value when there is one that was not taken yet, else NULL. Yours. */
struct nodes *net_take_nodes(struct net *n);
struct detail *net_take_detail(struct net *n);
struct runs *net_take_runs(struct net *n);
struct alerts *net_take_alerts(struct net *n);
/* The next change to the nodes that were taken last; yours. NULL: none, or there are newer nodes. */
struct change *net_take_change(struct net *n);
/* The next answer; false when there is none. */
bool net_take_answer(struct net *n, struct net_answer *ret);
void net_answer_done(struct net_answer *a);

#endif
