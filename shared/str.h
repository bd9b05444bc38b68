/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STR_H
#define FELLOE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

/* Copy src with its NUL into dst of size bytes. Returns 0, or -1 when it does
 * not fit (dst is then the empty string): never cuts silently. */
int str_copy(char *dst, size_t size, const char *src) MUSTCHECK;
/* Copy as much as fits, ended by NUL, for texts where a cut does no harm. */
void str_cut(char *dst, size_t size, const char *src);
/* The same for texts that people read: what was cut ends with "…". size: 8 at least. */
void str_shorten(char *dst, size_t size, const char *src);

bool str_eq(const char *a, const char *b);        /* NULL equals only NULL */
bool str_ieq(const char *a, const char *b);       /* ASCII case ignored */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
bool str_empty(const char *s);                    /* NULL or "" */
const char *str_or(const char *s, const char *otherwise); /* s, or otherwise when empty */

/* Decimal number, whole string, within [min, max]. Returns 0 or -1; *ret is
 * untouched on failure. No sign, space or other prefix is accepted by u64. */
int str_to_u64(uint64_t *ret, const char *s, uint64_t min, uint64_t max) MUSTCHECK;
int str_to_i64(int64_t *ret, const char *s, int64_t min, int64_t max) MUSTCHECK;

/* A name of a site, timer or storage: [A-Za-z0-9][A-Za-z0-9._-]{0,63} */
bool str_is_name(const char *s);

/* The entry of words[0..n) nearest to s within distance 3, or NULL. */
const char *str_nearest(const char *s, const char *const *words, size_t n);
/* The same for the end of a message that says what s is not: "; did you mean \"WORD\"?", or "". */
struct str_hint { char text[300]; };
struct str_hint str_hint(const char *s, const char *const *words, size_t n);

/* True when s is valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_utf8_valid(const char *s, size_t len);
/* Replace, in place, bytes that a terminal must never get from a stranger (C0,
 * C1, bidi and zero-width controls, invalid UTF-8) by '?'. The one border
 * between foreign text and a screen or log. */
void str_clean(char *s);
/* True when str_clean would leave s as it is. */
bool str_is_clean(const char *s);
/* A code point that str_clean takes away: C0, DEL, C1, bidi embeddings and
 * isolates, zero-width and other invisible marks (Unicode 15 general category
 * Cf where it changes what a reader sees). */
bool str_is_control(uint32_t cp);
/* Length of the UTF-8 sequence at text (RFC 3629), 0 when it is not valid; the
 * code point goes to *cp. */
size_t str_utf8_decode(const char *text, size_t len, uint32_t *cp);

#endif
