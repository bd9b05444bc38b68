/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/agent/timers.h"
#include "noded/run/lock.h"
#include "noded/run/pause.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 128 * 1024, REASON_MAX = 500, START_MS = 30 * 1000 };
static const int64_t keep_ms = 30LL * 24 * 3600 * 1000;

enum state { ACCEPTED, REFUSED, RUNNING, DONE, FAILED, DROPPED, STATES };
/* As the master knows them; the last one is ours: it took the request back. */
static const char *const states[STATES] = {"accepted", "refused", "running", "done", "failed", "dropped"};

struct order {
	char id[UUID_TEXT];
	char verb[16], site[WIRE_NAME], timer[WIRE_NAME], run[UUID_TEXT], by[65];
	char *doc;             /* as it came */
	enum state state, told;
	bool was_told;         /* told counts */
	char reason[REASON_MAX], result[UUID_TEXT];
	int64_t taken, started;
	bool seen;             /* its process, alive */
	pid_t pid;             /* of one that we started, to be waited for; 0 none */
};
struct requests {
	LIST_OF(struct order *);
};

/* ---- on disk */

static char *request_dir(void)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");

	return xasprintf("%s/requests", dir);
}

char *request_file(const char *id, const char *ending)
{
	CLEANUP(freep) char *dir = request_dir();

	return xasprintf("%s/%s.%s", dir, id, ending);
}

bool request_is_id(const char *id)
{
	return strlen(id) == UUID_TEXT - 1 && id[strspn(id, "0123456789abcdef-")] == '\0';
}

static void order_free(struct order *r)
{
	free(r->doc);
	free(r);
}

static int save(const struct order *r, struct err *e)
{
	CLEANUP(freep) char *dir = request_dir();
	CLEANUP(freep) char *path = request_file(r->id, "json");
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_raw(&o, "request", r->doc);
	json_put_str(&o, "state", states[r->state]);
	json_put_str(&o, "told", r->was_told ? states[r->told] : NULL);
	json_put_str(&o, "reason", r->reason);
	json_put_str(&o, "run", r->result);
	json_put_time(&o, "taken", r->taken);
	json_put_time(&o, "started", r->started);
	json_end_obj(&o);
	return fs_mkdirs(dir, 0700, e) || buf_check(&b, path, e) || fs_write(path, b.p, b.len, 0600, e) ? -1 : 0;
}

static void keep(const struct order *r)
{
	struct err e;

	if (save(r, &e))
		log_warn("%s", e.msg);
}

static bool state_from(enum state *ret, const char *name)
{
	for (size_t i = 0; i < STATES; i++)
		if (str_eq(states[i], name)) {
			*ret = (enum state)i;
			return true;
		}
	return false;
}

/* The members of a request; false when it is none that we could carry out. */
static bool read_doc(struct order *r, const struct json *j)
{
	const char *id = json_get_str(j, "id", "");
	struct json_out o;
	struct buf b;

	if (!request_is_id(id))
		return false;
	str_cut(r->id, sizeof(r->id), id);
	str_cut(r->verb, sizeof(r->verb), json_get_str(j, "verb", ""));
	str_cut(r->site, sizeof(r->site), json_get_str(j, "site", ""));
	str_cut(r->timer, sizeof(r->timer), json_get_str(j, "timer", ""));
	str_cut(r->run, sizeof(r->run), json_get_str(j, "run", ""));
	str_cut(r->by, sizeof(r->by), json_get_str(j, "created_by", ""));
	str_clean(r->verb);
	str_clean(r->by);
	buf_init(&b, FILE_MAX / 2);
	json_out_init(&o, &b);
	json_put(&o, NULL, j);
	r->doc = buf_take(&b);
	return true;
}

static struct order *load(const char *path)
{
	CLEANUP(json_freep) struct json *j = NULL;
	struct order *r = xcalloc(1, sizeof(*r));
	struct err ignored;

	if (json_parse_file(&j, path, FILE_MAX, &ignored) || !read_doc(r, json_get(j, "request")) ||
	    !state_from(&r->state, json_get_str(j, "state", ""))) {
		order_free(r);
		return NULL;
	}
	r->was_told = state_from(&r->told, json_get_str(j, "told", ""));
	str_cut(r->reason, sizeof(r->reason), json_get_str(j, "reason", ""));
	str_cut(r->result, sizeof(r->result), json_get_str(j, "run", ""));
	r->taken = json_get_time(j, "taken");
	r->started = json_get_time(j, "started");
	return r;
}

static void forget(const struct order *r)
{
	static const char *const endings[] = {"json", "out", "log", "lock"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		CLEANUP(freep) char *path = request_file(r->id, endings[i]);

		unlink(path);
	}
}

static bool is_over(const struct order *r)
{
	return r->state != ACCEPTED && r->state != RUNNING;
}

struct requests *requests_open(void)
{
	struct requests *q = xcalloc(1, sizeof(*q));
	CLEANUP(freep) char *dir = request_dir();
	struct dirent *d;
	DIR *list = opendir(dir);

	while (list && (d = readdir(list))) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, d->d_name);
		struct order *r = str_ends(d->d_name, ".json") ? load(path) : NULL;

		if (r && is_over(r) && r->taken < clock_ms() - keep_ms) {
			forget(r);
			order_free(r);
		} else if (r) {
			*list_push(q) = r;
		}
	}
	if (list)
		closedir(list);
	return q;
}

void requests_free(struct requests *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->n; i++)
		order_free(q->v[i]);
	list_done(q);
	free(q);
}

/* ---- taken or refused */

static void refuse(struct order *r, const char *fmt, ...) PRINTF(2, 3);
static void refuse(struct order *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
	va_end(ap);
	r->state = REFUSED;
}

static bool allowed(const struct config *c, const char *verb)
{
	for (size_t i = 0; i < c->allow_requests.n; i++)
		if (str_eq(c->allow_requests.v[i], verb))
			return true;
	return false;
}

static void judge(struct order *r, const struct config *c, int64_t expires, int64_t now)
{
	static const char *const verbs[] = {"backup", "verify", "pause", "resume", "stop", "restore"};
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		known = known || str_eq(verbs[i], r->verb);
	r->state = ACCEPTED;
	if (!known)
		refuse(r, "this version of felloe-noded does not know the verb \"%s\"", r->verb);
	else if (!allowed(c, r->verb))
		refuse(r, "allow_requests in the configuration of this node does not name \"%s\"", r->verb);
	else if (expires <= now)
		refuse(r, "it has expired");
	else if (r->site[0] && !config_site(c, r->site))
		refuse(r, "this node has no site \"%s\"", r->site);
	else if (r->timer[0] && !config_timer(c, r->timer))
		refuse(r, "this node has no timer \"%s\"", r->timer);
	else if ((str_eq(r->verb, "stop") && !r->run[0]) || (str_eq(r->verb, "restore") && !r->site[0]))
		refuse(r, "it does not say what to %s", r->verb);
}

/* One that was taken before. A master that asks again, its database having been
 * put back, is told again what became of it. */
static bool is_known(struct requests *q, const char *id)
{
	for (size_t i = 0; i < q->n; i++)
		if (str_eq(q->v[i]->id, id)) {
			q->v[i]->was_told = false;
			return true;
		}
	return false;
}

void requests_take(struct requests *q, const struct config *c, const struct json *list, int64_t now)
{
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		struct order *r;
		struct err e;

		if (is_known(q, json_get_str(j, "id", "")))
			continue;
		r = xcalloc(1, sizeof(*r));
		r->taken = clock_ms();
		if (!read_doc(r, j)) {
			order_free(r);
			continue;
		}
		judge(r, c, json_get_time(j, "expires"), now ? now : clock_ms());
		/* what is not on disk would be done again after a restart: the next answer brings it once more */
		if (save(r, &e)) {
			log_warn("a request of the master is not taken: %s", e.msg);
			order_free(r);
			continue;
		}
		log_info("%s of the master asks for %s%s%s: %s%s%s", r->by, r->verb, r->site[0] ? " of " : "", r->site,
			 states[r->state], r->reason[0] ? ": " : "", r->reason);
		*list_push(q) = r;
	}
}

/* ---- the master is told */

static bool is_told(const struct order *r)
{
	return r->state == DROPPED || (r->was_told && r->told == r->state);
}

static int tell_one(struct order *r, struct sender *s, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("/node/requests/%s", r->id);
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;
	bool refused;

	buf_init(&b, 8192);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "state", states[r->state]);
	if (r->reason[0])
		json_put_strn(&o, "reason", r->reason, strlen(r->reason));
	if (r->result[0])
		json_put_str(&o, "run", r->result);
	json_end_obj(&o);
	if (!sender_put(s, path, b.p, &refused, e)) {
		r->told = r->state;
		r->was_told = true;
	} else if (!refused) {
		return -1;
	} else if (r->state == ACCEPTED) {
		log_info("%s is not carried out: %s", r->verb, e->msg);
		r->state = DROPPED;
	} else {
		log_warn("the master does not take the outcome of %s: %s", r->verb, e->msg);
		r->told = r->state;
		r->was_told = true;
	}
	keep(r);
	return 0;
}

int requests_tell(struct requests *q, struct sender *s, struct err *e)
{
	for (size_t i = 0; i < q->n; i++)
		if (!is_told(q->v[i]) && tell_one(q->v[i], s, e))
			return -1;
	return 0;
}

/* ---- carried out */

static void end(struct order *r, enum state state, const char *reason)
{
	r->state = state;
	str_cut(r->reason, sizeof(r->reason), reason);
	str_clean(r->reason);
	log_info("%s that %s of the master asked for: %s%s%s", r->verb, r->by, states[state], reason[0] ? ": " : "", r->reason);
	keep(r);
}

/* Small things that the agent does by itself. */
static bool do_here(struct order *r, const struct config *c)
{
	const char *timer = r->timer[0] ? r->timer : NULL;
	char by[128];
	struct err e;
	int rc;

	snprintf(by, sizeof(by), "%s of the master", r->by);
	if (str_eq(r->verb, "pause"))
		rc = pause_set(c, timer, by, &e);
	else if (str_eq(r->verb, "resume"))
		rc = pause_clear(timer, &e);
	else if (str_eq(r->verb, "stop"))
		rc = lock_stop(r->run, &e);
	else
		return false;
	end(r, rc ? FAILED : DONE, rc ? e.msg : "");
	return true;
}

/* A process of its own session, which outlives this one. */
static int spawn_detached(struct order *r, const struct config *c, struct err *e)
{
	CLEANUP(freep) char *state = fs_state_dir("node");
	char *argv[] = {(char *)(uintptr_t)"felloe-noded", (char *)(uintptr_t)"request", r->id, (char *)(uintptr_t)"-c", c->path,
			(char *)(uintptr_t)"--state", state, NULL};
	posix_spawn_file_actions_t a;
	posix_spawnattr_t at;
	int rc;

	if (str_ends(state, "/node"))
		state[strlen(state) - strlen("/node")] = '\0';
	if (str_eq(state, "/var/lib/felloe"))
		argv[5] = NULL;
	posix_spawn_file_actions_init(&a);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSID);
	rc = posix_spawn(&r->pid, "/proc/self/exe", &a, &at, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&at);
	if (rc) {
		r->pid = 0;
		errno = rc;
		return err_sys(e, ERR_IO, "start felloe-noded request");
	}
	return 0;
}

/* As a service of systemd we would take it along when we end: then it is a unit of its own. */
static int launch(struct order *r, const struct config *c, struct err *e)
{
	CLEANUP(timers_closep) struct timers *t = NULL;

	if (!getenv("INVOCATION_ID"))
		return spawn_detached(r, c, e);
	return timers_open(&t, e) || timers_start_request(t, r->id, e) ? -1 : 0;
}

static void start(struct order *r, const struct config *c)
{
	struct err e;

	r->state = RUNNING;
	r->started = clock_ms();
	/* from here on it is never begun again */
	if (save(r, &e)) {
		r->state = ACCEPTED;
		log_warn("%s waits: %s", r->verb, e.msg);
		return;
	}
	if (!do_here(r, c) && launch(r, c, &e))
		end(r, FAILED, e.msg);
}

static bool process_lives(const struct order *r)
{
	CLEANUP(freep) char *path = request_file(r->id, "lock");
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
}

static bool read_outcome(struct order *r)
{
	CLEANUP(freep) char *path = request_file(r->id, "out");
	CLEANUP(json_freep) struct json *j = NULL;
	struct err ignored;
	int64_t code;

	if (json_parse_file(&j, path, FILE_MAX, &ignored))
		return false;
	code = json_get_int(j, "exit", -1);
	str_cut(r->result, sizeof(r->result), json_get_str(j, "run", ""));
	end(r, code == 0 || code == 3 ? DONE : FAILED, json_get_str(j, "reason", ""));
	return true;
}

static void look_after(struct order *r)
{
	bool lives;

	if (r->pid > 0 && waitpid(r->pid, NULL, WNOHANG) == r->pid)
		r->pid = 0;
	lives = process_lives(r);
	r->seen = r->seen || lives;
	if (lives || read_outcome(r))
		return;
	/* it takes a moment to start; and what ended just now may have written after we looked */
	if (!r->seen && clock_ms() - r->started < START_MS)
		return;
	if (!read_outcome(r))
		end(r, FAILED, r->seen ? "it ended without a word: was it killed?" : "it did not start, or was killed");
}

void requests_work(struct requests *q, const struct config *c)
{
	for (size_t i = 0; i < q->n; i++) {
		struct order *r = q->v[i];

		if (r->state == RUNNING)
			look_after(r);
		else if (r->state == ACCEPTED && is_told(r))
			start(r, c);
	}
}

int request_outcome(const char *id, int exit_code, const char *reason, const char *run, struct err *e)
{
	CLEANUP(freep) char *path = request_file(id, "out");
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_int(&o, "exit", exit_code);
	json_put_strn(&o, "reason", reason, strlen(reason));
	json_put_str(&o, "run", run);
	json_end_obj(&o);
	return fs_write(path, b.p, b.len, 0600, e);
}
