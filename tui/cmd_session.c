/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/cmd_show.h"

static void wipe(char **s)
{
	if (*s)
		mem_wipe(*s, strlen(*s));
	freep(s);
}

static int password(char **ret, struct err *e)
{
	const char *file = getenv("FELLOE_PASSWORD_FILE");

	return cmd_secret(ret, file, "Password", false, e);
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
	if (cmd_ask(&answer, "Type the word trust to go on", false, e))
		return -1;
	if (!str_eq(answer, "trust"))
		return err_set(e, ERR_DENIED, "the key was not trusted; nothing was sent");
	c->session.pin = xstrdup(pin);
	client_free(c->client);
	c->client = NULL;
	return session_client(&c->session, &c->client, e);
}

/* The code of an authenticator, when the master wants one. */
static int sign_in(struct cmd *c, const char *secret, struct err *e)
{
	CLEANUP(wipe) char *code = NULL;
	bool wanted = false;

	if (session_login(&c->session, c->client, &(struct session_proof){secret, NULL, &wanted}, e) == 0)
		return 0;
	if (!wanted)
		return -1;
	if (cmd_secret(&code, getenv("FELLOE_OTP_FILE"), "One-time code", false, e))
		return -1;
	return session_login(&c->session, c->client, &(struct session_proof){secret, code, &wanted}, e);
}

static int login(struct cmd *c, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL;
	struct err first;

	if (!c->session.user && cmd_ask(&c->session.user, "User", false, e))
		return -1;
	if (password(&secret, e))
		return -1;
	if (sign_in(c, secret, e)) {
		first = *e;
		if (ask_trust(c, &first, e) || sign_in(c, secret, e))
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

/* ---- my own password and codes */

/* POST/PUT/DELETE on /auth/...; a new password answers tokens, which are kept. */
static int change_password(struct cmd *c, const char *old_file, const char *new_file, struct err *e)
{
	CLEANUP(wipe) char *old = NULL, *fresh = NULL;

	if (cmd_secret(&old, old_file, "Password", false, e) || cmd_secret(&fresh, new_file, "New password", true, e))
		return -1;
	if (session_password(&c->session, c->client, old, fresh, e))
		return -1;
	return c->session.in_file ? session_save(&c->session, e) : 0;
}

int cmd_password(int argc, char **argv)
{
	const char *old_file = getenv("FELLOE_PASSWORD_FILE"), *new_file = NULL;
	const struct opt more[] = {{.name = "new-file", .type = OPT_STR, .to = &new_file, .arg = "FILE",
				    .help = "The new password stands there (mode 600); else it is asked for."},
				   {0}};
	const struct cmd_spec spec = {"[--new-file FILE]", "Change your password; ends your other sessions.", more, 0, 0};
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, &spec, argc, argv, &e);

	if (rc == 0)
		rc = cmd_connect(&c, &e) || change_password(&c, str_empty(old_file) ? NULL : old_file, new_file, &e) ? -1 : 0;
	if (rc == 0 && !c.help)
		puts("The password is changed.");
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

static int totp_on(struct cmd *c, char **argv, void *opts, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL, *code = NULL;
	CLEANUP(json_freep) struct json *seed = NULL, *done = NULL;
	struct cmd_body b;

	(void)argv;
	(void)opts;
	if (cmd_secret(&secret, getenv("FELLOE_PASSWORD_FILE"), "Password", false, e))
		return -1;
	cmd_body_begin(&b);
	json_put_str(&b.o, "password", secret);
	if (cmd_send(c, "POST", "/auth/totp", &b, &seed, e))
		return -1;
	fprintf(stderr, "Secret for your authenticator:  %s\n%s\n", json_get_str(seed, "secret", "?"),
		json_get_str(seed, "uri", "?"));
	if (cmd_secret(&code, getenv("FELLOE_OTP_FILE"), "A code that it shows now", false, e))
		return -1;
	cmd_body_begin(&b);
	json_put_str(&b.o, "otp", code);
	if (cmd_send(c, "PUT", "/auth/totp", &b, &done, e))
		return -1;
	if (c->json) {
		cmd_print_json(done);
		return 0;
	}
	puts("One-time codes are on. Each of these replaces one code, once; they are shown now only:");
	for (const struct json *r = json_first(json_get(done, "recovery_codes")); r; r = json_next(r))
		printf("  %s\n", str_or(json_str(r), "?"));
	return 0;
}

static int totp_off(struct cmd *c, char **argv, void *opts, struct err *e)
{
	CLEANUP(wipe) char *secret = NULL, *code = NULL;
	struct cmd_body b;

	(void)argv;
	(void)opts;
	if (cmd_secret(&secret, getenv("FELLOE_PASSWORD_FILE"), "Password", false, e) ||
	    cmd_secret(&code, getenv("FELLOE_OTP_FILE"), "One-time or recovery code", false, e))
		return -1;
	cmd_body_begin(&b);
	json_put_str(&b.o, "password", secret);
	json_put_str(&b.o, "otp", code);
	if (cmd_send(c, "DELETE", "/auth/totp", &b, NULL, e))
		return -1;
	puts("One-time codes are off.");
	return 0;
}

int cmd_totp(int argc, char **argv)
{
	static const struct cmd_spec spec = {"on|off", "Sign in with one-time codes too (RFC 6238), or not any more.", NULL, 1, 1};
	static const struct cmd_sub subs[] = {{"on", "", 0, totp_on}, {"off", "", 0, totp_off}, {0}};

	return cmd_subs(argc, argv, &spec, subs, NULL);
}
