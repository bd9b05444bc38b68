/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/svc_notify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "masterd/message.h"
#include "masterd/tbl_channel.h"
#include "masterd/vault.h"
#include "shared/clock.h"
#include "shared/http.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	LOOK_MS = 500,
	BATCH_MAX = 1000,         /* notices of one message */
	SETTLE_MS = 5000,         /* a storm is let come together first */
	RETRY_MS = 60 * 1000,
	RETRY_MAX_MS = 3600 * 1000,
	GIVE_UP_MS = 24 * 3600 * 1000,
	CONNECT_S = 10,
};

/* When a channel may be told next. */
struct pace {
	int64_t channel_id, next; /* monotonic ms */
	unsigned fails;
};

struct notifier {
	struct master *m;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t come;
	atomic_bool stopping;
	atomic_llong every_ms;    /* a channel gets one message in so long at most */
	struct channel_test *tests, **last; /* under the lock */
	struct http *http;
	struct { LIST_OF(struct pace); } paces;
};

/* ---- jobs that the thread waits for */

enum work { WORK_BATCH, WORK_TOLD, WORK_GIVE_UP };

struct noted {
	struct job job;           /* first */
	struct ticket ticket;
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
	enum work work;
	int64_t channel_id, last, now;
	size_t dropped;
	char batch[UUID_TEXT];
	const char *error;
};

static int run_noted(struct job *job, struct db *db, struct err *e)
{
	struct noted *v = (struct noted *)job;
	struct alert_channel c;
	int rc;

	if (v->work == WORK_BATCH)
		return tbl_delivery_batch(db, v->channel_id, v->last, v->batch, e);
	/* after a success or at the end of all patience they are gone */
	if ((v->work == WORK_GIVE_UP || !*v->error) && tbl_delivery_drop(db, v->batch, e))
		return -1;
	if (tbl_channel_told(db, v->channel_id, v->now, v->error, e))
		return -1;
	if (v->work != WORK_GIVE_UP)
		return 0;
	if (tbl_channel_get(db, v->channel_id, &c, e))
		return e->kind == ERR_NOTFOUND ? 0 : -1;
	c.dropped += (int64_t)v->dropped;
	rc = tbl_channel_put(db, &c, e);
	channel_done(&c);
	return rc;
}

static void wake_noted(struct ticket *t)
{
	struct noted *v = (struct noted *)((char *)t - offsetof(struct noted, ticket));

	pthread_mutex_lock(&v->lock);
	v->is_done = true;
	pthread_cond_signal(&v->done);
	pthread_mutex_unlock(&v->lock);
}

static int note(struct notifier *n, struct noted *v, struct err *e)
{
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->done, NULL);
	v->ticket.wake = wake_noted;
	ticket_open(&v->ticket);
	v->job.run = run_noted;
	v->job.ticket = &v->ticket;
	if (writer_put(n->m->writer, &v->job, e))
		return -1;
	if (ticket_park(&v->ticket)) {
		pthread_mutex_lock(&v->lock);
		while (!v->is_done)
			pthread_cond_wait(&v->done, &v->lock);
		pthread_mutex_unlock(&v->lock);
	}
	if (v->job.rc)
		*e = v->job.err;
	return v->job.rc;
}

/* ---- sending */

static int send_message(struct notifier *n, const struct alert_channel *c, const struct deliveries *l, const char *id,
			struct err *e)
{
	struct message msg = {.channel = c, .notices = l, .now = clock_ms(), .stop = &n->stopping};
	CLEANUP(freep) char *label = xasprintf("channel %lld", (long long)c->id);
	char *secrets = NULL;
	int rc;

	if (vault_open(&secrets, NULL, n->m->config->jwt_secret, label, c->sealed, e))
		return err_set(e, ERR_DAMAGED, "the secrets of the channel cannot be opened (was jwt_secret changed?): "
					       "give them again");
	str_cut(msg.id, sizeof(msg.id), id);
	msg.secrets = secrets;
	rc = message_send(&msg, n->http, e);
	mem_wipe(secrets, strlen(secrets));
	free(secrets);
	return rc;
}

static struct pace *pace_of(struct notifier *n, int64_t channel_id)
{
	struct pace *p;

	for (size_t i = 0; i < n->paces.n; i++)
		if (n->paces.v[i].channel_id == channel_id)
			return &n->paces.v[i];
	p = list_push(&n->paces);
	p->channel_id = channel_id;
	return p;
}

static int64_t patience(unsigned fails)
{
	int64_t ms = fails > 6 ? RETRY_MAX_MS : (int64_t)RETRY_MS << (fails - 1);

	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static void tell(struct notifier *n, const struct alert_channel *c, const struct deliveries *l, const char *batch)
{
	struct noted v = {.work = WORK_TOLD, .channel_id = c->id, .error = "", .dropped = l->n};
	struct pace *p = pace_of(n, c->id);
	struct err e = {0}, failed = {0};

	str_cut(v.batch, sizeof(v.batch), batch);
	if (send_message(n, c, l, batch, &failed)) {
		if (failed.kind == ERR_ABORTED)
			return;
		v.error = failed.msg;
		p->next = clock_mono_ms() + patience(++p->fails);
		if (clock_ms() - l->v[0].at >= GIVE_UP_MS)
			v.work = WORK_GIVE_UP;
		log_warn("channel %s: %s%s", c->name, failed.msg, v.work == WORK_GIVE_UP ? "; given up" : "");
	} else {
		p->fails = 0;
		p->next = clock_mono_ms() + atomic_load(&n->every_ms);
	}
	v.now = clock_ms();
	if (note(n, &v, &e))
		log_error("channel %s: %s", c->name, e.msg);
}

/* What waits for a channel, when it is time. */
static void serve(struct notifier *n, const struct alert_channel *c)
{
	int64_t settle = atomic_load(&n->every_ms) / 2;
	CLEANUP(deliveries_done) struct deliveries l = {0};
	struct noted v = {.work = WORK_BATCH, .channel_id = c->id};
	struct db *db = NULL;
	struct err e = {0};
	int rc;

	if (!c->enabled || !c->waiting || clock_mono_ms() < pace_of(n, c->id)->next)
		return;
	rc = db_pool_take(n->m->pool, &db, &e);
	if (!rc)
		rc = tbl_delivery_next(db, c->id, BATCH_MAX, &l, &e);
	db_pool_give(n->m->pool, db);
	if (settle > SETTLE_MS)
		settle = SETTLE_MS;
	if (!rc && l.n && !l.v[0].batch[0]) {
		if (clock_ms() - l.v[0].at < settle)
			return;
		v.last = l.v[l.n - 1].id;
		random_uuid(v.batch);
		rc = note(n, &v, &e);
	}
	if (rc && e.kind != ERR_BUSY)
		log_error("channel %s: %s", c->name, e.msg);
	else if (!rc && l.n)
		tell(n, c, &l, l.v[0].batch[0] ? l.v[0].batch : v.batch);
}

static void serve_all(struct notifier *n)
{
	CLEANUP(channels_done) struct channels list = {0};
	struct db *db = NULL;
	struct err e = {0};
	int rc;

	if (!atomic_load(&n->m->leads))
		return;
	rc = db_pool_take(n->m->pool, &db, &e);
	if (!rc)
		rc = tbl_channel_list(db, &list, &e);
	db_pool_give(n->m->pool, db);
	if (rc && e.kind != ERR_BUSY)
		log_error("channels: %s", e.msg);
	/* one after the other: who fails may take its 10 s when the others have been told */
	for (size_t i = 0; i < list.n && !rc && !atomic_load(&n->stopping); i++)
		if (!pace_of(n, list.v[i].id)->fails)
			serve(n, &list.v[i]);
	for (size_t i = 0; i < list.n && !rc && !atomic_load(&n->stopping); i++)
		if (pace_of(n, list.v[i].id)->fails)
			serve(n, &list.v[i]);
}

/* ---- tests */

static void run_test(struct notifier *n, struct channel_test *t)
{
	struct deliveries none = {0};
	struct noted v = {.work = WORK_TOLD, .channel_id = t->channel_id, .error = ""};
	struct alert_channel c;
	struct db *db = NULL;
	struct err e = {0};
	char id[UUID_TEXT];

	t->rc = db_pool_take(n->m->pool, &db, &t->err);
	if (!t->rc)
		t->rc = tbl_channel_get(db, t->channel_id, &c, &t->err);
	db_pool_give(n->m->pool, db);
	if (t->rc)
		return;
	t->rc = send_message(n, &c, &none, random_uuid(id), &t->err);
	if (t->rc)
		v.error = t->err.msg;
	v.now = clock_ms();
	if (note(n, &v, &e))
		log_error("channel %s: %s", c.name, e.msg);
	channel_done(&c);
}

static struct channel_test *take_test(struct notifier *n)
{
	struct channel_test *t;

	pthread_mutex_lock(&n->lock);
	t = n->tests;
	if (t && !(n->tests = t->next))
		n->last = &n->tests;
	pthread_mutex_unlock(&n->lock);
	return t;
}

void notifier_test(struct notifier *n, struct channel_test *t)
{
	bool late;

	t->next = NULL;
	pthread_mutex_lock(&n->lock);
	late = atomic_load(&n->stopping);
	if (!late) {
		*n->last = t;
		n->last = &t->next;
		pthread_cond_signal(&n->come);
	}
	pthread_mutex_unlock(&n->lock);
	if (late) {
		t->rc = err_set(&t->err, ERR_BUSY, "the master stops");
		ticket_done(t->ticket);
	}
}

/* ---- the thread */

static void nap(struct notifier *n)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&n->lock);
	if (!n->tests && !atomic_load(&n->stopping))
		pthread_cond_clockwait(&n->come, &n->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&n->lock);
}

static void *notifier_main(void *arg)
{
	struct notifier *n = arg;
	struct channel_test *t;

	while (!atomic_load(&n->stopping)) {
		/* one a round: notices do not wait for many tests of a channel that hangs */
		t = take_test(n);
		if (t) {
			run_test(n, t);
			ticket_done(t->ticket);
		}
		serve_all(n);
		nap(n);
	}
	while ((t = take_test(n))) {
		t->rc = err_set(&t->err, ERR_BUSY, "the master stops");
		ticket_done(t->ticket);
	}
	return NULL;
}

void notifier_every(struct notifier *n, int64_t seconds)
{
	atomic_store(&n->every_ms, seconds * 1000);
}

int notifier_new(struct notifier **ret, struct master *m, struct err *e)
{
	const struct http_opts opts = {.user_agent = "felloe-masterd", .connect_timeout_s = CONNECT_S};
	struct notifier *n = xcalloc(1, sizeof(*n));

	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->come, NULL);
	n->m = m;
	n->last = &n->tests;
	notifier_every(n, m->config->alerts.notice_every_s);
	if (http_new(&n->http, &opts, e)) {
		notifier_free(n);
		return -1;
	}
	if (pthread_create(&n->thread, NULL, notifier_main, n)) {
		notifier_free(n);
		return err_set(e, ERR_INTERNAL, "cannot start the thread that tells channels");
	}
	n->started = true;
	*ret = n;
	return 0;
}

void notifier_stop(struct notifier *n)
{
	if (!n || !n->started)
		return;
	pthread_mutex_lock(&n->lock);
	atomic_store(&n->stopping, true);
	pthread_cond_signal(&n->come);
	pthread_mutex_unlock(&n->lock);
	pthread_join(n->thread, NULL);
	n->started = false;
}

void notifier_free(struct notifier *n)
{
	if (!n)
		return;
	notifier_stop(n);
	http_free(n->http);
	list_done(&n->paces);
	pthread_cond_destroy(&n->come);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
