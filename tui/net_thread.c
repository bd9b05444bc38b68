/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/net_in.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { BACKOFF_MAX_S = 30, RENEW_MS = 60000, RENEW_AGAIN_MS = 20000, FOR_EVER_MS = 3600000 };
/* What to read at the next occasion. */
enum { NEED_DETAIL = 1, NEED_RUNS = 2, NEED_ALERTS = 4, NEED_NODES = 8, NEED_ALL = 15 };

static void set_link(struct net *n, enum net_link link)
{
	pthread_mutex_lock(&n->lock);
	if (n->state.link != link)
		n->state.tries = 0;
	n->state.link = link;
	if (link == NET_LIVE)
		n->state.last_ok = clock_ms();
	pthread_mutex_unlock(&n->lock);
}

/* 1, 2, 4 ... 30 s, +- 20 %: consoles that lost the same master do not come back as one. */
static unsigned backoff_ms(unsigned tries)
{
	unsigned s = tries < 5 ? 1U << tries : BACKOFF_MAX_S, r;

	random_bytes(&r, sizeof(r));
	return s * 800 + r % (s * 400 + 1);
}

static void lost(struct net *n, const struct err *e)
{
	unsigned wait;

	pthread_mutex_lock(&n->lock);
	if (n->state.link != NET_LOST) {
		n->state.lost_at = clock_ms();
		n->state.tries = 0;
	}
	wait = backoff_ms(n->state.tries++);
	n->state.link = NET_LOST;
	n->state.retry_at = n->next_poll = clock_mono_ms() + wait;
	str_cut(n->state.why, sizeof(n->state.why), e->msg);
	str_clean(n->state.why);
	pthread_mutex_unlock(&n->lock);
}

/* What a failed read means for the link. */
static void read_failed(struct net *n, const struct err *e)
{
	if (n->fetch.status == 401 || (n->fetch.status == 0 && e->kind == ERR_DENIED)) {
		pthread_mutex_lock(&n->lock);
		str_cut(n->state.why, sizeof(n->state.why), e->msg);
		pthread_mutex_unlock(&n->lock);
		n->live.synced = false;
		set_link(n, NET_EXPIRED);
		return;
	}
	n->fetch.no_alerts = false; /* another master may answer next */
	n->live.synced = false;
	lost(n, e);
}

/* ---- values for the UI thread: each takes what it is given */

static void give_nodes(struct net *n, struct nodes *v)
{
	struct nodes *old;

	pthread_mutex_lock(&n->lock);
	old = n->nodes;
	n->nodes = v;
	net_drop_changes(n); /* of the list before */
	pthread_mutex_unlock(&n->lock);
	nodes_unref(old);
}

static void give_change(struct net *n, struct change *c)
{
	pthread_mutex_lock(&n->lock);
	*list_push(&n->changes) = c;
	pthread_mutex_unlock(&n->lock);
}

static void give_detail(struct net *n, struct detail *v)
{
	struct detail *old;

	pthread_mutex_lock(&n->lock);
	old = n->detail;
	n->detail = v;
	pthread_mutex_unlock(&n->lock);
	detail_free(old);
}

static void give_runs(struct net *n, struct runs *v)
{
	struct runs *old;

	pthread_mutex_lock(&n->lock);
	old = n->runs;
	n->runs = v;
	pthread_mutex_unlock(&n->lock);
	runs_free(old);
}

static void give_alerts(struct net *n, struct alerts *v)
{
	struct alerts *old;

	pthread_mutex_lock(&n->lock);
	old = n->alerts;
	n->alerts = v;
	pthread_mutex_unlock(&n->lock);
	alerts_free(old);
}

/* Reads what is needed, the small things first. False: the link is lost, and so known. */
static bool read_needed(struct net *n)
{
	struct detail *d = NULL;
	struct runs *r = NULL;
	struct alerts *a = NULL;
	struct nodes *v = NULL;
	struct err e = {0};
	int rc = 0;

	if (rc >= 0 && (n->need & NEED_DETAIL) && (rc = fetch_detail(&n->fetch, n->wanted.node, &d, &e)) == 1)
		give_detail(n, d);
	if (rc >= 0 && (n->need & NEED_RUNS) && (rc = fetch_runs(&n->fetch, n->wanted.runs_of, &r, &e)) == 1)
		give_runs(n, r);
	if (rc >= 0 && (n->need & NEED_ALERTS) && (rc = fetch_alerts(&n->fetch, &a, &e)) == 1)
		give_alerts(n, a);
	if (rc >= 0 && (n->need & NEED_NODES) && (rc = fetch_nodes(&n->fetch, &v, &e)) == 1)
		give_nodes(n, v);
	if (rc < 0) {
		read_failed(n, &e);
		return false;
	}
	n->need = 0;
	set_link(n, NET_LIVE);
	return true;
}

static void answer(struct net *n, struct net_answer *a)
{
	str_clean(a->err.msg);
	pthread_mutex_lock(&n->lock);
	if (n->n_answers < NET_ASKS)
		n->answers[n->n_answers++] = *a;
	else
		json_free(a->json);
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_ui);
}

/* The certificate is not known (or not the one of last time): find its key, to ask the user. */
static void find_peer(struct net_answer *a, const struct net_sign_in *s)
{
	struct err ignored;

	if (a->err.kind != ERR_NET || !str_starts(s->master, "https://"))
		return;
	if (http_peer_pin(s->master, a->peer_pin, &ignored) || str_eq(a->peer_pin, s->pin))
		a->peer_pin[0] = '\0';
}

static void sign_in(struct net *n, struct net_sign_in *s)
{
	struct session fresh = {.master = xstrdup(s->master), .user = xstrdup(s->user),
				.pin = s->pin[0] ? xstrdup(s->pin) : NULL};
	struct net_answer a = {.tag = TAG_SIGN_IN};
	struct session_proof proof = {s->password, s->otp, &a.otp_wanted};
	struct client *c = NULL;
	struct err ignored;

	if (session_client(&fresh, &c, &a.err) || session_login(&fresh, c, &proof, &a.err)) {
		find_peer(&a, s);
		session_done(&fresh);
		client_free(c);
	} else {
		a.err.kind = ERR_NONE;
		live_forget(&n->live, n->fetch.client);
		fetch_done(&n->fetch);
		n->fetch.session = fresh;
		n->fetch.client = c;
		n->need = NEED_ALL;
		net_publish_session(n);
		set_link(n, NET_LIVE);
		n->next_poll = 0;
		if (s->remember && session_save(&n->fetch.session, &ignored))
			a.status = -1; /* signed in all the same */
	}
	mem_wipe(s, sizeof(*s));
	answer(n, &a);
}

static void do_ask(struct net *n, struct net_ask *ask)
{
	struct session_call call = {.method = ask->method, .path = ask->path, .body = ask->body[0] ? ask->body : NULL};
	struct net_answer a = {.tag = ask->tag, .id = ask->id};
	struct client_reply r = {0};

	if (!n->fetch.client)
		(void)err_set(&a.err, ERR_DENIED, "not signed in");
	else if (session_do(&n->fetch.session, n->fetch.client, &call, &r, &a.err) == 0)
		a.err.kind = ERR_NONE;
	else if (a.err.kind == ERR_NONE)
		a.err.kind = ERR_INTERNAL;
	a.status = r.status;
	a.json = TAKE(r.json);
	client_reply_done(&r);
	mem_wipe(ask, sizeof(*ask));
	if (!str_eq(call.method, "GET")) { /* what changed is to be seen at once */
		n->need |= n->live.synced ? NEED_DETAIL | NEED_RUNS | NEED_ALERTS : NEED_ALL;
		n->next_poll = 0;
	}
	answer(n, &a);
}

/* One thing that the UI wants done; false when there is none. */
static bool serve_ui(struct net *n)
{
	struct net_ask ask = {0};
	bool asked, signing;

	pthread_mutex_lock(&n->lock);
	signing = n->do_sign_in;
	if (signing) {
		n->signing = n->sign_in;
		mem_wipe(&n->sign_in, sizeof(n->sign_in));
		n->do_sign_in = false;
	}
	asked = !signing && n->n_asks > 0;
	if (asked) {
		ask = n->asks[0];
		n->n_asks--;
		memmove(n->asks, n->asks + 1, n->n_asks * sizeof(*n->asks));
		mem_wipe(&n->asks[n->n_asks], sizeof(*n->asks));
	}
	if (n->retry || n->aimed) {
		n->need |= n->retry ? NEED_ALL : NEED_DETAIL | NEED_RUNS;
		n->next_poll = 0;
	}
	n->retry = n->aimed = false;
	n->wanted = n->want;
	pthread_mutex_unlock(&n->lock);
	if (signing)
		sign_in(n, &n->signing);
	if (asked)
		do_ask(n, &ask);
	return signing || asked;
}

static int64_t thread_cpu_ms(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) ? 0 : t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A big fleet may not keep console and master busy all the time: a twentieth of
 * a core here, and the master rests three times as long as it answered. */
static int64_t interval(int64_t every, int64_t took, int64_t cpu)
{
	static const int64_t steps[] = {1000, 2000, 3000, 5000, 10000, 15000, 30000};
	int64_t least = cpu * 20 > took * 4 ? cpu * 20 : took * 4;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i] >= every && steps[i] >= least)
			return steps[i];
	return steps[ARRAY_LEN(steps) - 1];
}

/* Asks for what is needed, and says when to ask again: never, while events tell. */
static void poll_needed(struct net *n)
{
	int64_t start = clock_mono_ms(), cpu = thread_cpu_ms(), every = n->wanted.every_ms ? n->wanted.every_ms : 1000;
	enum net_link link;

	pthread_mutex_lock(&n->lock);
	link = n->state.link;
	pthread_mutex_unlock(&n->lock);
	n->next_poll = start + every;
	if (!n->fetch.client || link == NET_OUT || link == NET_EXPIRED || (n->wanted.frozen && link == NET_LIVE))
		return;
	if (!n->live.synced)
		n->need = NEED_ALL;
	if (read_needed(n)) {
		every = interval(every, clock_mono_ms() - start, thread_cpu_ms() - cpu);
		n->next_poll = n->live.synced ? INT64_MAX : start + every;
		if (n->live.synced)
			fetch_give_away(&n->fetch);
	}
	pthread_mutex_lock(&n->lock);
	n->state.every_ms = every;
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_ui);
}

/* ---- events */

static bool link_is_live(struct net *n)
{
	bool live;

	pthread_mutex_lock(&n->lock);
	live = n->state.link == NET_LIVE;
	pthread_mutex_unlock(&n->lock);
	return live;
}

static void publish_events(struct net *n)
{
	bool events = n->live.state == LIVE_ON && n->live.synced;

	pthread_mutex_lock(&n->lock);
	if (events && n->live.heard)
		n->state.last_ok = clock_ms() - (clock_mono_ms() - n->live.heard);
	n->state.events = events;
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_ui);
}

/* The stream is opened anew before the token ends, so that nothing is missed; but not
 * again and again where tokens are of such short life. */
static bool token_ends(const struct net *n)
{
	return n->fetch.session.expires < clock_ms() + RENEW_MS &&
	       (n->live.state == LIVE_OFF || clock_mono_ms() - n->live.opened > RENEW_AGAIN_MS);
}

/* Opens, closes, opens anew: as what is wanted and the token need it. */
static void keep_stream(struct net *n)
{
	struct err e = {0};
	bool open = n->live.state != LIVE_OFF, ends = token_ends(n);

	if (!n->fetch.client || !link_is_live(n) || n->wanted.frozen) {
		if (open)
			live_close(&n->live, n->fetch.client);
		return;
	}
	if (open && n->live.node == n->wanted.node && !ends)
		return;
	if (!open && clock_mono_ms() < n->live.retry_at)
		return;
	if ((ends || n->live.denied) && session_renew(&n->fetch.session, n->fetch.client, &e)) {
		n->fetch.status = 0;
		live_close(&n->live, n->fetch.client);
		read_failed(n, &e);
		return;
	}
	live_open(&n->live, n->fetch.client, n->wanted.node);
}

/* Is the machine that is shown in this frame? */
static bool about(const struct json *frame, uint64_t node)
{
	for (const struct json *i = json_first(json_get(frame, "items")); node && i; i = json_next(i))
		if (json_get_int(i, "node_id", 0) == (int64_t)node)
			return true;
	return false;
}

static bool changes_node(const struct change *c, uint64_t node)
{
	for (size_t i = 0; c->items && i < c->items->n; i++)
		if (c->items->v[i].id == node)
			return true;
	return false;
}

static void take_event(struct net *n, struct live_event *ev)
{
	switch (ev->kind) {
	case LIVE_CHANGE:
		n->need |= changes_node(ev->change, n->wanted.node) ? NEED_DETAIL : 0;
		give_change(n, TAKE(ev->change));
		break;
	case LIVE_SAMPLE:
		n->need |= about(ev->json, n->wanted.node) ? NEED_DETAIL : 0;
		break;
	case LIVE_RUNS:
		n->need |= about(ev->json, n->wanted.runs_of) ? NEED_RUNS | NEED_DETAIL : 0;
		break;
	case LIVE_ALERTS:
		n->need |= NEED_ALERTS;
		break;
	case LIVE_RESET:
		n->need = NEED_ALL;
		n->live.synced = false;
		break;
	}
	live_event_done(ev);
}

/* The stream has begun, or frames are missing: the lists as they are now, then
 * what the stream tells. The list is the UI thread's alone from then on. */
static void join_on(struct net *n)
{
	if (n->live.state != LIVE_ON || n->live.synced)
		return;
	n->need = NEED_ALL;
	if (!read_needed(n))
		return;
	n->live.synced = true;
	n->next_poll = INT64_MAX;
	fetch_give_away(&n->fetch);
	publish_events(n);
}

static void take_events(struct net *n)
{
	struct live_event ev;
	bool some = false;

	do {
		join_on(n);
		while (n->live.synced && live_next(&n->live, &ev)) {
			take_event(n, &ev);
			some = true;
		}
	} while (n->live.state == LIVE_ON && !n->live.synced && link_is_live(n));
	if (n->live.synced && n->need)
		n->next_poll = 0;
	if (some)
		publish_events(n);
}

/* Until something is to be done. */
static void wait_for_work(struct net *n)
{
	struct pollfd p = {.fd = n->to_net, .events = POLLIN};
	int64_t now = clock_mono_ms(), left = n->next_poll - now, heard = n->live.heard;
	enum live_state before = n->live.state;

	if (left > FOR_EVER_MS)
		left = FOR_EVER_MS;
	if (n->live.state != LIVE_OFF) {
		int64_t fresh = n->fetch.session.expires - clock_ms() - RENEW_MS;

		fresh = fresh > RENEW_AGAIN_MS ? fresh : RENEW_AGAIN_MS;
		left = fresh < left ? fresh : left;
		if (!live_wait(&n->live, n->fetch.client, (int)left, n->to_net)) {
			n->live.synced = false; /* from here on it is asked for */
			n->next_poll = 0;
			publish_events(n);
		} else if (n->live.heard != heard || n->live.state != before) {
			publish_events(n);
		}
		net_drain(n->to_net);
		return;
	}
	if (n->fetch.client && n->live.retry_at > now && n->live.retry_at - now < left)
		left = n->live.retry_at - now;
	if (poll(&p, 1, (int)left) > 0)
		net_drain(n->to_net);
}

void *net_run(void *arg)
{
	struct net *n = arg;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&n->lock);
		stop = n->stop;
		pthread_mutex_unlock(&n->lock);
		if (stop || serve_ui(n))
			continue;
		if (n->next_poll <= clock_mono_ms()) {
			poll_needed(n);
			continue;
		}
		keep_stream(n);
		take_events(n);
		if (n->next_poll > clock_mono_ms())
			wait_for_work(n);
	}
	return NULL;
}
