/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { TEXT_MAX = 64 << 10, HEADERS_MAX = SIGV4_PAIRS + 4, STAMP = 17, DAY = 8 };

struct sigv4 {
	char *access_key, *secret_key, *token, *region;
	uint8_t key[SHA256_LEN];
	char key_day[DAY + 1]; /* that key is of, "" none yet */
};

struct sigv4 *sigv4_new(const struct sigv4_keys *keys)
{
	struct sigv4 *s = xcalloc(1, sizeof(*s));

	s->access_key = xstrdup(keys->access_key);
	s->secret_key = xstrdup(keys->secret_key);
	s->token = xstrdup(keys->token);
	s->region = xstrdup(keys->region);
	return s;
}

static void wipe_free(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

void sigv4_free(struct sigv4 *s)
{
	if (!s)
		return;
	wipe_free(s->secret_key);
	wipe_free(s->token);
	free(s->access_key);
	free(s->region);
	mem_wipe(s, sizeof(*s));
	free(s);
}

/* Everything but A-Z a-z 0-9 - _ . ~ (and / when keep_slash) as %XX. */
static void encode(struct buf *b, const char *s, int keep_slash)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

	for (; *s; s++) {
		if (strchr(plain, *s) || (keep_slash && *s == '/'))
			buf_addc(b, *s);
		else
			buf_addf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value" pairs, encoded first and sorted then; "=" stands even without a value. */
static void add_query(struct buf *b, const struct sigv4_pair *query)
{
	char *pairs[SIGV4_PAIRS];
	size_t n = 0;

	for (; n < SIGV4_PAIRS && query[n].name; n++) {
		struct buf one;

		buf_init(&one, TEXT_MAX);
		encode(&one, query[n].name, 0);
		buf_addc(&one, '=');
		encode(&one, str_or(query[n].value, ""), 0);
		pairs[n] = buf_take(&one);
	}
	qsort(pairs, n, sizeof(*pairs), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(b, '&');
		buf_adds(b, pairs[i]);
		free(pairs[i]);
	}
}

/* All headers that are signed, sorted by name. */
struct header_set {
	struct sigv4_pair v[HEADERS_MAX];
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sigv4_pair *)a)->name, ((const struct sigv4_pair *)b)->name);
}

static void collect_headers(struct header_set *set, const struct sigv4 *s, const struct sigv4_request *r,
			    const char *stamp)
{
	set->v[set->n++] = (struct sigv4_pair){"host", r->host};
	set->v[set->n++] = (struct sigv4_pair){"x-amz-content-sha256", r->payload_sha256};
	set->v[set->n++] = (struct sigv4_pair){"x-amz-date", stamp};
	if (!str_empty(s->token))
		set->v[set->n++] = (struct sigv4_pair){"x-amz-security-token", s->token};
	for (size_t i = 0; i < SIGV4_PAIRS && r->headers[i].name; i++)
		set->v[set->n++] = r->headers[i];
	qsort(set->v, set->n, sizeof(*set->v), by_name);
}

static void add_names(struct buf *b, const struct header_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		buf_addf(b, "%s%s", i ? ";" : "", set->v[i].name);
}

static void canonical_request(struct buf *b, const struct sigv4_request *r, const struct header_set *set)
{
	buf_adds(b, r->method);
	buf_addc(b, '\n');
	encode(b, r->path, 1);
	buf_addc(b, '\n');
	add_query(b, r->query);
	buf_addc(b, '\n');
	for (size_t i = 0; i < set->n; i++) {
		buf_adds(b, set->v[i].name);
		buf_addc(b, ':');
		buf_adds(b, set->v[i].value);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
	add_names(b, set);
	buf_addc(b, '\n');
	buf_adds(b, r->payload_sha256);
}

static void string_to_sign(struct buf *b, const struct sigv4 *s, const char *stamp, const struct buf *canonical)
{
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];

	sha256(digest, canonical->p, canonical->len);
	buf_addf(b, "AWS4-HMAC-SHA256\n%s\n%.*s/%s/s3/aws4_request\n%s", stamp, DAY, stamp, s->region,
		 hex_encode(hex, digest, sizeof(digest)));
}

/* The key is derived from day and region: once a day, not once a request. */
static void key_of_day(struct sigv4 *s, const char *stamp)
{
	CLEANUP(freep) char *seed = NULL;

	if (strncmp(s->key_day, stamp, DAY) == 0)
		return;
	str_cut(s->key_day, sizeof(s->key_day), stamp);
	seed = xasprintf("AWS4%s", s->secret_key);
	hmac_sha256(s->key, seed, strlen(seed), s->key_day, DAY);
	mem_wipe(seed, strlen(seed));
	hmac_sha256(s->key, s->key, sizeof(s->key), s->region, strlen(s->region));
	hmac_sha256(s->key, s->key, sizeof(s->key), "s3", 2);
	hmac_sha256(s->key, s->key, sizeof(s->key), "aws4_request", 12);
}

static char *authorization(struct sigv4 *s, const char *stamp, const struct header_set *set, const struct buf *to_sign)
{
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];
	struct buf b;

	key_of_day(s, stamp);
	hmac_sha256(mac, s->key, sizeof(s->key), to_sign->p, to_sign->len);
	buf_init(&b, TEXT_MAX);
	buf_addf(&b, "AWS4-HMAC-SHA256 Credential=%s/%.*s/%s/s3/aws4_request,SignedHeaders=", s->access_key, DAY, stamp,
		 s->region);
	add_names(&b, set);
	buf_addf(&b, ",Signature=%s", hex_encode(hex, mac, sizeof(mac)));
	return buf_take(&b);
}

void sigv4_sign(struct sigv4 *s, const struct sigv4_request *r, struct sigv4_signed *ret)
{
	CLEANUP(buf_done) struct buf canonical = {0}, to_sign = {0};
	CLEANUP(freep) char *auth = NULL;
	struct header_set set = {0};
	struct buf target;
	char stamp[STAMP];
	size_t n = 0;

	clock_format(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", r->at_ms);
	collect_headers(&set, s, r, stamp);
	buf_init(&canonical, TEXT_MAX);
	buf_init(&to_sign, TEXT_MAX);
	canonical_request(&canonical, r, &set);
	string_to_sign(&to_sign, s, stamp, &canonical);
	auth = authorization(s, stamp, &set, &to_sign);

	*ret = (struct sigv4_signed){0};
	buf_init(&target, TEXT_MAX);
	encode(&target, r->path, 1);
	if (r->query[0].name) {
		buf_addc(&target, '?');
		add_query(&target, r->query);
	}
	ret->target = buf_take(&target);
	for (size_t i = 0; i < set.n; i++)
		if (!str_eq(set.v[i].name, "host"))
			ret->headers[n++] = xasprintf("%s: %s", set.v[i].name, set.v[i].value);
	ret->headers[n] = xasprintf("Authorization: %s", auth);
	mem_wipe(auth, strlen(auth));
}

void sigv4_signed_done(struct sigv4_signed *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->headers); i++)
		wipe_free(s->headers[i]);
	free(s->target);
	*s = (struct sigv4_signed){0};
}
