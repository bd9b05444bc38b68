/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "noded/run/guess.h"
#include "noded/run/progress.h"
#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	MANIFEST_MAX = 64 << 20,
	HEADER_MAX = 4 << 20,
	HEADER_FIRST = 64 << 10,
	RUN_SPREAD_MS = 600000, /* names of one run's archives lie at most so far apart */
};

static const char stamp_mark[] = "-backup-";
static const char suffix[] = ".tar.zst";

/* ---- by the names on a storage */

static const char *base_name(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? slash + 1 : key;
}

/* "…/{site}[-{db}]-backup-YYYYMMDD-HHMMSS.tar.zst" */
static bool parse_key(const char *key, const char *site, int64_t *at)
{
	const char *name = base_name(key), *stamp = NULL, *p;
	size_t site_len = site ? strlen(site) : 0;
	char text[32];

	for (p = name; (p = strstr(p, stamp_mark)); p++)
		stamp = p + strlen(stamp_mark);
	if (!stamp || strlen(stamp) != 15 + strlen(suffix) || !str_ends(stamp, suffix) || stamp[8] != '-')
		return false;
	if (site && (strncmp(name, site, site_len) != 0 || name[site_len] != '-'))
		return false;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", stamp, stamp + 4, stamp + 6, stamp + 9, stamp + 11,
		 stamp + 13);
	return clock_parse(at, text) == 0;
}

struct listing {
	const char *storage, *site;
	struct found_archives *out;
	struct strings sidecars;
};

static int take_item(void *ctx, const char *key, uint64_t size, struct err *e)
{
	struct listing *l = ctx;
	struct found_archive *a;
	int64_t at;

	(void)e;
	if (str_ends(key, ".tar.zst.idx")) {
		*list_push(&l->sidecars) = xstrndup(key, strlen(key) - 4);
		return 0;
	}
	if (!parse_key(key, l->site, &at) || strlen(key) >= sizeof(a->key))
		return 0;
	a = list_push(l->out);
	str_cut(a->storage, sizeof(a->storage), l->storage);
	str_cut(a->key, sizeof(a->key), key);
	a->at = at;
	a->size = (int64_t)size;
	return 0;
}

static int newer_first(const void *a, const void *b)
{
	const struct found_archive *x = a, *y = b;

	if (x->at != y->at)
		return x->at > y->at ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void listing_done(struct listing *l)
{
	strings_done(&l->sidecars);
}

int find_on_storage(const struct config *c, const struct storage *storage, const char *site, struct found_archives *ret,
		    struct err *e)
{
	CLEANUP(listing_done) struct listing l = {.storage = storage->name, .site = site, .out = ret};
	CLEANUP(store_closep) struct store *s = NULL;
	CLEANUP(freep) char *below = xasprintf("%s/", c->server_id);
	CLEANUP(freep) char *key = store_key(storage, below);
	CLEANUP(freep) char *prefix = str_ends(key, "/") ? xstrdup(key) : xasprintf("%s/", key);

	*ret = (struct found_archives){0};
	if (store_open(&s, storage, e) || store_list(s, prefix, take_item, &l, e)) {
		list_done(ret);
		return -1;
	}
	if (l.sidecars.n)
		qsort(l.sidecars.v, l.sidecars.n, sizeof(*l.sidecars.v), by_text);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), newer_first);
	for (size_t i = 0; i < ret->n; i++) {
		const char *wanted = ret->v[i].key;

		ret->v[i].sidecar = l.sidecars.n &&
				    bsearch(&wanted, l.sidecars.v, l.sidecars.n, sizeof(*l.sidecars.v), by_text);
	}
	return 0;
}

/* ---- an archive opened */

struct counter {
	uint64_t *fetched;
	archive_data_fn *data;
	void *ctx;
};

static int count_data(void *ctx, const void *p, size_t n, struct err *e)
{
	struct counter *c = ctx;

	*c->fetched += n;
	return c->data(c->ctx, p, n, e);
}

static int read_archive(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	struct opened *o = ctx;
	struct counter c = {.fetched = &o->fetched, .data = data, .ctx = data_ctx};

	return store_get(o->store, o->key, offset, n, count_data, &c, e);
}

static int read_sidecar(void *ctx, uint64_t offset, uint64_t n, archive_data_fn *data, void *data_ctx, struct err *e)
{
	struct opened *o = ctx;
	struct counter c = {.fetched = &o->fetched, .data = data, .ctx = data_ctx};

	return store_get(o->idx_store, o->idx, offset, n, count_data, &c, e);
}

static void forget_manifest(struct opened *o)
{
	json_free(TAKE(o->manifest));
	facts_done(&o->facts);
}

static int read_manifest(struct opened *o, struct err *e)
{
	CLEANUP(buf_done) struct buf text = {0};

	buf_init(&text, MANIFEST_MAX);
	forget_manifest(o);
	if (archive_manifest(o->reader, &text, e) || facts_parse(&o->facts, &o->manifest, &text, e))
		return -1;
	if (!str_eq(json_get_str(o->manifest, "format", ""), "felloe-archive 1"))
		return err_set(e, ERR_INVALID, "it has the format \"%s\"; this version reads \"felloe-archive 1\"",
			       json_get_str(o->manifest, "format", ""));
	return 0;
}

int opened_leave_sidecar(struct opened *o, const char *why, struct err *e)
{
	const struct archive_object archive = {.read_at = read_archive, .ctx = o, .size = o->size};

	free(o->sidecar_damage);
	o->sidecar_damage = xstrdup(why);
	o->sidecar = false;
	archive_close(TAKE(o->reader));
	forget_manifest(o);
	return archive_open(&o->reader, &archive, NULL, e) || read_manifest(o, e) ? -1 : 0;
}

/* A sidecar of another archive would find nothing but damage. */
static int is_its_own(struct opened *o, struct err *e)
{
	const struct json *header = archive_header(o->reader);
	const char *key = json_get_str(header, "key", "");
	int64_t size = json_get_int(header, "size", 0);

	if (!str_eq(base_name(key), base_name(o->key)))
		return err_set(e, ERR_DAMAGED, "it is that of another archive, %.300s", base_name(key));
	o->cut_from = size > 0 && (uint64_t)size > o->size ? (uint64_t)size : 0;
	return 0;
}

static int open_reader(struct opened *o, const struct archive_object *sidecar, struct err *e)
{
	const struct archive_object archive = {.read_at = read_archive, .ctx = o, .size = o->size};
	struct err why;

	if (archive_open(&o->reader, &archive, o->sidecar ? sidecar : NULL, e) == 0 &&
	    (!o->sidecar || is_its_own(o, e) == 0) && read_manifest(o, e) == 0)
		return 0;
	if (!o->sidecar || e->kind != ERR_DAMAGED)
		return -1;
	/* when the archive itself is damaged, that is said, by whichever way it is read */
	why = *e;
	return opened_leave_sidecar(o, why.msg, e);
}

/* The storage is at hand, and the object there. */
static int reach(struct opened *ret, const struct config *c, const struct found_archive *a, uint64_t *sidecar,
		 struct err *e)
{
	const struct storage *storage = config_storage(c, a->storage);

	*ret = (struct opened){0};
	if (!storage)
		return err_set(e, ERR_CONFIG, "the archive lies on the storage \"%s\", which is not in %s: put it back there, or name an "
			       "older run (felloe-noded list shows them)", a->storage, c->path);
	ret->key = xstrdup(a->key);
	ret->idx = xasprintf("%s.idx", a->key);
	if (store_open(&ret->store, storage, e) || store_open(&ret->idx_store, storage, e))
		return -1;
	store_set_stop(ret->store, progress_stop);
	store_set_stop(ret->idx_store, progress_stop);
	if (store_head(ret->store, ret->key, &ret->size, e))
		return -1;
	ret->sidecar = store_head(ret->store, ret->idx, sidecar, e) == 0;
	return ret->sidecar || e->kind == ERR_NOTFOUND ? 0 : -1;
}

int opened_open(struct opened *ret, const struct config *c, const struct found_archive *a, struct err *e)
{
	struct archive_object sidecar = {.read_at = read_sidecar, .ctx = ret};

	if (reach(ret, c, a, &sidecar.size, e))
		return -1;
	return open_reader(ret, &sidecar, e) ? err_wrap(e, "%s", a->key) : 0;
}

static int pass_over(void *ctx, const struct archive_entry *entry, struct err *e)
{
	(void)ctx;
	(void)entry;
	(void)e;
	return 0;
}

static int whole_index(struct opened *o, struct err *e)
{
	return archive_list(o->reader, "", pass_over, NULL, e);
}

/* The index as near as it can be had: sidecar, archive, scan. */
static int salvage_index(struct opened *o, const struct archive_object *sidecar, const struct archive_scan_opts *scan,
			 struct err *e)
{
	const struct archive_object archive = {.read_at = read_archive, .ctx = o, .size = o->size};
	struct err why;

	archive_close(TAKE(o->reader));
	o->sidecar = sidecar->size && archive_open(&o->reader, &archive, sidecar, &why) == 0 && is_its_own(o, &why) == 0 &&
		     whole_index(o, &why) == 0;
	if (o->sidecar) { /* left for want of a manifest, then */
		free(TAKE(o->sidecar_damage));
		return 0;
	}
	archive_close(TAKE(o->reader));
	if (archive_open(&o->reader, &archive, NULL, &why) == 0)
		return 0;
	if (why.kind != ERR_DAMAGED)
		return *e = why, -1;
	free(o->index_damage);
	o->index_damage = xstrdup(why.msg);
	return archive_scan(&o->reader, &archive, scan, &o->scan, e);
}

static int salvage_manifest(struct opened *o, const struct salvage_opts *s, struct err *e)
{
	CLEANUP(freep) char *db = NULL;
	CLEANUP(buf_done) struct buf text = {0};
	struct err why;

	if (read_manifest(o, &why) == 0)
		return 0;
	if (why.kind != ERR_DAMAGED)
		return *e = why, -1;
	o->manifest_damage = xstrdup(why.msg);
	db = guess_db(base_name(o->key), s->site);
	buf_init(&text, MANIFEST_MAX);
	forget_manifest(o);
	return guess_manifest(o->reader, s->site, db ? db : s->db, &text, e) || facts_parse(&o->facts, &o->manifest, &text, e) ? -1 : 0;
}

int opened_salvage(struct opened *ret, const struct config *c, const struct found_archive *a,
		   const struct salvage_opts *o, struct err *e)
{
	struct archive_object sidecar = {.read_at = read_sidecar, .ctx = ret};

	if (reach(ret, c, a, &sidecar.size, e))
		return -1;
	if (open_reader(ret, &sidecar, e) == 0 && whole_index(ret, e) == 0)
		return 0;
	if (e->kind != ERR_DAMAGED || salvage_index(ret, &sidecar, &o->scan, e) || salvage_manifest(ret, o, e))
		return err_wrap(e, "%s", a->key);
	return 0;
}

void opened_close(struct opened *o)
{
	archive_close(o->reader);
	store_close(o->store);
	store_close(o->idx_store);
	forget_manifest(o);
	free(o->key);
	free(o->idx);
	free(o->sidecar_damage);
	free(o->index_damage);
	free(o->manifest_damage);
	*o = (struct opened){0};
}

const char *opened_db(const struct opened *o)
{
	return json_get_str(json_get(o->manifest, "database"), "name", "");
}

/* ---- one run */

/* A time as people write it; with a day alone its end is meant. */
static int parse_time(int64_t *ret, const char *text)
{
	static const struct { size_t len; const char *rest; } forms[] = {{19, "Z"}, {16, ":00Z"}, {10, "T23:59:59Z"}};
	char whole[64];

	if (clock_parse(ret, text) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strlen(text) != forms[i].len)
			continue;
		snprintf(whole, sizeof(whole), "%s%s", text, forms[i].rest);
		if (whole[10] == ' ')
			whole[10] = 'T';
		return clock_parse(ret, whole);
	}
	return -1;
}

struct wanted {
	const char *uuid;   /* NULL: by time */
	int64_t until;      /* INT64_MAX: latest */
};

static int parse_at(struct wanted *ret, const char *at, struct err *e)
{
	size_t n = strlen(at);

	*ret = (struct wanted){.until = INT64_MAX};
	if (str_eq(at, "latest"))
		return 0;
	if (parse_time(&ret->until, at) == 0) {
		ret->until += 999; /* the second as people see it */
		return 0;
	}
	if (n >= 4 && n < UUID_TEXT && strspn(at, "0123456789abcdef-") == n) {
		ret->uuid = at;
		return 0;
	}
	return err_set(e, ERR_USAGE, "\"%.80s\" is not \"latest\", the id of a run or a time such as "
		       "2026-11-23 03:10", at);
}

/* No run of it is known: perhaps the name is wrong. */
static int no_such_site(const struct find_opts *o, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "there is no site \"%s\" in %s, and the records of this node know no good run of one%s; "
		       "with --from STORAGE the storage itself is searched", o->site, o->config->path,
		       config_site_hint(o->config, o->site).text);
}

static int no_such_storage(const struct find_opts *o, struct err *e)
{
	return err_set(e, ERR_USAGE, "there is no storage \"%s\" in %s%s", o->from, o->config->path,
		       config_storage_hint(o->config, o->from).text);
}

/* Better than nothing, perhaps: the newest that nothing counts on. */
static int no_good_run(const struct find_opts *o, const struct wanted *w, struct err *e)
{
	const struct run_query q = {.site = o->site, .state = run_state_name(RUN_SUSPECT), .limit = 1,
				    .until = w->until == INT64_MAX ? 0 : w->until};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	char hint[80] = "";

	if (!w->uuid && catalogue_runs(o->catalogue, &q, &runs, e))
		return -1;
	if (runs.n && runs.v[0].archives.n)
		snprintf(hint, sizeof(hint), "; run %.8s is suspect, --at or --run %.8s takes it", runs.v[0].uuid, runs.v[0].uuid);
	return err_set(e, ERR_NOTFOUND, "site %s: the records of this node know no %s%s%s%s; with --from STORAGE the "
		       "storage itself is searched", o->site, w->uuid ? "archive of run " : "good run", w->uuid ? w->uuid : "",
		       !w->uuid && w->until != INT64_MAX ? " before that time" : "", hint);
}

static int find_in_catalogue(const struct find_opts *o, const struct wanted *w, struct found_archives *ret,
			     struct err *e)
{
	const struct run_query q = {.site = o->site, .uuid = w->uuid, .good = !w->uuid, .limit = 2,
				    .until = w->until == INT64_MAX ? 0 : w->until};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	const struct wire_run *run;

	if (catalogue_runs(o->catalogue, &q, &runs, e))
		return -1;
	if (w->uuid && runs.n > 1)
		return err_set(e, ERR_USAGE, "the id \"%s\" fits more than one run: give more of it", w->uuid);
	if (!runs.n && !w->uuid && !config_site(o->config, o->site))
		return no_such_site(o, e);
	if (!runs.n || !runs.v[0].archives.n)
		return no_good_run(o, w, e);
	run = &runs.v[0];
	for (size_t i = 0; i < run->archives.n; i++) {
		struct found_archive *a = list_push(ret);

		str_cut(a->storage, sizeof(a->storage), run->archives.v[i].storage);
		str_cut(a->key, sizeof(a->key), run->archives.v[i].key);
		str_cut(a->run, sizeof(a->run), run->uuid);
		a->at = run->started;
		a->size = run->archives.v[i].size;
	}
	return 0;
}

static int take_text(void *ctx, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(ctx, p, n);
	return 0;
}

/* By its name alone: "shop-2-backup-…" is of site shop only when that has many databases. */
static bool named_for(const struct find_opts *o, const struct found_archive *a)
{
	const struct site *s = config_site(o->config, o->site);
	const char *rest = base_name(a->key) + strlen(o->site);

	return strncmp(rest, stamp_mark, strlen(stamp_mark)) == 0 || (s && str_eq(s->db_name, "*"));
}

/* Run and site as the sidecar's first line says; the manifest when there is none. */
static int identify(const struct find_opts *o, struct store *s, struct found_archive *a, bool *ours, struct err *e)
{
	CLEANUP(json_freep) struct json *header = NULL;
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(freep) char *idx = xasprintf("%s.idx", a->key);
	const struct json *facts = NULL;
	struct opened opened = {0};
	uint64_t size, n;
	const char *end = NULL;

	buf_init(&text, HEADER_MAX + HEADER_FIRST);
	if (a->sidecar && store_head(s, idx, &size, e))
		return -1;
	for (n = HEADER_FIRST; a->sidecar && !end && text.len < size && text.len < HEADER_MAX; n = HEADER_MAX) {
		uint64_t left = size - text.len;

		if (store_get(s, idx, text.len, n < left ? n : left, take_text, &text, e))
			return -1;
		end = memchr(text.p, '\n', text.len);
	}
	if (end && json_parse(&header, text.p, (size_t)(end - text.p), e) == 0 &&
	    str_eq(base_name(json_get_str(header, "key", "")), base_name(a->key))) {
		facts = header;
	} else if (opened_open(&opened, o->config, a, e) == 0) {
		facts = opened.manifest;
	} else if (!o->salvage || e->kind != ERR_DAMAGED) {
		opened_close(&opened);
		return -1;
	}
	*ours = facts ? str_eq(json_get_str(facts, "site", ""), o->site) : named_for(o, a);
	str_cut(a->run, sizeof(a->run), json_get_str(facts, "run", ""));
	opened_close(&opened);
	return 0;
}

static bool fits(const struct wanted *w, const struct found_archive *a)
{
	return !w->uuid || str_starts(a->run, w->uuid);
}

static int find_by_names(const struct find_opts *o, const struct wanted *w, struct found_archives *ret, struct err *e)
{
	const struct storage *storage = config_storage(o->config, o->from);
	CLEANUP(store_closep) struct store *s = NULL;
	struct found_archives all;
	int rc = 0;

	if (!storage)
		return no_such_storage(o, e);
	if (store_open(&s, storage, e) || find_on_storage(o->config, storage, o->site, &all, e))
		return -1;
	for (size_t i = 0; i < all.n && rc == 0; i++) {
		struct found_archive *a = &all.v[i];
		bool ours = false;

		if (a->at > w->until || (ret->n && a->at < ret->v[0].at - RUN_SPREAD_MS))
			continue;
		rc = identify(o, s, a, &ours, e);
		if (rc && !w->uuid && !ret->n && e->kind == ERR_DAMAGED)
			break; /* the newest is damaged: say so rather than give an older one */
		if (rc == 0 && ours && fits(w, a) && (!ret->n || str_eq(ret->v[0].run, a->run)))
			*list_push(ret) = *a;
	}
	if (rc == 0 && !ret->n)
		rc = err_set(e, ERR_NOTFOUND, "storage %s has no archive of site %s%s below %s/%s (%zu others there)", o->from,
			     o->site, w->uuid ? " from that run" : w->until != INT64_MAX ? " from before that time" : "",
			     storage->prefix, o->config->server_id, all.n);
	list_done(&all);
	return rc;
}

/* A whole key: nothing to look for. */
static int find_key(const struct find_opts *o, struct found_archives *ret, struct err *e)
{
	struct found_archive *a;

	if (!o->from)
		return err_set(e, ERR_USAGE, "--at with the key of an archive needs --from STORAGE");
	a = list_push(ret);
	str_cut(a->storage, sizeof(a->storage), o->from);
	if (str_copy(a->key, sizeof(a->key), o->at))
		return err_set(e, ERR_USAGE, "--at: the key is too long");
	return 0;
}

int find_run(const struct find_opts *o, struct found_archives *ret, struct err *e)
{
	struct wanted w;
	int rc;

	*ret = (struct found_archives){0};
	if (str_ends(o->at, suffix))
		rc = find_key(o, ret, e);
	else if (parse_at(&w, o->at, e))
		rc = -1;
	else
		rc = o->from ? find_by_names(o, &w, ret, e) : find_in_catalogue(o, &w, ret, e);
	if (rc)
		list_done(ret);
	return rc;
}

/* A newer one is there and is not taken: whoever wants it can name it. */
void find_tell_newer(const struct find_opts *f, const struct found_archives *found)
{
	const struct run_query q = {.site = f->site, .state = run_state_name(RUN_SUSPECT), .limit = 1};
	CLEANUP(runs_done) struct wire_runs runs = {0};
	char when[32];
	struct err ignored; /* the search itself has met it */

	if (!f->catalogue || !str_eq(f->at, "latest") || catalogue_runs(f->catalogue, &q, &runs, &ignored) || !runs.n ||
	    runs.v[0].started <= found->v[0].at || !runs.v[0].archives.n)
		return;
	log_warn("%s: the newer run %.8s of %s UTC is passed over: %.300s; --at %.8s takes it", f->site, runs.v[0].uuid,
		 clock_format(when, sizeof(when), "%Y-%m-%d %H:%M", runs.v[0].started), runs.v[0].error, runs.v[0].uuid);
}
