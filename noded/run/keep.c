/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/keep.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "noded/config_check.h"
#include "shared/attr.h"
#include "shared/clock.h"
#include "shared/str.h"

enum { BUCKET_TEXT = 24, RULES = 5, SHORT_ID = 8 };

/* The rules that keep one run of each piece of the calendar. */
struct rule {
	const char *name, *piece; /* "daily", "day" */
	int64_t count;
	int64_t kept;
	char last[BUCKET_TEXT];   /* the piece of the run that was kept last */
	char by[SHORT_ID + 1];    /* that run */
};

/* The piece of the calendar in which a time lies, as a text that is its own: the hour
 * that comes twice when clocks are set back is two. */
static void piece_of(char ret[static BUCKET_TEXT], size_t rule, int64_t at)
{
	switch (rule) {
	case 0:
		clock_format_local(ret, BUCKET_TEXT, "%Y-%m-%d %H h %z", at);
		break;
	case 1:
		clock_format_local(ret, BUCKET_TEXT, "%Y-%m-%d", at);
		break;
	case 2:
		clock_format_local(ret, BUCKET_TEXT, "%G-W%V", at);
		break;
	case 3:
		clock_format_local(ret, BUCKET_TEXT, "%Y-%m", at);
		break;
	default:
		clock_format_local(ret, BUCKET_TEXT, "%Y", at);
		break;
	}
}

static void rules_init(struct rule r[static RULES], const struct keep *k)
{
	const struct rule fresh[RULES] = {
		{.name = "hourly", .piece = "hour", .count = k->hourly}, {.name = "daily", .piece = "day", .count = k->daily},
		{.name = "weekly", .piece = "week", .count = k->weekly}, {.name = "monthly", .piece = "month", .count = k->monthly},
		{.name = "yearly", .piece = "year", .count = k->yearly},
	};

	memcpy(r, fresh, sizeof(fresh));
}

/* One series on its way from the newest run to the oldest. */
struct pass {
	const struct keep *k;
	struct rule rules[RULES];
	int64_t seen;         /* good runs so far */
	int64_t newest;       /* time of the newest good one */
	int64_t within_ms;    /* 0: no such rule */
};

static void pass_init(struct pass *p, const struct keep *k)
{
	int64_t s = 0;

	*p = (struct pass){.k = k};
	rules_init(p->rules, k);
	if (!str_empty(k->within) && config_span(&s, k->within) == 0)
		p->within_ms = s * 1000;
}

PRINTF(2, 3) static void say(struct keep_verdict *v, const char *fmt, ...)
{
	size_t n = strlen(v->why);
	va_list ap;

	if (n && n + 2 < sizeof(v->why)) {
		memcpy(v->why + n, ", ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(v->why + n, sizeof(v->why) - n, fmt, ap);
	va_end(ap);
}

/* Would the rules keep it, as they stand now? */
static void ask(const struct pass *p, const struct keep_run *run, struct keep_verdict *v)
{
	char piece[BUCKET_TEXT];

	*v = (struct keep_verdict){0};
	if (p->seen < p->k->last)
		say(v, "last %" PRId64 " of %" PRId64, p->seen + 1, p->k->last);
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *r = &p->rules[i];

		piece_of(piece, i, run->at);
		if (r->kept < r->count && !str_eq(piece, r->last))
			say(v, "%s %" PRId64 " of %" PRId64 " (%s)", r->name, r->kept + 1, r->count, piece);
	}
	if (p->within_ms && (!p->seen || run->at >= p->newest - p->within_ms))
		say(v, "within %.40s of the newest", p->k->within);
	v->keep = v->why[0] != '\0';
	if (!p->seen && run->good && !v->keep) {
		say(v, "the newest good run");
		v->keep = true;
	}
}

static void explain_delete(const struct pass *p, const struct keep_run *run, struct keep_verdict *v)
{
	char piece[BUCKET_TEXT];

	if (p->k->last)
		say(v, "last: %" PRId64 " are newer", p->k->last);
	for (size_t i = 0; i < RULES; i++) {
		const struct rule *r = &p->rules[i];

		piece_of(piece, i, run->at);
		if (!r->count)
			continue;
		if (str_eq(piece, r->last))
			say(v, "%s: %s is newer that %s", r->name, r->by, r->piece);
		else
			say(v, "%s: %" PRId64 " %ss are newer", r->name, r->count, r->piece);
	}
	if (p->within_ms)
		say(v, "within: older than %.40s", p->k->within);
}

/* A good run takes its places. */
static void take(struct pass *p, const struct keep_run *run)
{
	char piece[BUCKET_TEXT];

	if (!p->seen)
		p->newest = run->at;
	p->seen++;
	for (size_t i = 0; i < RULES; i++) {
		struct rule *r = &p->rules[i];

		piece_of(piece, i, run->at);
		if (r->kept >= r->count || str_eq(piece, r->last))
			continue;
		r->kept++;
		str_cut(r->last, sizeof(r->last), piece);
		str_cut(r->by, sizeof(r->by), run->uuid);
	}
}

bool keep_any(const struct keep *k)
{
	return k->given && (k->last || k->hourly || k->daily || k->weekly || k->monthly || k->yearly || !str_empty(k->within));
}

void keep_judge(const struct keep *k, const struct keep_run *runs, size_t n, struct keep_verdict *verdicts)
{
	struct pass p;

	pass_init(&p, k);
	for (size_t i = 0; i < n; i++) {
		struct keep_verdict *v = &verdicts[i];

		ask(&p, &runs[i], v);
		if (v->keep && !runs[i].good)
			say(v, "as if it were good");
		if (!v->keep)
			explain_delete(&p, &runs[i], v);
		if (runs[i].held) {
			*v = (struct keep_verdict){.keep = true};
			say(v, "held by hand");
		}
		if (!keep_any(k)) {
			*v = (struct keep_verdict){.keep = true};
			say(v, "there is no rule");
		}
		if (runs[i].good)
			take(&p, &runs[i]);
	}
}
