/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/mysql/rename.h"

#include <string.h>
#include <strings.h>

#include "noded/mysql/sqltext.h"
#include "shared/mem.h"

/* Between a pair of parentheses, or outside of all. */
struct frame {
	bool select;  /* FROM names tables here; in TRIM(x FROM y) it does not */
	bool tables;  /* in a list of tables: one more behind a comma */
};
struct frames {
	LIST_OF(struct frame);
};
struct scan {
	struct tokens t;
	size_t i;
	struct frames frames;
	bool expect;       /* a table, routine or sequence has to come */
	bool start;        /* of a statement */
	bool grant;        /* the statement is GRANT or REVOKE */
	bool create;       /* CREATE TABLE may go on with LIKE */
	bool compares;     /* a word like TABLE_SCHEMA occurred */
	size_t table_end;  /* index behind the last name in the place of a table */
};

static bool one_of(const struct token *t, const char *const *words)
{
	for (; *words; words++)
		if (token_is(t, *words))
			return true;
	return false;
}

static const struct token *back(const struct scan *s, size_t n)
{
	static const struct token none = {TOKEN_MARK, "", 1};

	return s->i >= n ? &s->t.v[s->i - n] : &none;
}

static const struct token *ahead(const struct scan *s, size_t n)
{
	static const struct token none = {TOKEN_MARK, "", 1};

	return s->i + n < s->t.n ? &s->t.v[s->i + n] : &none;
}

static struct frame *frame(struct scan *s)
{
	return &s->frames.v[s->frames.n - 1];
}

/* Parts of the name at i that dots hold together; *star: the last one is "*". */
static size_t chain(const struct scan *s, bool *star)
{
	size_t parts = 1;

	*star = false;
	while (!*star && token_is_mark(ahead(s, 2 * parts - 1), '.')) {
		const struct token *part = ahead(s, 2 * parts);

		*star = token_is_mark(part, '*');
		if (!*star && part->kind != TOKEN_WORD && part->kind != TOKEN_NAME)
			break;
		parts++;
	}
	return parts;
}

/* Is the first of these parts a schema? */
static bool is_schema(const struct scan *s, size_t parts, bool star)
{
	const struct token *after = ahead(s, 2 * parts - 1);

	if (parts > 2)
		return true;
	if (star)
		return s->grant && s->expect;
	if (s->expect || token_is_mark(after, '('))
		return true;
	if (token_is_mark(after, '%') && token_is(ahead(s, 2 * parts), "ROWTYPE"))
		return true;
	return s->start && token_is_mark(after, ';'); /* a call as Oracle writes it */
}

static void expect(struct scan *s, bool list)
{
	s->expect = true;
	frame(s)->tables = list;
}

static void clause(struct scan *s)
{
	s->expect = frame(s)->tables = false;
}

static void word_on(struct scan *s)
{
	static const char *const events[] = {"INSERT", "UPDATE", "DELETE", NULL};

	s->expect = s->grant || one_of(back(s, 1), events) || token_is(back(s, 2), "INDEX");
}

static void word_update(struct scan *s)
{
	if (token_is(back(s, 1), "KEY") || token_is(back(s, 1), "FOR"))
		clause(s);
	else
		expect(s, true);
}

/* Words behind which tables stand, and only perhaps. */
static bool perhaps_tables(struct scan *s, const struct token *t)
{
	if (token_is(t, "FROM"))
		s->expect = frame(s)->select && !token_is(back(s, 1), "DISTINCT");
	else if (token_is(t, "STRAIGHT_JOIN") || token_is(t, "TO") || token_is(t, "RENAME"))
		s->expect = frame(s)->tables;
	else if (token_is(t, "LIKE"))
		s->expect = (s->create && s->table_end == s->i) || token_is_mark(back(s, 1), '(');
	else if (token_is(t, "FOR"))
		s->expect = token_is(back(s, 1), "VALUE");
	else if (token_is(t, "OF"))
		s->expect = token_is(back(s, 1), "TYPE") && token_is(back(s, 2), "ROW");
	else if (token_is(t, "HANDLER") || token_is(t, "DESC") || token_is(t, "EXPLAIN"))
		s->expect = s->start;
	else
		return false;
	if (token_is(t, "FROM") && s->expect)
		frame(s)->tables = true;
	return true;
}

static void word(struct scan *s, const struct token *t)
{
	static const char *const one[] = {"INSERT", "REPLACE", "REFERENCES", "CALL", "TRUNCATE", "TRIGGER", "FUNCTION", "PROCEDURE",
					  "PACKAGE", "EVENT", "DESCRIBE", NULL};
	static const char *const some[] = {"JOIN", "USING", "TABLE", "TABLES", "VIEW", "SEQUENCE", "DELETE", NULL};
	static const char *const pass[] = {"INTO", "IF", "NOT", "EXISTS", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK",
					   "IGNORE", "BODY", "LATERAL", "EXTENDED", "FORMAT", NULL};
	static const char *const clauses[] = {"WHERE", "SET", "GROUP", "ORDER", "HAVING", "LIMIT", "VALUES", "UNION", "EXCEPT",
					      "INTERSECT", "WINDOW", "RETURNING", "SELECT", NULL};

	if (s->start)
		s->grant = token_is(t, "GRANT") || token_is(t, "REVOKE");
	if (token_is(t, "CREATE"))
		s->create = true;
	if (perhaps_tables(s, t))
		return;
	if (token_is(t, "ON"))
		word_on(s);
	else if (token_is(t, "UPDATE"))
		word_update(s);
	else if (one_of(t, one))
		expect(s, frame(s)->tables);
	else if (one_of(t, some))
		expect(s, true);
	else if (one_of(t, clauses))
		clause(s);
	else if (!one_of(t, pass))
		s->expect = false;
}

static bool compares_schemas(const struct token *t)
{
	return t->n > 7 && t->kind != TOKEN_MARK && !strncasecmp(t->p + t->n - 7, "_SCHEMA", 7);
}

static void open_frame(struct scan *s)
{
	static const char *const queries[] = {"SELECT", "WITH", NULL};
	static const char *const sequences[] = {"NEXTVAL", "LASTVAL", "SETVAL", NULL};
	struct frame inner = {.select = one_of(ahead(s, 1), queries), .tables = s->expect};
	bool sequence = one_of(back(s, 1), sequences);

	*list_push(&s->frames) = inner;
	s->expect = s->expect || sequence;
}

static void mark(struct scan *s, char c)
{
	if (c == '(') {
		open_frame(s);
		return;
	}
	s->expect = false;
	if (c == ')' && s->frames.n > 1)
		s->frames.n--;
	else if (c == ',')
		s->expect = frame(s)->tables;
	else if (c == ';')
		s->grant = s->create = frame(s)->tables = false;
}

/* Does a statement begin behind this token? */
static bool begins(const struct token *t)
{
	static const char *const openers[] = {"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", NULL};

	return token_is_mark(t, ';') || token_is_mark(t, ':') || one_of(t, openers);
}

/* 'shop' */
static bool text_is(const struct token *t, const struct rename *r)
{
	size_t n = strlen(r->from);

	return t->n == n + 2 && !(r->ignore_case ? strncasecmp : strncmp)(t->p + 1, r->from, n);
}

/* 'SELECT 1 FROM shop.t', '`shop`' */
static bool text_names(const struct token *t, const struct rename *r)
{
	size_t n = strlen(r->from);

	for (size_t i = 1; i + n < t->n; i++) {
		char before = t->p[i - 1], behind = t->p[i + n];
		bool word_before = (before >= '0' && before <= '9') || before == '_' || before == '$' || before == '.' ||
				   ((before | 32) >= 'a' && (before | 32) <= 'z') || (unsigned char)before >= 128;

		if (!word_before && (behind == '.' || (behind == '`' && before == '`')) &&
		    !(r->ignore_case ? strncasecmp : strncmp)(t->p + i, r->from, n))
			return true;
	}
	return false;
}

struct writer {
	struct buf *out;
	const char *done;    /* written up to here */
};

static void replace(struct writer *w, const struct token *t, const char *to)
{
	if (!w->out || !to)
		return;
	buf_add(w->out, w->done, (size_t)(t->p - w->done));
	if (w->out->len && w->out->p[w->out->len - 1] == '`')
		buf_addc(w->out, ' '); /* two backticks in a row are one inside of a name */
	sql_ident(w->out, to);
	w->done = t->p + t->n;
}

/* A name of one or more parts. */
static void name(struct scan *s, struct writer *w, const struct rename *r, struct rename_found *found)
{
	bool star, starts = false;
	size_t parts = chain(s, &star);
	const struct token *first = &s->t.v[s->i];

	if (parts > 1 && is_schema(s, parts, star) && token_names(first, r->from, r->ignore_case)) {
		found->qualifiers++;
		replace(w, first, r->to);
	}
	if (parts == 1 && first->kind == TOKEN_WORD) {
		word(s, first);
		starts = begins(first);
	} else {
		s->expect = false;
		s->table_end = s->i + 2 * parts - 1;
	}
	s->start = starts;
	s->i += 2 * parts - 2;
}

void rename_schema(struct buf *out, const struct rename *r, const struct sql_text *sql, struct rename_found *ret)
{
	struct scan s = {.start = true};
	struct writer w = {out, sql->p};

	*ret = (struct rename_found){0};
	tokens_read(&s.t, sql, false);
	*list_push(&s.frames) = (struct frame){.select = true};
	for (; s.i < s.t.n; s.i++) {
		const struct token *t = &s.t.v[s.i];

		if (t->kind == TOKEN_STRING) {
			ret->texts += text_names(t, r);
			ret->compared += s.compares && text_is(t, r);
		}
		s.compares = s.compares || compares_schemas(t);
		if (token_is_name(t) && !token_is_mark(back(&s, 1), '.')) {
			name(&s, &w, r, ret);
			continue;
		}
		if (t->kind == TOKEN_MARK)
			mark(&s, *t->p);
		else
			s.expect = false;
		s.start = begins(t);
	}
	if (out)
		buf_add(out, w.done, (size_t)(sql->p + sql->n - w.done));
	list_done(&s.frames);
	tokens_done(&s.t);
}
