/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/wizard/keep_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/mem.h"
#include "shared/str.h"

enum { WORD = 32, PIECES = 5 };

/* The rules of a piece of the calendar: "d", "days", "daily". */
static const struct piece {
	const char *key, *noun;
	char letter;
} pieces[PIECES] = {
	{"hourly", "hour", 'h'}, {"daily", "day", 'd'}, {"weekly", "week", 'w'}, {"monthly", "month", 'm'}, {"yearly", "year", 'y'},
};

static int64_t *count_of(struct keep_text *k, size_t piece)
{
	int64_t *const at[PIECES] = {&k->hourly, &k->daily, &k->weekly, &k->monthly, &k->yearly};

	return at[piece];
}

static int64_t count_in(const struct keep_text *k, size_t piece)
{
	const int64_t at[PIECES] = {k->hourly, k->daily, k->weekly, k->monthly, k->yearly};

	return at[piece];
}

/* ---- reading */

/* The next word, a number parted from the letters behind it; false at the end. */
static bool next_word(const char **at, char word[static WORD])
{
	static const char digits[] = "0123456789", gaps[] = " ,\t";
	const char *p = *at + strspn(*at, gaps);
	size_t number = strspn(p, digits), n = number ? number : strcspn(p, " ,\t0123456789");

	snprintf(word, WORD, "%.*s", (int)(n < WORD ? n : WORD - 1), p);
	*at = p + n;
	return n > 0;
}

static int take_count(int64_t *to, const char *number, const char *rule, struct err *e)
{
	uint64_t v;

	if (str_to_u64(&v, number, 1, KEEP_COUNT_MAX))
		return err_set(e, ERR_USAGE, "keep: \"%s\" is no count from 1 to %d", number, KEEP_COUNT_MAX);
	if (*to)
		return err_set(e, ERR_USAGE, "keep: %s is there twice", rule);
	*to = (int64_t)v;
	return 0;
}

/* All the rest: a span may have blanks, "1d 12h". What it is worth felloe-noded says. */
static int take_within(struct keep_text *k, const char **at, struct err *e)
{
	const char *p = *at + strspn(*at, " ,\t");
	size_t digits = strspn(p, "0123456789"), n = strlen(p);

	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (!digits || n == digits || n >= KEEP_SPAN)
		return err_set(e, ERR_USAGE, "keep: within comes last and needs a span such as 30d");
	snprintf(k->within, sizeof(k->within), "%.*s", (int)n, p);
	*at = p + strlen(p);
	return 0;
}

/* A number came, what does it count? */
static int take_piece(struct keep_text *k, const char *number, const char *unit, struct err *e)
{
	if (str_eq(unit, "last"))
		return take_count(&k->last, number, "last", e);
	for (size_t i = 0; i < PIECES; i++) {
		const struct piece *p = &pieces[i];
		bool letter = unit[0] == p->letter && !unit[1];
		size_t n = strlen(p->noun);

		if (letter || str_eq(unit, p->key) || (str_starts(unit, p->noun) && (!unit[n] || str_eq(unit + n, "s"))))
			return take_count(count_of(k, i), number, p->key, e);
	}
	return err_set(e, ERR_USAGE, "keep: \"%s%s\" is none of h, d, w, m, y (as in 14d 8w 12m)", number, unit);
}

int keep_text_parse(struct keep_text *ret, const char *text, struct err *e)
{
	char word[WORD], unit[WORD];

	*ret = (struct keep_text){0};
	while (next_word(&text, word)) {
		int rc;

		if (str_eq(word, "within"))
			rc = take_within(ret, &text, e);
		else if (str_eq(word, "last"))
			rc = next_word(&text, unit) ? take_count(&ret->last, unit, "last", e)
						    : err_set(e, ERR_USAGE, "keep: last needs a count, as in last 3");
		else if (word[0] < '0' || word[0] > '9')
			rc = err_set(e, ERR_USAGE, "keep: \"%s\" is no count: write 14d 8w 12m, or nothing to keep all runs", word);
		else if (!next_word(&text, unit) || (unit[0] >= '0' && unit[0] <= '9'))
			rc = err_set(e, ERR_USAGE, "keep: %s of what? Write %sd for days", word, word);
		else
			rc = take_piece(ret, word, unit, e);
		if (rc)
			return -1;
	}
	return 0;
}

/* ---- writing */

PRINTF(3, 4) static void add(char *to, size_t size, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + n, size - n, fmt, ap);
	va_end(ap);
}

void keep_text_from(const struct json *keep, char *to, size_t size)
{
	int64_t last = json_get_int(keep, "last", 0);
	const char *within = json_get_str(keep, "within", "");

	to[0] = '\0';
	if (last > 0)
		add(to, size, "last %" PRId64, last);
	for (size_t i = 0; i < PIECES; i++) {
		int64_t n = json_get_int(keep, pieces[i].key, 0);

		if (n > 0)
			add(to, size, "%s%" PRId64 "%c", *to ? " " : "", n, pieces[i].letter);
	}
	if (*within)
		add(to, size, "%swithin %s", *to ? " " : "", within);
}

bool keep_text_any(const struct keep_text *k)
{
	return k->last || k->hourly || k->daily || k->weekly || k->monthly || k->yearly || *k->within;
}

void keep_text_put(struct json_out *o, const struct keep_text *k)
{
	if (!keep_text_any(k))
		return;
	json_obj(o, "keep");
	if (k->last)
		json_put_int(o, "last", k->last);
	for (size_t i = 0; i < PIECES; i++)
		if (count_in(k, i))
			json_put_int(o, pieces[i].key, count_in(k, i));
	if (*k->within)
		json_put_str(o, "within", k->within);
	json_end_obj(o);
}

void keep_text_explain(const struct keep_text *k, char *to, size_t size)
{
	int64_t most = k->last;
	bool first = true;

	to[0] = '\0';
	if (!keep_text_any(k)) {
		str_cut(to, size, "every run, for ever: the storages fill up");
		return;
	}
	if (k->last)
		add(to, size, "the last %" PRId64, k->last);
	for (size_t i = 0; i < PIECES; i++) {
		int64_t n = count_in(k, i);

		if (!n)
			continue;
		add(to, size, "%s%" PRId64 " %s%s", !first ? ", " : k->last ? ", newest of " : "newest of ", n,
		    pieces[i].noun, n == 1 ? "" : "s");
		first = false;
		most += n;
	}
	if (*k->within)
		add(to, size, "%sall within %s", *to ? ", " : "", k->within);
	else
		add(to, size, ": up to %" PRId64, most);
}
