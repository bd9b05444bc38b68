/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PWQ_H
#define FELLOE_PWQ_H

#include <stdbool.h>

#include "masterd/ticket.h"
#include "shared/attr.h"
#include "shared/crypt.h"
#include "shared/err.h"

/* Password checks and hashes on two threads of their own with a short queue: each takes
 * 64 MiB and about 130 ms, so they must never pile up on the HTTP threads. */
struct pwq;

enum { PW_MAX = 1024 };

struct pw_work {
	struct pw_work *next;
	char hash[CRYPT_PW_TEXT];  /* in: of the user; with make out: the new one */
	char password[PW_MAX + 1]; /* wiped when done */
	bool make;                 /* make a hash of password instead of checking it */
	bool fits;                 /* the answer: password and hash belong together */
	struct ticket *ticket;
};

/* Starts the threads; pwq_stop, then pwq_free. */
int pwq_new(struct pwq **ret, struct err *e) MUSTCHECK;
/* Ends after all that is queued; from then on pwq_put refuses. */
void pwq_stop(struct pwq *q);
void pwq_free(struct pwq *q);
/* -1 and ERR_BUSY when 32 wait already. */
int pwq_put(struct pwq *q, struct pw_work *w, struct err *e) MUSTCHECK;

#endif
