/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/grants.h"

#include <stdlib.h>
#include <string.h>

#include "noded/mysql/token.h"
#include "shared/mem.h"
#include "shared/str.h"

void grants_done(struct grants *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->v[i].what);
	list_done(g);
}

bool grants_has(const struct grants *g, const char *what, bool global)
{
	for (size_t i = 0; i < g->n; i++)
		if ((g->v[i].global || !global) && (str_ieq(g->v[i].what, what) || str_eq(g->v[i].what, "ALL PRIVILEGES")))
			return true;
	return false;
}

/* Does a pattern of GRANT, with % _ and \, stand for this name? */
static bool grants_match(const char *pattern, const char *name)
{
	for (; *pattern; pattern++) {
		if (*pattern == '%') {
			while (*pattern == '%')
				pattern++;
			for (; *name; name++)
				if (grants_match(pattern, name))
					return true;
			return !*pattern;
		}
		if (!*name)
			return false;
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '_') {
			name++;
			continue;
		}
		if (*pattern != *name)
			return false;
		name++;
	}
	return !*name;
}

/* Is the object at i "*.*" or "schema.*"? */
static bool scope(const struct tokens *t, size_t i, const char *schema, bool *global)
{
	CLEANUP(freep) char *pattern = NULL;

	if (i + 2 >= t->n || !token_is_mark(&t->v[i + 1], '.') || !token_is_mark(&t->v[i + 2], '*'))
		return false;
	*global = token_is_mark(&t->v[i], '*');
	if (*global)
		return true;
	pattern = token_text(&t->v[i]);
	return grants_match(pattern, schema);
}

/* GRANT a, b c ON x.* TO ... */
static void read_line(struct grants *g, const char *line, const char *schema)
{
	const struct sql_text text = {.p = line, .n = strlen(line)};
	CLEANUP(tokens_done) struct tokens t = {0};
	size_t on = 1, from = 1;
	bool global;

	tokens_read(&t, &text, false);
	while (on < t.n && !token_is(&t.v[on], "ON"))
		on++;
	if (!t.n || !token_is(&t.v[0], "GRANT") || !scope(&t, on + 1, schema, &global))
		return;
	for (size_t i = 1; i <= on; i++) {
		const struct token *end = &t.v[i], *first = &t.v[from];

		if (i < on && !token_is_mark(end, ','))
			continue;
		*list_push(g) = (struct grant){xstrndup(first->p, (size_t)(t.v[i - 1].p + t.v[i - 1].n - first->p)), global};
		from = i + 1;
	}
}

int grants_read(struct grants *ret, struct conn *c, const char *schema, struct err *e)
{
	CLEANUP(conn_res_freep) MYSQL_RES *r = NULL;
	MYSQL_ROW row;

	*ret = (struct grants){0};
	if (conn_rows(c, &r, "SHOW GRANTS", e))
		return -1;
	while ((row = mysql_fetch_row(r)))
		read_line(ret, row[0], schema);
	return 0;
}
