/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/restore_priv.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

static void add_table(struct strings *p, const char *table)
{
	CLEANUP(buf_done) struct buf name = {0};

	buf_init(&name, 4096);
	member_name(&name, table);
	*list_push(p) = xasprintf("db/10-schema/1-sequences/%s.sql", name.p);
	*list_push(p) = xasprintf("db/10-schema/2-tables/%s.sql", name.p);
	*list_push(p) = xasprintf("db/20-data/%s.*", name.p);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool restore_table_wanted(const struct restore *r, const char *name)
{
	return !r->tables.n || bsearch(&name, r->tables.v, r->tables.n, sizeof(*r->tables.v), by_text);
}

void restore_add_triggers(const struct restore *r, bool members, struct strings *p)
{
	const struct facts *f = &r->opened.facts;

	for (size_t i = 0; i < f->triggers.n; i++)
		if (restore_table_wanted(r, f->triggers.v[i].table))
			strings_add(p, members ? f->triggers.v[i].member : f->triggers.v[i].name);
}

/* A schema aside: events would run in it. */
static void add_without_events(struct strings *p)
{
	static const char *const parts[] = {"db/00-header.sql", "db/10-schema/*", "db/20-data/*", "db/30-post/1-functions/*",
					    "db/30-post/2-procedures/*", "db/30-post/3-packages/*", "db/30-post/4-triggers/*",
					    "db/30-post/5-views/*"};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		strings_add(p, parts[i]);
}

/* Sequences that the defaults of the tables count with. */
static void add_sequences(const struct restore *r, struct strings *p)
{
	for (size_t i = 0; i < r->needs.n; i++) {
		CLEANUP(buf_done) struct buf name = {0};

		if (r->needs.v[i].kind != NEED_SEQUENCE)
			continue;
		buf_init(&name, 4096);
		member_name(&name, r->needs.v[i].text);
		*list_push(p) = xasprintf("db/10-schema/1-sequences/%s.sql", name.p);
	}
}

void restore_database_prefixes(const struct restore *r, struct strings *p)
{
	if (!r->tables.n && r->o->in_place) {
		add_without_events(p);
		return;
	}
	if (!r->tables.n) {
		strings_add(p, "db/*");
		return;
	}
	add_sequences(r, p);
	for (size_t i = 0; i < r->tables.n; i++)
		add_table(p, r->tables.v[i]);
	restore_add_triggers(r, true, p);
}

int restore_files_prefixes(const struct restore *r, struct strings *p, struct err *e)
{
	if (!r->o->paths.n)
		strings_add(p, "files/*");
	for (size_t i = 0; i < r->o->paths.n; i++) {
		const char *path = r->o->paths.v[i];
		size_t n = strlen(path);

		if (*path != '/')
			return err_set(e, ERR_USAGE, "--files: \"%s\" must begin with \"/\": paths are as they were on the server",
				       path);
		while (n > 1 && path[n - 1] == '/')
			n--;
		*list_push(p) = n > 1 ? xasprintf("files/%.*s", (int)(n - 1), path + 1) : xstrdup("files/*");
	}
	return 0;
}

bool restore_fits(const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	return prefix[n - 1] == '*' || name[n] == '\0' || name[n] == '/';
}

static int add_entry(void *ctx, const struct archive_entry *entry, struct err *e)
{
	struct sum *s = ctx;

	(void)e;
	if (!restore_fits(s->prefix, entry->name))
		return 0;
	s->members++;
	s->bytes += entry->size;
	if (!s->stored || entry->at != s->last_at)
		s->stored += entry->len;
	s->last_at = entry->at;
	return 0;
}

/* How many members and bytes the prefixes stand for. With all set each of them
 * has to stand for something. */
int restore_measure(struct restore *r, const struct strings *p, bool all, struct sum *ret, struct err *e)
{
	*ret = (struct sum){0};
	for (size_t i = 0; i < p->n; i++) {
		size_t n = strlen(p->v[i]);
		CLEANUP(freep) char *prefix = xstrndup(p->v[i], n - (p->v[i][n - 1] == '*'));
		uint64_t before = ret->members;

		ret->prefix = p->v[i];
		if (archive_list(r->opened.reader, prefix, add_entry, ret, e))
			return -1;
		if (all && ret->members == before)
			return err_set(e, ERR_NOTFOUND, "%s holds nothing of %s", r->opened.key, p->v[i] + strlen("files"));
	}
	return 0;
}

/* The table called so, or those that the pattern stands for. */
static size_t choose(struct restore *r, const char *wanted)
{
	const struct facts *f = &r->opened.facts;
	bool pattern = strpbrk(wanted, "*?") != NULL;
	size_t found = 0;

	for (unsigned pass = 0; pass < 2 && !found; pass++)
		for (size_t i = 0; i < f->tables.n; i++) {
			const char *name = f->tables.v[i].name;

			if (pass ? !pattern || fnmatch(wanted, name, FNM_NOESCAPE) : !str_eq(name, wanted))
				continue;
			found++;
			strings_add(&r->tables, name);
		}
	return found;
}

/* Sorted, each once: two patterns may stand for the same table. */
static void sort_tables(struct strings *s)
{
	size_t n = 0;

	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_text);
	for (size_t i = 0; i < s->n; i++) {
		if (n && str_eq(s->v[n - 1], s->v[i]))
			free(s->v[i]);
		else
			s->v[n++] = s->v[i];
	}
	s->n = n;
}

int restore_choose_tables(struct restore *r, struct err *e)
{
	const struct facts *f = &r->opened.facts;
	const char *names[256];
	size_t n = 0;

	while (n < f->tables.n && n < ARRAY_LEN(names)) {
		names[n] = f->tables.v[n].name;
		n++;
	}
	for (size_t i = 0; i < r->o->tables.n; i++) {
		const char *wanted = r->o->tables.v[i];

		if (choose(r, wanted))
			continue;
		return err_set(e, ERR_NOTFOUND, "the archive has no table \"%s\" in database %s%s", wanted, r->source_db,
			       str_hint(wanted, names, n).text);
	}
	sort_tables(&r->tables);
	return 0;
}
