/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/change.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

/* ---- JSON, value by value, where it stands. What cannot be read ends the whole. */

struct scan {
	const char *p, *end;
	bool bad;
	/* the last time that was read: most of a frame are of the same minute */
	char minute_text[17];
	int64_t minute;
};

struct span_of {
	const char *p;
	size_t len;
};

static void blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
		s->p++;
}

/* The character c, when it comes next. */
static bool take(struct scan *s, char c)
{
	blanks(s);
	if (s->bad || s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static void need(struct scan *s, char c)
{
	if (!take(s, c))
		s->bad = true;
}

/* What stands between the quotes, escapes as they are. */
static struct span_of text(struct scan *s)
{
	struct span_of t = {.p = ""};
	const char *p;

	need(s, '"');
	if (s->bad)
		return t;
	t.p = p = s->p;
	while (p < s->end && *p != '"')
		p += *p == '\\' && p + 1 < s->end ? 2 : 1;
	s->p = p < s->end ? p : s->end;
	t.len = (size_t)(s->p - t.p);
	need(s, '"');
	return t;
}

/* name is a literal. */
#define is(span, name) ((span).len == sizeof(name) - 1 && memcmp((span).p, name, sizeof(name) - 1) == 0)

static bool ends_value(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Passes over one value of any kind; gives where it stood. */
static struct span_of value(struct scan *s)
{
	struct span_of v;
	int depth = 0;

	blanks(s);
	v.p = s->p;
	do {
		if (s->p == s->end) {
			s->bad = true;
		} else if (*s->p == '"') {
			(void)text(s);
		} else {
			depth += *s->p == '{' || *s->p == '[';
			depth -= *s->p == '}' || *s->p == ']';
			if (depth >= 0 && (depth > 0 || *s->p != ','))
				s->p++;
		}
		if (depth < 0 || (depth == 0 && s->p < s->end && ends_value(*s->p)))
			break;
	} while (!s->bad);
	v.len = (size_t)(s->p - v.p);
	s->bad |= v.len == 0;
	return v;
}

static double number_slowly(struct scan *s)
{
	struct span_of v = value(s);
	char copy[64], *end;
	double n;

	if (s->bad || v.len >= sizeof(copy))
		return NAN;
	memcpy(copy, v.p, v.len);
	copy[v.len] = '\0';
	n = strtod(copy, &end);
	return *end || !isfinite(n) ? NAN : n;
}

/* A number; NAN for null and all else. Digits and one point are read here: this
 * is the most frequent step of all. */
static double number(struct scan *s)
{
	double n = 0, part = 1;
	const char *p;
	int digits = 0;

	blanks(s);
	for (p = s->p; p < s->end && *p >= '0' && *p <= '9'; p++, digits++)
		n = n * 10 + (*p - '0');
	if (digits && p < s->end && *p == '.')
		for (p++; p < s->end && *p >= '0' && *p <= '9'; p++, digits++) {
			n = n * 10 + (*p - '0');
			part *= 10;
		}
	if (!digits || digits > 17 || p == s->end || !ends_value(*p) || p[-1] == '.')
		return number_slowly(s);
	s->p = p;
	return n / part;
}

/* RFC 3339 in UTC, as the master writes it; 0 for null. */
static int64_t moment(struct scan *s)
{
	char copy[CLOCK_TEXT];
	struct span_of t;
	int64_t ms = 0;

	blanks(s);
	if (s->p < s->end && *s->p != '"') {
		(void)value(s);
		return 0;
	}
	t = text(s);
	if (t.len == 20 && memcmp(t.p, s->minute_text, 17) == 0 && t.p[19] == 'Z' && (unsigned)(t.p[17] - '0') < 6 &&
	    (unsigned)(t.p[18] - '0') < 10)
		return s->minute + ((t.p[17] - '0') * 10 + (t.p[18] - '0')) * 1000;
	if (t.len >= sizeof(copy) || t.len < 20)
		return 0;
	memcpy(copy, t.p, t.len);
	copy[t.len] = '\0';
	if (clock_parse(&ms, copy))
		return 0;
	memcpy(s->minute_text, copy, 17);
	s->minute = ms / 60000 * 60000;
	return ms;
}

/* Goes through the members of an object: for (first = true; member(s, &first, &key);) */
static bool member(struct scan *s, bool *first, struct span_of *key)
{
	if (*first)
		need(s, '{');
	if (take(s, '}'))
		return false;
	if (!*first)
		need(s, ',');
	*first = false;
	*key = text(s);
	need(s, ':');
	return !s->bad;
}

static bool element(struct scan *s, bool *first)
{
	if (*first)
		need(s, '[');
	if (take(s, ']'))
		return false;
	if (!*first)
		need(s, ',');
	*first = false;
	return !s->bad;
}

/* ---- a frame */

struct samples {
	LIST_OF(struct change_sample);
};

static double memory_percent(struct scan *s)
{
	double total = NAN, used = NAN;
	struct span_of key;

	for (bool first = true; member(s, &first, &key);) {
		if (is(key, "total"))
			total = number(s);
		else if (is(key, "used"))
			used = number(s);
		else
			(void)value(s);
	}
	return total > 0 ? used * 100 / total : NAN;
}

static void sample_numbers(struct scan *s, struct change_sample *c)
{
	struct span_of key;

	for (bool first = true; member(s, &first, &key);) {
		if (is(key, "cpu_usage")) {
			c->cpu = number(s);
		} else if (is(key, "disk_usage")) {
			c->disk = number(s);
		} else if (is(key, "ts")) {
			c->ts = moment(s);
		} else if (is(key, "memory")) {
			blanks(s);
			if (s->p < s->end && *s->p == '{')
				c->mem = memory_percent(s);
			else
				(void)value(s);
		} else {
			(void)value(s);
		}
	}
}

static void one_sample(struct scan *s, struct change_sample *c)
{
	struct span_of key;
	double id = 0;

	*c = (struct change_sample){.cpu = NAN, .disk = NAN, .mem = NAN, .minute = NAN};
	for (bool first = true; member(s, &first, &key);) {
		if (is(key, "id")) {
			id = number(s);
			c->id = id >= 1 && id < 9e15 ? (uint64_t)id : 0;
		} else if (is(key, "last_seen")) {
			c->seen = moment(s);
		} else if (is(key, "sample")) {
			sample_numbers(s, c);
		} else if (is(key, "cpu_minute")) {
			c->minute = number(s);
		} else {
			(void)value(s);
		}
	}
}

static void read_samples(struct scan *s, struct change *c)
{
	struct samples all = {0};
	struct change_sample one;

	for (bool first = true; element(s, &first);) {
		one_sample(s, &one);
		if (one.id)
			*list_push(&all) = one;
	}
	free(c->samples); /* a second list of this name: the last one counts */
	c->samples = all.v;
	c->n_samples = all.n;
}

static void read_gone(struct scan *s, struct change *c)
{
	struct {
		LIST_OF(uint64_t);
	} all = {0};

	for (bool first = true; element(s, &first);) {
		double id = number(s);

		if (id >= 1 && id < 9e15)
			*list_push(&all) = (uint64_t)id;
	}
	free(c->gone);
	c->gone = all.v;
	c->n_gone = all.n;
}

static int read_items(struct scan *s, struct change *c, struct err *e)
{
	CLEANUP(json_freep) struct json *items = NULL;
	struct span_of v = value(s);

	if (s->bad || json_parse(&items, v.p, v.len, e))
		return -1;
	page_unref(c->items);
	c->items = NULL;
	return json_type(items) != JSON_ARRAY || json_count(items) ? page_from(&c->items, items, e) : 0;
}

int change_from(struct change **ret, const char *data, size_t len, struct err *e)
{
	struct scan s = {.p = data, .end = data + len};
	struct change *c = xcalloc(1, sizeof(*c));
	struct span_of key;
	int failed = 0;

	*e = (struct err){0};
	for (bool first = true; !failed && member(&s, &first, &key);) {
		if (is(key, "samples"))
			read_samples(&s, c);
		else if (is(key, "gone"))
			read_gone(&s, c);
		else if (is(key, "items"))
			failed = read_items(&s, c, e);
		else
			(void)value(&s);
	}
	blanks(&s);
	if (failed || s.bad || s.p != s.end) {
		change_free(c);
		return e->kind ? -1
			       : err_set(e, ERR_INVALID, "an event of the master cannot be read: is this a felloe-masterd?");
	}
	*ret = c;
	return 0;
}

void change_free(struct change *c)
{
	if (!c)
		return;
	page_unref(c->items);
	free(c->samples);
	free(c->gone);
	free(c);
}

/* ---- into the list */

/* The trend moves on by the minutes since the last value, with gaps between. */
static void trend(struct node *n, const struct change_sample *c)
{
	int64_t by = n->ts ? c->ts / 60000 - n->ts / 60000 : 0;

	if (c->ts == 0 || by < 0)
		return;
	by = by > TREND ? TREND : by;
	memmove(n->trend, n->trend + by, (size_t)(TREND - by));
	memset(n->trend + TREND - by, TREND_GAP, (size_t)by);
	if (!isnan(c->minute))
		n->trend[TREND - 1] = (uint8_t)fmin(fmax(c->minute, 0), 100);
}

/* hint: where the row may stand; it is set to the place behind it. */
static void apply_sample(struct nodes *n, const struct change_sample *c, size_t *hint)
{
	struct node *row = nodes_row(n, c->id, hint);

	if (!row)
		return; /* of a machine that came after: its whole line follows */
	trend(row, c);
	row->cpu = c->cpu;
	row->disk = c->disk;
	row->mem = c->mem;
	if (c->seen)
		row->seen = c->seen;
	if (c->ts)
		row->ts = c->ts;
}

bool change_apply(struct nodes *n, const struct change *c)
{
	size_t hint = 0; /* the master sends them by number, as the rows stand */

	for (size_t i = 0; i < c->n_samples; i++)
		apply_sample(n, &c->samples[i], &hint);
	if (!c->items && !c->n_gone)
		return false;
	nodes_replace(n, c->items);
	for (size_t i = 0; i < c->n_gone; i++)
		nodes_drop(n, c->gone[i]);
	return true;
}
