/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_SELFSIGN_H
#define FELLOE_SELFSIGN_H

#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Certificates: the file that knows libcrypto's X509. */

/* Make a P-256 key and a certificate for host (a name or an address; localhost
 * and loopback are added) that it signs itself, good for ten years: cert 0644,
 * key 0600. Existing files are not overwritten (ERR_CONFLICT). */
int selfsign(const char *cert_path, const char *key_path, const char *host, struct err *e) MUSTCHECK;
/* SHA-256 of the SubjectPublicKeyInfo of the first certificate in a PEM file. */
/* Is this the key of the (first) certificate in that file? ERR_CONFIG says what
 * is wrong. */
int cert_fits(const char *cert_path, const char *key_path, struct err *e) MUSTCHECK;
/* Seconds until it expires; negative: since. */
int cert_expires_s(const char *cert_path, int64_t *ret, struct err *e) MUSTCHECK;
int cert_spki(const char *cert_path, uint8_t spki[static 32], struct err *e) MUSTCHECK;
/* "sha256//BASE64" as CURLOPT_PINNEDPUBLICKEY takes it, and back. */
void spki_text(char text[static 64], const uint8_t spki[static 32]);
int spki_parse(uint8_t spki[static 32], const char *text) MUSTCHECK;

#endif
