/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/jwt.h"

#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TOKEN_MAX = 4096 };

/* {"alg":"HS256","typ":"JWT"} */
static const char header[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
static const char issuer[] = "felloe-masterd";
static const char audience[] = "felloe";

static void sign(uint8_t mac[static SHA256_LEN], const char *secret, const char *p, size_t n)
{
	hmac_sha256(mac, secret, strlen(secret), p, n);
}

char *jwt_make(const struct jwt *j, const char *secret)
{
	CLEANUP(freep) char *payload = NULL;
	CLEANUP(freep) char *signature = NULL;
	char jti[UUID_TEXT];
	uint8_t mac[SHA256_LEN];
	struct json_out o;
	struct buf b, t;

	buf_init(&b, TOKEN_MAX);
	json_out_init(&o, &b);
	json_obj(&o, NULL);
	json_put_str(&o, "sub", j->sub);
	json_put_str(&o, "role", j->role);
	json_put_str(&o, "sid", j->sid);
	json_put_str(&o, "iss", issuer);
	json_put_str(&o, "aud", audience);
	json_put_str(&o, "jti", random_uuid(jti));
	json_put_int(&o, "iat", j->iat);
	json_put_int(&o, "exp", j->exp);
	json_end_obj(&o);
	payload = base64url_encode(b.p, b.len);
	buf_done(&b);
	buf_init(&t, TOKEN_MAX);
	buf_adds(&t, header);
	buf_adds(&t, payload);
	sign(mac, secret, t.p, t.len);
	signature = base64url_encode(mac, sizeof(mac));
	buf_addc(&t, '.');
	buf_adds(&t, signature);
	return buf_take(&t);
}

static bool signature_fits(const char *token, const char *dot, const char *secret)
{
	CLEANUP(freep) uint8_t *given = NULL;
	uint8_t mac[SHA256_LEN];
	size_t n;

	if (base64url_decode(&given, &n, dot + 1, strlen(dot + 1)) || n != sizeof(mac))
		return false;
	sign(mac, secret, token, (size_t)(dot - token));
	return hash_equal(mac, given, sizeof(mac));
}

static int read_claims(struct jwt *ret, const struct json *j, int64_t now, struct err *e)
{
	struct jwt r = {0};
	int64_t nbf = json_get_int(j, "nbf", 0);

	r.iat = json_get_int(j, "iat", 0);
	r.exp = json_get_int(j, "exp", 0);
	if (!str_eq(json_get_str(j, "iss", ""), issuer) || !str_eq(json_get_str(j, "aud", ""), audience))
		return err_set(e, ERR_DENIED, "the token was made for another service: sign in again");
	if (r.exp <= now)
		return err_set(e, ERR_DENIED, "the token has expired: refresh it or sign in again");
	if (nbf > now)
		return err_set(e, ERR_DENIED, "the token is not valid yet");
	if (str_copy(r.sub, sizeof(r.sub), json_get_str(j, "sub", "")) ||
	    str_copy(r.role, sizeof(r.role), json_get_str(j, "role", "")) ||
	    str_copy(r.sid, sizeof(r.sid), json_get_str(j, "sid", "")) || !r.sub[0] || !r.sid[0])
		return err_set(e, ERR_DENIED, "the token is not valid: sign in again");
	*ret = r;
	return 0;
}

int jwt_read(struct jwt *ret, const char *token, const char *secret, int64_t now, struct err *e)
{
	CLEANUP(freep) uint8_t *payload = NULL;
	CLEANUP(json_freep) struct json *j = NULL;
	size_t len = strlen(token), n;
	const char *start, *dot;

	if (len >= TOKEN_MAX || !str_starts(token, header))
		return err_set(e, ERR_DENIED, "the token is not valid: sign in again");
	start = token + strlen(header);
	dot = strchr(start, '.');
	if (!dot || !signature_fits(token, dot, secret))
		return err_set(e, ERR_DENIED, "the token is not valid: sign in again");
	if (base64url_decode(&payload, &n, start, (size_t)(dot - start)) ||
	    json_parse(&j, (const char *)payload, n, NULL))
		return err_set(e, ERR_DENIED, "the token is not valid: sign in again");
	return read_claims(ret, j, now, e);
}
