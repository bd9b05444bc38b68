/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/crypt.h"

#include <sodium.h>
#include <string.h>

#include "shared/str.h"

_Static_assert(CRYPT_KEY == crypto_box_PUBLICKEYBYTES && CRYPT_KEY == crypto_box_SECRETKEYBYTES, "X25519 keys");
_Static_assert(CRYPT_SEAL == crypto_box_SEALBYTES, "what a sealed box adds");
_Static_assert(CRYPT_LOCK == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "nonce and MAC of a secretbox");
_Static_assert(CRYPT_KEY == crypto_secretbox_KEYBYTES, "keys of a secretbox");
_Static_assert(CRYPT_PW_TEXT == crypto_pwhash_STRBYTES, "text of a password hash");

/* OWASP's floor for argon2id is 19 MiB; these are libsodium's "interactive" figures. */
static const unsigned long long passes = 2;
static const size_t memory = (size_t)64 << 20;

int crypt_init(struct err *e)
{
	if (sodium_init() < 0)
		return err_set(e, ERR_INTERNAL, "libsodium does not start");
	return 0;
}

void crypt_keypair(uint8_t pub[static CRYPT_KEY], uint8_t secret[static CRYPT_KEY])
{
	(void)crypto_box_keypair(pub, secret); /* cannot fail: random bytes and a multiplication */
}

int crypt_seal(uint8_t *out, const void *p, size_t n, const uint8_t pub[static CRYPT_KEY], struct err *e)
{
	if (crypto_box_seal(out, p, n, pub))
		return err_set(e, ERR_INVALID, "the public key cannot be used to seal");
	return 0;
}

int crypt_open(uint8_t *out, const void *p, size_t n, const uint8_t pub[static CRYPT_KEY],
	       const uint8_t secret[static CRYPT_KEY], struct err *e)
{
	if (n < CRYPT_SEAL || crypto_box_seal_open(out, p, n, pub, secret))
		return err_set(e, ERR_DAMAGED, "the sealed text is damaged or meant for another key");
	return 0;
}

void crypt_lock(uint8_t *out, const void *p, size_t n, const uint8_t key[static CRYPT_KEY])
{
	randombytes_buf(out, crypto_secretbox_NONCEBYTES);
	/* cannot fail below 2^64 bytes */
	(void)crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, p, n, out, key);
}

int crypt_unlock(void *out, const uint8_t *p, size_t n, const uint8_t key[static CRYPT_KEY], struct err *e)
{
	if (n < CRYPT_LOCK || crypto_secretbox_open_easy(out, p + crypto_secretbox_NONCEBYTES,
							 n - crypto_secretbox_NONCEBYTES, p, key))
		return err_set(e, ERR_DAMAGED, "the locked text is damaged or the key is another one");
	return 0;
}

int crypt_pw_hash(char out[static CRYPT_PW_TEXT], const char *password, struct err *e)
{
	if (crypto_pwhash_str(out, password, strlen(password), passes, memory))
		return err_set(e, ERR_BUSY, "no memory for the password hash (64 MiB)");
	return 0;
}

bool crypt_pw_verify(const char *hash, const char *password)
{
	char text[CRYPT_PW_TEXT] = ""; /* libsodium wants all its bytes */

	return str_copy(text, sizeof(text), hash) == 0 &&
	       crypto_pwhash_str_verify(text, password, strlen(password)) == 0;
}
