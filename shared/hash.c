/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/hash.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "shared/mem.h"

struct sha256 {
	EVP_MD_CTX *ctx;
};

static EVP_MD *sha256_md;
/* to be copied: naming the digest anew in each call would fetch it each time */
static EVP_MAC_CTX *hmac_of_sha256, *hmac_of_sha1;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

/* These calls fail only without memory or with a broken libcrypto: there is
 * nothing that a caller could do better than end. */
static void must(bool worked, const char *what)
{
	if (worked)
		return;
	fprintf(stderr, "libcrypto cannot do %s\n", what);
	abort();
}

static EVP_MAC_CTX *hmac_of(EVP_MAC *mac, char *digest)
{
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	must(ctx && EVP_MAC_CTX_set_params(ctx, params) == 1, "HMAC");
	return ctx;
}

static void fetch(void)
{
	char name256[] = "SHA256", name1[] = "SHA1";
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(sha256_md, "SHA-256");
	hmac_of_sha256 = hmac_of(mac, name256);
	hmac_of_sha1 = hmac_of(mac, name1);
	EVP_MAC_free(mac);
}

void sha256(uint8_t out[static SHA256_LEN], const void *p, size_t n)
{
	pthread_once(&fetched, fetch);
	must(EVP_Digest(p, n, out, NULL, sha256_md, NULL) == 1, "SHA-256");
}

struct sha256 *sha256_new(void)
{
	struct sha256 *h = xmalloc(sizeof(*h));

	pthread_once(&fetched, fetch);
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx && EVP_DigestInit_ex2(h->ctx, sha256_md, NULL) == 1, "SHA-256");
	return h;
}

void sha256_add(struct sha256 *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n) == 1, "SHA-256");
}

void sha256_end(struct sha256 *h, uint8_t out[static SHA256_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL) == 1, "SHA-256");
	must(EVP_DigestInit_ex2(h->ctx, sha256_md, NULL) == 1, "SHA-256");
}

void sha256_free(struct sha256 *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

struct bytes {
	const void *p;
	size_t n;
};

static void hmac(const EVP_MAC_CTX *of, uint8_t *out, size_t out_len, struct bytes key, struct bytes text)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(of);
	size_t len = 0;

	/* a NULL key means "as before" to libcrypto, so an empty one needs an address */
	must(ctx && EVP_MAC_init(ctx, key.n ? key.p : "", key.n, NULL) == 1 &&
		     EVP_MAC_update(ctx, text.p, text.n) == 1 && EVP_MAC_final(ctx, out, &len, out_len) == 1 &&
		     len == out_len,
	     "HMAC");
	EVP_MAC_CTX_free(ctx);
}

void hmac_sha256(uint8_t out[static SHA256_LEN], const void *key, size_t key_len, const void *p, size_t n)
{
	pthread_once(&fetched, fetch);
	hmac(hmac_of_sha256, out, SHA256_LEN, (struct bytes){key, key_len}, (struct bytes){p, n});
}

void hmac_sha1(uint8_t out[static SHA1_LEN], const void *key, size_t key_len, const void *p, size_t n)
{
	pthread_once(&fetched, fetch);
	hmac(hmac_of_sha1, out, SHA1_LEN, (struct bytes){key, key_len}, (struct bytes){p, n});
}

bool hash_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void random_bytes(void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0, "without random bytes of the kernel");
		at += got;
		n -= (size_t)got;
	}
}

char *random_uuid(char text[static UUID_TEXT])
{
	uint8_t b[16];
	char hex[33];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
	hex_encode(hex, b, sizeof(b));
	snprintf(text, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return text;
}

char *hex_encode(char *out, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(void *out, size_t n, const char *hex)
{
	uint8_t *b = out;

	if (!hex || strnlen(hex, 2 * n + 1) != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *encode(const void *p, size_t n, const char *alphabet, bool pad)
{
	const uint8_t *b = p;
	char *text = xmalloc((n + 2) / 3 * 4 + 1), *at = text;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)b[i] << 16 | (left > 1 ? (uint32_t)b[i + 1] << 8 : 0) | (left > 2 ? b[i + 2] : 0);

		*at++ = alphabet[v >> 18];
		*at++ = alphabet[v >> 12 & 63];
		if (left > 1)
			*at++ = alphabet[v >> 6 & 63];
		if (left > 2)
			*at++ = alphabet[v & 63];
		for (size_t k = left; pad && k < 3; k++)
			*at++ = '=';
	}
	*at = '\0';
	return text;
}

char *base64_encode(const void *p, size_t n)
{
	return encode(p, n, standard, true);
}

char *base64url_encode(const void *p, size_t n)
{
	return encode(p, n, url_safe, false);
}

/* Without padding. The bits that the last character has too many must be zero,
 * else two texts would stand for the same bytes. */
static int decode(uint8_t **ret, size_t *n, const char *text, size_t len, const char *alphabet)
{
	CLEANUP(freep) uint8_t *out = xmalloc(len / 4 * 3 + 3);
	size_t made = 0;
	uint32_t v = 0;
	unsigned bits = 0;

	if (len % 4 == 1)
		return -1;
	for (size_t i = 0; i < len; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;

		if (!at)
			return -1;
		v = v << 6 | (uint32_t)(at - alphabet);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		out[made++] = (uint8_t)(v >> bits);
		v &= (1U << bits) - 1;
	}
	if (v)
		return -1;
	*n = made;
	*ret = TAKE(out);
	return 0;
}

int base64_decode(uint8_t **ret, size_t *n, const char *text)
{
	size_t len = text ? strlen(text) : 1;

	if (len % 4)
		return -1;
	for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
		len--;
	return decode(ret, n, text, len, standard);
}

int base64url_decode(uint8_t **ret, size_t *n, const char *text, size_t len)
{
	return decode(ret, n, text, len, url_safe);
}
