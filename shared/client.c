/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

/* Lists of a large fleet and the log of a run fit; nothing honest is larger. */
enum { REPLY_MAX = 16 << 20, CREDENTIAL_MAX = 8192, CALL_TIMEOUT_S = 60, TICK_MS = 250 };

struct client {
	struct http *http;
	char *base;        /* without a last '/' */
	char *credential;  /* a whole header line, or NULL */
	char *header;      /* likewise */
	bool (*tick)(void *ctx);
	void *ctx;
	struct http_req *stream; /* NULL: none */
	bool stream_ended;
};

static int check_url(const char *url, struct err *e)
{
	const char *host = str_starts(url, "https://") ? url + 8 : str_starts(url, "http://") ? url + 7 : NULL;

	if (!host || !*host || *host == '/' || strpbrk(url, " \t\r\n"))
		return err_set(e, ERR_CONFIG,
			       "master \"%s\" is no address; write it like https://master.example.net:8443", url);
	if (strchr(host, '@'))
		return err_set(e, ERR_CONFIG, "the master's address must not carry a user or password");
	if (strpbrk(host, "?#"))
		return err_set(e, ERR_CONFIG,
			       "master \"%s\" has a query or fragment; leave out what begins with ? or #", url);
	return 0;
}

/* A pin that no key can have would look like an attack at each call. */
static int check_pin(const char *pin, struct err *e)
{
	CLEANUP(freep) uint8_t *digest = NULL;
	size_t n = 0;

	if (str_empty(pin) || (str_starts(pin, "sha256//") && !base64_decode(&digest, &n, pin + 8) && n == SHA256_LEN))
		return 0;
	return err_set(e, ERR_CONFIG, "the pin \"%.80s\" is no sha256//BASE64 of a public key, as felloe-masterd init prints it",
		       pin);
}

int client_new(struct client **ret, const struct client_opts *o, struct err *e)
{
	struct http_opts ho = {.pin = o->pin, .ca_file = o->ca_file, .user_agent = o->user_agent};
	CLEANUP(client_freep) struct client *c = xcalloc(1, sizeof(*c));
	size_t n;

	if (check_url(o->url, e) || check_pin(o->pin, e))
		return -1;
	if (str_empty(ho.pin))
		ho.pin = NULL;
	if (str_empty(ho.ca_file))
		ho.ca_file = NULL;
	c->base = xstrdup(o->url);
	for (n = strlen(c->base); n && c->base[n - 1] == '/';)
		c->base[--n] = '\0';
	if (str_ends(c->base, "/api/v1"))
		c->base[n - strlen("/api/v1")] = '\0';
	if (http_new(&c->http, &ho, e))
		return -1;
	*ret = TAKE(c);
	return 0;
}

static void wipe(char **secret)
{
	if (*secret)
		mem_wipe(*secret, strlen(*secret));
	freep(secret);
	*secret = NULL;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	client_stream_close(c);
	http_free(c->http);
	wipe(&c->credential);
	freep(&c->header);
	freep(&c->base);
	free(c);
}

void client_freep(struct client **c)
{
	client_free(*c);
}

/* A line feed in a credential would add a header of the sender's choice. */
static void set_credential(struct client *c, const char *prefix, const char *value)
{
	wipe(&c->credential);
	if (!str_empty(value) && !strpbrk(value, "\r\n") && strlen(value) < CREDENTIAL_MAX)
		c->credential = xasprintf("%s%s", prefix, value);
}

void client_set_api_key(struct client *c, const char *key)
{
	set_credential(c, "X-API-KEY: ", key);
}

void client_set_token(struct client *c, const char *token)
{
	set_credential(c, "Authorization: Bearer ", token);
}

/* An IMF-fixdate (RFC 9110, section 5.6.7) to ms; 0 when it is none. */
static int64_t http_date(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = {0};
	char mon[4] = "";
	const char *at;
	uint64_t v[5];
	static const struct { size_t at, len; uint64_t min, max; } part[5] = {
		{5, 2, 1, 31}, {12, 4, 1970, 9999}, {17, 2, 0, 23}, {20, 2, 0, 59}, {23, 2, 0, 60}};

	if (strlen(s) != 29 || !str_ends(s, " GMT"))
		return 0;
	for (size_t i = 0; i < 5; i++) {
		char digits[8];

		snprintf(digits, sizeof(digits), "%.*s", (int)part[i].len, s + part[i].at);
		if (str_to_u64(&v[i], digits, part[i].min, part[i].max))
			return 0;
	}
	memcpy(mon, s + 8, 3);
	at = strstr(months, mon);
	if (!at || (at - months) % 3)
		return 0;
	tm.tm_mday = (int)v[0];
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year = (int)v[1] - 1900;
	tm.tm_hour = (int)v[2];
	tm.tm_min = (int)v[3];
	tm.tm_sec = (int)v[4];
	return (int64_t)timegm(&tm) * 1000;
}

/* A problem document (RFC 9457) as one line: title, detail, the first bad
 * field, and the way out. The text is a stranger's: cleaned before it is shown. */
static int problem(const struct http_reply *r, const struct json *doc, const char *url, struct err *e)
{
	const struct json *first = json_first(json_get(doc, "errors"));
	const char *title = json_get_str(doc, "title", NULL);
	const char *detail = json_get_str(doc, "detail", "");
	const char *hint = json_get_str(doc, "hint", "");
	const char *path = json_get_str(first, "path", "");
	char text[ERR_MSG_MAX];
	struct buf b;

	buf_init(&b, 4096);
	if (!title) {
		buf_addf(&b, "%s answered with HTTP status %d", url, r->status);
		if (r->status == 404)
			buf_adds(&b, "; is this the address of a Felloe master?");
	} else {
		buf_addf(&b, "%.200s", *detail ? detail : title);
	}
	if (first && !strstr(detail, json_get_str(first, "message", "")))
		buf_addf(&b, ": %.100s%s%.150s", path, *path ? ": " : "", json_get_str(first, "message", ""));
	if (json_count(json_get(doc, "errors")) > 1)
		buf_addf(&b, " (and %zu more)", json_count(json_get(doc, "errors")) - 1);
	if (*hint)
		buf_addf(&b, "; %.200s", hint);
	str_cut(text, sizeof(text), b.p);
	str_clean(text);
	buf_done(&b);
	return err_set(e, err_from_http(r->status), "%s", text);
}

static int read_reply(struct client_reply *ret, struct http_reply *r, const char *url, struct err *e)
{
	CLEANUP(json_freep) struct json *doc = NULL;
	struct err bad = {0};
	bool unreadable = r->body.len && json_parse(&doc, r->body.p, r->body.len, &bad);

	ret->status = r->status;
	ret->retry_after_s = r->retry_after_s;
	ret->date = http_date(r->date);
	str_cut(ret->etag, sizeof(ret->etag), r->etag);
	if (r->status >= 400) {
		(void)problem(r, doc, url, e);
		ret->json = TAKE(doc);
		return -1;
	}
	if (r->status >= 300 && r->status != 304)
		return err_set(e, ERR_NET, "%s answered with a redirect (HTTP status %d); give the address it leads to",
			       url, r->status);
	if (unreadable)
		return err_set(e, ERR_NET, "%s did not answer with JSON (%s); is this the address of a Felloe master?",
			       url, bad.msg);
	ret->json = TAKE(doc);
	return 0;
}

void client_set_header(struct client *c, const char *line)
{
	freep(&c->header);
	c->header = xstrdup(line);
}

void client_set_tick(struct client *c, bool (*tick)(void *ctx), void *ctx)
{
	c->tick = tick;
	c->ctx = ctx;
}

/* http_do with a tick by the way. */
static int exchange(struct client *c, const struct http_call *call, struct http_reply *ret, struct err *e)
{
	struct http_req *r, *done;
	int got = 0;

	if (!c->tick)
		return http_do(c->http, call, ret, e);
	if (http_start(c->http, call, &r, e))
		return -1;
	while (!got) {
		got = http_wait(c->http, TICK_MS, &done, e);
		if (c->tick(c->ctx) && got <= 0)
			got = err_set(e, ERR_ABORTED, "%s %s: given up, since this program ends", call->method,
				      call->url);
	}
	if (got < 0) {
		http_cancel(c->http, r);
		return -1;
	}
	return http_end(c->http, r, ret, e);
}

int client_do(struct client *c, const struct client_call *o, struct client_reply *ret, struct err *e)
{
	bool root = str_starts(o->path, "//");
	CLEANUP(freep) char *url = xasprintf("%s%s%s", c->base, root ? "" : "/api/v1", root ? o->path + 1 : o->path);
	CLEANUP(freep) char *match = str_empty(o->etag) ? NULL : xasprintf("If-None-Match: %s", o->etag);
	const char *headers[6] = {"Accept: application/json"};
	size_t n = 1;
	struct http_call call = {.method = o->method,
				 .url = url,
				 .headers = headers,
				 .body = o->body,
				 .body_len = o->body ? strlen(o->body) : 0,
				 .has_body = o->body || !str_eq(o->method, "GET"),
				 .max_reply = REPLY_MAX,
				 .timeout_s = CALL_TIMEOUT_S};
	struct http_reply reply = {0};
	int failed;

	*ret = (struct client_reply){0};
	if (o->body)
		headers[n++] = "Content-Type: application/json";
	if (match)
		headers[n++] = match;
	if (c->credential)
		headers[n++] = c->credential;
	if (c->header)
		headers[n++] = c->header;
	if (exchange(c, &call, &reply, e)) {
		ret->hopeless = reply.hopeless;
		http_reply_done(&reply);
		return -1;
	}
	failed = read_reply(ret, &reply, url, e);
	http_reply_done(&reply);
	return failed;
}

void client_reply_done(struct client_reply *r)
{
	json_free(r->json);
	*r = (struct client_reply){0};
}

/* ---- a reply that goes on */

int client_stream_open(struct client *c, const struct client_stream_call *call, struct err *e)
{
	CLEANUP(freep) char *url = xasprintf("%s/api/v1%s", c->base, call->path);
	CLEANUP(freep) char *accept = xasprintf("Accept: %s", call->accept);
	CLEANUP(freep) char *id =
		str_empty(call->last_event_id) ? NULL : xasprintf("Last-Event-ID: %s", call->last_event_id);
	const char *headers[6] = {accept, "Cache-Control: no-store"};
	size_t n = 2;
	struct http_call out = {.method = "GET", .url = url, .headers = headers, .on_data = call->on_data,
				.ctx = call->ctx, .stream = true};

	if (id)
		headers[n++] = id;
	if (c->credential)
		headers[n++] = c->credential;
	if (c->header)
		headers[n++] = c->header;
	client_stream_close(c);
	return http_start(c->http, &out, &c->stream, e);
}

int client_stream_wait(struct client *c, int timeout_ms, int fd, struct err *e)
{
	struct http_req *done = NULL;
	int got;

	http_watch(c->http, fd);
	got = http_wait(c->http, timeout_ms, &done, e);
	http_watch(c->http, -1);
	c->stream_ended = got == 1 && done == c->stream;
	return got;
}

int client_stream_end(struct client *c, struct client_reply *ret, struct err *e)
{
	struct http_reply reply = {0};
	int failed;

	*ret = (struct client_reply){0};
	if (!c->stream || !c->stream_ended) {
		client_stream_close(c);
		return err_set(e, ERR_ABORTED, "the stream was ended here");
	}
	c->stream_ended = false;
	failed = http_end(c->http, TAKE(c->stream), &reply, e);
	if (failed)
		ret->hopeless = reply.hopeless;
	else
		failed = read_reply(ret, &reply, c->base, e);
	http_reply_done(&reply);
	return failed;
}

void client_stream_close(struct client *c)
{
	if (c->stream)
		http_cancel(c->http, c->stream);
	c->stream = NULL;
	c->stream_ended = false;
}
