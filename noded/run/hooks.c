/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { LINE_LEN_MAX = 4096, POLL_MS = 100, KILL_AFTER_MS = 5000 };

void hook_argv_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

static void argv_freep(char ***argv)
{
	hook_argv_free(*argv);
}

int hook_argv(char ***ret, const char *line, struct err *e)
{
	CLEANUP(argv_freep) char **argv = xcalloc(strlen(line) / 2 + 2, sizeof(*argv));
	CLEANUP(buf_done) struct buf word;
	size_t n = 0;
	const char *p = line;

	buf_init(&word, LINE_LEN_MAX);
	for (p += strspn(p, " \t"); *p; p += strspn(p, " \t")) {
		char quote = 0;

		buf_reset(&word);
		for (; *p && (quote || !strchr(" \t", *p)); p++) {
			if (quote ? *p == quote : *p == '"' || *p == '\'')
				quote = quote ? 0 : *p;
			else
				buf_addc(&word, *p);
		}
		if (quote)
			return err_set(e, ERR_CONFIG, "hook \"%.100s\": the quote %c has no end", line, quote);
		if (buf_check(&word, "a word of a hook", e))
			return -1;
		argv[n++] = xstrdup(word.len ? word.p : "");
	}
	if (!n)
		return err_set(e, ERR_CONFIG, "a hook without a command");
	*ret = TAKE(argv);
	return 0;
}

/* What a child sees of our environment: no secret may slip through. */
static char **make_env(const struct hook_opts *o)
{
	static const char *const kept[] = {"PATH", "HOME", "LANG", "LC_ALL", "TZ"};
	char **env = xcalloc(ARRAY_LEN(kept) + 4, sizeof(*env));
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (getenv(kept[i]))
			env[n++] = xasprintf("%s=%s", kept[i], getenv(kept[i]));
	env[n++] = xasprintf("FELLOE_SITE=%s", o->site);
	env[n++] = xasprintf("FELLOE_RUN=%s", o->run);
	env[n++] = xasprintf("FELLOE_STATE_OF_RUN=%s", o->state);
	return env;
}

/* The child's output comes back in lines. */
static void give_lines(struct buf *b, const struct hook_opts *o, bool all)
{
	char *newline;

	while (b->len && ((newline = memchr(b->p, '\n', b->len)) != NULL || all)) {
		size_t n = newline ? (size_t)(newline - b->p) : b->len;
		CLEANUP(freep) char *line = xstrndup(b->p, n);

		str_clean(line);
		if (o->output)
			o->output(o->ctx, line);
		buf_drop(b, newline ? n + 1 : n);
	}
}

static bool read_some(int fd, struct buf *b, const struct hook_opts *o)
{
	char piece[1024];
	ssize_t n = read(fd, piece, sizeof(piece));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	if (b->len + (size_t)n > LINE_LEN_MAX)
		give_lines(b, o, true);
	buf_add(b, piece, (size_t)n);
	give_lines(b, o, false);
	return true;
}

static int describe(int status, const char *name, struct err *e)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return err_set(e, ERR_IO, "%s ended with exit code %d", name, WEXITSTATUS(status));
	return err_set(e, ERR_IO, "%s was ended by signal %d (%s)", name, WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* Until the child is gone; out is the reading end of its output. */
static int wait_child(pid_t pid, int out, const char *name, const struct hook_opts *o, struct err *e)
{
	CLEANUP(buf_done) struct buf lines;
	int64_t deadline = clock_mono_ms() + o->timeout_ms, kill_at = 0;
	bool open = true, stopped = false;
	int status = 0;
	pid_t gone;

	buf_init(&lines, 2 * LINE_LEN_MAX);
	for (;;) {
		struct pollfd p = {.fd = open ? out : -1, .events = POLLIN};
		int64_t now;

		if (poll(&p, 1, POLL_MS) > 0 && p.revents)
			open = read_some(out, &lines, o);
		gone = waitpid(pid, &status, WNOHANG);
		if (gone == pid || (gone < 0 && errno != EINTR))
			break;
		now = clock_mono_ms();
		if (!kill_at && ((o->stop && o->stop()) || now >= deadline)) {
			stopped = now < deadline;
			kill(-pid, SIGTERM);
			kill_at = now + KILL_AFTER_MS;
		} else if (kill_at && now >= kill_at) {
			kill(-pid, SIGKILL);
		}
	}
	/* what it wrote last; a grandchild may keep the pipe open, so without waiting */
	for (struct pollfd p = {.fd = out, .events = POLLIN}; open && poll(&p, 1, 0) > 0;)
		open = read_some(out, &lines, o);
	give_lines(&lines, o, true);
	if (stopped)
		return err_set(e, ERR_ABORTED, "%s was ended together with the run", name);
	if (kill_at)
		return err_set(e, ERR_IO, "%s took longer than %lld s and was ended", name,
			       (long long)(o->timeout_ms / 1000));
	return describe(status, name, e);
}

static void actions_done(posix_spawn_file_actions_t *a)
{
	posix_spawn_file_actions_destroy(a);
}

static void attr_done(posix_spawnattr_t *a)
{
	posix_spawnattr_destroy(a);
}

/* Start argv with in as stdin and out as stdout and stderr, in a process group
 * of its own, with no signal ignored. */
static int start(pid_t *ret, char *const *argv, int in, int out, const struct hook_opts *o, struct err *e)
{
	CLEANUP(argv_freep) char **env = make_env(o);
	CLEANUP(actions_done) posix_spawn_file_actions_t actions;
	CLEANUP(attr_done) posix_spawnattr_t attr;
	sigset_t all, none;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	errno = posix_spawnp(ret, argv[0], &actions, &attr, argv, env);
	if (errno)
		return err_sys(e, ERR_IO, "start %s", argv[0]);
	return 0;
}

int hook_feed(char *const *argv, const char *text, const struct hook_opts *o, struct err *e)
{
	CLEANUP(closep) int in = memfd_create("felloe-hook", MFD_CLOEXEC);
	CLEANUP(closep) int reading = -1;
	CLEANUP(closep) int writing = -1;
	int pipe_fds[2];
	pid_t pid;

	if (in < 0 || pipe2(pipe_fds, O_CLOEXEC))
		return err_sys(e, ERR_IO, "prepare %s", argv[0]);
	reading = pipe_fds[0];
	writing = pipe_fds[1];
	if (fs_write_all(in, text, strlen(text), e))
		return -1;
	if (lseek(in, 0, SEEK_SET) < 0)
		return err_sys(e, ERR_IO, "prepare %s", argv[0]);
	if (start(&pid, argv, in, writing, o, e))
		return -1;
	close(writing);
	writing = -1;
	return wait_child(pid, reading, argv[0], o, e);
}

int hooks_run(const struct strings *commands, const struct hook_opts *o, struct err *e)
{
	for (size_t i = 0; i < commands->n; i++) {
		CLEANUP(argv_freep) char **argv = NULL;

		if (hook_argv(&argv, commands->v[i], e) || hook_feed(argv, "", o, e))
			return err_wrap(e, "hook");
	}
	return 0;
}
