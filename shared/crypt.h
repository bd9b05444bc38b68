/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CRYPT_H
#define FELLOE_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Sealed boxes and password hashes: the file that knows libsodium. */

enum { CRYPT_KEY = 32, CRYPT_SEAL = 48, CRYPT_LOCK = 40, CRYPT_PW_TEXT = 128 };

/* 0, or -1 when libsodium cannot start. Once, before threads. */
int crypt_init(struct err *e) MUSTCHECK;
/* An X25519 pair for crypto_box_seal. */
void crypt_keypair(uint8_t pub[static CRYPT_KEY], uint8_t secret[static CRYPT_KEY]);
/* crypto_box_seal: out holds n + CRYPT_SEAL. */
int crypt_seal(uint8_t *out, const void *p, size_t n, const uint8_t pub[static CRYPT_KEY], struct err *e) MUSTCHECK;
/* crypto_box_seal_open: out holds n - CRYPT_SEAL. ERR_DAMAGED when it is not for us. */
int crypt_open(uint8_t *out, const void *p, size_t n, const uint8_t pub[static CRYPT_KEY],
	       const uint8_t secret[static CRYPT_KEY], struct err *e) MUSTCHECK;

/* crypto_secretbox_easy with a random nonce in front: out holds n + CRYPT_LOCK. */
void crypt_lock(uint8_t *out, const void *p, size_t n, const uint8_t key[static CRYPT_KEY]);
/* Its reverse: out holds n - CRYPT_LOCK. ERR_DAMAGED when the key or a byte is wrong. */
int crypt_unlock(void *out, const uint8_t *p, size_t n, const uint8_t key[static CRYPT_KEY], struct err *e) MUSTCHECK;

/* argon2id, 2 passes over 64 MiB (crypto_pwhash_str): about 130 ms and 64 MiB:
 * the caller limits how many run at once. */
int crypt_pw_hash(char out[static CRYPT_PW_TEXT], const char *password, struct err *e) MUSTCHECK;
bool crypt_pw_verify(const char *hash, const char *password);

#endif
