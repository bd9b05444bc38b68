/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/proxy.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "shared/str.h"

enum { V4_AT = 12, V4_BITS = 96, V4_WIDEST = 8, V6_WIDEST = 16 };

static int parse_address(uint8_t out[static 16], const char *text, bool *v4)
{
	static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};
	struct in_addr four;

	*v4 = inet_pton(AF_INET, text, &four) == 1;
	if (*v4) {
		memcpy(out, mapped, V4_AT);
		memcpy(out + V4_AT, &four, 4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, out) != 1)
		return -1;
	*v4 = memcmp(out, mapped, V4_AT) == 0;
	return 0;
}

int net_parse(struct net *ret, const char *text)
{
	const char *slash = strchr(text, '/');
	char address[ADDRESS_TEXT];
	uint64_t bits;
	bool v4;

	if (str_copy(address, sizeof(address), text))
		return -1;
	if (slash)
		address[slash - text] = '\0';
	if (parse_address(ret->address, address, &v4))
		return -1;
	v4 = strchr(address, ':') == NULL;
	ret->bits = 128;
	if (!slash)
		return 0;
	if (str_to_u64(&bits, slash + 1, 0, v4 ? 32 : 128))
		return -1;
	ret->bits = (unsigned)bits + (v4 ? V4_BITS : 0);
	return 0;
}

bool net_is_too_wide(const struct net *n)
{
	static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

	if (n->bits >= V4_BITS && memcmp(n->address, mapped, V4_AT) == 0)
		return n->bits < V4_BITS + V4_WIDEST;
	return n->bits < V6_WIDEST;
}

static bool net_holds(const struct net *n, const uint8_t address[static 16])
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;
	uint8_t mask = (uint8_t)(0xff00U >> rest);

	return memcmp(n->address, address, whole) == 0 &&
	       (!rest || (n->address[whole] & mask) == (address[whole] & mask));
}

static bool nets_hold(const struct nets *v, const char *address)
{
	uint8_t bytes[16];
	bool v4;

	if (parse_address(bytes, address, &v4))
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (net_holds(&v->v[i], bytes))
			return true;
	return false;
}

bool address_is_loopback(const char *address)
{
	uint8_t bytes[16];
	bool v4;

	if (parse_address(bytes, address, &v4))
		return false;
	return v4 ? bytes[V4_AT] == 127 : memcmp(bytes, &in6addr_loopback, 16) == 0;
}

/* The address in one element: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80",
 * "2001:db8::1", each also in quotes. "" when it is none. */
static void read_node(char out[static ADDRESS_TEXT], const char *p, size_t n)
{
	uint8_t bytes[16];
	const char *end;
	bool v4;

	out[0] = '\0';
	if (n >= 2 && p[0] == '"' && p[n - 1] == '"') {
		p++;
		n -= 2;
	}
	if (n && p[0] == '[') {
		p++;
		n--;
		end = memchr(p, ']', n);
		n = end ? (size_t)(end - p) : 0;
	} else if ((end = memchr(p, ':', n)) && !memchr(end + 1, ':', n - (size_t)(end - p) - 1)) {
		n = (size_t)(end - p); /* one colon: a port */
	}
	if (!n || n >= ADDRESS_TEXT)
		return;
	memcpy(out, p, n);
	out[n] = '\0';
	if (parse_address(bytes, out, &v4))
		out[0] = '\0';
	else if (v4)
		inet_ntop(AF_INET, bytes + V4_AT, out, ADDRESS_TEXT);
}

/* Of "by=...;for=...;proto=..." the value of for; n becomes its length. */
static const char *find_for(const char *p, size_t *n)
{
	const char *end = p + *n;

	while (p < end) {
		const char *semicolon = memchr(p, ';', (size_t)(end - p)), *stop = semicolon ? semicolon : end;

		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		if (stop - p > 4 && strncasecmp(p, "for=", 4) == 0) {
			*n = (size_t)(stop - p) - 4;
			return p + 4;
		}
		p = stop + 1;
	}
	*n = 0;
	return end;
}

/* The last element of list[0..*len), which loses it. */
static void last_of(char out[static ADDRESS_TEXT], const char *list, size_t *len, bool rfc7239)
{
	size_t begin = *len, end = *len;
	const char *p;
	size_t n;

	while (begin && list[begin - 1] != ',')
		begin--;
	*len = begin ? begin - 1 : 0;
	while (begin < end && (list[begin] == ' ' || list[begin] == '\t'))
		begin++;
	while (end > begin && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	p = list + begin;
	n = end - begin;
	if (rfc7239)
		p = find_for(p, &n);
	read_node(out, p, n);
}

void proxy_client(char ret[static ADDRESS_TEXT], const char *connection, const struct nets *trusted,
		  const char *header, bool rfc7239)
{
	size_t len = header ? strlen(header) : 0;
	char next[ADDRESS_TEXT];

	str_cut(ret, ADDRESS_TEXT, connection);
	while (len && nets_hold(trusted, ret)) {
		last_of(next, header, &len, rfc7239);
		if (!next[0])
			return;
		str_cut(ret, ADDRESS_TEXT, next);
	}
}
