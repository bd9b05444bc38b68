/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/facts.h"

#include <string.h>

#include "shared/hash.h"
#include "shared/mem.h"
#include "shared/str.h"

void facts_done(struct facts *f)
{
	list_done(&f->tables);
	list_done(&f->triggers);
	pool_done(&f->strings);
}

static void add_table(struct facts *f, const struct json *j)
{
	struct fact_table *t = list_push(&f->tables);

	t->name = pool_add(&f->strings, json_get_str(j, "name", ""));
	t->select = pool_same(&f->strings, json_get_str(j, "select", "*"));
	t->rows = json_get_int(j, "rows", -1);
	t->longest = json_get_int(j, "longest", 0);
	t->data = json_get_bool(j, "data", true);
	t->has_digest = hex_decode(t->digest, sizeof(t->digest), json_get_str(j, "digest", "")) == 0;
}

static void add_trigger(struct facts *f, const struct json *j)
{
	*list_push(&f->triggers) = (struct fact_trigger){.name = pool_add(&f->strings, json_get_str(j, "name", "")),
							 .table = pool_add(&f->strings, json_get_str(j, "table", "")),
							 .member = pool_add(&f->strings, json_get_str(j, "member", ""))};
}

/* ---- cutting the lists out of the text: what is left of it moves up to its beginning */

typedef void add_fn(struct facts *f, const struct json *j);
struct cut {
	struct facts *facts;
	char *p;
	size_t len, at, to;        /* read up to at, kept up to to */
	const char *word;          /* the last string, with its quotes, where it is kept */
	size_t word_len;
	char key[3][16];           /* of the member that is open at depth 1 and 2 */
};

static int bad(const struct cut *c, struct err *e)
{
	return err_set(e, ERR_INVALID, "the manifest is not JSON at byte %zu", c->at);
}

/* The end of the string that begins at from, behind its quote; len when it has none. */
static size_t string_end(const char *p, size_t from, size_t len)
{
	size_t at = from + 1;

	while (at < len && p[at] != '"')
		at += p[at] == '\\' ? 2 : 1;
	return at < len ? at + 1 : len;
}

static void skip_space(struct cut *c)
{
	while (c->at < c->len && memchr(" \t\r\n", c->p[c->at], 4))
		c->at++;
}

/* Behind the object that begins here; len when it has no end. */
static size_t object_end(const struct cut *c)
{
	size_t depth = 0, at = c->at;

	while (at < c->len) {
		char ch = c->p[at];

		if (ch == '"') {
			at = string_end(c->p, at, c->len);
			continue;
		}
		depth += ch == '{' || ch == '[';
		depth -= ch == '}' || ch == ']';
		at++;
		if (!depth)
			break;
	}
	return at;
}

static int cut_element(struct cut *c, add_fn *add, struct err *e)
{
	CLEANUP(json_freep) struct json *j = NULL;
	size_t end;

	if (c->at == c->len || c->p[c->at] != '{')
		return bad(c, e);
	end = object_end(c);
	if (json_parse(&j, c->p + c->at, end - c->at, e))
		return err_wrap(e, "the manifest at byte %zu", c->at);
	add(c->facts, j);
	c->at = end;
	return 0;
}

/* Here stands the bracket of one of the lists. */
static int cut_list(struct cut *c, add_fn *add, struct err *e)
{
	char next = ',';

	c->at++;
	skip_space(c);
	if (c->at < c->len && c->p[c->at] == ']')
		next = c->p[c->at++];
	while (next == ',') {
		skip_space(c);
		if (cut_element(c, add, e))
			return -1;
		skip_space(c);
		if (c->at == c->len)
			return bad(c, e);
		next = c->p[c->at++];
	}
	if (next != ']')
		return bad(c, e);
	c->p[c->to++] = '[';
	c->p[c->to++] = ']';
	return 0;
}

static add_fn *list_at(const struct cut *c, size_t depth)
{
	if (depth != 2 || !str_eq(c->key[1], "database"))
		return NULL;
	return str_eq(c->key[2], "tables") ? add_table : str_eq(c->key[2], "triggers_of") ? add_trigger : NULL;
}

static void keep_string(struct cut *c)
{
	size_t end = string_end(c->p, c->at, c->len);

	c->word = c->p + c->to;
	c->word_len = end - c->at;
	memmove(c->p + c->to, c->p + c->at, c->word_len);
	c->to += c->word_len;
	c->at = end;
}

static void note_key(struct cut *c, size_t depth)
{
	char *key = c->key[depth];

	*key = '\0';
	if (c->word && c->word_len >= 2 && c->word_len - 2 < sizeof(c->key[0])) {
		memcpy(key, c->word + 1, c->word_len - 2);
		key[c->word_len - 2] = '\0';
	}
}

static int cut_all(struct cut *c, struct err *e)
{
	size_t depth = 0;

	while (c->at < c->len) {
		char ch = c->p[c->at];
		add_fn *add = ch == '[' ? list_at(c, depth) : NULL;

		if (add) {
			if (cut_list(c, add, e))
				return -1;
			continue;
		}
		if (ch == '"') {
			keep_string(c);
			continue;
		}
		if (ch == ':' && (depth == 1 || depth == 2))
			note_key(c, depth);
		depth += ch == '{' || ch == '[';
		depth -= (ch == '}' || ch == ']') && depth;
		c->p[c->to++] = ch;
		c->at++;
	}
	return 0;
}

int facts_parse(struct facts *ret, struct json **rest, struct buf *text, struct err *e)
{
	struct facts f = {0};
	struct cut c = {.facts = &f, .p = text->p, .len = text->len};

	if (cut_all(&c, e) || json_parse(rest, c.p, c.to, e)) {
		facts_done(&f);
		return -1;
	}
	*ret = f;
	return 0;
}
