/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_TOTP_H
#define FELLOE_TOTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/hash.h"

/* One-time codes: RFC 6238 with SHA-1, steps of 30 s and 6 digits, which is what
 * every authenticator takes. */

enum { TOTP_SEED = 20, TOTP_STEP_S = 30, TOTP_DIGITS = 6, TOTP_TEXT = 33, RECOVERY_CODES = 8, RECOVERY_TEXT = 12 };

/* Does text hold the code of now, of the step before or of the one after, and is that step
 * above last (each code counts once)? Blanks in text are skipped. *step: whose code it is. */
bool totp_fits(const uint8_t seed[static TOTP_SEED], const char *text, int64_t now_ms, int64_t last, int64_t *step);
/* The seed in base32 (RFC 4648 section 6), without padding. */
char *totp_base32(char text[static TOTP_TEXT], const uint8_t seed[static TOTP_SEED]);
/* otpauth://totp/Felloe:USER?secret=...; yours. user is of str_is_name. */
char *totp_uri(const char *base32, const char *user);

/* A fresh recovery code: "abcde-fghjk", 10 of 32 letters and digits (50 bits). */
char *recovery_code(char text[static RECOVERY_TEXT]);
/* What is kept of it: HMAC-SHA256 under jwt_secret, for 50 bits are few for a
 * plain hash. Case, blanks and dashes of the text do not count. False: it cannot be one. */
bool recovery_hash(uint8_t hash[static SHA256_LEN], const char *jwt_secret, int64_t account_id, const char *text);

#endif
