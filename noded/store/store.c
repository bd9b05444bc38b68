/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/store/store.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "noded/store/driver.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { KEY_MAX = 1024, TEST_BYTES = 4096 };

struct store {
	const struct store_ops *ops;
	void *impl;
	char *name;
};

struct upload {
	struct store *store;
	void *impl;
	char *key;
	struct sha256 *digest;
	uint64_t size;
	bool failed;
};

static const struct store_ops *(*const drivers[])(void) = {store_s3, store_dir};

static int open_with(struct store **ret, const struct storage *cfg, bool patient, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
		const struct store_ops *ops = drivers[i]();
		struct store *s;
		void *impl = NULL;

		if (!str_eq(ops->type, cfg->type))
			continue;
		if (ops->open(&impl, cfg, patient, e))
			return err_wrap(e, "storage \"%s\"", cfg->name);
		s = xcalloc(1, sizeof(*s));
		*s = (struct store){.ops = ops, .impl = impl, .name = xstrdup(cfg->name)};
		*ret = s;
		return 0;
	}
	return err_set(e, ERR_CONFIG, "storage \"%s\": type \"%s\" is not known; there are \"s3\" and \"dir\"",
		       cfg->name, cfg->type);
}

int store_open(struct store **ret, const struct storage *cfg, struct err *e)
{
	return open_with(ret, cfg, true, e);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	s->ops->close(s->impl);
	free(s->name);
	free(s);
}

void store_closep(struct store **s)
{
	store_close(*s);
}

const char *store_name(const struct store *s)
{
	return s->name;
}

void store_set_stop(struct store *s, bool (*stop)(void))
{
	if (s->ops->set_stop)
		s->ops->set_stop(s->impl, stop);
}

/* Neither a path out of a directory nor a key that some storage refuses. */
static int check_key(const struct store *s, const char *key, struct err *e)
{
	size_t len = strlen(key);

	if (len == 0 || len > KEY_MAX || key[0] == '/' || !str_utf8_valid(key, len))
		return err_set(e, ERR_INVALID, "storage \"%s\": \"%.80s\" cannot be a key: 1 to %d bytes of UTF-8, no / "
			       "in front", s->name, key, KEY_MAX);
	for (const char *part = key; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		size_t n = strcspn(part, "/");

		if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return err_set(e, ERR_INVALID, "storage \"%s\": key \"%.80s\" has a part \".\" or \"..\"",
				       s->name, key);
	}
	return 0;
}

/* ---- upload */

static void upload_free(struct upload *u)
{
	if (u->impl)
		u->store->ops->free(u->impl);
	sha256_free(u->digest);
	free(u->key);
	free(u);
}

int upload_begin(struct upload **ret, struct store *s, const struct upload_opts *o, struct err *e)
{
	struct upload *u;
	void *impl = NULL;

	if (check_key(s, o->key, e))
		return -1;
	if (s->ops->begin(&impl, s->impl, o, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	u = xcalloc(1, sizeof(*u));
	*u = (struct upload){.store = s, .impl = impl, .key = xstrdup(o->key), .digest = sha256_new()};
	*ret = u;
	return 0;
}

int upload_write(struct upload *u, const void *p, size_t n, struct err *e)
{
	if (u->failed)
		return err_set(e, ERR_INTERNAL, "storage \"%s\": write after a failure", u->store->name);
	sha256_add(u->digest, p, n);
	u->size += n;
	if (u->store->ops->write(u->impl, p, n, e)) {
		u->failed = true;
		return err_wrap(e, "storage \"%s\"", u->store->name);
	}
	return 0;
}

static int finish_and_look(struct upload *u, struct err *e)
{
	const struct store_ops *ops = u->store->ops;
	uint64_t size = 0;

	if (u->failed)
		return err_set(e, ERR_INTERNAL, "finish after a failure");
	if (ops->finish(u->impl, e))
		return -1;
	if (ops->head(u->store->impl, u->key, &size, e))
		return err_wrap(e, "after the upload");
	if (size != u->size)
		return err_set(e, ERR_DAMAGED, "object \"%s\" has %llu bytes after the upload, %llu were sent", u->key,
			       (unsigned long long)size, (unsigned long long)u->size);
	return 0;
}

int upload_finish(struct upload *u, struct upload_result *ret, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (finish_and_look(u, e)) {
		err_prefix(e, "storage \"%s\"", u->store->name);
		upload_abort(u);
		return -1;
	}
	sha256_end(u->digest, digest);
	ret->size = u->size;
	hex_encode(ret->sha256, digest, sizeof(digest));
	upload_free(u);
	return 0;
}

void upload_abort(struct upload *u)
{
	if (!u)
		return;
	u->store->ops->abort(u->impl);
	upload_free(u);
}

/* ---- objects */

/* What the receiver says is not the storage's fault. */
struct receiver {
	store_data_fn *on_data;
	void *ctx;
	bool failed;
};

static int pass_on(void *ctx, const void *p, size_t n, struct err *e)
{
	struct receiver *to = ctx;

	to->failed = to->on_data(to->ctx, p, n, e) != 0;
	return to->failed ? -1 : 0;
}

/* check-size: where, what, which range and where to */
int store_get(struct store *s, const char *key, uint64_t offset, uint64_t n, store_data_fn *on_data, void *ctx,
	      struct err *e)
{
	struct receiver to = {.on_data = on_data, .ctx = ctx};
	struct store_range r = {.key = key, .offset = offset, .n = n, .on_data = pass_on, .ctx = &to};

	if (check_key(s, key, e))
		return -1;
	if (n == 0)
		return 0;
	if (s->ops->get(s->impl, &r, e))
		return to.failed ? -1 : err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

int store_head(struct store *s, const char *key, uint64_t *size, struct err *e)
{
	if (check_key(s, key, e))
		return -1;
	if (s->ops->head(s->impl, key, size, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

int store_delete(struct store *s, const char *key, struct err *e)
{
	if (check_key(s, key, e))
		return -1;
	if (s->ops->remove(s->impl, key, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

int store_list(struct store *s, const char *prefix, store_list_fn *on_item, void *ctx, struct err *e)
{
	if (s->ops->list(s->impl, prefix, on_item, ctx, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

int store_sweep(struct store *s, const char *prefix, int64_t age_s, unsigned *swept, struct err *e)
{
	*swept = 0;
	if (s->ops->sweep(s->impl, prefix, clock_ms() - age_s * 1000, swept, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

char *store_key(const struct storage *cfg, const char *rest)
{
	CLEANUP(freep) char *raw = xasprintf("%s/%s", str_or(cfg->prefix, ""), rest);
	char *key = xmalloc(strlen(raw) + 1);
	size_t n = 0;

	for (const char *p = raw; *p; p++)
		if (*p != '/' || (n > 0 && key[n - 1] != '/'))
			key[n++] = *p;
	key[n] = '\0';
	return key;
}

/* ---- the test */

enum step { LIST, WRITE, READ, REMOVE };

struct trial {
	struct store *s;
	char *key, *prefix;
	char body[TEST_BYTES];
	size_t seen;
	bool differs;
};

static int trial_item(void *ctx, const char *key, uint64_t size, struct err *e)
{
	(void)ctx;
	(void)key;
	(void)size;
	return err_set(e, ERR_ABORTED, "one is enough");
}

static int trial_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct trial *t = ctx;

	(void)e;
	t->differs |= n > sizeof(t->body) - t->seen || memcmp(t->body + t->seen, p, n) != 0;
	t->seen += t->differs ? 0 : n;
	return 0;
}

static int trial_list(struct trial *t, struct err *e)
{
	if (store_list(t->s, t->prefix, trial_item, NULL, e) && e->kind != ERR_ABORTED)
		return -1;
	return 0;
}

/* A small object at once. */
static int store_put(struct store *s, const char *key, const void *p, size_t n, struct err *e)
{
	if (check_key(s, key, e))
		return -1;
	if (s->ops->put(s->impl, key, p, n, e))
		return err_wrap(e, "storage \"%s\"", s->name);
	return 0;
}

static int trial_write(struct trial *t, struct err *e)
{
	return store_put(t->s, t->key, t->body, sizeof(t->body), e);
}

static int trial_read(struct trial *t, struct err *e)
{
	if (store_get(t->s, t->key, 0, UINT64_MAX, trial_data, t, e))
		return -1;
	if (t->differs || t->seen != sizeof(t->body))
		return err_set(e, ERR_DAMAGED, "storage \"%s\": object \"%s\" comes back with other bytes than were "
			       "written", t->s->name, t->key);
	return 0;
}

static int trial_remove(struct trial *t, struct err *e)
{
	return store_delete(t->s, t->key, e);
}

static int all_steps(struct trial *t, struct store_test *ret, struct err *e)
{
	static int (*const steps[])(struct trial *, struct err *) = {
		[LIST] = trial_list, [WRITE] = trial_write, [READ] = trial_read, [REMOVE] = trial_remove};
	__typeof__(&ret->list) results[] = {&ret->list, &ret->write, &ret->read, &ret->remove};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct err own = {0};
		int64_t start = clock_mono_ms();

		if (i > WRITE && !ret->write.ok)
			break;
		results[i]->tried = true;
		results[i]->ok = steps[i](t, &own) == 0;
		results[i]->ms = clock_mono_ms() - start;
		str_cut(results[i]->error, sizeof(results[i]->error), own.kind ? own.msg : "");
		if (results[i]->ok) {
			results[i]->error[0] = '\0';
			continue;
		}
		if (!failed && e)
			*e = own;
		failed = -1;
		/* Nobody there: the rest would only say so again. */
		if (own.kind == ERR_NET || (i == LIST && own.kind == ERR_DENIED))
			break;
	}
	return failed;
}

int store_try(const struct storage *cfg, struct store_test *ret, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(freep) char *key = NULL;
	CLEANUP(freep) char *prefix = store_key(cfg, "");
	CLEANUP(freep) char *name = NULL;
	char uuid[UUID_TEXT];
	struct trial t = {0};
	struct err own;

	*ret = (struct store_test){0};
	if (open_with(&s, cfg, false, &own)) {
		ret->list.tried = true;
		str_cut(ret->list.error, sizeof(ret->list.error), own.msg);
		return err_set(e, own.kind, "%s", own.msg);
	}
	name = xasprintf(".felloe-test-%s", random_uuid(uuid));
	key = store_key(cfg, name);
	t.s = s;
	t.key = key;
	t.prefix = prefix;
	random_bytes(t.body, sizeof(t.body));
	return all_steps(&t, ret, e);
}

bool store_bare(const struct storage *cfg)
{
	DIR *dir = str_eq(cfg->type, "dir") ? opendir(cfg->path) : NULL;
	const struct dirent *entry;
	bool bare = true;

	if (!dir)
		return false;
	while (bare && (entry = readdir(dir)))
		bare = str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..");
	closedir(dir);
	return bare;
}
