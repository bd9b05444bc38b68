/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_PROXY_H
#define FELLOE_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/list.h"

/* Which addresses are our own proxies, and who stands behind them. */
struct net {
	uint8_t address[16];      /* IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */
	unsigned bits;            /* of the 128 */
};
struct nets { LIST_OF(struct net); };

/* "10.0.0.0/8", "2001:db8::1"; -1: it is neither. */
int net_parse(struct net *ret, const char *text) MUSTCHECK;
/* Does it hold so much of the world that everybody would be a proxy? (IPv4
 * shorter than /8, IPv6 shorter than /16) */
bool net_is_too_wide(const struct net *n);
bool address_is_loopback(const char *address);

enum { ADDRESS_TEXT = 64 };
/* Who asks, given the address of the connection and the text of X-Forwarded-For
 * (all its lines joined by commas; NULL: none) or, when rfc7239 is set, of
 * Forwarded. Only a trusted proxy is believed, and only up to the first address
 * from the right that is not one itself: what stands left of it anybody may
 * have written. What is no address ends the reading. */
void proxy_client(char ret[static ADDRESS_TEXT], const char *connection, const struct nets *trusted,
		  const char *header, bool rfc7239);

#endif
