/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/json.h"
#include "shared/str.h"

static const double whole_max = 9007199254740992.0; /* 2^53: above it a double skips numbers */

void json_out_init(struct json_out *o, struct buf *b)
{
	*o = (struct json_out){.b = b};
}

static void new_line(struct json_out *o, unsigned depth)
{
	buf_addc(o->b, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_adds(o->b, "  ");
}

/* One character beyond ASCII, its length in bytes. Those that steer a terminal
 * or hide what a reader sees are escaped: this may be printed. */
static size_t wide(struct buf *b, const char *p, size_t n)
{
	uint32_t cp;
	size_t step = str_utf8_decode(p, n, &cp);

	if (step == 0)
		buf_adds(b, "\xef\xbf\xbd");
	else if (!str_is_control(cp))
		buf_add(b, p, step);
	else if (cp < 0x10000)
		buf_addf(b, "\\u%04x", cp);
	else
		buf_addf(b, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10), 0xdc00 + (cp & 0x3ff));
	return step ? step : 1;
}

/* The text p[0..n) in quotes. */
static void quoted(struct buf *b, const char *p, size_t n)
{
	static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	buf_addc(b, '"');
	for (size_t i = 0, step; i < n; i += step) {
		unsigned char c = (unsigned char)p[i];

		step = 1;
		if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
		} else if (c < ARRAY_LEN(short_form) && short_form[c]) {
			buf_addc(b, '\\');
			buf_addc(b, short_form[c]);
		} else if (c < 0x20 || c == 0x7f) {
			buf_addf(b, "\\u%04x", c);
		} else if (c < 0x80) {
			while (i + step < n && (unsigned char)p[i + step] >= 0x20 && (unsigned char)p[i + step] < 0x7f &&
			       p[i + step] != '"' && p[i + step] != '\\')
				step++;
			buf_add(b, p + i, step);
		} else {
			step = wide(b, p + i, n - i);
		}
	}
	buf_addc(b, '"');
}

/* What stands in front of a value: comma, line, key. */
static void before(struct json_out *o, const char *key)
{
	if (o->depth >= ARRAY_LEN(o->need_comma)) {
		o->b->over = true;
		return;
	}
	if (o->need_comma[o->depth])
		buf_addc(o->b, ',');
	o->need_comma[o->depth] = true;
	if (o->pretty && o->depth > 0)
		new_line(o, o->depth);
	if (!key)
		return;
	quoted(o->b, key, strlen(key));
	buf_adds(o->b, o->pretty ? ": " : ":");
}

static void begin(struct json_out *o, const char *key, char c)
{
	before(o, key);
	buf_addc(o->b, c);
	o->depth++;
	if (o->depth < ARRAY_LEN(o->need_comma))
		o->need_comma[o->depth] = false;
}

static void end(struct json_out *o, char c)
{
	bool any = o->depth < ARRAY_LEN(o->need_comma) && o->need_comma[o->depth];

	o->depth--;
	if (o->pretty && any)
		new_line(o, o->depth);
	buf_addc(o->b, c);
	if (o->pretty && o->depth == 0)
		buf_addc(o->b, '\n');
}

void json_obj(struct json_out *o, const char *key)
{
	begin(o, key, '{');
}

void json_arr(struct json_out *o, const char *key)
{
	begin(o, key, '[');
}

void json_end_obj(struct json_out *o)
{
	end(o, '}');
}

void json_end_arr(struct json_out *o)
{
	end(o, ']');
}

void json_put_raw(struct json_out *o, const char *key, const char *json)
{
	before(o, key);
	buf_adds(o->b, json);
}

void json_put_strn(struct json_out *o, const char *key, const char *p, size_t n)
{
	before(o, key);
	quoted(o->b, p, n);
}

void json_put_str(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_put_strn(o, key, value, strlen(value));
	else
		json_put_null(o, key);
}

void json_put_int(struct json_out *o, const char *key, int64_t value)
{
	before(o, key);
	buf_addf(o->b, "%lld", (long long)value);
}

void json_put_num(struct json_out *o, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_put_null(o, key);
		return;
	}
	if (floor(value) == value && fabs(value) < whole_max) {
		json_put_int(o, key, (int64_t)value);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	/* the decimal point of the locale */
	for (char *c = text; *c; c++)
		if (!isdigit((unsigned char)*c) && !strchr("+-e", *c))
			*c = '.';
	json_put_raw(o, key, text);
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
	json_put_raw(o, key, value ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *key)
{
	json_put_raw(o, key, "null");
}

void json_put_time(struct json_out *o, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	json_put_str(o, key, ms ? clock_rfc3339(text, ms) : NULL);
}

void json_put(struct json_out *o, const char *key, const struct json *value)
{
	enum json_type type = json_type(value);

	switch (type) {
	case JSON_BOOL:
		json_put_bool(o, key, json_bool(value));
		return;
	case JSON_NUMBER:
		json_put_num(o, key, json_num(value));
		return;
	case JSON_STRING:
		json_put_str(o, key, json_str(value));
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		begin(o, key, type == JSON_ARRAY ? '[' : '{');
		for (const struct json *c = json_first(value); c; c = json_next(c))
			json_put(o, type == JSON_ARRAY ? NULL : json_key(c), c);
		end(o, type == JSON_ARRAY ? ']' : '}');
		return;
	default:
		json_put_null(o, key);
	}
}
