/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* kind -> name, exit code, HTTP status */
static const struct {
	const char *name;
	int exit_code;
	int http;
} kinds[ERR_KINDS] = {
	[ERR_NONE] = {"none", 0, 200},
	[ERR_USAGE] = {"usage", 2, 400},
	[ERR_CONFIG] = {"config", 2, 500},
	[ERR_INVALID] = {"invalid", 1, 422},
	[ERR_IO] = {"io", 1, 500},
	[ERR_SPACE] = {"space", 1, 507},
	[ERR_NET] = {"net", 1, 502},
	[ERR_DB] = {"db", 1, 500},
	[ERR_STORAGE] = {"storage", 1, 502},
	[ERR_DENIED] = {"denied", 5, 401},
	[ERR_FORBIDDEN] = {"forbidden", 5, 403},
	[ERR_NOTFOUND] = {"notfound", 1, 404},
	[ERR_CONFLICT] = {"conflict", 1, 409},
	[ERR_LIMIT] = {"limit", 1, 413},
	[ERR_BUSY] = {"busy", 1, 503},
	[ERR_LOCKED] = {"locked", 4, 409},
	[ERR_DAMAGED] = {"damaged", 1, 500},
	[ERR_ABORTED] = {"aborted", 1, 503},
	[ERR_INTERNAL] = {"internal", 1, 500},
};

void err_fill(struct err *e, enum err_kind kind, int with_errno, const char *fmt, ...)
{
	int saved = errno;
	size_t len;
	va_list ap;

	if (!e)
		return;
	e->kind = kind;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (!with_errno)
		return;
	if (saved == ENOSPC || saved == EDQUOT)
		e->kind = ERR_SPACE;
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror(saved));
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	size_t len;
	va_list ap;

	if (!e)
		return;
	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %.*s", (int)(sizeof(old) - 1), old);
}

const char *err_name(enum err_kind kind)
{
	return kind < ERR_KINDS ? kinds[kind].name : "internal";
}

int err_exit_code(enum err_kind kind)
{
	return kind < ERR_KINDS ? kinds[kind].exit_code : 1;
}

int err_http_status(enum err_kind kind)
{
	return kind < ERR_KINDS ? kinds[kind].http : 500;
}

enum err_kind err_from_http(int status)
{
	if (status >= 200 && status < 300)
		return ERR_NONE;
	switch (status) {
	case 400:
	case 422:
		return ERR_INVALID;
	case 401:
		return ERR_DENIED;
	case 403:
		return ERR_FORBIDDEN;
	case 404:
		return ERR_NOTFOUND;
	case 409:
		return ERR_CONFLICT;
	case 413:
		return ERR_LIMIT;
	case 429:
	case 503:
		return ERR_BUSY;
	case 507:
		return ERR_SPACE;
	default:
		return status >= 500 ? ERR_NET : ERR_INVALID;
	}
}
