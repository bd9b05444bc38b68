/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens: as they come, and with a right signature below any claims. */
#include "masterd/jwt.c"

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static const char *const seeds[] = {
	"{\"sub\":\"admin\",\"role\":\"super_admin\",\"sid\":\"AAAA\",\"iss\":\"felloe-masterd\",\"aud\":\"felloe\",\"iat\":1,\"exp\":9999999999}",
	"{\"sub\":\"\",\"exp\":1e300}", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30.",
};

void fuzz_begin(void)
{
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(freep) char *as_is = xcalloc(1, n + 1);
	CLEANUP(freep) char *claims = base64url_encode(p, n);
	struct jwt made = {.sub = "x", .role = "viewer", .sid = "s", .iat = 1, .exp = INT64_C(9999999999)};
	CLEANUP(freep) char *good = jwt_make(&made, secret);
	CLEANUP(freep) char *head = xstrndup(good, strcspn(good, "."));
	CLEANUP(freep) char *text = xasprintf("%s.%s", head, claims);
	CLEANUP(freep) char *mac = NULL, *token = NULL;
	uint8_t digest[SHA256_LEN];
	struct jwt j;
	struct err e;

	memcpy(as_is, p, n);
	if (!jwt_read(&j, as_is, secret, 1000, &e) && !strstr(as_is, head))
		abort(); /* nobody signs that by chance */
	hmac_sha256(digest, secret, strlen(secret), text, strlen(text));
	mac = base64url_encode(digest, sizeof(digest));
	token = xasprintf("%s.%s", text, mac);
	if (!jwt_read(&j, token, secret, 1000, &e) && (j.exp < 1000 || !j.sub[0])) {
		fprintf(stderr, "taken: exp %lld, sub \"%s\"\n", (long long)j.exp, j.sub);
		abort();
	}
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
