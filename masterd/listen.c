/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "masterd/config.h"
#include "shared/fs.h"
#include "shared/mem.h"

enum { BACKLOG = 1024 };

/* What to do about it, in brackets; "" nothing that we know. Yours. */
static char *way_out(int why, uint16_t port)
{
	if (why == EADDRINUSE)
		return xasprintf(" (another program has port %u, maybe another felloe-masterd: \"ss -ltnp 'sport = :%u'\" shows which; "
				 "stop it, or set another \"listen\" in master.json)", port, port);
	if (why == EADDRNOTAVAIL)
		return xstrdup(" (no interface of this machine has that address: set another \"listen\" in master.json)");
	return xstrdup(why == EACCES ? " (a port this low needs CAP_NET_BIND_SERVICE)" : "");
}

int listen_on(int *ret, const char *where, struct err *e)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} a;
	socklen_t len;
	CLEANUP(closep) int fd = -1;
	char host[64];
	uint16_t port;
	int on = 1, off = 0;

	if (config_listen(where, host, sizeof(host), &port, e))
		return -1;
	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, host, &a.four.sin_addr) == 1) {
		a.four.sin_family = AF_INET;
		a.four.sin_port = htons(port);
		len = sizeof(a.four);
	} else {
		inet_pton(AF_INET6, host, &a.six.sin6_addr);
		a.six.sin6_family = AF_INET6;
		a.six.sin6_port = htons(port);
		len = sizeof(a.six);
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, ERR_IO, "listen on %s", where);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (a.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &a.sa, len) || listen(fd, BACKLOG)) {
		int why = errno;
		CLEANUP(freep) char *hint = way_out(why, port);

		errno = why;
		return err_sys(e, ERR_IO, "listen on %s%s", where, hint);
	}
	*ret = fd;
	fd = -1;
	return 0;
}
