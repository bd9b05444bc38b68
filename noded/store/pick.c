/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/pick.h"

#include <stdlib.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { REST_MS = 60 * 1000, REST_MAX_MS = 3600 * 1000, FILE_MAX = 1 << 20, FAILURES_MAX = 1000 };

struct known {
	char name[80];
	struct pick_health health;
};

struct pick {
	struct storage_order order;
	size_t next;
	char *dir, *path;
	struct { LIST_OF(struct known); } known;
};

/* Until when a storage that failed so often in a row comes last. */
static int64_t rests_until(const struct pick_health *h)
{
	int64_t rest = REST_MAX_MS;

	if (h->failures == 0)
		return 0;
	if (h->failures < 8)
		rest = (int64_t)REST_MS << (h->failures - 1);
	if (rest > REST_MAX_MS)
		rest = REST_MAX_MS;
	return h->failed_at + rest > clock_ms() ? h->failed_at + rest : 0;
}

static struct known *find(const struct pick *p, const char *name)
{
	for (size_t i = 0; i < p->known.n; i++)
		if (str_eq(p->known.v[i].name, name))
			return &p->known.v[i];
	return NULL;
}

static void load(struct pick *p)
{
	struct json *doc = NULL;
	const struct json *list;
	struct err unused;

	list_done(&p->known);
	if (json_parse_file(&doc, p->path, FILE_MAX, &unused))
		return;
	list = json_get(doc, "storages");
	for (const struct json *j = json_first(list); j; j = json_next(j)) {
		int64_t failures = json_get_int(j, "failures", 0);
		struct known *k;

		if (!str_is_name(json_get_str(j, "name", "")))
			continue;
		k = list_push(&p->known);
		str_cut(k->name, sizeof(k->name), json_get_str(j, "name", ""));
		k->health.failures = failures > 0 && failures <= FAILURES_MAX ? (unsigned)failures : 0;
		k->health.failed_at = json_get_time(j, "failed_at");
		k->health.ok_at = json_get_time(j, "ok_at");
		str_cut(k->health.error, sizeof(k->health.error), json_get_str(j, "error", ""));
	}
	json_free(doc);
}

static int save(const struct pick *p, struct err *e)
{
	CLEANUP(buf_done) struct buf b = {0};
	struct json_out o;

	buf_init(&b, FILE_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_arr(&o, "storages");
	for (size_t i = 0; i < p->known.n; i++) {
		const struct known *k = &p->known.v[i];

		json_obj(&o, NULL);
		json_put_str(&o, "name", k->name);
		json_put_int(&o, "failures", k->health.failures);
		json_put_time(&o, "failed_at", k->health.failed_at);
		json_put_time(&o, "ok_at", k->health.ok_at);
		json_put_str(&o, "error", k->health.error);
		json_end_obj(&o);
	}
	json_end_arr(&o);
	json_end_obj(&o);
	buf_addc(&b, '\n');
	if (buf_check(&b, p->path, e) || fs_mkdirs(p->dir, 0700, e))
		return -1;
	return fs_write(p->path, b.p, b.len, 0600, e);
}

struct pick *pick_new(const struct config *c)
{
	struct pick *p = xcalloc(1, sizeof(*p));
	struct storage_order by_weight = {0};

	p->dir = fs_state_dir("node");
	p->path = xasprintf("%s/storages.json", p->dir);
	load(p);
	config_storage_order(c, &by_weight);
	for (int resting = 0; resting < 2; resting++)
		for (size_t i = 0; i < by_weight.n; i++) {
			const struct known *k = find(p, by_weight.v[i]->name);

			if ((k && rests_until(&k->health) != 0) == resting)
				*list_push(&p->order) = by_weight.v[i];
		}
	list_done(&by_weight);
	return p;
}

static void pick_free(struct pick *p)
{
	if (!p)
		return;
	list_done(&p->order);
	list_done(&p->known);
	free(p->dir);
	free(p->path);
	free(p);
}

void pick_freep(struct pick **p)
{
	pick_free(*p);
}

const struct storage *pick_next(struct pick *p)
{
	return p->next < p->order.n ? p->order.v[p->next++] : NULL;
}

static bool is_its_fault(enum err_kind kind)
{
	switch (kind) {
	case ERR_NET:
	case ERR_STORAGE:
	case ERR_DENIED:
	case ERR_FORBIDDEN:
	case ERR_NOTFOUND:
	case ERR_SPACE:
	case ERR_DAMAGED:
	case ERR_BUSY:
		return true;
	default:
		return false;
	}
}

int pick_report(struct pick *p, const struct storage *s, const struct err *failure, struct err *e)
{
	struct known *k;

	if (failure && !is_its_fault(failure->kind))
		return 0;
	load(p); /* another run may have written meanwhile */
	k = find(p, s->name);
	if (!k) {
		k = list_push(&p->known);
		str_cut(k->name, sizeof(k->name), s->name);
	}
	if (failure) {
		k->health.failures += k->health.failures < FAILURES_MAX;
		k->health.failed_at = clock_ms();
		str_cut(k->health.error, sizeof(k->health.error), failure->msg);
	} else {
		k->health.failures = 0;
		k->health.ok_at = clock_ms();
		k->health.error[0] = '\0';
	}
	return save(p, e);
}

void pick_health(const struct pick *p, const char *name, struct pick_health *ret)
{
	const struct known *k = find(p, name);

	*ret = k ? k->health : (struct pick_health){0};
	ret->rests_until = rests_until(ret);
}
