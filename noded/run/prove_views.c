/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/prove_views.h"

#include <stdbool.h>
#include <stdlib.h>

#include "noded/archive/reader.h"
#include "noded/mysql/load.h"
#include "shared/daemon.h"
#include "shared/mem.h"
#include "shared/str.h"

struct again {
	struct load *load;
	char *member;
	bool skip;       /* the rest of it */
	unsigned left;
};

static void again_done(struct again *a)
{
	load_close(a->load);
	free(a->member);
}

static int begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct again *a = ctx;

	(void)e;
	free(a->member);
	a->member = xstrdup(entry->name);
	a->skip = false;
	return 0;
}

static int skip(struct again *a)
{
	if (!load_skip(a->load))
		return -1;
	a->skip = true;
	a->left++;
	return 0;
}

static int feed(void *ctx, const void *p, size_t n, struct err *e)
{
	struct again *a = ctx;

	return !a->skip && load_feed(a->load, a->member, p, n, e) ? skip(a) : 0;
}

static int end(void *ctx, struct err *e)
{
	struct again *a = ctx;

	return !a->skip && load_end(a->load, e) ? skip(a) : 0;
}

static bool stopping(void *ctx)
{
	(void)ctx;
	return daemon_stopping();
}

static int run_again(struct again *a, struct archive_reader *reader, struct err *e)
{
	static const char *const views[] = {"db/30-post/5-views/*"};
	const struct tar_sink sink = {.begin = begin, .write = feed, .end = end, .ctx = a};
	const struct archive_read_opts o = {.prefixes = views, .n_prefixes = 1, .stop = stopping};

	return archive_read(reader, &o, &sink, NULL, e);
}

int prove_views(const struct config *c, const struct db_access *a, const struct found_archive *archive, unsigned *left,
		struct err *e)
{
	CLEANUP(again_done) struct again again = {0};
	struct opened opened = {0};
	struct load_opts o = {.access = a, .definer = "keep"};
	int rc = opened_open(&opened, c, archive, e);

	if (rc == 0) {
		o.db = opened_db(&opened);
		rc = load_open(&again.load, &o, e);
	}
	if (rc == 0)
		rc = run_again(&again, opened.reader, e);
	opened_close(&opened);
	*left = again.left;
	return rc;
}
