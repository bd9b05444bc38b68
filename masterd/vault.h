/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_VAULT_H
#define FELLOE_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Small secrets that the master must be able to read again (seeds of one-time
 * codes, secrets of alert channels), sealed for the database: a copy of the
 * database alone gives none of them away. The key is made from jwt_secret and a
 * label ("totp 7"): what was sealed under one label opens under no other, so
 * put the row's number in. A new jwt_secret makes all of them unreadable.
 *
 * The text is "v1." and the base64url of nonce and XSalsa20-Poly1305 box
 * (crypto_secretbox of libsodium): 58 characters and 4/3 of n. */

enum { VAULT_MAX = 64 * 1024 };

/* Yours. n at most VAULT_MAX. */
char *vault_seal(const char *jwt_secret, const char *label, const void *p, size_t n);
/* *ret is yours (wipe and free it), ended by a NUL that *n does not count; n may
 * be NULL. ERR_DAMAGED: changed, or sealed under another secret or label. */
int vault_open(char **ret, size_t *n, const char *jwt_secret, const char *label, const char *sealed,
	       struct err *e) MUSTCHECK;

#endif
