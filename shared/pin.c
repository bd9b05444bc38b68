/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/pin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { CERT_MAX = 64 << 10 };

struct der {
	const uint8_t *p;
	size_t n;
};

/* Step over the element at the front of d (X.690, definite lengths); all of it
 * goes to *whole, its content to *inner. */
static int der_next(struct der *d, struct der *whole, struct der *inner)
{
	size_t len, head = 2;

	if (d->n < 2)
		return -1;
	len = d->p[1];
	if (len & 0x80) {
		size_t octets = len & 0x7f;

		if (octets == 0 || octets > 4 || d->n < 2 + octets)
			return -1;
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | d->p[2 + i];
		head += octets;
	}
	if (len > d->n - head)
		return -1;
	*whole = (struct der){d->p, head + len};
	*inner = (struct der){d->p + head, len};
	d->p += head + len;
	d->n -= head + len;
	return 0;
}

/* SubjectPublicKeyInfo of a certificate (RFC 5280 section 4.1): what follows
 * [version], serial, algorithm, issuer, validity and subject. */
static int cert_key(struct der cert, struct der *key)
{
	struct der whole, body, tbs;

	if (der_next(&cert, &whole, &body) || der_next(&body, &whole, &tbs))
		return -1;
	if (tbs.n && tbs.p[0] == 0xa0 && der_next(&tbs, &whole, &body))
		return -1;
	for (int i = 0; i < 5; i++)
		if (der_next(&tbs, &whole, &body))
			return -1;
	return der_next(&tbs, key, &body);
}

int pin_of_pem(const char *pem, char pin[static PIN_TEXT])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *from = strstr(pem, begin), *end = strstr(pem, "-----END CERTIFICATE-----");
	CLEANUP(freep) uint8_t *bytes = NULL;
	CLEANUP(freep) char *text = NULL;
	uint8_t digest[SHA256_LEN];
	struct der key;
	struct buf b;
	size_t n = 0;
	int bad;

	if (!from || !end || end < from)
		return -1;
	buf_init(&b, CERT_MAX);
	for (from += sizeof(begin) - 1; from < end; from++)
		if (*from > ' ')
			buf_addc(&b, *from);
	bad = b.over || base64_decode(&bytes, &n, b.p) || cert_key((struct der){bytes, n}, &key);
	buf_done(&b);
	if (bad)
		return -1;
	sha256(digest, key.p, key.n);
	text = base64_encode(digest, sizeof(digest));
	if (str_copy(pin, PIN_TEXT, "sha256//"))
		return -1;
	return str_copy(pin + 8, PIN_TEXT - 8, text);
}
