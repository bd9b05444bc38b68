/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { OUTPUT_MAX = 4 << 20, ERRORS_MAX = 16 << 10 };

struct job {
	pid_t pid;
	int in, out, err; /* our ends; -1 closed */
	int epoll;        /* what the caller polls: any of the three */
	char *input;      /* may hold secrets: wiped */
	size_t input_len, input_sent;
	struct buf output, errors;
	size_t lines_given; /* bytes of output that on_line has had */
	bool running;
	int status;
	int64_t began, took;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The program beside our own one: an uninstalled build finds its own node. */
static char *find_program(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash, *path;

	if (n <= 0)
		return xstrdup(name);
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return xstrdup(name);
	path = xasprintf("%.*s/%s", (int)(slash - self), self, name);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	/* installed: the console in bin, the daemons in sbin */
	path = xasprintf("%.*s/../sbin/%s", (int)(slash - self), self, name);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return xstrdup(name);
}

static int spawn_piped(struct job *j, const struct job_opts *o, int child[3], struct err *e)
{
	CLEANUP(freep) char *program = find_program(o->argv[0]);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, child[i], i);
	posix_spawnattr_init(&attr);
	/* own group: Ctrl-C of the terminal is the wizard's business */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	r = posix_spawnp(&j->pid, program, &actions, &attr, (char *const *)(uintptr_t)o->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r) {
		errno = r;
		return err_sys(e, ERR_IO, "start %s (is it installed?)", program);
	}
	return 0;
}

static void watch(struct job *j, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.fd = fd};

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	epoll_ctl(j->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static struct job *job_new(const struct job_opts *o)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->in = j->out = j->err = -1;
	j->epoll = epoll_create1(EPOLL_CLOEXEC);
	j->input = o->input ? xmemdup(o->input, o->input_len) : NULL;
	j->input_len = o->input ? o->input_len : 0;
	buf_init(&j->output, OUTPUT_MAX);
	buf_init(&j->errors, ERRORS_MAX);
	j->began = clock_mono_ms();
	return j;
}

int job_start(struct job **ret, const struct job_opts *o, struct err *e)
{
	CLEANUP(job_freep) struct job *j = job_new(o);
	int in[2], out[2], err[2];
	int child[3];

	if (pipe2(in, O_CLOEXEC))
		return err_sys(e, ERR_IO, "make a pipe");
	j->in = in[1];
	CLEANUP(closep) int child_in = in[0];
	if (pipe2(out, O_CLOEXEC))
		return err_sys(e, ERR_IO, "make a pipe");
	j->out = out[0];
	CLEANUP(closep) int child_out = out[1];
	if (pipe2(err, O_CLOEXEC))
		return err_sys(e, ERR_IO, "make a pipe");
	j->err = err[0];
	CLEANUP(closep) int child_err = err[1];

	child[0] = child_in;
	child[1] = child_out;
	child[2] = child_err;
	if (spawn_piped(j, o, child, e))
		return -1;
	j->running = true;
	watch(j, j->out, EPOLLIN);
	watch(j, j->err, EPOLLIN);
	watch(j, j->in, EPOLLOUT);
	*ret = TAKE(j);
	return 0;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	if (j->running) {
		kill(j->pid, SIGTERM);
		waitpid(j->pid, NULL, 0);
	}
	close_end(&j->in);
	close_end(&j->out);
	close_end(&j->err);
	close_end(&j->epoll);
	mem_wipe(j->input, j->input_len);
	free(j->input);
	buf_done(&j->output);
	buf_done(&j->errors);
	free(j);
}

void job_freep(struct job **j)
{
	job_free(*j);
}

int job_fd(const struct job *j)
{
	return j->epoll;
}

static void feed(struct job *j)
{
	while (j->in >= 0 && j->input_sent < j->input_len) {
		ssize_t n = write(j->in, j->input + j->input_sent, j->input_len - j->input_sent);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			break; /* it does not read: its own message says why */
		j->input_sent += (size_t)n;
	}
	mem_wipe(j->input, j->input_len);
	close_end(&j->in);
}

static void drain(int *fd, struct buf *to)
{
	char part[8192];

	while (*fd >= 0) {
		ssize_t n = read(*fd, part, sizeof(part));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_end(fd);
			return;
		}
		buf_add(to, part, (size_t)n);
	}
}

static void give_lines(struct job *j, void (*on_line)(void *ctx, const char *line), void *ctx)
{
	char *at = j->output.p + j->lines_given, *end;

	while (on_line && (end = strchr(at, '\n'))) {
		CLEANUP(freep) char *line = xstrndup(at, (size_t)(end - at));

		j->lines_given += (size_t)(end - at) + 1;
		at = end + 1;
		on_line(ctx, line);
	}
}

bool job_poll(struct job *j, void (*on_line)(void *ctx, const char *line), void *ctx)
{
	int status;

	if (!j->running)
		return false;
	feed(j);
	drain(&j->out, &j->output);
	drain(&j->err, &j->errors);
	give_lines(j, on_line, ctx);
	/* a grandchild may hold the pipes open: the child's own end counts */
	if (waitpid(j->pid, &status, j->out < 0 && j->err < 0 ? 0 : WNOHANG) != j->pid)
		return true;
	drain(&j->out, &j->output);
	drain(&j->err, &j->errors);
	give_lines(j, on_line, ctx);
	j->running = false;
	j->took = clock_mono_ms() - j->began;
	j->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return false;
}

bool job_running(const struct job *j)
{
	return j->running;
}

int64_t job_ms(const struct job *j)
{
	return j->running ? clock_mono_ms() - j->began : j->took;
}

int job_status(const struct job *j)
{
	return j->status;
}

const char *job_output(const struct job *j)
{
	return j->output.p;
}

const char *job_errors(const struct job *j)
{
	return j->errors.p;
}

int job_json(const struct job *j, struct json **ret, struct err *e)
{
	struct err why;

	if (j->output.len && json_parse(ret, j->output.p, j->output.len, &why) == 0)
		return 0;
	if (j->errors.len)
		return err_set(e, ERR_IO, "%.*s", (int)strcspn(j->errors.p, "\n"), j->errors.p);
	return err_set(e, ERR_IO, "felloe-noded ended with status %d and said nothing", j->status);
}
