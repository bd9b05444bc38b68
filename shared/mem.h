/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MEM_H
#define FELLOE_MEM_H

#include <stddef.h>

#include "shared/attr.h"

/* Allocation that cannot fail: out of memory ends the process with a message
 * (systemd starts it again). Safe because every input has a cap. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
void *xmemdup(const void *p, size_t n);
char *xstrdup(const char *s);          /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* Overwrite n bytes so that the compiler cannot leave it out. */
void mem_wipe(void *p, size_t n);

/* CLEANUP(fn) type var = init;   runs fn(&var) when var leaves its scope.
 * TAKE(p) gives the pointer away and leaves NULL, as the last act before
 * success. Never together with longjmp or pthread_cancel. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define TAKE(p)                        \
	__extension__({                \
		__typeof__(p) t_ = (p); \
		(p) = NULL;            \
		t_;                    \
	})

/* Define X_freep for CLEANUP from X_free. */
#define DEFINE_FREEP(type, fn)                         \
	static inline UNUSED void fn##p(type **p) \
	{                                              \
		fn(*p);                                \
	}

void freep(void *p);       /* char *s = CLEANUP(freep) */
void fclosep(void *fp);    /* FILE *: closes when not NULL */
void closep(int *fd);      /* int fd: closes when >= 0 */

#endif
