/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/storages.h"

#include <string.h>
#include <sys/statvfs.h>

#include "noded/run/catalogue.h"
#include "noded/store/pick.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

/* The host of an endpoint that may be an address: no scheme, user, port or path. */
static void host_of(char *host, size_t size, const char *endpoint)
{
	const char *at = strstr(endpoint, "://");
	const char *p = at ? at + 3 : endpoint;
	size_t n = strcspn(p, "/?#");
	const char *user = memchr(p, '@', n);

	if (user) {
		n -= (size_t)(user + 1 - p);
		p = user + 1;
	}
	if (*p == '[')
		n = strcspn(p, "]") + 1 < n ? strcspn(p, "]") + 1 : n;
	else if (memchr(p, ':', n))
		n = (size_t)((const char *)memchr(p, ':', n) - p);
	if (n >= size)
		n = size - 1;
	memcpy(host, p, n);
	host[n] = '\0';
}

static void add_health(const struct pick *pick, struct wire_storage *w)
{
	struct pick_health h;

	pick_health(pick, w->name, &h);
	w->failures = h.failures;
	w->last_failed = h.failed_at;
	w->last_ok = h.ok_at;
	w->rests_until = h.rests_until;
	str_cut(w->error, sizeof(w->error), h.error);
	str_clean(w->error);
	str_cut(w->state, sizeof(w->state), !w->weight ? "drained" : h.failures ? "failing" : h.ok_at ? "ok" : "unused");
}

static void add_room(const struct storage *st, struct wire_storage *w)
{
	struct statvfs v;

	w->free = -1;
	if (str_eq(st->type, "dir") && !statvfs(st->path, &v))
		w->free = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

void storages_add(const struct config *c, struct wire_sample *s)
{
	CLEANUP(catalogue_closep) struct catalogue *catalogue = NULL;
	CLEANUP(pick_freep) struct pick *pick = pick_new(c);
	struct err e;

	if (catalogue_open(&catalogue, &e))
		log_debug("%s", e.msg);
	for (size_t i = 0; i < c->storages.n; i++) {
		const struct storage *st = &c->storages.v[i];
		struct wire_storage *w = list_push(&s->storages);

		str_cut(w->name, sizeof(w->name), st->name);
		str_cut(w->type, sizeof(w->type), st->type);
		host_of(w->endpoint, sizeof(w->endpoint), st->endpoint);
		str_cut(w->bucket, sizeof(w->bucket), str_eq(st->type, "dir") ? st->path : st->bucket);
		w->weight = st->weight;
		w->limit = st->limit_bytes;
		w->used = -1;
		if (catalogue && catalogue_used(catalogue, st->name, &w->used, &e))
			w->used = -1;
		add_health(pick, w);
		add_room(st, w);
	}
}
