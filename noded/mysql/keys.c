/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/keys.h"

#include <string.h>
#include <strings.h>

#include "shared/list.h"
#include "shared/mem.h"

enum kind { COLUMN, PRIMARY, UNIQUE, PLAIN, SPATIAL, FOREIGN, OTHER };

struct item {
	const char *p;
	size_t n;
	enum kind kind;
	bool out;
};
struct table {
	const char *name;         /* as quoted in the statement */
	size_t name_len;
	struct { LIST_OF(struct item); } items;
	const char *head_end, *tail; /* "CREATE TABLE `t` (" ends there; ") ENGINE=..." begins here */
	const char *end;
};

/* Behind the quoted text that begins at p. */
static const char *skip_quoted(const char *p, const char *end)
{
	char quote = *p++;

	for (; p < end && *p != quote; p++)
		if (*p == '\\' && quote != '`')
			p++;
	return p < end ? p + 1 : end; /* a doubled quote closes and opens again, which comes to the same */
}

static bool is_quote(char c)
{
	return c == '`' || c == '\'' || c == '"';
}

static bool begins(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && !strncasecmp(p, word, n);
}

/* Does the word stand in the text, outside of quotes? */
static bool has_word(const char *p, const char *end, const char *word)
{
	while (p < end) {
		if (is_quote(*p)) {
			p = skip_quoted(p, end);
			continue;
		}
		if (begins(p, end, word))
			return true;
		p++;
	}
	return false;
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static enum kind kind_of(const char *p, const char *end)
{
	const char *name_end;

	if (p < end && *p == '`')
		return COLUMN;
	if (begins(p, end, "PRIMARY KEY"))
		return PRIMARY;
	if (begins(p, end, "UNIQUE KEY"))
		return UNIQUE;
	if (begins(p, end, "KEY `"))
		return PLAIN;
	if (begins(p, end, "SPATIAL KEY"))
		return SPATIAL;
	if (!begins(p, end, "CONSTRAINT `"))
		return OTHER;
	name_end = skip_quoted(p + strlen("CONSTRAINT "), end);
	while (name_end < end && *name_end == '`') /* the name has a backtick in it */
		name_end = skip_quoted(name_end, end);
	return begins(skip_blank(name_end, end), end, "FOREIGN KEY") ? FOREIGN : OTHER;
}

static void add_item(struct table *t, const char *p, const char *end)
{
	struct item *i = list_push(&t->items);

	p = skip_blank(p, end);
	while (end > p && (end[-1] == ' ' || end[-1] == '\n'))
		end--;
	*i = (struct item){.p = p, .n = (size_t)(end - p), .kind = kind_of(p, end)};
}

/* Cut at the commas between the outer brackets. */
static bool parse(struct table *t, const char *sql, size_t n)
{
	const char *end = sql + n, *p, *from;
	int depth = 1;

	t->end = end;
	if (!begins(sql, end, "CREATE TABLE `"))
		return false;
	t->name = sql + strlen("CREATE TABLE ");
	for (p = t->name; p < end && *p == '`';)
		p = skip_quoted(p, end);
	t->name_len = (size_t)(p - t->name);
	p = skip_blank(p, end);
	if (p == end || *p != '(')
		return false;
	t->head_end = from = ++p;
	while (p < end && depth) {
		if (is_quote(*p)) {
			p = skip_quoted(p, end);
			continue;
		}
		depth += (*p == '(') - (*p == ')');
		if (!depth || (depth == 1 && *p == ',')) {
			add_item(t, from, p);
			from = p + 1;
		}
		p++;
	}
	t->tail = p - 1;
	return !depth;
}

/* The first column of a key: "... (`a`(10),`b`)". It lies in the item. */
static const char *first_column(const struct item *i, size_t *n)
{
	const char *end = i->p + i->n, *p = i->p, *name;

	while (p < end && *p != '(')
		p = is_quote(*p) ? skip_quoted(p, end) : p + 1;
	name = p < end ? p + 1 : end;
	for (p = name; p < end && *p == '`';)
		p = skip_quoted(p, end);
	*n = (size_t)(p - name);
	return name;
}

static bool leads(const struct item *key, const char *column, size_t n)
{
	size_t len;
	const char *first = first_column(key, &len);

	return len == n && !memcmp(first, column, n);
}

/* The AUTO_INCREMENT column's name as quoted, or NULL. */
static const char *counter(const struct table *t, size_t *n)
{
	for (size_t i = 0; i < t->items.n; i++) {
		const struct item *c = &t->items.v[i];
		const char *end = c->p + c->n, *p = c->p;

		if (c->kind != COLUMN || !has_word(c->p, end, "AUTO_INCREMENT"))
			continue;
		while (p < end && *p == '`')
			p = skip_quoted(p, end);
		*n = (size_t)(p - c->p);
		return c->p;
	}
	return NULL;
}

/* The server sorts PRIMARY and UNIQUE before the rest and FULLTEXT behind it, and
 * leaves the rest as it was given: what is added later comes last there. */
static void choose_keys(struct table *t)
{
	size_t n = 0, from = 0;
	const char *column = counter(t, &n);

	for (size_t i = 0; column && i < t->items.n; i++)
		if ((t->items.v[i].kind == PRIMARY || t->items.v[i].kind == UNIQUE) && leads(&t->items.v[i], column, n))
			column = NULL;
	for (size_t i = 0; i < t->items.n; i++) {
		const struct item *k = &t->items.v[i];

		if (k->kind == SPATIAL || (k->kind == PLAIN && column && leads(k, column, n))) {
			from = i + 1;
			if (k->kind == PLAIN)
				column = NULL;
		}
	}
	for (size_t i = from; i < t->items.n; i++)
		if (t->items.v[i].kind == PLAIN)
			t->items.v[i].out = true;
}

static bool may_add_keys(const struct table *t)
{
	static const char *const trouble[] = {"GENERATED ALWAYS", " AS (", "PERIOD FOR", "WITHOUT SYSTEM VERSIONING"};

	for (size_t i = 0; i < ARRAY_LEN(trouble); i++)
		if (has_word(t->head_end, t->tail, trouble[i]))
			return false;
	return !has_word(t->tail, t->end, "PARTITION BY");
}

static void alter(struct buf *b, const struct table *t, enum kind kind, size_t max)
{
	const char *between = " ";

	buf_init(b, max);
	for (size_t i = 0; i < t->items.n; i++) {
		const struct item *k = &t->items.v[i];

		if (!k->out || k->kind != kind)
			continue;
		if (!b->len) {
			buf_adds(b, "ALTER TABLE ");
			buf_add(b, t->name, t->name_len);
		}
		buf_adds(b, between);
		buf_adds(b, "ADD ");
		buf_add(b, k->p, k->n);
		between = ", ";
	}
}

static void without(struct buf *b, const struct table *t, const char *sql, size_t max)
{
	const char *between = "\n  ";

	buf_init(b, max);
	buf_add(b, sql, (size_t)(t->head_end - sql));
	for (size_t i = 0; i < t->items.n; i++) {
		if (t->items.v[i].out)
			continue;
		buf_adds(b, between);
		buf_add(b, t->items.v[i].p, t->items.v[i].n);
		between = ",\n  ";
	}
	buf_addc(b, '\n');
	buf_add(b, t->tail, (size_t)(t->end - t->tail));
}

void keys_done(struct keys *k)
{
	buf_done(&k->create);
	buf_done(&k->keys);
	buf_done(&k->constraints);
}

bool keys_defer(struct keys *ret, const char *sql, size_t n, bool with_keys)
{
	struct table t = {0};
	bool any = false;

	if (parse(&t, sql, n) && has_word(t.tail, t.end, "ENGINE=InnoDB") && !has_word(t.tail, t.end, "SYSTEM VERSIONING")) {
		if (with_keys && may_add_keys(&t))
			choose_keys(&t);
		for (size_t i = 0; i < t.items.n; i++) {
			t.items.v[i].out = t.items.v[i].out || t.items.v[i].kind == FOREIGN;
			any = any || t.items.v[i].out;
		}
	}
	if (any) {
		size_t max = 2 * n + 4096;

		without(&ret->create, &t, sql, max);
		alter(&ret->keys, &t, PLAIN, max);
		alter(&ret->constraints, &t, FOREIGN, max);
	}
	list_done(&t.items);
	return any;
}
