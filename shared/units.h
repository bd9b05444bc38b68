/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_UNITS_H
#define FELLOE_UNITS_H

#include <stdint.h>

enum { UNITS_TEXT = 24 };
/* Three digits and an IEC unit: "512 B", "3.10 KiB", "48.3 GiB". Returns text. */
char *units_bytes(char text[static UNITS_TEXT], uint64_t bytes);
/* The same in at most 6 cells for tables: "512", "3.1K", "48.3G". */
char *units_bytes_short(char text[static UNITS_TEXT], uint64_t bytes);
/* "158 MiB/s" */
char *units_rate(char text[static UNITS_TEXT], double bytes_per_second);
/* A number with its thousands apart: "12,345". */
char *units_thousands(char text[static UNITS_TEXT], uint64_t n);
/* A duration in at most 6 cells: "21s", "4m10s", "3h10", "2d". */
char *units_span(char text[static UNITS_TEXT], int64_t ms);
/* A rounded estimate for people: "about 7 min", "about 2 h", "less than 1 min". */
char *units_about(char text[static UNITS_TEXT], int64_t ms);

/* "1 table", "3 tables": the word for one, and for any other number, of at most 39 bytes each. */
enum { UNITS_COUNT = 64 };
char *units_count(char text[static UNITS_COUNT], uint64_t n, const char *one, const char *many);

#endif
