/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/net.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { ASKS = 64, PAGES = 256, PAGE_ROWS = 1000, BACKOFF_MAX_S = 30, STOP_WAIT_S = 1 };

struct slot {
	struct page *page;
	char etag[128];
	char next[128]; /* cursor of the page behind, "" the last */
};

struct net {
	pthread_t thread;
	pthread_mutex_t lock;
	int to_ui, to_net;        /* eventfd */
	/* under the lock: */
	bool stop, retry, do_sign_in;
	struct net_state state;
	struct net_want want;
	struct net_sign_in sign_in;
	struct net_ask asks[ASKS];
	size_t n_asks;
	struct net_answer answers[ASKS];
	size_t n_answers;
	struct nodes *nodes;
	struct detail *detail;
	struct runs *runs;
	/* the thread's own: */
	struct net_sign_in signing;
	struct session session;
	struct client *client;
	struct slot slots[PAGES];
	size_t n_slots;
	char detail_etag[128], runs_etag[128];
	uint64_t detail_of, runs_of;
	int64_t next_poll; /* monotonic */
};

static void wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort(); /* an eventfd of ours cannot fail otherwise */
}

static void drain(int fd)
{
	uint64_t n;

	while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

/* ---- the thread */

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

/* What a failed poll means for the link. */
static void poll_failed(struct net *n, const struct client_reply *r, const struct err *e)
{
	if (r->status == 401 || (r->status == 0 && e->kind == ERR_DENIED)) {
		pthread_mutex_lock(&n->lock);
		str_cut(n->state.why, sizeof(n->state.why), e->msg);
		pthread_mutex_unlock(&n->lock);
		set_link(n, NET_EXPIRED);
		return;
	}
	lost(n, e);
}

/* GET path; 1 new, 0 not changed, -1 failed (the link is set). */
static int get(struct net *n, const char *path, char etag[static 128], struct client_reply *r)
{
	struct session_call call = {.method = "GET", .path = path, .etag = etag[0] ? etag : NULL};
	struct err e = {0};

	if (session_do(&n->session, n->client, &call, r, &e)) {
		if (r->status == 404)
			return 0;
		poll_failed(n, r, &e);
		return -1;
	}
	set_link(n, NET_LIVE);
	if (r->status == 304)
		return 0;
	str_cut(etag, 128, r->etag);
	return 1;
}

static void drop_slots(struct net *n, size_t from)
{
	for (size_t i = from; i < n->n_slots; i++) {
		page_unref(n->slots[i].page);
		n->slots[i] = (struct slot){0};
	}
	if (from < n->n_slots)
		n->n_slots = from;
}

/* One page of the list; 1 new, 0 not changed, -1 failed. */
static int poll_page(struct net *n, size_t i, const char *after)
{
	struct slot *slot = &n->slots[i];
	struct client_reply r = {0};
	struct page *page = NULL;
	struct err e = {0};
	char path[256];
	int rc;

	snprintf(path, sizeof(path), "/nodes/?after=%s&limit=%d", after, PAGE_ROWS);
	rc = get(n, path, slot->etag, &r);
	if (rc == 1 && page_from(&page, json_get(r.json, "items"), &e)) {
		lost(n, &e);
		rc = -1;
	}
	if (rc == 1) {
		page_unref(slot->page);
		slot->page = page;
		str_cut(slot->next, sizeof(slot->next), json_get_str(r.json, "next", ""));
	}
	client_reply_done(&r);
	return rc;
}

/* Is one ETag that of all pages? Then it is the version of the whole list. */
static bool same_version(const struct net *n)
{
	for (size_t i = 1; i < n->n_slots; i++)
		if (!str_eq(n->slots[i].etag, n->slots[0].etag))
			return false;
	return n->n_slots > 0;
}

static int poll_nodes(struct net *n)
{
	struct page *pages[PAGES];
	char after[128] = "";
	bool changed = false;
	struct nodes *made, *old;

	for (size_t i = 0; i < PAGES; i++) {
		int rc = poll_page(n, i, after);

		if (rc < 0)
			return -1;
		if (i == 0 && rc == 0 && same_version(n))
			return 0;
		if (!n->slots[i].page)
			break;
		changed |= rc == 1;
		n->n_slots = i + 1 > n->n_slots ? i + 1 : n->n_slots;
		str_cut(after, sizeof(after), n->slots[i].next);
		if (!after[0]) {
			drop_slots(n, i + 1);
			break;
		}
	}
	if (!changed)
		return 0;
	for (size_t i = 0; i < n->n_slots; i++)
		pages[i] = n->slots[i].page;
	made = nodes_from(pages, n->n_slots, clock_ms());
	pthread_mutex_lock(&n->lock);
	old = n->nodes;
	n->nodes = made;
	pthread_mutex_unlock(&n->lock);
	nodes_unref(old);
	return 0;
}

static int poll_detail(struct net *n, uint64_t id)
{
	struct client_reply r = {0};
	struct detail *d = NULL, *old;
	struct err e = {0};
	char path[64];
	int rc;

	if (id != n->detail_of)
		n->detail_etag[0] = '\0';
	n->detail_of = id;
	if (id == 0)
		return 0;
	snprintf(path, sizeof(path), "/nodes/%" PRIu64, id);
	rc = get(n, path, n->detail_etag, &r);
	if (rc == 1 && detail_from(&d, r.json, clock_ms(), &e) == 0) {
		pthread_mutex_lock(&n->lock);
		old = n->detail;
		n->detail = d;
		pthread_mutex_unlock(&n->lock);
		detail_free(old);
	}
	client_reply_done(&r);
	return rc < 0 ? -1 : 0;
}

static int poll_runs(struct net *n, uint64_t id)
{
	struct client_reply r = {0};
	struct runs *runs = NULL, *old;
	struct err e = {0};
	char path[64];
	int rc;

	if (id != n->runs_of)
		n->runs_etag[0] = '\0';
	n->runs_of = id;
	if (id == 0)
		return 0;
	snprintf(path, sizeof(path), "/runs?node=%" PRIu64 "&limit=100", id);
	rc = get(n, path, n->runs_etag, &r);
	if (rc == 1 && runs_from(&runs, json_get(r.json, "items"), clock_ms(), &e) == 0) {
		runs->of = id;
		pthread_mutex_lock(&n->lock);
		old = n->runs;
		n->runs = runs;
		pthread_mutex_unlock(&n->lock);
		runs_free(old);
	}
	client_reply_done(&r);
	return rc < 0 ? -1 : 0;
}

static void answer(struct net *n, struct net_answer *a)
{
	str_clean(a->err.msg);
	pthread_mutex_lock(&n->lock);
	if (n->n_answers < ASKS)
		n->answers[n->n_answers++] = *a;
	else
		json_free(a->json);
	pthread_mutex_unlock(&n->lock);
	wake(n->to_ui);
}

static void forget_data(struct net *n)
{
	drop_slots(n, 0);
	n->detail_of = n->runs_of = 0;
	n->detail_etag[0] = n->runs_etag[0] = '\0';
}

static void publish_session(struct net *n)
{
	pthread_mutex_lock(&n->lock);
	str_cut(n->state.master, sizeof(n->state.master), str_or(n->session.master, ""));
	str_cut(n->state.user, sizeof(n->state.user), str_or(n->session.user, ""));
	str_cut(n->state.role, sizeof(n->state.role), str_or(n->session.role, ""));
	str_cut(n->state.pin, sizeof(n->state.pin), str_or(n->session.pin, ""));
	pthread_mutex_unlock(&n->lock);
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
	struct client *c = NULL;
	struct err ignored;

	if (session_client(&fresh, &c, &a.err) || session_login(&fresh, c, s->password, &a.err)) {
		find_peer(&a, s);
		session_done(&fresh);
		client_free(c);
	} else {
		a.err.kind = ERR_NONE;
		session_done(&n->session);
		client_free(n->client);
		n->session = fresh;
		n->client = c;
		forget_data(n);
		publish_session(n);
		set_link(n, NET_LIVE);
		n->next_poll = 0;
		if (s->remember && session_save(&n->session, &ignored))
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

	if (!n->client)
		(void)err_set(&a.err, ERR_DENIED, "not signed in");
	else if (session_do(&n->session, n->client, &call, &r, &a.err) == 0)
		a.err.kind = ERR_NONE;
	else if (a.err.kind == ERR_NONE)
		a.err.kind = ERR_INTERNAL;
	a.status = r.status;
	a.json = TAKE(r.json);
	client_reply_done(&r);
	mem_wipe(ask, sizeof(*ask));
	if (!str_eq(call.method, "GET"))
		n->next_poll = 0; /* what changed is to be seen at once */
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
	if (n->retry)
		n->next_poll = 0;
	n->retry = false;
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

static void poll_all(struct net *n)
{
	int64_t start = clock_mono_ms(), cpu = thread_cpu_ms(), every;
	struct net_want want;
	enum net_link link;

	pthread_mutex_lock(&n->lock);
	want = n->want;
	link = n->state.link;
	pthread_mutex_unlock(&n->lock);
	every = want.every_ms ? want.every_ms : 1000;
	n->next_poll = start + every;
	if (!n->client || link == NET_OUT || link == NET_EXPIRED || (want.frozen && link == NET_LIVE))
		return;
	if (poll_detail(n, want.node) == 0 && poll_runs(n, want.runs_of) == 0 && poll_nodes(n) == 0) {
		every = interval(every, clock_mono_ms() - start, thread_cpu_ms() - cpu);
		n->next_poll = start + every;
	}
	pthread_mutex_lock(&n->lock);
	n->state.every_ms = every;
	pthread_mutex_unlock(&n->lock);
	wake(n->to_ui);
}

static void *run(void *arg)
{
	struct net *n = arg;

	for (;;) {
		struct pollfd p = {.fd = n->to_net, .events = POLLIN};
		int64_t left = n->next_poll - clock_mono_ms();
		bool stop;

		pthread_mutex_lock(&n->lock);
		stop = n->stop;
		pthread_mutex_unlock(&n->lock);
		if (stop)
			break;
		if (serve_ui(n))
			continue;
		if (left <= 0) {
			poll_all(n);
			continue;
		}
		if (poll(&p, 1, (int)left) > 0)
			drain(n->to_net);
	}
	return NULL;
}

/* ---- the UI's side */

int net_start(struct net **ret, struct session *s, struct err *e)
{
	static const int faults[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
	struct net *n = xcalloc(1, sizeof(*n));
	sigset_t all, before;
	int rc;

	pthread_mutex_init(&n->lock, NULL);
	n->to_ui = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->to_net = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->session = *s;
	*s = (struct session){0};
	publish_session(n);
	if (n->session.access && session_client(&n->session, &n->client, e) == 0)
		n->state.link = NET_LIVE;
	sigfillset(&all); /* signals are the UI thread's, but for those of a crash, which restore the terminal */
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&n->thread, NULL, run, n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc || n->to_ui < 0 || n->to_net < 0) {
		errno = rc;
		return err_sys(e, ERR_INTERNAL, "start the network thread");
	}
	*ret = n;
	return 0;
}

void net_stop(struct net *n)
{
	struct timespec until;

	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->stop = true;
	pthread_mutex_unlock(&n->lock);
	wake(n->to_net);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_WAIT_S;
	if (pthread_timedjoin_np(n->thread, NULL, &until))
		return; /* it hangs in a dead connection and ends with the process */
	drop_slots(n, 0);
	nodes_unref(n->nodes);
	detail_free(n->detail);
	runs_free(n->runs);
	for (size_t i = 0; i < n->n_answers; i++)
		json_free(n->answers[i].json);
	client_free(n->client);
	session_done(&n->session);
	close(n->to_ui);
	close(n->to_net);
	pthread_mutex_destroy(&n->lock);
	mem_wipe(n, sizeof(*n));
	free(n);
}

int net_fd(const struct net *n)
{
	return n->to_ui;
}

void net_clear(struct net *n)
{
	drain(n->to_ui);
}

void net_state(struct net *n, struct net_state *ret)
{
	pthread_mutex_lock(&n->lock);
	*ret = n->state;
	pthread_mutex_unlock(&n->lock);
}

void net_want(struct net *n, const struct net_want *w)
{
	bool now;

	pthread_mutex_lock(&n->lock);
	now = w->node != n->want.node || w->runs_of != n->want.runs_of;
	n->want = *w;
	n->retry |= now && n->state.link == NET_LIVE;
	pthread_mutex_unlock(&n->lock);
	if (now)
		wake(n->to_net);
}

void net_sign_in(struct net *n, const struct net_sign_in *s)
{
	pthread_mutex_lock(&n->lock);
	n->sign_in = *s;
	n->do_sign_in = true;
	pthread_mutex_unlock(&n->lock);
	wake(n->to_net);
}

void net_ask(struct net *n, const struct net_ask *a)
{
	pthread_mutex_lock(&n->lock);
	if (n->n_asks < ASKS)
		n->asks[n->n_asks++] = *a;
	pthread_mutex_unlock(&n->lock);
	wake(n->to_net);
}

void net_retry(struct net *n)
{
	pthread_mutex_lock(&n->lock);
	n->retry = true;
	pthread_mutex_unlock(&n->lock);
	wake(n->to_net);
}

struct nodes *net_take_nodes(struct net *n)
{
	struct nodes *v;

	pthread_mutex_lock(&n->lock);
	v = TAKE(n->nodes);
	pthread_mutex_unlock(&n->lock);
	return v;
}

struct detail *net_take_detail(struct net *n)
{
	struct detail *v;

	pthread_mutex_lock(&n->lock);
	v = TAKE(n->detail);
	pthread_mutex_unlock(&n->lock);
	return v;
}

struct runs *net_take_runs(struct net *n)
{
	struct runs *v;

	pthread_mutex_lock(&n->lock);
	v = TAKE(n->runs);
	pthread_mutex_unlock(&n->lock);
	return v;
}

bool net_take_answer(struct net *n, struct net_answer *ret)
{
	bool have;

	pthread_mutex_lock(&n->lock);
	have = n->n_answers > 0;
	if (have) {
		*ret = n->answers[0];
		n->n_answers--;
		memmove(n->answers, n->answers + 1, n->n_answers * sizeof(*n->answers));
	}
	pthread_mutex_unlock(&n->lock);
	return have;
}

void net_answer_done(struct net_answer *a)
{
	json_free(a->json);
	a->json = NULL;
}
