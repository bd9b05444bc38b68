/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_SESSION_H
#define FELLOE_TUI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/client.h"
#include "shared/err.h"

/* Who is signed in where. `felloe login` keeps it in XDG_CONFIG_HOME/felloe/session
 * (or ~/.config/felloe/session), mode 0600, never with a password. The console
 * keeps its tokens in memory and writes only master, user and pin there. */
struct session {
	char *master;   /* "https://master:8443" */
	char *pin;      /* "sha256//...", NULL */
	char *user, *role;
	char *access, *refresh; /* NULL: not signed in */
	int64_t expires; /* of access; ms */
	bool in_file;    /* the tokens are those of the file */
};

void session_done(struct session *s); /* wipes the tokens */
/* Another master, user or pin (those that are not NULL); tokens, and with another
 * master the pin too, are forgotten: they were for somebody else. */
void session_replace(struct session *s, const char *master, const char *user, const char *pin);
/* Reads the file; an absent one gives an empty session. A file that others may
 * read is refused. */
int session_load(struct session *ret, struct err *e) MUSTCHECK;
int session_save(const struct session *s, struct err *e) MUSTCHECK;
/* Forgets the tokens in the file; master, user and pin stay. */
int session_forget(struct err *e) MUSTCHECK;
/* Takes the settings and, with tokens, the access token. */
int session_client(const struct session *s, struct client **ret, struct err *e) MUSTCHECK;
/* POST /auth/login; fills access, refresh, expires, user and role. ERR_DENIED: wrong
 * user, password or code; *otp_wanted then says that the password was right and
 * a one-time code is missing or wrong. */
struct session_proof {
	const char *password;
	const char *otp;  /* NULL or "": none */
	bool *otp_wanted;
};
int session_login(struct session *s, struct client *c, const struct session_proof *p, struct err *e) MUSTCHECK;
/* PUT /auth/password; takes the tokens of the new session. */
int session_password(struct session *s, struct client *c, const char *before, const char *after,
		     struct err *e) MUSTCHECK;
/* A new access token, when this one ends soon or was refused. ERR_DENIED: sign in again. */
int session_renew(struct session *s, struct client *c, struct err *e) MUSTCHECK;
/* One exchange with a valid token: refreshed before it ends and once after a 401. */
struct session_call {
	const char *method, *path, *body, *etag; /* as client_do has them */
};
int session_do(struct session *s, struct client *c, const struct session_call *call, struct client_reply *ret,
	       struct err *e) MUSTCHECK;

#endif
