/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/calendar.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

/* A year of daily runs and some more; shorter periods than a day recover soon. */
enum { LOOK_AHEAD = 400, OUT_MAX = 1 << 20, EXPR_MAX = 200, CIVIL = 20 };

/* "2026-11-24 03:10:00" as it stood on a line */
struct civil {
	char at[CIVIL];
};
struct answer {
	char normalized[256];
	struct { LIST_OF(int64_t); } utc;
	struct { LIST_OF(struct civil); } local;
};

static void answer_done(struct answer *a)
{
	list_done(&a->utc);
	list_done(&a->local);
}

/* "Tue 2026-11-24 03:10:00 CET": the date and time within, "" when it is another thing. */
static const char *civil_of(const char *text, struct civil *ret)
{
	const char *space = strchr(text, ' ');

	ret->at[0] = '\0';
	if (!space || strlen(space + 1) < CIVIL - 1 || !isdigit((unsigned char)space[1]) || space[5] != '-' ||
	    space[14] != ':')
		return NULL;
	memcpy(ret->at, space + 1, CIVIL - 1);
	ret->at[CIVIL - 1] = '\0';
	return space + CIVIL;
}

static void add_utc(struct answer *a, const struct civil *c)
{
	char text[CLOCK_TEXT];
	int64_t ms;

	snprintf(text, sizeof(text), "%.10sT%.8sZ", c->at, c->at + 11);
	if (clock_parse(&ms, text) == 0)
		*list_push(&a->utc) = ms;
}

/* What systemd-analyze prints: "label: value" lines. In the zone UTC a time has
 * one line, in others a second one "(in UTC)" follows. */
static void parse_answer(const char *text, struct answer *ret)
{
	for (const char *l = text; *l; l += strcspn(l, "\n"), l += *l == '\n') {
		const char *colon = l + strcspn(l, ":\n"), *rest;
		char line[256];
		struct civil c;

		while (*l == ' ')
			l++;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(colon + (*colon == ':'), "\n"),
			 colon + (*colon == ':'));
		rest = line + strspn(line, " ");
		if (str_starts(l, "Normalized form:"))
			str_cut(ret->normalized, sizeof(ret->normalized), rest);
		if (!str_starts(l, "Next elapse:") && !str_starts(l, "Iter. #") && !str_starts(l, "(in UTC):"))
			continue;
		rest = civil_of(rest, &c);
		if (!rest)
			continue;
		if (*l != '(')
			*list_push(&ret->local) = c;
		if (*l == '(' || str_eq(rest, " UTC"))
			add_utc(ret, &c);
	}
}

/* Everything the child says on stdout and stderr; its wait status. */
static int collect(pid_t pid, int fd, struct buf *out, int *status, struct err *e)
{
	size_t got;
	int failed = 0;

	do {
		char *to = buf_room(out, 4096);

		if (!to)
			break;
		failed = fs_read_full(fd, to, 4096, &got, e);
		if (!failed)
			buf_grew(out, got);
	} while (!failed && got == 4096);
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, ERR_IO, "wait for systemd-analyze");
	return failed;
}

static int spawn_into(const char *const *argv, const char *const *env, int fd, pid_t *pid)
{
	posix_spawn_file_actions_t a;
	int rc;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&a, fd, 1);
	posix_spawn_file_actions_adddup2(&a, fd, 2);
	/* argv and env are not written to: POSIX says so, the type does not */
	rc = posix_spawnp(pid, argv[0], &a, NULL, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&a);
	return rc;
}

static int ask(struct answer *ret, const char *expr, const char *zone, unsigned n, struct err *e)
{
	CLEANUP(freep) char *iterations = xasprintf("--iterations=%u", n);
	CLEANUP(freep) char *tz = zone ? xasprintf("TZ=%s", zone) : NULL;
	const char *argv[] = {"systemd-analyze", "calendar", iterations, "--", expr, NULL};
	const char *env[] = {"LC_ALL=C", "PATH=/usr/local/bin:/usr/bin:/bin", "SYSTEMD_COLORS=0", tz, NULL};
	CLEANUP(buf_done) struct buf out;
	int fd[2], rc, status = 0;
	pid_t pid;

	buf_init(&out, OUT_MAX);
	if (pipe2(fd, O_CLOEXEC))
		return err_sys(e, ERR_IO, "pipe");
	rc = spawn_into(argv, env, fd[1], &pid);
	close(fd[1]);
	if (rc) {
		close(fd[0]);
		errno = rc;
		return err_sys(e, rc == ENOENT ? ERR_NOTFOUND : ERR_IO, "start systemd-analyze");
	}
	rc = collect(pid, fd[0], &out, &status, e);
	close(fd[0]);
	if (rc)
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return err_set(e, ERR_NOTFOUND, "systemd-analyze did not run; is systemd installed?");
	if (WEXITSTATUS(status))
		return err_set(e, ERR_INVALID, "\"%.100s\" is no calendar expression; write it like \"*-*-* 03:10\" or "
			       "\"Mon..Fri 04:00\" (systemd.time(7))", expr);
	parse_answer(out.p, ret);
	return 0;
}

/* The zone at the end of an expression ("… 03:10 Europe/Berlin", "… UTC"), cut
 * off from rest; "" when there is none. */
static void split_zone(const char *expr, char rest[static EXPR_MAX], char zone[static 64])
{
	char *last;

	str_cut(rest, EXPR_MAX, expr);
	zone[0] = '\0';
	last = strrchr(rest, ' ');
	if (!last || !(strchr(last, '/') || str_eq(last + 1, "UTC")) || strpbrk(last, "*:") ||
	    isdigit((unsigned char)last[1]))
		return;
	if (str_copy(zone, 64, last + 1))
		return;
	*last = '\0';
}

/* A time that the same expression has where no clock is ever changed, but not
 * here, does not exist here. Both lists rise. */
static const struct civil *left_out(const struct answer *here, const struct answer *steady)
{
	size_t i = 0;

	if (!here->local.n)
		return NULL;
	for (size_t k = 0; k < steady->local.n; k++) {
		const char *at = steady->local.v[k].at;

		if (strcmp(at, here->local.v[0].at) < 0)
			continue;
		while (i < here->local.n && strcmp(here->local.v[i].at, at) < 0)
			i++;
		if (i == here->local.n)
			return NULL;
		if (!str_eq(here->local.v[i].at, at))
			return &steady->local.v[k];
	}
	return NULL;
}

static int look_for_gap(struct calendar *ret, const char *expr, struct err *e)
{
	CLEANUP(answer_done) struct answer here = {0}, steady = {0};
	char rest[EXPR_MAX], zone[64];
	const struct civil *c;

	split_zone(expr, rest, zone);
	if (ask(&here, rest, *zone ? zone : NULL, LOOK_AHEAD, e) || ask(&steady, rest, "UTC", LOOK_AHEAD, e))
		return -1;
	c = left_out(&here, &steady);
	if (c)
		snprintf(ret->warning, sizeof(ret->warning),
			 "%.16s does not exist: the clocks are put forward, and systemd leaves "
			 "that run out; choose a time outside 02:00-03:00",
			 c->at);
	return 0;
}

int calendar_ask(struct calendar *ret, const char *expr, unsigned n, struct err *e)
{
	CLEANUP(answer_done) struct answer a = {0};

	*ret = (struct calendar){0};
	if (str_empty(expr) || strlen(expr) >= EXPR_MAX || strpbrk(expr, "\r\n"))
		return err_set(e, ERR_INVALID, "a calendar expression has 1 to %d characters on one line",
			       EXPR_MAX - 1);
	if (n < 1 || n > 1000)
		return err_set(e, ERR_INVALID, "%u next times: 1 to 1000 can be asked", n);
	if (ask(&a, expr, NULL, n, e))
		return -1;
	str_cut(ret->normalized, sizeof(ret->normalized), a.normalized);
	for (size_t i = 0; i < a.utc.n; i++)
		*list_push(&ret->next) = a.utc.v[i];
	return look_for_gap(ret, expr, e);
}

void calendar_done(struct calendar *c)
{
	list_done(&c->next);
}
