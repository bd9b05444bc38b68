/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_DOC_H
#define FELLOE_DOC_H

#include <stdbool.h>
#include <stddef.h>

/* What the document at /openapi.json says of the rows of the route table:
 * const tables of fields, by name. A row of the table without an entry here, or
 * the other way round, fails a unit test. */

enum field_kind {
	F_TEXT,
	F_SECRET,   /* text that is never shown again */
	F_INT,
	F_NUM,
	F_BOOL,
	F_TIME,     /* RFC 3339 */
	F_UUID,
	F_BYTES,    /* base64 */
	F_TEXTS,    /* a list of texts */
	F_NUMS,     /* a list of numbers, null where there is none */
	F_OBJECT,   /* of a shape; without one: any members */
	F_OBJECTS,  /* a list of them */
	F_ANY,
};

enum {
	MUST = 1,     /* always there; in a request: required */
	OR_NULL = 2,
};

struct shape;
struct field {
	const char *name;         /* NULL ends a table */
	enum field_kind kind;
	unsigned flags;
	const char *words;        /* the only texts that are taken, between blanks; NULL any */
	const struct shape *of;
	double min, max;          /* of a number, or length of a text, when max > min */
	const char *what;         /* NULL: the name says it */
};

/* FIELD("name", F_INT, MUST, .min = 1): a field with those that differ from 0. */
#define FIELD(n, ...) {.name = (n), .kind = __VA_ARGS__}

struct shape {
	const char *name;         /* in the document */
	const struct field *fields;
};

enum body_kind { BODY_NONE, BODY_OPTIONAL, BODY_NEEDED, BODY_OR_LIST, BODY_OR_FORM };
enum answer_kind {
	ANSWER_NONE,   /* 204 */
	ANSWER_OBJECT,
	ANSWER_PAGE,   /* {"items": [...], "next"} */
	ANSWER_LIST_OR_PAGE, /* a plain list unless ?after= is there */
	ANSWER_ANY,    /* some JSON object */
	ANSWER_TEXT,   /* text/plain */
	ANSWER_STREAM, /* text/event-stream */
};

struct route_doc {
	const char *route;        /* "GET /nodes/{id}": method and path of the row */
	const struct field *query; /* NULL none; a page's limit and after come by themselves */
	enum body_kind body_kind;
	const struct shape *body;
	enum answer_kind answer_kind;
	const struct shape *answer; /* of one item when it is a list */
	int status;               /* when all went well; 0: 200, or 204 without an answer */
	bool etag;                /* If-None-Match gives 304 */
	int also[4];              /* problems besides those of role, path, query and body */
};

/* The entry of a row, NULL when there is none. */
const struct route_doc *doc_find(const char *method, const char *path);

#endif
