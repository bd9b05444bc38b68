/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CLOCK_H
#define FELLOE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

/* Time is int64_t milliseconds since 1970 in UTC, everywhere. 0 means "never"
 * or "not known". */

/* Wall clock. When FELLOE_NOW (RFC 3339) is set at the first call the clock
 * stands still there: tests of screens need it. */
int64_t clock_ms(void);
/* Monotonic milliseconds, for intervals and deadlines. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
void clock_sleep_ms(unsigned ms);

enum { CLOCK_TEXT = 32 };
/* "2026-11-23T03:10:00Z", with ".123" when ms is not whole seconds (RFC 3339);
 * "" for 0. Returns text. */
char *clock_rfc3339(char text[static CLOCK_TEXT], int64_t ms);
/* Reads any RFC 3339 date-time with zone. 0 or -1. */
int clock_parse(int64_t *ret, const char *s) MUSTCHECK;
/* strftime(3) in UTC, or in the local zone. Returns text ("" when it does not fit). */
char *clock_format(char *text, size_t size, const char *fmt, int64_t ms) __attribute__((format(strftime, 3, 0)));
char *clock_format_local(char *text, size_t size, const char *fmt, int64_t ms) __attribute__((format(strftime, 3, 0)));

#endif
