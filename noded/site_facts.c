/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/site_facts.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "noded/php.h"
#include "shared/buf.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { VERSION_FILE_MAX = 64 << 10 };

/* $wp_version = '6.4.2'; */
static char *version_in(const char *source, size_t len)
{
	struct php t;
	char *version = NULL;
	unsigned matched = 0;

	php_init(&t, source, len);
	while (!version && php_next(&t, NULL) == 0 && t.type != PHP_END) {
		if (t.type == PHP_VARIABLE && str_eq(t.text.p, "wp_version"))
			matched = 1;
		else if (matched == 1 && t.type == PHP_MARK && t.mark == '=')
			matched = 2;
		else if (matched == 2 && t.type == PHP_TEXT && t.known && t.text.len < 32)
			version = xstrdup(t.text.p);
		else
			matched = 0;
	}
	php_done(&t);
	return version;
}

char *site_kind(const char *wp_content_path)
{
	const char *slash = strrchr(wp_content_path, '/');
	CLEANUP(freep) char *path = slash ? xasprintf("%.*s/wp-includes/version.php", (int)(slash - wp_content_path), wp_content_path)
					  : NULL;
	CLEANUP(freep) char *version = NULL;
	struct buf b;

	buf_init(&b, VERSION_FILE_MAX);
	if (path && fs_read(&b, path, NULL) == 0)
		version = version_in(b.p, b.len);
	buf_done(&b);
	return version ? xasprintf("WordPress %s", version) : xstrdup("WordPress");
}

int64_t site_bytes(const char *dir)
{
	CLEANUP(freep) char *root = xstrdup(dir);
	char *const roots[] = {root, NULL};
	int64_t sum = 0;
	bool any = false;
	struct stat st;
	FTSENT *at;
	FTS *f;

	if (stat(dir, &st) || !S_ISDIR(st.st_mode) || !(f = fts_open(roots, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL)))
		return -1;
	while ((at = fts_read(f))) {
		any |= at->fts_info == FTS_D;
		if (at->fts_info == FTS_F)
			sum += at->fts_statp->st_size;
	}
	fts_close(f);
	return any ? sum : -1;
}
