/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_MYSQL_NEEDS_H
#define FELLOE_MYSQL_NEEDS_H

#include "noded/mysql/rename.h"
#include "noded/mysql/token.h"
#include "shared/buf.h"

/* What the definitions of a dump ask of the server that loads them, and changes
 * of the CREATE statements on the way there. */

enum need_kind {
	NEED_ENGINE,
	NEED_CHARSET,
	NEED_COLLATION,
	NEED_MODE,        /* a whole sql_mode */
	NEED_FEATURE,     /* "sequences" "system versioning" "type uuid" ... */
	NEED_DEFINER,     /* "user@host" */
	NEED_SEQUENCE,    /* of the same schema, in the default of a column */
	NEED_PARSER,      /* of a FULLTEXT index */
};
struct need {
	enum need_kind kind;
	char *text;
	char *first;      /* "table `t`": the first object that has it */
	unsigned count;   /* of objects */
	bool changed;     /* a definer: another takes its place */
};
/* A view or program. */
struct program {
	const char *kind; /* "VIEW" "TRIGGER" "FUNCTION" "PROCEDURE" "PACKAGE" "PACKAGE BODY" "EVENT" */
	char *name;
	char *definer;    /* "user@host", "" none is named */
	struct rename_found found;
	bool enabled;     /* an event that runs */
};
/* A table, sequence or view. */
struct named {
	const char *kind; /* "TABLE" "SEQUENCE" "VIEW" */
	char *name;
	char *here;       /* how the server calls it, when that is another name; else NULL */
};
struct needs {
	LIST_OF(struct need);
	struct { LIST_OF(struct named); } names;  /* a view may come twice */
	struct { LIST_OF(struct program); } programs;
	unsigned tables, foreign_keys;
};
void needs_done(struct needs *n);
/* One statement of a member; rename tells which schema's qualifiers are counted. */
void needs_add(struct needs *n, const struct sql_text *sql, const struct rename *rename);
/* NULL when nothing needs it. */
struct need *needs_find(const struct needs *n, enum need_kind kind, const char *text);
/* "SET ... sql_mode='...'": what it makes of the way to read text. Other statements change nothing. */
void needs_follow_mode(struct sql_text *mode, const struct sql_text *sql);

/* The head of a CREATE statement. */
struct made {
	const char *kind;  /* as struct program, or "TABLE" "SEQUENCE"; NULL: something else */
	char *name;
	char *definer;     /* "user@host" or "" */
	struct token account, security; /* n 0: not there; security is DEFINER or INVOKER of a view's head */
	size_t rest;       /* index of the token behind the name */
};
/* false: sql makes nothing of these. made_done it. */
bool made_read(struct made *ret, const struct tokens *t);
void made_done(struct made *m);

struct made_change {
	const char *definer;  /* as SQL: "`u`@`h`", "CURRENT_USER"; NULL: kept */
	bool invoker;         /* views, functions and procedures run with the rights of their user */
	bool disable;         /* events */
};
/* Append the changed statement; false: there was nothing to change, and nothing was appended. */
bool made_change(struct buf *out, const struct sql_text *sql, const struct made_change *change);

#endif
