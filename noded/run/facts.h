/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FACTS_H
#define FELLOE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"
#include "shared/list.h"
#include "shared/pool.h"

/* What a manifest says of each table and trigger (docs/archive-format.md). There may
 * be 100,000 of them: as parsed JSON they would take ten times the room. */

struct fact_table {
	const char *name;
	const char *select;    /* the list with which the digest was taken */
	int64_t rows;          /* -1: not known */
	int64_t longest;       /* bytes of its largest thing; 0: not known */
	uint8_t digest[16];
	bool has_digest;
	bool data;             /* false: structure only */
};
struct fact_trigger {
	const char *name, *table;
	const char *member;    /* that creates it */
};
struct facts {
	struct { LIST_OF(struct fact_table); } tables;      /* in the order of the manifest */
	struct { LIST_OF(struct fact_trigger); } triggers;
	struct pool strings;
};

/* Parse the manifest in text, which is used up: the lists database.tables and
 * database.triggers_of go to ret (facts_done; zeroed before), all else to *rest
 * (json_free), where they are empty. Errors as of json_parse. */
int facts_parse(struct facts *ret, struct json **rest, struct buf *text, struct err *e) MUSTCHECK;
void facts_done(struct facts *f);

#endif
