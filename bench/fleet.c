/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet of simulated nodes, one keep-alive connection each, evenly spread over
 * the heartbeat:
 *   fleet HOST PORT NODES HEARTBEAT_S SECONDS
 * Node i has the key "bench-key-%06d" (bench/lib.sh puts them into the store).
 * A connection that ends or an answer that is not 200 is counted, and the node
 * comes again at its next beat, as the agent does. At the end one table. A line
 * "away AT_S UNTIL_S" stands for each time in which answers were missing: from
 * the first failure until every node had been answered again. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 2048, REQUEST_MAX = 2600, ANSWER_MAX = 2048, BUCKETS = 20000, EVENTS = 1024 };

struct sim {
	int fd;                   /* -1: none */
	int waiting;              /* an answer is due */
	int lost;                 /* failed, and not answered since */
	int64_t asked;            /* microseconds */
	size_t got;
	char answer[ANSWER_MAX];
};

struct fleet {
	struct sockaddr_in to;
	struct sim *sims;
	int n, epoll;
	int64_t start, beat_us;
	long sent, good, refused, broken, late, lost_now;
	int64_t lost_since;
	long latency[BUCKETS + 1]; /* by 10 microseconds */
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void end(struct sim *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->waiting = 0;
	s->got = 0;
}

static void fail(struct fleet *f, struct sim *s)
{
	end(s);
	f->broken++;
	if (s->lost)
		return;
	s->lost = 1;
	if (!f->lost_now++)
		f->lost_since = now_us();
}

static void answered(struct fleet *f, struct sim *s)
{
	int64_t now = now_us(), bucket = (now - s->asked) / 10;

	f->latency[bucket < BUCKETS ? bucket : BUCKETS]++;
	f->good++;
	if (!s->lost)
		return;
	s->lost = 0;
	if (!--f->lost_now)
		printf("away %.1f until %.1f\n", (double)(f->lost_since - f->start) / 1e6, (double)(now - f->start) / 1e6);
}

static int request_of(char *to, int i)
{
	char body[BODY_MAX];
	int n = snprintf(body, sizeof(body),
		"{\"cpu_usage\":%d.5,\"disk_usage\":40.25,\"active_backups\":0,\"memory\":{\"total\":8264208384,\"used\":%lld},"
		"\"swap\":{\"total\":2147479552,\"used\":0},\"load\":[0.52,0.41,0.3],\"io\":{\"read\":%d,\"write\":678901},"
		"\"net\":{\"rx\":2345,\"tx\":6789},\"uptime_s\":123456,\"cores\":2,\"outbox_depth\":0,\"disks\":[{\"mount\":\"/\","
		"\"total\":42949672960,\"used\":17179869184,\"percent\":40.25,\"inodes_percent\":8}]}",
		rand() % 60, 3126140928LL + rand() % 100000000, rand() % 1000000);

	return snprintf(to, REQUEST_MAX,
			"POST /api/v1/stats HTTP/1.1\r\nHost: master\r\nX-API-KEY: bench-key-%06d\r\n"
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", i + 1, n, body);
}

static int open_to(struct fleet *f, struct sim *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = (uint32_t)(s - f->sims)};
	int on = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&f->to, sizeof(f->to)))
		return -1;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	return epoll_ctl(f->epoll, EPOLL_CTL_ADD, s->fd, &ev);
}

static void beat(struct fleet *f, int i)
{
	struct sim *s = &f->sims[i];
	char text[REQUEST_MAX];
	int n;

	if (s->waiting) {
		f->late++;
		return;
	}
	if (s->fd < 0 && open_to(f, s)) {
		fail(f, s);
		return;
	}
	n = request_of(text, i);
	s->asked = now_us();
	s->waiting = 1;
	f->sent++;
	if (send(s->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		fail(f, s);
}

/* Is the answer whole? Its body has a Content-Length. */
static int whole(const struct sim *s)
{
	const char *body = strstr(s->answer, "\r\n\r\n"), *length = strcasestr(s->answer, "Content-Length:");

	return body && length && s->got >= (size_t)(body + 4 - s->answer) + strtoul(length + 15, NULL, 10);
}

static void hear(struct fleet *f, struct sim *s)
{
	ssize_t n = recv(s->fd, s->answer + s->got, ANSWER_MAX - 1 - s->got, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		/* ended between two beats by a server that stops: no failure by itself */
		if (s->waiting)
			fail(f, s);
		else
			end(s);
		return;
	}
	s->got += (size_t)n;
	s->answer[s->got] = '\0';
	if (!whole(s))
		return;
	if (strncmp(s->answer, "HTTP/1.1 200", 12)) {
		f->refused++;
		fail(f, s);
		return;
	}
	answered(f, s);
	s->waiting = 0;
	s->got = 0;
}

static double percentile(const struct fleet *f, double part)
{
	long want = (long)((double)f->good * part), seen = 0;

	for (int i = 0; i <= BUCKETS; i++)
		if ((seen += f->latency[i]) > want)
			return i / 100.0;
	return 0;
}

static void run(struct fleet *f, int64_t until)
{
	struct epoll_event events[EVENTS];
	int64_t turn = 0;

	while (now_us() < until) {
		int64_t due = f->start + turn * f->beat_us / f->n;
		int64_t wait = (due - now_us()) / 1000;
		int n = epoll_wait(f->epoll, events, EVENTS, wait > 0 ? wait < 100 ? (int)wait : 100 : 0);

		for (int i = 0; i < n; i++)
			hear(f, &f->sims[events[i].data.u32]);
		for (; f->start + turn * f->beat_us / f->n <= now_us(); turn++)
			beat(f, (int)(turn % f->n));
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct fleet f = {0};
	int64_t seconds;

	if (argc != 6) {
		fprintf(stderr, "usage: fleet HOST PORT NODES HEARTBEAT_S SECONDS\n");
		return 2;
	}
	f.to.sin_family = AF_INET;
	f.to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	f.n = (int)strtol(argv[3], NULL, 10);
	f.beat_us = strtol(argv[4], NULL, 10) * 1000000;
	seconds = strtol(argv[5], NULL, 10);
	if (inet_pton(AF_INET, argv[1], &f.to.sin_addr) != 1 || f.n < 1 || f.beat_us < 1 || seconds < 1) {
		fprintf(stderr, "fleet: HOST is an IPv4 address, the rest are numbers from 1\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	f.sims = calloc((size_t)f.n, sizeof(*f.sims));
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!f.sims || f.epoll < 0) {
		perror("fleet");
		return 1;
	}
	for (int i = 0; i < f.n; i++)
		f.sims[i].fd = -1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	f.start = now_us();
	run(&f, f.start + seconds * 1000000);
	printf("nodes %d beat %.0f s: sent %ld, answered 200 %ld, other answers %ld, broken %ld, not answered in time %ld, lost now %ld\n",
	       f.n, (double)f.beat_us / 1e6, f.sent, f.good, f.refused, f.broken, f.late, f.lost_now);
	printf("latency p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms\n", percentile(&f, 0.5), percentile(&f, 0.99), percentile(&f, 0.999));
	return 0;
}
