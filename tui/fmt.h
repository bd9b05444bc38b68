/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TUI_FMT_H
#define FELLOE_TUI_FMT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

/* Texts of the screens about time and share. All return text. */
enum { FMT_TEXT = 48 };

/* "21s" "4m10s" "37m" "3h10" "11h" "2d": at most 5 cells up to 999 days. */
char *fmt_age(char text[static FMT_TEXT], int64_t ms);
/* "in 20m", "late 1d", "now"; "-" for 0. */
char *fmt_next(char text[static FMT_TEXT], int64_t at, int64_t now);
/* " 3h10 ago", "11h ago": numbers stand below each other; "never" for 0. */
char *fmt_ago(char text[static FMT_TEXT], int64_t at, int64_t now);
/* "0:42", "1:02:10" */
char *fmt_watch(char text[static FMT_TEXT], int64_t ms);
/* " 9%", "~55%", "  -" in four cells: stale marks it, NAN is "-". */
char *fmt_percent(char text[static FMT_TEXT], double percent, bool stale);
/* Wall-clock: "14:03 CET"; "Sun 23 14:23 CET"; "14:03:22 CET". utc: in UTC instead of the local zone. */
char *fmt_clock(char text[static FMT_TEXT], int64_t ms, bool utc);
char *fmt_day(char text[static FMT_TEXT], int64_t ms, bool utc);
/* "2026-11-20", for what may be long ago. */
char *fmt_date(char text[static FMT_TEXT], int64_t ms, bool utc);
char *fmt_seconds(char text[static FMT_TEXT], int64_t ms, bool utc);
/* "90s", "15m", "4h", "2d" to ms. -1: it is none, or more than 100 years. */
int fmt_span_from(int64_t *ret, const char *text) MUSTCHECK;
/* ", 2 DAMAGED": what follows the good news of a site; "" for none. */
char *fmt_damaged(char text[static FMT_TEXT], int64_t n);
/* "41 022": thousands apart. */
char *fmt_count(char text[static FMT_TEXT], int64_t n);
/* "5.1 / 7.8 GiB": both in the unit of the second. */
char *fmt_of(char text[static FMT_TEXT], int64_t part, int64_t whole);

#endif
