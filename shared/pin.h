/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PIN_H
#define FELLOE_PIN_H

#include "shared/attr.h"

enum { PIN_TEXT = 64 };
/* "sha256//BASE64": the digest of the public key (SubjectPublicKeyInfo) inside the
 * first certificate of a PEM text; what curl's --pinnedpubkey takes. 0, or -1
 * when there is none that can be read. */
int pin_of_pem(const char *pem, char pin[static PIN_TEXT]) MUSTCHECK;

#endif
