/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd.h"

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
}

/* A line from the terminal; without echo for a secret. */
static int ask(char **ret, const char *question, bool secret, struct err *e)
{
	CLEANUP(wipe) char *line = NULL;
	struct termios before, quiet;
	size_t cap = 0;
	ssize_t n;

	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE, "%s: no terminal to ask at%s", question,
			       secret ? "; put the password into a file (mode 600) and name it in FELLOE_PASSWORD_FILE"
				      : "");
	fprintf(stderr, "%s: ", question);
	if (secret && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	n = getline(&line, &cap, stdin);
	if (secret) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (n <= 0)
		return err_set(e, ERR_ABORTED, "%s: nothing was given", question);
	line[strcspn(line, "\n")] = '\0';
	*ret = TAKE(line);
	return 0;
}

static int password(char **ret, struct err *e)
{
	const char *file = getenv("FELLOE_PASSWORD_FILE");

	return str_empty(file) ? ask(ret, "Password", true, e) : fs_read_secret(ret, file, e);
}

/* An unknown certificate is shown and asked about, never taken silently. */
static int ask_trust(struct cmd *c, const struct err *why, struct err *e)
{
	CLEANUP(wipe) char *answer = NULL;
	char pin[64];
	struct err ignored;

	if (why->kind != ERR_NET || !str_starts(c->session.master, "https://") ||
	    http_peer_pin(c->session.master, pin, &ignored) || str_eq(pin, c->session.pin))
		return -1;
	if (c->session.pin)
		return err_set(e, ERR_NET,
			       "the master's key is %s now, not the one trusted before, %s: somebody may be in "
			       "between; if it was renewed, give --pin with the new one",
			       pin, c->session.pin);
	if (!isatty(STDIN_FILENO))
		return err_set(e, ERR_NET,
			       "%s; its key is %s: if felloe-masterd init printed the same, give it with --pin",
			       why->msg, pin);
	fprintf(stderr, "No authority known here vouches for %s.\nIts key is %s\n"
		"felloe-masterd printed its key when it was set up: compare.\n", c->session.master, pin);
	if (ask(&answer, "Type the word trust to go on", false, e))
		return -1;
	if (!str_eq(answer, "trust"))
		return err_set(e, ERR_DENIED, "the key was not trusted; nothing was sent");
	c->session.pin = xstrdup(pin);
	client_free(c->client);
	c->client = NULL;
	return session_client(&c->session, &c->client, e);
}

static int login(struct cmd *c, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL;
	struct err first;

	if (!c->session.user && ask(&c->session.user, "User", false, e))
		return -1;
	if (password(&secret, e))
		return -1;
	if (session_login(&c->session, c->client, secret, e)) {
		first = *e;
		if (ask_trust(c, &first, e) || session_login(&c->session, c->client, secret, e))
			return -1;
	}
	c->session.in_file = true;
	return session_save(&c->session, e);
}

int cmd_login(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--master URL] [--user NAME] [--pin sha256//B64]",
					     "Sign in; the token is kept in ~/.config/felloe/session (0600).", NULL, 0,
					     0};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || login(&c, &e) ? -1 : 0;
	if (rc == 0 && !c.help)
		printf("Signed in to %s as %s (%s).\n", c.session.master, c.session.user,
		       str_or(c.session.role, "no role"));
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

int cmd_logout(int argc, char **argv)
{
	static const struct cmd_spec spec = {"", "Sign out: the master ends the session, the token is forgotten.", NULL,
					     0, 0};
	struct session_call call = {.method = "POST", .path = "/auth/logout"};
	struct err e = {0}, told = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0) {
		rc = cmd_connect(&c, &e);
		if (rc == 0 && c.session.access && cmd_call(&c, &call, NULL, &told))
			fprintf(stderr, "felloe logout: the master could not be told: %s\n", told.msg);
		rc = rc || session_forget(&e) ? -1 : 0;
	}
	if (rc == 0 && !c.help)
		puts("Signed out.");
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

int cmd_whoami(int argc, char **argv)
{
	static const struct cmd_spec spec = {"[--json]", "Show who is signed in where.", NULL, 0, 0};
	struct session_call call = {.method = "GET", .path = "/auth/me"};
	CLEANUP(json_freep) struct json *me = NULL;
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || cmd_call(&c, &call, &me, &e) ? -1 : 0;
	if (rc == 0 && !c.help && c.json)
		cmd_print_json(me);
	else if (rc == 0 && !c.help)
		printf("%s (%s) at %s\n",
		       json_get_str(me, "username", json_get_str(me, "name", str_or(c.session.user, "?"))),
		       json_get_str(me, "role", "?"), c.session.master);
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}
