/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/clock.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shared/str.h"

/* where FELLOE_NOW holds the wall clock; 0: it runs */
static int64_t held;
static pthread_once_t held_once = PTHREAD_ONCE_INIT;

static void read_held(void)
{
	const char *text = getenv("FELLOE_NOW");

	if (str_empty(text))
		return;
	/* a clock that silently runs on would make a test of screens lie */
	if (clock_parse(&held, text)) {
		fprintf(stderr, "FELLOE_NOW=%s is not an RFC 3339 time like 2026-11-23T03:10:00Z\n", text);
		abort();
	}
}

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
	pthread_once(&held_once, read_held);
	return held ? held : read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_sleep_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Whole seconds, rounded down also before 1970. */
static time_t seconds_of(int64_t ms)
{
	return (time_t)(ms / 1000 - (ms % 1000 < 0));
}

char *clock_rfc3339(char text[static CLOCK_TEXT], int64_t ms)
{
	time_t t = seconds_of(ms);
	int rest = (int)(ms - (int64_t)t * 1000);
	struct tm tm;
	size_t n = 0;

	text[0] = '\0';
	if (ms == 0 || !gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return text;
	n = (size_t)snprintf(text, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (rest)
		snprintf(text + n, CLOCK_TEXT - n, ".%03dZ", rest);
	else
		snprintf(text + n, CLOCK_TEXT - n, "Z");
	return text;
}

/* n digits at *s within [min, max], and *s moved behind them. */
static bool digits(const char **s, int n, int min, int max, int *ret)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = v * 10 + (**s - '0');
	}
	*ret = v;
	return v >= min && v <= max;
}

static bool skip(const char **s, const char *any_of)
{
	for (; *any_of; any_of++)
		if (**s == *any_of) {
			(*s)++;
			return true;
		}
	return false;
}

/* Milliseconds of a fraction of any length, ".5" = 500; *s stands at its end. */
static bool fraction(const char **s, int *ms)
{
	int worth = 100;

	*ms = 0;
	if (!skip(s, "."))
		return true;
	if (!isdigit((unsigned char)**s))
		return false;
	for (; isdigit((unsigned char)**s); (*s)++, worth /= 10)
		*ms += (**s - '0') * worth;
	return true;
}

/* "Z" or "+hh:mm" and the end of the text. */
static bool zone(const char *s, int *minutes)
{
	int h, m, sign = *s == '-' ? -1 : 1;

	*minutes = 0;
	if (skip(&s, "Zz"))
		return *s == '\0';
	if (!skip(&s, "+-") || !digits(&s, 2, 0, 23, &h) || !skip(&s, ":") || !digits(&s, 2, 0, 59, &m))
		return false;
	*minutes = sign * (h * 60 + m);
	return *s == '\0';
}

int clock_parse(int64_t *ret, const char *s)
{
	struct tm tm = {0}, back;
	int year, month, second, ms, minutes;
	time_t t;

	if (!s || !digits(&s, 4, 0, 9999, &year) || !skip(&s, "-") || !digits(&s, 2, 1, 12, &month) ||
	    !skip(&s, "-") || !digits(&s, 2, 1, 31, &tm.tm_mday) || !skip(&s, "Tt ") ||
	    !digits(&s, 2, 0, 23, &tm.tm_hour) || !skip(&s, ":") || !digits(&s, 2, 0, 59, &tm.tm_min) ||
	    !skip(&s, ":") || !digits(&s, 2, 0, 60, &second) || !fraction(&s, &ms) || !zone(s, &minutes))
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	t = timegm(&tm);
	/* timegm(3) turns February 30 into March: such a date is refused */
	if (!gmtime_r(&t, &back) || back.tm_mon != month - 1)
		return -1;
	*ret = ((int64_t)t + second - (int64_t)minutes * 60) * 1000 + ms;
	return 0;
}

/* The callers' formats are checked by the attribute in the header. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static char *format(char *text, size_t size, const char *fmt, const struct tm *tm)
{
	if (!tm || strftime(text, size, fmt, tm) == 0)
		text[0] = '\0';
	return text;
}

char *clock_format(char *text, size_t size, const char *fmt, int64_t ms)
{
	time_t t = seconds_of(ms);
	struct tm tm;

	return format(text, size, fmt, gmtime_r(&t, &tm));
}

char *clock_format_local(char *text, size_t size, const char *fmt, int64_t ms)
{
	time_t t = seconds_of(ms);
	struct tm tm;

	return format(text, size, fmt, localtime_r(&t, &tm));
}
