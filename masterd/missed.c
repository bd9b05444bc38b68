/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/missed.h"

#include "shared/str.h"

enum {
	EARLY_MS = 60000,         /* a clock may be set back a little between the declaration and the start */
	JITTER_MS = 1000,         /* a declared time that moves by less is the same */
	HOUR_MS = 3600 * 1000,
	TOLD_MS = 15000,          /* a miss stays for so long at least, so that it is told */
	STEADY = 2,
};

static int64_t spread(const struct wire_timer *t)
{
	return t->spread_s > 0 ? t->spread_s * 1000 : 0;
}

/* How much two distances of the same calendar may differ: by the spread of both
 * ends, and a day by the hour of a change to or from summer time. */
static int64_t slack(const struct expected *x, const struct wire_timer *t)
{
	return EARLY_MS + 2 * spread(t) + (x->period >= 20 * HOUR_MS ? HOUR_MS : 0);
}

/* Are the firings between two far ones known? The calendar must be the same
 * every day, and its distances must have been seen to be even. */
static bool is_even(const struct expected *x, const struct wire_timer *t)
{
	return !t->persistent && x->steady >= STEADY && x->period > 2 * slack(x, t) && str_starts(x->on_calendar, "*-*-* ");
}

static int64_t apart(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

static void learn(struct expected *x, const struct report *r, int64_t next)
{
	int64_t gap = next - x->due;

	/* looked at late, there may have been others in between */
	if (r->ts - x->due > gap / 2)
		return;
	if (x->period && apart(gap, x->period) <= slack(x, r->timer))
		x->steady++;
	else
		x->steady = 0;
	x->period = gap;
}

/* The firing is settled: which is the next to wait for? */
static void advance(struct expected *x, const struct report *r)
{
	int64_t next = r->timer->next > r->ts ? r->timer->next : 0;

	if (next && is_even(x, r->timer) && next - x->due > x->period + x->period / 2) {
		int64_t n = (next - x->due + x->period / 2) / x->period;

		if (apart(next - x->due, n * x->period) <= slack(x, r->timer)) {
			x->before = x->due;
			x->due += x->period;
			return;
		}
	}
	if (next)
		learn(x, r, next);
	x->before = x->due;
	x->due = next;
}

/* Stopped, disabled, or paused: nothing is to come. A timer that is only not
 * enabled still fires until the machine restarts. */
static bool is_off(const struct report *r)
{
	const struct wire_timer *t = r->timer;

	return r->paused || (!t->active && (!t->enabled || t->next <= r->ts));
}

static enum outcome start_anew(struct expected *x, const struct report *r)
{
	int64_t due = !is_off(r) && r->timer->next > r->ts ? r->timer->next : 0;
	bool same = x->due == due && !x->missed && str_eq(x->on_calendar, r->timer->on_calendar);

	x->due = due;
	x->before = x->period = x->steady = x->missed = x->missed_at = x->times = 0;
	str_cut(x->on_calendar, sizeof(x->on_calendar), r->timer->on_calendar);
	return same ? MISSED_SAME : MISSED_CHANGED;
}

static bool has_recovered(const struct expected *x, const struct report *r)
{
	return x->missed && r->now - x->missed_at >= TOLD_MS &&
	       (r->timer->last > x->missed + EARLY_MS || r->good > x->missed || r->at_work);
}

/* The time has passed. */
static enum outcome settle(struct expected *x, const struct report *r, int64_t *from, int64_t *to)
{
	const struct wire_timer *t = r->timer;
	int64_t start = x->due > r->boot ? x->due : r->boot;
	int64_t end = is_even(x, t) ? x->due + x->period - slack(x, t) : INT64_MAX;

	if (t->last >= x->due - EARLY_MS && t->last < end) {
		if (t->next <= r->ts)
			return MISSED_SAME; /* it runs, and systemd has not said yet when again */
		advance(x, r);
		return MISSED_CHANGED;
	}
	if (r->at_work || r->ts < start + spread(t) + r->grace || !r->filled)
		return MISSED_SAME;
	*from = x->due - EARLY_MS;
	*to = end;
	return MISSED_ASK;
}

enum outcome missed_look(struct expected *x, const struct report *r, int64_t *from, int64_t *to)
{
	const struct wire_timer *t = r->timer;
	bool recovered;
	enum outcome o;

	if (!t)
		return r->others ? MISSED_DROP : MISSED_SAME;
	if (is_off(r) || !str_eq(x->on_calendar, t->on_calendar))
		return start_anew(x, r);
	recovered = has_recovered(x, r);
	if (recovered)
		x->missed = x->missed_at = x->times = 0;
	if (x->due && r->ts >= x->due) {
		o = settle(x, r, from, to);
	} else {
		/* the first one, or declared anew before it came */
		o = t->next > r->ts && apart(t->next, x->due) > JITTER_MS ? MISSED_CHANGED : MISSED_SAME;
		if (o == MISSED_CHANGED)
			x->due = t->next;
	}
	return o == MISSED_SAME && recovered ? MISSED_CHANGED : o;
}

void missed_answer(struct expected *x, const struct report *r, bool ran)
{
	if (!ran) {
		x->missed = x->due;
		x->missed_at = r->now;
		x->times++;
	}
	advance(x, r);
}
