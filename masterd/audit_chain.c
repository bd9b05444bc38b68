/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/audit_chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"

/* A record that was moved is looked for among so many before and behind it. */
enum { BATCH = 1000, NEAR = 64 };

static const uint8_t no_hash[SHA256_LEN];

static const char *const names[CHAIN_VERDICTS] = {"good", "changed", "missing", "reordered", "cut"};

const char *chain_verdict_name(enum chain_verdict v)
{
	return names[v];
}

struct walk {
	struct chain *c;
	const uint8_t *kept;
	int64_t last;             /* number of the record before */
	size_t got;               /* in this batch */
};

static int walk_record(void *ctx, const struct audit *a)
{
	uint8_t hash[SHA256_LEN];
	struct walk *w = ctx;
	struct chain *c = w->c;

	w->got++;
	if (a->id != w->last + 1) {
		c->verdict = CHAIN_MISSING;
		c->bad = w->last + 1;
		if (a->id == w->last + 2)
			snprintf(c->text, sizeof(c->text), "record %" PRId64 " is missing", c->bad);
		else
			snprintf(c->text, sizeof(c->text), "records %" PRId64 " to %" PRId64 " are missing", c->bad,
				 a->id - 1);
		return 1;
	}
	audit_hash(hash, c->head, a);
	if (!hash_equal(hash, a->hash, SHA256_LEN)) {
		c->verdict = CHAIN_CHANGED;
		c->bad = a->id;
		return 1;
	}
	w->last = a->id;
	c->records++;
	memcpy(c->head, hash, SHA256_LEN);
	if (w->kept && hash_equal(hash, w->kept, SHA256_LEN))
		c->kept_at = a->id;
	return 0;
}

/* ---- changed, or moved? */

struct neighbours {
	int64_t ids[2 * NEAR + 2];
	uint8_t hashes[2 * NEAR + 2][SHA256_LEN];
	size_t n;
};

static int take_neighbour(void *ctx, const struct audit *a)
{
	struct neighbours *b = ctx;

	b->ids[b->n] = a->id;
	memcpy(b->hashes[b->n], a->hash, SHA256_LEN);
	return ++b->n == ARRAY_LEN(b->ids);
}

struct suspect {
	const struct neighbours *near;
	int64_t was;              /* the number that its hash was made with, 0 none is found */
};

static int try_numbers(void *ctx, const struct audit *a)
{
	struct suspect *s = ctx;
	struct audit copy = *a;
	uint8_t hash[SHA256_LEN];

	for (size_t i = 0; i < s->near->n; i++)
		for (size_t k = 0; k <= s->near->n; k++) {
			copy.id = s->near->ids[i];
			audit_hash(hash, k < s->near->n ? s->near->hashes[k] : no_hash, &copy);
			if (copy.id != a->id && hash_equal(hash, a->hash, SHA256_LEN))
				s->was = copy.id;
		}
	return 1;
}

/* A record that fits its hash under the number of a neighbour was moved. */
static int tell_changed(struct db *db, struct chain *c, struct err *e)
{
	struct neighbours near = {0};
	struct suspect s = {.near = &near};
	int64_t from = c->bad > NEAR ? c->bad - NEAR - 1 : 0;

	if (tbl_audit_each(db, from, 2 * NEAR + 1, take_neighbour, &near, e) ||
	    tbl_audit_each(db, c->bad - 1, 1, try_numbers, &s, e))
		return -1;
	if (s.was) {
		c->verdict = CHAIN_REORDERED;
		snprintf(c->text, sizeof(c->text),
			 "record %" PRId64 " is in a wrong place: it was written as record %" PRId64, c->bad, s.was);
	} else {
		snprintf(c->text, sizeof(c->text), "record %" PRId64 " was changed: it does not fit its hash%s", c->bad,
			 c->bad > 1 ? " and the record before" : "");
	}
	return 0;
}

int audit_chain_verify(struct db *db, const uint8_t *kept, struct chain *ret, struct err *e)
{
	struct walk w = {.c = ret, .kept = kept};

	memset(ret, 0, sizeof(*ret));
	do {
		w.got = 0;
		if (tbl_audit_each(db, w.last, BATCH, walk_record, &w, e))
			return -1;
	} while (w.got == BATCH && ret->verdict == CHAIN_GOOD);
	if (ret->verdict == CHAIN_CHANGED)
		return tell_changed(db, ret, e);
	if (ret->verdict == CHAIN_GOOD && kept && !ret->kept_at) {
		ret->verdict = CHAIN_CUT;
		snprintf(ret->text, sizeof(ret->text),
			 "no record has the hash that was kept: records after number %" PRId64 " were cut off, or the trail "
			 "was written anew",
			 ret->records);
	} else if (ret->verdict == CHAIN_GOOD) {
		snprintf(ret->text, sizeof(ret->text), "the trail is as it was written; records: %" PRId64, ret->records);
	}
	return 0;
}
