/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/install.h"

#include <string.h>

#include "shared/buf.h"
#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/json.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { CONFIG_MAX = 4 << 20 };

static void wiped(struct buf *b)
{
	if (b->p && b->cap)
		mem_wipe(b->p, b->len);
	buf_done(b);
}

int install_config(const char *path, const char *text, size_t len, char **kept, struct err *e)
{
	CLEANUP(wiped) struct buf old;
	CLEANUP(freep) char *copy = NULL;
	char stamp[32];

	buf_init(&old, CONFIG_MAX);
	*kept = NULL;
	if (fs_exists(path)) {
		if (fs_read(&old, path, e))
			return -1;
		if (old.len == len && memcmp(old.p, text, len) == 0)
			return 0;
		copy = xasprintf("%s.%s", path, clock_format(stamp, sizeof(stamp), "%Y%m%d%H%M%S", clock_ms()));
		if (fs_write(copy, old.p, old.len, 0600, e))
			return -1;
	} else {
		CLEANUP(freep) char *dir = xstrdup(path);
		char *slash = strrchr(dir, '/');

		if (slash && slash != dir) {
			*slash = '\0';
			if (fs_mkdirs(dir, 0755, e))
				return -1;
		}
	}
	if (fs_write(path, text, len, 0600, e))
		return -1;
	*kept = TAKE(copy);
	return 0;
}

static void put_master(struct json_out *o, const struct json *old, const char *url, const char *pin)
{
	json_obj(o, "master");
	json_put_str(o, "url", url);
	if (pin)
		json_put_str(o, "pin_sha256", pin);
	for (const struct json *m = json_first(old); m; m = json_next(m))
		if (!str_eq(json_key(m), "url") && !(pin && str_eq(json_key(m), "pin_sha256")))
			json_put(o, json_key(m), m);
	json_end_obj(o);
}

int install_master(const char *path, const char *url, const char *pin, struct err *e)
{
	CLEANUP(json_freep) struct json *doc = NULL;
	CLEANUP(freep) char *kept = NULL;
	CLEANUP(wiped) struct buf b;
	const struct json *old;
	struct json_out o;
	bool there = false;

	buf_init(&b, CONFIG_MAX);
	if (json_parse_file(&doc, path, CONFIG_MAX, e))
		return e->kind == ERR_NOTFOUND
			       ? err_set(e, ERR_CONFIG, "%s does not exist; felloe configure writes one", path)
			       : -1;
	old = json_get(doc, "master");
	if (str_eq(json_get_str(old, "url", ""), url) && (!pin || str_eq(json_get_str(old, "pin_sha256", ""), pin)))
		return 0;
	json_out_init(&o, &b);
	o.pretty = true;
	json_obj(&o, NULL);
	for (const struct json *m = json_first(doc); m; m = json_next(m)) {
		if (str_eq(json_key(m), "master")) {
			put_master(&o, old, url, pin);
			there = true;
		} else {
			json_put(&o, json_key(m), m);
		}
	}
	if (!there)
		put_master(&o, NULL, url, pin);
	json_end_obj(&o);
	return buf_check(&b, path, e) || install_config(path, b.p, b.len, &kept, e) ? -1 : 0;
}
