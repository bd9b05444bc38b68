/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/openapi_shape.h"

#include <stdio.h>
#include <string.h>

#include "shared/str.h"

void shape_refer(struct shapes *w, const char *key, const struct shape *s)
{
	char text[96];
	size_t i = 0;

	while (i < w->n && w->v[i] != s)
		i++;
	if (i == w->n && w->n < SHAPES_MAX)
		w->v[w->n++] = s;
	snprintf(text, sizeof(text), "#/components/schemas/%s", s->name);
	json_obj(&w->o, key);
	json_put_str(&w->o, "$ref", text);
	json_end_obj(&w->o);
}

static void put_type(struct json_out *o, const char *type, bool or_null)
{
	if (!or_null) {
		json_put_str(o, "type", type);
		return;
	}
	json_arr(o, "type");
	json_put_str(o, NULL, type);
	json_put_str(o, NULL, "null");
	json_end_arr(o);
}

static void put_words(struct json_out *o, const char *words, bool or_null)
{
	const char *p = words;

	json_arr(o, "enum");
	while (*p) {
		size_t n = strcspn(p, " ");

		json_put_strn(o, NULL, p, n);
		p += n + (p[n] == ' ');
	}
	if (or_null)
		json_put_null(o, NULL);
	json_end_arr(o);
}

static const char *type_of(enum field_kind kind)
{
	switch (kind) {
	case F_INT:
		return "integer";
	case F_NUM:
		return "number";
	case F_BOOL:
		return "boolean";
	case F_TEXTS:
	case F_NUMS:
	case F_OBJECTS:
		return "array";
	case F_OBJECT:
		return "object";
	case F_ANY:
		return NULL;
	default:
		return "string";
	}
}

static void put_items(struct shapes *w, const struct field *f)
{
	if (f->kind == F_OBJECTS && f->of) {
		shape_refer(w, "items", f->of);
		return;
	}
	json_obj(&w->o, "items");
	put_type(&w->o, f->kind == F_TEXTS ? "string" : f->kind == F_NUMS ? "number" : "object", f->kind == F_NUMS);
	json_end_obj(&w->o);
}

static void put_limits(struct json_out *o, const struct field *f)
{
	bool number = f->kind == F_INT || f->kind == F_NUM;

	if (f->max <= f->min)
		return;
	if (number || f->min > 0)
		json_put_num(o, number ? "minimum" : "minLength", f->min);
	json_put_num(o, number ? "maximum" : "maxLength", f->max);
}

void shape_put_field(struct shapes *w, const char *key, const struct field *f)
{
	bool or_null = f->flags & OR_NULL;
	const char *type = type_of(f->kind);

	if (f->kind == F_OBJECT && f->of && !or_null) {
		shape_refer(w, key, f->of);
		return;
	}
	json_obj(&w->o, key);
	if (f->kind == F_OBJECT && f->of) {
		json_arr(&w->o, "anyOf");
		shape_refer(w, NULL, f->of);
		json_obj(&w->o, NULL);
		json_put_str(&w->o, "type", "null");
		json_end_obj(&w->o);
		json_end_arr(&w->o);
	} else if (type) {
		put_type(&w->o, type, or_null);
	}
	if (f->what)
		json_put_str(&w->o, "description", f->what);
	if (f->words)
		put_words(&w->o, f->words, or_null);
	if (f->kind == F_TIME || f->kind == F_UUID)
		json_put_str(&w->o, "format", f->kind == F_TIME ? "date-time" : "uuid");
	if (f->kind == F_BYTES)
		json_put_str(&w->o, "contentEncoding", "base64");
	if (f->kind == F_SECRET)
		json_put_bool(&w->o, "x-secret", true);
	if (type && str_eq(type, "array"))
		put_items(w, f);
	put_limits(&w->o, f);
	json_end_obj(&w->o);
}

void shape_put(struct shapes *w, const struct shape *s)
{
	json_obj(&w->o, s->name);
	json_put_str(&w->o, "type", "object");
	json_obj(&w->o, "properties");
	for (const struct field *f = s->fields; f->name; f++)
		shape_put_field(w, f->name, f);
	json_end_obj(&w->o);
	json_arr(&w->o, "required");
	for (const struct field *f = s->fields; f->name; f++)
		if (f->flags & MUST)
			json_put_str(&w->o, NULL, f->name);
	json_end_arr(&w->o);
	json_end_obj(&w->o);
}

void shape_put_list(struct shapes *w, const char *key, const struct shape *s)
{
	json_obj(&w->o, key);
	json_put_str(&w->o, "type", "array");
	shape_refer(w, "items", s);
	json_end_obj(&w->o);
}
