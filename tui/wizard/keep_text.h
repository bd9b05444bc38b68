/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_KEEP_TEXT_H
#define FELLOE_KEEP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"
#include "shared/json.h"

/* How long runs are kept, as one line that is easily read and typed:
 * "last 3 48h 14d 8w 12m 5y within 30d" for the rules of "keep" in config.json. */

enum { KEEP_SPAN = 32, KEEP_COUNT_MAX = 100000 };

struct keep_text {
	int64_t last, hourly, daily, weekly, monthly, yearly;
	char within[KEEP_SPAN]; /* a span of config.json: "30d" */
};
/* Blanks and commas part the words, "14 days" is as good as "14d", in any
 * order but for "within", whose span is all the rest; "" is no rule. ERR_USAGE names the word that is none, or is there twice. */
int keep_text_parse(struct keep_text *ret, const char *text, struct err *e) MUSTCHECK;
/* The line of a "keep" object; "" when it has no rule, or is none. */
void keep_text_from(const struct json *keep, char *to, size_t size);
bool keep_text_any(const struct keep_text *k);
/* "keep": {...}; nothing when there is no rule. */
void keep_text_put(struct json_out *o, const struct keep_text *k);
/* For people: "newest of 14 days, 8 weeks, 12 months: up to 34"; without a rule that all stay. */
void keep_text_explain(const struct keep_text *k, char *to, size_t size);

#endif
