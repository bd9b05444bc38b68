/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_API_SESSION_H
#define FELLOE_API_SESSION_H

#include "masterd/master.h"
#include "masterd/req.h"
#include "masterd/svc_audit.h"
#include "masterd/svc_user.h"
#include "masterd/writer.h"

/* What the handlers share that check a password or begin and end sessions. */

/* A request about somebody's account on its way: first the password threads, then the writer. */
struct sign_in {
	struct job job;           /* first */
	struct master *m;
	struct actor actor;
	struct pw_work work;
	struct pw_work make;      /* a new password */
	struct user user;
	bool known;               /* there is such a user */
	struct session session;
	struct who who;
	int64_t now;
	char otp[OTP_TEXT];       /* "" none given */
	bool otp_wrong;
	int64_t turn;             /* of the refresh token that came */
	enum refresh worth;
	bool all;                 /* end all sessions */
	char text[TOTP_TEXT];     /* of a new seed */
	struct recovery_codes codes;
};
/* Becomes r->state; wiped and freed with the request. */
struct sign_in *sign_in_new(struct req *r);
/* Let the password threads check s->work.password against the user's hash (or nobody's); then runs after it. */
enum verdict sign_in_check(struct req *r, struct sign_in *s, req_fn *then);
/* A new session of s->user, written by the caller's run; s->who and s->session are set. */
void sign_in_session(struct sign_in *s, const char *peer);
/* For job.committed: the memory learns of s->session. */
void sign_in_committed(struct job *j);
/* 200 with the tokens of s->session. */
enum verdict sign_in_tokens(struct req *r, const struct sign_in *s);
/* 204. For handlers that change something and answer nothing: 204 or why not. */
enum verdict sign_in_done(struct req *r);

/* Reads the user with this name, or the person who asks when name is NULL; false: answered. An unknown name is fine (known). */
bool sign_in_user(struct req *r, struct sign_in *s, const char *name);
/* The person who asks, not a token; false: a 403 was set. */
bool sign_in_person(struct req *r);

/* ---- those who guess: wrong passwords and codes are counted by address and by account */

/* False: a 429 was set. An address from which the account is signed in is not held up by others. */
bool guess_allowed(struct req *r, const char *name, int64_t account_id);
/* known: there is an account with this name. Else log and trail do not tell it: it may be a password in the wrong field. */
void guess_failed(struct req *r, const char *name, bool known);
/* The same for one-time codes, 3 a minute an account. */
bool guess_otp_allowed(struct req *r, const char *name);
void guess_otp_failed(struct req *r, const char *name);

#endif
