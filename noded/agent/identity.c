/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { FILE_MAX = 4096, KEY_MAX = 512 };

static char *state_file(const char *name)
{
	CLEANUP(freep) char *dir = fs_state_dir("node");

	return xasprintf("%s/%s", dir, name);
}

char *identity_key_file(const struct config *c)
{
	return str_empty(c->master.api_key_file) ? state_file("api.key") : xstrdup(c->master.api_key_file);
}

static void put_bytes(struct json_out *o, const char *key, const void *p, size_t n)
{
	char *text = base64_encode(p, n);

	json_put_str(o, key, text);
	mem_wipe(text, strlen(text));
	freep(&text);
}

static bool get_key(const struct json *j, const char *name, uint8_t key[static CRYPT_KEY])
{
	CLEANUP(freep) uint8_t *p = NULL;
	size_t n = 0;

	if (base64_decode(&p, &n, json_get_str(j, name, "")) || n != CRYPT_KEY)
		return false;
	memcpy(key, p, CRYPT_KEY);
	mem_wipe(p, n);
	return true;
}

int identity_keep(const uint8_t pub[static CRYPT_KEY], const uint8_t secret[static CRYPT_KEY], struct err *e)
{
	CLEANUP(freep) char *path = state_file("identity.json");
	struct json_out o;
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	put_bytes(&o, "public_key", pub, CRYPT_KEY);
	put_bytes(&o, "secret_key", secret, CRYPT_KEY);
	json_end_obj(&o);
	rc = buf_check(&b, path, e) || fs_write(path, b.p, b.len, 0600, e) ? -1 : 0;
	mem_wipe(b.p, b.len);
	buf_done(&b);
	return rc;
}

int identity_store_key(const char *path, const char *sealed_base64, const uint8_t pub[static CRYPT_KEY],
		       const uint8_t secret[static CRYPT_KEY], struct err *e)
{
	CLEANUP(freep) char *dir = xstrdup(path);
	CLEANUP(freep) uint8_t *sealed = NULL;
	uint8_t key[KEY_MAX + 1];
	size_t n = 0;
	int rc;

	if (base64_decode(&sealed, &n, sealed_base64) || n <= CRYPT_SEAL || n > KEY_MAX)
		return err_set(e, ERR_DAMAGED, "the key from the master cannot be read; ask for a new key");
	if (crypt_open(key, sealed, n, pub, secret, e))
		return err_wrap(e, "the key from the master");
	key[n - CRYPT_SEAL] = '\n';
	if (strrchr(dir, '/'))
		*strrchr(dir, '/') = '\0';
	rc = fs_mkdirs(*dir ? dir : "/", 0700, e) || fs_write(path, key, n - CRYPT_SEAL + 1, 0600, e) ? -1 : 0;
	mem_wipe(key, sizeof(key));
	return rc;
}

int identity_renew_key(const char *path, const char *sealed_base64, struct err *e)
{
	CLEANUP(freep) char *file = state_file("identity.json");
	CLEANUP(json_freep) struct json *j = NULL;
	uint8_t pub[CRYPT_KEY], secret[CRYPT_KEY];
	int rc;

	if (json_parse_file(&j, file, FILE_MAX, e) || !get_key(j, "public_key", pub) || !get_key(j, "secret_key", secret))
		return err_set(e, ERR_NOTFOUND, "the master has a new key for this node, but %s, which opens it, cannot be "
			       "read: the old key stays in use; felloe-noded join asks for another", file);
	rc = crypt_init(e) || identity_store_key(path, sealed_base64, pub, secret, e) ? -1 : 0;
	mem_wipe(secret, sizeof(secret));
	return rc;
}

static void add_file(struct buf *b, const char *path)
{
	struct err ignored;
	struct buf text;

	buf_init(&text, FILE_MAX);
	if (!fs_read(&text, path, &ignored))
		buf_adds(b, text.p);
	buf_adds(b, "\n");
	buf_done(&text);
}

void identity_instance(char text[static INSTANCE_TEXT])
{
	CLEANUP(freep) char *dir = fs_state_dir("node");
	CLEANUP(buf_done) struct buf b;
	uint8_t hash[SHA256_LEN];
	struct stat st = {0};

	buf_init(&b, 4 * FILE_MAX);
	buf_adds(&b, "felloe-instance-1\n");
	add_file(&b, "/etc/machine-id");
	add_file(&b, "/proc/sys/kernel/random/boot_id");
	if (!stat(dir, &st))
		buf_addf(&b, "%ju %ju\n", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	sha256(hash, b.p, b.len);
	hex_encode(text, hash, (INSTANCE_TEXT - 1) / 2);
}
