/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noded/agent/request.h"
#include "noded/cmd.h"
#include "noded/run/catalogue.h"
#include "shared/clock.h"
#include "shared/daemon.h"
#include "shared/fs.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

/* felloe-noded request ID: carry out what the agent has taken from the master,
 * once. It runs the verb as a program of its own and keeps the outcome for the
 * agent, which may have ended meanwhile. */

enum { FILE_MAX = 128 * 1024, LOG_TAIL = 4096 };

struct work {
	const char *id;
	struct json *doc;        /* the file of the request */
	const struct json *request;
	struct strings argv;     /* of the verb */
	char *log;
	int64_t began;
};

static void work_done(struct work *w)
{
	json_free(w->doc);
	strings_done(&w->argv);
	free(w->log);
}

static void push(struct work *w, const char *text)
{
	strings_add(&w->argv, text);
}

/* An option with the value of a member of the request, when it is there. */
static void push_option(struct work *w, const char *option, const char *key)
{
	const char *value = json_get_str(w->request, key, "");

	if (!*value)
		return;
	push(w, option);
	push(w, value);
}

/* A restore goes where nothing is: a database with a new name, a folder of its own. */
static int push_restore(struct work *w, struct err *e)
{
	CLEANUP(freep) char *state = fs_state_dir("node");
	CLEANUP(freep) char *parent = xasprintf("%s/restored", state);
	CLEANUP(freep) char *dir = xasprintf("%s/%s", parent, w->id);
	const struct json *files = json_get(w->request, "files");

	if (fs_mkdirs(parent, 0700, e))
		return -1;
	push_option(w, "--at", "at");
	push_option(w, "--db", "db");
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		push(w, "--files");
		push(w, str_or(json_str(f), ""));
	}
	push(w, "--to-dir");
	push(w, dir);
	return 0;
}

static int make_argv(struct work *w, const struct cmd *c, struct err *e)
{
	const char *verb = json_get_str(w->request, "verb", "");
	const char *site = json_get_str(w->request, "site", "");

	push(w, "felloe-noded");
	push(w, verb);
	if (c->config_path) {
		push(w, "-c");
		push(w, c->config_path);
	}
	if (c->state) {
		push(w, "--state");
		push(w, c->state);
	}
	if (str_eq(verb, "backup")) {
		push(w, "--quiet");
		push(w, "--trigger");
		push(w, "request");
		push_option(w, "--timer", "timer");
	} else if (str_eq(verb, "verify")) {
		push_option(w, "--run", "run");
		if (json_get_bool(w->request, "full", false))
			push(w, "--full");
	} else if (str_eq(verb, "restore")) {
		if (push_restore(w, e))
			return -1;
	} else {
		return err_set(e, ERR_INVALID, "a request for \"%.20s\" is none for a program of its own", verb);
	}
	if (*site)
		push(w, site);
	*list_push(&w->argv) = NULL;
	w->argv.n--;
	return 0;
}

static int load(struct work *w, struct err *e)
{
	CLEANUP(freep) char *path = request_file(w->id, "json");
	CLEANUP(freep) char *out = request_file(w->id, "out");

	if (json_parse_file(&w->doc, path, FILE_MAX, e))
		return -1;
	w->request = json_get(w->doc, "request");
	w->log = request_file(w->id, "log");
	if (!str_eq(json_get_str(w->doc, "state", ""), "running") || fs_exists(out))
		return err_set(e, ERR_CONFLICT, "the request %s is %s: it is carried out once, by the agent's word", w->id,
			       fs_exists(out) ? "carried out already" : json_get_str(w->doc, "state", "of no state"));
	return 0;
}

/* The verb; its words go into the log of the request. Its exit code, or -1. */
static int run_verb(struct work *w, struct err *e)
{
	posix_spawn_file_actions_t a;
	int status = 0, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 1, w->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&a, 1, 2);
	rc = posix_spawn(&pid, "/proc/self/exe", &a, NULL, w->argv.v, environ);
	posix_spawn_file_actions_destroy(&a);
	if (rc) {
		errno = rc;
		return err_sys(e, ERR_IO, "start felloe-noded");
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, ERR_IO, "wait for felloe-noded");
		if (daemon_stopping())
			kill(pid, SIGTERM); /* it ends cleanly, and so do we */
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return err_set(e, ERR_ABORTED, "felloe-noded was ended by signal %d", WTERMSIG(status));
}

/* The last line that it wrote, without time and name. */
static void last_words(const struct work *w, char *text, size_t size)
{
	CLEANUP(closep) int fd = open(w->log, O_RDONLY | O_CLOEXEC);
	char tail[LOG_TAIL + 1], *line, *mark;
	struct err ignored;
	size_t got = 0;

	*text = '\0';
	if (fd < 0 || (lseek(fd, -LOG_TAIL, SEEK_END) < 0 && lseek(fd, 0, SEEK_SET) < 0) ||
	    fs_read_full(fd, tail, LOG_TAIL, &got, &ignored))
		return;
	while (got && strchr("\n ", tail[got - 1]))
		got--;
	tail[got] = '\0';
	line = strrchr(tail, '\n');
	line = line ? line + 1 : tail;
	mark = strstr(line, "felloe-noded: ");
	str_cut(text, size, mark ? mark + strlen("felloe-noded: ") : line);
	str_clean(text);
}

/* The run that came of it: the newest one that a request has begun since then. */
static void find_run(const struct work *w, char run[static UUID_TEXT])
{
	CLEANUP(catalogue_closep) struct catalogue *c = NULL;
	struct run_query q = {.limit = 10};
	struct wire_runs runs = {0};
	struct err ignored;

	*run = '\0';
	if (!str_eq(json_get_str(w->request, "verb", ""), "backup") || catalogue_open(&c, &ignored))
		return;
	if (json_get_str(w->request, "site", NULL))
		q.site = json_get_str(w->request, "site", NULL);
	if (catalogue_runs(c, &q, &runs, &ignored))
		return;
	for (size_t i = 0; i < runs.n && !*run; i++)
		if (runs.v[i].started >= w->began && str_eq(runs.v[i].trigger, "request"))
			str_cut(run, UUID_TEXT, runs.v[i].uuid);
	runs_done(&runs);
}

static int carry_out(struct work *w, const struct cmd *c, struct err *e)
{
	char reason[400] = "", run[UUID_TEXT];
	struct err why;
	int code;

	if (make_argv(w, c, e))
		return -1;
	w->began = clock_ms();
	code = run_verb(w, &why);
	if (code < 0)
		str_cut(reason, sizeof(reason), why.msg);
	else if (code || !str_eq(json_get_str(w->request, "verb", ""), "backup"))
		last_words(w, reason, sizeof(reason));
	find_run(w, run);
	return request_outcome(w->id, code < 0 ? 1 : code, reason, run, e) ? -1 : code < 0 ? 1 : code;
}

int cmd_request(int argc, char **argv)
{
	CLEANUP(work_done) struct work w = {0};
	CLEANUP(freep) char *lock = NULL;
	CLEANUP(closep) int fd = -1;
	struct cmd c = {0};
	const struct opt opts[] = {CMD_OPTS(c), {0}};
	int n, rc = cmd_start(&c, opts, argc, argv, &n);
	struct err e;

	if (rc >= 0)
		return rc;
	daemon_signals();
	if (n != 1 || !request_is_id(argv[1])) {
		err_fill(&e, ERR_USAGE, 0, "request wants the id of one that the agent has taken");
		return cmd_fail(&e);
	}
	w.id = argv[1];
	lock = request_file(w.id, "lock");
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB)) {
		err_fill(&e, ERR_LOCKED, 1, "%s", lock);
		return cmd_fail(&e);
	}
	if (load(&w, &e))
		return cmd_fail(&e);
	rc = carry_out(&w, &c, &e);
	if (rc < 0) {
		struct err ignored;

		if (request_outcome(w.id, 1, e.msg, "", &ignored))
			log_warn("%s", ignored.msg);
		return cmd_fail(&e);
	}
	return rc;
}
