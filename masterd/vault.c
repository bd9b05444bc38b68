/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/vault.h"

#include <stdlib.h>
#include <string.h>

#include "shared/crypt.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

static const char version[] = "v1.";

/* One key a label; the text in front keeps it apart from what the secret signs. */
static void make_key(uint8_t key[static SHA256_LEN], const char *jwt_secret, const char *label)
{
	CLEANUP(freep) char *text = xasprintf("felloe-vault-1.%s", label);

	hmac_sha256(key, jwt_secret, strlen(jwt_secret), text, strlen(text));
}

char *vault_seal(const char *jwt_secret, const char *label, const void *p, size_t n)
{
	CLEANUP(freep) uint8_t *box = xmalloc(n + CRYPT_LOCK);
	CLEANUP(freep) char *text = NULL;
	uint8_t key[SHA256_LEN];

	make_key(key, jwt_secret, label);
	crypt_lock(box, p, n, key);
	mem_wipe(key, sizeof(key));
	text = base64url_encode(box, n + CRYPT_LOCK);
	return xasprintf("%s%s", version, text);
}

int vault_open(char **ret, size_t *n, const char *jwt_secret, const char *label, const char *sealed, struct err *e)
{
	CLEANUP(freep) uint8_t *box = NULL;
	CLEANUP(freep) char *plain = NULL;
	uint8_t key[SHA256_LEN];
	size_t skip = sizeof(version) - 1, len = sealed ? strlen(sealed) : 0;
	int rc;

	if (!sealed || !str_starts(sealed, version) || len > 2 * VAULT_MAX ||
	    base64url_decode(&box, &len, sealed + skip, len - skip) || len < CRYPT_LOCK)
		return err_set(e, ERR_DAMAGED, "a sealed secret in the database (%.40s) has no form that we know", label);
	plain = xcalloc(1, len - CRYPT_LOCK + 1);
	make_key(key, jwt_secret, label);
	rc = crypt_unlock(plain, box, len, key, e);
	mem_wipe(key, sizeof(key));
	if (rc)
		return err_set(e, ERR_DAMAGED,
			       "a sealed secret in the database (%.40s) does not open: it was damaged, or jwt_secret is "
			       "not the one it was sealed with",
			       label);
	if (n)
		*n = len - CRYPT_LOCK;
	*ret = TAKE(plain);
	return 0;
}
