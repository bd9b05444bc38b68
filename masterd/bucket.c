/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/bucket.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { ADDRESSES = 2048, PROBES = 8, MINUTE_MS = 60000 };

struct bucket {
	char address[64];
	double level;       /* things it may still do */
	int64_t at;         /* when level was true */
};

struct buckets {
	pthread_mutex_t lock;
	double size;
	uint32_t random;
	struct bucket v[ADDRESSES];
};

struct buckets *buckets_new(unsigned per_minute)
{
	struct buckets *b = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	b->size = per_minute;
	random_bytes(&b->random, sizeof(b->random));
	return b;
}

void buckets_free(struct buckets *b)
{
	if (!b)
		return;
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void buckets_set(struct buckets *b, unsigned per_minute)
{
	pthread_mutex_lock(&b->lock);
	b->size = per_minute;
	pthread_mutex_unlock(&b->lock);
}

/* FNV-1a from a random start: who could make keys meet would push others out. */
static uint32_t spread(const char *s, uint32_t random)
{
	uint32_t h = 2166136261U ^ random;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

/* The network of an IPv6 address, anything else as it is. */
static const char *network(const char *address, char text[static INET6_ADDRSTRLEN])
{
	struct in6_addr six;

	if (!strchr(address, ':') || inet_pton(AF_INET6, address, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six))
		return address;
	memset(six.s6_addr + 8, 0, 8);
	return inet_ntop(AF_INET6, &six, text, INET6_ADDRSTRLEN) ? text : address;
}

static struct bucket *find(struct buckets *b, const char *key, int64_t now)
{
	char text[INET6_ADDRSTRLEN];
	const char *address = network(key, text);
	uint32_t at = spread(address, b->random);
	struct bucket *oldest = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct bucket *c = &b->v[(at + i) % ADDRESSES];

		if (str_eq(c->address, address)) {
			double gained = (double)(now - c->at) * b->size / MINUTE_MS;

			c->level = c->level + gained > b->size ? b->size : c->level + gained;
			c->at = now;
			return c;
		}
		if (!oldest || c->at < oldest->at)
			oldest = c;
	}
	str_cut(oldest->address, sizeof(oldest->address), address);
	oldest->level = b->size;
	oldest->at = now;
	return oldest;
}

unsigned buckets_wait_s(struct buckets *b, const char *address, int64_t now_ms)
{
	double missing;

	pthread_mutex_lock(&b->lock);
	missing = 1 - find(b, address, now_ms)->level;
	pthread_mutex_unlock(&b->lock);
	if (missing <= 0)
		return 0;
	return 1 + (unsigned)(missing * MINUTE_MS / b->size / 1000);
}

void buckets_take(struct buckets *b, const char *address, int64_t now_ms)
{
	struct bucket *c;

	pthread_mutex_lock(&b->lock);
	c = find(b, address, now_ms);
	c->level = c->level < 1 ? 0 : c->level - 1;
	pthread_mutex_unlock(&b->lock);
}
