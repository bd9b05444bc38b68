/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_HASH_H
#define FELLOE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Digests, random bytes and their text forms: the file that knows libcrypto.
 * Algorithms are fetched once (OpenSSL 3 pays 12 % for each implicit fetch). */

enum { SHA256_LEN = 32, SHA256_HEX = 65, SHA1_LEN = 20, UUID_TEXT = 37 };

void sha256(uint8_t out[static SHA256_LEN], const void *p, size_t n);
struct sha256; /* streaming */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *h, const void *p, size_t n);
/* The digest of all so far; h starts anew. */
void sha256_end(struct sha256 *h, uint8_t out[static SHA256_LEN]);
void sha256_free(struct sha256 *h);
void hmac_sha256(uint8_t out[static SHA256_LEN], const void *key, size_t key_len, const void *p, size_t n);
/* For one-time codes (RFC 6238) alone: what the apps on telephones know. */
void hmac_sha1(uint8_t out[static SHA1_LEN], const void *key, size_t key_len, const void *p, size_t n);

/* Equal in constant time. */
bool hash_equal(const void *a, const void *b, size_t n);
/* Random bytes from the kernel (getrandom(2)). */
void random_bytes(void *p, size_t n);
/* RFC 9562 version 4, lower case. Returns text. */
char *random_uuid(char text[static UUID_TEXT]);

/* out holds 2n+1; lower case. Returns out. */
char *hex_encode(char *out, const void *p, size_t n);
/* Exactly n bytes from 2n hex digits, else -1. */
int hex_decode(void *out, size_t n, const char *hex) MUSTCHECK;
/* RFC 4648 section 4 (padded) and 5 (url, no padding); yours to free. */
char *base64_encode(const void *p, size_t n);
char *base64url_encode(const void *p, size_t n);
/* Strict decoders; *ret is yours, its length in *n. 0 or -1. */
int base64_decode(uint8_t **ret, size_t *n, const char *text) MUSTCHECK;
int base64url_decode(uint8_t **ret, size_t *n, const char *text, size_t len) MUSTCHECK;

#endif
