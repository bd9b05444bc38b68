/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/http.c"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit.h"

/* A server of one thread: keeps what it was sent, answers with a canned text. */
struct peer {
	pthread_t thread;
	int listener;
	unsigned port;
	const char *answer;
	bool drop_first;   /* close the first connection without a word */
	bool stall;        /* answer nothing */
	char got[65536];
	size_t n;
	int exchanges;
};

static size_t body_length(const char *head)
{
	const char *p = strcasestr(head, "\r\ncontent-length:");

	return p ? (size_t)strtoul(p + 17, NULL, 10) : 0;
}

/* One request whole, or false at the end of the connection. */
static bool read_request(struct peer *p, int fd)
{
	const char *end;

	p->n = 0;
	for (;;) {
		ssize_t got = recv(fd, p->got + p->n, sizeof(p->got) - 1 - p->n, 0);

		if (got <= 0)
			return false;
		p->n += (size_t)got;
		p->got[p->n] = '\0';
		end = strstr(p->got, "\r\n\r\n");
		if (end && p->n >= (size_t)(end + 4 - p->got) + body_length(p->got))
			return true;
	}
}

static void *serve(void *ctx)
{
	struct peer *p = ctx;
	int fd;

	while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
		while (read_request(p, fd)) {
			p->exchanges++;
			if (p->drop_first && p->exchanges == 1)
				break;
			if (p->stall)
				continue;
			if (send(fd, p->answer, strlen(p->answer), MSG_NOSIGNAL) < 0)
				break;
			if (strstr(p->answer, "Connection: close"))
				break;
		}
		close(fd);
	}
	return NULL;
}

static void peer_start(struct peer *p, const char *answer)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	p->answer = answer;
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->listener >= 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->listener, 8), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_stop(struct peer *p)
{
	shutdown(p->listener, SHUT_RDWR);
	close(p->listener);
	pthread_join(p->thread, NULL);
}

static struct http *client(void)
{
	struct http *h = NULL;
	struct err e;

	assert_int_equal(http_new(&h, &(struct http_opts){.user_agent = "felloe/test", .stall_s = 60}, &e), 0);
	return h;
}

static char *url_of(const struct peer *p, const char *path)
{
	return xasprintf("http://127.0.0.1:%u%s", p->port, path);
}

static void headers_and_path_go_out_exactly_as_given(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	const char *const headers[] = {"Authorization: Bearer x", "X-Empty;", NULL};
	struct http_reply r;
	struct err e;
	char *url, expected[512];

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"abc\"\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
		       "Content-Type: text/plain\r\nX-Amz-Request-Id: q7\r\n\r\nhello");
	url = url_of(&p, "/a/../b//%41?q=%2b&x=");
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url, .headers = headers + 2}, &r, &e), 0);
	snprintf(expected, sizeof(expected),
		 "GET /a/../b//%%41?q=%%2b&x= HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: felloe/test\r\n\r\n", p.port);
	assert_string_equal(p.got, expected);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.p, "hello");
	assert_string_equal(r.etag, "\"abc\"");
	assert_string_equal(r.date, "Mon, 23 Nov 2026 10:00:00 GMT");
	assert_string_equal(r.content_type, "text/plain");
	assert_string_equal(r.request_id, "q7");
	http_reply_done(&r);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static void a_body_is_sent_whole_from_memory_or_from_a_file(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	char *url;
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	peer_start(&p, "HTTP/1.1 204 No Content\r\n\r\n");
	url = url_of(&p, "/x");
	assert_int_equal(http_do(h, &(struct http_call){.method = "PUT", .url = url, .body = "abc", .body_len = 3}, &r, &e), 0);
	assert_int_equal(r.status, 204);
	assert_non_null(strstr(p.got, "PUT /x HTTP/1.1\r\n"));
	assert_non_null(strstr(p.got, "\r\nContent-Length: 3\r\n"));
	assert_non_null(strstr(p.got, "\r\n\r\nabc"));
	assert_null(strstr(p.got, "Expect"));
	http_reply_done(&r);
	assert_int_equal(http_do(h, &(struct http_call){.method = "POST", .url = url, .body_fd = fd, .body_offset = 2,
				 .body_len = 4, .body_from_fd = true}, &r, &e), 0);
	assert_non_null(strstr(p.got, "\r\n\r\n2345"));
	assert_null(strstr(p.got, "Content-Type"));
	http_reply_done(&r);
	assert_int_equal(http_do(h, &(struct http_call){.method = "DELETE", .url = url, .has_body = true}, &r, &e), 0);
	assert_non_null(strstr(p.got, "DELETE /x HTTP/1.1\r\n"));
	assert_non_null(strstr(p.got, "\r\nContent-Length: 0\r\n"));
	http_reply_done(&r);
	close(fd);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static void an_answer_over_its_cap_is_refused(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	char *url, expected[200];

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world");
	url = url_of(&p, "/");
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url, .max_reply = 10}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_LIMIT);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u: the answer is larger than 10 bytes", p.port);
	assert_string_equal(e.msg, expected);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static int count_then_stop(void *ctx, const void *p, size_t n)
{
	size_t *seen = ctx;

	(void)p;
	*seen += n;
	return 1;
}

static void pieces_are_only_given_for_success_and_may_end_the_transfer(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	size_t seen = 0;
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
	url = url_of(&p, "/");
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url, .on_data = count_then_stop, .ctx = &seen},
				 &r, &e), 0);
	assert_int_equal(seen, 0);
	assert_string_equal(r.body.p, "gone");
	http_reply_done(&r);
	p.answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n\r\ndata";
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url, .on_data = count_then_stop, .ctx = &seen},
				 &r, &e), -1);
	assert_int_equal(e.kind, ERR_ABORTED);
	assert_true(seen > 0);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nx-amz-bucket-region: eu-west-3\r\n"
		       "Content-Length: 0\r\n\r\n");
	url = url_of(&p, "/");
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url}, &r, &e), 0);
	assert_int_equal(r.status, 301);
	assert_string_equal(r.bucket_region, "eu-west-3");
	http_reply_done(&r);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static void a_head_tells_the_length_and_waits_for_no_body(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\nRetry-After: 7\r\n\r\n");
	url = url_of(&p, "/");
	assert_int_equal(http_do(h, &(struct http_call){.method = "HEAD", .url = url}, &r, &e), 0);
	assert_true(r.content_length == 5000000000u);
	assert_int_equal(r.retry_after_s, 7);
	http_reply_done(&r);
	free(url);
	http_free(h);
	peer_stop(&p);
}

/* Nobody listens on this port, nor can anybody before it is closed. */
static int deaf_port(unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void failures_tell_refused_lost_stalled_and_unknown_apart(void **state)
{
	struct peer p = {.drop_first = true};
	struct http *h = client();
	struct http_reply r;
	struct err e;
	char *url, where[64];
	int deaf;

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nshort");
	url = url_of(&p, "/");
	snprintf(where, sizeof(where), "127.0.0.1:%u: ", p.port);
	assert_int_equal(http_do(h, &(struct http_call){.method = "POST", .url = url, .body = "x", .body_len = 1}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "the connection was lost"));
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url}, &r, &e), -1);
	assert_non_null(strstr(e.msg, "the connection was lost"));
	assert_memory_equal(e.msg, where, strlen(where));
	p.stall = true;
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url, .timeout_s = 1}, &r, &e), -1);
	assert_non_null(strstr(e.msg, "time-out"));
	peer_stop(&p);
	free(url);
	deaf = deaf_port(&p.port);
	url = url_of(&p, "/");
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_NET);
	assert_non_null(strstr(e.msg, "connection refused; nothing listens there"));
	assert_false(r.hopeless);
	close(deaf);
	/* where the name server does not answer, too */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = "http://no.such.host.invalid/"}, &r, &e), -1);
	assert_non_null(strstr(e.msg, "no.such.host.invalid:80: the host name is not known (DNS)"));
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = "file:///etc/passwd"}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	free(url);
	http_free(h);
}

static void a_line_break_in_a_header_is_refused_without_showing_its_value(void **state)
{
	struct http *h = client();
	const char *const headers[] = {"Authorization: secret\r\nX: y", NULL};
	struct http_reply r;
	struct err e;

	(void)state;
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = "http://127.0.0.1:1/", .headers = headers}, &r, &e), -1);
	assert_int_equal(e.kind, ERR_INVALID);
	assert_string_equal(e.msg, "the value of HTTP header \"Authorization\" cannot be sent: it holds a line break");
	http_free(h);
}

static void *wake_soon(void *ctx)
{
	http_wake(ctx);
	return NULL;
}

static void a_wait_ends_by_a_wake_or_by_a_finished_request(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_req *a, *b, *got = NULL;
	struct http_reply r;
	struct err e;
	pthread_t t;
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	url = url_of(&p, "/");
	assert_int_equal(pthread_create(&t, NULL, wake_soon, h), 0);
	assert_int_equal(http_wait(h, -1, &got, &e), 0);
	pthread_join(t, NULL);
	assert_int_equal(http_wait(h, 0, &got, &e), 0);
	assert_int_equal(http_start(h, &(struct http_call){.method = "GET", .url = url}, &a, &e), 0);
	assert_int_equal(http_start(h, &(struct http_call){.method = "GET", .url = url}, &b, &e), 0);
	assert_int_equal(http_end(h, b, &r, &e), 0);
	http_reply_done(&r);
	assert_int_equal(http_wait(h, -1, &got, &e), 1);
	assert_ptr_equal(got, a);
	assert_int_equal(http_end(h, a, &r, &e), 0);
	assert_string_equal(r.body.p, "ok");
	http_reply_done(&r);
	assert_int_equal(http_start(h, &(struct http_call){.method = "GET", .url = url}, &a, &e), 0);
	http_cancel(h, a);
	assert_int_equal(h->reqs.n, 0);
	assert_int_equal(http_start(h, &(struct http_call){.method = "GET", .url = url}, &a, &e), 0);
	free(url);
	http_free(h); /* with one still under way */
	peer_stop(&p);
}

static int keep_on(void *ctx, const void *p, size_t n)
{
	(void)p;
	*(size_t *)ctx += n;
	return 0;
}

static void a_stream_wakes_the_wait_by_data_and_a_watched_file_does_too(void **state)
{
	struct peer p = {0};
	struct http *h = client();
	struct http_req *r, *got = NULL;
	struct err e;
	size_t seen = 0;
	int fds[2];
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n");
	url = url_of(&p, "/");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(http_start(h, &(struct http_call){.method = "GET", .url = url, .on_data = keep_on, .ctx = &seen,
							   .stream = true}, &r, &e), 0);
	while (!seen)
		assert_int_equal(http_wait(h, -1, &got, &e), 0);
	assert_int_equal(seen, 9);
	http_watch(h, fds[0]);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(http_wait(h, -1, &got, &e), 0); /* for ever, were it not for the pipe */
	http_watch(h, -1);
	shutdown(p.listener, SHUT_RDWR);
	http_cancel(h, r);
	assert_int_equal(h->reqs.n, 0);
	close(fds[0]);
	close(fds[1]);
	free(url);
	http_free(h);
	peer_stop(&p);
}

static void loopback_never_goes_through_a_proxy(void **state)
{
	struct peer p = {0};
	struct http *h = NULL;
	struct http_reply r;
	struct err e;
	char *url;

	(void)state;
	peer_start(&p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	url = url_of(&p, "/direct");
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(http_new(&h, &(struct http_opts){.proxy = "http://127.0.0.1:1"}, &e), 0);
	assert_int_equal(http_do(h, &(struct http_call){.method = "GET", .url = url}, &r, &e), 0);
	assert_non_null(strstr(p.got, "GET /direct HTTP/1.1"));
	http_reply_done(&r);
	unsetenv("http_proxy");
	free(url);
	http_free(h);
	peer_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_and_path_go_out_exactly_as_given),
		cmocka_unit_test(a_body_is_sent_whole_from_memory_or_from_a_file),
		cmocka_unit_test(an_answer_over_its_cap_is_refused),
		cmocka_unit_test(pieces_are_only_given_for_success_and_may_end_the_transfer),
		cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
		cmocka_unit_test(a_head_tells_the_length_and_waits_for_no_body),
		cmocka_unit_test(failures_tell_refused_lost_stalled_and_unknown_apart),
		cmocka_unit_test(a_line_break_in_a_header_is_refused_without_showing_its_value),
		cmocka_unit_test(a_wait_ends_by_a_wake_or_by_a_finished_request),
		cmocka_unit_test(a_stream_wakes_the_wait_by_data_and_a_watched_file_does_too),
		cmocka_unit_test(loopback_never_goes_through_a_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
