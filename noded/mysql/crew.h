/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_CREW_H
#define FELLOE_MYSQL_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "noded/mysql/load.h"
#include "shared/err.h"

/* Several connections that load members of rows side by side. One thread hands
 * members over in the order of the archive; each is loaded by one connection,
 * from its first bytes on. Memory is bounded: who hands over waits. The first
 * error ends all. */

struct crew;
struct crew_opts {
	const struct load_opts *load;  /* copied; create must be false */
	unsigned loaders;              /* 1.. */
	/* Asked while the caller's thread waits, at least 5 times a second: true ends all. */
	bool (*stop)(void *ctx);
	/* A member is loaded for good (and committed). From any loader's thread, several at once. May be NULL. */
	int (*loaded)(void *ctx, const char *member, struct err *e);
	void *ctx;
};
int crew_open(struct crew **ret, const struct crew_opts *o, struct err *e) MUSTCHECK;
/* What was not waited for is given up, statements that run are cut off. */
void crew_close(struct crew *c);
void crew_closep(struct crew **c);

/* A member of rows: begin, write as often as needed, then end, or fail when it is
 * damaged: it is then rolled back. A member TABLE.N.M.sql waits until those of TABLE.N
 * before it are loaded. size 0: not known. */
int crew_begin(struct crew *c, const char *member, uint64_t size, struct err *e) MUSTCHECK;
int crew_write(struct crew *c, const void *p, size_t n, struct err *e) MUSTCHECK;
int crew_end(struct crew *c, struct err *e) MUSTCHECK;
void crew_fail(struct crew *c);

/* Something else to be done on one of the connections, after what was handed over before has at least begun. Any thread
 * may ask, also from within loaded or another such call. */
typedef int crew_fn(void *ctx, struct load *l, struct err *e);
void crew_call(struct crew *c, crew_fn *fn, void *ctx);

/* Until all is done that was handed over. Gives the first error of all. */
int crew_wait(struct crew *c, struct err *e) MUSTCHECK;
/* Bytes of SQL that the server has taken so far. */
uint64_t crew_bytes(const struct crew *c);

#endif
