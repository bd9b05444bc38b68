/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/json.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/fs.h"
#include "shared/list.h"
#include "shared/mem.h"
#include "shared/str.h"

enum { DEPTH_MAX = 32, NUMBER_MAX = 63 }; /* cJSON cuts numbers at 63 characters */

static const double whole_max = 9007199254740992.0; /* 2^53: above it a double skips numbers */

/* ---- the grammar of RFC 8259. cJSON is lenient (01, "1.", raw control
 * characters, a NUL by \u0000, things after the value) and tells no reason, so
 * the text is checked here first; cJSON then only makes the tree. */

struct scan {
	const char *text;
	size_t len, at;
	unsigned depth;
	size_t keys;      /* members seen so far, in the order of the text */
	size_t stop_key;  /* stop in front of this member, counted from 1; 0: never */
	const char *why;
};

static bool scan_value(struct scan *s);

static int peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static bool no(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != (unsigned char)c)
		return false;
	s->at++;
	return true;
}

static void blanks(struct scan *s)
{
	while (take(s, ' ') || take(s, '\t') || take(s, '\n') || take(s, '\r'))
		;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len - s->at < n || memcmp(s->text + s->at, word, n) != 0)
		return no(s, "expected a value");
	s->at += n;
	return true;
}

static size_t digits(struct scan *s)
{
	size_t from = s->at;

	while (isdigit(peek(s)))
		s->at++;
	return s->at - from;
}

static bool scan_number(struct scan *s)
{
	size_t from = s->at;

	take(s, '-');
	if (!take(s, '0') && digits(s) == 0)
		return no(s, "expected a digit");
	if (isdigit(peek(s)))
		return no(s, "a number does not start with 0");
	if (take(s, '.') && digits(s) == 0)
		return no(s, "expected a digit after the point");
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		if (digits(s) == 0)
			return no(s, "expected a digit in the exponent");
	}
	return s->at - from <= NUMBER_MAX || no(s, "a number is longer than 63 characters");
}

/* four hex digits */
static bool scan_hex4(struct scan *s, unsigned *ret)
{
	*ret = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		int c = peek(s);

		if (!isxdigit(c))
			return no(s, "expected four hex digits after \\u");
		*ret = *ret << 4 | (unsigned)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return true;
}

static bool scan_unicode(struct scan *s)
{
	unsigned high, low;

	if (!scan_hex4(s, &high))
		return false;
	if (high == 0)
		return no(s, "a text cannot hold the NUL character");
	if (high >= 0xdc00 && high < 0xe000)
		return no(s, "half a surrogate pair");
	if (high < 0xd800 || high >= 0xe000)
		return true;
	if (!take(s, '\\') || !take(s, 'u') || !scan_hex4(s, &low) || low < 0xdc00 || low >= 0xe000)
		return no(s, "half a surrogate pair");
	return true;
}

static bool scan_string(struct scan *s)
{
	if (!take(s, '"'))
		return no(s, "expected \"");
	while (!take(s, '"')) {
		int c = peek(s);

		if (c < 0)
			return no(s, "a text is not ended by \"");
		if (c < 0x20)
			return no(s, "a line end or control character inside a text");
		s->at++;
		if (c != '\\')
			continue;
		if (take(s, 'u')) {
			if (!scan_unicode(s))
				return false;
			continue;
		}
		if (peek(s) <= 0 || !strchr("\"\\/bfnrt", peek(s)))
			return no(s, "unknown escape after \\");
		s->at++;
	}
	return true;
}

static bool scan_member(struct scan *s)
{
	blanks(s);
	if (peek(s) != '"')
		return no(s, peek(s) == '}' ? "the comma before this } is one too many" : "expected a key in double quotes");
	s->keys++;
	if (s->keys == s->stop_key || !scan_string(s))
		return false;
	blanks(s);
	return take(s, ':') ? scan_value(s) : no(s, "expected :");
}

static bool scan_list(struct scan *s, char end)
{
	if (++s->depth > DEPTH_MAX)
		return no(s, "nested deeper than 32 levels");
	s->at++;
	blanks(s);
	if (take(s, end)) {
		s->depth--;
		return true;
	}
	for (;;) {
		if (!(end == '}' ? scan_member(s) : scan_value(s)))
			return false;
		blanks(s);
		if (take(s, end))
			break;
		if (!take(s, ','))
			return no(s, end == '}' ? "expected , or }" : "expected , or ]");
	}
	s->depth--;
	return true;
}

static bool scan_value(struct scan *s)
{
	blanks(s);
	switch (peek(s)) {
	case '{':
		return scan_list(s, '}');
	case '[':
		return scan_list(s, ']');
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case -1:
		return no(s, "the text ends too early");
	default:
		return peek(s) == '-' || isdigit(peek(s)) ? scan_number(s) : no(s, "expected a value");
	}
}

static bool scan_document(struct scan *s)
{
	if (!scan_value(s))
		return false;
	blanks(s);
	return s->at == s->len || no(s, "something stands after the end of the value");
}

/* The failure at byte at, with the place as an editor shows it: columns count characters. */
static int refuse(const char *text, size_t at, struct err *e, const char *why)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(e, ERR_INVALID, "line %u, column %u: %s", line, column, why);
}

static size_t first_bad_utf8(const char *text, size_t len)
{
	size_t good = 0, step;

	while (good < len) {
		for (step = 1; step <= 4 && good + step <= len; step++)
			if (str_utf8_valid(text + good, step))
				break;
		if (step > 4 || good + step > len)
			break;
		good += step;
	}
	return good;
}

/* ---- a key twice in one object */

struct member {
	const char *key;
	size_t at; /* count in the order of the text, from 1 */
};

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* The first member of members[0..n) that repeats a key, or 0. */
static size_t first_double(struct member *v, size_t n)
{
	size_t first = 0;

	if (n < 2)
		return 0;
	qsort(v, n, sizeof(*v), by_key);
	for (size_t i = 1; i < n; i++)
		if (strcmp(v[i - 1].key, v[i].key) == 0 && (first == 0 || v[i].at < first))
			first = v[i].at;
	return first;
}

/* Number (scan.keys order) of a repeated member below j, or 0. */
static size_t find_double(const cJSON *j, size_t *count)
{
	struct {
		LIST_OF(struct member);
	} members = {0};
	size_t found = 0;

	for (const cJSON *c = j->child; c; c = c->next) {
		if (cJSON_IsObject(j))
			*list_push(&members) = (struct member){c->string, ++*count};
		found = find_double(c, count);
		if (found)
			break;
	}
	if (!found)
		found = first_double(members.v, members.n);
	list_done(&members);
	return found;
}

static int refuse_double(const cJSON *root, const char *text, size_t len, struct err *e)
{
	size_t count = 0;
	struct scan s = {.text = text, .len = len, .stop_key = find_double(root, &count)};

	if (s.stop_key == 0)
		return 0;
	(void)scan_document(&s);
	return refuse(text, s.at, e, "this key stands twice in its object");
}

int json_parse(struct json **ret, const char *text, size_t len, struct err *e)
{
	struct scan s = {.text = text, .len = len};
	cJSON *root;

	if (!str_utf8_valid(text, len))
		return refuse(text, first_bad_utf8(text, len), e, "not valid UTF-8");
	if (!scan_document(&s))
		return refuse(text, s.at, e, s.why);
	root = cJSON_ParseWithLength(text, len);
	if (!root)
		return err_set(e, ERR_INTERNAL, "cannot make a tree of this JSON text");
	if (refuse_double(root, text, len, e)) {
		cJSON_Delete(root);
		return -1;
	}
	*ret = (struct json *)(void *)root;
	return 0;
}

int json_parse_file(struct json **ret, const char *path, size_t max, struct err *e)
{
	CLEANUP(buf_done) struct buf b;

	buf_init(&b, max);
	if (fs_read(&b, path, e))
		return -1;
	if (json_parse(ret, b.p, b.len, e))
		return err_wrap(e, "%s", path);
	return 0;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

void json_freep(struct json **root)
{
	json_free(*root);
}

/* ---- looking */

static const cJSON *tree(const struct json *j)
{
	return (const cJSON *)(const void *)j;
}

static const struct json *lent(const cJSON *c)
{
	return (const struct json *)(const void *)c;
}

enum json_type json_type(const struct json *j)
{
	if (!j)
		return JSON_NONE;
	switch (tree(j)->type & 0xff) {
	case cJSON_NULL:
		return JSON_NULL;
	case cJSON_False:
	case cJSON_True:
		return JSON_BOOL;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NONE;
	}
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (json_type(object) != JSON_OBJECT)
		return NULL;
	return lent(cJSON_GetObjectItemCaseSensitive(tree(object), key));
}

size_t json_count(const struct json *j)
{
	size_t n = 0;

	for (const struct json *c = json_first(j); c; c = json_next(c))
		n++;
	return n;
}

const struct json *json_first(const struct json *j)
{
	return j ? lent(tree(j)->child) : NULL;
}

const struct json *json_next(const struct json *child)
{
	return child ? lent(tree(child)->next) : NULL;
}

const char *json_key(const struct json *member)
{
	return member ? tree(member)->string : NULL;
}

const char *json_str(const struct json *j)
{
	return json_type(j) == JSON_STRING ? tree(j)->valuestring : NULL;
}

double json_num(const struct json *j)
{
	return json_type(j) == JSON_NUMBER ? tree(j)->valuedouble : 0;
}

bool json_bool(const struct json *j)
{
	return json_type(j) == JSON_BOOL && cJSON_IsTrue(tree(j));
}

const char *json_get_str(const struct json *object, const char *key, const char *otherwise)
{
	const char *s = json_str(json_get(object, key));

	return s ? s : otherwise;
}

double json_get_num(const struct json *object, const char *key, double otherwise)
{
	const struct json *j = json_get(object, key);

	return json_type(j) == JSON_NUMBER ? json_num(j) : otherwise;
}

static int64_t saturate(double v)
{
	if (v >= whole_max)
		return (int64_t)1 << 53;
	if (v <= -whole_max)
		return -((int64_t)1 << 53);
	return (int64_t)v;
}

int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise)
{
	const struct json *j = json_get(object, key);

	return json_type(j) == JSON_NUMBER ? saturate(json_num(j)) : otherwise;
}

bool json_get_bool(const struct json *object, const char *key, bool otherwise)
{
	const struct json *j = json_get(object, key);

	return json_type(j) == JSON_BOOL ? json_bool(j) : otherwise;
}

int64_t json_get_time(const struct json *object, const char *key)
{
	int64_t ms = 0;

	return clock_parse(&ms, json_get_str(object, key, NULL)) ? 0 : ms;
}

/* ---- problems */

void problems_add(struct problems *p, const char *path, const char *fmt, ...)
{
	struct problem *new = list_push(p);
	va_list ap;

	str_cut(new->path, sizeof(new->path), path);
	va_start(ap, fmt);
	vsnprintf(new->msg, sizeof(new->msg), fmt, ap);
	va_end(ap);
	/* keys and values come from strangers */
	str_clean(new->path);
	str_clean(new->msg);
}

void problems_done(struct problems *p)
{
	list_done(p);
}

struct path {
	char text[sizeof(((struct problem *)0)->path)];
};

static struct path join(const char *base, const char *key)
{
	struct path p;

	snprintf(p.text, sizeof(p.text), "%s%s%s", base, *base ? "." : "", key);
	return p;
}

static const char *const type_names[] = {
	[JSON_NONE] = "nothing", [JSON_NULL] = "null",	[JSON_BOOL] = "true or false", [JSON_NUMBER] = "a number",
	[JSON_STRING] = "text",	 [JSON_ARRAY] = "a list", [JSON_OBJECT] = "an object",
};

const struct json *json_want(const struct json *object, const char *base, const char *key, enum json_type type,
			     bool required, struct problems *p)
{
	const struct json *j = json_get(object, key);
	enum json_type got = json_type(j);

	if (got == type)
		return j;
	if (got != JSON_NONE && got != JSON_NULL)
		problems_add(p, join(base, key).text, "must be %s, not %s", type_names[type], type_names[got]);
	else if (required)
		problems_add(p, join(base, key).text, "is missing");
	return NULL;
}

bool json_want_str(const struct json *object, const char *base, const char *key, bool required, const char **ret,
		   struct problems *p)
{
	const struct json *j = json_want(object, base, key, JSON_STRING, required, p);

	if (!j)
		return false;
	*ret = json_str(j);
	return true;
}

/* check-size: a range has two ends, and each member is one line where it is read */
bool json_want_num(const struct json *object, const char *base, const char *key, bool required, double min,
		   double max, double *ret, struct problems *p)
{
	const struct json *j = json_want(object, base, key, JSON_NUMBER, required, p);

	if (!j)
		return false;
	if (!(json_num(j) >= min && json_num(j) <= max)) {
		problems_add(p, join(base, key).text, "must be from %g to %g, not %g", min, max, json_num(j));
		return false;
	}
	*ret = json_num(j);
	return true;
}

/* check-size: a range has two ends, and each member is one line where it is read */
bool json_want_int(const struct json *object, const char *base, const char *key, bool required, int64_t min,
		   int64_t max, int64_t *ret, struct problems *p)
{
	const struct json *j = json_want(object, base, key, JSON_NUMBER, required, p);
	int64_t v;

	if (!j)
		return false;
	v = saturate(json_num(j));
	if (floor(json_num(j)) != json_num(j)) {
		problems_add(p, join(base, key).text, "must be a whole number, not %g", json_num(j));
		return false;
	}
	if (v < min || v > max) {
		problems_add(p, join(base, key).text, "must be from %lld to %lld, not %.17g", (long long)min,
			     (long long)max, json_num(j));
		return false;
	}
	*ret = v;
	return true;
}

bool json_want_bool(const struct json *object, const char *base, const char *key, bool *ret, struct problems *p)
{
	const struct json *j = json_want(object, base, key, JSON_BOOL, false, p);

	if (!j)
		return false;
	*ret = json_bool(j);
	return true;
}

bool json_want_time(const struct json *object, const char *base, const char *key, bool required, int64_t *ret,
		    struct problems *p)
{
	const struct json *j = json_want(object, base, key, JSON_STRING, required, p);

	if (!j)
		return false;
	if (clock_parse(ret, json_str(j))) {
		problems_add(p, join(base, key).text, "must be a time like 2026-11-23T03:10:00Z, not \"%.64s\"",
			     json_str(j));
		return false;
	}
	return true;
}

static bool among(const char *word, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, known[i]) == 0)
			return true;
	return false;
}

void json_unknown(const struct json *object, const char *base, const char *const *known, size_t n, struct problems *p)
{
	for (const struct json *c = json_first(object); c; c = json_next(c)) {
		const char *key = json_key(c), *near;

		if (!key || among(key, known, n))
			continue;
		near = str_nearest(key, known, n);
		if (near)
			problems_add(p, join(base, key).text, "is not known; did you mean \"%s\"?", near);
		else
			problems_add(p, join(base, key).text, "is not known");
	}
}
