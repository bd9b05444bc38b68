/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/mail.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { MAIL_MAX = 4 << 20, WORD = 45, LINE = 57, CONNECT_S = 10 };

struct sending {
	const struct mail *m;
	struct buf text;
	size_t at;
};

static bool is_line(const char *text)
{
	return text && !strpbrk(text, "\r\n");
}

/* RFC 2047: words of base64, each of whole characters. */
static void add_subject(struct buf *b, const char *text)
{
	size_t len = strlen(text), at = 0;
	bool ascii = len < 900;

	for (size_t i = 0; i < len && ascii; i++)
		ascii = text[i] >= ' ' && text[i] < 0x7f;
	buf_adds(b, "Subject:");
	if (ascii) {
		buf_addf(b, " %s\r\n", text);
		return;
	}
	while (at < len) {
		size_t n = len - at < WORD ? len - at : WORD;
		CLEANUP(freep) char *word = NULL;

		while (n > 1 && at + n < len && ((unsigned char)text[at + n] & 0xc0) == 0x80)
			n--;
		word = base64_encode(text + at, n);
		buf_addf(b, " =?UTF-8?B?%s?=\r\n", word);
		at += n;
	}
}

static void compose(struct sending *s)
{
	const struct mail *m = s->m;
	const char *at = strrchr(m->from, '@');
	size_t len = strlen(m->text);
	char date[64];

	buf_addf(&s->text, "From: %s\r\n", m->from);
	for (size_t i = 0; m->to[i]; i++)
		buf_addf(&s->text, "%s%s%s", i ? ",\r\n\t" : "To: ", m->to[i], m->to[i + 1] ? "" : "\r\n");
	add_subject(&s->text, m->subject);
	buf_addf(&s->text, "Date: %s\r\n", clock_format(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", m->date));
	buf_addf(&s->text, "Message-ID: <%s%s>\r\n", m->id, at ? at : "@localhost");
	buf_adds(&s->text, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			   "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < len; i += LINE) {
		CLEANUP(freep) char *line = base64_encode(m->text + i, len - i < LINE ? len - i : LINE);

		buf_addf(&s->text, "%s\r\n", line);
	}
}

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
	struct sending *s = ctx;
	size_t left = s->text.len - s->at, want = size * n < left ? size * n : left;

	if (want)
		memcpy(to, s->text.p + s->at, want);
	s->at += want;
	return want;
}

static int look_for_stop(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct mail *m = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return m->stop && atomic_load(m->stop);
}

static void set(CURL *c, struct sending *s, const char *url)
{
	const struct mail *m = s->m;

	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
#endif
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(m->tls == MAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (m->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, m->ca_file);
	if (m->user) {
		curl_easy_setopt(c, CURLOPT_USERNAME, m->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, m->password ? m->password : "");
	}
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, m->from);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(c, CURLOPT_READDATA, s);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)m->timeout_s);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_for_stop);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)(uintptr_t)m);
}

static int explain(const struct mail *m, CURLcode code, long status, struct err *e)
{
	switch (code) {
	case CURLE_ABORTED_BY_CALLBACK:
		return err_set(e, ERR_ABORTED, "%s:%u: ended", m->host, m->port);
	case CURLE_LOGIN_DENIED:
		return err_set(e, ERR_DENIED, "%s:%u does not take this user and password (%ld)", m->host, m->port, status);
	case CURLE_USE_SSL_FAILED:
		return err_set(e, ERR_NET, "%s:%u offers no TLS (STARTTLS)", m->host, m->port);
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(e, ERR_NET, "%s:%u: its certificate is not one that we trust for this name", m->host, m->port);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(e, ERR_NET, "%s:%u: no end within %u s", m->host, m->port, m->timeout_s);
	default:
		if (status >= 400)
			return err_set(e, ERR_NET, "%s:%u refused the mail with %ld", m->host, m->port, status);
		return err_set(e, ERR_NET, "%s:%u: %s", m->host, m->port, curl_easy_strerror(code));
	}
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int check_lines(const struct mail *m, struct err *e)
{
	bool good = is_line(m->from) && is_line(m->subject) && is_line(m->id) && m->to[0];

	for (size_t i = 0; m->to[i]; i++)
		good = good && is_line(m->to[i]);
	return good ? 0 : err_set(e, ERR_INVALID, "an address or the subject of the mail holds a line break");
}

int mail_send(const struct mail *m, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(freep) char *url =
		xasprintf("%s://%s%s%s:%u", m->tls == MAIL_TLS ? "smtps" : "smtp", strchr(m->host, ':') ? "[" : "", m->host,
			  strchr(m->host, ':') ? "]" : "", m->port);
	struct sending s = {.m = m};
	struct curl_slist *to = NULL;
	long status = 0;
	CURLcode code;
	CURL *c;

	if (check_lines(m, e))
		return -1;
	pthread_once(&once, global_init);
	c = curl_easy_init();
	if (!c)
		return err_set(e, ERR_INTERNAL, "libcurl gives no handle");
	buf_init(&s.text, MAIL_MAX);
	compose(&s);
	for (size_t i = 0; m->to[i]; i++)
		to = curl_slist_append(to, m->to[i]);
	set(c, &s, url);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
	code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	curl_slist_free_all(to);
	buf_done(&s.text);
	return code == CURLE_OK ? 0 : explain(m, code, status, e);
}
