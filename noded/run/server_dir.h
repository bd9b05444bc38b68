/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SERVER_DIR_H
#define FELLOE_SERVER_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "shared/err.h"

/* The directory of a private database server: everything that it writes. It is
 * locked as long as somebody looks after the server, so whoever meets an unlocked
 * one knows that it was left by processes that are gone. */

/* As whom the server runs. */
struct server_user {
	char name[64];  /* "" as whoever we are */
	uid_t uid;
	gid_t gid;
};

struct server_dir {
	char *path;
	int lock;       /* to be held by who looks after the server; closed at exec */
};
/* A new directory below base (made when missing), for u alone, with data/ and tmp/ in
 * it. ERR_CONFLICT when u cannot reach it. */
int server_dir_new(struct server_dir *ret, const char *base, const struct server_user *u, struct err *e) MUSTCHECK;
/* Close the lock; the directory stays. */
void server_dir_done(struct server_dir *d);
/* Everything in the directory and itself, symbolic links not followed. */
int server_dir_remove(const char *path, struct err *e) MUSTCHECK;
/* Remove what dead runs left below base, and first end the servers that still run there. What server_dir_new did
 * not make is left alone, whatever it is called. */
void server_dir_sweep(const char *base, void (*say)(void *ctx, const char *text), void *ctx);

#endif
