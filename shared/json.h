/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_JSON_H
#define FELLOE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* ---- reading: a parsed document (RFC 8259). The only file that knows cJSON. */

struct json; /* a value inside a document; lent, lives as long as its root */

enum json_type { JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Parse text[0..len). Refused with "line L, column C: ..." (ERR_INVALID): bad
 * syntax, invalid UTF-8, a NUL inside a string, nesting over 32, anything after
 * the value, a key twice in one object. The root is yours: json_free. */
int json_parse(struct json **ret, const char *text, size_t len, struct err *e) MUSTCHECK;
/* fs_read with cap max, then json_parse; the path stands in front of the error. */
int json_parse_file(struct json **ret, const char *path, size_t max, struct err *e) MUSTCHECK;
void json_free(struct json *root);
void json_freep(struct json **root);

/* All of these accept NULL and values of another type, and then give the empty
 * answer (JSON_NONE, NULL, 0, false). Keys are case-sensitive. */
enum json_type json_type(const struct json *j);
const struct json *json_get(const struct json *object, const char *key);
size_t json_count(const struct json *j);            /* of an array or object */
const struct json *json_first(const struct json *j); /* for (c = json_first(j); c; c = json_next(c)) */
const struct json *json_next(const struct json *child);
const char *json_key(const struct json *member);
const char *json_str(const struct json *j);          /* NULL when not a string */
double json_num(const struct json *j);
bool json_bool(const struct json *j);
/* The member's value in one call; the default when absent or of another type. */
const char *json_get_str(const struct json *object, const char *key, const char *otherwise);
double json_get_num(const struct json *object, const char *key, double otherwise);
int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise); /* saturates at +-2^53 */
bool json_get_bool(const struct json *object, const char *key, bool otherwise);
/* A time member: RFC 3339 text to ms; 0 when absent or unreadable. */
int64_t json_get_time(const struct json *object, const char *key);

/* ---- all problems of a document at once, each with its path ("sites[0].name") */

struct problem {
	char path[128];
	char msg[256];
};
struct problems {
	struct problem *v;
	size_t n, cap;
};
void problems_add(struct problems *p, const char *path, const char *fmt, ...) PRINTF(3, 4);
void problems_done(struct problems *p);

/* Typed members of object (whose path is base, "" for the root). Each returns
 * true and sets *ret when the member is there and right; an absent one is a
 * problem only if required; a wrong type or a number outside [min, max] always
 * is. *ret is untouched unless true. null counts as absent. */
bool json_want_str(const struct json *object, const char *base, const char *key, bool required,
		   const char **ret, struct problems *p);
bool json_want_num(const struct json *object, const char *base, const char *key, bool required,
		   double min, double max, double *ret, struct problems *p);
bool json_want_int(const struct json *object, const char *base, const char *key, bool required,
		   int64_t min, int64_t max, int64_t *ret, struct problems *p);
bool json_want_bool(const struct json *object, const char *base, const char *key, bool *ret,
		    struct problems *p);
bool json_want_time(const struct json *object, const char *base, const char *key, bool required,
		    int64_t *ret, struct problems *p);
/* Members of type array or object; NULL when absent or wrong. */
const struct json *json_want(const struct json *object, const char *base, const char *key,
			     enum json_type type, bool required, struct problems *p);
/* One problem for each member that is not among known[0..n), with the nearest. */
void json_unknown(const struct json *object, const char *base, const char *const *known, size_t n,
		  struct problems *p);

/* ---- writing: straight into a buf; commas and escapes are placed for you.
 * key is NULL inside an array and for the root. */

struct json_out {
	struct buf *b;
	unsigned depth;
	bool need_comma[40];
	bool pretty; /* two spaces a level, for files that people edit */
};
void json_out_init(struct json_out *o, struct buf *b);
void json_obj(struct json_out *o, const char *key);
void json_arr(struct json_out *o, const char *key);
void json_end_obj(struct json_out *o);
void json_end_arr(struct json_out *o);
void json_put_str(struct json_out *o, const char *key, const char *value);   /* NULL: null */
void json_put_strn(struct json_out *o, const char *key, const char *p, size_t n); /* invalid UTF-8 becomes U+FFFD */
void json_put_int(struct json_out *o, const char *key, int64_t value);
void json_put_num(struct json_out *o, const char *key, double value);        /* shortest that reads back; nan/inf: null */
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_null(struct json_out *o, const char *key);
void json_put_time(struct json_out *o, const char *key, int64_t ms);         /* 0: null */
void json_put_raw(struct json_out *o, const char *key, const char *json);    /* a value that is JSON already */
/* A parsed value written again (unknown members of a file kept as they were). */
void json_put(struct json_out *o, const char *key, const struct json *value);

#endif
