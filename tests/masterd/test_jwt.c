/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/jwt.c"

#include "tests/unit.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const int64_t now = 1795436135;

static struct jwt sample(void)
{
	struct jwt j = {.iat = now, .exp = now + 900};

	str_cut(j.sub, sizeof(j.sub), "admin");
	str_cut(j.role, sizeof(j.role), "viewer");
	str_cut(j.sid, sizeof(j.sid), "sid-1");
	return j;
}

/* header.payload.signature of texts, signed with key. */
static char *forge(const char *head, const char *payload, const char *key)
{
	CLEANUP(freep) char *h = base64url_encode(head, strlen(head));
	CLEANUP(freep) char *p = base64url_encode(payload, strlen(payload));
	CLEANUP(freep) char *signed_part = xasprintf("%s.%s", h, p);
	CLEANUP(freep) char *s = NULL;
	uint8_t mac[SHA256_LEN];

	hmac_sha256(mac, key, strlen(key), signed_part, strlen(signed_part));
	s = base64url_encode(mac, sizeof(mac));
	return xasprintf("%s.%s", signed_part, s);
}

#define HEAD "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS "\"sub\":\"admin\",\"role\":\"viewer\",\"sid\":\"s\",\"iss\":\"felloe-masterd\",\"aud\":\"felloe\",\"iat\":1"

static void refused(const char *token, const char *why)
{
	struct jwt got = {.iat = 77};
	struct err e = {0};

	assert_int_equal(jwt_read(&got, token, secret, now, &e), -1);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_string_equal(e.msg, why);
	assert_int_equal(got.iat, 77);
}

#define NOT_VALID "the token is not valid: sign in again"

static void a_token_that_was_made_is_read_back(void **state)
{
	struct jwt j = sample(), got;
	CLEANUP(freep) char *token = jwt_make(&j, secret);
	struct err e = {0};

	(void)state;
	assert_int_equal(jwt_read(&got, token, secret, now, &e), 0);
	assert_string_equal(got.sub, "admin");
	assert_string_equal(got.role, "viewer");
	assert_string_equal(got.sid, "sid-1");
	assert_int_equal(got.exp, now + 900);
}

static void the_algorithm_is_never_taken_from_the_token(void **state)
{
	CLEANUP(freep) char *none = forge("{\"alg\":\"none\",\"typ\":\"JWT\"}", "{" CLAIMS ",\"exp\":9999999999}", secret);
	CLEANUP(freep) char *hs512 = forge("{\"alg\":\"HS512\",\"typ\":\"JWT\"}", "{" CLAIMS ",\"exp\":9999999999}", secret);
	CLEANUP(freep) char *turned = forge("{\"typ\":\"JWT\",\"alg\":\"HS256\"}", "{" CLAIMS ",\"exp\":9999999999}", secret);
	CLEANUP(freep) char *bare = base64url_encode("{\"alg\":\"none\"}", 14);
	CLEANUP(freep) char *unsigned_token = xasprintf("%s.e30.", bare);

	(void)state;
	refused(none, NOT_VALID);
	refused(hs512, NOT_VALID);
	refused(turned, NOT_VALID);
	refused(unsigned_token, NOT_VALID);
}

static void a_token_of_another_secret_is_refused(void **state)
{
	CLEANUP(freep) char *token = forge(HEAD, "{" CLAIMS ",\"exp\":9999999999}", "another-secret-another-secret-xx");
	CLEANUP(freep) char *empty = forge(HEAD, "{" CLAIMS ",\"exp\":9999999999}", "");

	(void)state;
	refused(token, NOT_VALID);
	refused(empty, NOT_VALID);
}

static void one_changed_character_anywhere_is_noticed(void **state)
{
	struct jwt j = sample();
	CLEANUP(freep) char *token = jwt_make(&j, secret);
	struct jwt got;
	size_t len = strlen(token);

	(void)state;
	/* the last of the signature carries two bits that do not count: base64url
	 * refuses them, so it is noticed there too */
	for (size_t i = 0; i < len; i++) {
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(jwt_read(&got, token, secret, now, NULL), -1);
		token[i] = was;
	}
	for (size_t cut = 0; cut < len; cut++) {
		CLEANUP(freep) char *part = xstrndup(token, cut);

		assert_int_equal(jwt_read(&got, part, secret, now, NULL), -1);
	}
	assert_int_equal(jwt_read(&got, token, secret, now, NULL), 0);
}

static void time_issuer_and_audience_count(void **state)
{
	CLEANUP(freep) char *over = forge(HEAD, "{" CLAIMS ",\"exp\":1795436135}", secret);
	CLEANUP(freep) char *no_exp = forge(HEAD, "{" CLAIMS "}", secret);
	CLEANUP(freep) char *early = forge(HEAD, "{" CLAIMS ",\"exp\":9999999999,\"nbf\":1795436136}", secret);
	CLEANUP(freep) char *other = forge(HEAD, "{\"sub\":\"a\",\"sid\":\"s\",\"iss\":\"x\",\"aud\":\"felloe\",\"exp\":9999999999}", secret);
	CLEANUP(freep) char *nobody = forge(HEAD, "{\"iss\":\"felloe-masterd\",\"aud\":\"felloe\",\"exp\":9999999999}", secret);
	CLEANUP(freep) char *text = forge(HEAD, "{" CLAIMS ",\"exp\":\"9999999999\"}", secret);

	(void)state;
	refused(over, "the token has expired: refresh it or sign in again");
	refused(no_exp, "the token has expired: refresh it or sign in again");
	refused(text, "the token has expired: refresh it or sign in again");
	refused(early, "the token is not valid yet");
	refused(other, "the token was made for another service: sign in again");
	refused(nobody, NOT_VALID);
}

static void garbage_is_refused(void **state)
{
	CLEANUP(freep) char *list = forge(HEAD, "[1,2]", secret);
	CLEANUP(freep) char *no_json = forge(HEAD, "\xff\xfe{", secret);
	CLEANUP(freep) char *huge = xmalloc(9000);

	(void)state;
	memset(huge, 'A', 8999);
	huge[8999] = '\0';
	refused("", NOT_VALID);
	refused("...", NOT_VALID);
	refused("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", NOT_VALID);
	refused("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..", NOT_VALID);
	refused(no_json, NOT_VALID);
	refused(huge, NOT_VALID);
	refused(list, "the token was made for another service: sign in again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_was_made_is_read_back),
		cmocka_unit_test(the_algorithm_is_never_taken_from_the_token),
		cmocka_unit_test(a_token_of_another_secret_is_refused),
		cmocka_unit_test(one_changed_character_anywhere_is_noticed),
		cmocka_unit_test(time_issuer_and_audience_count),
		cmocka_unit_test(garbage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
