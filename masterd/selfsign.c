/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/selfsign.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/fs.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TEN_YEARS_S = 3650 * 24 * 3600, PEM_TEXT_MAX = 1 << 20 };

static void key_freep(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void cert_freep(X509 **c)
{
	X509_free(*c);
}

static void bio_freep(BIO **b)
{
	BIO_free_all(*b);
}

static bool is_address(const char *host)
{
	unsigned char room[16];

	return inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1;
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool done = x && X509_add_ext(cert, x, -1);

	X509_EXTENSION_free(x);
	return done;
}

static bool name_it(X509 *cert, const char *host)
{
	X509_NAME *name = X509_get_subject_name(cert);
	CLEANUP(freep) char *names = xasprintf("DNS:localhost,IP:127.0.0.1,IP:::1,%s:%s",
					       is_address(host) ? "IP" : "DNS", host);
	char cn[65];

	/* a common name has at most 64 characters; clients look at the alternative names */
	str_cut(cn, sizeof(cn), host);
	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) &&
	       X509_set_issuer_name(cert, name) && add_extension(cert, NID_subject_alt_name, names) &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, NID_ext_key_usage, "serverAuth");
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *host)
{
	uint64_t serial;

	random_bytes(&serial, sizeof(serial));
	return X509_set_version(cert, 2) && ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), TEN_YEARS_S) && X509_set_pubkey(cert, key) &&
	       name_it(cert, host) && X509_sign(cert, key, EVP_sha256()) > 0;
}

static int save(const char *path, BIO *pem, mode_t mode, struct err *e)
{
	char *p;
	long n = BIO_get_mem_data(pem, &p);

	return fs_write(path, p, (size_t)n, mode, e);
}

int selfsign(const char *cert_path, const char *key_path, const char *host, struct err *e)
{
	CLEANUP(key_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(cert_freep) X509 *cert = X509_new();
	CLEANUP(bio_freep) BIO *cert_pem = BIO_new(BIO_s_mem());
	CLEANUP(bio_freep) BIO *key_pem = BIO_new(BIO_s_secmem());

	if (fs_exists(cert_path) || fs_exists(key_path))
		return err_set(e, ERR_CONFLICT, "%s or %s exists already: remove it, or use --tls-cert and --tls-key",
			       cert_path, key_path);
	if (!key || !cert || !cert_pem || !key_pem || !fill(cert, key, host) || !PEM_write_bio_X509(cert_pem, cert) ||
	    !PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL))
		return err_set(e, ERR_INTERNAL, "cannot make a certificate for \"%s\"", host);
	if (save(key_path, key_pem, 0600, e))
		return -1;
	return save(cert_path, cert_pem, 0644, e);
}

static int open_pem(BIO **ret, struct buf *b, const char *path, struct err *e)
{
	buf_init(b, PEM_TEXT_MAX);
	if (fs_read(b, path, e))
		return -1;
	*ret = BIO_new_mem_buf(b->p, (int)b->len);
	return *ret ? 0 : err_set(e, ERR_INTERNAL, "no memory for %s", path);
}

static int read_cert(X509 **ret, const char *path, struct err *e)
{
	CLEANUP(bio_freep) BIO *in = NULL;
	CLEANUP(buf_done) struct buf b;

	if (open_pem(&in, &b, path, e))
		return -1;
	*ret = PEM_read_bio_X509(in, NULL, NULL, NULL);
	return *ret ? 0 : err_set(e, ERR_CONFIG, "%s is not a certificate in PEM form", path);
}

int cert_fits(const char *cert_path, const char *key_path, struct err *e)
{
	CLEANUP(cert_freep) X509 *cert = NULL;
	CLEANUP(key_freep) EVP_PKEY *key = NULL;
	CLEANUP(bio_freep) BIO *in = NULL;
	CLEANUP(buf_done) struct buf b = {0};

	if (read_cert(&cert, cert_path, e) || open_pem(&in, &b, key_path, e))
		return -1;
	/* an empty passphrase: nobody is there to be asked for one */
	key = PEM_read_bio_PrivateKey(in, NULL, NULL, (void *)(uintptr_t) "");
	mem_wipe(b.p, b.len);
	if (!key)
		return err_set(e, ERR_CONFIG, "tls_key: %s is not a private key in PEM form without a passphrase", key_path);
	if (!X509_check_private_key(cert, key))
		return err_set(e, ERR_CONFIG, "tls_key: %s is not the key of the certificate %s", key_path, cert_path);
	return 0;
}

int cert_expires_s(const char *cert_path, int64_t *ret, struct err *e)
{
	CLEANUP(cert_freep) X509 *cert = NULL;
	int days, seconds;

	if (read_cert(&cert, cert_path, e))
		return -1;
	if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		return err_set(e, ERR_CONFIG, "%s has no date that can be read", cert_path);
	*ret = (int64_t)days * 86400 + seconds;
	return 0;
}

int cert_spki(const char *cert_path, uint8_t spki[static 32], struct err *e)
{
	CLEANUP(cert_freep) X509 *cert = NULL;
	unsigned char *der = NULL;
	int n;

	if (read_cert(&cert, cert_path, e))
		return -1;
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	if (n <= 0)
		return err_set(e, ERR_CONFIG, "%s has no public key", cert_path);
	sha256(spki, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

void spki_text(char text[static 64], const uint8_t spki[static 32])
{
	CLEANUP(freep) char *base64 = base64_encode(spki, 32);

	snprintf(text, 64, "sha256//%s", base64);
}

int spki_parse(uint8_t spki[static 32], const char *text)
{
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n;

	if (!str_starts(text, "sha256//") || base64_decode(&bytes, &n, text + 8) || n != 32)
		return -1;
	memcpy(spki, bytes, 32);
	return 0;
}
