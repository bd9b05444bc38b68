/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "noded/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "noded/agent/identity.h"
#include "noded/agent/join.h"
#include "noded/agent/link.h"
#include "noded/agent/outbox.h"
#include "noded/agent/request.h"
#include "noded/agent/send.h"
#include "noded/agent/storages.h"
#include "noded/agent/sysstat.h"
#include "noded/agent/timers.h"
#include "noded/run/catalogue.h"
#include "noded/run/pause.h"
#include "noded/run/progress.h"
#include "noded/run/reap.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	REFUSED_MS = 600 * 1000,  /* blocked or a key that is not known: ask every 10 minutes */
	STORAGES_MS = 60 * 1000,
	CLONE_MS = 60 * 1000,     /* another machine uses our key: until an admin has decided */
	BACKOFF_MAX_MS = 30 * 1000,
	REAP_MS = 60 * 1000,
	REAP_AGAIN_MS = 1800 * 1000, /* a storage that is away keeps remains: no word about them each minute */
	TRIM_FIRST_MS = 15 * 1000, /* by then it has connected and reported */
	LONG_POLL_S = 25,
};

struct agent {
	struct config *config;
	struct timespec config_changed;
	struct outbox *outbox;
	struct sysstat *sysstat;
	struct timers *timers;
	bool timers_missing;      /* said once */
	struct sender *sender;    /* NULL without a key */
	struct join *join;
	struct wire_sample last;  /* of the moment, sent with its runs and timers */
	struct wire_sample seen;  /* only its storages */
	bool fresh;               /* last has not been sent */
	bool denied;              /* the master does not know our key */
	bool pending;             /* a request to join waits */
	struct timespec key_changed;
	bool in_memory;           /* the outbox, until its disk has room again */
	int lock;                 /* one agent a state folder */
	int64_t next_sample, next_try, next_reap, next_trim, next_storages; /* monotonic ms */
	size_t dead;              /* status files without a process, at the last look */
	unsigned fails;
	char said[ERR_MSG_MAX];   /* the trouble with the master that was logged last */
	char said_key[ERR_MSG_MAX]; /* that with a new key */
	struct link link;
	struct requests *requests;
	char kept[ERR_MSG_MAX];   /* that with the outbox */
};

/* ---- saying each thing once, until it changes */

static void say(char said[static ERR_MSG_MAX], const char *text)
{
	if (str_eq(said, text))
		return;
	str_cut(said, ERR_MSG_MAX, text);
	if (*text)
		log_warn("%s", text);
}

static void status(const char *text)
{
	CLEANUP(freep) char *line = xasprintf("STATUS=%s", text);

	daemon_notify(line);
}

/* ---- samples */

/* Without systemd a timer that is paused is told of all the same. */
static void mark_paused(struct wire_sample *s)
{
	struct paused_list l;

	pause_list(&l);
	for (size_t i = 0; i < l.n; i++) {
		struct wire_timer *t = NULL;

		for (size_t k = 0; k < s->timers.n && !t; k++)
			if (str_eq(s->timers.v[k].name, l.v[i].timer))
				t = &s->timers.v[k];
		if (!t) {
			t = list_push(&s->timers);
			*t = (struct wire_timer){.exit_status = -1, .took_ms = -1, .spread_s = -1};
			str_cut(t->name, sizeof(t->name), l.v[i].timer);
		}
		t->paused = true;
	}
	list_done(&l);
}

static void add_timers(struct agent *a, struct wire_sample *s)
{
	struct wire_timers list = {0};
	struct err e;

	if (!a->timers && timers_open(&a->timers, &e)) {
		if (!a->timers_missing)
			log_info("%s", e.msg);
		a->timers_missing = true;
		return;
	}
	if (timers_list(a->timers, a->config, &list, &e)) {
		log_debug("%s", e.msg);
		timers_close(a->timers); /* systemd was restarted: connect anew next time */
		a->timers = NULL;
		return;
	}
	a->timers_missing = false;
	for (size_t i = 0; i < list.n; i++)
		*list_push(&s->timers) = list.v[i];
	list_done(&list);
}

static void add_runs(struct agent *a, struct wire_sample *s)
{
	struct wire_progresses list = {0};
	size_t dead;
	struct err e;

	s->active_backups = 0;
	if (progress_list(&list, &dead, &e)) {
		log_debug("%s", e.msg);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		*list_push(&s->runs) = list.v[i];
	s->active_backups = (int64_t)list.n;
	if (dead > a->dead)
		a->next_reap = 0; /* one more has died: its run is told as such at once */
	a->dead = dead;
	list_done(&list);
}

/* Looked at once a minute, told each time. */
static void add_storages(struct agent *a, struct wire_sample *s)
{
	if (clock_mono_ms() >= a->next_storages) {
		a->next_storages = clock_mono_ms() + STORAGES_MS;
		list_done(&a->seen.storages);
		storages_add(a->config, &a->seen);
	}
	for (size_t i = 0; i < a->seen.storages.n; i++)
		*list_push(&s->storages) = a->seen.storages.v[i];
}

static void take_sample(struct agent *a)
{
	struct err e;

	wire_sample_done(&a->last);
	sysstat_sample(a->sysstat, &a->last);
	str_cut(a->last.agent_version, sizeof(a->last.agent_version), PACKAGE_VERSION);
	add_timers(a, &a->last);
	mark_paused(&a->last);
	add_storages(a, &a->last);
	add_runs(a, &a->last);
	/* without room it is sent all the same, as long as the master is there to take it */
	if (outbox_put_sample(a->outbox, &a->last, &e) || outbox_depth(a->outbox, &a->last.outbox_depth, &e))
		say(a->kept, e.msg);
	else
		a->kept[0] = '\0';
	a->fresh = true;
}

static void sample_when_due(struct agent *a)
{
	int64_t now = clock_mono_ms(), period = a->config->heartbeat_s * 1000;

	if (now < a->next_sample || str_empty(a->config->master.url))
		return;
	take_sample(a);
	/* a fixed beat, unless the machine slept through some */
	a->next_sample += period;
	if (a->next_sample <= now || a->next_sample > now + period)
		a->next_sample = now + period;
}

/* Also called while an answer of the master is awaited: a slow master must not
 * make holes in the curves. */
static bool tick(void *ctx)
{
	sample_when_due(ctx);
	return daemon_stopping();
}

/* ---- the configuration */

static void drop_links(struct agent *a)
{
	sender_free(a->sender);
	a->sender = NULL;
	join_free(a->join);
	a->join = NULL;
	a->next_try = 0;
	a->fails = 0;
}

static struct timespec changed_at(const char *path)
{
	struct stat st;

	return stat(path, &st) ? (struct timespec){0} : st.st_mtim;
}

static void reload_when_changed(struct agent *a)
{
	struct timespec t = changed_at(a->config->path);
	struct problems problems = {0}, unknown = {0};
	struct config *c = NULL;
	struct err e;

	if (!daemon_take_hup() && t.tv_sec == a->config_changed.tv_sec && t.tv_nsec == a->config_changed.tv_nsec)
		return;
	a->config_changed = t;
	if (config_load(&c, a->config->path, &problems, &unknown, &e)) {
		log_error("the changed configuration is not used: %s", e.msg);
	} else {
		log_info("%s was read again", c->path);
		drop_links(a);
		config_free(a->config);
		a->config = c;
		a->next_sample = clock_mono_ms();
		a->next_storages = 0;
	}
	problems_done(&problems);
	problems_done(&unknown);
}

/* ---- the master */

/* Full jitter (M. Brooker, "Exponential Backoff And Jitter"): a fleet that lost
 * its master together must not come back together. */
static int64_t backoff(unsigned fails)
{
	int64_t top = fails > 5 ? BACKOFF_MAX_MS : 1000LL << (fails ? fails - 1 : 0);
	uint64_t r;

	random_bytes(&r, sizeof(r));
	if (top > BACKOFF_MAX_MS)
		top = BACKOFF_MAX_MS;
	return (int64_t)(r % (uint64_t)top) + 1;
}

static void failed(struct agent *a, const struct err *e)
{
	bool refused = e->kind == ERR_DENIED || e->kind == ERR_FORBIDDEN;
	int64_t pause = refused ? REFUSED_MS : e->kind == ERR_CONFLICT ? CLONE_MS : backoff(a->fails + 1);
	char text[ERR_MSG_MAX];

	if (e->kind == ERR_ABORTED)
		return;
	str_cut(text, sizeof(text), e->msg);
	if (e->kind == ERR_DENIED)
		snprintf(text, sizeof(text), "the master %.200s does not take the key of this node (%.200s); was the node "
			 "deleted there, its database lost, or an older copy of it restored? Run: felloe-noded join", a->config->master.url, e->msg);
	say(a->said, text);
	status(text);
	link_set(&a->link, link_of(e), text, a->config->master.url);
	a->fails += !refused;
	a->next_try = clock_mono_ms() + pause;
	if (e->kind == ERR_DENIED || e->kind == ERR_CONFLICT) { /* a new join may bring another key */
		a->denied = true;
		sender_free(a->sender);
		a->sender = NULL;
	}
}

static void worked(struct agent *a)
{
	if (a->said[0])
		log_info("the master answers again");
	if (a->said[0] || a->fails)
		status("connected");
	link_set(&a->link, a->sender ? LINK_CONNECTED : LINK_JOINING, a->join ? join_code(a->join) : "", a->config->master.url);
	a->said[0] = '\0';
	a->denied = false;
	a->fails = 0;
	a->next_try = 0;
}

/* A pending request goes on, whoever made it. */
static int go_on_joining(struct agent *a, struct err *e)
{
	struct join_opts o = {.config = a->config, .tick = tick, .ctx = a};
	char why[WIRE_TEXT];
	enum join_state state;

	if (!a->join && join_open(&a->join, &o, e))
		return -1;
	status(join_code(a->join));
	if (join_ask(a->join, LONG_POLL_S, &state, why, e))
		return -1;
	if (state == JOIN_PENDING)
		return 0;
	if (state == JOIN_ACTIVE) {
		log_info("approved: the key is saved");
		a->denied = false;
	} else {
		log_warn("%s", why);
	}
	join_free(a->join);
	a->join = NULL;
	return 0;
}

/* 0 and a sender, or 0 without one: no key yet. */
static int want_sender(struct agent *a, struct err *e)
{
	CLEANUP(freep) char *path = identity_key_file(a->config);
	struct send_opts o = {.config = a->config, .tick = tick, .ctx = a};
	char *key = NULL;
	int rc;

	if (a->sender || !fs_exists(path))
		return 0;
	if (fs_read_secret(&key, path, e))
		return -1;
	o.key = key;
	rc = sender_new(&a->sender, &o, e);
	mem_wipe(key, strlen(key));
	freep(&key);
	return rc;
}

/* The master gives this node a new key: it is stored before it is used, and
 * notice_join takes it up. Whatever ends us in between, one of the two is good. */
static void take_new_key(struct agent *a)
{
	CLEANUP(freep) char *path = identity_key_file(a->config);
	int64_t date;
	const char *sealed = json_get_str(sender_answer(a->sender, &date), "new_key", NULL);
	struct err e;

	if (!sealed)
		return;
	if (identity_renew_key(path, sealed, &e)) {
		say(a->said_key, e.msg);
		return;
	}
	a->said_key[0] = '\0';
	log_info("a new key from the master is saved in %s", path);
}

/* What the master asks for, and what it is to know of that. */
static int serve_requests(struct agent *a, struct err *e)
{
	int64_t date;
	const struct json *answer = sender_answer(a->sender, &date);

	requests_take(a->requests, a->config, json_get(answer, "requests"), date);
	if (requests_tell(a->requests, a->sender, e))
		return -1;
	requests_work(a->requests, a->config);
	return requests_tell(a->requests, a->sender, e);
}

static int send_all(struct agent *a, struct err *e)
{
	bool more = true;

	while (a->fresh && !daemon_stopping()) {
		a->fresh = false; /* tick may take another one while this is under way */
		struct wire_sample s = a->last;

		a->last = (struct wire_sample){0};
		int rc = sender_live(a->sender, a->outbox, &s, e);
		wire_sample_done(&s);
		if (rc)
			return -1;
		worked(a);
		take_new_key(a);
		if (serve_requests(a, e))
			return -1;
	}
	while (more && !a->fresh && !daemon_stopping())
		if (sender_backfill(a->sender, a->outbox, &more, e))
			return -1;
	return 0;
}

/* Whoever waits ten minutes because the master refused must not do so when
 * somebody has called felloe-noded join meanwhile. */
static void notice_join(struct agent *a)
{
	CLEANUP(freep) char *path = identity_key_file(a->config);
	struct timespec t = changed_at(path);
	bool pending = join_pending(a->config);

	if (pending == a->pending && t.tv_sec == a->key_changed.tv_sec && t.tv_nsec == a->key_changed.tv_nsec)
		return;
	a->pending = pending;
	a->key_changed = t;
	drop_links(a);
}

static void talk(struct agent *a)
{
	bool joining = a->denied && a->pending; /* the key at hand is worth nothing */
	struct err e;

	if (str_empty(a->config->master.url) || clock_mono_ms() < a->next_try)
		return;
	if (!joining && want_sender(a, &e)) {
		failed(a, &e);
	} else if (a->sender) {
		if (send_all(a, &e))
			failed(a, &e);
	} else if (a->pending) {
		if (go_on_joining(a, &e))
			failed(a, &e);
		else
			worked(a);
	} else {
		say(a->said, "this node has not joined its master yet; run felloe-noded join");
		status("not joined");
		link_set(&a->link, LINK_NOT_JOINED, "", a->config->master.url);
		a->next_try = a->next_sample;
	}
}

/* ---- the loop */

static void reap_say(void *ctx, const char *text)
{
	(void)ctx;
	log_info("%s", text);
}

static void try_outbox_file(struct agent *a)
{
	struct outbox *file = NULL;
	struct err ignored;

	if (!a->in_memory || outbox_open(&file, &ignored))
		return;
	outbox_close(a->outbox);
	a->outbox = file;
	a->in_memory = false;
	log_info("the outbox is on disk again");
}

/* Runs whose process is gone are set to aborted, and so reach the master. */
static void reap_when_due(struct agent *a)
{
	CLEANUP(catalogue_closep) struct catalogue *c = NULL;
	struct reaped r = {0};
	struct err e;

	if (clock_mono_ms() < a->next_reap)
		return;
	a->next_reap = clock_mono_ms() + REAP_MS;
	try_outbox_file(a);
	if (catalogue_open(&c, &e) || reap(a->config, c, reap_say, NULL, &r, &e))
		log_warn("%s", e.msg);
	if (r.left)
		a->next_reap = clock_mono_ms() + REAP_AGAIN_MS;
	if (r.runs)
		log_warn("runs without a process that are now aborted: %u", r.runs);
}

/* After the start and after each look for dead runs: neither recurs in a heartbeat. */
static void trim_when_due(struct agent *a)
{
	if (clock_mono_ms() < a->next_trim)
		return;
	a->next_trim = a->next_reap;
	daemon_trim();
}

static void sleep_until_due(const struct agent *a)
{
	struct pollfd p = {.fd = daemon_wake_fd(), .events = POLLIN};
	int64_t now = clock_mono_ms(), until = now + 5000;

	if (!str_empty(a->config->master.url) && a->next_sample < until)
		until = a->next_sample;
	if (a->next_try > now && a->next_try < until)
		until = a->next_try;
	if (a->join && a->next_try <= now)
		until = now + 200; /* a master without long poll must not be hammered */
	if (until > now && poll(&p, 1, (int)(until - now)) > 0)
		daemon_drain_wake();
}

static void agent_done(struct agent *a)
{
	drop_links(a);
	wire_sample_done(&a->last);
	wire_sample_done(&a->seen);
	timers_close(a->timers);
	requests_free(a->requests);
	sysstat_free(a->sysstat);
	if (a->outbox)
		outbox_close(a->outbox);
	closep(&a->lock);
	config_free(a->config);
}

/* The kernel gives the lock back when the process ends, however it ends. */
static int take_lock(struct agent *a, struct err *e)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(freep) char *path = xasprintf("%s/agent.lock", dir);

	if (fs_mkdirs(dir, 0700, e))
		return -1;
	a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock < 0)
		return err_sys(e, ERR_IO, "open %s", path);
	/* felloe-noded status holds it for an instant to see whether somebody has it */
	for (int i = 0; i < 10; i++) {
		if (flock(a->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		clock_sleep_ms(50);
	}
	if (errno != EWOULDBLOCK)
		return err_sys(e, ERR_IO, "lock %s", path);
	return err_set(e, ERR_LOCKED, "another agent works in %s (see systemctl status felloe-noded); two would report twice",
		       dir);
}

/* A disk without room must not silence the node: its owner is to see that it is full. */
static int open_outbox(struct agent *a, struct err *e)
{
	struct err why;

	if (outbox_open(&a->outbox, &why) == 0)
		return 0;
	if (why.kind != ERR_SPACE)
		return *e = why, -1;
	log_error("%s; until there is room nothing is kept while the master is away", why.msg);
	a->in_memory = true;
	return outbox_open_memory(&a->outbox, e);
}

int agent_run(struct config **c, struct err *e)
{
	CLEANUP(agent_done) struct agent a = {.config = TAKE(*c), .sysstat = sysstat_new(), .lock = -1};

	if (take_lock(&a, e) || open_outbox(&a, e))
		return -1;
	a.requests = requests_open();
	a.config_changed = changed_at(a.config->path);
	a.next_sample = clock_mono_ms();
	a.next_trim = a.next_sample + TRIM_FIRST_MS;
	if (str_empty(a.config->master.url))
		log_info("no master is configured: this node is on its own");
	reap_when_due(&a);
	sample_when_due(&a);
	daemon_notify("READY=1");
	while (!daemon_stopping()) {
		reload_when_changed(&a);
		notice_join(&a);
		sample_when_due(&a);
		talk(&a);
		reap_when_due(&a);
		trim_when_due(&a);
		sleep_until_due(&a);
	}
	daemon_notify("STOPPING=1");
	return 0;
}
