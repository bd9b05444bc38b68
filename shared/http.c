/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/pin.h"
#include "shared/str.h"

enum {
	CONNECT_TIMEOUT_S = 10,
	STALL_S = 60,
	STALL_RATE = 1024,          /* bytes a second below which a transfer counts as stalled */
	MAX_REPLY = 1 << 20,
	BIG_BODY = 256 << 10,       /* from here on a large send buffer pays */
	SEND_BUFFER = 512 << 10,
	RECEIVE_BUFFER = 128 << 10,
	POLL_MS = 60000,
};

struct http {
	CURLM *multi;
	char *ca_file, *pin, *proxy, *user_agent;
	unsigned connect_timeout_s, stall_s;
	atomic_bool woken;
	int watched;                /* -1 none */
	struct { LIST_OF(struct http_req *); } reqs;
};

struct http_req {
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct http_call call;
	char where[280];            /* "host:port", for messages */
	bool tls;
	uint64_t at;                /* next byte of the body */
	struct http_reply reply;
	bool over, stopped, read_failed; /* reply cap met; on_data said stop; body file unreadable */
	bool done;
	CURLcode result;
	char detail[CURL_ERROR_SIZE];
};

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_new(struct http **ret, const struct http_opts *o, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CURLM *multi;
	struct http *h;

	pthread_once(&once, global_init);
	multi = curl_multi_init();
	if (!multi)
		return err_set(e, ERR_INTERNAL, "libcurl gives no multi handle");
	h = xcalloc(1, sizeof(*h));
	h->multi = multi;
	h->ca_file = xstrdup(o->ca_file);
	h->pin = xstrdup(o->pin);
	h->proxy = xstrdup(o->proxy);
	h->user_agent = xstrdup(o->user_agent);
	h->connect_timeout_s = o->connect_timeout_s ? o->connect_timeout_s : CONNECT_TIMEOUT_S;
	h->stall_s = o->stall_s ? o->stall_s : STALL_S;
	h->watched = -1;
	*ret = h;
	return 0;
}

/* Headers carry keys and tokens: their copies do not stay in freed memory. */
static void headers_free(struct curl_slist *list)
{
	for (struct curl_slist *s = list; s; s = s->next)
		mem_wipe(s->data, strlen(s->data));
	curl_slist_free_all(list);
}

static void req_free(struct http_req *r)
{
	if (!r)
		return;
	if (r->easy)
		curl_easy_cleanup(r->easy);
	headers_free(r->headers);
	http_reply_done(&r->reply);
	free(r);
}
DEFINE_FREEP(struct http_req, req_free)

static void req_forget(struct http *h, struct http_req *r)
{
	for (size_t i = 0; i < h->reqs.n; i++)
		if (h->reqs.v[i] == r) {
			h->reqs.v[i] = h->reqs.v[--h->reqs.n];
			break;
		}
	if (!r->done)
		curl_multi_remove_handle(h->multi, r->easy);
	req_free(r);
}

void http_free(struct http *h)
{
	if (!h)
		return;
	while (h->reqs.n)
		req_forget(h, h->reqs.v[0]);
	list_done(&h->reqs);
	curl_multi_cleanup(h->multi);
	free(h->ca_file);
	free(h->pin);
	free(h->proxy);
	free(h->user_agent);
	free(h);
}

void http_freep(struct http **h)
{
	http_free(*h);
}

void http_reply_done(struct http_reply *r)
{
	buf_done(&r->body);
}

/* ---- what curl calls back */

static size_t send_body(char *to, size_t size, size_t n, void *ctx)
{
	struct http_req *r = ctx;
	uint64_t left = r->call.body_len - r->at;
	size_t want = size * n;
	ssize_t got;

	if (want > left)
		want = (size_t)left;
	if (want == 0)
		return 0;
	if (!r->call.body_from_fd) {
		memcpy(to, (const char *)r->call.body + r->at, want);
		r->at += want;
		return want;
	}
	do {
		got = pread(r->call.body_fd, to, want, (off_t)(r->call.body_offset + r->at));
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		r->read_failed = true;
		return CURL_READFUNC_ABORT;
	}
	r->at += (uint64_t)got;
	return (size_t)got;
}

/* A kept connection that the server had closed meanwhile: curl sends again. */
static int rewind_body(void *ctx, curl_off_t offset, int origin)
{
	struct http_req *r = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > r->call.body_len)
		return CURL_SEEKFUNC_CANTSEEK;
	r->at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct http_req *r = ctx;
	size_t len = size * n;
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (r->call.on_data && (r->call.only_status ? status == r->call.only_status : status >= 200 && status < 300)) {
		r->stopped = r->call.on_data(r->call.ctx, p, len) != 0;
		if (r->call.stream)
			atomic_store(&r->http->woken, true);
		return r->stopped ? 0 : len;
	}
	buf_add(&r->reply.body, p, len);
	r->over = r->reply.body.over;
	return r->over ? 0 : len;
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct http_req *r = ctx;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} wanted[] = {
		{"etag", r->reply.etag, sizeof(r->reply.etag)},
		{"date", r->reply.date, sizeof(r->reply.date)},
		{"content-type", r->reply.content_type, sizeof(r->reply.content_type)},
		{"x-amz-request-id", r->reply.request_id, sizeof(r->reply.request_id)},
		{"x-request-id", r->reply.request_id, sizeof(r->reply.request_id)},
		{"x-amz-bucket-region", r->reply.bucket_region, sizeof(r->reply.bucket_region)},
	};
	size_t len = size * n, name_len, end = len;
	const char *colon = memchr(p, ':', len);

	if (!colon)
		return len;
	name_len = (size_t)(colon - p);
	while (end > name_len + 1 && (p[end - 1] == '\r' || p[end - 1] == '\n' || p[end - 1] == ' '))
		end--;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		CLEANUP(freep) char *value = NULL;
		size_t from = name_len + 1;

		if (strlen(wanted[i].name) != name_len || strncasecmp(p, wanted[i].name, name_len) != 0)
			continue;
		while (from < end && (p[from] == ' ' || p[from] == '\t'))
			from++;
		value = xstrndup(p + from, end - from);
		str_clean(value);
		str_cut(wanted[i].to, wanted[i].size, value);
	}
	return len;
}

/* ---- setting up one request */

static bool is_loopback(const char *host)
{
	return str_ieq(host, "localhost") || str_ends(host, ".localhost") || str_starts(host, "127.") ||
	       str_eq(host, "[::1]") || str_eq(host, "::1");
}

/* Host and port for messages, scheme and loopback for the choice of proxy. */
static int look_at_url(struct http_req *r, bool *loopback, struct err *e)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	bool ok = u && curl_url_set(u, CURLUPART_URL, r->call.url, CURLU_PATH_AS_IS) == CURLUE_OK &&
		  curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		  curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		  curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;

	if (ok) {
		CLEANUP(freep) char *where = xasprintf("%s:%s", host, port);

		str_cut(r->where, sizeof(r->where), where);
		r->tls = str_ieq(scheme, "https");
		*loopback = is_loopback(host);
		ok = r->tls || str_ieq(scheme, "http");
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(u);
	if (!ok)
		return err_set(e, ERR_INVALID, "\"%s\" is not a URL of the form https://host[:port]/path", r->call.url);
	return 0;
}

static int add_header(struct http_req *r, const char *line, struct err *e)
{
	struct curl_slist *more;
	const char *colon = strchr(line, ':');

	if (!colon || colon == line || strpbrk(line, "\r\n"))
		return err_set(e, ERR_INVALID, "the value of HTTP header \"%.*s\" cannot be sent: it holds a line break",
			       colon ? (int)(colon - line) : 0, line);
	more = curl_slist_append(r->headers, line);
	if (!more)
		return err_set(e, ERR_INTERNAL, "out of memory");
	r->headers = more;
	return 0;
}

static int set_headers(struct http_req *r, struct err *e)
{
	bool accept = false;

	for (const char *const *h = r->call.headers; h && *h; h++) {
		if (add_header(r, *h, e))
			return -1;
		accept |= strncasecmp(*h, "accept:", 7) == 0;
	}
	/* A name with nothing after the colon takes curl's own header away. */
	if (add_header(r, "Expect:", e) || (!accept && add_header(r, "Accept:", e)))
		return -1;
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	return 0;
}

static void set_body(struct http_req *r)
{
	CURL *c = r->easy;
	bool has_body = r->call.has_body || r->call.body_len > 0;

	if (str_eq(r->call.method, "HEAD")) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if (has_body) {
		/* The upload mode adds no header of its own but Content-Length. */
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->call.body_len);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, send_body);
		curl_easy_setopt(c, CURLOPT_READDATA, r);
		curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, rewind_body);
		curl_easy_setopt(c, CURLOPT_SEEKDATA, r);
		if (r->call.body_len >= BIG_BODY)
			curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->call.method);
}

static void set_tls(const struct http *h, CURL *c)
{
	if (h->pin) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, h->pin);
	} else if (h->ca_file) {
		curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_file);
	}
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_common(CURL *c, bool loopback, const char *proxy, unsigned connect_timeout_s)
{
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)connect_timeout_s);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a resolver thread at the end */
#endif
	if (loopback)
		curl_easy_setopt(c, CURLOPT_PROXY, ""); /* not even the environment's */
	else if (proxy)
		curl_easy_setopt(c, CURLOPT_PROXY, proxy);
}

static int req_set(const struct http *h, struct http_req *r, struct err *e)
{
	CURL *c = r->easy;
	bool loopback = false;
	unsigned stall_s = r->call.stall_s ? r->call.stall_s : h->stall_s;

	if (look_at_url(r, &loopback, e))
		return -1;
	set_common(c, loopback, h->proxy, h->connect_timeout_s);
	set_tls(h, c);
	set_body(r);
	if (set_headers(r, e))
		return -1;
	curl_easy_setopt(c, CURLOPT_URL, r->call.url);
	curl_easy_setopt(c, CURLOPT_PRIVATE, r);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, r->detail);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	if (!r->call.stream) {
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_RATE);
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)stall_s);
	}
	if (h->user_agent)
		curl_easy_setopt(c, CURLOPT_USERAGENT, h->user_agent);
	if (r->call.timeout_s)
		curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)r->call.timeout_s);
	if (r->call.max_send_rate)
		curl_easy_setopt(c, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)r->call.max_send_rate);
	return 0;
}

int http_start(struct http *h, const struct http_call *call, struct http_req **ret, struct err *e)
{
	CLEANUP(req_freep) struct http_req *r = xcalloc(1, sizeof(*r));

	r->http = h;
	r->call = *call;
	buf_init(&r->reply.body, call->max_reply ? call->max_reply : MAX_REPLY);
	r->easy = curl_easy_init();
	if (!r->easy)
		return err_set(e, ERR_INTERNAL, "libcurl gives no handle");
	if (req_set(h, r, e))
		return -1;
	/* curl keeps its own copies of url, method and headers */
	r->call.url = r->call.method = NULL;
	r->call.headers = NULL;
	if (curl_multi_add_handle(h->multi, r->easy) != CURLM_OK)
		return err_set(e, ERR_INTERNAL, "libcurl does not take the request to %s", r->where);
	*list_push(&h->reqs) = r;
	*ret = TAKE(r);
	return 0;
}

/* ---- waiting */

/* Move data; note which requests have ended. */
static int drive(struct http *h, struct err *e)
{
	int running = 0, queued = 0;
	CURLMcode code = curl_multi_perform(h->multi, &running);
	CURLMsg *m;

	if (code != CURLM_OK)
		return err_set(e, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
	while ((m = curl_multi_info_read(h->multi, &queued))) {
		struct http_req *r = NULL;
		CURL *easy = m->easy_handle;
		CURLcode result = m->data.result;

		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r) || !r)
			continue;
		r->done = true;
		r->result = result;
		curl_multi_remove_handle(h->multi, easy);
	}
	return 0;
}

/* fd: also awake when it can be read (then 1); -1 none. */
static int sleep_until(struct http *h, int fd, int64_t deadline, struct err *e)
{
	struct curl_waitfd also = {.fd = fd, .events = CURL_WAIT_POLLIN};
	int64_t left = deadline - clock_mono_ms();
	CURLMcode code;

	if (left <= 0)
		return 0;
	code = curl_multi_poll(h->multi, &also, fd >= 0, left < POLL_MS ? (int)left : POLL_MS, NULL);
	if (code != CURLM_OK)
		return err_set(e, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
	return also.revents ? 1 : 0;
}

int http_wait(struct http *h, int timeout_ms, struct http_req **ret, struct err *e)
{
	int64_t deadline = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
	int rc;

	for (;;) {
		if (drive(h, e))
			return -1;
		for (size_t i = 0; i < h->reqs.n; i++)
			if (h->reqs.v[i]->done) {
				*ret = h->reqs.v[i];
				return 1;
			}
		if (atomic_exchange(&h->woken, false) || clock_mono_ms() >= deadline)
			return 0;
		rc = sleep_until(h, h->watched, deadline, e);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
}

void http_watch(struct http *h, int fd)
{
	h->watched = fd;
}

void http_wake(struct http *h)
{
	atomic_store(&h->woken, true);
	curl_multi_wakeup(h->multi);
}

void http_cancel(struct http *h, struct http_req *r)
{
	if (r)
		req_forget(h, r);
}

/* ---- the outcome */

static bool has_happened(CURL *c, CURLINFO info)
{
	curl_off_t us = 0;

	curl_easy_getinfo(c, info, &us);
	return us > 0;
}

static int explain_timeout(const struct http_req *r, struct err *e)
{
	if (!has_happened(r->easy, CURLINFO_NAMELOOKUP_TIME_T))
		return err_set(e, ERR_NET, "%s: the name was not resolved in time (DNS time-out)", r->where);
	if (!has_happened(r->easy, CURLINFO_CONNECT_TIME_T))
		return err_set(e, ERR_NET, "%s: no connection in time (connect time-out); is a firewall in between?",
			       r->where);
	if (r->tls && !has_happened(r->easy, CURLINFO_APPCONNECT_TIME_T))
		return err_set(e, ERR_NET, "%s: the TLS handshake did not end in time", r->where);
	return err_set(e, ERR_NET, "%s: time-out, the transfer has stalled (%s)", r->where, r->detail);
}

static int explain_connect(const struct http_req *r, struct err *e)
{
	long code = 0;

	curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &code);
	if (code == ECONNREFUSED)
		return err_set(e, ERR_NET, "%s: connection refused; nothing listens there", r->where);
	if (code > 0)
		return err_set(e, ERR_NET, "%s: cannot connect: %s", r->where, strerror((int)code));
	return err_set(e, ERR_NET, "%s: cannot connect: %s", r->where, r->detail);
}

static int explain(struct http_req *r, struct err *e)
{
	if (!r->detail[0])
		str_cut(r->detail, sizeof(r->detail), curl_easy_strerror(r->result));
	str_clean(r->detail);
	if (r->over)
		return err_set(e, ERR_LIMIT, "%s: the answer is larger than %zu bytes", r->where, r->reply.body.max);
	if (r->stopped)
		return err_set(e, ERR_ABORTED, "%s: the transfer was stopped", r->where);
	if (r->read_failed)
		return err_set(e, ERR_IO, "%s: the data to send could not be read back from its file", r->where);
	switch (r->result) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(e, ERR_NET, "%s: the host name is not known (DNS); check its spelling and the resolver",
			       r->where);
	case CURLE_COULDNT_RESOLVE_PROXY:
		return err_set(e, ERR_NET, "%s: the name of the proxy is not known (DNS)", r->where);
	case CURLE_COULDNT_CONNECT:
		return explain_connect(r, e);
	case CURLE_OPERATION_TIMEDOUT:
		return explain_timeout(r, e);
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		r->reply.hopeless = true;
		return err_set(e, ERR_NET, "%s: TLS: the server's public key is not the pinned one", r->where);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		r->reply.hopeless = true;
		return err_set(e, ERR_NET, "%s: TLS: the certificate is not accepted: %s", r->where, r->detail);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
		return err_set(e, ERR_NET, "%s: TLS: no handshake (does the server speak https?): %s", r->where,
			       r->detail);
	case CURLE_GOT_NOTHING:
		return err_set(e, ERR_NET, "%s: the connection was lost before an answer came%s", r->where,
			       r->tls ? "" : "; does the server want https?");
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return err_set(e, ERR_NET, "%s: the connection was lost: %s", r->where, r->detail);
	default:
		return err_set(e, ERR_NET, "%s: %s", r->where, r->detail);
	}
}

static void fill_reply(struct http_req *r)
{
	long status = 0;
	curl_off_t n = -1, after = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &after);
	r->reply.status = (int)status;
	r->reply.content_length = n < 0 ? UINT64_MAX : (uint64_t)n;
	r->reply.retry_after_s = after > 86400 ? 86400 : (int)after;
}

int http_end(struct http *h, struct http_req *r, struct http_reply *ret, struct err *e)
{
	int failed = 0;

	*ret = (struct http_reply){0};
	while (!r->done && !failed)
		failed = drive(h, e) || (!r->done && sleep_until(h, -1, INT64_MAX, e));
	if (!failed && r->result != CURLE_OK) {
		failed = explain(r, e);
		ret->hopeless = r->reply.hopeless;
	}
	if (!failed) {
		fill_reply(r);
		*ret = r->reply;
		r->reply = (struct http_reply){0};
	}
	req_forget(h, r);
	return failed ? -1 : 0;
}

int http_do(struct http *h, const struct http_call *c, struct http_reply *ret, struct err *e)
{
	struct http_req *r;

	*ret = (struct http_reply){0};
	if (http_start(h, c, &r, e)) {
		ret->hopeless = true;
		return -1;
	}
	return http_end(h, r, ret, e);
}

/* ---- the pin of a stranger */

/* The first certificate is the server's own. */
static int first_pem(CURL *c, char pin[static 64])
{
	struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(c, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
		return -1;
	for (const struct curl_slist *s = info->certinfo[0]; s; s = s->next)
		if (str_starts(s->data, "Cert:"))
			return pin_of_pem(s->data + 5, pin);
	return -1;
}

int http_peer_pin(const char *url, char pin[static 64], struct err *e)
{
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(req_freep) struct http_req *r = NULL;
	bool loopback = false;

	if (http_new(&h, &(struct http_opts){0}, e))
		return -1;
	r = xcalloc(1, sizeof(*r));
	r->call.url = url;
	r->easy = curl_easy_init();
	if (!r->easy)
		return err_set(e, ERR_INTERNAL, "libcurl gives no handle");
	if (look_at_url(r, &loopback, e))
		return -1;
	if (!r->tls)
		return err_set(e, ERR_INVALID, "%s: only an https server has a key to show", url);
	set_common(r->easy, loopback, NULL, CONNECT_TIMEOUT_S);
	curl_easy_setopt(r->easy, CURLOPT_URL, url);
	curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->detail);
	curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(r->easy, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(r->easy, CURLOPT_CONNECT_ONLY, 1L);
	r->result = curl_easy_perform(r->easy);
	if (r->result != CURLE_OK)
		return explain(r, e);
	if (first_pem(r->easy, pin))
		return err_set(e, ERR_NET, "%s: TLS: the server's certificate cannot be read", r->where);
	return 0;
}
