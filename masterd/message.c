/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/json.h"
#include "shared/mail.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { BODY_LIMIT = 4 << 20, LINES_SLACK = 20, LINES_MAIL = 200, TO_MAX = 32, LINE_MAX_LEN = 900, WAIT_MS = 200 };

/* ---- texts */

/* "opened: web-3: failed_run shop: CAUSE" */
static void add_line(struct buf *b, const char *doc)
{
	CLEANUP(json_freep) struct json *j = NULL;
	const struct json *a;
	const char *ref;

	if (json_parse(&j, doc, strlen(doc), NULL))
		return;
	a = json_get(j, "alert");
	ref = json_get_str(a, "ref", "");
	buf_addf(b, "%s: %s: %s%s%s: %.600s", json_get_str(j, "event", "?"), json_get_str(a, "node", "?"),
		 json_get_str(a, "kind", "?"), *ref ? " " : "", ref, json_get_str(a, "cause", ""));
}

static void add_next(struct buf *b, const char *doc)
{
	CLEANUP(json_freep) struct json *j = NULL;
	const char *next;

	if (json_parse(&j, doc, strlen(doc), NULL) || str_eq(json_get_str(j, "event", ""), "recovered"))
		return;
	next = json_get_str(json_get(j, "alert"), "next_step", "");
	if (*next)
		buf_addf(b, "    %s\n", next);
}

static void add_text(struct buf *b, const struct message *m, size_t lines, bool next_too)
{
	const struct deliveries *l = m->notices;

	if (!l->n)
		buf_addf(b, "This is a test of the channel %s.\n", m->channel->name);
	for (size_t i = 0; i < l->n && i < lines; i++) {
		add_line(b, l->v[i].doc);
		buf_addc(b, '\n');
		if (next_too)
			add_next(b, l->v[i].doc);
	}
	if (l->n > lines)
		buf_addf(b, "and %zu more\n", l->n - lines);
}

/* ---- JSON by HTTP */

/* Text of the header X-Felloe-Signature: HMAC-SHA256 by secret over "SECONDS.BODY". */
static char *signature_of(const char *secret, int64_t seconds, const char *body, size_t len)
{
	uint8_t mac[SHA256_LEN];
	char hex[SHA256_HEX];
	struct buf b;

	buf_init(&b, BODY_LIMIT + 64);
	buf_addf(&b, "%lld.", (long long)seconds);
	buf_add(&b, body, len);
	hmac_sha256(mac, secret, strlen(secret), b.p, b.len);
	buf_done(&b);
	return xasprintf("t=%lld,v1=%s", (long long)seconds, hex_encode(hex, mac, sizeof(mac)));
}

static void webhook_body(const struct message *m, struct json_out *o)
{
	json_obj(o, NULL);
	json_put_int(o, "version", 1);
	json_put_str(o, "id", m->id);
	json_put_time(o, "sent", m->now);
	json_put_str(o, "channel", m->channel->name);
	json_put_bool(o, "test", m->notices->n == 0);
	json_arr(o, "notices");
	for (size_t i = 0; i < m->notices->n; i++)
		json_put_raw(o, NULL, m->notices->v[i].doc);
	json_end_arr(o);
	json_end_obj(o);
}

static void slack_body(const struct message *m, struct json_out *o)
{
	CLEANUP(buf_done) struct buf text;

	buf_init(&text, BODY_LIMIT);
	add_text(&text, m, LINES_SLACK, false);
	json_obj(o, NULL);
	json_put_strn(o, "text", text.p, text.len);
	json_end_obj(o);
}

/* http_do, but one that ends when the master does. */
static int exchange(struct http *h, const struct http_call *call, const atomic_bool *stop, struct http_reply *reply,
		    struct err *e)
{
	struct http_req *r = NULL, *ended = NULL;
	int got;

	if (http_start(h, call, &r, e))
		return -1;
	while ((got = http_wait(h, WAIT_MS, &ended, e)) == 0)
		if (stop && atomic_load(stop))
			break;
	if (got > 0)
		return http_end(h, ended, reply, e);
	http_cancel(h, r);
	return got < 0 ? -1 : err_set(e, ERR_ABORTED, "the master stops");
}

static int post(const struct message *m, const struct json *secrets, struct http *h, struct err *e)
{
	CLEANUP(freep) char *delivery = xasprintf("X-Felloe-Delivery: %s", m->id);
	CLEANUP(freep) char *signature = NULL;
	CLEANUP(freep) char *signed_by = NULL;
	CLEANUP(buf_done) struct buf body;
	const char *secret = json_get_str(secrets, "secret", NULL);
	const char *headers[] = {"Content-Type: application/json", delivery, NULL, NULL};
	struct http_reply reply = {0};
	struct http_call call = {.method = "POST", .url = json_get_str(secrets, "url", ""), .headers = headers,
				 .timeout_s = MESSAGE_TIMEOUT_S, .max_reply = 64 * 1024};
	struct json_out o;
	int rc;

	buf_init(&body, BODY_LIMIT);
	json_out_init(&o, &body);
	if (m->channel->kind == CHANNEL_SLACK)
		slack_body(m, &o);
	else
		webhook_body(m, &o);
	if (buf_check(&body, "the message", e))
		return -1;
	if (secret) {
		signature = signature_of(secret, m->now / 1000, body.p, body.len);
		signed_by = xasprintf("X-Felloe-Signature: %s", signature);
		headers[2] = signed_by;
	}
	call.body = body.p;
	call.body_len = body.len;
	if (exchange(h, &call, m->stop, &reply, e))
		return e->kind == ERR_INVALID ? err_set(e, ERR_INVALID, "the URL of the channel cannot be used") : -1;
	rc = reply.status >= 200 && reply.status < 300 ? 0
							: err_set(e, ERR_NET, "the other end answered %d%s", reply.status,
								  reply.status >= 300 && reply.status < 400
									  ? ": redirects are not followed" : "");
	http_reply_done(&reply);
	return rc;
}

/* ---- mail */

static char *subject_of(const struct message *m)
{
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, LINE_MAX_LEN * 2);
	if (!m->notices->n)
		return xasprintf("[felloe] test of %s", m->channel->name);
	if (m->notices->n > 1)
		return xasprintf("[felloe] %zu notices", m->notices->n);
	add_line(&b, m->notices->v[0].doc);
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\n' || b.p[i] == '\r')
			b.p[i] = ' ';
	return xasprintf("[felloe] %s", b.p);
}

static int mail(const struct message *m, const struct json *settings, const struct json *secrets, struct err *e)
{
	CLEANUP(freep) char *subject = subject_of(m);
	CLEANUP(buf_done) struct buf text;
	const char *tls = json_get_str(settings, "tls", "starttls"), *to[TO_MAX + 1] = {0};
	struct mail out = {
		.host = json_get_str(settings, "host", ""),
		.port = (unsigned)json_get_int(settings, "port", 25),
		.tls = str_eq(tls, "tls") ? MAIL_TLS : str_eq(tls, "none") ? MAIL_PLAIN : MAIL_STARTTLS,
		.ca_file = json_get_str(settings, "ca_file", NULL),
		.user = json_get_str(settings, "user", NULL),
		.password = json_get_str(secrets, "password", NULL),
		.from = json_get_str(settings, "from", ""),
		.to = to,
		.subject = subject,
		.id = m->id,
		.date = m->now,
		.timeout_s = MESSAGE_TIMEOUT_S,
		.stop = m->stop,
	};
	size_t n = 0;

	for (const struct json *j = json_first(json_get(settings, "to")); j && n < TO_MAX; j = json_next(j))
		if (json_str(j))
			to[n++] = json_str(j);
	buf_init(&text, BODY_LIMIT);
	add_text(&text, m, LINES_MAIL, true);
	out.text = text.p;
	return mail_send(&out, e);
}

int message_send(const struct message *m, struct http *h, struct err *e)
{
	CLEANUP(json_freep) struct json *settings = NULL;
	CLEANUP(json_freep) struct json *secrets = NULL;
	const struct alert_channel *c = m->channel;

	if (json_parse(&settings, c->settings, strlen(c->settings), e) ||
	    json_parse(&secrets, m->secrets, strlen(m->secrets), e))
		return err_set(e, ERR_INTERNAL, "the settings of channel %s cannot be read", c->name);
	return c->kind == CHANNEL_MAIL ? mail(m, settings, secrets, e) : post(m, secrets, h, e);
}
