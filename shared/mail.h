/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MAIL_H
#define FELLOE_MAIL_H

#include <stdatomic.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* One mail over SMTP (RFC 5321), by libcurl. */
enum mail_tls {
	MAIL_STARTTLS, /* refused when the server does not offer it */
	MAIL_TLS,      /* from the first byte ("smtps") */
	MAIL_PLAIN,
};

struct mail {
	const char *host;
	unsigned port;
	enum mail_tls tls;
	const char *ca_file;         /* NULL: the system's */
	const char *user, *password; /* NULL: without */
	const char *from;            /* address alone */
	const char *const *to;       /* NULL-ended */
	const char *subject, *text;  /* UTF-8 */
	const char *id;              /* of the Message-ID, in front of the @ */
	int64_t date;                /* ms */
	unsigned timeout_s;          /* of the whole exchange */
	const atomic_bool *stop;     /* give up when it becomes true; NULL never */
};

/* ERR_INVALID when an address or the subject holds a line break, ERR_DENIED for
 * user and password, ERR_ABORTED by stop, else ERR_NET: the text names
 * host:port and never a secret. */
int mail_send(const struct mail *m, struct err *e) MUSTCHECK;

#endif
