/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/reader.h"
#include "shared/mem.h"
#include "shared/str.h"

/* The definitions are read once before anything is made: what they need of the
 * server, whose they are, which schema they name. */

enum { DEFINITION_MAX = 128 << 20 };

struct scan {
	struct restore *r;
	struct reader reader;
	struct sql_text mode;
	struct rename rename;
};

static int scan_begin(void *ctx, const struct tar_entry *entry, struct err *e)
{
	struct scan *s = ctx;

	(void)entry;
	(void)e;
	reader_done(&s->reader);
	reader_init(&s->reader, DEFINITION_MAX);
	s->mode = (struct sql_text){0};
	return 0;
}

static void take_statements(struct scan *s, bool end)
{
	const char *sql;
	size_t n;

	while (reader_next(&s->reader, end, &sql, &n)) {
		struct sql_text text = {sql, n, s->mode.no_backslash, s->mode.ansi_quotes};

		needs_follow_mode(&s->mode, &text);
		s->reader.no_backslash = s->mode.no_backslash;
		needs_add(&s->r->needs, &text, &s->rename);
	}
}

static int scan_write(void *ctx, const void *p, size_t n, struct err *e)
{
	struct scan *s = ctx;

	if (reader_feed(&s->reader, p, n, e))
		return -1;
	take_statements(s, false);
	return 0;
}

static int scan_end(void *ctx, struct err *e)
{
	(void)e;
	take_statements(ctx, true);
	return 0;
}

static void scan_fail(void *ctx)
{
	(void)ctx;
}

/* The loading meets it too, and names what is lost. */
static void damaged(void *ctx, const char *member, const char *why)
{
	(void)ctx;
	(void)member;
	(void)why;
}

static bool is_definition(const char *prefix)
{
	return str_starts(prefix, "db/10-schema/") || str_starts(prefix, "db/30-post/");
}

int restore_scan(struct restore *r, struct err *e)
{
	struct scan s = {.r = r, .rename = {r->source_db, NULL, false}};
	const struct tar_sink sink = {.begin = scan_begin, .write = scan_write, .end = scan_end, .fail = scan_fail, .ctx = &s};
	CLEANUP(strings_done) struct strings all = {0}, p = {0};
	struct archive_read_opts o = {.damaged = damaged, .stop = restore_stopping, .ctx = &s};
	int rc = 0;

	needs_done(&r->needs);
	r->needs = (struct needs){0};
	restore_database_prefixes(r, &all);
	if (!r->tables.n && r->o->in_place)
		strings_add(&all, "db/30-post/6-events/*");
	for (size_t i = 0; i < all.n; i++) {
		if (str_eq(all.v[i], "db/*")) {
			strings_add(&p, "db/00-header.sql");
			strings_add(&p, "db/10-schema/*");
			strings_add(&p, "db/30-post/*");
		} else if (is_definition(all.v[i])) {
			strings_add(&p, all.v[i]);
		}
	}
	o.prefixes = (const char *const *)p.v;
	o.n_prefixes = p.n;
	reader_init(&s.reader, DEFINITION_MAX);
	if (p.n)
		rc = archive_read(r->opened.reader, &o, &sink, NULL, e);
	reader_done(&s.reader);
	return rc;
}
