/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/wpconfig.h"

#include <stdlib.h>
#include <string.h>

#include "noded/php.h"
#include "shared/fs.h"
#include "shared/mem.h"
#include "shared/str.h"

enum {
	WP_CONFIG_MAX = 1 << 20,
	NESTING_MAX = 64,
};

static const char *const constant_names[WP_CONSTANTS] = {
	[WP_DB_NAME] = "DB_NAME", [WP_DB_USER] = "DB_USER", [WP_DB_PASSWORD] = "DB_PASSWORD",
	[WP_DB_HOST] = "DB_HOST", [WP_DB_CHARSET] = "DB_CHARSET", [WP_CONTENT_DIR] = "WP_CONTENT_DIR",
};

const char *wp_constant_name(enum wp_constant c)
{
	return constant_names[c];
}

/* What an expression is worth without running it. */
enum worth { IS_TEXT, IS_FALSE, IS_UNKNOWN };

struct value {
	enum worth worth;
	char *text;  /* of IS_TEXT */
	char *why;   /* of the others */
};

struct reader {
	struct php t;
	struct wp_config *out;
	unsigned nesting;
};

static void value_done(struct value *v)
{
	if (v->text)
		mem_wipe(v->text, strlen(v->text));
	free(v->text);
	free(v->why);
	*v = (struct value){0};
}

static void value_set(struct value *v, enum worth worth, char *text, char *why)
{
	value_done(v);
	*v = (struct value){worth, text, why};
}

static void value_move(struct value *to, struct value *from)
{
	value_done(to);
	*to = *from;
	*from = (struct value){0};
}

static int next(struct reader *r, struct err *e)
{
	return php_next(&r->t, e);
}

static bool is_mark(const struct reader *r, int mark)
{
	return r->t.type == PHP_MARK && r->t.mark == mark;
}

static bool is_name(const struct reader *r, const char *name)
{
	const char *text = r->t.text.p;

	return r->t.type == PHP_NAME && str_ieq(*text == '\\' ? text + 1 : text, name);
}

/* To the token that ends the expression at hand: "," ";" or a closing bracket. */
static int skip_expression(struct reader *r, struct err *e)
{
	for (unsigned depth = 0; r->t.type != PHP_END;) {
		if (r->t.type == PHP_MARK && strchr("([{", r->t.mark) && r->t.mark < 128) {
			depth++;
		} else if (is_mark(r, ')') || is_mark(r, ']') || is_mark(r, '}')) {
			if (depth-- == 0)
				return 0;
		} else if (depth == 0 && (is_mark(r, ',') || is_mark(r, ';'))) {
			return 0;
		}
		if (next(r, e))
			return -1;
	}
	return 0;
}

static int expression(struct reader *r, struct value *v, struct err *e);

/* At "(" of a call: past its ")". The first argument goes to first, the second to second. */
static int call_arguments(struct reader *r, struct value *first, struct value *second, struct err *e)
{
	if (next(r, e))
		return -1;
	for (unsigned i = 0; r->t.type != PHP_END && !is_mark(r, ')'); i++) {
		CLEANUP(value_done) struct value other = {0};

		if (expression(r, i == 0 ? first : i == 1 ? second : &other, e) || skip_expression(r, e))
			return -1;
		if (!is_mark(r, ','))
			break;
		if (next(r, e))
			return -1;
	}
	return is_mark(r, ')') ? next(r, e) : 0;
}

static void from_environment(struct value *v, const struct value *name, struct value *otherwise)
{
	const char *found = name->worth == IS_TEXT && name->text ? getenv(name->text) : NULL;

	if (name->worth != IS_TEXT || !name->text)
		value_set(v, IS_UNKNOWN, NULL, xstrdup("is read from an environment variable whose name is not known"));
	else if (found)
		value_set(v, IS_TEXT, xstrdup(found), NULL);
	else if (otherwise && otherwise->worth == IS_TEXT && otherwise->text)
		value_move(v, otherwise);
	else
		value_set(v, IS_FALSE, NULL,
			  xasprintf("is read from the environment variable %.80s, which is not set here", name->text));
}

static int call(struct reader *r, const char *function, struct value *v, struct err *e)
{
	CLEANUP(value_done) struct value first = {0}, second = {0};
	bool plain = str_ieq(function, "getenv");

	if (call_arguments(r, &first, &second, e))
		return -1;
	/* getenv_docker() of the official image and env() of some frameworks have a default as second argument */
	if (plain || str_ieq(function, "getenv_docker") || str_ieq(function, "env"))
		from_environment(v, &first, plain ? NULL : &second);
	else
		value_set(v, IS_UNKNOWN, NULL, xasprintf("is made by the function %.60s()", function));
	return 0;
}

static int name_term(struct reader *r, struct value *v, struct err *e)
{
	CLEANUP(freep) char *name = xstrdup(r->t.text.p + (*r->t.text.p == '\\'));

	if (next(r, e))
		return -1;
	if (is_mark(r, '('))
		return call(r, name, v, e);
	if (str_ieq(name, "true")) {
		value_set(v, IS_TEXT, xstrdup("1"), NULL);
		return 0;
	}
	if (str_ieq(name, "false") || str_ieq(name, "null")) {
		value_set(v, IS_FALSE, NULL, xasprintf("is %s", name));
		return 0;
	}
	for (size_t i = 0; i < WP_CONSTANTS; i++)
		if (str_eq(name, constant_names[i]) && r->out->constants[i].text) {
			value_set(v, IS_TEXT, xstrdup(r->out->constants[i].text), NULL);
			return 0;
		}
	value_set(v, IS_UNKNOWN, NULL, xasprintf("is made from %.60s", name));
	return 0;
}

/* $_ENV['X'], $_SERVER['X']; any other variable is not known. */
static int variable_term(struct reader *r, struct value *v, struct err *e)
{
	CLEANUP(freep) char *name = xstrdup(r->t.text.p);
	CLEANUP(value_done) struct value key = {0};

	if (next(r, e))
		return -1;
	if (!is_mark(r, '[') || (!str_eq(name, "_ENV") && !str_eq(name, "_SERVER"))) {
		value_set(v, IS_UNKNOWN, NULL, xasprintf("is made from the variable $%.60s", name));
		return is_mark(r, '[') ? skip_expression(r, e) : 0;
	}
	if (next(r, e) || expression(r, &key, e) || skip_expression(r, e))
		return -1;
	if (is_mark(r, ']') && next(r, e))
		return -1;
	from_environment(v, &key, NULL);
	return 0;
}

static int bracket_term(struct reader *r, struct value *v, struct err *e)
{
	bool cast;

	if (next(r, e))
		return -1;
	cast = is_name(r, "string");
	if (expression(r, v, e))
		return -1;
	if (!is_mark(r, ')')) {
		value_set(v, IS_UNKNOWN, NULL, xstrdup("is made by code"));
		if (skip_expression(r, e))
			return -1;
	}
	if (is_mark(r, ')') && next(r, e))
		return -1;
	return cast ? expression(r, v, e) : 0;
}

static int term(struct reader *r, struct value *v, struct err *e)
{
	switch (r->t.type) {
	case PHP_TEXT:
		if (r->t.known)
			value_set(v, IS_TEXT, xstrdup(r->t.text.len ? r->t.text.p : ""), NULL);
		else
			value_set(v, IS_UNKNOWN, NULL, xstrdup("has a variable or command in it"));
		return next(r, e);
	case PHP_NUMBER:
		value_set(v, IS_TEXT, xstrdup(r->t.text.p), NULL);
		return next(r, e);
	case PHP_NAME:
		return name_term(r, v, e);
	case PHP_VARIABLE:
		return variable_term(r, v, e);
	case PHP_MARK:
		if (is_mark(r, '('))
			return bracket_term(r, v, e);
		break;
	case PHP_END:
		break;
	}
	value_set(v, IS_UNKNOWN, NULL, xstrdup("is made by code"));
	return 0;
}

static void append(struct value *v, struct value *right)
{
	char *both;

	if (v->worth != IS_TEXT || right->worth != IS_TEXT) {
		if (v->worth == IS_TEXT)
			value_move(v, right);
		v->worth = IS_UNKNOWN;
		return;
	}
	both = xasprintf("%s%s", v->text, right->text);
	value_set(v, IS_TEXT, both, NULL);
}

static bool truthy(const struct value *v)
{
	return v->worth == IS_TEXT && !str_eq(v->text, "") && !str_eq(v->text, "0");
}

/* cond ? a : b, with cond in v and "?" at hand */
static int ternary(struct reader *r, struct value *v, struct err *e)
{
	CLEANUP(value_done) struct value yes = {0}, no = {0};

	if (next(r, e) || expression(r, &yes, e))
		return -1;
	if (!is_mark(r, ':')) {
		value_set(v, IS_UNKNOWN, NULL, xstrdup("is made by code"));
		return skip_expression(r, e);
	}
	if (next(r, e) || expression(r, &no, e))
		return -1;
	if (v->worth != IS_UNKNOWN)
		value_move(v, truthy(v) ? &yes : &no);
	return 0;
}

static int operators(struct reader *r, struct value *v, struct err *e)
{
	while (r->t.type == PHP_MARK && (is_mark(r, '.') || is_mark(r, PHP_ELVIS) || is_mark(r, PHP_COALESCE))) {
		CLEANUP(value_done) struct value right = {0};
		int operator = r->t.mark;
		bool keep;

		if (next(r, e))
			return -1;
		/* "." binds more tightly than the other two */
		if (operator == '.' ? term(r, &right, e) : expression(r, &right, e))
			return -1;
		keep = operator == PHP_ELVIS ? truthy(v) : v->worth == IS_TEXT;
		if (operator == '.')
			append(v, &right);
		else if (v->worth != IS_UNKNOWN && !keep)
			value_move(v, &right);
	}
	if (is_mark(r, '?'))
		return ternary(r, v, e);
	return 0;
}

/* From the token at hand to the first one that is no part of the expression, as
 * far as it is understood; the caller skips the rest. */
static int expression(struct reader *r, struct value *v, struct err *e)
{
	int rc;

	if (r->nesting >= NESTING_MAX) {
		value_set(v, IS_UNKNOWN, NULL, xstrdup("is nested too deeply"));
		return skip_expression(r, e);
	}
	r->nesting++;
	rc = term(r, v, e) || operators(r, v, e) ? -1 : 0;
	r->nesting--;
	return rc;
}

static void php_value_done(struct php_value *p)
{
	if (p->text)
		mem_wipe(p->text, strlen(p->text));
	free(p->text);
	free(p->why);
	*p = (struct php_value){0};
}

/* The first value wins, as in PHP; a second one that differs may stand in
 * another branch of an if: then neither can be trusted. */
static void keep_value(struct php_value *to, struct value *v, unsigned line)
{
	unsigned first = to->line;

	if (first && (!to->text || (v->worth == IS_TEXT && str_eq(to->text, v->text))))
		return;
	if (first) {
		php_value_done(to);
		to->line = first;
		to->why = xasprintf("has different values in lines %u and %u", first, line);
		return;
	}
	to->line = line;
	if (v->worth == IS_TEXT)
		to->text = TAKE(v->text);
	else
		to->why = v->why ? TAKE(v->why) : xstrdup("is made by code");
}

static void keep_constant(struct reader *r, const char *name, struct value *v, unsigned line)
{
	for (size_t i = 0; i < WP_CONSTANTS; i++)
		if (str_eq(name, constant_names[i]))
			keep_value(&r->out->constants[i], v, line);
}

/* At the name "define". */
static int define_call(struct reader *r, struct err *e)
{
	CLEANUP(value_done) struct value name = {0}, v = {0};
	unsigned line = r->t.token_line;

	if (next(r, e))
		return -1;
	if (!is_mark(r, '('))
		return 0;
	if (call_arguments(r, &name, &v, e))
		return -1;
	if (name.worth == IS_TEXT && name.text)
		keep_constant(r, name.text, &v, line);
	return 0;
}

/* At the name "const". */
static int const_statement(struct reader *r, struct err *e)
{
	do {
		CLEANUP(value_done) struct value v = {0};
		CLEANUP(freep) char *name = NULL;
		unsigned line;

		if (next(r, e))
			return -1;
		line = r->t.token_line;
		if (r->t.type != PHP_NAME)
			return 0;
		name = xstrdup(r->t.text.p);
		if (next(r, e))
			return -1;
		if (!is_mark(r, '='))
			return 0;
		if (next(r, e) || expression(r, &v, e))
			return -1;
		if (!is_mark(r, ',') && !is_mark(r, ';')) {
			value_set(&v, IS_UNKNOWN, NULL, xstrdup("is made by code"));
			if (skip_expression(r, e))
				return -1;
		}
		keep_constant(r, name, &v, line);
	} while (is_mark(r, ','));
	return 0;
}

/* At a variable: $table_prefix = ...; */
static int assignment(struct reader *r, struct err *e)
{
	CLEANUP(value_done) struct value v = {0};
	bool wanted = str_eq(r->t.text.p, "table_prefix");
	unsigned line = r->t.token_line;

	if (next(r, e))
		return -1;
	if (!wanted || !is_mark(r, '='))
		return 0;
	if (next(r, e))
		return -1;
	if (is_mark(r, '='))
		return 0; /* a comparison */
	if (expression(r, &v, e))
		return -1;
	keep_value(&r->out->table_prefix, &v, line);
	return 0;
}

/* At "require", "include" and their _once forms. */
static int include_statement(struct reader *r, struct err *e)
{
	unsigned line = r->t.token_line;
	bool settings = false;

	while (r->t.type != PHP_END && !is_mark(r, ';')) {
		settings = settings || (r->t.type == PHP_TEXT && strstr(r->t.text.p, "wp-settings.php"));
		if (next(r, e))
			return -1;
	}
	if (!settings && !r->out->include_line)
		r->out->include_line = line;
	return 0;
}

static int statements(struct reader *r, struct err *e)
{
	int before = 0, before_that = 0; /* marks: "->define(" and "::define(" are methods */

	if (next(r, e))
		return -1;
	while (r->t.type != PHP_END) {
		bool method = (before_that == '-' && before == '>') || (before_that == ':' && before == ':');
		bool moved = true;

		before_that = before;
		before = r->t.type == PHP_MARK ? r->t.mark : 0;
		if (is_name(r, "__halt_compiler"))
			return 0;
		if (is_name(r, "define") && !method) {
			if (define_call(r, e))
				return -1;
		} else if (is_name(r, "const")) {
			if (const_statement(r, e))
				return -1;
		} else if (r->t.type == PHP_VARIABLE) {
			if (assignment(r, e))
				return -1;
		} else if (is_name(r, "require") || is_name(r, "require_once") || is_name(r, "include") ||
			   is_name(r, "include_once")) {
			if (include_statement(r, e))
				return -1;
		} else {
			moved = false;
		}
		if (!moved && next(r, e))
			return -1;
	}
	return 0;
}

static void reader_done(struct reader *r)
{
	php_done(&r->t);
}

static int wp_config_parse(struct wp_config *ret, const char *text, size_t len, const char *path, struct err *e)
{
	CLEANUP(wp_config_done) struct wp_config w = {0};
	CLEANUP(reader_done) struct reader r = {.out = &w};

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* a byte order mark left by an editor */
		len -= 3;
	}
	php_init(&r.t, text, len);
	if (statements(&r, e))
		return err_wrap(e, "%s", path);
	if (!r.t.any)
		return err_set(e, ERR_INVALID, "%s: there is no PHP in it (no \"<?php\")", path);

	*ret = w;
	w = (struct wp_config){0};
	return 0;
}

static void secret_buf_done(struct buf *b)
{
	if (b->len)
		mem_wipe(b->p, b->len);
	buf_done(b);
}

int wp_config_read(struct wp_config *ret, const char *path, struct err *e)
{
	CLEANUP(secret_buf_done) struct buf text;

	buf_init(&text, WP_CONFIG_MAX);
	if (fs_read(&text, path, e))
		return -1;
	return wp_config_parse(ret, text.p, text.len, path, e);
}

void wp_config_done(struct wp_config *w)
{
	for (size_t i = 0; i < WP_CONSTANTS; i++)
		php_value_done(&w->constants[i]);
	php_value_done(&w->table_prefix);
}
