/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_ERR_H
#define FELLOE_ERR_H

#include <stdarg.h>

#include "shared/attr.h"

/*
 * The one way to fail. A fallible call returns 0, or -1 with *e filled. The
 * value lives on the caller's stack: no allocation, no global, thread-safe.
 * Kinds have stable meanings: they become exit codes of the programs
 * (err_exit_code) and HTTP statuses of the master (err_http_status); the table
 * is docs/errors.md.
 */
enum err_kind {
	ERR_NONE,     /* no error */
	ERR_USAGE,    /* wrong option or argument */
	ERR_CONFIG,   /* configuration file cannot be used */
	ERR_INVALID,  /* a value of a request or a file is not acceptable */
	ERR_IO,       /* local file or process failed */
	ERR_SPACE,    /* no room left: disk, storage limit */
	ERR_NET,      /* peer unreachable, connection lost, time-out: may be retried */
	ERR_DB,       /* a database server or the embedded store refused */
	ERR_STORAGE,  /* a storage answered with an error */
	ERR_DENIED,   /* credentials wrong or missing */
	ERR_FORBIDDEN, /* credentials right, not allowed */
	ERR_NOTFOUND, /* the named thing does not exist */
	ERR_CONFLICT, /* the thing is not in the state that the call needs */
	ERR_LIMIT,    /* larger or deeper than we accept */
	ERR_BUSY,     /* overloaded; try again later */
	ERR_LOCKED,   /* another run holds the lock */
	ERR_DAMAGED,  /* stored data does not agree with its digest or format */
	ERR_ABORTED,  /* ended by a signal or on request */
	ERR_INTERNAL, /* our own mistake */
	ERR_KINDS
};

enum { ERR_MSG_MAX = 512 };

struct err {
	enum err_kind kind;
	char msg[ERR_MSG_MAX];
};

/* Fill *e with kind and a formatted message; err_sys adds ": " and the text of
 * errno (and turns ENOSPC/EDQUOT into ERR_SPACE); err_wrap puts a formatted
 * context and ": " in front of what *e says already and keeps its kind. All
 * three are worth -1, so that a failing path is one line. e may be NULL when
 * the caller does not care. */
#define err_set(e, kind, ...) (err_fill((e), (kind), 0, __VA_ARGS__), -1)
#define err_sys(e, kind, ...) (err_fill((e), (kind), 1, __VA_ARGS__), -1)
#define err_wrap(e, ...) (err_prefix((e), __VA_ARGS__), -1)

void err_fill(struct err *e, enum err_kind kind, int with_errno, const char *fmt, ...) PRINTF(4, 5);
void err_prefix(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Stable lower-case name of a kind ("storage"), for logs and run reports. */
const char *err_name(enum err_kind kind);
/* Exit code of a program that ends with this kind (docs/errors.md). */
int err_exit_code(enum err_kind kind);
/* HTTP status of a reply that carries this kind (docs/errors.md). */
int err_http_status(enum err_kind kind);
/* The kind that an HTTP status of a peer stands for. 2xx gives ERR_NONE. */
enum err_kind err_from_http(int status);

#endif
