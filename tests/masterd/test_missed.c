/* SPDX-License-Identifier: Apache-2.0 */
#include "masterd/missed.c"

#include <stdlib.h>
#include <string.h>

#include "shared/mem.h"
#include "tests/unit.h"

/* A machine with systemd, its agent and a master, minute by minute. */

enum { MINUTE = 60000, GRACE = 15, FILL = 3, RUNS = 4000 };
#define START (INT64_C(1795392000000) / MINUTE) /* 2026-11-23T00:00Z, in minutes */

struct window {
	int from, to;             /* minutes of the simulation; 0 0: none */
};
struct act {
	const char *what;
	int every, first;         /* fires at first, first + every ...; minutes */
	bool persistent;
	int spread, takes;        /* minutes; takes 0: 5 */
	struct window off, hub, wire, stuck, paused; /* machine off; master down; no network; systemd does not fire; on purpose */
	int changed;              /* from then on it fires 7 minutes later */
	int stopped;              /* from then on the timer is off */
	int skew;                 /* minutes that the node's clock is ahead */
	int pieces;               /* after 400 minutes the master is there and away by turns of so many */
	int minutes;
	int misses;               /* what the master must find */
};

struct machine {
	const struct act *a;
	struct wire_timer t;
	int now, next, busy_until, boot, contact;
	int64_t runs[RUNS], ends[RUNS];
	size_t n_runs, told;      /* runs that the master knows */
	struct expected x;
	bool known;
	int misses, truly;
	int64_t found[RUNS];
};

static bool in(const struct window *w, int now)
{
	return w->to && now >= w->from && now < w->to;
}

static int64_t node_ms(const struct machine *m, int minute)
{
	return (START + minute + m->a->skew) * MINUTE;
}

static int first_after(const struct machine *m, int now)
{
	int first = m->a->first + (m->a->changed && now >= m->a->changed ? 7 : 0);

	return now < first ? first : first + ((now - first) / m->a->every + 1) * m->a->every;
}

static void fire(struct machine *m)
{
	m->t.last = node_ms(m, m->now);
	m->runs[m->n_runs] = m->t.last;
	m->busy_until = m->now + (m->a->takes ? m->a->takes : 5);
	m->ends[m->n_runs++] = node_ms(m, m->busy_until);
}

static void systemd(struct machine *m)
{
	const struct act *a = m->a;
	bool was_off = m->now && in(&a->off, m->now - 1);

	if (in(&a->off, m->now)) {
		if (m->now < m->busy_until && m->n_runs) { /* the run dies with the machine */
			m->busy_until = m->now;
			m->ends[m->n_runs - 1] = node_ms(m, m->now);
		}
		return;
	}
	if (was_off) {
		m->boot = m->now;
		if (a->persistent && m->next <= m->now)
			fire(m);
		if (!a->persistent)
			m->t.last = 0;
		m->next = first_after(m, m->now);
	}
	if (a->changed && m->now == a->changed)
		m->next = first_after(m, m->now);
	if (m->now >= m->next && !(a->stopped && m->now >= a->stopped) && !in(&a->paused, m->now)) {
		if (m->now >= m->busy_until && !in(&a->stuck, m->now))
			fire(m);
		m->next = first_after(m, m->now);
	}
}

static bool covered(const struct machine *m, int64_t from, int64_t to)
{
	for (size_t i = 0; i < m->told; i++)
		if ((m->runs[i] >= from && m->runs[i] <= to) || (m->runs[i] < m->x.due && m->ends[i] >= m->x.due))
			return true;
	return false;
}

static void master(struct machine *m)
{
	const struct act *a = m->a;
	struct report r = {0};
	int64_t from, to;

	if (in(&a->off, m->now) || in(&a->hub, m->now) || in(&a->wire, m->now) ||
	    (a->pieces && m->now > 400 && (m->now / a->pieces) % 2)) {
		m->contact = m->now + 1;
		return;
	}
	m->t.enabled = m->t.active = !(a->stopped && m->now >= a->stopped);
	m->t.next = m->t.active ? node_ms(m, m->next) : 0;
	str_cut(m->t.on_calendar, sizeof(m->t.on_calendar), a->changed && m->now >= a->changed ? "*-*-* *:07" : "*-*-* *:00");
	r.filled = m->now - m->contact >= FILL;
	if (r.filled)
		m->told = m->n_runs;
	r.ts = node_ms(m, m->now);
	r.boot = node_ms(m, m->boot);
	r.others = true;
	r.timer = &m->t;
	r.paused = in(&a->paused, m->now);
	r.at_work = m->now < m->busy_until;
	r.grace = GRACE * MINUTE;
	r.now = (START + m->now) * MINUTE;
	if (missed_look(&m->x, &r, &from, &to) == MISSED_ASK) {
		int64_t due = m->x.due;

		missed_answer(&m->x, &r, covered(m, from, to));
		if (m->x.missed == due)
			m->found[m->misses++] = due;
	}
}

static void play(struct machine *m, const struct act *a)
{
	memset(m, 0, sizeof(*m));
	m->a = a;
	str_cut(m->t.name, sizeof(m->t.name), "nightly");
	m->t.persistent = a->persistent;
	m->t.spread_s = a->spread * 60;
	m->next = a->first;
	for (m->now = 0; m->now < a->minutes; m->now++) {
		systemd(m);
		master(m);
	}
}

static const struct act acts[] = {
	{"all is well", 60, 10, .minutes = 1440},
	{"runs that take longer than the timer waits", 60, 10, .takes = 90, .minutes = 1440},
	{"systemd does not fire once", 60, 10, .stuck = {180, 200}, .minutes = 1440, .misses = 1},
	{"nor three times", 60, 10, .stuck = {180, 320}, .minutes = 1440, .misses = 3},
	{"the machine was off, and does not catch up", 60, 10, .off = {240, 270}, .minutes = 1440, .misses = 1},
	{"the machine was off, and catches up", 60, 10, true, .off = {240, 270}, .minutes = 1440},
	{"it is still off", 60, 10, .off = {240, 9999}, .minutes = 1440},
	{"off at the time, back within the grace, catches up", 60, 10, true, .off = {248, 252}, .minutes = 1440},
	{"the master was down at the time", 60, 10, .hub = {240, 270}, .minutes = 1440},
	{"the master was down for hours", 60, 10, .hub = {240, 700}, .minutes = 1440},
	{"the master was down for hours, and one did not fire", 60, 10, .hub = {240, 700}, .stuck = {420, 440}, .minutes = 1440,
	 .misses = 1},
	{"the first after the master went down did not fire", 60, 10, .hub = {240, 700}, .stuck = {245, 260}, .minutes = 1440,
	 .misses = 1},
	{"the last before the master came back did not fire", 60, 10, .hub = {240, 700}, .stuck = {660, 680}, .minutes = 1440,
	 .misses = 1},
	{"the network was down for hours", 60, 10, .wire = {240, 700}, .minutes = 1440},
	{"machine and master were off together, and it catches up", 60, 10, true, .hub = {240, 700}, .off = {300, 500},
	 .minutes = 1440},
	{"machine and master were off together, and it does not", 60, 10, .hub = {240, 700}, .off = {300, 500},
	 .minutes = 1440, .misses = 4},
	{"the schedule was changed before it was due", 60, 10, .changed = 185, .minutes = 1440},
	{"the schedule was changed while the master was down", 60, 10, .hub = {170, 400}, .changed = 185, .minutes = 1440},
	{"the timer was stopped before it was due", 60, 10, .stopped = 185, .minutes = 1440},
	{"the timer was stopped while the master was down", 60, 10, .hub = {170, 400}, .stopped = 185, .minutes = 1440},
	{"paused on purpose", 60, 10, .paused = {185, 400}, .minutes = 1440},
	{"its clock is 40 minutes ahead", 60, 10, .skew = 40, .stuck = {180, 200}, .minutes = 1440, .misses = 1},
	{"its clock is 3 hours behind", 60, 10, .skew = -180, .minutes = 1440},
	{"with a spread", 60, 10, .spread = 10, .stuck = {180, 200}, .minutes = 1440, .misses = 1},
	{"once a day", 1440, 180, .stuck = {1600, 1640}, .minutes = 5 * 1440, .misses = 1},
	{"once a day, the master down for three", 1440, 180, .hub = {8000, 12500}, .minutes = 12 * 1440},
	{"once a day, the master down for three, one not fired", 1440, 180, .hub = {8000, 12500}, .stuck = {10250, 10300},
	 .minutes = 12 * 1440, .misses = 1},
	{"the master is away five minutes of ten", 60, 10, .pieces = 5, .stuck = {600, 620}, .minutes = 1440, .misses = 1},
	{"the master is away an hour of two", 60, 10, .pieces = 60, .stuck = {600, 620}, .minutes = 1440, .misses = 1},
};

static void what_happened_is_told_from_what_did_not(void **state)
{
	struct machine *m = xmalloc(sizeof(*m));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		play(m, &acts[i]);
		if (m->misses != acts[i].misses)
			fail_msg("%s: %d missed, not %d (first at minute %lld)", acts[i].what, m->misses, acts[i].misses,
				 m->misses ? (long long)(m->found[0] / MINUTE - START) : 0);
	}
	free(m);
}

static void a_miss_stays_until_the_next_run(void **state)
{
	struct act a = {"", 60, 10, .stuck = {180, 200}, .minutes = 240};
	struct machine *m = xmalloc(sizeof(*m));

	(void)state;
	play(m, &a);
	assert_int_equal(m->x.missed, (START + 190) * MINUTE);
	assert_int_equal(m->x.times, 1);
	a.minutes = 253;
	play(m, &a);
	assert_int_equal(m->x.missed, 0);
	free(m);
}

static void what_a_node_does_not_name_any_more_is_forgotten(void **state)
{
	struct expected x = {.due = 1000};
	struct report r = {.ts = 5000000, .filled = true};
	int64_t from, to;

	(void)state;
	assert_int_equal(missed_look(&x, &r, &from, &to), MISSED_SAME);
	r.others = true;
	assert_int_equal(missed_look(&x, &r, &from, &to), MISSED_DROP);
}

/* A day of three timers with a master that is away half of the time, in pieces. */
static void a_day_with_the_master_away_half_the_time(void **state)
{
	struct machine *m = xmalloc(sizeof(*m));
	unsigned seed = 1;
	int alarms = 0;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct act a = {"a day", 30, 10, .minutes = 1440};

		seed = seed * 1103515245u + 12345u;
		a.every = (int[]){20, 30, 60, 120}[seed >> 16 & 3];
		a.takes = 1 + (int)(seed >> 18 & 7);
		a.persistent = seed >> 21 & 1;
		if (round % 2) {
			a.pieces = 4 + (int)(seed >> 22 & 127);
		} else {
			a.hub.from = 400 + (int)(seed >> 22 & 255);
			a.hub.to = a.hub.from + 720;
		}
		seed = seed * 1103515245u + 12345u;
		if (!a.persistent && (seed >> 16 & 1)) { /* one firing of the day is lost */
			int at = first_after(&(struct machine){.a = &a}, 370 + (int)(seed >> 17) % 1000);

			if (at < 1200) { /* and the master comes back before the day ends */
				a.stuck = (struct window){at, at + 1};
				a.misses = 1;
			}
		}
		play(m, &a);
		if (m->misses != a.misses || (a.misses && m->found[0] != (START + a.stuck.from) * MINUTE))
			fail_msg("round %d: every %d, away %d-%d, turns of %d, lost %d: %d found", round, a.every, a.hub.from,
				 a.hub.to, a.pieces, a.stuck.from, m->misses);
		alarms += m->misses;
	}
	assert_true(alarms > 500);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happened_is_told_from_what_did_not),
		cmocka_unit_test(a_miss_stays_until_the_next_run),
		cmocka_unit_test(what_a_node_does_not_name_any_more_is_forgotten),
		cmocka_unit_test(a_day_with_the_master_away_half_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
