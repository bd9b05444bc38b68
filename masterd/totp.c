/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/totp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"

enum { RECOVERY_LETTERS = 10 };

/* letters and digits that are not mistaken for each other */
static const char letters[] = "abcdefghjkmnpqrstuvwxyz023456789";

/* The code of a step (seconds since 1970 divided by 30). */
static void code_of(char code[static TOTP_DIGITS + 1], const uint8_t seed[static TOTP_SEED], int64_t step)
{
	uint8_t text[8], mac[SHA1_LEN];
	const uint8_t *at;
	uint32_t n;

	for (int i = 0; i < 8; i++)
		text[i] = (uint8_t)((uint64_t)step >> (8 * (7 - i)));
	hmac_sha1(mac, seed, TOTP_SEED, text, sizeof(text));
	/* RFC 4226 section 5.3: 31 bits from where the last half-byte points */
	at = mac + (mac[SHA1_LEN - 1] & 15);
	n = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
	snprintf(code, TOTP_DIGITS + 1, "%06" PRIu32, n % 1000000);
}

bool totp_fits(const uint8_t seed[static TOTP_SEED], const char *text, int64_t now_ms, int64_t last, int64_t *step)
{
	char given[TOTP_DIGITS + 1] = "", code[TOTP_DIGITS + 1];
	int64_t now = now_ms / 1000 / TOTP_STEP_S;
	size_t n = 0;
	bool fits = false;

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (n == TOTP_DIGITS || *text < '0' || *text > '9')
			return false;
		given[n++] = *text;
	}
	if (n != TOTP_DIGITS)
		return false;
	for (int64_t s = now - 1; s <= now + 1; s++) {
		code_of(code, seed, s);
		if (s > last && hash_equal(code, given, TOTP_DIGITS) && !fits) {
			*step = s;
			fits = true;
		}
	}
	return fits;
}

char *totp_base32(char text[static TOTP_TEXT], const uint8_t seed[static TOTP_SEED])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	size_t n = 0;
	int have = 0;

	/* 20 bytes are 32 digits of 5 bits exactly */
	for (size_t i = 0; i < TOTP_SEED; i++) {
		bits = bits << 8 | seed[i];
		for (have += 8; have >= 5; have -= 5)
			text[n++] = alphabet[bits >> (have - 5) & 31];
	}
	text[n] = '\0';
	return text;
}

char *totp_uri(const char *base32, const char *user)
{
	return xasprintf("otpauth://totp/Felloe:%s?secret=%s&issuer=Felloe&algorithm=SHA1&digits=%d&period=%d", user, base32,
			 TOTP_DIGITS, TOTP_STEP_S);
}

char *recovery_code(char text[static RECOVERY_TEXT])
{
	uint8_t random[RECOVERY_LETTERS];
	size_t n = 0;

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < RECOVERY_LETTERS; i++) {
		if (i == RECOVERY_LETTERS / 2)
			text[n++] = '-';
		text[n++] = letters[random[i] & 31];
	}
	text[n] = '\0';
	mem_wipe(random, sizeof(random));
	return text;
}

bool recovery_hash(uint8_t hash[static SHA256_LEN], const char *jwt_secret, int64_t account_id, const char *text)
{
	char code[RECOVERY_LETTERS + 1] = "", signed_text[64];
	size_t n = 0;
	int len;

	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;

		if (c == ' ' || c == '-')
			continue;
		if (n == RECOVERY_LETTERS || !strchr(letters, c))
			return false;
		code[n++] = c;
	}
	if (n != RECOVERY_LETTERS)
		return false;
	len = snprintf(signed_text, sizeof(signed_text), "felloe-recovery-1.%" PRId64 ".%s", account_id, code);
	hmac_sha256(hash, jwt_secret, strlen(jwt_secret), signed_text, (size_t)len);
	return true;
}
