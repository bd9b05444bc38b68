/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of GET /events that read all they get:
 *   listen HOST PORT TOKEN QUERY CLIENTS SECONDS
 * At the end how many stayed, bytes a client and second, frames by name, resets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER = 256 * 1024 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long count(const char *p, size_t n, const char *what)
{
	size_t len = strlen(what);
	const char *end = p + n;
	long found = 0;

	while ((p = memmem(p, (size_t)(end - p), what, len))) {
		found++;
		p += len;
	}
	return found;
}

static int open_to(const struct sockaddr_in *to, const char *token, const char *query)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[4096];
	int n = snprintf(text, sizeof(text), "GET /api/v1/events%s HTTP/1.1\r\nHost: master\r\nAuthorization: Bearer %s\r\n\r\n",
			 query, token);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) || send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct epoll_event ev = {.events = EPOLLIN}, events[EVENTS];
	int poll = epoll_create1(EPOLL_CLOEXEC), left;
	static char buffer[BUFFER];
	long nodes = 0, runs = 0, resets = 0;
	uint64_t bytes = 0;
	int64_t start, until;
	long clients;

	if (argc != 7 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: listen IPV4 PORT TOKEN QUERY CLIENTS SECONDS\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	clients = left = (int)strtol(argv[5], NULL, 10);
	for (long i = 0; i < clients; i++) {
		ev.data.fd = open_to(&to, argv[3], argv[4]);
		if (ev.data.fd < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, ev.data.fd, &ev)) {
			perror("listen");
			return 1;
		}
	}
	start = now_ms();
	until = start + strtol(argv[6], NULL, 10) * 1000;
	while (now_ms() < until && left > 0) {
		int n = epoll_wait(poll, events, EVENTS, 100);

		for (int i = 0; i < n; i++) {
			ssize_t got = recv(events[i].data.fd, buffer, BUFFER, 0);

			if (got == 0 || (got < 0 && errno != EAGAIN)) {
				close(events[i].data.fd);
				left--;
			}
			if (got <= 0)
				continue;
			bytes += (uint64_t)got;
			nodes += count(buffer, (size_t)got, "event: node\n");
			runs += count(buffer, (size_t)got, "event: run\n");
			resets += count(buffer, (size_t)got, "event: reset\n");
		}
	}
	printf("clients %ld, still there %d: %.0f KiB a client and second, frames: node %ld, run %ld, reset %ld\n", clients, left,
	       (double)bytes / 1024 / (double)clients / ((double)(now_ms() - start) / 1000), nodes, runs, resets);
	return left != clients;
}
