/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks behind proxies: headers that anybody may have written. First byte: X-Forwarded-For or
 * Forwarded; then a net, ended by a newline; then the header. */
#include "masterd/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"
#include "shared/str.h"
#include "tests/fuzz/fuzz.h"

static const char *const seeds[] = {
	"x10.0.0.0/8\n203.0.113.9, 10.1.2.3 ,10.9.9.9", "x::/0\n2001:db8::1,::ffff:10.0.0.1", "x10.0.0.1\nunknown, 198.51.100.1:4711",
	"f10.0.0.0/8\nfor=192.0.2.60;proto=http;by=203.0.113.43, for=\"[2001:db8:cafe::17]:4711\"", "f127.0.0.1/32\nFor=\"_gazonk\" , for=unknown;a=\"\\\"\"",
};

void fuzz_begin(void)
{
}

void fuzz_one(const uint8_t *p, size_t n)
{
	CLEANUP(freep) char *text = n ? xstrndup((const char *)p + 1, n - 1) : xstrdup("");
	char *nl = strchr(text, '\n'), who[ADDRESS_TEXT];
	struct net trusted[2] = {0};
	struct nets nets = {.v = trusted, .n = 1};
	uint8_t address[16];

	if (!nl || net_parse(&trusted[0], "10.1.0.0/16"))
		return;
	*nl = '\0';
	if (!net_parse(&trusted[1], text)) {
		nets.n++;
		(void)net_is_too_wide(&trusted[1]);
	}
	proxy_client(who, "10.1.2.3", &nets, nl + 1, *p == 'f');
	if (inet_pton(AF_INET, who, address) != 1 && inet_pton(AF_INET6, who, address) != 1) {
		fprintf(stderr, "\"%s\" is no address\n", who);
		abort();
	}
	proxy_client(who, "203.0.113.1", &(struct nets){.v = trusted, .n = 1}, nl + 1, *p == 'f');
	if (!str_eq(who, "203.0.113.1"))
		abort(); /* a stranger is never believed */
}

size_t fuzz_seed(size_t i, uint8_t *out, size_t max)
{
	return fuzz_text_seed(seeds, ARRAY_LEN(seeds), i, out, max);
}
