/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "tui/wizard/keep_text.h"

enum { CONFIG_MAX = 1 << 20 };

static void take(char *to, size_t size, const struct json *o, const char *key)
{
	const char *s = json_get_str(o, key, NULL);

	if (s && str_copy(to, size, s))
		to[0] = '\0';
}
#define TAKE_STR(to, o, key) take((to), sizeof(to), (o), (key))

static void take_number(char *to, size_t size, const struct json *o, const char *key)
{
	if (json_type(json_get(o, key)) == JSON_NUMBER)
		snprintf(to, size, "%lld", (long long)json_get_int(o, key, 0));
}

/* ---- reading an existing configuration ---------------------------------------- */

static void join_strings(char *to, size_t size, const struct json *array)
{
	size_t len = 0;

	to[0] = '\0';
	for (const struct json *c = json_first(array); c; c = json_next(c)) {
		const char *s = json_str(c);
		int n = s ? snprintf(to + len, size - len, "%s%s", len ? ", " : "", s) : 0;

		if (n < 0 || (size_t)n >= size - len)
			break;
		len += (size_t)n;
	}
}

static void site_from(struct answer_site *s, const struct json *j)
{
	TAKE_STR(s->name, j, "name");
	TAKE_STR(s->dir, j, "dir");
	TAKE_STR(s->wp_config, j, "wp_config_path");
	TAKE_STR(s->wp_content, j, "wp_content_path");
	TAKE_STR(s->db_name, j, "db_name");
	TAKE_STR(s->db_user, j, "db_user");
	TAKE_STR(s->db_host, j, "db_host");
	TAKE_STR(s->db_password, j, "db_password");
	join_strings(s->exclude, sizeof(s->exclude), json_get(j, "exclude"));
	if (!s->dir[0] && s->wp_config[0])
		snprintf(s->dir, sizeof(s->dir), "%.*s", (int)(strrchr(s->wp_config, '/') ? strrchr(s->wp_config, '/') - s->wp_config : 0),
			 s->wp_config);
	if (!s->dir[0])
		str_cut(s->dir, sizeof(s->dir), str_or(json_str(json_first(json_get(j, "paths"))), ""));
	str_cut(s->kind, sizeof(s->kind), json_get_str(j, "kind", s->wp_config[0] ? "WordPress" : "files only"));
	s->has_db = s->wp_config[0] || s->db_name[0];
	s->bytes = s->db_bytes = -1;
	s->chosen = json_get_bool(j, "chosen", true);
}

static void storage_from(struct answer_storage *s, const struct json *j)
{
	TAKE_STR(s->name, j, "name");
	s->s3 = !str_eq(json_get_str(j, "type", "s3"), "dir");
	TAKE_STR(s->endpoint, j, "endpoint");
	TAKE_STR(s->region, j, "region");
	TAKE_STR(s->bucket, j, "bucket");
	TAKE_STR(s->prefix, j, "prefix");
	TAKE_STR(s->access_key, j, "access_key");
	TAKE_STR(s->secret_key, j, "secret_key");
	TAKE_STR(s->secret_key_file, j, "secret_key_file");
	TAKE_STR(s->path, j, "path");
	s->path_style = json_get_bool(j, "path_style", !strstr(s->endpoint, "amazonaws.com"));
	str_cut(s->weight, sizeof(s->weight), "100");
	str_cut(s->limit_gb, sizeof(s->limit_gb), "100");
	take_number(s->weight, sizeof(s->weight), j, "weight");
	take_number(s->limit_gb, sizeof(s->limit_gb), j, "storage_limit_gb");
}

static bool is_time(const char *s)
{
	return strlen(s) == 5 && s[2] == ':' && s[0] >= '0' && s[0] <= '2' && s[1] >= '0' && s[1] <= '9' && s[3] >= '0' &&
	       s[3] <= '5' && s[4] >= '0' && s[4] <= '9' && (s[0] != '2' || s[1] <= '3');
}

const char *answers_keep_default(enum every every)
{
	return every == EVERY_HOUR ? "48h 14d 8w 12m" : "14d 8w 12m";
}

static void timer_defaults(struct answer_timer *t)
{
	*t = (struct answer_timer){.every = EVERY_DAY, .days = 0x7f, .db = true, .files = true, .name = "nightly",
				   .at = "03:10", .spread_min = "5"};
	str_cut(t->keep, sizeof(t->keep), answers_keep_default(t->every));
}

static void timer_from(struct answer_timer *t, const struct json *j)
{
	const struct json *what = json_get(j, "what");
	const char *spread = json_get_str(j, "spread", "0");
	char at[ANSWER_TEXT] = "";
	uint64_t minutes;
	size_t digits = strspn(spread, "0123456789");

	timer_defaults(t);
	TAKE_STR(t->name, j, "name");
	TAKE_STR(t->own, j, "on_calendar");
	/* without one all runs were kept: nobody asked for them to go */
	keep_text_from(json_get(j, "keep"), t->keep, sizeof(t->keep));
	t->every = EVERY_OWN;
	/* our own daily form comes back as a day and a time */
	if (str_starts(t->own, "*-*-* ") && (str_copy(at, sizeof(at), t->own + 6) == 0)) {
		if (strlen(at) == 8 && str_ends(at, ":00"))
			at[5] = '\0';
		if (is_time(at)) {
			t->every = EVERY_DAY;
			str_cut(t->at, sizeof(t->at), at);
		}
	}
	snprintf(t->spread_min, sizeof(t->spread_min), "%.*s", (int)(digits < 6 ? digits : 6), spread);
	if (str_ends(spread, "h") && str_to_u64(&minutes, t->spread_min, 0, 24) == 0)
		snprintf(t->spread_min, sizeof(t->spread_min), "%u", (unsigned)minutes * 60);
	if (json_type(what) == JSON_ARRAY) {
		t->db = t->files = false;
		for (const struct json *c = json_first(what); c; c = json_next(c)) {
			t->db |= str_eq(json_str(c), "db");
			t->files |= str_eq(json_str(c), "files");
		}
	}
}

/* Lists that j has take the place of those that are there. */
static void lists_from(struct answers *a, const struct json *j)
{
	if (json_get(j, "sites")) {
		a->sites.n = 0;
		for (const struct json *c = json_first(json_get(j, "sites")); c; c = json_next(c))
			site_from(list_push(&a->sites), c);
	}
	if (json_get(j, "storage")) {
		a->storages.n = 0;
		for (const struct json *c = json_first(json_get(j, "storage")); c; c = json_next(c))
			storage_from(list_push(&a->storages), c);
	}
	if (json_get(j, "timers")) {
		a->timers.n = 0;
		for (const struct json *c = json_first(json_get(j, "timers")); c; c = json_next(c))
			timer_from(list_push(&a->timers), c);
	}
}

static void from_config(struct answers *a, const struct json *j)
{
	const struct json *master = json_get(j, "master");

	a->managed = json_get(master, "url") != NULL;
	TAKE_STR(a->master_url, master, "url");
	TAKE_STR(a->pin, master, "pin_sha256");
	TAKE_STR(a->api_key_file, master, "api_key_file");
	a->pin_trusted = a->pin[0] != '\0';
	TAKE_STR(a->node_name, j, "server_id");
	lists_from(a, j);
}

/* A kept file has no secrets: those of the configuration stay, by name. */
static void secrets_by_name(struct answers *a)
{
	for (size_t i = 0; i < a->storages.n; i++) {
		struct answer_storage *s = &a->storages.v[i];

		for (const struct json *c = json_first(json_get(a->old, "storage")); c; c = json_next(c))
			if (str_eq(json_get_str(c, "name", ""), s->name))
				TAKE_STR(s->secret_key, c, "secret_key");
	}
	for (size_t i = 0; i < a->sites.n; i++) {
		struct answer_site *s = &a->sites.v[i];

		for (const struct json *c = json_first(json_get(a->old, "sites")); c; c = json_next(c))
			if (str_eq(json_get_str(c, "name", ""), s->name))
				TAKE_STR(s->db_password, c, "db_password");
	}
}

static int read_old(struct answers *a, struct err *e)
{
	struct stat st;
	char when[32];

	if (!fs_exists(a->config_path))
		return 0;
	if (json_parse_file(&a->old, a->config_path, CONFIG_MAX, e))
		return err_wrap(e, "the existing configuration cannot be read; mend it or move it away");
	from_config(a, a->old);
	if (stat(a->config_path, &st) == 0)
		snprintf(a->old_text, sizeof(a->old_text), "old config from %s (%s, %zu site%s): its values are defaults here",
			 clock_format_local(when, sizeof(when), "%d %b", (int64_t)st.st_mtime * 1000),
			 a->managed ? "managed" : "standalone", a->sites.n, a->sites.n == 1 ? "" : "s");
	return 0;
}

/* A configuration that was written after the answers were kept knows better. */
static bool is_outdated(const struct answers *a)
{
	struct stat config, kept;

	if (stat(a->config_path, &config) || stat(a->kept_path, &kept))
		return false;
	if (config.st_mtim.tv_sec != kept.st_mtim.tv_sec)
		return config.st_mtim.tv_sec > kept.st_mtim.tv_sec;
	return config.st_mtim.tv_nsec > kept.st_mtim.tv_nsec;
}

static int read_kept(struct answers *a, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;

	if (!fs_exists(a->kept_path) || is_outdated(a))
		return 0;
	if (json_parse_file(&j, a->kept_path, CONFIG_MAX, e))
		return err_wrap(e, "the kept answers cannot be read; remove %s to start afresh", a->kept_path);
	a->managed = json_get_bool(j, "managed", a->managed);
	TAKE_STR(a->master_url, j, "master_url");
	TAKE_STR(a->pin, j, "pin_sha256");
	a->pin_trusted = a->pin[0] != '\0';
	TAKE_STR(a->node_name, j, "server_id");
	lists_from(a, j);
	secrets_by_name(a);
	return 0;
}

int answers_init(struct answers *a, const char *config_path, const char *kept_path, struct err *e)
{
	*a = (struct answers){.managed = true};
	if (str_copy(a->config_path, sizeof(a->config_path), config_path) ||
	    str_copy(a->kept_path, sizeof(a->kept_path), kept_path))
		return err_set(e, ERR_USAGE, "a path is longer than %u characters", ANSWER_TEXT - 1);
	snprintf(a->api_key_file, sizeof(a->api_key_file), "%.*sapi.key",
		 (int)(strrchr(config_path, '/') ? strrchr(config_path, '/') - config_path + 1 : 0), config_path);
	if (gethostname(a->node_name, sizeof(a->node_name)))
		str_cut(a->node_name, sizeof(a->node_name), "node");
	timer_defaults(list_push(&a->timers));
	if (read_old(a, e) || read_kept(a, e))
		return -1;
	return 0;
}

void answers_done(struct answers *a)
{
	for (size_t i = 0; i < a->storages.n; i++)
		mem_wipe(a->storages.v[i].secret_key, ANSWER_TEXT);
	for (size_t i = 0; i < a->sites.n; i++)
		mem_wipe(a->sites.v[i].db_password, ANSWER_TEXT);
	list_done(&a->sites);
	list_done(&a->storages);
	list_done(&a->timers);
	json_free(a->old);
	a->old = NULL;
}

/* ---- writing ------------------------------------------------------------------- */

static void put_text(struct json_out *o, const char *key, const char *s)
{
	if (s[0])
		json_put_str(o, key, s);
}

static void put_number(struct json_out *o, const char *key, const char *s)
{
	uint64_t v;

	if (str_to_u64(&v, s, 0, 1000000000) == 0)
		json_put_int(o, key, (int64_t)v);
}

/* "a, b" -> ["a","b"] */
static void put_split(struct json_out *o, const char *key, const char *text)
{
	if (!text[strspn(text, ", ")])
		return;
	json_arr(o, key);
	for (const char *at = text; *at;) {
		size_t skip = strspn(at, ", "), n = strcspn(at + skip, ",");
		size_t len = n;

		while (len > 0 && at[skip + len - 1] == ' ')
			len--;
		if (len > 0)
			json_put_strn(o, NULL, at + skip, len);
		at += skip + n;
	}
	json_end_arr(o);
}

/* Members of old that the wizard does not ask for stay as they were. */
static void put_others(struct json_out *o, const struct json *old, const char *const *ours, size_t n)
{
	for (const struct json *c = json_first(old); c; c = json_next(c)) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= str_eq(json_key(c), ours[i]);
		if (!known)
			json_put(o, json_key(c), c);
	}
}

static const struct json *old_by_name(const struct answers *a, const char *list, const char *name)
{
	for (const struct json *c = json_first(json_get(a->old, list)); c; c = json_next(c))
		if (str_eq(json_get_str(c, "name", ""), name))
			return c;
	return NULL;
}

static void put_site(struct json_out *o, const struct answers *a, const struct answer_site *s, bool secrets)
{
	static const char *const ours[] = {"name", "wp_config_path", "wp_content_path", "db_host", "db_name",
					   "db_user", "db_password", "exclude", "paths", "dir", "kind", "chosen"};
	const struct json *old = old_by_name(a, "sites", s->name);
	const struct json *paths = json_get(old, "paths");
	bool edited = s->db_password[0] != '\0';

	json_obj(o, NULL);
	json_put_str(o, "name", s->name);
	put_text(o, "wp_config_path", s->wp_config);
	put_text(o, "wp_content_path", s->wp_content);
	/* what wp-config.php says need not stand here twice */
	if (edited || !s->wp_config[0]) {
		put_text(o, "db_host", s->db_host);
		put_text(o, "db_name", s->db_name);
		put_text(o, "db_user", s->db_user);
		if (secrets)
			put_text(o, "db_password", s->db_password);
	}
	if (paths) {
		json_put(o, "paths", paths);
	} else if (!s->wp_content[0] && s->dir[0]) {
		json_arr(o, "paths");
		json_put_str(o, NULL, s->dir);
		json_end_arr(o);
	}
	put_split(o, "exclude", s->exclude);
	if (!secrets) { /* the kept answers know more than a configuration does */
		put_text(o, "dir", s->dir);
		put_text(o, "kind", s->kind);
		json_put_bool(o, "chosen", s->chosen);
	}
	put_others(o, old, ours, ARRAY_LEN(ours));
	json_end_obj(o);
}

static void put_storage(struct json_out *o, const struct answers *a, const struct answer_storage *s, bool secrets)
{
	static const char *const ours[] = {"name", "type", "endpoint", "region", "bucket", "prefix", "access_key",
					   "secret_key", "secret_key_file", "path", "path_style", "weight",
					   "storage_limit_gb"};

	json_obj(o, NULL);
	json_put_str(o, "name", s->name);
	json_put_str(o, "type", s->s3 ? "s3" : "dir");
	if (s->s3) {
		put_text(o, "endpoint", s->endpoint);
		put_text(o, "region", s->region);
		put_text(o, "bucket", s->bucket);
		put_text(o, "access_key", s->access_key);
		if (secrets)
			put_text(o, "secret_key", s->secret_key);
		if (!s->secret_key[0])
			put_text(o, "secret_key_file", s->secret_key_file);
		json_put_bool(o, "path_style", s->path_style);
	} else {
		put_text(o, "path", s->path);
	}
	put_text(o, "prefix", s->prefix);
	put_number(o, "weight", s->weight);
	put_number(o, "storage_limit_gb", s->limit_gb);
	put_others(o, old_by_name(a, "storage", s->name), ours, ARRAY_LEN(ours));
	json_end_obj(o);
}

void answers_on_calendar(const struct answer_timer *t, char *to, size_t size)
{
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	char days[40] = "";

	to[0] = '\0';
	if (t->every == EVERY_OWN) {
		str_cut(to, size, t->own);
		return;
	}
	if (!is_time(t->at))
		return;
	if (t->every == EVERY_HOUR) {
		snprintf(to, size, "*-*-* *:%s:00", t->at + 3);
		return;
	}
	if (t->every == EVERY_MONTH) {
		snprintf(to, size, "*-*-01 %s:00", t->at);
		return;
	}
	if (t->every == EVERY_WEEK || (t->days & 0x7f) != 0x7f) {
		for (unsigned d = 0; d < 7; d++) {
			size_t len = strlen(days);

			if (t->days & 1U << d)
				snprintf(days + len, sizeof(days) - len, "%s%s", len ? "," : "", names[d]);
		}
		if (!days[0])
			return;
		snprintf(to, size, "%s *-*-* %s:00", days, t->at);
		return;
	}
	snprintf(to, size, "*-*-* %s:00", t->at);
}

/* An old one that says the same stays as it is written, with what we do not know. */
static void put_keep(struct json_out *o, const struct json *old, const char *text)
{
	char was[ANSWER_TEXT];
	struct keep_text k;

	keep_text_from(old, was, sizeof(was));
	if (old && str_eq(was, text))
		json_put(o, "keep", old);
	else if (keep_text_parse(&k, text, NULL) == 0)
		keep_text_put(o, &k);
}

static void put_timer(struct json_out *o, const struct answers *a, const struct answer_timer *t)
{
	static const char *const ours[] = {"name", "sites", "what", "on_calendar", "spread", "keep"};
	const struct json *old = old_by_name(a, "timers", t->name);
	char text[ANSWER_TEXT];

	json_obj(o, NULL);
	json_put_str(o, "name", t->name);
	if (json_get(old, "sites")) {
		json_put(o, "sites", json_get(old, "sites"));
	} else {
		json_arr(o, "sites");
		json_put_str(o, NULL, "*");
		json_end_arr(o);
	}
	json_arr(o, "what");
	if (t->db)
		json_put_str(o, NULL, "db");
	if (t->files)
		json_put_str(o, NULL, "files");
	json_end_arr(o);
	answers_on_calendar(t, text, sizeof(text));
	json_put_str(o, "on_calendar", text);
	if (t->spread_min[0]) {
		snprintf(text, sizeof(text), "%smin", t->spread_min);
		json_put_str(o, "spread", text);
	}
	put_keep(o, json_get(old, "keep"), t->keep);
	put_others(o, old, ours, ARRAY_LEN(ours));
	json_end_obj(o);
}

static void put_master(struct json_out *o, const struct answers *a)
{
	static const char *const ours[] = {"url", "api_key_file", "pin_sha256"};

	json_obj(o, "master");
	json_put_str(o, "url", a->master_url);
	json_put_str(o, "api_key_file", a->api_key_file);
	if (a->pin_trusted)
		put_text(o, "pin_sha256", a->pin);
	put_others(o, json_get(a->old, "master"), ours, ARRAY_LEN(ours));
	json_end_obj(o);
}

/* A configuration has the secrets and the marked sites, the kept answers all sites and no secret. */
static void put_lists(struct json_out *o, const struct answers *a, bool secrets)
{
	json_arr(o, "sites");
	for (size_t i = 0; i < a->sites.n; i++)
		if (!secrets || a->sites.v[i].chosen)
			put_site(o, a, &a->sites.v[i], secrets);
	json_end_arr(o);
	json_arr(o, "storage");
	for (size_t i = 0; i < a->storages.n; i++)
		put_storage(o, a, &a->storages.v[i], secrets);
	json_end_arr(o);
	json_arr(o, "timers");
	for (size_t i = 0; i < a->timers.n; i++)
		put_timer(o, a, &a->timers.v[i]);
	json_end_arr(o);
}

void answers_config(const struct answers *a, struct buf *to)
{
	static const char *const ours[] = {"server_id", "master", "sites", "storage", "timers"};
	struct json_out o;

	json_out_init(&o, to);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_str(&o, "server_id", a->node_name);
	if (a->managed)
		put_master(&o, a);
	put_lists(&o, a, true);
	put_others(&o, a->old, ours, ARRAY_LEN(ours));
	json_end_obj(&o);
	buf_addc(to, '\n');
}

void answers_storage_config(const struct answers *a, const struct answer_storage *s, struct buf *to)
{
	struct json_out o;

	json_out_init(&o, to);
	json_obj(&o, NULL);
	json_put_str(&o, "server_id", a->node_name);
	json_arr(&o, "sites");
	json_end_arr(&o);
	json_arr(&o, "storage");
	put_storage(&o, a, s, true);
	json_end_arr(&o);
	json_end_obj(&o);
}

int answers_keep(const struct answers *a, struct err *e)
{
	struct buf b;
	struct json_out o;
	char *dir;
	int r;

	buf_init(&b, CONFIG_MAX);
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	json_put_bool(&o, "managed", a->managed);
	json_put_str(&o, "master_url", a->master_url);
	if (a->pin_trusted)
		json_put_str(&o, "pin_sha256", a->pin);
	json_put_str(&o, "server_id", a->node_name);
	put_lists(&o, a, false);
	json_end_obj(&o);
	dir = xstrndup(a->kept_path, (size_t)(strrchr(a->kept_path, '/') ? strrchr(a->kept_path, '/') - a->kept_path : 0));
	r = (dir[0] ? fs_mkdirs(dir, 0700, e) : 0) || fs_write(a->kept_path, b.p, b.len, 0600, e) ? -1 : 0;
	free(dir);
	buf_done(&b);
	return r;
}

/* ---- what is still missing -------------------------------------------------------- */

static bool lack(char *why, size_t size, const char *text)
{
	str_cut(why, size, text);
	return true;
}

static bool lack_sites(const struct answers *a, char *why, size_t size)
{
	for (size_t i = 0; i < a->sites.n; i++)
		if (a->sites.v[i].chosen)
			return false;
	return lack(why, size, "Mark at least one site with Space");
}

static bool lack_storages(const struct answers *a, char *why, size_t size)
{
	bool failed = false;

	for (size_t i = 0; i < a->storages.n; i++) {
		uint64_t weight = 0;

		if (a->storages.v[i].test == TEST_OK && str_to_u64(&weight, a->storages.v[i].weight, 1, 1000000) == 0)
			return false;
		failed |= a->storages.v[i].test == TEST_FAILED;
	}
	if (a->storages.n == 0)
		return lack(why, size, "No storage yet: C adds one");
	return lack(why, size, failed ? "At least one storage has to pass its test: Enter edits, T tests" :
					"Test the storage first: T");
}

static bool lack_timers(const struct answers *a, char *why, size_t size)
{
	char text[ANSWER_TEXT];

	for (size_t i = 0; i < a->timers.n; i++) {
		const struct answer_timer *t = &a->timers.v[i];

		answers_on_calendar(t, text, sizeof(text));
		if (!text[0] || !str_is_name(t->name) || !(t->db || t->files)) {
			snprintf(why, size, "Timer %s needs a name, a time and something to back up: Enter edits", t->name);
			return true;
		}
	}
	return false;
}

bool answers_lack(const struct answers *a, unsigned step, char *why, size_t size)
{
	switch (step) {
	case 1:
		if (a->managed && !str_starts(a->master_url, "http://") && !str_starts(a->master_url, "https://"))
			return lack(why, size, "Give the master's URL: https://master.example.net:8443");
		if (!a->node_name[0])
			return lack(why, size, "Give this node a name");
		return false;
	case 2:
		return lack_sites(a, why, size);
	case 3:
		return lack_storages(a, why, size);
	case 4:
		return lack_timers(a, why, size);
	case 5:
		for (unsigned s = 0; s < 5; s++)
			if (answers_lack(a, s, why, size))
				return true;
		return false;
	default:
		return false;
	}
}
