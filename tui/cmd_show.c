/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cmd_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/str.h"
#include "shared/units.h"
#include "tui/fmt.h"

enum { BODY_MAX = 64 << 10, CELL_MAX = 4096 };

/* The member that key names, "a.b" one level down. */
static const struct json *at(const struct json *j, const char *key)
{
	const char *dot = strchr(key, '.');
	CLEANUP(freep) char *first = dot ? xstrndup(key, (size_t)(dot - key)) : NULL;

	return dot ? json_get(json_get(j, first), dot + 1) : json_get(j, key);
}

static void words_into(struct buf *b, const struct json *array)
{
	for (const struct json *w = json_first(array); w; w = json_next(w))
		buf_addf(b, "%s%s", b->len ? ", " : "", str_or(json_str(w), json_get_str(w, "name", "?")));
}

static void text_into(struct buf *b, const struct json *v)
{
	if (json_type(v) == JSON_NUMBER)
		buf_addf(b, "%.15g", json_num(v));
	else if (json_type(v) == JSON_BOOL)
		buf_adds(b, json_bool(v) ? "yes" : "no");
	else if (json_str(v))
		buf_adds(b, json_str(v));
}

/* The cell as text; "-" when there is nothing. */
static void cell_into(struct buf *b, const struct json *v, enum cmd_kind kind)
{
	char text[FMT_TEXT], bytes[UNITS_TEXT];
	int64_t ms = 0;
	struct json_out o;

	buf_reset(b);
	if ((kind == CMD_DAY || kind == CMD_AGO) && json_str(v) && clock_parse(&ms, json_str(v)))
		ms = 0;
	if (kind == CMD_TEXT) {
		text_into(b, v);
	} else if (kind == CMD_WORDS) {
		words_into(b, v);
	} else if (kind == CMD_YES && json_bool(v)) {
		buf_adds(b, "yes");
	} else if (kind == CMD_BYTES && json_type(v) == JSON_NUMBER && json_num(v) >= 0) {
		buf_adds(b, units_bytes(bytes, (uint64_t)json_num(v)));
	} else if (kind == CMD_DAY && ms) {
		buf_adds(b, fmt_day(text, ms, false));
	} else if (kind == CMD_AGO && ms) {
		const char *ago = fmt_ago(text, ms, clock_ms());

		buf_adds(b, ago + strspn(ago, " "));
	} else if (kind == CMD_JSON && json_count(v)) {
		json_out_init(&o, b);
		json_put(&o, NULL, v);
	}
	if (!b->len)
		buf_adds(b, "-");
}

/* ---- lists */

struct rows {
	const struct cmd_table *table;
	struct grid *grid;
	struct buf cell;
	bool json;
	size_t n;
};

static int row(void *ctx, const struct json *item, struct err *e)
{
	struct rows *r = ctx;

	(void)e;
	if (r->json) {
		if (r->n++)
			puts(",");
		cmd_print_json(item);
		return 0;
	}
	r->n++;
	for (size_t i = 0; i < r->table->n; i++) {
		cell_into(&r->cell, at(item, r->table->columns[i].key), r->table->columns[i].kind);
		grid_cell(r->grid, r->cell.p);
	}
	return 0;
}

int cmd_show(struct cmd *c, const struct cmd_table *t, struct err *e)
{
	const char *titles[16];
	CLEANUP(grid_freep) struct grid *g = NULL;
	struct rows r = {.table = t, .json = c->json};
	int rc;

	for (size_t i = 0; i < t->n; i++)
		titles[i] = t->columns[i].title;
	r.grid = g = grid_new(titles, t->n);
	buf_init(&r.cell, CELL_MAX);
	if (c->json)
		puts("[");
	rc = cmd_list(c, t->path, &(struct cmd_each){row, &r, t->most}, e);
	buf_done(&r.cell);
	if (rc)
		return -1;
	if (c->json)
		puts("]");
	else if (r.n)
		grid_print(g);
	else
		puts(t->empty);
	return 0;
}

void cmd_show_one(const struct json *j, const struct cmd_column *columns, size_t n)
{
	struct buf b;

	buf_init(&b, CELL_MAX);
	for (size_t i = 0; i < n; i++) {
		cell_into(&b, at(j, columns[i].key), columns[i].kind);
		str_clean(b.p);
		printf("%-14s %s\n", columns[i].title, b.p);
	}
	buf_done(&b);
}

/* ---- changes */

void cmd_body_begin(struct cmd_body *body)
{
	buf_init(&body->b, BODY_MAX);
	json_out_init(&body->o, &body->b);
	json_obj(&body->o, NULL);
}

void cmd_body_words(struct cmd_body *body, const char *key, const char *words)
{
	CLEANUP(freep) char *copy = xstrdup(words);
	char *save = copy;

	if (!words)
		return;
	json_arr(&body->o, key);
	for (char *w; (w = strsep(&save, ","));)
		if (*w)
			json_put_str(&body->o, NULL, w);
	json_end_arr(&body->o);
}

int cmd_send(struct cmd *c, const char *method, const char *path, struct cmd_body *body, struct json **ret,
	     struct err *e)
{
	struct session_call call = {.method = method, .path = path};
	int rc = 0;

	if (body) {
		json_end_obj(&body->o);
		rc = buf_check(&body->b, "the request", e);
		call.body = body->b.p;
	}
	if (rc == 0)
		rc = cmd_call(c, &call, ret, e);
	if (body) {
		mem_wipe(body->b.p, body->b.len);
		buf_done(&body->b);
	}
	return rc;
}

/* ---- sub-verbs */

static int usage(const struct cmd *c, const struct cmd_sub *s, struct err *e)
{
	return err_set(e, ERR_USAGE, "usage: felloe %s%s%s%s%s", c->verb, s->name[0] ? " " : "", s->name,
		       s->operands[0] ? " " : "", s->operands);
}

/* The sub-verb that argv[1] names; else the nearest is offered. */
static const struct cmd_sub *find(const struct cmd *c, const struct cmd_sub *subs, char **argv, struct err *e)
{
	struct verb names[16] = {0};
	const char *nearest = NULL;
	size_t n = 0;

	for (const struct cmd_sub *s = subs; s->name; s++) {
		if (str_eq(s->name, c->n ? argv[1] : ""))
			return s;
		if (s->name[0] && n + 1 < ARRAY_LEN(names))
			names[n++].name = s->name;
	}
	if (c->n == 0) {
		(void)usage(c, subs, e);
		return NULL;
	}
	(void)verb_find(names, argv[1], &nearest);
	if (nearest)
		(void)err_set(e, ERR_USAGE, "felloe %s has no \"%s\"; did you mean \"%s\"?", c->verb, argv[1], nearest);
	else
		(void)err_set(e, ERR_USAGE, "felloe %s has no \"%s\"; felloe %s --help tells what it has", c->verb, argv[1],
			      c->verb);
	return NULL;
}

int cmd_subs(int argc, char **argv, const struct cmd_spec *spec, const struct cmd_sub *subs, void *opts)
{
	const struct cmd_sub *s = NULL;
	struct err e = {0};
	struct cmd c;
	int rc = cmd_begin(&c, spec, argc, argv, &e);

	if (rc == 0) {
		s = find(&c, subs, argv, &e);
		rc = s ? 0 : -1;
	}
	if (rc == 0 && c.n - (s->name[0] != '\0') != s->n)
		rc = usage(&c, s, &e);
	if (rc == 0)
		rc = cmd_connect(&c, &e) || s->run(&c, s->name[0] ? argv + 1 : argv, opts, &e) ? -1 : 0;
	rc = rc < 0 ? cmd_fail(&c, &e) : 0;
	cmd_end(&c);
	return rc;
}

/* ---- operands */

int cmd_span(int64_t *ret, const char *text, const char *what, struct err *e)
{
	if (text && fmt_span_from(ret, text) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "%s: \"%s\" is no span of time; write it like 90s, 15m, 4h or 2d", what,
		       str_or(text, ""));
}

int cmd_number(uint64_t *ret, const char *text, const char *thing, const char *lists, struct err *e)
{
	if (str_to_u64(ret, text, 1, 1ULL << 53) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "the ID of %s is a number (%s lists them), not \"%s\"", thing, lists, text);
}

struct search {
	const char *name;
	uint64_t id;
};

static int compare(void *ctx, const struct json *item, struct err *e)
{
	struct search *s = ctx;

	(void)e;
	if (str_eq(json_get_str(item, "username", json_get_str(item, "name", NULL)), s->name))
		s->id = (uint64_t)json_get_int(item, "id", 0);
	return 0;
}

int cmd_item(struct cmd *c, char path[static 64], const char *list, const char *word, struct err *e)
{
	struct search s = {.name = word};

	if (str_to_u64(&s.id, word, 1, 1ULL << 53)) {
		s.id = 0;
		if (cmd_list(c, list, &(struct cmd_each){compare, &s, 0}, e))
			return -1;
	}
	if (!s.id)
		return err_set(e, ERR_NOTFOUND, "the master knows no \"%.100s\" there; felloe %s lists what it knows", word,
			       c->verb);
	snprintf(path, 64, "%s/%" PRIu64, list, s.id);
	return 0;
}
