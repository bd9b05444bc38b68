/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/needs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/mem.h"
#include "shared/str.h"

void needs_done(struct needs *n)
{
	for (size_t i = 0; i < n->n; i++) {
		free(n->v[i].text);
		free(n->v[i].first);
	}
	for (size_t i = 0; i < n->programs.n; i++) {
		free(n->programs.v[i].name);
		free(n->programs.v[i].definer);
	}
	for (size_t i = 0; i < n->names.n; i++) {
		free(n->names.v[i].name);
		free(n->names.v[i].here);
	}
	list_done(n);
	list_done(&n->programs);
	list_done(&n->names);
}

struct need *needs_find(const struct needs *n, enum need_kind kind, const char *text)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->v[i].kind == kind && (kind >= NEED_DEFINER ? str_eq : str_ieq)(n->v[i].text, text))
			return &n->v[i];
	return NULL;
}

/* text is taken over. */
static void add(struct needs *n, enum need_kind kind, char *text, const struct made *m)
{
	struct need *known = needs_find(n, kind, text);

	if (known) {
		free(text);
		known->count++;
		return;
	}
	known = list_push(n);
	*known = (struct need){.kind = kind, .text = text, .count = 1};
	if (!m->kind) {
		known->first = xstrdup("the database");
		return;
	}
	known->first = xasprintf("%s `%s`", m->kind, m->name);
	for (char *p = known->first; *p != '`'; p++)
		*p = (char)tolower((unsigned char)*p);
}

static const struct token *at(const struct tokens *t, size_t i)
{
	static const struct token none = {TOKEN_MARK, "", 1};

	return i < t->n ? &t->v[i] : &none;
}

static const char *one_of(const struct token *t, const char *const *words)
{
	for (; *words; words++)
		if (token_is(t, *words))
			return *words;
	return NULL;
}

/* "= value" or "value" at i. */
static const struct token *value(const struct tokens *t, size_t i)
{
	const struct token *v = at(t, i + token_is_mark(at(t, i), '='));

	return v->kind == TOKEN_WORD || v->kind == TOKEN_NAME || v->kind == TOKEN_STRING ? v : NULL;
}

static void add_value(struct needs *n, enum need_kind kind, const struct token *v, const struct made *m)
{
	if (v && !token_is(v, "DEFAULT") && !token_is(v, "NULL"))
		add(n, kind, token_text(v), m);
}

static void add_table_word(struct needs *n, const struct tokens *t, size_t i, const struct made *m)
{
	static const char *const types[] = {"uuid", "inet4", "inet6", "vector", "xmltype", NULL};
	static const char *const calls[] = {"nextval", "lastval", "setval", NULL};
	const struct token *word = at(t, i);
	const char *type = i && at(t, i - 1)->kind == TOKEN_NAME ? one_of(word, types) : NULL;

	if (token_is(word, "ENGINE"))
		add_value(n, NEED_ENGINE, value(t, i + 1), m);
	else if (token_is(word, "PARSER") && token_is(at(t, i - 1), "WITH"))
		add_value(n, NEED_PARSER, value(t, i + 1), m);
	else if (token_is(word, "VERSIONING") && token_is(at(t, i - 1), "SYSTEM"))
		add(n, NEED_FEATURE, xstrdup("system versioning"), m);
	else if (token_is(word, "REFERENCES"))
		n->foreign_keys++;
	else if (one_of(word, calls) && token_is_mark(at(t, i + 1), '(') && !token_is_mark(at(t, i + 3), '.'))
		add_value(n, NEED_SEQUENCE, value(t, i + 2), m);
	else if (type)
		add(n, NEED_FEATURE, xasprintf("type %s", type), m);
}

/* MariaDB quotes the names of an engine's own options: `ENCRYPTED`=YES */
static void add_option(struct needs *n, const struct tokens *t, size_t i, const struct made *m)
{
	static const char name[] = "`ENCRYPTED`";
	const struct token *v = at(t, i + 2);

	if (at(t, i)->n == strlen(name) && !strncasecmp(at(t, i)->p, name, strlen(name)) && token_is_mark(at(t, i + 1), '=') &&
	    (token_is(v, "YES") || (v->n == 5 && !strncasecmp(v->p, "'YES'", 5))))
		add(n, NEED_FEATURE, xstrdup("encryption"), m);
}

static void add_words(struct needs *n, const struct tokens *t, const struct made *m)
{
	static const char *const charsets[] = {"CHARSET", "character_set_client", "character_set_results", NULL};
	static const char *const collations[] = {"COLLATE", "collation_connection", NULL};
	bool table = str_eq(m->kind, "TABLE");

	for (size_t i = 0; i < t->n; i++) {
		const struct token *word = at(t, i);

		if (table && word->kind == TOKEN_NAME)
			add_option(n, t, i, m);
		if (word->kind != TOKEN_WORD)
			continue;
		if (one_of(word, collations))
			add_value(n, NEED_COLLATION, value(t, i + 1), m);
		else if (one_of(word, charsets) || (token_is(word, "SET") && i && token_is(at(t, i - 1), "CHARACTER")))
			add_value(n, NEED_CHARSET, value(t, i + 1), m);
		else if (table)
			add_table_word(n, t, i, m);
	}
}

static bool runs(const struct tokens *t, size_t from)
{
	for (size_t i = from; i < t->n && !token_is(at(t, i), "DO"); i++)
		if (token_is(at(t, i), "DISABLE"))
			return false;
	return true;
}

static void add_program(struct needs *n, const struct made *m, const struct tokens *t, const struct rename_found *found)
{
	struct program *p = list_push(&n->programs);

	*p = (struct program){m->kind, xstrdup(m->name), xstrdup(m->definer), *found, false};
	if (*m->definer)
		add(n, NEED_DEFINER, xstrdup(m->definer), m);
	p->enabled = str_eq(m->kind, "EVENT") && runs(t, m->rest);
}

/* The value of sql_mode in a SET. */
static const struct token *mode_of(const struct tokens *t)
{
	for (size_t i = 1; token_is(at(t, 0), "SET") && i + 2 < t->n; i++)
		if (token_is(at(t, i), "sql_mode") && token_is_mark(at(t, i + 1), '='))
			return at(t, i + 2);
	return NULL;
}

void needs_add(struct needs *n, const struct sql_text *sql, const struct rename *rename)
{
	CLEANUP(tokens_done) struct tokens t = {0};
	CLEANUP(made_done) struct made m = {0};
	struct rename_found found;
	const struct token *mode;
	bool made;

	tokens_read(&t, sql, false);
	made = made_read(&m, &t);
	mode = mode_of(&t);
	if (mode && mode->kind == TOKEN_STRING && mode->n > 2)
		add(n, NEED_MODE, token_text(mode), &m);
	if (made || token_is(at(&t, 0), "SET") || token_is(at(&t, 0), "ALTER"))
		add_words(n, &t, &m);
	if (!made)
		return;
	if (str_eq(m.kind, "TABLE") || str_eq(m.kind, "SEQUENCE") || str_eq(m.kind, "VIEW"))
		*list_push(&n->names) = (struct named){m.kind, xstrdup(m.name), NULL};
	if (str_eq(m.kind, "TABLE")) {
		n->tables++;
	} else if (str_eq(m.kind, "SEQUENCE")) {
		add(n, NEED_FEATURE, xstrdup("sequences"), &m);
	} else {
		rename_schema(NULL, rename, sql, &found);
		add_program(n, &m, &t, &found);
	}
}

void needs_follow_mode(struct sql_text *mode, const struct sql_text *sql)
{
	/* these modes of MariaDB stand for several, ANSI_QUOTES among them */
	static const char *const quotes[] = {"ANSI", "ORACLE", "DB2", "MAXDB", "MSSQL", "POSTGRESQL"};
	CLEANUP(tokens_done) struct tokens t = {0};
	const struct token *v;

	if (sql->n < 8 || strncasecmp(sql->p, "SET", 3))
		return;
	tokens_read(&t, sql, false);
	v = mode_of(&t);
	if (!v)
		return;
	mode->ansi_quotes = mode->no_backslash = false;
	if (v->kind != TOKEN_STRING)
		return;
	mode->no_backslash = memmem(v->p, v->n, "NO_BACKSLASH_ESCAPES", 20);
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++)
		mode->ansi_quotes = mode->ansi_quotes || memmem(v->p, v->n, quotes[i], strlen(quotes[i]));
}

void made_done(struct made *m)
{
	free(m->name);
	free(m->definer);
}

/* An account at i: `u`@`h`, a role, CURRENT_USER. Returns the index behind it. */
static size_t read_account(struct made *m, const struct tokens *t, size_t i)
{
	CLEANUP(freep) char *user = token_text(at(t, i)), *host = NULL;
	const struct token *v = at(t, i + 1);
	struct token part = {TOKEN_NAME, v->p + 1, v->n - 1};
	size_t end = i + 1;

	if (v->kind == TOKEN_VARIABLE) {
		if (v->n > 1 && !strchr("`'\"", v->p[1]))
			part.kind = TOKEN_WORD;
		host = token_text(&part);
		end++;
	}
	free(m->definer);
	m->definer = host ? xasprintf("%s@%s", user, host) : xstrdup(user);
	m->account = *at(t, i);
	m->account.n = (size_t)(at(t, end - 1)->p + at(t, end - 1)->n - m->account.p);
	return end;
}

static size_t read_name(struct made *m, const struct tokens *t, size_t i)
{
	if (token_is(at(t, i), "BODY")) {
		m->kind = "PACKAGE BODY";
		i++;
	}
	if (token_is(at(t, i), "IF"))
		i += 3;
	while (token_is_mark(at(t, i + 1), '.'))
		i += 2;
	m->name = token_text(at(t, i));
	return i + 1;
}

bool made_read(struct made *ret, const struct tokens *t)
{
	static const char *const kinds[] = {"TABLE", "SEQUENCE", "VIEW", "TRIGGER", "FUNCTION", "PROCEDURE", "PACKAGE", "EVENT", NULL};
	size_t i = 1;

	*ret = (struct made){.definer = xstrdup("")};
	if (!token_is(at(t, 0), "CREATE"))
		return false;
	for (; i < t->n && i < 24; i++) {
		const struct token *word = at(t, i);

		ret->kind = one_of(word, kinds);
		if (ret->kind) {
			ret->rest = read_name(ret, t, i + 1);
			return true;
		}
		if (token_is(word, "DEFINER") && token_is_mark(at(t, i + 1), '='))
			i = read_account(ret, t, i + 2) - 1;
		else if (token_is(word, "SECURITY"))
			ret->security = *at(t, ++i);
		else if (word->kind != TOKEN_WORD && !token_is_mark(word, '='))
			break;
	}
	return false;
}

/* What stands instead of some bytes. */
struct edit {
	const char *p;
	size_t n;
	const char *text;
};
struct edits {
	LIST_OF(struct edit);
};

static void put(struct edits *list, const char *p, size_t n, const char *text)
{
	*list_push(list) = (struct edit){p, n, text};
}

/* ON COMPLETION PRESERVE ENABLE COMMENT '...' DO: canonical, as SHOW CREATE tells it. */
static void disable_event(struct edits *edits, const struct tokens *t, const struct made *m)
{
	static const char *const states[] = {"ENABLE", "DISABLE", NULL};

	for (size_t i = m->rest; i < t->n && !token_is(at(t, i), "DO"); i++)
		if (one_of(at(t, i), states)) {
			put(edits, at(t, i)->p, at(t, i)->n, "DISABLE");
			return;
		}
	for (size_t i = m->rest; i < t->n; i++)
		if (token_is(at(t, i), "DO")) {
			put(edits, at(t, i)->p, 0, "DISABLE ");
			return;
		}
}

/* Behind the parameters of a procedure, behind the type of a function, each ends
 * its line: there the characteristics begin. */
static void secure_routine(struct edits *edits, const struct tokens *t, const struct made *m, const char *end)
{
	size_t i = m->rest, depth = 0;
	const struct token *from;
	const char *nl = NULL;

	do {
		depth += token_is_mark(at(t, i), '(');
		depth -= depth && token_is_mark(at(t, i), ')');
		i++;
	} while (i < t->n && depth);
	from = at(t, i - 1);
	if (str_eq(m->kind, "FUNCTION") && (token_is(at(t, i), "RETURNS") || token_is(at(t, i), "RETURN")))
		from = at(t, i++);
	for (; i < t->n; from = at(t, i++)) {
		nl = memchr(from->p + from->n, '\n', (size_t)(at(t, i)->p - from->p) - from->n);
		if (nl)
			break;
	}
	if (!nl || nl >= end)
		return;
	if (token_is(at(t, i), "SQL") || token_is(at(t, i + 1), "SQL"))
		for (size_t k = i; k < i + 8 && k + 1 < t->n; k++)
			if (token_is(at(t, k), "SQL") && token_is(at(t, k + 1), "SECURITY"))
				return;
	put(edits, nl, 1, "\n    SQL SECURITY INVOKER\n");
}

static int by_place(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return x->p < y->p ? -1 : x->p > y->p;
}

bool made_change(struct buf *out, const struct sql_text *sql, const struct made_change *change)
{
	CLEANUP(tokens_done) struct tokens t = {0};
	CLEANUP(made_done) struct made m = {0};
	struct edits edits = {0};
	const char *done = sql->p;
	bool any;

	if (sql->n < 6 || strncasecmp(sql->p, "CREATE", 6))
		return false;
	tokens_read(&t, sql, false);
	if (!made_read(&m, &t))
		return false;
	if (change->definer && m.account.n)
		put(&edits, m.account.p, m.account.n, change->definer);
	if (change->invoker && m.security.n)
		put(&edits, m.security.p, m.security.n, "INVOKER");
	if (change->invoker && (str_eq(m.kind, "FUNCTION") || str_eq(m.kind, "PROCEDURE")))
		secure_routine(&edits, &t, &m, sql->p + sql->n);
	if (change->disable && str_eq(m.kind, "EVENT"))
		disable_event(&edits, &t, &m);
	any = edits.n;
	if (any)
		qsort(edits.v, edits.n, sizeof(*edits.v), by_place);
	for (size_t i = 0; i < edits.n; i++) {
		buf_add(out, done, (size_t)(edits.v[i].p - done));
		buf_adds(out, edits.v[i].text);
		done = edits.v[i].p + edits.v[i].n;
	}
	if (any)
		buf_add(out, done, (size_t)(sql->p + sql->n - done));
	list_done(&edits);
	return any;
}
