/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/s3_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	RETRY_MS = 500,
	RETRY_MAX_MS = 60000,
	SLICE_MS = 200,             /* between two looks at stop */
	SKEW_MS = 10 * 60 * 1000,   /* servers refuse 15 minutes */
};

#define DEFAULT_REGION "us-east-1"

/* ---- opening */

static void wipe_free(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

/* "host", "host:port" or "http[s]://host[:port]" to scheme and host; a default
 * port goes, as it does not stand in the Host header either. */
static int read_endpoint(struct s3 *s, const char *endpoint, struct err *e)
{
	bool plain = strncasecmp(endpoint, "http://", 7) == 0;
	bool tls = strncasecmp(endpoint, "https://", 8) == 0;
	const char *rest = endpoint + (plain ? 7 : tls ? 8 : 0);
	CLEANUP(freep) char *host = xstrdup(rest);
	size_t n = strlen(host);

	while (n && host[n - 1] == '/')
		host[--n] = '\0';
	if (n == 0 || strpbrk(host, "/?#@ ") || strstr(host, "://"))
		return err_set(e, ERR_CONFIG, "storage[].endpoint \"%s\" is not host[:port] or a URL without a path",
			       endpoint);
	if (str_ends(host, plain ? ":80" : ":443"))
		host[n - (plain ? 3 : 4)] = '\0';
	s->host = s->path_style ? xstrdup(host) : xasprintf("%s.%s", s->bucket, host);
	s->origin = xasprintf("%s://%s", plain ? "http" : "https", s->host);
	return 0;
}

static int read_secrets(struct s3 *s, const struct storage *cfg, struct err *e)
{
	s->access_key = xstrdup(cfg->access_key);
	if (!str_empty(cfg->secret_key_file)) {
		if (fs_read_secret(&s->secret_key, cfg->secret_key_file, e))
			return err_wrap(e, "storage[].secret_key_file");
	} else {
		s->secret_key = xstrdup(str_or(cfg->secret_key, ""));
	}
	if (!str_empty(cfg->session_token_file) && fs_read_secret(&s->token, cfg->session_token_file, e))
		return err_wrap(e, "storage[].session_token_file");
	if (str_empty(s->access_key) || str_empty(s->secret_key))
		return err_set(e, ERR_CONFIG, "storage[].access_key and secret_key (or secret_key_file) are needed");
	return 0;
}

static int connect_to(struct s3 *s, struct err *e)
{
	struct http_opts o = {.user_agent = PACKAGE_NAME "/" PACKAGE_VERSION};
	struct sigv4_keys keys = {s->access_key, s->secret_key, s->token, s->region};

	o.ca_file = str_empty(s->ca_file) ? NULL : s->ca_file;
	o.proxy = str_empty(s->proxy) ? NULL : s->proxy;
	s->signer = sigv4_new(&keys);
	return http_new(&s->http, &o, e);
}

static unsigned first_step_ms(void)
{
	const char *text = getenv("FELLOE_S3_RETRY_MS");
	uint64_t ms = RETRY_MS;

	if (text && str_to_u64(&ms, text, 0, RETRY_MAX_MS))
		ms = RETRY_MS;
	return (unsigned)ms;
}

int s3_new(struct s3 **ret, const struct storage *cfg, bool patient, struct err *e)
{
	struct s3 *s;

	if (str_empty(cfg->bucket))
		return err_set(e, ERR_CONFIG, "storage[].bucket is missing");
	s = xcalloc(1, sizeof(*s));
	s->path_style = cfg->path_style;
	s->bucket = xstrdup(cfg->bucket);
	s->region = xstrdup(str_or(cfg->region, DEFAULT_REGION));
	s->storage_class = xstrdup(str_or(cfg->storage_class, ""));
	s->ca_file = xstrdup(cfg->ca_file);
	s->proxy = xstrdup(cfg->proxy);
	s->tries = patient ? S3_TRIES : 1;
	s->retry_ms = first_step_ms();
	s->max_rate = cfg->max_upload_mbps > 0 ? (uint64_t)(cfg->max_upload_mbps * 1e6 / 8) + 1 : 0;
	if (read_endpoint(s, str_or(cfg->endpoint, ""), e) || read_secrets(s, cfg, e) || connect_to(s, e)) {
		s3_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

int s3_clone(struct s3 **ret, const struct s3 *from, struct err *e)
{
	struct s3 *s = xmemdup(from, sizeof(*from));

	s->http = NULL;
	s->signer = NULL;
	s->inner = NULL;
	s->busy = false;
	s->origin = xstrdup(from->origin);
	s->host = xstrdup(from->host);
	s->bucket = xstrdup(from->bucket);
	s->region = xstrdup(from->region);
	s->storage_class = xstrdup(from->storage_class);
	s->ca_file = xstrdup(from->ca_file);
	s->proxy = xstrdup(from->proxy);
	s->access_key = xstrdup(from->access_key);
	s->secret_key = xstrdup(from->secret_key);
	s->token = xstrdup(from->token);
	if (connect_to(s, e)) {
		s3_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void s3_free(struct s3 *s)
{
	if (!s)
		return;
	s3_free(s->inner);
	http_free(s->http);
	sigv4_free(s->signer);
	wipe_free(s->secret_key);
	wipe_free(s->token);
	free(s->access_key);
	free(s->origin);
	free(s->host);
	free(s->bucket);
	free(s->region);
	free(s->storage_class);
	free(s->ca_file);
	free(s->proxy);
	free(s);
}

int s3_idle(struct s3 **ret, struct s3 *s, struct err *e)
{
	while (s->busy) {
		if (!s->inner && s3_clone(&s->inner, s, e))
			return -1;
		s->inner->stop = s->stop;
		s = s->inner;
	}
	*ret = s;
	return 0;
}

void s3_answer_done(struct s3_answer *a)
{
	http_reply_done(&a->http);
	xml_reply_done(&a->xml);
}

/* ---- one request */

static void digest_hex(char hex[static SHA256_HEX], const void *p, size_t n)
{
	uint8_t digest[SHA256_LEN];

	sha256(digest, n ? p : "", n);
	hex_encode(hex, digest, sizeof(digest));
}

int s3_start(struct s3 *s, const struct s3_call *c, struct http_req **ret, struct err *e)
{
	CLEANUP(freep) char *path = xasprintf("%s%s/%s", s->path_style ? "/" : "", s->path_style ? s->bucket : "",
					      str_or(c->key, ""));
	CLEANUP(freep) char *url = NULL;
	char hex[SHA256_HEX];
	struct sigv4_request r = {.method = c->method, .host = s->host, .at_ms = clock_ms() + s->skew_ms};
	struct sigv4_signed sig;
	struct http_call h = {.method = c->method, .body = c->body, .body_len = c->body_len, .body_fd = c->body_fd};
	int result;

	if (!c->key && s->path_style)
		path[strlen(path) - 1] = '\0'; /* "/bucket" */
	if (!c->sha256)
		digest_hex(hex, c->body, c->body_len);
	r.path = path;
	r.payload_sha256 = c->sha256 ? c->sha256 : hex;
	memcpy(r.query, c->query, sizeof(r.query));
	memcpy(r.headers, c->headers, sizeof(r.headers));
	sigv4_sign(s->signer, &r, &sig);
	url = xasprintf("%s%s", s->origin, sig.target);
	h.url = url;
	h.headers = (const char *const *)sig.headers;
	h.body_offset = c->body_offset;
	h.body_from_fd = c->body_from_fd;
	/* Some servers wait for a body of a DELETE until the client gives up. */
	h.has_body = c->has_body || str_eq(c->method, "DELETE");
	h.max_reply = c->max_reply;
	h.max_send_rate = s->max_rate;
	h.stall_s = c->stall_s;
	h.only_status = c->only_status;
	h.on_data = c->on_data;
	h.ctx = c->ctx;
	result = http_start(s->http, &h, ret, e);
	sigv4_signed_done(&sig);
	return result;
}

/* ms since 1970 from "Mon, 23 Nov 2026 10:00:00 GMT" (RFC 9110 section 5.6.7); 0 when it is not one. */
static int64_t http_date(const char *text)
{
	static const char months[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ";
	char name[5] = "", iso[CLOCK_TEXT];
	const char *at;
	int64_t ms = 0;

	if (strlen(text) != 29 || text[3] != ',' || !str_ends(text, " GMT"))
		return 0;
	memcpy(name, text + 8, 4);
	at = strstr(months, name);
	if (!at)
		return 0;
	snprintf(iso, sizeof(iso), "%.4s-%02d-%.2sT%.8sZ", text + 12, (int)(at - months) / 4 + 1, text + 5, text + 17);
	return clock_parse(&ms, iso) ? 0 : ms;
}

/* What the codes of an Error document mean for us (S3 API reference, "Error
 * responses", and those of other makes). */
static const struct meaning {
	const char *code;
	enum err_kind kind;
	bool again;
	const char *hint;
} meanings[] = {
	{"InvalidAccessKeyId", ERR_DENIED, false, "storage[].access_key is not known there"},
	{"SignatureDoesNotMatch", ERR_DENIED, false, "storage[].secret_key does not belong to the access key"},
	{"ExpiredToken", ERR_DENIED, false, "the session token has expired: renew storage[].session_token_file"},
	{"InvalidToken", ERR_DENIED, false, "renew storage[].session_token_file"},
	{"RequestTimeTooSkewed", ERR_DENIED, false, "this machine's clock is wrong"},
	{"AccessDenied", ERR_FORBIDDEN, false, "the access key may not do this: look at its policy and the bucket's"},
	{"NoSuchKey", ERR_NOTFOUND, false, ""},
	{"NoSuchUpload", ERR_NOTFOUND, false, ""},
	{"QuotaExceeded", ERR_SPACE, false, "the storage is full"},
	{"XMinioStorageFull", ERR_SPACE, false, "the storage is full"},
	{"EntityTooLarge", ERR_LIMIT, false, ""},
	{"RequestTimeout", ERR_STORAGE, true, ""},
	{"SlowDown", ERR_STORAGE, true, ""},
	{"InternalError", ERR_STORAGE, true, ""},
	{"ServiceUnavailable", ERR_STORAGE, true, ""},
	{"OperationAborted", ERR_STORAGE, true, ""},
};

static struct meaning meaning_of(int status, const char *code)
{
	struct meaning m = {"", ERR_STORAGE, status == 408 || status == 429 || status >= 500, ""};

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (str_eq(meanings[i].code, code))
			return meanings[i];
	if (status == 401)
		m.kind = ERR_DENIED;
	else if (status == 403)
		m = (struct meaning){"", ERR_FORBIDDEN, false, "look at the access key, its secret and the bucket's policy"};
	else if (status == 404)
		m.kind = ERR_NOTFOUND;
	else if (status == 507)
		m = (struct meaning){"", ERR_SPACE, false, "the storage is full"};
	else if (status == 501)
		m.again = false;
	return m;
}

/* "write "key"", or "list bucket "b"" */
static void subject(char *to, size_t size, const struct s3 *s, const struct s3_call *c)
{
	if (c->key)
		snprintf(to, size, "%s \"%.120s\"", c->what, c->key);
	else
		snprintf(to, size, "%s bucket \"%.80s\"", c->what, s->bucket);
}

/* The server said which region the bucket lies in. True when that is the trouble. */
static bool explain_region(const struct s3 *s, const struct s3_call *c, const struct s3_answer *a, struct err *e)
{
	const char *region = str_or(a->http.bucket_region, a->xml.region);
	char about[256];

	if (a->http.status != 301 && a->http.status != 307 && !str_eq(a->xml.code, "AuthorizationHeaderMalformed"))
		return false;
	subject(about, sizeof(about), s, c);
	if (str_empty(region))
		err_fill(e, ERR_STORAGE, 0, "%s: %s answers %d %s: the bucket lies elsewhere; correct storage[].endpoint and "
			 "region (\"%s\" now)", about, s->host, a->http.status, a->xml.code, s->region);
	else
		err_fill(e, ERR_STORAGE, 0, "%s: %s wants region \"%s\"; storage[].region is \"%s\"", about, s->host,
			 region, s->region);
	return true;
}

static void explain(const struct s3 *s, const struct s3_call *c, const struct s3_answer *a, const struct meaning *m,
		    struct err *e)
{
	char about[256];

	if (explain_region(s, c, a, e))
		return;
	subject(about, sizeof(about), s, c);
	if (str_eq(a->xml.code, "NoSuchBucket") || (a->http.status == 404 && !c->key)) {
		err_fill(e, ERR_NOTFOUND, 0, "bucket \"%s\" does not exist at %s; create it or correct storage[].bucket",
			 s->bucket, s->host);
		return;
	}
	if (a->http.status == 404 && str_eq(a->xml.code, "") && str_eq(c->method, "HEAD")) {
		err_fill(e, ERR_NOTFOUND, 0, "%s: there is no such object in bucket \"%s\" at %s", about, s->bucket,
			 s->host);
		return;
	}
	err_fill(e, m->kind, 0, "%s: %s answers %d%s%s%s%s%s%s%s%s%s", about, s->host, a->http.status,
		 a->xml.code[0] ? " " : "", a->xml.code, a->xml.message[0] ? ": " : "", a->xml.message,
		 m->hint[0] ? "; " : "", m->hint, a->http.request_id[0] ? " (request " : "", a->http.request_id,
		 a->http.request_id[0] ? ")" : "");
}

/* Our clock and the server's: learnt once, from its Date. HEAD has no body to
 * say RequestTimeTooSkewed, there the difference itself must do. */
static bool learn_skew(struct s3 *s, const struct s3_answer *a)
{
	int64_t date = http_date(a->http.date), off;

	if (a->http.status != 403 || s->skew_ms != 0 || date == 0)
		return false;
	off = date - clock_ms();
	if (!str_eq(a->xml.code, "RequestTimeTooSkewed") && (a->xml.code[0] || llabs(off) < SKEW_MS))
		return false;
	s->skew_ms = off ? off : 1;
	return true;
}

static enum s3_verdict judge(struct s3 *s, const struct s3_call *c, struct s3_answer *a, struct err *e)
{
	bool good = a->http.status >= 200 && a->http.status < 300;
	struct meaning m;

	if (good && c->only_status && a->http.status != c->only_status) {
		err_fill(e, ERR_STORAGE, 0, "%s \"%.120s\": %s does not give byte ranges", c->what, c->key, s->host);
		return S3_FAILED;
	}
	if (a->http.body.len && xml_parse(&a->xml, a->http.body.p, a->http.body.len, e) && good) {
		/* an answer that was cut or is no S3 at all: the operation may have worked, ask again */
		err_prefix(e, "%s: %s", c->what, s->host);
		return S3_AGAIN;
	}
	if (good && !str_eq(a->xml.root, "Error"))
		return S3_OK;
	m = meaning_of(a->http.status, a->xml.code);
	explain(s, c, a, &m, e);
	if (learn_skew(s, a))
		return S3_NOW;
	return m.again ? S3_AGAIN : S3_FAILED;
}

enum s3_verdict s3_end(struct s3 *s, const struct s3_call *c, struct http_req *r, struct s3_answer *a, struct err *e)
{
	char about[256];

	*a = (struct s3_answer){0};
	if (http_end(s->http, r, &a->http, e) == 0)
		return judge(s, c, a, e);
	subject(about, sizeof(about), s, c);
	err_prefix(e, "%s", about);
	return e->kind == ERR_NET && !a->http.hopeless ? S3_AGAIN : S3_FAILED;
}

enum s3_verdict s3_once(struct s3 *s, const struct s3_call *c, struct s3_answer *a, struct err *e)
{
	struct http_req *r, *ended;

	*a = (struct s3_answer){0};
	if (s3_start(s, c, &r, e))
		return S3_FAILED;
	for (;;) {
		int got = http_wait(s->http, s->stop ? SLICE_MS : -1, &ended, e);

		if (got > 0)
			return s3_end(s, c, r, a, e);
		if (got == 0 && !(s->stop && s->stop()))
			continue;
		http_cancel(s->http, r);
		if (got == 0)
			err_fill(e, ERR_ABORTED, 0, "%s was stopped", c->what);
		return S3_FAILED;
	}
}

unsigned s3_backoff_ms(const struct s3 *s, unsigned tried, int retry_after_s)
{
	uint64_t most = tried < 16 ? (uint64_t)s->retry_ms << tried : RETRY_MAX_MS;
	uint64_t asked = (uint64_t)retry_after_s * 1000;
	uint32_t dice;

	random_bytes(&dice, sizeof(dice));
	if (most > RETRY_MAX_MS)
		most = RETRY_MAX_MS;
	most = most ? dice % (most + 1) : 0;
	if (asked > RETRY_MAX_MS)
		asked = RETRY_MAX_MS;
	return (unsigned)(asked > most ? asked : most);
}

int s3_pause(const struct s3 *s, unsigned ms, struct err *e)
{
	while (ms > 0) {
		unsigned slice = ms < SLICE_MS ? ms : SLICE_MS;

		if (s->stop && s->stop())
			return err_set(e, ERR_ABORTED, "stopped before the next try");
		clock_sleep_ms(slice);
		ms -= slice;
	}
	return 0;
}

int s3_do(struct s3 *s, const struct s3_call *c, struct s3_answer *a, struct err *e)
{
	for (unsigned tried = 0;;) {
		enum s3_verdict v = s3_once(s, c, a, e);
		int retry_after_s = a->http.retry_after_s;

		if (v == S3_OK)
			return 0;
		tried += v != S3_NOW;
		if (v == S3_FAILED)
			return -1;
		if (tried >= s->tries)
			return s->tries == 1 ? -1 : err_wrap(e, "tried %u times", tried);
		s3_answer_done(a);
		*a = (struct s3_answer){0};
		if (v == S3_AGAIN && s3_pause(s, s3_backoff_ms(s, tried - 1, retry_after_s), e))
			return -1;
	}
}

int s3_head(struct s3 *s, const char *key, uint64_t *size, struct err *e)
{
	struct s3_call c = {.what = "look at", .method = "HEAD", .key = key};
	CLEANUP(s3_answer_done) struct s3_answer a = {0};

	if (s3_do(s, &c, &a, e))
		return -1;
	if (a.http.content_length == UINT64_MAX)
		return err_set(e, ERR_STORAGE, "look at \"%s\": %s does not tell the size", key, s->host);
	*size = a.http.content_length;
	return 0;
}

int s3_remove(struct s3 *s, const char *key, struct err *e)
{
	struct s3_call c = {.what = "remove", .method = "DELETE", .key = key};
	CLEANUP(s3_answer_done) struct s3_answer a = {0};

	if (s3_do(s, &c, &a, e) && !(e->kind == ERR_NOTFOUND && str_eq(a.xml.code, "NoSuchKey")))
		return -1;
	return 0;
}
