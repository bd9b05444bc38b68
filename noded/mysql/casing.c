/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/casing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"
#include "shared/str.h"

struct lowered {
	struct named *of;
	char *name;
};
struct lowered_list { LIST_OF(struct lowered); };

static void lowered_done(struct lowered_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	list_done(l);
}

static int by_name(const void *a, const void *b)
{
	const struct lowered *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->of->name, y->of->name);
}

/* Only the server knows its small letters beyond ASCII: those of its character set for names. */
static int lower(struct conn *c, const char *name, char **ret, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	CLEANUP(buf_done) struct buf b = {0};
	bool ascii = true;
	MYSQL_ROW row;

	*ret = xstrdup(name);
	for (char *p = *ret; *p; p++) {
		ascii = ascii && isascii((unsigned char)*p);
		*p = (char)(isascii((unsigned char)*p) ? tolower((unsigned char)*p) : *p);
	}
	if (ascii)
		return 0;
	buf_init(&b, 4096);
	buf_adds(&b, "SELECT LOWER(CONVERT(");
	sql_string(&b, name, strlen(name));
	buf_adds(&b, " USING utf8))");
	if (buf_check(&b, "a question", e) || conn_rows(c, &r, b.p, e))
		return -1;
	row = mysql_fetch_row(r);
	if (!row || !row[0])
		return 0;
	free(*ret);
	*ret = xstrdup(row[0]);
	return 0;
}

int casing_read(struct conn *c, struct needs *needs, bool changes, struct casing_pairs *ret, struct err *e)
{
	CLEANUP(lowered_done) struct lowered_list all = {0};

	for (size_t i = 0; i < needs->names.n; i++) {
		struct named *n = &needs->names.v[i];
		struct lowered *l = list_push(&all);

		*l = (struct lowered){.of = n};
		if (lower(c, n->name, &l->name, e))
			return -1;
		free(TAKE(n->here));
		if (changes && !str_eq(l->name, n->name))
			n->here = xstrdup(l->name);
	}
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), by_name);
	for (size_t i = 1; i < all.n; i++) {
		const char *a = all.v[i - 1].of->name, *b = all.v[i].of->name;

		if (str_eq(a, b)) /* a view and its placeholder */
			free(TAKE(all.v[i].of->here));
		else if (str_eq(all.v[i - 1].name, all.v[i].name))
			*list_push(ret) = (struct casing_pair){a, b};
	}
	return 0;
}
