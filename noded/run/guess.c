/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/guess.h"

#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { MANIFEST_MAX = 64 << 20 };

/* "%2E" and the like back into bytes. */
static char *plain(const char *p, size_t n)
{
	char *ret = xmalloc(n + 1);
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t byte;

		if (p[i] == '%' && i + 2 < n && hex_decode(&byte, 1, (char[]){p[i + 1], p[i + 2], '\0'}) == 0 && byte) {
			ret[at++] = (char)byte;
			i += 2;
		} else {
			ret[at++] = p[i];
		}
	}
	ret[at] = '\0';
	return ret;
}

char *guess_db(const char *name, const char *site)
{
	size_t n = strlen(site);
	const char *end = NULL;

	if (strncmp(name, site, n) != 0 || name[n] != '-')
		return NULL;
	for (const char *p = name + n; (p = strstr(p, "-backup-")); p++)
		end = p;
	name += n + 1;
	return end && end > name ? plain(name, (size_t)(end - name)) : NULL;
}

static int put_table(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct json_out *o = ctx;
	const char *base = strrchr(entry->name, '/') + 1;
	CLEANUP(freep) char *name = NULL;

	(void)e;
	if (!str_ends(base, ".sql"))
		return 0;
	name = plain(base, strlen(base) - strlen(".sql"));
	json_obj(o, NULL);
	json_put_str(o, "name", name);
	json_put_bool(o, "data", true);
	json_end_obj(o);
	return 0;
}

static int is_there(void *ctx, const struct archive_entry *entry, struct err *e)
{
	(void)entry;
	(void)e;
	*(bool *)ctx = true;
	return 1;
}

int guess_manifest(struct archive_reader *r, const char *site, const char *db, struct buf *ret, struct err *e)
{
	bool has_db = false, has_files = false;
	struct json_out o;

	if (archive_list(r, "db/", is_there, &has_db, e) || archive_list(r, "files/", is_there, &has_files, e))
		return -1;
	json_out_init(&o, ret);
	json_obj(&o, NULL);
	json_put_str(&o, "format", "felloe-archive 1");
	json_put_str(&o, "site", site);
	if (has_db) {
		json_obj(&o, "database");
		json_put_str(&o, "name", db);
		json_arr(&o, "tables");
		if (archive_list(r, "db/10-schema/2-tables/", put_table, &o, e))
			return -1;
		json_end_arr(&o);
		json_end_obj(&o);
	}
	if (has_files) {
		json_obj(&o, "files");
		json_end_obj(&o);
	}
	json_end_obj(&o);
	return buf_check(ret, "what is known of the archive", e);
}
