/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/net.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/net_in.h"

enum { STOP_WAIT_S = 1 };

void net_wake(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort(); /* an eventfd of ours cannot fail otherwise */
}

void net_drain(int fd)
{
	uint64_t n;

	while (read(fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

void net_drop_changes(struct net *n)
{
	for (; n->first_change < n->changes.n; n->first_change++)
		change_free(n->changes.v[n->first_change]);
	n->changes.n = n->first_change = 0;
}

void net_publish_session(struct net *n)
{
	pthread_mutex_lock(&n->lock);
	str_cut(n->state.master, sizeof(n->state.master), str_or(n->fetch.session.master, ""));
	str_cut(n->state.user, sizeof(n->state.user), str_or(n->fetch.session.user, ""));
	str_cut(n->state.role, sizeof(n->state.role), str_or(n->fetch.session.role, ""));
	str_cut(n->state.pin, sizeof(n->state.pin), str_or(n->fetch.session.pin, ""));
	pthread_mutex_unlock(&n->lock);
}

int net_start(struct net **ret, struct session *s, struct err *e)
{
	static const int faults[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
	struct net *n = xcalloc(1, sizeof(*n));
	sigset_t all, before;
	int rc;

	pthread_mutex_init(&n->lock, NULL);
	live_init(&n->live);
	n->to_ui = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->to_net = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	n->fetch.session = *s;
	*s = (struct session){0};
	net_publish_session(n);
	if (n->fetch.session.access && session_client(&n->fetch.session, &n->fetch.client, e) == 0)
		n->state.link = NET_LIVE;
	sigfillset(&all); /* signals are the UI thread's, but for those of a crash, which restore the terminal */
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigdelset(&all, faults[i]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&n->thread, NULL, net_run, n);
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
	net_wake(n->to_net);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += STOP_WAIT_S;
	if (pthread_clockjoin_np(n->thread, NULL, CLOCK_MONOTONIC, &until))
		return; /* it hangs in a dead connection and ends with the process */
	nodes_unref(n->nodes);
	net_drop_changes(n);
	list_done(&n->changes);
	detail_free(n->detail);
	runs_free(n->runs);
	alerts_free(n->alerts);
	for (size_t i = 0; i < n->n_answers; i++)
		json_free(n->answers[i].json);
	live_close(&n->live, n->fetch.client);
	live_done(&n->live);
	fetch_done(&n->fetch);
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
	net_drain(n->to_ui);
}

void net_state(struct net *n, struct net_state *ret)
{
	pthread_mutex_lock(&n->lock);
	*ret = n->state;
	pthread_mutex_unlock(&n->lock);
}

void net_want(struct net *n, const struct net_want *w)
{
	bool now, thaw;

	pthread_mutex_lock(&n->lock);
	now = w->node != n->want.node || w->runs_of != n->want.runs_of;
	thaw = w->frozen != n->want.frozen;
	n->want = *w;
	n->aimed |= now && n->state.link == NET_LIVE;
	pthread_mutex_unlock(&n->lock);
	if (now || thaw)
		net_wake(n->to_net);
}

void net_sign_in(struct net *n, const struct net_sign_in *s)
{
	pthread_mutex_lock(&n->lock);
	n->sign_in = *s;
	n->do_sign_in = true;
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_net);
}

void net_ask(struct net *n, const struct net_ask *a)
{
	pthread_mutex_lock(&n->lock);
	if (n->n_asks < NET_ASKS)
		n->asks[n->n_asks++] = *a;
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_net);
}

void net_retry(struct net *n)
{
	pthread_mutex_lock(&n->lock);
	n->retry = true;
	pthread_mutex_unlock(&n->lock);
	net_wake(n->to_net);
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

struct alerts *net_take_alerts(struct net *n)
{
	struct alerts *v;

	pthread_mutex_lock(&n->lock);
	v = TAKE(n->alerts);
	pthread_mutex_unlock(&n->lock);
	return v;
}

struct change *net_take_change(struct net *n)
{
	struct change *v = NULL;

	pthread_mutex_lock(&n->lock);
	if (!n->nodes && n->first_change < n->changes.n)
		v = n->changes.v[n->first_change++];
	if (n->first_change == n->changes.n)
		n->changes.n = n->first_change = 0;
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
