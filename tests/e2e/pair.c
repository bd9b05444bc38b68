/* SPDX-License-Identifier: Apache-2.0 */
/* The node's half of a pairing, for the end-to-end tests of the master:
 *   pair new                                    PUBLIC SECRET NONCE COMMITMENT
 *   pair code PUBLIC NONCE MASTER_NONCE ID [SPKI]   the code; without SPKI for plain HTTP
 *   pair open SEALED PUBLIC SECRET              what was sealed
 * Bytes are base64. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/crypt.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/wire.h"

static void take(uint8_t *to, size_t want, const char *text)
{
	CLEANUP(freep) uint8_t *p = NULL;
	size_t n;

	if (base64_decode(&p, &n, text) || n != want) {
		fprintf(stderr, "pair: not %zu bytes in base64: %s\n", want, text);
		exit(2);
	}
	memcpy(to, p, n);
}

static void show(const void *p, size_t n, char end)
{
	CLEANUP(freep) char *text = base64_encode(p, n);

	printf("%s%c", text, end);
}

static void pair_new(void)
{
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY], nonce[PAIR_NONCE], commitment[SHA256_LEN];

	crypt_keypair(pub, secret);
	random_bytes(nonce, sizeof(nonce));
	pair_commitment(commitment, nonce, pub);
	show(pub, sizeof(pub), ' ');
	show(secret, sizeof(secret), ' ');
	show(nonce, sizeof(nonce), ' ');
	show(commitment, sizeof(commitment), '\n');
}

static void pair_show_code(int n, char **v)
{
	uint8_t pub[CRYPT_KEY], nonce[PAIR_NONCE], master[PAIR_NONCE], spki[32] = {0};
	char code[PAIR_CODE];

	take(pub, sizeof(pub), v[0]);
	take(nonce, sizeof(nonce), v[1]);
	take(master, sizeof(master), v[2]);
	if (n > 4)
		take(spki, sizeof(spki), v[4]);
	pair_code(code, pub, nonce, master, v[3], spki);
	puts(code);
}

static int pair_open(char **v)
{
	CLEANUP(freep) uint8_t *sealed = NULL;
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY], plain[256];
	struct err e;
	size_t n;

	take(pub, sizeof(pub), v[1]);
	take(secret, sizeof(secret), v[2]);
	if (base64_decode(&sealed, &n, v[0]) || n < CRYPT_SEAL || n - CRYPT_SEAL >= sizeof(plain) ||
	    crypt_open(plain, sealed, n, pub, secret, &e)) {
		fputs("pair: the box does not open\n", stderr);
		return 1;
	}
	printf("%.*s\n", (int)(n - CRYPT_SEAL), (const char *)plain);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e;

	if (crypt_init(&e))
		return 1;
	if (argc == 2 && str_eq(argv[1], "new"))
		pair_new();
	else if ((argc == 6 || argc == 7) && str_eq(argv[1], "code"))
		pair_show_code(argc - 2, argv + 2);
	else if (argc == 5 && str_eq(argv[1], "open"))
		return pair_open(argv + 2);
	else
		return 2;
	return 0;
}
