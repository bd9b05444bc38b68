/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JWT_H
#define FELLOE_JWT_H

#include <stdint.h>

#include "shared/attr.h"
#include "shared/err.h"

/* Access tokens: JSON Web Tokens (RFC 7519) with HS256 and nothing else. The
 * header is one constant text that a token must repeat byte for byte, so the
 * algorithm is never taken from the token (RFC 8725 section 3.1). */

enum { JWT_NAME = 65, JWT_SID = 45 };

struct jwt {
	char sub[JWT_NAME];   /* user name */
	char role[16];
	char sid[JWT_SID];    /* session */
	int64_t iat, exp;     /* seconds since 1970 */
};

/* The token's text; yours. */
char *jwt_make(const struct jwt *j, const char *secret);
/* Read and check signature, exp, nbf, iss and aud against now (seconds). Any
 * failure is ERR_DENIED and says no more than a stranger may know. */
int jwt_read(struct jwt *ret, const char *token, const char *secret, int64_t now, struct err *e) MUSTCHECK;

#endif
