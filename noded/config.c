/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "noded/config_check.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	CONFIG_MAX = 4 << 20,  /* bytes of a configuration file */
};

/* One table a JSON object drives reading, defaults, known names and freeing. */
enum field_kind { F_STR, F_SECRET, F_INT, F_NUM, F_BOOL, F_LIST, F_OTHER /* read by hand, only its name is known */ };

struct field {
	const char *key;
	enum field_kind kind;
	size_t at;               /* offset in the struct */
	const char *text;        /* default of F_STR */
	double number, min, max; /* default and range of F_INT, F_NUM, F_BOOL */
};

#define STR(k, t, m, def) {.key = (k), .kind = F_STR, .at = offsetof(t, m), .text = (def)}
#define SECRET(k, t, m) {.key = (k), .kind = F_SECRET, .at = offsetof(t, m), .text = ""}
#define INT(k, t, m, def, lo, hi) {.key = (k), .kind = F_INT, .at = offsetof(t, m), .number = (def), .min = (lo), .max = (hi)}
#define NUM(k, t, m, def, lo, hi) {.key = (k), .kind = F_NUM, .at = offsetof(t, m), .number = (def), .min = (lo), .max = (hi)}
#define LIST(k, t, m) {.key = (k), .kind = F_LIST, .at = offsetof(t, m)}
#define OTHER(k) {.key = (k), .kind = F_OTHER}

static const struct field root_fields[] = {
	STR("server_id", struct config, server_id, ""),
	OTHER("master"),
	OTHER("sites"),
	OTHER("storage"),
	OTHER("timers"),
	OTHER("encrypt_to"),
	OTHER("copies"),
	OTHER("compression"),
	OTHER("limits"),
	OTHER("plausibility"),
	INT("heartbeat_s", struct config, heartbeat_s, 10, 1, 86400),
	LIST("allow_requests", struct config, allow_requests),
	OTHER("notify"),
};

static const struct field master_fields[] = {
	STR("url", struct config, master.url, ""),
	STR("api_key_file", struct config, master.api_key_file, ""),
	STR("pin_sha256", struct config, master.pin, ""),
	STR("ca_file", struct config, master.ca_file, ""),
};

static const struct field compression_fields[] = {
	INT("level", struct config, level, 3, 1, 19),
	INT("threads", struct config, threads, 2, 1, 16),
	{.key = "adaptive", .kind = F_BOOL, .at = offsetof(struct config, adaptive)},
};

static const struct field limits_fields[] = {
	INT("memory_mb", struct config, memory_mb, 96, 32, 65536),
	INT("mysql_connections", struct config, mysql_connections, 2, 1, 16),
	INT("spool_gb", struct config, spool_gb, 2, 0, 100000),
	INT("lock_wait_s", struct config, lock_wait_s, 600, 0, 86400),
	INT("ddl_wait_s", struct config, ddl_wait_s, 10, 1, 3600),
};

static const struct field plausibility_fields[] = {
	INT("rows_drop_pct", struct config, plausibility.rows_drop_pct, 50, 0, 100),
	INT("size_drop_pct", struct config, plausibility.size_drop_pct, 50, 0, 100),
	INT("size_jump_pct", struct config, plausibility.size_jump_pct, 400, 0, 1000000),
	LIST("ignore_tables", struct config, plausibility.ignore_tables),
};

static const struct field notify_fields[] = {
	STR("ping_url", struct config, notify.ping_url, ""),
	STR("webhook", struct config, notify.webhook, ""),
	LIST("command", struct config, notify.command),
};

static const struct field site_fields[] = {
	STR("name", struct site, name, ""),
	STR("wp_config_path", struct site, wp_config_path, ""),
	STR("wp_content_path", struct site, wp_content_path, ""),
	STR("db_host", struct site, db.host, ""),
	STR("db_name", struct site, db_name, ""),
	STR("db_user", struct site, db.user, ""),
	SECRET("db_password", struct site, db.password),
	STR("db_ssl", struct site, db.ssl, "prefer"),
	STR("db_ssl_ca", struct site, db.ssl_ca, ""),
	LIST("db_exclude", struct site, db_exclude),
	LIST("paths", struct site, paths),
	LIST("exclude", struct site, exclude),
	LIST("exclude_tables", struct site, exclude_tables),
	{.key = "db_users", .kind = F_BOOL, .at = offsetof(struct site, db_users)},
	OTHER("hooks"),
};

static const struct field hook_fields[] = {
	LIST("before", struct site, hook_before),
	LIST("after", struct site, hook_after),
	LIST("on_error", struct site, hook_on_error),
};

static const struct field storage_fields[] = {
	STR("name", struct storage, name, ""),
	STR("type", struct storage, type, ""),
	STR("endpoint", struct storage, endpoint, ""),
	STR("region", struct storage, region, ""),
	STR("bucket", struct storage, bucket, ""),
	STR("prefix", struct storage, prefix, ""),
	STR("storage_class", struct storage, storage_class, ""),
	STR("access_key", struct storage, access_key, ""),
	SECRET("secret_key", struct storage, secret_key),
	STR("secret_key_file", struct storage, secret_key_file, ""),
	STR("ca_file", struct storage, ca_file, ""),
	STR("proxy", struct storage, proxy, ""),
	STR("session_token_file", struct storage, session_token_file, ""),
	STR("path", struct storage, path, ""),
	{.key = "path_style", .kind = F_BOOL, .at = offsetof(struct storage, path_style), .number = 1},
	INT("weight", struct storage, weight, 100, 0, 1000000),
	OTHER("storage_limit_gb"),
	NUM("max_upload_mbps", struct storage, max_upload_mbps, 0, 0, 1e6),
};

static const struct field timer_fields[] = {
	STR("name", struct timer, name, ""),
	LIST("sites", struct timer, sites),
	OTHER("what"),
	STR("on_calendar", struct timer, on_calendar, ""),
	OTHER("spread"),
	OTHER("keep"),
};

static const struct field keep_fields[] = {
	INT("last", struct keep, last, 0, 0, 100000),
	INT("hourly", struct keep, hourly, 0, 0, 100000),
	INT("daily", struct keep, daily, 0, 0, 100000),
	INT("weekly", struct keep, weekly, 0, 0, 100000),
	INT("monthly", struct keep, monthly, 0, 0, 100000),
	INT("yearly", struct keep, yearly, 0, 0, 100000),
	STR("within", struct keep, within, ""),
};

/* Where problems go while one document is read. */
struct reading {
	struct problems *problems, *unknown;
};

static void *field_at(const struct field *f, void *to)
{
	return (char *)to + f->at;
}

static void read_list(struct strings *ret, const struct json *object, const char *base, const char *key,
		      struct problems *problems)
{
	const struct json *list = json_want(object, base, key, JSON_ARRAY, false, problems);
	char path[CONFIG_PATH_TEXT], item_path[CONFIG_PATH_TEXT];
	size_t i = 0;

	config_path(path, base, key);
	for (const struct json *item = json_first(list); item; item = json_next(item), i++) {
		const char *s = json_str(item);

		if (!str_empty(s)) {
			strings_add(ret, s);
			continue;
		}
		snprintf(item_path, sizeof(item_path), "%.100s[%zu]", path, i);
		problems_add(problems, item_path, "must be a text that is not empty");
	}
}

static void read_field(const struct field *f, const struct json *object, const char *base, void *to,
		       struct problems *problems)
{
	const char *s = f->text;
	int64_t whole = (int64_t)f->number;
	double num = f->number;
	bool yes = f->number != 0;

	switch (f->kind) {
	case F_STR:
	case F_SECRET:
		json_want_str(object, base, f->key, false, &s, problems);
		*(char **)field_at(f, to) = xstrdup(s);
		break;
	case F_INT:
		json_want_int(object, base, f->key, false, (int64_t)f->min, (int64_t)f->max, &whole, problems);
		*(int64_t *)field_at(f, to) = whole;
		break;
	case F_NUM:
		json_want_num(object, base, f->key, false, f->min, f->max, &num, problems);
		*(double *)field_at(f, to) = num;
		break;
	case F_BOOL:
		json_want_bool(object, base, f->key, &yes, problems);
		*(bool *)field_at(f, to) = yes;
		break;
	case F_LIST:
		read_list(field_at(f, to), object, base, f->key, problems);
		break;
	case F_OTHER:
		break;
	}
}

/* check-size: an array of fields, the object, its path, and where all goes */
static void read_fields(const struct reading *r, const struct field *fields, size_t n, const struct json *object,
			const char *base, void *to)
{
	const char *known[32];

	for (size_t i = 0; i < n; i++) {
		known[i] = fields[i].key;
		read_field(&fields[i], object, base, to, r->problems);
	}
	json_unknown(object, base, known, n, r->unknown);
}

static void free_fields(const struct field *fields, size_t n, void *from)
{
	for (size_t i = 0; i < n; i++) {
		char **text = field_at(&fields[i], from);

		if (fields[i].kind == F_SECRET && *text)
			mem_wipe(*text, strlen(*text));
		if (fields[i].kind == F_STR || fields[i].kind == F_SECRET)
			free(*text);
		if (fields[i].kind == F_LIST)
			strings_done(field_at(&fields[i], from));
	}
}

#define READ(r, table, object, base, to) read_fields(r, table, ARRAY_LEN(table), object, base, to)
#define FREE(table, from) free_fields(table, ARRAY_LEN(table), from)

/* ---- the objects of the file */

static void read_sites(const struct reading *r, struct config *c, const struct json *list)
{
	char base[CONFIG_PATH_TEXT], hooks[CONFIG_PATH_TEXT], path[CONFIG_PATH_TEXT];

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		struct site *s;

		snprintf(base, sizeof(base), "sites[%zu]", c->sites.n);
		if (json_type(item) != JSON_OBJECT)
			problems_add(r->problems, base, "must be an object");
		s = list_push(&c->sites);
		READ(r, site_fields, item, base, s);
		config_path(hooks, base, "hooks");
		READ(r, hook_fields, json_want(item, base, "hooks", JSON_OBJECT, false, r->problems), hooks, s);
		if (json_type(item) != JSON_OBJECT)
			continue;
		if (str_eq(s->db_name, "*") && json_type(json_get(item, "db_users")) != JSON_BOOL)
			s->db_users = true;
		config_check_site(s, base, r->problems);
		for (size_t i = 0; i + 1 < c->sites.n; i++) {
			if (!*s->name || !str_eq(c->sites.v[i].name, s->name))
				continue;
			config_path(path, base, "name");
			problems_add(r->problems, path, "\"%.64s\" is the name of sites[%zu] already", s->name, i);
		}
	}
}

/* Amazon refuses path style for new buckets; most others want it. */
static bool default_path_style(const char *endpoint)
{
	char host[256];
	size_t len;

	if (str_starts(endpoint, "https://"))
		endpoint += 8;
	else if (str_starts(endpoint, "http://"))
		endpoint += 7;
	len = strcspn(endpoint, ":/");
	if (len >= sizeof(host))
		return true;
	snprintf(host, sizeof(host), "%.*s", (int)len, endpoint);
	return !str_eq(host, "amazonaws.com") && !str_ends(host, ".amazonaws.com") &&
	       !str_ends(host, ".amazonaws.com.cn");
}

static void read_storages(const struct reading *r, struct config *c, const struct json *list)
{
	char base[CONFIG_PATH_TEXT], path[CONFIG_PATH_TEXT];

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		struct storage *s;
		double gb = 100;

		snprintf(base, sizeof(base), "storage[%zu]", c->storages.n);
		if (json_type(item) != JSON_OBJECT)
			problems_add(r->problems, base, "must be an object");
		s = list_push(&c->storages);
		READ(r, storage_fields, item, base, s);
		json_want_num(item, base, "storage_limit_gb", false, 0, 9e6, &gb, r->problems);
		s->limit_bytes = (int64_t)(gb * 1e9);
		if (json_type(json_get(item, "path_style")) != JSON_BOOL)
			s->path_style = default_path_style(s->endpoint);
		if (json_type(item) != JSON_OBJECT)
			continue;
		config_check_storage(s, base, r->problems);
		for (size_t i = 0; i + 1 < c->storages.n; i++) {
			if (!*s->name || !str_eq(c->storages.v[i].name, s->name))
				continue;
			config_path(path, base, "name");
			problems_add(r->problems, path, "\"%.64s\" is the name of storage[%zu] already", s->name, i);
		}
	}
}

static void read_what(struct timer *t, const struct json *item, const char *base, struct problems *problems)
{
	const struct json *what = json_want(item, base, "what", JSON_ARRAY, false, problems);
	char path[CONFIG_PATH_TEXT];

	config_path(path, base, "what");
	t->db = t->files = !what;
	for (const struct json *w = json_first(what); w; w = json_next(w)) {
		if (str_eq(json_str(w), "db"))
			t->db = true;
		else if (str_eq(json_str(w), "files"))
			t->files = true;
		else
			problems_add(problems, path, "\"%.40s\" is not one of db, files",
				     json_str(w) ? json_str(w) : "?");
	}
	if (what && !json_count(what))
		problems_add(problems, path, "is empty: \"db\", \"files\" or both");
}

static void read_spread(struct timer *t, const struct json *item, const char *base, struct problems *problems)
{
	const struct json *spread = json_get(item, "spread");
	char path[CONFIG_PATH_TEXT];

	t->spread_s = 0;
	if (json_type(spread) == JSON_NUMBER)
		json_want_int(item, base, "spread", false, 0, 86400 * 7, &t->spread_s, problems);
	else if (json_type(spread) > JSON_NULL && (!json_str(spread) || config_span(&t->spread_s, json_str(spread)))) {
		config_path(path, base, "spread");
		problems_add(problems, path, "\"%.40s\" is not a time span such as \"5min\" or \"1h 30min\"",
			     json_str(spread) ? json_str(spread) : "?");
	}
}

static void read_within(const struct timer *t, const char *base, struct problems *problems)
{
	char path[CONFIG_PATH_TEXT];
	int64_t s;

	if (!*t->keep.within || (config_span(&s, t->keep.within) == 0 && s > 0))
		return;
	config_path(path, base, "within");
	problems_add(problems, path, "\"%.40s\" is not a time span such as \"30d\" or \"8w\"", t->keep.within);
}

static void read_timers(const struct reading *r, struct config *c, const struct json *list)
{
	char base[CONFIG_PATH_TEXT], path[CONFIG_PATH_TEXT];

	for (const struct json *item = json_first(list); item; item = json_next(item)) {
		const struct json *keep;
		struct timer *t;

		snprintf(base, sizeof(base), "timers[%zu]", c->timers.n);
		if (json_type(item) != JSON_OBJECT)
			problems_add(r->problems, base, "must be an object");
		t = list_push(&c->timers);
		READ(r, timer_fields, item, base, t);
		read_what(t, item, base, r->problems);
		read_spread(t, item, base, r->problems);
		keep = json_want(item, base, "keep", JSON_OBJECT, false, r->problems);
		t->keep.given = keep != NULL;
		config_path(path, base, "keep");
		READ(r, keep_fields, keep, path, &t->keep);
		read_within(t, path, r->problems);
		if (!json_get(item, "sites"))
			strings_add(&t->sites, "*");
		if (json_type(item) != JSON_OBJECT)
			continue;
		config_check_timer(c, t, base, r->problems);
		for (size_t i = 0; i + 1 < c->timers.n; i++) {
			if (!*t->name || !str_eq(c->timers.v[i].name, t->name))
				continue;
			config_path(path, base, "name");
			problems_add(r->problems, path, "\"%.64s\" is the name of timers[%zu] already", t->name, i);
		}
	}
}

/* Wishes that this version cannot fulfil and that nobody may believe fulfilled. */
static void refuse_unbuilt(const struct json *root, struct problems *problems)
{
	if (json_count(json_get(root, "encrypt_to")))
		problems_add(problems, "encrypt_to",
			     "encryption is not part of this version: archives would be stored in the clear");
	if (json_get_int(root, "copies", 1) != 1)
		problems_add(problems, "copies", "only 1 is possible in this version");
}

static void read_master(const struct reading *r, struct config *c, const struct json *root)
{
	READ(r, master_fields, json_want(root, "", "master", JSON_OBJECT, false, r->problems), "master", c);
	config_want_url(c->master.url, "master", "url", r->problems);
	config_want_absolute(c->master.api_key_file, "master", "api_key_file", r->problems);
	config_want_absolute(c->master.ca_file, "master", "ca_file", r->problems);
	if (*c->master.pin && !str_starts(c->master.pin, "sha256//")) {
		char *bare = c->master.pin;

		c->master.pin = xasprintf("sha256//%s", bare);
		free(bare);
	}
	if (*c->master.pin && strlen(c->master.pin) != strlen("sha256//") + 44)
		problems_add(r->problems, "master.pin_sha256",
			     "\"%.80s\" is not the base64 of a SHA-256 (44 characters)", c->master.pin);
}

/* A verb that nobody knows is a slip of the pen, not a reason to stop a backup. */
static void judge_requests(const struct config *c, struct problems *unknown)
{
	static const char *const verbs[] = {"backup", "verify", "pause", "resume", "stop", "restore"};

	for (size_t i = 0; i < c->allow_requests.n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(verbs); k++)
			known = known || str_eq(verbs[k], c->allow_requests.v[i]);
		if (!known)
			problems_add(unknown, "allow_requests", "\"%.40s\" is none of backup, verify, pause, resume, stop, restore",
				     c->allow_requests.v[i]);
	}
}

static void read_root(const struct reading *r, struct config *c, const struct json *root)
{
	static const char *const requests[] = {"backup", "verify"};
	char host[256] = "";

	READ(r, root_fields, root, "", c);
	if (!*c->server_id && gethostname(host, sizeof(host) - 1) == 0) {
		free(c->server_id);
		c->server_id = xstrdup(host);
	}
	if (*c->server_id == '.' || strpbrk(c->server_id, "/\\ \t\r\n\"") || strlen(c->server_id) > 255)
		problems_add(r->problems, "server_id", "\"%.80s\" cannot stand in the name of an object", c->server_id);
	read_master(r, c, root);
	READ(r, compression_fields, json_want(root, "", "compression", JSON_OBJECT, false, r->problems), "compression",
	     c);
	READ(r, limits_fields, json_want(root, "", "limits", JSON_OBJECT, false, r->problems), "limits", c);
	READ(r, plausibility_fields, json_want(root, "", "plausibility", JSON_OBJECT, false, r->problems), "plausibility",
	     c);
	READ(r, notify_fields, json_want(root, "", "notify", JSON_OBJECT, false, r->problems), "notify", c);
	config_want_url(c->notify.ping_url, "notify", "ping_url", r->problems);
	config_want_url(c->notify.webhook, "notify", "webhook", r->problems);
	if (!json_get(root, "allow_requests"))
		for (size_t i = 0; i < ARRAY_LEN(requests); i++)
			strings_add(&c->allow_requests, requests[i]);
	judge_requests(c, r->unknown);
	read_sites(r, c, json_want(root, "", "sites", JSON_ARRAY, false, r->problems));
	read_storages(r, c, json_want(root, "", "storage", JSON_ARRAY, false, r->problems));
	read_timers(r, c, json_want(root, "", "timers", JSON_ARRAY, false, r->problems));
	refuse_unbuilt(root, r->problems);
}

/* check-size: text, its length and name, and two lists of findings */
int config_parse(struct config **ret, const char *text, size_t len, const char *path, struct problems *problems,
		 struct problems *unknown, struct err *e)
{
	CLEANUP(config_freep) struct config *c = xcalloc(1, sizeof(*c));
	CLEANUP(json_freep) struct json *root = NULL;
	const struct reading r = {.problems = problems, .unknown = unknown};
	size_t before = problems->n;

	if (json_parse(&root, text, len, e)) {
		e->kind = ERR_CONFIG;
		return err_wrap(e, "%s", path);
	}
	if (json_type(root) != JSON_OBJECT)
		return err_set(e, ERR_CONFIG, "%s: must be a JSON object", path);
	c->path = xstrdup(path);
	read_root(&r, c, root);
	if (problems->n > before + 1)
		return err_set(e, ERR_CONFIG, "%s: %s: %s (and %zu more)", path, problems->v[before].path,
			       problems->v[before].msg, problems->n - before - 1);
	if (problems->n > before)
		return err_set(e, ERR_CONFIG, "%s: %s: %s", path, problems->v[before].path, problems->v[before].msg);

	*ret = TAKE(c);
	return 0;
}

static void text_done(struct buf *b)
{
	if (b->p && b->cap)
		mem_wipe(b->p, b->len); /* it holds passwords */
	buf_done(b);
}

int config_load(struct config **ret, const char *path, struct problems *problems, struct problems *unknown,
		struct err *e)
{
	CLEANUP(text_done) struct buf text;

	buf_init(&text, CONFIG_MAX);
	if (fs_read(&text, path, e)) {
		if (e->kind == ERR_NOTFOUND)
			return err_set(e, ERR_CONFIG, "%s: there is no such file: give one with --config, or write it with "
				       "\"felloe configure\"", path);
		e->kind = ERR_CONFIG;
		return -1;
	}
	return config_parse(ret, text.p, text.len, path, problems, unknown, e);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->sites.n; i++) {
		FREE(site_fields, &c->sites.v[i]);
		FREE(hook_fields, &c->sites.v[i]);
	}
	for (size_t i = 0; i < c->storages.n; i++)
		FREE(storage_fields, &c->storages.v[i]);
	for (size_t i = 0; i < c->timers.n; i++) {
		FREE(timer_fields, &c->timers.v[i]);
		FREE(keep_fields, &c->timers.v[i].keep);
	}
	list_done(&c->sites);
	list_done(&c->storages);
	list_done(&c->timers);
	FREE(root_fields, c);
	FREE(master_fields, c);
	FREE(compression_fields, c);
	FREE(limits_fields, c);
	FREE(plausibility_fields, c);
	FREE(notify_fields, c);
	free(c->path);
	free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
}

const struct site *config_site(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->sites.n; i++)
		if (str_eq(c->sites.v[i].name, name))
			return &c->sites.v[i];
	return NULL;
}

const struct storage *config_storage(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->storages.n; i++)
		if (str_eq(c->storages.v[i].name, name))
			return &c->storages.v[i];
	return NULL;
}

const struct timer *config_timer(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->timers.n; i++)
		if (str_eq(c->timers.v[i].name, name))
			return &c->timers.v[i];
	return NULL;
}

/* The names are the member at of n things of that size. */
static struct str_hint hint(const char *name, const void *things, size_t n, size_t size, size_t at)
{
	struct { LIST_OF(const char *); } names = {0};
	struct str_hint ret;

	for (size_t i = 0; i < n; i++)
		*list_push(&names) = *(const char *const *)((const char *)things + i * size + at);
	ret = str_hint(name, names.v, names.n);
	list_done(&names);
	return ret;
}

struct str_hint config_site_hint(const struct config *c, const char *name)
{
	return hint(name, c->sites.v, c->sites.n, sizeof(*c->sites.v), offsetof(struct site, name));
}

struct str_hint config_storage_hint(const struct config *c, const char *name)
{
	return hint(name, c->storages.v, c->storages.n, sizeof(*c->storages.v), offsetof(struct storage, name));
}

struct str_hint config_timer_hint(const struct config *c, const char *name)
{
	return hint(name, c->timers.v, c->timers.n, sizeof(*c->timers.v), offsetof(struct timer, name));
}

void config_storage_order(const struct config *c, struct storage_order *ret)
{
	*ret = (struct storage_order){0};
	for (size_t i = 0; i < c->storages.n; i++) {
		size_t at;

		if (c->storages.v[i].weight <= 0)
			continue;
		*list_push(ret) = &c->storages.v[i];
		for (at = ret->n - 1; at > 0 && ret->v[at - 1]->weight < c->storages.v[i].weight; at--)
			ret->v[at] = ret->v[at - 1];
		ret->v[at] = &c->storages.v[i];
	}
}
